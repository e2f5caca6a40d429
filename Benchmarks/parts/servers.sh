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
    echo "Load before: $(cut -d' ' -f1-3 /proc/loadavg); $runs runs, $seconds s each"
}

start_echo() {
    start echo "$benchmarks/nio-echo" ${echo_threads:+--threads "$echo_threads"}
    echo_pid=$started
    echo_url=$(ready_line echo "$echo_pid")
    echo_url=${echo_url#ready }
}

# start_frontend [OPTION…]: `clipper serve` with the options; its address is in query_url, admin_url and rpc_port.
start_frontend() {
    start frontend "$clipper/clipper" serve --query-port 0 --admin-port 0 --rpc-port 0 --store :memory: "$@"
    frontend_pid=$started
    local line
    line=$(ready_line frontend "$frontend_pid")
    query_url=$(sed 's/.*query=\([^ ]*\).*/\1/' <<<"$line")
    admin_url=$(sed 's/.*admin=\([^ ]*\).*/\1/' <<<"$line")
    rpc_port=$(sed 's/.*rpc=[^ ]*:\([0-9]*\).*/\1/' <<<"$line")
    container_pids=()
}

# register_model NAME [OPTION…]: version 1 of it, for doubles.
register_model() {
    local name=$1
    shift
    "$clipper/clipper" model register "$name" 1 --input-type doubles --admin "$admin_url" "$@" >&2
}

# register_application SLO MODEL [OPTION…]: the application `bench`, for doubles.
register_application() {
    local slo=$1 model=$2
    shift 2
    "$clipper/clipper" app register bench --input-type doubles --default-output=-1.0 --slo "$slo" \
        --admin "$admin_url" "$@" >&2
    "$clipper/clipper" app link bench "$model" --admin "$admin_url" >&2
}

# start_container MODEL COMMAND…: a container of version 1; its process id is in `started`.
start_container() {
    local model=$1
    shift
    container_number=$((${container_number:-0} + 1))
    start "container-$container_number" env CLIPPER_MODEL_NAME="$model" CLIPPER_MODEL_VERSION=1 \
        CLIPPER_INPUT_TYPE=doubles CLIPPER_IP=127.0.0.1 CLIPPER_PORT="$rpc_port" "$@"
    container_pids+=("$started")
}

# sleeping FIXED PER_INPUT: the command of a container whose batch of n sleeps for FIXED + n × PER_INPUT.
sleeping() { command_line=("$benchmarks/sleeping-container" --fixed "$1" --per-input "$2"); }

replica_count() { curl -s --max-time 5 "$admin_url/admin/status" | figures count replicas; }

# await_replicas COUNT: until so many containers are registered.
await_replicas() {
    local tries count=none
    for ((tries = 0; tries < 200; tries++)); do
        count=$(replica_count || true)
        [[ $count == "$1" ]] && return
        sleep 0.05
    done
    tail -n 5 "$work/container-$container_number.err" >&2
    fail "$count containers are registered, not $1, after 10 s"
}

stop_containers() {
    local pid
    for pid in "${container_pids[@]}"; do stop "$pid"; done
    container_pids=()
}

stop_frontend() {
    stop_containers
    stop "$frontend_pid"
}

sample() { curl -s --max-time 5 -d '{"input":[1.5,2.5,4.25]}' "$query_url/bench/predict" || true; }

is_answer() { [[ $1 =~ \"default\":\ *false ]] && [[ $1 =~ \"output\":\ *8\.25[,}] ]]; }

# start_sum: the application `bench` with an SLO of 1 s, its model `sum`, and a container of it.
start_sum() {
    register_model sum
    register_application 1s sum
    start_container sum "$clipper/sum-container"
    container_pid=$started
    await_replicas 1
    local answer
    answer=$(sample)
    is_answer "$answer" || fail "the container's answer is wrong: $answer"
}

# application_count queries|defaults: of the only application, since the frontend's start.
application_count() {
    curl -s --max-time 5 "$admin_url/admin/status" | grep -o "\"$1\" *: *[0-9]*" | grep -o '[0-9]*$' | head -1
}
