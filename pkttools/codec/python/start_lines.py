"""Messages of HTTP and SIP, which begin with a line, in a line; twin of ../c/start_lines.c.

They are known by the form of that line: RFC 9112 sections 2.2, 3 and 4, RFC 3261 section 7; a method is any token (RFC 9110
section 9.1). Where a message ends, so that others are found behind it: RFC 9112 section 6, RFC 3261 section 18.3.
"""

from __future__ import annotations

from typing import NamedTuple

from ...batch import MAX_FRAME
from .messages import Sentence
from .tls import tell_tls
from .wire import get8, get16

NOTHING, REQUEST, RESPONSE = range(3)
DIGITS = frozenset(b"0123456789")
TOKEN = frozenset(b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")  # RFC 9110 section 5.6.2
BLANKS = b" \t\r\n"


class Start(NamedTuple):
    """The first line of a message: without what ends it, and where the next one begins; the code of a response."""

    form: int
    at: int
    end: int
    next: int
    cut: bool
    code: int = 0


def line_at(m: bytes, at: int) -> tuple[bool, int, int]:
    """A line: whether it ends, its end without CR and LF, and where the next one begins. LF alone is to be accepted."""
    found = m.find(b"\n", at)
    if found < 0:
        return False, len(m), len(m)
    return True, found - (found > at and m[found - 1] == 0x0D), found + 1


def version_at(m: bytes, at: int, end: int, protocol: bytes) -> int:
    """The version of a protocol, `HTTP/1.1`; where it ends; 0: it is none."""
    there = m[at : min(at + len(protocol) + 4, end)]
    if not there.startswith(protocol + b"/") or len(there) < len(protocol) + 4:
        return 0
    major, point, minor = there[-3:]
    return at + len(there) if major in DIGITS and point == 0x2E and minor in DIGITS else 0


def start_at(m: bytes, at: int, protocol: bytes, expected: bool) -> Start:
    """What the line is. A request that is cut, or has no version, is one where it is expected."""
    whole, end, following = line_at(m, at)
    behind = version_at(m, at, end, protocol)
    if behind:
        code = m[behind:end]
        right = len(code) >= 4 and code[0] == 0x20 and DIGITS.issuperset(code[1:4]) and code[4:5] in (b"", b" ")
        form = RESPONSE if right or (expected and not whole) else NOTHING
        return Start(form, at, end, following, not whole, int(code[1:4]) if right else 0)
    token = at
    while token < end and m[token] in TOKEN:
        token += 1
    if token == at or token >= end or m[token] != 0x20:
        return Start(NOTHING, at, end, following, not whole)
    last = m.rindex(b" ", token, end) + 1
    versioned = last > token + 2 and version_at(m, last, end, protocol) == end
    known = versioned or (expected and (not whole or last == token + 1) and end > token + 1)
    return Start(REQUEST if known else NOTHING, at, end, following, not whole)


def past_empty(m: bytes, at: int) -> int:
    """Past empty lines: one may stand in front of a request (RFC 9112 section 2.2)."""
    while m[at : at + 1] == b"\n" or m[at : at + 2] == b"\r\n":
        at += 2 if m[at] == 0x0D else 1
    return at


def field_of(m: bytes, at: int, behind: int, name: bytes, compact: bytes) -> bytes | None:
    """The value of the first field of a name, or of its compact one, among lines.

    Blanks may stand in front of the colon, and a line that begins with one belongs to the line before: RFC 3261 sections 7.3.1
    and 7.3.3.
    """
    while at < behind:
        _, end, following = line_at(m, at)
        while following < behind and m[following] in b" \t":
            _, end, following = line_at(m, following)
        before, colon, value = m[at:end].partition(b":")
        size = next((i for i, c in enumerate(before) if c in BLANKS), len(before))
        if colon and before[:size].lower() in {name, compact} - {b""}:
            return value.strip(BLANKS)
        at = following
    return None


def head_end(m: bytes, at: int) -> tuple[bool, int, int]:
    """Whether the lines of a message end, where they do, and where its body begins."""
    while at < len(m):
        whole, end, following = line_at(m, at)
        if whole and end == at:
            return True, at, following
        at = following
    return False, len(m), len(m)


def figure(digits: bytes, base: int) -> int | None:
    """A number in figures; None: it is too large, or none."""
    number = 0
    for c in digits.lower():
        digit = b"0123456789abcdef".find(c)
        if not 0 <= digit < base or number > MAX_FRAME:
            return None
        number = number * base + digit
    return number if digits else None


def behind_chunks(m: bytes, at: int) -> int:
    """Where chunks end: RFC 9112 section 7.1. What is no chunk ends nowhere."""
    size: int | None = 1
    while size:
        whole, end, following = line_at(m, at)
        if not whole:
            return len(m)
        digits = m[at:end]
        size = figure(digits[: next((i for i, c in enumerate(digits) if c not in b"0123456789abcdefABCDEF"), len(digits))], 16)
        if size is None or size > len(m) - following:
            return len(m)
        at = following + size
        if size > 0:
            whole, end, following = line_at(m, at)
            if not whole or end != at:
                return len(m)
            at = following
    whole, _, body = head_end(m, at)
    return body if whole else len(m)


def is_chunked(codings: bytes) -> bool:
    """Whether chunked is the last coding."""
    before, word = codings[:-7], codings[-7:]
    return word.lower() == b"chunked" and before[-1:] in (b"", b",", b" ", b"\t", b"\r", b"\n")


def message_end(m: bytes, start: Start, sip: bool) -> int:
    """Where a message ends; that is the end of what there is, if it does not end there."""
    whole, behind, body = head_end(m, start.next)
    if start.cut or not whole:
        return len(m)
    if not sip and start.form == RESPONSE:
        none = start.code // 100 == 1 or start.code in (204, 304)
        # The answer to HEAD has the length of a body that is not there.
        if none or start_at(m, body, b"HTTP", False).form == RESPONSE:
            return body
    codings = None if sip else field_of(m, start.next, behind, b"transfer-encoding", b"")
    if codings is not None:
        return behind_chunks(m, body) if is_chunked(codings) else len(m)
    length = field_of(m, start.next, behind, b"content-length", b"l" if sip else b"")
    if length is not None:
        size = figure(length, 10)
        return len(m) if size is None or size > len(m) - body else body + size
    return body if not sip and start.form == REQUEST else len(m)


def say_field(told: Sentence, m: bytes, start: Start, name: str, compact: bytes) -> None:
    """A field, if it is there."""
    value = field_of(m, start.next, head_end(m, start.next)[1], name.encode(), compact)
    if value is not None:
        told.say(f" {name} ")
        told.octets(value.translate(None, b"\r\n"))  # where the line is folded


def tell_start(told: Sentence, m: bytes, at: int, sip: bool, expected: bool) -> None:
    """The first message, and how many follow."""
    protocol = b"SIP" if sip else b"HTTP"
    start = start_at(m, past_empty(m, at), protocol, expected)
    if start.form == NOTHING:
        return
    told.octets(m[start.at : start.end])
    if start.cut:
        told.mark()
    if sip and start.form == RESPONSE:
        say_field(told, m, start, "cseq", b"")
    if sip:
        say_field(told, m, start, "call-id", b"i")
    at, more = message_end(m, start, sip), 0
    while at < len(m):
        start = start_at(m, past_empty(m, at), protocol, False)
        if start.form == NOTHING:
            break
        at, more = message_end(m, start, sip), more + 1
    told.say(f" (+{more} more)" if more else "")


def tell_http(told: Sentence, m: bytes, at: int) -> None:
    """Requests and answers."""
    tell_start(told, m, at, False, True)


def tell_sip(told: Sentence, m: bytes, at: int) -> None:
    """The same; two empty lines are a question, one is its answer: RFC 5626 section 3.5.1."""
    if past_empty(m, at) == len(m):
        told.say("keep-alive" if len(m) - at > 2 else "keep-alive answer")
    else:
        tell_start(told, m, at, True, True)


def tell_stream(told: Sentence, m: bytes, at: int) -> None:
    """What begins with a line of these, or with a record of TLS, whatever its port is."""
    tell_start(told, m, at, False, False)
    if not told.text:
        tell_start(told, m, at, True, False)
    if told.text:
        return
    size = get16(m, at + 3)
    if 20 <= m[at] <= 23 and get8(m, at + 1) == 3 and get8(m, at + 2) <= 4 and 0 < size <= 16384 + 2048:
        told.say("TLS ")
        tell_tls(told, m, at)
