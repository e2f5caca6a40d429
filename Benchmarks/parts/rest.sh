# Sourced by ../run: predict over REST against a bare echo of the same body.

# compare CONNECTIONS REPORT: pairs of runs; calls REPORT for each with the two result lines and processor times.
compare() {
    local run server line failed=0 sent=0 before_queries before_defaults
    load "$echo_url" "$1" 1 >/dev/null
    load "$query_url" "$1" 1 >/dev/null
    before_queries=$(application_count queries)
    before_defaults=$(application_count defaults)
    for ((run = 1; run <= runs; run++)); do
        for server in $(both_orders "$run" echo frontend); do
            if [[ $server == echo ]]; then
                local echo_cpu echo_line
                echo_cpu=$(cpu_millis "$echo_pid")
                echo_line=$(load "$echo_url" "$1" "$seconds")
                echo_cpu=$(($(cpu_millis "$echo_pid") - echo_cpu))
            else
                local frontend_cpu container_cpu frontend_line
                frontend_cpu=$(cpu_millis "$frontend_pid") container_cpu=$(cpu_millis "$container_pid")
                frontend_line=$(load "$query_url" "$1" "$seconds")
                frontend_cpu=$(($(cpu_millis "$frontend_pid") - frontend_cpu))
                container_cpu=$(($(cpu_millis "$container_pid") - container_cpu))
                sent=$((sent + $(field requests <<<"$frontend_line")))
            fi
        done
        for line in "$echo_line" "$frontend_line"; do
            failed=$((failed + $(field status <<<"$line") + $(field socket <<<"$line")))
        done
        "$2" "$run" "$echo_line" "$frontend_line" "$echo_cpu" "$frontend_cpu" "$container_cpu"
    done
    check_answers "$sent" "$failed" "$before_queries" "$before_defaults"
}

# Fast answers count only if they are answers.
check_answers() {
    local queries defaults answer
    queries=$(($(application_count queries) - $3)) defaults=$(($(application_count defaults) - $4))
    answer=$(sample)
    echo
    echo "Requests to the frontend: $1; queries it counted: $queries; answered with the default: $defaults;" \
        "errors of both servers: $2."
    is_answer "$answer" || fail "a sample after the load was answered with $answer"
    (($2 == 0)) || fail "$2 requests failed"
    ((queries >= $1)) || fail "the frontend counted fewer queries than wrk got answers"
    ((defaults == 0)) || fail "$defaults queries got the default"
}

start_pair() {
    start_echo
    start_frontend
    start_sum
}

stop_pair() {
    stop_frontend
    stop "$echo_pid"
}

report_rest() {
    local e p
    e=$(per_second "$2") p=$(per_second "$3")
    quotient "$p" "$e" '%.4f\n' >>"$work/ratios"
    echo "$p" >>"$work/rates"
    printf '| %d | %d | %d | %s | %s | %s | %s |\n' "$1" "$e" "$p" "$(quotient "$p" "$e")" \
        "$(cpu_per_request "$4" "$2")" "$(cpu_per_request "$5" "$3")" "$(cpu_per_request "$6" "$3")"
}

rest() {
    start_pair
    echo
    echo "## REST, $connections connections, 100 doubles"
    echo
    echo '| pair | echo req/s | predict req/s | ratio | echo CPU µs/req | frontend CPU µs/req | container CPU µs/req |'
    echo '| ---: | ---: | ---: | ---: | ---: | ---: | ---: |'
    : >"$work/ratios"
    : >"$work/rates"
    compare "$connections" report_rest
    echo "Ratio predict/echo: $(summary %.2f <"$work/ratios")"
    rest_at_half_load $(($(median <"$work/rates") / 2))
    stop_pair
}

# rest_at_half_load RATE: 99th percentiles at half of the rate that the frontend has just shown, the echo's at the same.
rest_at_half_load() {
    local run server echo_p99 predict_p99
    echo
    echo "### At half of that rate: $1 requests/s, Poisson arrivals"
    echo
    echo '| pair | echo p99 µs | predict p99 µs | ratio |'
    echo '| ---: | ---: | ---: | ---: |'
    : >"$work/ratios"
    for ((run = 1; run <= runs; run++)); do
        for server in $(both_orders "$run" echo frontend); do
            if [[ $server == echo ]]; then
                offer "$results/rest/half-echo-$run.json" "$echo_url" 1s "$1" "$seconds" \
                    --connections "$connections" --accept-any
                echo_p99=$(measured latency_micros.p99)
            else
                offer "$results/rest/half-predict-$run.json" "$query_url" 1s "$1" "$seconds" \
                    --connections "$connections"
                predict_p99=$(measured latency_micros.p99)
                [[ $(measured in_slo) == "$(measured sent)" ]] || fail "at half load not every query was answered"
            fi
        done
        quotient "$predict_p99" "$echo_p99" '%.4f\n' >>"$work/ratios"
        printf '| %d | %.0f | %.0f | %s |\n' "$run" "$echo_p99" "$predict_p99" \
            "$(quotient "$predict_p99" "$echo_p99")"
    done
    echo
    echo "Ratio predict/echo of p99: $(summary %.2f <"$work/ratios")"
}

report_latency() {
    local quantile values=()
    for quantile in p50 p99; do
        local e p
        e=$(field $quantile <<<"$2") p=$(field $quantile <<<"$3")
        quotient "$p" "$e" '%.4f\n' >>"$work/$quantile"
        values+=("$e" "$p" "$(quotient "$p" "$e")")
    done
    printf '| %d | %d | %d | %s | %d | %d | %s |\n' "$1" "${values[@]}"
}

latency() {
    start_pair
    echo
    echo '## REST, one connection, 100 doubles'
    echo
    echo '| pair | echo p50 µs | predict p50 µs | ratio | echo p99 µs | predict p99 µs | ratio |'
    echo '| ---: | ---: | ---: | ---: | ---: | ---: | ---: |'
    : >"$work/p50"
    : >"$work/p99"
    compare 1 report_latency
    echo "Ratio predict/echo of p50: $(summary %.2f <"$work/p50")"
    echo "Ratio predict/echo of p99: $(summary %.2f <"$work/p99")"
    stop_pair
}
