#!/bin/sh
# A wire with faults, and what tells of each: packets that are lost, come late, with another TTL, with a wrong checksum.
#
#   pkt-lab run 'wire alice 10.0.0.1/24 wire:left' 'wire wire:right bob 10.0.0.2/24' -- sh faults.sh
#
# alice sends five packets with IP.ID 1 to 5; the third one is the one that the fault is for. What she sent is a file of
# expectations as it is: pkt-expect takes packets as text for what has to come, byte by byte.
set -u
dir=$(mktemp -d) && cd "$dir" || exit 1
trap 'rm -rf "$dir"' EXIT

# NAME COMMAND: what the host "wire" does to packets between its two interfaces, and what is said of it at bob's.
fault() {
    echo "=== $1"
    rm -f ready
    pkt-lab exec wire pkt-pipe "recv -i left -ro --ready ready UDP | $2 | send -i right -f" > /dev/null 2> said &
    wire=$!
    pkt-lab wait -- test -s ready
    pkt-lab capture alice:eth0 -so UDP --out sent -- \
        pkt-lab --linger 0.5 capture bob:eth0 -ro UDP --out got -- \
        pkt-lab exec alice pkt-gen udp --src 10.0.0.1 --dst 10.0.0.2 --dst-mac 02:00:00:00:00:99 \
            --count 5 --rate 100 -i eth0 IP.ID=1..5 2>> said || cat said
    kill $wire
    wait $wire
    pkt-expect --file sent --in got; echo "pkt-expect: exit code $?"
    pkt-expect --ordered IP.ID==1 IP.ID==2 IP.ID==3 IP.ID==4 IP.ID==5 --in got; echo "pkt-expect --ordered: exit code $?"
    pkt-diff --ignore TIME --key IP.ID sent got 2>&1; echo "pkt-diff: exit code $?"
    pkt-check -cs --list --in got 2>&1; echo "pkt-check: exit code $?"
}

fault none 'change'
fault loss 'impair --loss 100% --if IP.ID==3'
fault reorder 'impair --delay 200ms --if IP.ID==3'
fault ttl 'change -u IP.TTL=9 --if IP.ID==3'
fault checksum 'change UDP.CHECKSUM=0x1234 --if IP.ID==3'
