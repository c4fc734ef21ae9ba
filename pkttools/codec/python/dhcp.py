"""Messages of DHCP, BOOTP and DHCPv6, in a line; twin of ../c/dhcp.c.

RFC 2131 section 2, RFC 2132; an option in pieces: RFC 2131 section 4.1, RFC 3396. RFC 8415 sections 8, 9 and 21.
"""

from __future__ import annotations

from .dns import behind_name, label, say_name
from .messages import BAD_LABEL, BAD_LENGTH, CUT, Sentence
from .wire import get8, get16

SNAME, BOOT_FILE, COOKIE, OPTIONS, MOST_JOINED = 44, 108, 236, 240, 1024
PAD, HOST, REQUESTED, LEASE, OVERLOAD, MESSAGE_TYPE, SERVER, WHY, CLIENT_ID = 0, 12, 50, 51, 52, 53, 54, 56, 61
FQDN, SEARCH, ROUTES, LAST_OPTION = 81, 119, 121, 255

OPERATIONS = {1: "Request", 2: "Reply"}
KINDS = {
    1: "Discover", 2: "Offer", 3: "Request", 4: "Decline", 5: "ACK", 6: "NAK", 7: "Release", 8: "Inform", 9: "ForceRenew",
    10: "LeaseQuery", 11: "LeaseUnassigned", 12: "LeaseUnknown", 13: "LeaseActive", 14: "BulkLeaseQuery", 15: "LeaseQueryDone",
    16: "ActiveLeaseQuery", 17: "LeaseQueryStatus", 18: "TLS",
}  # fmt: skip
WORDS = {  # in the order in which they are told
    REQUESTED: " requested ", SERVER: " server ", LEASE: " lease ", HOST: " host ", FQDN: " fqdn ", CLIENT_ID: " id ",
    SEARCH: " search", ROUTES: " routes", WHY: " ",
}  # fmt: skip


# ---- options in pieces ----


class Joined:
    """All pieces of an option, in the order of the areas where options stand: RFC 3396 section 7.

    `cut`: there are more bytes than are there, or than are kept.
    """

    def __init__(self, m: bytes, areas: list[tuple[int, int]], code: int) -> None:
        self.data, self.there, self.cut = b"", False, False
        for at, end in areas:
            self._add(m, at, end, code)

    def _add(self, m: bytes, at: int, end: int, code: int) -> None:
        while at < end:
            found = m[at]
            at += 1
            if found == LAST_OPTION:
                return
            if found == PAD:
                continue
            if at == end:
                self.cut |= found == code
                return
            size = m[at]
            at += 1
            if found == code:
                kept = m[at : min(at + size, end)][: MOST_JOINED - len(self.data)]
                self.data += kept
                self.there = True
                self.cut |= len(kept) < size
            at += size


# ---- values ----


def say_present(told: Sentence, word: str, m: bytes, at: int) -> None:
    """An address, unless it is 0.0.0.0."""
    address = m[at : at + 4]
    if len(address) == 4 and any(address):
        told.say(word)
        told.address(address)


def say_text(told: Sentence, text: bytes) -> None:
    """Text, without what fills it up: RFC 2132 section 2."""
    told.quoted(text.rstrip(b"\0"))


def say_partial(told: Sentence, data: bytes) -> None:
    """A name in labels, which may have no end: RFC 4702 section 2.3.1, RFC 4704 section 4.2."""
    at = 0
    while at < len(data):
        size = data[at]
        if size == 0:
            told.say(".")
            return
        if size > 63 or size > len(data) - at - 1:
            told.mark(BAD_LABEL if size > 63 else BAD_LENGTH)
            return
        told.say("." if at else "")
        for c in label(data[at + 1 : at + 1 + size]):
            told.together(c)
        at += size + 1


def say_fqdn(told: Sentence, data: bytes) -> None:
    """RFC 4702 sections 2.1 and 2.3."""
    if len(data) < 3:
        told.mark(BAD_LENGTH)
    elif data[0] & 4:
        say_partial(told, data[3:])
    else:
        say_text(told, data[3:])


