# Sourced by ../run: processes that end with it, and what the system tells of them.

work=$(mktemp -d)
declare -A running=()

# stop PID: asks it to end, and ends it after 5 s.
stop() {
    local pid=$1 tries
    [[ -n $pid ]] || return 0
    unset "running[$pid]"
    # One that was stopped by SIGSTOP hears nothing until it goes on.
    kill -CONT "$pid" 2>/dev/null || true
    kill -TERM "$pid" 2>/dev/null || { wait "$pid" 2>/dev/null || true; return 0; }
    for ((tries = 0; tries < 100; tries++)); do
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.05
    done
    kill -KILL "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
}

# crash PID: ends it as a crash does.
crash() {
    unset "running[$1]"
    kill -KILL "$1"
    wait "$1" 2>/dev/null || true
}

stop_all() {
    local pid
    for pid in "${!running[@]}"; do stop "$pid"; done
}

# run_subject NAME: in a shell of its own, so that what fails ends this subject and not the others.
run_subject() {
    (
        trap stop_all EXIT
        trap 'exit 143' TERM
        "$1"
    ) &
    subject_pid=$!
    wait "$subject_pid" || failed+=("$1")
    subject_pid=''
}
subject_pid='' failed=()

cleanup() {
    if [[ -n $subject_pid ]]; then
        kill -TERM "$subject_pid" 2>/dev/null || true
        wait "$subject_pid" 2>/dev/null || true
    fi
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# start NAME COMMAND…: runs it in the background; its process id is in `started`.
start() {
    local name=$1
    shift
    "$@" >"$work/$name.out" 2>"$work/$name.err" &
    started=$!
    running[$started]=yes
}

# ready_line NAME PID: prints the first line on its standard output that begins with `ready`.
ready_line() {
    local name=$1 pid=$2 tries line
    for ((tries = 0; tries < 600; tries++)); do
        line=$(grep -m1 '^ready ' "$work/$name.out" || true)
        if [[ -n $line ]]; then printf '%s\n' "$line"; return; fi
        kill -0 "$pid" 2>/dev/null || { tail -n 5 "$work/$name.err" >&2; fail "$name ended before it was ready"; }
        sleep 0.05
    done
    fail "$name was not ready within 30 s"
}

# cpu_millis PID: user and system time of a process so far.
cpu_millis() {
    local ticks
    # The name in the second field may hold spaces; what follows its parenthesis does not.
    ticks=$(sed 's/.*) //' "/proc/$1/stat" | awk '{ print $12 + $13 }')
    echo $((ticks * 1000 / $(getconf CLK_TCK)))
}

# resident PID: resident memory in KiB. resident_peak PID: the most since `forget_peak PID`, or since its start.
resident() { awk '/^VmRSS:/ { print $2 }' "/proc/$1/status"; }
resident_peak() { awk '/^VmHWM:/ { print $2 }' "/proc/$1/status"; }
forget_peak() { echo 5 >"/proc/$1/clear_refs" 2>/dev/null || true; }

# raise_descriptor_limit NUMBER: for this shell and what it starts.
raise_descriptor_limit() {
    local limit
    limit=$(ulimit -n)
    if [[ $limit != unlimited ]] && ((limit < $1)); then
        ulimit -n "$1" 2>/dev/null || fail "$1 open files are needed; the limit here is $limit (ulimit -n)"
    fi
}
