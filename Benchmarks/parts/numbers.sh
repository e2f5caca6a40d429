# Sourced by ../run: the arithmetic of its tables.

# summary FORMAT: reads numbers, prints their median and range.
summary() {
    sort -g | awk -v f="$1" '
        { x[NR] = $1 }
        END {
            m = NR % 2 ? x[(NR + 1) / 2] : (x[NR / 2] + x[NR / 2 + 1]) / 2
            printf "median " f ", from " f " to " f "\n", m, x[1], x[NR]
        }'
}

# median: reads numbers, prints the one in the middle as a whole number.
median() { sort -g | awk '{ x[NR] = $1 } END { printf "%.0f", x[int((NR + 1) / 2)] }'; }

quotient() { awk -v a="$1" -v b="$2" -v f="${3:-%.2f}" 'BEGIN { if (b > 0) printf f, a / b; else printf "-" }'; }

# field NAME: reads `NAME=number` from standard input.
field() { sed -n "s/.*[ ]$1=\([0-9]*\).*/\1/p"; }

# both_orders RUN FIRST SECOND: the pair in turn one way round and the other, so that neither always runs second.
both_orders() { if (($1 % 2)); then echo "$2 $3"; else echo "$3 $2"; fi; }

# millis MICROSECONDS: as milliseconds with one decimal.
millis() { quotient "$1" 1000 %.1f; }

# micros DURATION: of 4ms, 100us or 1s.
micros() {
    case $1 in
        *us) echo "${1%us}" ;;
        *ms) echo $((${1%ms} * 1000)) ;;
        *s) echo $((${1%s} * 1000000)) ;;
        *) fail "'$1' is no duration such as 4ms" ;;
    esac
}