def say_client(told: Sentence, data: bytes) -> None:
    """RFC 2132 section 9.14, RFC 4361 section 6.1."""
    if len(data) < 2:
        told.mark(BAD_LENGTH)
    elif data[0] == 0:
        say_text(told, data[1:])
    elif data[0] == 255 and len(data) > 5:
        told.say(f"iaid {data[1:5].hex()} duid {data[5:].hex()}")
    else:
        told.say(f"{data[0]}/{data[1:].hex(':')}")


def is_hardware(data: bytes, m: bytes, message: int) -> bool:
    """Whether a client is known by its hardware address, which is told already."""
    size = m[message + 2]
    return size <= 16 and data == m[message + 1 : message + 2] + m[message + 28 : message + 28 + size]


def say_search(told: Sentence, data: bytes) -> None:
    """RFC 3397 section 2: pointers count from where the option begins, with all of its pieces."""
    at = 0
    while at < len(data) and not told.full:
        told.say(" ")
        behind = behind_name(data, at)
        if not say_name(told, data, 0, at, 0) and behind == 0:
            return
        at = behind


def say_routes(told: Sentence, data: bytes) -> None:
    """RFC 3442: a prefix, as many bytes of it as say something, and a router."""
    at = 0
    while at < len(data) and not told.full:
        length = data[at]
        at += 1
        size = (length + 7) // 8
        if length > 32 or at + size + 4 > len(data):
            told.mark(BAD_LENGTH)
            return
        told.say(" ")
        told.address(data[at : at + size].ljust(4, b"\0"))
        told.say(f"/{length} via ")
        told.address(data[at + size : at + size + 4])
        at += size + 4


def say_option(told: Sentence, m: bytes, message: int, code: int, option: Joined) -> None:
    """An option that is there."""
    data = option.data
    if code == CLIENT_ID and is_hardware(data, m, message):
        return
    told.say(WORDS[code])
    if code in (REQUESTED, SERVER, LEASE) and len(data) != 4:
        told.mark(BAD_LENGTH)
    elif code in (REQUESTED, SERVER):
        told.address(data)
    elif code == LEASE:
        told.say("infinite" if data == b"\xff" * 4 else f"{int.from_bytes(data, 'big')} s")
    elif code == FQDN:
        say_fqdn(told, data)
    elif code == CLIENT_ID:
        say_client(told, data)
    elif code == SEARCH:
        say_search(told, data)
    elif code == ROUTES:
        say_routes(told, data)
    else:
        say_text(told, data)
    if option.cut:
        told.mark()


def tell_dhcp(told: Sentence, m: bytes, at: int) -> None:
    """A message of DHCP; without a cookie, or a type of message, it is BOOTP: RFC 1534."""
    if at + SNAME > len(m):
        return
    areas = [(at + OPTIONS, len(m))] if m[at + COOKIE : at + OPTIONS] == b"\x63\x82\x53\x63" else []
    overload = get8(Joined(m, areas, OVERLOAD).data, 0)
    if overload & 1:
        areas.append((at + BOOT_FILE, min(at + COOKIE, len(m))))
    if overload & 2:
        areas.append((at + SNAME, min(at + BOOT_FILE, len(m))))
    kind = Joined(m, areas, MESSAGE_TYPE).data
    operation, size = m[at], m[at + 2]
    if kind:
        told.word(KINDS, kind[0], "type ")
    else:
        told.say("BOOTP ")
        told.word(OPERATIONS, operation, "op ")
    if size > 0:
        told.say(" to " if operation == 2 else " from ")
        told.dump(m[at + 28 : at + 28 + min(size, 16)], ":")
        if size > 16:
            told.mark(BAD_LENGTH)
    for word, place in ((" client ", 12), (" your ", 16), (" next ", 20), (" relay ", 24)):
        say_present(told, word, m, at + place)
    if overload & 1 == 0 and get8(m, at + BOOT_FILE):
        told.say(" file ")
        told.quoted(m[at + BOOT_FILE : at + COOKIE].partition(b"\0")[0])
    for code in WORDS:
        option = Joined(m, areas, code)
        if option.there:
            say_option(told, m, at, code, option)
    if at + COOKIE > len(m):
        told.mark()


