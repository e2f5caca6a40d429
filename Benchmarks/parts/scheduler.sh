# Sourced by ../run: what the scheduler itself takes, without sockets and threads.

scheduler() {
    local run
    echo
    echo "## Scheduler, nanoseconds per query"
    echo
    "$clipper/scheduler-cost" --header
    : >"$work/scheduler"
    for ((run = 1; run <= runs; run++)); do
        "$clipper/scheduler-cost" --run "$run" | tee -a "$work/scheduler"
    done
    echo
    echo "Ratio of 100,000 queued to 100: $(awk -F' *[|] *' '{ print $5 }' <"$work/scheduler" | summary %.2f)"
}
