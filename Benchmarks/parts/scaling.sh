# Sourced by ../run: throughput with more and more replicas of a sleeping model.

scaling() {
    local run replicas started_replicas line rate alone before
    echo
    echo "## Replicas of a container of 20 ms + n × 1 ms, batches of 8"
    echo
    echo "One can do 8 queries in 28 ms, 286/s. 32 connections for each replica, each sending its" \
        "next request when the last is answered."
    echo
    echo '| run | 1 replica, req/s | 2 | 4 | 8 | 8 to 1 |'
    echo '| ---: | ---: | ---: | ---: | ---: | ---: |'
    : >"$work/ratios"
    sleeping 20ms 1ms
    for ((run = 1; run <= runs; run++)); do
        start_frontend
        register_model model --batching 'fixed(8)'
        register_application 10s model
        printf '| %d |' "$run"
        started_replicas=0
        for replicas in 1 2 4 8; do
            for ((; started_replicas < replicas; started_replicas++)); do
                start_container model "${command_line[@]}"
            done
            await_replicas "$replicas"
            load "$query_url" $((32 * replicas)) 1 >/dev/null
            # What that left in the queue is answered by then.
            sleep 0.5
            before=$(application_count defaults)
            line=$(load "$query_url" $((32 * replicas)) "$seconds")
            (($(field status <<<"$line") + $(field socket <<<"$line") == 0)) || fail "requests failed: $line"
            (($(application_count defaults) == before)) || fail "queries got the default"
            rate=$(per_second "$line")
            if ((replicas == 1)); then alone=$rate; fi
            printf ' %d |' "$rate"
        done
        printf ' %s |\n' "$(quotient "$rate" "$alone")"
        quotient "$rate" "$alone" '%.4f\n' >>"$work/ratios"
        stop_frontend
    done
    echo
    echo "Ratio of 8 replicas to 1: $(summary %.2f <"$work/ratios")"
}
