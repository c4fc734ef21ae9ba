#!/bin/sh
# netflow 0.12.2 takes fields of enterprises for those that IANA has under the same number: the other direction's octets are the flow's.
# Where the enterprise bit is set, the number is of the enterprise that follows (RFC 7011 section 3.2); 29305 is what has the numbers
# of the other direction (RFC 5103 section 6.1).
. "$(dirname "$0")/common"
packages netflow==0.12.2
seen=$("$python" - << 'END'
from frames import *
import netflow

template = struct.pack("!HHHHHHI", 256, 2, 7, 2, 0x8001, 4, 29305)
known = {"netflow": {}, "ipfix": {}}
netflow.parse_packet(ipfix_message(2, template), known)
(flow,) = netflow.parse_packet(ipfix_message(256, struct.pack("!HI", 1000, 99)), known).flows
print(*sorted(flow.data))
END
)
verdict "sourceTransportPort, and octets of another name than octetDeltaCount" "octetDeltaCount sourceTransportPort" "$seen"
