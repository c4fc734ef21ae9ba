#!/bin/sh
# netflow 0.12.2 takes fields of enterprises for those that IANA has under the same number: the other direction's octets are the flow's.
# Where the enterprise bit is set, the number is of the enterprise that follows (RFC 7011 section 3.2); 29305 is what has the numbers
# of the other direction (RFC 5103 section 6.1).
. "$(dirname "$0")/common"
packages netflow==0.12.2
seen=$("$python" - << 'END'
import struct
import netflow


def message(kind, data):
    return struct.pack("!HHIIIHH", 10, 20 + len(data), 1_700_000_000, 0, 1, kind, 4 + len(data)) + data


template = struct.pack("!HHHHHHI", 256, 2, 7, 2, 0x8001, 4, 29305)
known = {"netflow": {}, "ipfix": {}}
netflow.parse_packet(message(2, template), known)
(flow,) = netflow.parse_packet(message(256, struct.pack("!HI", 1000, 99)), known).flows
print(*sorted(flow.data))
END
)
verdict "sourceTransportPort, and octets of another name than octetDeltaCount" "octetDeltaCount sourceTransportPort" "$seen"
