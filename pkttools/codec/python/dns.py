"""Messages of DNS, of multicast DNS and LLMNR too, in a line; twin of ../c/dns.c.

RFC 1035 section 4, RFC 6891 (EDNS), RFC 6762 sections 5.4 and 10.2, RFC 4795 section 2.1.1; values as the RFCs of their types write
them, those of other types as RFC 3597 section 5.
"""

from __future__ import annotations

from typing import NamedTuple

from .messages import BAD_LABEL, BAD_LENGTH, CUT, Sentence, moment
from .wire import get8, get16, get32

HEADER, MOST_NAME, MOST_DATA = 12, 255, 64
QR, AA, TC, RD, RA, AD, CD = 0x8000, 0x400, 0x200, 0x100, 0x80, 0x20, 0x10
UPDATE, LLMNR = 5, 5355
A, NS, CNAME, SOA, PTR, MX, TXT, AAAA, SRV, DNAME, OPT, DS, RRSIG, CDS = 1, 2, 5, 6, 12, 15, 16, 28, 33, 39, 41, 43, 46, 59
SVCB, HTTPS, SPF, CAA = 64, 65, 99, 257
MANDATORY, ALPN, NO_ALPN, PORT, HINT4, HINT6 = 0, 1, 2, 3, 4, 6  # keys of SVCB

BAD_POINTER, LONG_NAME = "[bad pointer]", "[long name]"

OPCODES = {0: "", 1: " iquery", 2: " status", 4: " notify", 5: " update", 6: " dso"}
CODES = {  # IANA "DNS RCODEs"
    0: "", 1: " FormErr", 2: " ServFail", 3: " NXDomain", 4: " NotImp", 5: " Refused", 6: " YXDomain", 7: " YXRRSet", 8: " NXRRSet",
    9: " NotAuth", 10: " NotZone", 11: " DSOTypeNI", 16: " BADVERS", 17: " BADKEY", 18: " BADTIME", 19: " BADMODE", 20: " BADNAME",
    21: " BADALG", 22: " BADTRUNC", 23: " BADCOOKIE",
}  # fmt: skip
TYPES = {  # IANA "DNS Resource Record (RR) TYPEs"
    A: "A", AAAA: "AAAA", CNAME: "CNAME", PTR: "PTR", HTTPS: "HTTPS", NS: "NS", SOA: "SOA", MX: "MX", TXT: "TXT", SRV: "SRV",
    DS: "DS", RRSIG: "RRSIG", OPT: "OPT", 255: "ANY", CAA: "CAA", SVCB: "SVCB", DNAME: "DNAME", 13: "HINFO", 35: "NAPTR",
    47: "NSEC", 48: "DNSKEY", 50: "NSEC3", 51: "NSEC3PARAM", 52: "TLSA", 44: "SSHFP", 250: "TSIG", 249: "TKEY", 251: "IXFR",
    252: "AXFR", CDS: "CDS", 60: "CDNSKEY", SPF: "SPF", 3: "MD", 4: "MF", 7: "MB", 8: "MG", 9: "MR", 10: "NULL", 11: "WKS",
    14: "MINFO", 17: "RP", 18: "AFSDB", 24: "SIG", 25: "KEY", 29: "LOC", 36: "KX", 37: "CERT", 42: "APL", 45: "IPSECKEY",
    49: "DHCID", 53: "SMIMEA", 55: "HIP", 61: "OPENPGPKEY", 62: "CSYNC", 63: "ZONEMD", 108: "EUI48", 109: "EUI64", 253: "MAILB",
    254: "MAILA", 256: "URI",
}  # fmt: skip
CLASSES = {3: "CH", 4: "HS", 254: "NONE", 255: "ANY"}
KEYS = {  # RFC 9460 section 14.3.2
    MANDATORY: "mandatory", ALPN: "alpn", NO_ALPN: "no-default-alpn", PORT: "port", HINT4: "ipv4hint", 5: "ech", HINT6: "ipv6hint",
}  # fmt: skip


# ---- names ----


def behind_name(m: bytes, at: int) -> int:
    """Where what follows a name stands; 0: it does not end."""
    while at < len(m):
        size = m[at]
        if size == 0:
            return at + 1
        if size >= 0xC0:
            return at + 2 if at + 2 <= len(m) else 0
        if size >= 0x40:
            return 0
        at += size + 1
    return 0


def label(octets: bytes) -> list[str]:
    """The characters of a label; what would end it, and what is not seen, with a `\\` in front: RFC 1035 section 5.1."""
    return [f"\\{chr(c)}" if c in b".\\" else chr(c) if 0x20 < c < 0x7F else f"\\{c:03}" for c in octets]


