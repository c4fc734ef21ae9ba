#!/bin/sh
# os-ken 4.2.2: SCTP's checksum is the CRC32c of how Python prints the packet, "bytearray(b'...", and not of the packet.
# It is of the whole packet, with a checksum of 0 in it (RFC 9260 section 6.8).
. "$(dirname "$0")/common"
packages os-ken==4.2.2
seen=$(cd "$folder" && "$python" - 2> /dev/null << 'END'
from os_ken.lib.packet import sctp


def crc32c(data):
    """RFC 9260 appendix A, bit by bit; as it stands in a packet."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return (crc ^ 0xFFFFFFFF).to_bytes(4, "little")


assert crc32c(b"123456789") == (0xE3069283).to_bytes(4, "little")
message = sctp.sctp(1000, 2000, 7, chunks=[sctp.chunk_cookie_ack()]).serialize(b"", None)
empty = bytearray(message[:8] + bytes(4) + message[12:])
names = {crc32c(empty): "of the packet", crc32c(str(empty).encode()): "of how Python prints it"}
print(names.get(message[8:12], "of something else"))
END
)
verdict "of the packet" "of how Python prints it" "$seen"
