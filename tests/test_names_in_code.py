"""The codec runs tables and names no protocol, but for a short list of exceptions, each with its reason."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ROOT

from pkttools.protocols.compile import descriptions, our_files
from pkttools.protocols.model import EXCEPTIONS

CODEC = ROOT / "pkttools/codec"
FOUND = descriptions(our_files())
HEADERS = {name for name, header in FOUND.headers.items() if not header.hidden and name != "UNKNOWN"}
NAMES = HEADERS | {header.protocol for header in FOUND.headers.values()} - {"UNKNOWN"} | {"IPV4", "QINQ", "JUMBO", "SRH"}

# Files of what tables cannot say, and what these read by name.
EXCEPT = {"exceptions.c", "exceptions.py", "datagram.c", "datagram.py", "wire.h", "wire.py"}
# Files of what messages say in a line (their readers are named by the statement `line reader`): no table describes names that are
# packed, options in pieces, records that are joined.
MESSAGES = {
    f"{name}.{kind}"
    for name in ("messages", "dns", "dhcp", "tls", "quic", "start_lines", "ntp", "media", "arp")
    for kind in ("c", "h", "py")
}
ALLOWED = {  # that name no protocol, or a way to write values
    "IPV4": "a form of values, with dots", "IPV6_ADDRESS": "the same, with colons",
    "put_ipv4": "writes it", "put_ipv6": "writes it",
    "parse_ipv4": "reads it", "parse_ipv6": "reads it",
    "protocols_slow": "the walk without what is quick about it: not the slow protocols of IEEE 802.3",
    "READ_DNS": "a reader of messages", "READ_DNS_TCP": "one", "READ_DHCP": "one", "READ_DHCPV6": "one", "READ_TLS": "one",
    "READ_QUIC": "one", "READ_HTTP": "one", "READ_SIP": "one", "READ_NTP": "one", "READ_ARP": "one",
    "JUMBO_FOR_0": "a word of the language: over SIZE or jumbo", "set_jumbo": "an exception's",
}  # fmt: skip


def identifiers_of_c(text: str) -> Iterator[tuple[int, str]]:
    """The identifiers of C, and words in strings, with their lines; not of comments."""
    text = re.sub(r"/\*.*?\*/", lambda one: "\n" * one[0].count("\n"), text, flags=re.DOTALL)
    for number, line in enumerate(text.splitlines(), 1):
        if not line.startswith("#include"):
            yield from ((number, word) for word in re.findall(r"[A-Za-z_]\w*", line))


def identifiers_of_python(text: str) -> Iterator[tuple[int, str]]:
    """The same of Python; not of docstrings."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.NAME or (token.type == tokenize.STRING and '"""' not in token.string):
            yield from ((token.start[0], word) for word in re.findall(r"[A-Za-z_]\w*", token.string))


def names(word: str) -> bool:
    """Whether a word has the name of a protocol in it: as a whole, or between underscores."""
    return word.upper() in NAMES or any(part in NAMES for part in word.upper().split("_"))


@pytest.mark.parametrize("path", sorted([*CODEC.rglob("*.[ch]"), *CODEC.rglob("*.py")]), ids=lambda path: path.name)
def test_the_codec_names_no_protocol(path: Path) -> None:
    """But in `EXCEPT`. What a kind or a word of a description can say is asked by that."""
    found = identifiers_of_python if path.suffix == ".py" else identifiers_of_c
    named = [f"{path.name}:{number}: {word}" for number, word in found(path.read_text()) if names(word) and word not in ALLOWED]
    assert path.name in EXCEPT | MESSAGES or named == []


def test_what_is_allowed_is_there() -> None:
    """And each exception has its reason, in both files, and a description that names it."""
    there = "".join(path.read_text() for path in CODEC.rglob("*.[chp]*") if path.suffix in (".c", ".h", ".py"))
    assert [word for word in ALLOWED if not re.search(rf"\b{word}\b", there)] == []
    used = {header.exception for header in FOUND.headers.values()} - {""}
    assert used == {*EXCEPTIONS}
    for path in (CODEC / "c/exceptions.c", CODEC / "python/exceptions.py"):
        reasons = path.read_text().partition("#include" if path.suffix == ".c" else "from __future__")[0]
        assert [
            name for name in EXCEPTIONS if not re.search(rf"^.{{0,3}}[A-Z_46, ]*\b{name}\b[A-Z_46, ]*: ", reasons, re.MULTILINE)
        ] == []