def spell(told: Sentence, m: bytes, message: int, at: int, first: int = HEADER) -> str:
    """Writes a name, and gives what is wrong with it.

    A pointer leads to what stands in front of the labels that it ends, and not into the header, of `first` bytes (RFC 1035
    section 4.1.4): so each of them leads further back.
    """
    begin, total = at, 1
    while at < len(m):
        size = m[at]
        if size >= 0xC0:
            if at + 2 > len(m):
                return CUT
            to = message + (get16(m, at) & 0x3FFF)
            if to >= begin or to < message + first:
                return BAD_POINTER
            begin = at = to
            continue
        if size >= 0x40:
            return BAD_LABEL
        if size == 0:
            told.say("." if total == 1 else "")
            return ""
        if at + size + 1 > len(m):
            return CUT
        total += size + 1
        if total > MOST_NAME:
            return LONG_NAME
        for c in label(m[at + 1 : at + 1 + size]):
            told.together(c)
        told.say(".")
        at += size + 1
    return CUT


def say_name(told: Sentence, m: bytes, message: int, at: int, first: int = HEADER) -> bool:
    """The name at `at` of a message that begins at `message`, with `first` bytes that are no names; whether it was whole."""
    wrong = spell(told, m, message, at, first)
    if wrong:
        told.mark(wrong)
    return not wrong


# ---- values ----


class Record(NamedTuple):
    """A record, as far as it is there: where its data are."""

    type: int
    klass: int
    data: int
    end: int


def say_class(told: Sentence, klass: int) -> None:
    """Unless it is that of the Internet."""
    if klass != 1:
        told.word(CLASSES, klass, "CLASS")
        told.say(" ")


def say_data(told: Sentence, data: bytes) -> None:
    """Bytes, not all where they are many."""
    told.dump(data[:MOST_DATA])
    told.say("..." if len(data) > MOST_DATA else "")


def say_strings(told: Sentence, data: bytes) -> bool:
    """Strings, each with its borders: RFC 1035 section 3.3.14. Whether the last one ends where they do."""
    at = 0
    while at < len(data) and not told.full:
        size = data[at]
        told.say(" " if at else "")
        told.quoted(data[at + 1 : at + 1 + size])
        if size > len(data) - at - 1:
            return False
        at += size + 1
    return True


def say_time(told: Sentence, seconds: int) -> None:
    """RFC 4034 section 3.2."""
    told.say("{:04}{:02}{:02}{:02}{:02}{:02}".format(*moment(seconds)))


def say_parameter(told: Sentence, key: int, value: bytes) -> bool:
    """A parameter of SVCB: RFC 9460 sections 7 and 8. Whether its value has the form that its key asks for."""
    told.word(KEYS, key, "key")
    told.say("=" if value else "")
    if key == ALPN:
        at = 0
        while at < len(value) and not told.full:
            one = value[at]
            if one > len(value) - at - 1:
                return False
            told.say("," if at else "")
            for octet in value[at + 1 : at + 1 + one]:
                told.octet(octet, ",")
            at += one + 1
        return True
    if key in (MANDATORY, PORT, HINT4, HINT6):
        each = {HINT4: 4, HINT6: 16}.get(key, 2)
        for at in range(0, len(value) - each + 1, each):
            told.say("," if at else "")
            if key == MANDATORY:
                told.word(KEYS, get16(value, at), "key")
            elif key == PORT:
                told.say(str(get16(value, at)))
            else:
                told.address(value[at : at + each])
        return len(value) > 0 and len(value) % each == 0 and (key != PORT or len(value) == 2)
    say_data(told, value)
    return key != NO_ALPN or not value


def say_parameters(told: Sentence, m: bytes, at: int, end: int) -> bool:
    """All of them; whether they end where they should."""
    while at < end and not told.full:
        size = get16(m, at + 2)
        if end - at < 4 or size > end - at - 4:
            return False
        told.say(" ")
        if not say_parameter(told, get16(m, at), m[at + 4 : at + 4 + size]):
            return False
        at += size + 4
    return at == end or told.full


def number_at(m: bytes, at: int, size: int) -> int:
    """A number of 1, 2 or 4 bytes."""
    return (get32 if size == 4 else get16 if size == 2 else get8)(m, at)


def say_numbers(told: Sentence, m: bytes, at: int, sizes: str) -> int:
    """Numbers, of as many bytes each as the figures say, with a blank behind each. Gives where they end."""
    for size in map(int, sizes):
        told.say(f"{number_at(m, at, size)} ")
        at += size
    return at


