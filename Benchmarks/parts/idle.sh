# Sourced by ../run: what a frontend takes that has nothing to do.

# watch_idle NAME: prints a row; leaves the resident memory in idle_resident.
watch_idle() {
    local before
    # What the start left to do is over by then.
    sleep 2
    before=$(cpu_millis "$frontend_pid")
    sleep "$idle_seconds"
    idle_resident=$(resident "$frontend_pid")
    idle_cpu=$(($(cpu_millis "$frontend_pid") - before))
    printf '| %s | %s | %d |\n' "$1" "$(quotient "$idle_resident" 1024 %.1f)" "$idle_cpu"
}

idle() {
    local before
    echo
    echo "## A frontend with nothing to do, for $idle_seconds s"
    echo
    echo '| frontend | resident MiB | CPU ms |'
    echo '| --- | ---: | ---: |'
    raise_descriptor_limit 8192
    start_frontend
    watch_idle 'just started'
    start_sum
    watch_idle 'one application, one container'
    stop_frontend
    start_frontend
    register_model idle
    sleep 2
    before=$(resident "$frontend_pid")
    start containers "$benchmarks/idle-containers" --count "$idle_containers" --frontend "tcp://127.0.0.1:$rpc_port"
    local containers=$started
    ready_line containers "$containers" >/dev/null
    # They have all written by now; the frontend may let them wait a moment.
    await_replicas "$idle_containers"
    watch_idle "$idle_containers containers"
    echo
    echo "A container: $(quotient $((idle_resident - before)) "$idle_containers" %.1f) KiB. It sends a heartbeat" \
        "every 5 s, $((idle_containers / 5)) a second in all: $(quotient $((idle_cpu * 1000)) \
            $((idle_containers * idle_seconds / 5)) %.0f) µs of processor time each."
    stop "$containers"
    stop_frontend
}
