# Sourced by ../run: RPC 3 through both sessions and libzmq, against a plain C pair with the same frames; and RPC 4 against
# RPC 3.

# rpc_rate PROGRAM INPUTS IN_FLIGHT: batches per second.
rpc_rate() {
    local output
    output=$("$benchmarks/$1" --inputs "$2" --bytes 800 --in-flight "$3" --seconds "$seconds") || fail "$1 failed"
    sed 's/.*"batches_per_second":\([0-9]*\).*/\1/' <<<"$output"
}

rpc() {
    local inputs in_flight run program c swift
    echo
    echo '## RPC 3, batches per second, inputs of 800 bytes'
    for inputs in 1 64; do
        for in_flight in 2 64; do
            echo
            echo "Batches of $inputs, $in_flight in flight:"
            echo
            echo '| pair | C | Swift | ratio |'
            echo '| ---: | ---: | ---: | ---: |'
            : >"$work/ratios"
            for ((run = 1; run <= runs; run++)); do
                for program in $(both_orders "$run" c-router-dealer rpc-pair); do
                    if [[ $program == rpc-pair ]]; then
                        swift=$(rpc_rate "$program" "$inputs" "$in_flight")
                    else
                        c=$(rpc_rate "$program" "$inputs" "$in_flight")
                    fi
                done
                quotient "$swift" "$c" '%.4f\n' >>"$work/ratios"
                printf '| %d | %d | %d | %s |\n' "$run" "$c" "$swift" "$(quotient "$swift" "$c")"
            done
            echo
            echo "Ratio Swift/C: $(summary %.2f <"$work/ratios")"
        done
    done
}

# rpc_cpu VERSION: microseconds of processor time for a batch of 64, both sides and libzmq's threads.
rpc_cpu() {
    local output
    output=$("$benchmarks/rpc-pair" --rpc "$1" --inputs 64 --bytes 800 --in-flight 8 --seconds "$seconds") ||
        fail "rpc-pair failed"
    sed 's/.*"cpu_us_per_batch":\([0-9]*\).*/\1/' <<<"$output"
}

rpc4() {
    local run version three four
    echo
    echo '## RPC 4 against RPC 3, batches of 64 inputs of 800 bytes, 8 in flight'
    echo
    echo '| pair | RPC 3, CPU µs a batch | RPC 4 | inputs per second of CPU time, RPC 4/RPC 3 |'
    echo '| ---: | ---: | ---: | ---: |'
    : >"$work/ratios"
    for ((run = 1; run <= runs; run++)); do
        for version in $(both_orders "$run" 3 4); do
            if [[ $version == 3 ]]; then three=$(rpc_cpu 3); else four=$(rpc_cpu 4); fi
        done
        quotient "$three" "$four" '%.4f\n' >>"$work/ratios"
        printf '| %d | %d | %d | %s |\n' "$run" "$three" "$four" "$(quotient "$three" "$four")"
    done
    echo
    echo "Ratio RPC 4/RPC 3: $(summary %.2f <"$work/ratios")"
}
