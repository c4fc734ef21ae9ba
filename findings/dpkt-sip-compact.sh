#!/bin/sh
# dpkt 1.9.8 knows no compact names in SIP: a message with the length l, for Content-Length, has no body, and from and to are not found.
# The compact form may stand for the long one at any time, and must be accepted (RFC 3261 sections 7.3.3 and 20).
. "$(dirname "$0")/common"
packages dpkt==1.9.8
seen=$("$python" - << 'END'
import dpkt

for sender, length in (b"From", b"Content-Length"), (b"f", b"l"):
    lines = b"MESSAGE sip:a@example.com SIP/2.0", sender + b": <sip:b@example.com>", length + b": 5", b"", b"hello"
    read = dpkt.sip.Request(b"\r\n".join(lines))
    print("from", read.headers.get("from", "nobody"), "body", read.body.decode() or "none", end="; ")
END
)
verdict "from <sip:b@example.com> body hello; from <sip:b@example.com> body hello; " \
    "from <sip:b@example.com> body hello; from nobody body none; " "$seen"
