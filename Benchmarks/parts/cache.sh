# Sourced by ../run: predict with inputs that the prediction cache has, against a bare echo of the same body.

# cache_count hits|lookups: of the cache, since the frontend's start.
cache_count() {
    curl -s --max-time 5 -H 'Accept: text/plain' "$query_url/metrics" |
        awk -v name="clipper_cache_${1}_total" '$1 ~ "^" name "([{]|$)" { sum += $2 } END { printf "%d", sum }'
}

cache() {
    local run server echo_line hit_line e p hits lookups
    start_pair
    echo
    echo "## Cache hits, $connections connections, 1,000 inputs of 100 doubles again and again"
    echo
    echo '| pair | echo req/s | predict req/s | ratio | hits |'
    echo '| ---: | ---: | ---: | ---: | ---: |'
    : >"$work/ratios"
    load "$echo_url" "$connections" 1 repeated >/dev/null
    # Puts them into the cache.
    load "$query_url" "$connections" 1 repeated >/dev/null
    for ((run = 1; run <= runs; run++)); do
        for server in $(both_orders "$run" echo frontend); do
            if [[ $server == echo ]]; then
                echo_line=$(load "$echo_url" "$connections" "$seconds" repeated)
            else
                hits=$(cache_count hits) lookups=$(cache_count lookups)
                hit_line=$(load "$query_url" "$connections" "$seconds" repeated)
                hits=$(($(cache_count hits) - hits)) lookups=$(($(cache_count lookups) - lookups))
            fi
        done
        e=$(per_second "$echo_line") p=$(per_second "$hit_line")
        quotient "$p" "$e" '%.4f\n' >>"$work/ratios"
        printf '| %d | %d | %d | %s | %s of %s |\n' "$run" "$e" "$p" "$(quotient "$p" "$e")" "$hits" "$lookups"
        ((lookups > 0 && hits == lookups)) || fail "$hits of $lookups lookups were hits: this measured something else"
    done
    echo
    echo "Ratio predict/echo: $(summary %.2f <"$work/ratios")"
    stop_pair
}
