# Sourced by ../run: what each batching policy makes of one container, at rising rates.

policies=(deadline aimd 'fixed(64)' 'fixed(1)')

# file_of POLICY: its name in file names.
file_of() { local name=${1//[()]/-}; echo "${name%-}"; }

# sweep NAME TITLE SLO RATES OPTIMUM COMMAND…: all policies, each run with a frontend and a container of its own.
# OPTIMUM is a goodput, or empty.
sweep() {
    local name=$1 title=$2 slo=$3 rates=$4 best=$5 run policy file labels=() files=()
    shift 5
    for ((run = 1; run <= runs; run++)); do
        for policy in "${policies[@]}"; do
            file=$results/batching/$name-$(file_of "$policy")
            start_frontend
            register_model model --batching "$policy"
            register_application "$slo" model
            start_container model "$@"
            await_replicas 1
            offer "$file-$run.json" "$query_url" "$slo" "$rates" "$seconds"
            stop_frontend
            labels+=(--label "$policy=$file-$run.json")
        done
    done
    for policy in "${policies[@]}"; do files+=("$policy" "$results/batching/$name-$(file_of "$policy")"); done
    figures batching "$runs" "${files[@]}"
    mkdir -p "$plots"
    "$clipper/clipper" bench plot --out "$plots/batching-$name.svg" --title "$title" --y goodput \
        ${best:+--optimum "$best"} "${labels[@]}" >/dev/null
    echo
    echo "Plot: batching-$name.svg"
}

batching() {
    echo
    echo "## Batching: 4 ms + n × 100 µs, SLO 20 ms"
    echo
    echo "The optimum: in a steady state n = λ·T(n), and the unluckiest query waits for one batch and rides in the next,"
    echo "2·T(n) = 20 ms, n = 60, λ = 6,000/s. Goodput: answers of the model within the SLO, per second; inside: their"
    echo "share of all requests. Medians of $runs runs, $seconds s for each rate."
    sleeping 4ms 100us
    sweep sleeping 'Goodput of a container that takes 4 ms + n × 100 µs, SLO 20 ms' 20ms \
        1000,3000,4500,5100,5400,6000,9000 6000 "${command_line[@]}"
    echo
    figures optimum 6000 "$results/batching/sleeping-deadline" "$results/batching/sleeping-fixed-1" "$runs"
}

network() {
    local times most rates=() share
    times=$("$benchmarks/network-container" --measure)
    most=$(awk -F'[= ]' '$3 == 64 { printf "%d", 64e6 / $5 }' <<<"$times")
    for share in 10 30 50 70 85 100 120; do rates+=($((most * share / 100))); done
    echo
    echo "## Batching: a dense network of 784, 2,048, 2,048 and 10 units, SLO 50 ms"
    echo
    times=$(awk -F'[= ]' '{ printf "%s%s for a batch of %s", s, $5, $3; s = ", " }' <<<"$times")
    echo "The network takes, in µs: $times."
    echo "The rates are 10 to 120 % of what batches of 64 in a row would do. Medians of $runs runs, $seconds s each."
    offered_doubles=784
    sweep network 'Goodput of a neural network on one core, SLO 50 ms' 50ms "$(IFS=,; echo "${rates[*]}")" '' \
        "$benchmarks/network-container"
    offered_doubles=100
}
