#!/bin/sh
# Net::Frame 1.21 computes the checksum of UDP behind an IPv6 routing header with the next hop, which is in the IPv6 header: tshark 4.0.17 calls
# it wrong. That of ICMPv6 it computes with the last address of the route.
# While segments are left, the destination in the pseudo-header is the last address in the routing header (RFC 8200 section 8.1).
. "$(dirname "$0")/common"
tool tshark 4.0.17
debian_packages libnet-frame-perl=1.21-2 libnet-frame-layer-ipv6-perl=1.08-3 libnet-frame-layer-icmpv6-perl=1.11-1 libclass-gomor-perl=1.03-3
cd "$folder"
apt-get -q download libbit-vector-perl libcarp-clan-perl libnet-ipv6addr-perl > log 2>&1
for file in *.deb; do dpkg -x "$file" debian; done
PERL5LIB="$PERL5LIB:$(echo debian/usr/lib/*/perl5/5.*)"
perl - > packets << 'END'
use strict;
use Net::Frame::Layer::IPv6;
use Net::Frame::Layer::IPv6::Routing;
use Net::Frame::Layer::UDP;
use Net::Frame::Layer::ICMPv6;
use Net::Frame::Layer::ICMPv6::Echo;

my $udp = Net::Frame::Layer::UDP->new(src => 1000, dst => 2000, payload => 'hello');
my @echo = (Net::Frame::Layer::ICMPv6->new(type => 128, code => 0), Net::Frame::Layer::ICMPv6::Echo->new(payload => 'hello'));
for my $upper ([17, $udp], [58, @echo]) {
    my ($protocol, @rest) = @$upper;
    my @layers = (
        Net::Frame::Layer::IPv6->new(src => '2001:db8::1', dst => '2001:db8::2', nextHeader => 43),
        Net::Frame::Layer::IPv6::Routing->new(nextHeader => $protocol, segmentsLeft => 1, addresses => ['2001:db8::3']), @rest);
    $_->computeLengths(\@layers) for reverse @layers;
    $_->computeChecksums(\@layers) for @layers;
    print unpack('H*', join('', map { $_->pack } @layers) . $layers[-1]->payload), "\n";
}
END
python3 - << 'END'
from frames import *
open("file", "wb").write(pcap(*((SECOND, FRAME[:12] + b"\x86\xdd" + bytes.fromhex(line)) for line in open("packets"))))
END
seen=$(echo $(tshark -nr file -o udp.check_checksum:TRUE -T fields -e udp.checksum.status -e icmpv6.checksum.status 2> log))
verdict "UDP 1, ICMPv6 1" "UDP 0, ICMPv6 1" "$(echo "$seen" | sed 's/\(.*\) \(.*\)/UDP \1, ICMPv6 \2/')"