# ---- DHCPv6 ----

IA_NA, IA_TA, IA_ADDRESS, RELAYED, STATUS, IA_PD, IA_PREFIX, FQDN6, MOST_RELAYS, RELAY = 3, 4, 5, 9, 13, 25, 26, 39, 32, 34
INSIDE = {IA_NA: 12, IA_PD: 12, IA_TA: 4, IA_ADDRESS: 24, IA_PREFIX: 25}  # bytes in front of further options

KINDS6 = {
    1: "Solicit", 2: "Advertise", 3: "Request", 4: "Confirm", 5: "Renew", 6: "Rebind", 7: "Reply", 8: "Release", 9: "Decline",
    10: "Reconfigure", 11: "Information-request", 12: "Relay-forward", 13: "Relay-reply", 14: "Leasequery", 15: "Leasequery-reply",
    16: "Leasequery-done", 17: "Leasequery-data", 18: "Reconfigure-request", 19: "Reconfigure-reply", 20: "DHCPv4-query",
    21: "DHCPv4-response",
}  # fmt: skip
STATUSES = {
    0: "Success", 1: "UnspecFail", 2: "NoAddrsAvail", 3: "NoBinding", 4: "NotOnLink", 5: "UseMulticast", 6: "NoPrefixAvail",
}  # fmt: skip


def say_options6(told: Sentence, m: bytes, at: int, end: int, depth: int = 0) -> None:
    """Addresses, prefixes and how it went; those of an IA stand in it."""
    while at + 4 <= end and not told.full:
        code, size = get16(m, at), get16(m, at + 2)
        at += 4
        if size > end - at:
            told.mark()
            return
        inside = INSIDE.get(code, 0)
        if inside > size:
            told.mark(BAD_LENGTH)
            at += size
            continue
        if code == IA_ADDRESS:
            told.say(" ")
            told.address(m[at : at + 16])
        elif code == IA_PREFIX:
            told.say(" ")
            told.address(m[at + 9 : at + 25])
            told.say(f"/{m[at + 8]}")
        elif code == STATUS and size >= 2:
            told.say(" ")
            told.word(STATUSES, get16(m, at), "status ")
            if size > 2:
                told.say(" ")
                say_text(told, m[at + 2 : at + size])
        elif code == FQDN6 and size > 1:
            told.say(" fqdn ")
            say_partial(told, m[at + 1 : at + size])
        if inside > 0 and depth < 3:
            say_options6(told, m, at + inside, at + size, depth + 1)
        at += size


def tell_dhcpv6(told: Sentence, m: bytes, at: int) -> None:
    """Relays, the outermost with what it says of its link, and the innermost message: RFC 8415 section 9."""
    end, relays = len(m), 0
    if end - at < 4:
        return
    while m[at] in (12, 13):
        if relays == MOST_RELAYS:
            told.say("...")
            return
        told.word(KINDS6, m[at], "type ")
        if end - at < RELAY:
            told.mark()
            return
        if relays == 0:
            told.say(" link ")
            told.address(m[at + 2 : at + 18])
            told.say(" peer ")
            told.address(m[at + 18 : at + 34])
        following = at + RELAY
        while following + 4 <= end and get16(m, following) != RELAYED:
            following += 4 + get16(m, following + 2)
        if following + 4 > end:
            return
        size = get16(m, following + 2)
        cut = size > end - following - 4
        at = following + 4
        end = end if cut else at + size
        if at == end:
            told.mark(CUT if cut else BAD_LENGTH)
            return
        told.say(" > ")
        relays += 1
    told.word(KINDS6, m[at], "type ")
    if end - at < 4:
        told.mark()
    else:
        say_options6(told, m, at + 4, end)
