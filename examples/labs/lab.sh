# What the labs' scripts share; each reads it. `pkt-lab demo` builds the network first and takes it down afterwards.
#
#   say TEXT                   what is going on
#   on HOST COMMAND            shows a command, runs it in a host, and shows what it says
#   at HOST COMMAND            runs a command in a host, and shows neither
#   here COMMAND               shows a command, runs it outside of the hosts, and shows what it says: captures, views
#   start NAME HOST COMMAND    starts something; unseen, and not waited for
#   stop NAME                  ends it; what it said is in NAME.said
#   until_true COMMAND         waits until something is so, at most a minute
#   hosts NAME...              those that `kernel` and `counter` are wanted of
#   kernel HOST FILE           a file of /proc/net, as that host sees it
#   claim TEXT COMMAND         says whether a claim holds
#   proved TEXT                the last line: exit code 0 if all claims held, else 1
#
# Files are in a folder that goes with the script; the hosts see it, too.
set -u
here=$(cd "${0%/*}" && pwd)
export TZ=UTC LC_ALL=C
dir=$(mktemp -d) || exit 1
cd "$dir" || exit 1
running='' refuted=0
# The folder goes even if this script is killed: when nobody has the other end of this pipe any more.
mkfifo .alive
sh -c 'trap "" INT TERM HUP; cat .alive; rm -rf "$0"' "$dir" > /dev/null 2>&1 &
exec 9> .alive
trap 'for one in $running; do kill $one 2> /dev/null; done; rm -rf "$dir"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

say() { printf '\n%s\n' "$*"; }
fail() { say "lab: $*"; exit 1; }
at() { pkt-lab exec "$1" sh -c "$2"; }
shown() { "$@" > .out 2>&1; code=$?; sed 's/^/    /' .out; return $code; }
on() { printf '\n  %s$ %s\n' "$1" "$2"; shown at "$1" "$2"; }
here() { printf '\n  $ %s\n' "$1"; shown sh -c "$1"; }
until_true() {
    for _ in $(seq 600); do
        "$@" > /dev/null 2>&1 && return 0
        sleep 0.1
    done
    fail "gave up waiting for: $*"
}

# Each host gets a process that is just there, and /proc shows what it sees: to run a command in a host for that takes much longer.
hosts() {
    for one; do
        mkfifo ".there.$one"
        pkt-lab exec "$one" sh -c 'echo; exec sleep 1000000' > ".there.$one" &
        eval "there_$one=$!"
        running="$running $!"
    done
    for one; do
        read -r _ < ".there.$one" || fail "nothing runs in $one"
    done
}
kernel() { eval "cat /proc/\$there_$1/net/$2"; }

start() {
    pkt-lab exec "$2" sh -c "exec $3" > "$1" 2> "$1.said" &
    eval "pid_$1=$!"
    running="$running $!"
}
stop() {
    eval "pid=\$pid_$1"
    kill "$pid" 2> /dev/null
    wait "$pid"
}

count() { grep -c '^==' "$1"; }                         # packets in a file
having() { pkt-filter "$2" < "$1" | grep -c '^=='; }   # those of them that match
counter() { kernel "$1" snmp | awk -v of="$2:" -v name="$3" '$1 == of && !n { for (i in f) delete f[i]
    for (i = 2; i <= NF; i++) f[i] = $i; n = 1; next } $1 == of { for (i in f) if (f[i] == name) print $i }'; }

claim() {
    text=$1
    shift
    if "$@"; then
        printf '  [yes] %s\n' "$text"
    else
        printf '  [NO]  %s  (%s)\n' "$text" "$*"
        refuted=$((refuted + 1))
    fi
}
proved() {
    [ "$refuted" = 0 ] || fail "$refuted of the claims did not hold"
    say "Proof: $*"
    exit 0
}
