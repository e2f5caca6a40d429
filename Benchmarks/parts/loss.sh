# Sourced by ../run: one of two replicas is killed, or stops without a word.

# Two replicas of 5 ms + n × 250 µs with batches of 16 at most: 16 queries in 9 ms, 1,777/s each. The bound makes half
# of what both can do all that one can.
loss_fixed=5ms loss_per_input=250us loss_batch=16 loss_slo=100ms

# start_two [OPTION…]: a frontend with both; the options are the application's.
start_two() {
    start_frontend
    register_model model --max-batch "$loss_batch"
    register_application "$loss_slo" model "$@"
    sleeping "$loss_fixed" "$loss_per_input"
    start_container model "${command_line[@]}"
    start_container model "${command_line[@]}"
    await_replicas 2
}

# measure_two: sets loss_rate to half of what both replicas can do.
measure_two() {
    local line defaults
    start_two
    load "$query_url" 96 1 >/dev/null
    defaults=$(application_count defaults)
    line=$(load "$query_url" 96 3)
    (($(application_count defaults) == defaults)) || fail "queries got the default while the capacity was measured"
    loss_rate=$(($(per_second "$line") / 2))
    stop_frontend
}

# lose NAME SIGNAL [OPTION…]: the options are the application's.
lose() {
    local name=$1 signal=$2 run victim
    shift 2
    echo '| run | sent | defaults | 503 | errors | unanswered | p99 ms | max ms | reasons |'
    echo '| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |'
    : >"$work/defaults"
    for ((run = 1; run <= runs; run++)); do
        start_two "$@"
        victim=$started
        warmup=2s
        offer_in_background "$results/loss/$name-$run.json" "$query_url" "$loss_slo" "$loss_rate" 3
        warmup=500ms
        sleep 3
        if [[ $signal == KILL ]]; then
            crash "$victim"
            sleep 1
            # As whatever supervises it would.
            start_container model "${command_line[@]}"
        else
            kill -"$signal" "$victim"
            sleep 1
            kill -CONT "$victim"
        fi
        await_offer
        report_loss "$run"
        stop_frontend
    done
    echo
    echo "Defaults: $(summary %.0f <"$work/defaults")."
}

report_loss() {
    local sent defaults rejected errors unanswered p99 max
    read -r sent defaults rejected errors unanswered p99 max < <(
        measured sent defaults rejected errors unanswered latency_micros.p99 latency_micros.max)
    echo "$defaults" >>"$work/defaults"
    printf '| %d | %d | %d | %d | %d | %d | %s | %s | %s |\n' "$1" "$sent" "$defaults" "$rejected" "$errors" \
        "$unanswered" "$(millis "$p99")" "$(millis "$max")" "$(figures reasons "$offered_file")"
}

loss() {
    echo
    echo "## One of two replicas lost at half load, SLO 100 ms"
    echo
    measure_two
    echo "Each replica takes $loss_fixed + n × $loss_per_input for a batch of n, at most $loss_batch. With 96" \
        "connections, each sending its next request when the last is answered, both served $((2 * loss_rate))/s;" \
        "offered: half of it. The counted 3 s begin after 2 s; the loss comes 1 s later."
    echo
    echo "### Killed (SIGKILL), started again after 1 s"
    echo
    lose killed KILL
    echo
    echo "### Frozen for 1 s (SIGSTOP), without hedging"
    echo
    echo "Its two batches in flight hold $((2 * loss_batch)) queries at most."
    echo
    lose frozen STOP
    echo
    echo "### Frozen for 1 s (SIGSTOP), with hedging"
    echo
    lose hedged STOP --hedge
}
