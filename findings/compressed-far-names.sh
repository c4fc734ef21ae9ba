#!/bin/sh
# dnslib 0.9.26 and dpkt 1.9.8 compress a name whose first instance is behind the octet 16383 of a DNS message with the lower 14 bits of its
# place: the pointer leads into some other record, and the message cannot be read. scapy 2.8.0's dns_compress raises an error
# of struct.
# A pointer has 14 bits (RFC 1035 section 4.1.4), and compression is optional: a name that is further away is written whole. Messages over TCP,
# of zone transfers for one, have up to 65,535 octets.
. "$(dirname "$0")/common"
packages dnslib==0.9.26 dpkt==1.9.8 scapy==2.8.0
seen=$("$python" - 2> /dev/null << 'END'
import struct
import dnslib, dpkt
from scapy.layers.dns import DNS, DNSRR, dns_compress

filler, address, names = b"\xfa" + b"x" * 250, b"\xc0\0\2\1", [f"a{n}.example" for n in range(70)]

def by_dnslib():
    message = dnslib.DNSRecord(dnslib.DNSHeader(qr=1))
    message.add_answer(*(dnslib.RR(name, 16, ttl=1, rdata=dnslib.TXT([filler[1:]])) for name in names))
    message.add_answer(*(dnslib.RR("late.other", 1, ttl=1, rdata=dnslib.A("192.0.2.1")) for _ in "ab"))
    return message.pack()

def by_dpkt():
    message = dpkt.dns.DNS(qr=1, qd=[])
    message.an = [dpkt.dns.DNS.RR(name=name, type=16, ttl=1, text=[filler[1:]]) for name in names]
    message.an += [dpkt.dns.DNS.RR(name="late.other", type=1, ttl=1, ip=address) for _ in "ab"]
    return bytes(message)

def by_scapy():
    records = [DNSRR(rrname=name, type="TXT", ttl=1, rdata=[filler[1:]]) for name in names]
    return bytes(dns_compress(DNS(qr=1, qd=[], an=records + [DNSRR(rrname="late.other", ttl=1, rdata="192.0.2.1") for _ in "ab"])))

for name, written in ("dnslib", by_dnslib), ("dpkt", by_dpkt), ("scapy", by_scapy):
    try:
        message = written()
    except struct.error:
        print(name, "none", end="; ")
        continue
    first, second = message.find(b"\4late"), message[-16:-14]
    print(name, first, "pointer", struct.unpack("!H", second)[0] & 0x3FFF if second[0] & 0xC0 else "none", end="; ")
END
)
verdict "dnslib 18699 pointer none; dpkt 18699 pointer none; scapy 18699 pointer none; " \
    "dnslib 18699 pointer 2315; dpkt 18699 pointer 2315; scapy none; " "$seen"
