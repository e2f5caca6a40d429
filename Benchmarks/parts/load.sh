# Sourced by ../run: the load. wrk sends the next request of a connection when the last is answered (a closed loop);
# `clipper bench` sends at a rate, whatever becomes of the requests (an open loop), and counts latency from when a
# request was due.

# load URL CONNECTIONS SECONDS [repeated]: one run of wrk; prints its result line.
load() {
    local output threads=$wrk_threads
    if ((threads > $2)); then threads=$2; fi
    output=$(wrk -t "$threads" -c "$2" -d "${3}s" -s "$here/scripts/predict.lua" --latency "$1/bench/predict" \
        -- ${4:+"$4"} 2>&1) || { say "$output"; fail "wrk failed"; }
    grep '^result ' <<<"$output" || { say "$output"; fail "wrk printed no result"; }
}

# per_second RESULT_LINE: requests per second.
per_second() { quotient "$(field requests <<<"$1")000000" "$(field micros <<<"$1")" %.0f; }

# cpu_per_request MILLISECONDS RESULT_LINE: in microseconds.
cpu_per_request() { quotient "${1}000" "$(field requests <<<"$2")" %.1f; }

# offer FILE URL SLO RATES SECONDS [OPTION…]: Poisson arrivals at each of the rates; the measurements go to the file as
# JSON.
offer() {
    offer_in_background "$@"
    await_offer
}

# offer_in_background …: the same while the script goes on; `await_offer` waits for its end.
offer_in_background() {
    local url=$2 slo=$3 rates=$4 duration=$5
    offered_file=$1
    shift 5
    mkdir -p "$(dirname "$offered_file")"
    rm -f "$offered_file"
    start bench "$clipper/clipper" bench bench --query "$url" --rates "$rates" --duration "${duration}s" --slo "$slo" \
        --warmup "$warmup" --random-doubles "$offered_doubles" --json "$offered_file" "$@"
    offer_pid=$started
}

await_offer() {
    local status=0
    wait "$offer_pid" || status=$?
    unset "running[$offer_pid]"
    if ((status != 0)) || [[ ! -s $offered_file ]]; then
        tail -n 20 "$work/bench.out" "$work/bench.err" >&2
        fail "clipper bench failed ($status)"
    fi
}
offered_doubles=100
warmup=500ms

# measured PATH…: values of the first run of the last `offer`, such as `goodput` or `latency_micros.p99`, on one line.
measured() { figures get "$offered_file" "$@"; }

figures() { python3 "$here/scripts/figures.py" "$@"; }