def say_last(told: Sentence, m: bytes, message: int, at: int, end: int) -> bool:
    """A name that is to end where the data do; whether it does. One that is wrong has said so."""
    return not say_name(told, m, message, at) or behind_name(m, at) == end


def say_soa(told: Sentence, m: bytes, message: int, at: int, end: int) -> bool:
    """Two names and five numbers."""
    for _ in range(2):
        if not say_name(told, m, message, at):
            return True
        told.say(" ")
        at = behind_name(m, at)
    if at + 20 != end:
        return False
    told.say(str(number_at(m, say_numbers(told, m, at, "4444"), 4)))
    return True


def say_value(told: Sentence, m: bytes, message: int, record: Record) -> bool:
    """The value of a record, as a file of records has it. Whether its data are as long as they should be."""
    at, end, size = record.data, record.end, record.end - record.data
    kind = record.type
    if kind in (A, AAAA):
        fits = size == (4 if kind == A else 16)
        if fits:
            told.address(m[at:end])
        return fits
    if kind in (NS, CNAME, PTR, DNAME):
        return say_last(told, m, message, at, end)
    if kind == MX:
        return size > 2 and say_last(told, m, message, say_numbers(told, m, at, "2"), end)
    if kind == SRV:
        return size > 6 and say_last(told, m, message, say_numbers(told, m, at, "222"), end)
    if kind == SOA:
        return say_soa(told, m, message, at, end)
    if kind in (TXT, SPF):
        return say_strings(told, m[at:end])
    if kind == CAA:  # RFC 8659 section 4.1.1
        if size < 2 or m[at + 1] > size - 2:
            return False
        tag = m[at + 1]
        at = say_numbers(told, m, at, "1") + 1
        told.octets(m[at : at + tag])
        told.say(" ")
        told.quoted(m[at + tag : end])
        return True
    if kind in (DS, CDS):  # RFC 4034 section 5.3
        if size < 4:
            return False
        at = say_numbers(told, m, at, "211")
        say_data(told, m[at:end])
        return True
    if kind == RRSIG:  # RFC 4034 section 3.2; the signature is left out
        if size < 18:
            return False
        told.word(TYPES, get16(m, at), "TYPE")
        told.say(" ")
        at = say_numbers(told, m, at + 2, "114")
        say_time(told, number_at(m, at, 4))
        told.say(" ")
        say_time(told, number_at(m, at + 4, 4))
        told.say(" ")
        at = say_numbers(told, m, at + 8, "2")
        return not say_name(told, m, message, at) or behind_name(m, at) <= end
    if kind in (SVCB, HTTPS):  # RFC 9460 section 2.1
        if size < 3:
            return False
        at = say_numbers(told, m, at, "2")
        return not say_name(told, m, message, at) or say_parameters(told, m, behind_name(m, at), end)
    told.say(f"\\# {size}{' ' if size else ''}")  # RFC 3597 section 5
    say_data(told, m[at:end])
    return True


# ---- messages ----


def record_at(m: bytes, at: int) -> tuple[int, Record]:
    """The record at `at`, and where the next one stands; 0: it is not all there."""
    behind = behind_name(m, at)
    if behind == 0 or behind + 10 > len(m):
        return 0, Record(0, 0, 0, 0)
    end = behind + 10 + get16(m, behind + 8)
    return end if end <= len(m) else 0, Record(get16(m, behind), get16(m, behind + 2), behind + 10, end)


def extended_code(m: bytes, message: int) -> int:
    """The upper bits of the response code, in a record that may stand anywhere among the additional ones (RFC 6891 6.1.3)."""
    questions, answers, authorities, more = (get16(m, message + at) for at in (4, 6, 8, 10))
    others = answers + authorities
    at = message + HEADER
    for _ in range(questions):
        at = behind_name(m, at)
        if at == 0:
            return 0
        at += 4
    for i in range(others + more):
        at, record = record_at(m, at)
        if at == 0:
            return 0
        if i >= others and record.type == OPT:
            return get8(m, record.data - 6) << 4
    return 0


def name_at(m: bytes, message: int, at: int) -> str:
    """A name, as far as it is one."""
    told = Sentence()
    spell(told, m, message, at)
    return told.text


def without_top(klass: int) -> tuple[int, bool]:
    """The top bit of a class is something else in multicast DNS (RFC 6762 sections 5.4, 10.2); else there are none."""
    return (klass & 0x7FFF, True) if 0x8000 <= klass < 0xFF00 else (klass, False)


