"""Rules that say what answers requests get: a file of ours, a rule a line.

    arp|nd|ping [CIDR,...]          as pkt-pingrep answers, for these addresses, or for all
    echo [PORT,...]                 the same comes back from a port of UDP; 7 without any (RFC 862)
    dns ZONE                        from a zone in another file, see zone.py
    tcp PORT,... ["TEXT"]           connections are accepted; the first data get a text, and the end
    reset                           any other segment of TCP resets its connection
    when FILTER                     any packet, and below it, each in a line:
        payload VALUE               what it carries instead: "TEXT", hex:DIGITS or @FILE
        FIELD=VALUE                 an assignment; FIELD=FIELD takes what another field has
        drop                        there is no answer

The first rule that is for a packet answers it. An answer is its request with sources and destinations exchanged, and then changed.
"""

from __future__ import annotations

import re

from ..errors import PktError, UsageError, need
from ..language.arguments import split_assignment
from ..language.assigning import assignments
from ..protocols.values import parse_number
from .lines import TEXT, lines_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .answering import Rule

MOST = 1 << 20  # characters of a file
SEGMENT = 1440  # bytes of text that Ethernet's 1500 have room for behind the headers of IPv6 and TCP: it has one segment
WORD = re.compile(rf"{TEXT.pattern}|\S+")
ESCAPE = re.compile(rb"\\(x[0-9A-Fa-f]{2}|.)", re.DOTALL)
ESCAPES = {b"r": b"\r", b"n": b"\n", b"t": b"\t", b"0": b"\0", b"\\": b"\\", b'"': b'"'}  # as in C


def read(path: str) -> list[Rule]:
    """The rules of a file. Raises PktError where it cannot be read; UsageError for what is wrong, with its line."""
    lines = lines_of(path, MOST, "#")
    rules: list[Rule] = []
    template: list[tuple[int, str]] | None = None  # lines below `when`
    begun = 0, ""
    for number, line in [*enumerate(lines, 1), (len(lines) + 1, "end")]:
        text = line.strip()
        if not text:
            continue
        if line[:1].isspace():
            if template is None:
                raise UsageError(f"{path}:{number}: what is indented belongs below `when`")
            template.append((number, text))
            continue
        if template is not None:
            rules.append(of_template(path, *begun, template))
            template = None
        word, _, rest = text.partition(" ")
        if word == "when":
            template, begun = [], (number, rest.strip())
        elif number <= len(lines):
            try:
                rules.append(built_in(path, word, rest.strip()))
            except (UsageError, ValueError) as error:
                raise UsageError(f"{path}:{number}: {error}") from None
    if not rules:
        raise UsageError(f"{path}: there is no rule")
    return rules


def text_of(word: str) -> bytes:
    """The octets of a text in quotes. Raises UsageError."""

    def octets(escape: re.Match[bytes]) -> bytes:
        said = escape[1]
        if len(said) == 3:
            return bytes.fromhex(said[1:].decode())
        need(said in ESCAPES, f'{escape[0].decode(errors="replace")} is not \\r, \\n, \\t, \\0, \\xHH, \\\\ or \\"')
        return ESCAPES[said]

    need(bool(TEXT.fullmatch(word)), f"'{word[:40]}' is no text in quotes")
    return ESCAPE.sub(octets, word[1:-1].encode())


def ports_of(word: str) -> list[int]:
    """Ports, apart by commas. Raises UsageError."""
    ports = [parse_number(part) for part in word.split(",")]
    if any(port is None or port > 65535 for port in ports):
        raise UsageError(f"'{word[:40]}' is no list of ports")
    return ports  # type: ignore[return-value]  # none is None


def built_in(path: str, word: str, rest: str) -> Rule:
    """A rule that is known by its name. Raises UsageError, ValueError for no network, PktError for a zone."""
    from . import answering
    from .zone import Zone

    words = WORD.findall(rest)
    if word in ("arp", "nd", "ping"):
        if len(words) > 1:
            raise UsageError(f"wanted: {word} [CIDR,...]")
        return answering.Stations(word, words[0] if words else "")
    if word == "echo" and len(words) < 2:
        return answering.Echo(ports_of(words[0]) if words else [7])
    if word == "dns" and len(words) == 1:
        folder, slash, _ = path.rpartition("/")
        return answering.Names(Zone(words[0] if words[0].startswith("/") else folder + slash + words[0]))
    if word == "tcp" and len(words) in (1, 2):
        answer = text_of(words[1]) if len(words) > 1 else b""
        need(len(answer) <= SEGMENT, f"{len(answer)} bytes of text: {SEGMENT} fit a segment")
        return answering.Accept(ports_of(words[0]), answer)
    if word == "reset" and not words:
        return answering.Reset()
    wanted = {"echo": "echo [PORT,...]", "dns": "dns ZONE", "tcp": 'tcp PORT,... ["TEXT"]', "reset": "reset"}
    if word in wanted:
        raise UsageError(f"wanted: {wanted[word]}")
    raise UsageError(f"no rule '{word[:40]}'; there are arp, nd, ping, echo, dns, tcp, reset, when")


def of_template(path: str, number: int, expression: str, lines: list[tuple[int, str]]) -> Rule:
    """A rule of `when`. Raises UsageError."""
    from ..work.payload import payload_of
    from .answering import Template

    payload, items, drop = None, [], False
    at = number
    try:
        need(bool(expression), "wanted: when FILTER")
        need(bool(lines), "no line below `when` says what the answer is: payload, FIELD=VALUE, or drop")
        for line, text in lines:
            at = line
            need(not drop, "behind drop nothing is said of an answer")
            item = split_assignment(text)
            if item and not text.startswith("payload "):
                items.append(item)
            elif text.startswith("payload "):
                need(payload is None, "there is a payload already")
                value = text.partition(" ")[2].strip()
                payload = text_of(value) if value.startswith('"') else payload_of(value)
            elif text == "drop":
                need(payload is None and not items, "drop stands alone: there is no answer")
                drop = True
            else:
                raise UsageError(f"'{text[:40]}' is neither payload, FIELD=VALUE nor drop")
            assignments(items)  # here it is known in which line something is wrong
        at = number
        return Template(expression, payload, items, drop)
    except (UsageError, PktError) as error:
        kind = UsageError if isinstance(error, UsageError) else PktError  # no kind of its own: that is of a word in a command line
        raise kind(f"{path}:{at}: {str(error).removeprefix('--payload: ')}") from None
