#!/bin/sh
# scapy 2.8.0, dns-js 0.3.1 and native-dns-packet 0.1.1 (npm) write the target of SRV records as a pointer to an earlier name,
# native-dns-packet and dnslib 0.9.26 NAPTR's replacement.
# Names in these records are not to be compressed: RFC 2782, Target; RFC 3403 section 4.1; RFC 3597 section 4.
. "$(dirname "$0")/common"
packages scapy==2.8.0 dnslib==0.9.26
node_packages dns-js@0.3.1 native-dns-packet@0.1.1
cd "$folder"
cat > judge.py << 'END'
def judge(message):
    """Whether a message's last name, a.test, is written as a pointer."""
    return "pointer" if message[-2] >= 0xC0 else "name" if message.endswith(b"\x01a\x04test\0") else "something else"
END
by_python=$("$python" - 2> /dev/null << 'END'
from dnslib import NAPTR, QTYPE, RR, SRV, DNSRecord
from judge import judge
from scapy.layers.dns import DNS, DNSQR, DNSRRSRV, dns_compress

made = dns_compress(DNS(qr=1, qd=[DNSQR(qname="_x._tcp.a.test", qtype=33)], an=[DNSRRSRV(rrname="_x._tcp.a.test", port=80, target="a.test")]))
print("scapy's SRV:", judge(bytes(made)), end="")
for kind, data in ("SRV", SRV(0, 0, 80, "a.test")), ("NAPTR", NAPTR(1, 1, b"S", b"x", b"", "a.test")):
    made = DNSRecord.question("_x._tcp.a.test", kind).reply()
    made.add_answer(RR("_x._tcp.a.test", getattr(QTYPE, kind), rdata=data))
    print(f", dnslib's {kind}:", judge(made.pack()), end="")
END
)
node - 2> /dev/null > made << 'END'
const record = { name: '_x._tcp.a.test', class: 1, ttl: 60 }
const service = { priority: 0, weight: 0, port: 80, target: 'a.test', type: 33 }
const { DNSPacket, DNSRecord } = require('dns-js')
const packet = new DNSPacket()
packet.question.push(new DNSRecord(record.name, 33, 1))
packet.answer.push(Object.assign(new DNSRecord(record.name, 33, 1, 60), service))
console.log("dns-js's SRV", DNSPacket.toBuffer(packet).toString('hex'))
const Native = require('native-dns-packet')
const pointer = { order: 1, preference: 1, flags: 'S', service: 'x', regexp: '', replacement: 'a.test', type: 35 }
for (const [kind, data] of [['SRV', service], ['NAPTR', pointer]]) {
  const packet = new Native(), out = Buffer.alloc(512)
  packet.question.push({ ...record, type: data.type })
  packet.answer.push({ ...record, ...data })
  console.log(`native-dns-packet's ${kind}`, out.subarray(0, Native.write(out, packet)).toString('hex'))
}
END
by_node=$("$python" -c 'from judge import judge
for line in open("made"): print(f", {line.rsplit(None, 1)[0]}: {judge(bytes.fromhex(line.split()[-1]))}", end="")')
verdict "scapy's SRV: name, dnslib's SRV: name, dnslib's NAPTR: name, dns-js's SRV: name, native-dns-packet's SRV: name, native-dns-packet's NAPTR: name" \
    "scapy's SRV: pointer, dnslib's SRV: name, dnslib's NAPTR: pointer, dns-js's SRV: pointer, native-dns-packet's SRV: pointer, native-dns-packet's NAPTR: pointer" \
    "$by_python$by_node"