def say_question(told: Sentence, m: bytes, message: int, at: int) -> int:
    """A question; gives where the next one stands; 0: nothing can be told of what follows."""
    behind = behind_name(m, at)
    if behind == 0 or behind + 4 > len(m):
        if say_name(told, m, message, at):
            told.mark()
        return 0
    klass, unicast = without_top(get16(m, behind + 2))
    say_class(told, klass)
    told.word(TYPES, get16(m, behind), "TYPE")
    told.say(" (QU)? " if unicast else "? ")
    say_name(told, m, message, at)
    return behind + 4


def say_record(told: Sentence, m: bytes, message: int, at: int, last: str) -> tuple[int, str]:
    """A record, the same; and the name that was told last, by which the owner of the next record is left out."""
    following, record = record_at(m, at)
    behind = behind_name(m, at)
    there = behind != 0 and behind + 10 <= len(m)
    owner = name_at(m, message, at)
    if following == 0 or owner.lower() != last.lower():
        say_name(told, m, message, at)
        last = owner
        told.say(" " if there else "")
    if not there:
        if behind != 0:
            told.mark()
        return 0, last
    klass, flush = without_top(record.klass)
    if record.type != OPT:
        told.say("(flush) " if flush else "")
        say_class(told, klass)
    told.word(TYPES, record.type, "TYPE")
    if following == 0:
        told.mark()
        return 0, last
    if record.type in (CNAME, DNAME):
        last = name_at(m, message, record.data)
    if record.data < record.end:  # there are none in an update: RFC 2136 section 2.5.2
        told.say(" ")
        if not say_value(told, m, message, record):
            told.mark(BAD_LENGTH)
    return following, last


def say_flags(told: Sentence, flags: int, answers: bool, link_local: bool) -> None:
    """Flags as tcpdump has them.

    `*` authoritative, `-` no recursion, `|` truncated, `$` authentic, `+` recursion desired, `%` unchecked.
    """
    if link_local:  # RFC 4795 section 2.1.1
        told.say(" conflict" if flags & AA else "")
        told.say(" tentative" if flags & RD else "")
        told.say("|" if flags & TC else "")
        return
    told.say("+" if not answers and flags & RD else "")
    told.say("*" if flags & AA else "")
    told.say("-" if answers and not flags & RA else "")
    told.say("|" if flags & TC else "")
    told.say("$" if flags & AD else "")
    told.say("%" if not answers and flags & CD else "")


def say_message(told: Sentence, m: bytes, message: int, link_local: bool) -> None:
    """A message whose header is there."""
    flags = get16(m, message + 2)
    opcode, answers = flags >> 11 & 15, bool(flags & QR)
    questions, records, authorities, more = (get16(m, message + at) for at in (4, 6, 8, 10))
    told.say(str(get16(m, message)))
    told.word(OPCODES, opcode, " op")
    told.word(CODES, flags & 15 | extended_code(m, message), " rcode")
    say_flags(told, flags, answers, link_local)
    if not answers:
        for count, of in ((records, "a"), (authorities, "n"), (more, "au")):
            told.say(f" [{count}{of}]" if count else "")
    at, last = message + HEADER, ""
    for i in range(questions):
        if at == 0 or told.full:
            break
        told.say(", " if i else " ")
        if i == 0:
            last = name_at(m, message, at)
        at = say_question(told, m, message, at)
    if answers:
        told.say(f" {records}/{authorities}/{more}")
    for i in range(records if answers else records + authorities if opcode == UPDATE else 0):
        if at == 0 or told.full:
            break
        told.say(", " if i else " ")
        at, last = say_record(told, m, message, at, last)


def tell_dns(told: Sentence, m: bytes, at: int) -> None:
    """The message of a datagram, whose ports stand in front of it."""
    link_local = at >= 8 and LLMNR in (get16(m, at - 8), get16(m, at - 6))
    if at + HEADER <= len(m):
        say_message(told, m, at, link_local)


def tell_dns_tcp(told: Sentence, m: bytes, at: int) -> None:
    """The messages of a segment, each behind its length: RFC 1035 section 4.2.2, RFC 7766 section 8."""
    first = at
    while at < len(m) and not told.full:
        size = get16(m, at)
        if at == first and (at + HEADER + 2 > len(m) or size < HEADER):
            return
        told.say("; " if at > first else "")
        if at + 2 <= len(m) and size < HEADER:
            told.mark(BAD_LENGTH)
            return
        one = m[: at + 2 + size]
        if at + HEADER + 2 <= len(one):
            say_message(told, one, at + 2, False)
        if at + 2 + size > len(m) or at + 2 > len(m):
            told.mark()
        at += size + 2
