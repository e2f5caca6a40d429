# Sourced by ../run: processes that end with it, and the arithmetic of its tables.

work=$(mktemp -d)
declare -A running=()

# stop PID: asks it to end, and ends it after 5 s.
stop() {
    local pid=$1 tries
    unset "running[$pid]"
    kill -TERM "$pid" 2>/dev/null || return 0
    for ((tries = 0; tries < 50; tries++)); do
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.1
    done
    kill -KILL "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
}

cleanup() {
    local pid
    for pid in "${!running[@]}"; do stop "$pid"; done
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
    for ((tries = 0; tries < 300; tries++)); do
        line=$(grep -m1 '^ready ' "$work/$name.out" || true)
        if [[ -n $line ]]; then printf '%s\n' "$line"; return; fi
        kill -0 "$pid" 2>/dev/null || { tail -5 "$work/$name.err" >&2; fail "$name ended before it was ready"; }
        sleep 0.1
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

# --- Numbers ---------------------------------------------------------------------------------------------------------

# summary FORMAT: reads numbers, prints their median and range.
summary() {
    sort -g | awk -v f="$1" '
        { x[NR] = $1 }
        END {
            m = NR % 2 ? x[(NR + 1) / 2] : (x[NR / 2] + x[NR / 2 + 1]) / 2
            printf "median " f ", from " f " to " f "\n", m, x[1], x[NR]
        }'
}

quotient() { awk -v a="$1" -v b="$2" -v f="${3:-%.2f}" 'BEGIN { if (b > 0) printf f, a / b; else printf "-" }'; }

# field NAME: reads `NAME=number` from standard input.
field() { sed -n "s/.*[ ]$1=\([0-9]*\).*/\1/p"; }

# both_orders RUN FIRST SECOND: the pair in turn one way round and the other, so that neither always runs second.
both_orders() { if (($1 % 2)); then echo "$2 $3"; else echo "$3 $2"; fi; }
