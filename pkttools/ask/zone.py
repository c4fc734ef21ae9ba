"""A small zone of DNS, and the answers from it: RFC 1035 sections 3, 4 and 5, in one file.

NAME [TTL] [IN] TYPE VALUE      A, AAAA, CNAME, MX, NS, PTR or TXT, in quotes or not; `;` and `#` begin a comment
"""

from __future__ import annotations

import struct
from ipaddress import IPv4Address, IPv6Address

from ..errors import PktError
from .lines import TEXT, lines_of

A, NS, CNAME, PTR, MX, TXT, AAAA, ANY = 1, 2, 5, 12, 15, 16, 28, 255
TYPES = {"A": A, "NS": NS, "CNAME": CNAME, "PTR": PTR, "MX": MX, "TXT": TXT, "AAAA": AAAA}
INTERNET, TTL = 1, 300
RESPONSE, AUTHORITATIVE, OPCODE, DESIRED = 0x8000, 0x0400, 0x7800, 0x0100
FORMAT_ERROR, NO_NAME, NOT_IMPLEMENTED = 1, 3, 4
HEADER, MOST_NAME, MOST_CHAIN = 12, 255, 8
MOST = 1 << 24  # characters of a file

Record = tuple[int, int, bytes]  # type, TTL, data


def labels_of(name: str) -> bytes:
    """A name as messages have it. Raises ValueError."""
    if not name.isascii() or any(letter.isspace() for letter in name):
        raise ValueError(f"'{name[:40]}' is no name")
    labels = [label.encode("ascii") for label in name.rstrip(".").split(".")] if name != "." else []
    if not all(0 < len(label) < 64 for label in labels):
        raise ValueError(f"'{name}' is no name")
    found = b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
    if len(found) > MOST_NAME:
        raise ValueError(f"'{name[:40]}...' is too long for a name")
    return found


def cut(text: str) -> tuple[str, str]:
    """The first word, and what is behind it."""
    word, rest = ([*text.split(maxsplit=1), "", ""])[:2]
    return word, rest.rstrip()


def strings_of(octets: bytes) -> bytes:
    """A text as character strings, RFC 1035 section 3.3: as many as it takes."""
    return b"".join(bytes([len(octets[i : i + 255])]) + octets[i : i + 255] for i in range(0, max(len(octets), 1), 255))


def data_of(kind: int, text: str) -> bytes:
    """The data of a record. Raises ValueError."""
    if kind == A:
        return IPv4Address(text).packed
    if kind == AAAA:
        return IPv6Address(text).packed
    if kind == TXT:
        if '"' not in text:
            return strings_of(text.encode())
        if TEXT.sub("", text).strip() or "\\" in text:
            raise ValueError(f"{text[:40]}: all of a text stands in quotes, without escapes, or none")
        return b"".join(strings_of(part[1:-1].encode()) for part in TEXT.findall(text))
    if kind == MX:
        preference, _, name = text.partition(" ")
        return struct.pack("!H", int(preference)) + labels_of(name.strip())
    return labels_of(text)


class Zone:
    """Records by name; names are those of messages, in small letters."""

    def __init__(self, path: str) -> None:
        """Raises PktError, with the line of what is wrong."""
        self.records: dict[bytes, list[Record]] = {}
        for number, line in enumerate(lines_of(path, MOST, ";#"), 1):
            if not line.strip():
                continue
            try:
                self.add(line)
            except (ValueError, OverflowError, struct.error) as error:
                raise PktError(f"{path}:{number}: {error}") from None

    def add(self, line: str) -> None:
        """A line. Raises ValueError."""
        name, rest = cut(line)
        ttl = TTL
        if cut(rest)[0].isascii() and cut(rest)[0].isdigit():
            word, rest = cut(rest)
            ttl = int(word)
        if cut(rest)[0].upper() == "IN":
            rest = cut(rest)[1]
        word, value = cut(rest)
        if not value:
            raise ValueError("wanted: NAME [TTL] [IN] TYPE VALUE")
        if word.upper() not in TYPES:
            raise ValueError(f"no type '{word}'; there are {', '.join(TYPES)}")
        if ttl >= 1 << 31:
            raise ValueError(f"bad TTL {ttl}")
        kind = TYPES[word.upper()]
        self.records.setdefault(labels_of(name).lower(), []).append((kind, ttl, data_of(kind, value)))

    def answer(self, message: bytes) -> bytes | None:
        """The answer to a question; None: it is none."""
        if len(message) < HEADER:
            return None
        number, flags, questions, *_ = struct.unpack_from("!6H", message)
        if flags & RESPONSE:
            return None
        flags = RESPONSE | AUTHORITATIVE | flags & (OPCODE | DESIRED)
        if flags & OPCODE:
            return struct.pack("!6H", number, flags | NOT_IMPLEMENTED, 0, 0, 0, 0)
        end = behind_question(message)
        if questions != 1 or end is None:
            return struct.pack("!6H", number, flags | FORMAT_ERROR, 0, 0, 0, 0)
        name, (kind, of) = message[HEADER : end - 4].lower(), struct.unpack_from("!2H", message, end - 4)
        found = self.found(name, kind) if of in (INTERNET, ANY) else []
        flags |= NO_NAME if name not in self.records else 0
        body = b"".join(owner + struct.pack("!HHIH", what, INTERNET, ttl, len(data)) + data for owner, (what, ttl, data) in found)
        return struct.pack("!6H", number, flags, 1, len(found), 0, 0) + message[HEADER:end] + body

    def found(self, name: bytes, kind: int) -> list[tuple[bytes, Record]]:
        """The records of a name and a type, behind those of other names for it."""
        found: list[tuple[bytes, Record]] = []
        for _ in range(MOST_CHAIN):
            here = self.records.get(name, [])
            found += [(name, record) for record in here if kind in (record[0], ANY)]
            aliases = [record for record in here if record[0] == CNAME != kind]
            if not aliases or kind == ANY:
                break
            found.append((name, aliases[0]))
            name = aliases[0][2].lower()
        return found


def behind_question(message: bytes) -> int | None:
    """Where the first question ends; None: it is not there, or has what no question has."""
    at = HEADER
    while at < len(message) and message[at]:
        if message[at] >= 64 or at - HEADER > MOST_NAME:
            return None
        at += message[at] + 1
    return at + 5 if at + 5 <= len(message) else None
