#!/bin/sh
# The main job, for real: a ping's reply is captured, made into a request, mended, sent, and answered.
#
# Two hosts, alice and bob, are two network namespaces joined by a wire (a veth pair). They live only as long as this
# script does: nothing of it touches the network of this machine, and nothing is left behind. As an ordinary user the
# namespaces are made rootless (unshare -Urn). Where that is forbidden, the same is done with a capture from a file.
set -u
self=$(readlink -f -- "$0")
here=${self%/*}
PATH=${here%/*}/bin:$PATH
export PATH TZ=UTC

say() { printf '\n%s\n' "$*"; }
run() { printf '\n  %s$ %s\n' "$1" "$2"; }
fail() { say "demo: $*"; exit 1; }

# What a student should look at in each packet of standard input.
show() {
    pkt-txt2txt -a | awk '
        /^-- /                              { n++ }
        /^ETHERNET.SRC_ADDR|^IP.SRC_ADDR/   { from[$1] = $2 }
        /^ETHERNET.DST_ADDR|^IP.DST_ADDR/   { to[$1] = $2 }
        /^ICMP.TYPE/                        { type = $2 == "0x8" ? "8 (echo request)" : $2 == "0x0" ? "0 (echo reply)" : $2 }
        /^ICMP.CHECKSUM/                    { sum = $2 }
        /^==/ { printf "    packet %d:  %s > %s   ICMP type %s, checksum %s\n", n,
                from["IP.SRC_ADDR:"], to["IP.DST_ADDR:"], type, sum }'
}

# The lines of text that two stages differ in.
changes() { diff "$1" "$2" | sed -n 's/^[<>]/    &/p'; }

forge() {   # from the captured exchange in $dir/ping.txt to $dir/forged.txt, stage by stage
    say "2. Of these, the reply: bob's answer to alice."
    run bob "pkt-filter ICMP.TYPE==0 < ping.txt > reply.txt"
    pkt-filter ICMP.TYPE==0 -l 1 < "$dir/ping.txt" > "$dir/reply.txt" || fail "pkt-filter failed"
    [ -s "$dir/reply.txt" ] || fail "there is no reply"
    show < "$dir/reply.txt"
    say "3. Make it a request: the ICMP type becomes 8. One byte changes, and nothing else."
    run bob "pkt-change --icmp-type 8 < reply.txt > changed.txt"
    pkt-change --icmp-type 8 < "$dir/reply.txt" > "$dir/changed.txt" || fail "pkt-change failed"
    changes "$dir/reply.txt" "$dir/changed.txt"
    show < "$dir/changed.txt"
    say "4. Now the checksum is wrong, and every host would drop the packet. Mend it."
    run bob "pkt-correct < changed.txt > forged.txt"
    pkt-correct < "$dir/changed.txt" > "$dir/forged.txt" || fail "pkt-correct failed"
    changes "$dir/changed.txt" "$dir/forged.txt"
    show < "$dir/forged.txt"
    cmp -s "$dir/changed.txt" "$dir/forged.txt" && fail "the checksum did not change"
}

sound() { pkt-correct < "$1" | cmp -s - "$1"; }     # is every checksum as pkt-correct would make it?

from_file() {
    say "demo: $1. So nothing is sent: the same, with a capture from a file."
    say "1. alice has pinged bob. Request and reply, from examples/ping.txt:"
    pkt-filter ICMP < "$here/ping.txt" > "$dir/ping.txt" || fail "examples/ping.txt cannot be read"
    show < "$dir/ping.txt"
    forge
    sound "$dir/forged.txt" || fail "the forged request is not right"
    say "The forged request is ready; its checksum is right. With namespaces, pkt-send would put it on the wire now."
    exit 0
}

dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM

if [ "${1:-}" != inside ]; then
    for tool in unshare nsenter ip ping awk diff; do
        command -v "$tool" > /dev/null || from_file "$tool is missing here (apt-get install util-linux iproute2 iputils-ping)"
    done
    [ "$(id -u)" = 0 ] && how=-n || how=-Urn
    why=$(unshare $how true 2>&1) || from_file "network namespaces are forbidden here ($why)"
    unshare $how "$self" inside
    exit
fi

# ---- inside: this namespace is alice, a child's is bob ----

unshare -n sleep 60 &
bob=$!
trap 'rm -rf "$dir"; kill $bob 2> /dev/null' EXIT
at_bob() { nsenter -t "$bob" -n "$@"; }

wait_for() {    # until a command succeeds, at most five seconds
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25; do
        "$@" > /dev/null 2>&1 && return 0
        sleep 0.2
    done
    fail "gave up waiting for: $*"
}
apart() { [ "$(readlink "/proc/$bob/ns/net")" != "$(readlink /proc/self/ns/net)" ]; }
# Is there a packet socket that is bound? One that is still being set up is in the list, too, but gets nothing yet.
capturing() { $1 cat /proc/net/packet | awk '$4 == "0003" && $5 != "0" { bound = 1 } END { exit !bound }'; }

wait_for apart
ip link add wire address 02:00:00:00:00:0a type veth peer name wire address 02:00:00:00:00:0b netns "$bob" ||
    fail "no veth pair can be made here"
ip addr add 10.0.0.1/24 dev wire && ip link set wire up && ip link set lo up
at_bob ip addr add 10.0.0.2/24 dev wire && at_bob ip link set wire up

say "Two hosts on one wire: alice, 10.0.0.1, and bob, 10.0.0.2."
say "1. alice pings bob, and bob captures what passes."
run bob "pkt-recv -i wire ICMP > ping.txt"
at_bob pkt-recv -i wire ICMP -l 2 --duration 10 > "$dir/ping.txt" 2> "$dir/said" &
capture=$!
wait_for capturing at_bob
run alice "ping -c 1 10.0.0.2"
ping -c 1 -W 5 10.0.0.2 | sed -n 's/^.*icmp_seq/    icmp_seq/p'
wait $capture || fail "$(cat "$dir/said")"
show < "$dir/ping.txt"

forge

say "5. bob sends it. alice gets a ping that nobody typed, and answers: her reply comes back on the wire."
run bob "pkt-recv -i wire ICMP.TYPE==0 > answer.txt &"
at_bob pkt-recv -i wire ICMP.TYPE==0 -l 1 --duration 5 > "$dir/answer.txt" 2> "$dir/said" &
capture=$!
wait_for capturing at_bob
run bob "pkt-send -i wire < forged.txt"
at_bob pkt-send -i wire < "$dir/forged.txt" 2>&1 | sed 's/^/    /'
wait $capture || fail "$(cat "$dir/said")"
[ -s "$dir/answer.txt" ] || fail "no answer came"
show < "$dir/answer.txt"

pkt-filter IP.SRC_ADDR==10.0.0.1 and IP.DST_ADDR==10.0.0.2 < "$dir/answer.txt" | grep -q '^==' || fail "the answer is not alice's"
sound "$dir/answer.txt" || fail "the answer's checksum is wrong"
say "Proof: alice answered the forged request, and the checksum of her reply is right. All in one line:"
say "  pkt-recv -i wire ICMP.TYPE==0 | pkt-change --icmp-type 8 | pkt-correct | pkt-send -i wire"
