# Sourced by ../run: builds and starts what is measured.

# build_package PATH ENVIRONMENT_VARIABLE PRODUCT…: prints the folder with the executables.
build_package() {
    local path=$1 given=${!2:-} product
    shift 2
    if [[ -n $given ]]; then (cd "$given" && pwd); return; fi
    if [[ $build == yes ]]; then
        for product in "$@"; do
            say "Building $product (release)"
            swift build -c release --package-path "$path" --product "$product" >&2
        done
    fi
    swift build -c release --package-path "$path" --show-bin-path
}

environment() {
    echo "Cores: $(nproc), $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1)"
    echo "System: $(sed -n 's/^PRETTY_NAME="\(.*\)"/\1/p' /etc/os-release), Linux $(uname -r)"
    echo "Swift: $(swift --version 2>/dev/null | grep -m1 -o 'Swift version [^ ]*' || echo 'not found')"
    echo "Load before: $(cut -d' ' -f1-3 /proc/loadavg); $runs pairs, $seconds s each"
}

start_echo() {
    start echo "$benchmarks/nio-echo" ${echo_threads:+--threads "$echo_threads"}
    echo_pid=$started
    echo_url=$(ready_line echo "$echo_pid")
    echo_url=${echo_url#ready }
}

start_frontend() {
    start frontend "$clipper/clipper" serve --query-port 0 --admin-port 0 --rpc-port 0 --store :memory:
    frontend_pid=$started
    local line
    line=$(ready_line frontend "$frontend_pid")
    query_url=$(sed 's/.*query=\([^ ]*\).*/\1/' <<<"$line")
    admin_url=$(sed 's/.*admin=\([^ ]*\).*/\1/' <<<"$line")
    rpc_port=$(sed 's/.*rpc=[^ ]*:\([0-9]*\).*/\1/' <<<"$line")
}

register() {
    "$clipper/clipper" app register bench --input-type doubles --default-output=-1.0 --slo 1s --admin "$admin_url"
    "$clipper/clipper" model register sum 1 --input-type doubles --admin "$admin_url"
    "$clipper/clipper" app link bench sum --admin "$admin_url"
} >&2

sample() { curl -s --max-time 5 -d '{"input":[1.5,2.5,4.25]}' "$query_url/bench/predict" || true; }

is_answer() { [[ $1 =~ \"default\":\ *false ]] && [[ $1 =~ \"output\":\ *8\.25[,}] ]]; }

start_container() {
    start container env CLIPPER_MODEL_NAME=sum CLIPPER_MODEL_VERSION=1 CLIPPER_INPUT_TYPE=doubles \
        CLIPPER_IP=127.0.0.1 CLIPPER_PORT="$rpc_port" "$clipper/sum-container"
    container_pid=$started
    local tries answer=''
    for ((tries = 0; tries < 100; tries++)); do
        answer=$(sample)
        if is_answer "$answer"; then return; fi
        kill -0 "$container_pid" 2>/dev/null || { tail -5 "$work/container.err" >&2; fail "the container ended"; }
        sleep 0.1
    done
    fail "no answer from the container within 10 s; the last one: $answer"
}

# application_count queries|defaults: of the only application, since the frontend's start.
application_count() {
    curl -s --max-time 5 "$admin_url/admin/status" | grep -o "\"$1\" *: *[0-9]*" | grep -o '[0-9]*$' | head -1
}
