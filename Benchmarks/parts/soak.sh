# Sourced by ../run: a long load with kills, and the frontend's memory over time.

# Two replicas of 20 ms + n × 1 ms under an SLO of 100 ms: 600 queries/s each (2·T(n) = 100 ms), 80 % of both is 960/s.
soak_rate=960

soak() {
    local replicas=() victim=0 kills=0 second begin file=$results/soak
    # What is built while it runs does not change what it runs.
    mkdir "$work/bin"
    cp "$clipper/clipper" "$benchmarks/sleeping-container" "$work/bin/"
    clipper=$work/bin benchmarks=$work/bin
    mkdir -p "$file" "$plots"
    echo
    echo "## $soak_seconds s at 80 % load, a replica of two killed every 20 s"
    echo
    sleeping 20ms 1ms
    start_frontend
    register_model model
    register_application 100ms model
    start_container model "${command_line[@]}"
    replicas[0]=$started
    start_container model "${command_line[@]}"
    replicas[1]=$started
    await_replicas 2
    warmup=2s
    offer_in_background "$file/load.json" "$query_url" 100ms "$soak_rate" "$soak_seconds"
    begin=$(date +%s)
    echo 'seconds,resident_kib,cpu_millis,kills' >"$file/memory.csv"
    for ((second = 0; second <= soak_seconds; second += 5)); do
        sleep $((begin + second - $(date +%s) > 0 ? begin + second - $(date +%s) : 0))
        kill -0 "$frontend_pid" 2>/dev/null || { tail -n 20 "$work/frontend.err" >&2; fail "the frontend ended"; }
        echo "$second,$(resident "$frontend_pid"),$(cpu_millis "$frontend_pid"),$kills" >>"$file/memory.csv"
        if ((second > 0 && second % 20 == 0 && second < soak_seconds)); then
            crash "${replicas[$victim]}"
            start_container model "${command_line[@]}"
            replicas[$victim]=$started
            victim=$((1 - victim)) kills=$((kills + 1))
        fi
    done
    await_offer
    report_soak "$kills"
    figures memory "$file/memory.csv" "$plots/soak-memory.svg"
    [[ $(replica_count) == 2 ]] || fail "$(replica_count) containers are registered at the end"
    stop_frontend
}

report_soak() {
    local sent answered predictions defaults rejected errors unanswered p99 max
    read -r sent answered predictions defaults rejected errors unanswered p99 max < <(
        measured sent answered predictions defaults rejected errors unanswered latency_micros.p99 latency_micros.max)
    echo '| kills | sent | answered | by the model | defaults | 503 | errors | unanswered | p99 ms | max ms |'
    echo '| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |'
    echo "| $1 | $sent | $answered | $predictions | $defaults | $rejected | $errors | $unanswered |" \
        "$(millis "$p99") | $(millis "$max") |"
    echo
    echo "Defaults by reason: $(figures reasons "$offered_file")."
    echo "Lost: $((sent - answered)) queries."
}
