# Sourced by ../run: goodput, latency and memory where more comes than the container can do.

# overload_of FIXED PER_INPUT SLO RATES FACTOR…: the capacity is the best goodput at one of the rates, in the same run.
overload_of() {
    local fixed=$1 per_input=$2 slo=$3 rates=$4 run capacity factor before
    shift 4
    echo
    echo "### $fixed + n × $per_input, SLO $slo"
    echo
    echo '| run | offered | × capacity | goodput | of capacity | p99.9 ms | max ms | errors | RSS before → most, MiB |'
    echo '| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |'
    sleeping "$fixed" "$per_input"
    for factor in "$@"; do : >"$work/goodput-$factor"; : >"$work/p999-$factor"; done
    for ((run = 1; run <= runs; run++)); do
        start_frontend
        register_model model
        register_application "$slo" model
        start_container model "${command_line[@]}"
        await_replicas 1
        offer "$results/overload/$fixed-capacity-$run.json" "$query_url" "$slo" "$rates" "$seconds"
        capacity=$(figures best "$offered_file" | sort -g | tail -1)
        ((capacity > 0)) || fail "no query was answered in time while the capacity was measured"
        for factor in "$@"; do
            before=$(resident "$frontend_pid")
            forget_peak "$frontend_pid"
            offer "$results/overload/$fixed-$factor-$run.json" "$query_url" "$slo" $((capacity * factor)) "$seconds"
            report_overload "$run" "$capacity" "$factor" "$before" "$(resident_peak "$frontend_pid")"
        done
        stop_frontend
    done
    echo
    for factor in "$@"; do
        echo "At $factor × capacity: goodput/capacity: $(summary %.2f <"$work/goodput-$factor"); p99.9:" \
            "$(summary %.1f <"$work/p999-$factor") ms, $(quotient "$(micros "$slo")" 1000 %.0f) ms being the SLO."
    done
}

report_overload() {
    local rate goodput p999 max errors unanswered
    read -r rate goodput p999 max errors unanswered < <(
        measured rate goodput latency_micros.p999 latency_micros.max errors unanswered)
    quotient "$goodput" "$2" '%.4f\n' >>"$work/goodput-$3"
    quotient "$p999" 1000 '%.2f\n' >>"$work/p999-$3"
    printf '| %d | %.0f | %s | %.0f | %s | %s | %s | %s | %s → %s |\n' "$1" "$rate" "$3" "$goodput" \
        "$(quotient "$goodput" "$2")" "$(millis "$p999")" "$(millis "$max")" $((errors + unanswered)) \
        "$(quotient "$4" 1024 %.1f)" "$(quotient "$5" 1024 %.1f)"
}

overload() {
    echo
    echo "## Overload"
    echo
    echo "Capacity: the best goodput of the same frontend and container at rates around the optimum. At 10 × the capacity"
    echo "of the faster container, sending and reading the requests alone would take more than the two cores: the slower"
    echo "one leaves them free."
    overload_of 4ms 100us 20ms 5400,5700,6000 2
    overload_of 20ms 1ms 100ms 540,570,600 2 10
}
