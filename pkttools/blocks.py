"""What both codecs and the format have to know of pcapng (draft-ietf-opsawg-pcapng): blocks, options, notes in text."""

from __future__ import annotations

import re
import struct

from .errors import BLOCK_LONG, BLOCK_SHORT, BLOCK_TRAILER, BLOCK_UNALIGNED

SECTION, INTERFACE, OBSOLETE, SIMPLE, ENHANCED = 0x0A0D0D0A, 1, 2, 3, 6  # types of blocks
PACKETS = (OBSOLETE, SIMPLE, ENHANCED)
LEAST = {SECTION: 28, INTERFACE: 20, OBSOLETE: 32, SIMPLE: 16, ENHANCED: 32}  # bytes of a block; others have 12
MAX_BLOCK = 16 << 20  # bytes of a block, as libpcap has it
MAX_OPTION = 0xFFFF  # bytes of an option's value

END, COMMENT = 0, 1  # options of all blocks
FLAGS, DROPS = 2, 4  # options of packets: which way it went; how many were dropped before it
NAME, RESOLUTION, TIME_OFFSET = 2, 9, 14  # options of interfaces

# What the codec knows of an interface, eight bytes each: link type, bytes it keeps of a packet (0: all), if_tsresol,
# if_tsoffset in seconds, and where its line `IFACE: name` lies in the section's names, if it has one.
INTERFACE_COLUMNS = 6

# How control characters stand in names and comments: a line stays a line, and no terminal is told anything.
FORMS = {"\n": b"\\n", "\r": b"\\r"} | {chr(c): b"\\x%02x" % c for c in (*range(32), 127) if chr(c) not in "\n\r"}
CHARACTERS = {form[1:]: character.encode() for character, form in FORMS.items()}  # what stands behind the backslash
_SUFFIX = b"|".join(sorted(CHARACTERS))
_CONTROL = re.compile(rb"(\\*)(?:([\x00-\x1f\x7f])|(" + _SUFFIX + rb"))")
_FORM = re.compile(rb"(\\+)(" + _SUFFIX + rb")")


def misframed(buffer: bytearray, at: int, stop: int, kind: int, size: int, order: str) -> tuple[int, int, int] | None:
    """What is wrong with the length of the block at buffer[at:stop], as far as it is there: kind, value, what it should be.

    order: the `<` or `>` of struct.
    """
    if size < LEAST.get(kind, 12):
        return BLOCK_SHORT, size, LEAST.get(kind, 12)
    if size % 4:
        return BLOCK_UNALIGNED, size, 4
    if size > MAX_BLOCK:
        return BLOCK_LONG, size, MAX_BLOCK
    if stop - at >= size and (trailer := struct.unpack_from(order + "I", buffer, at + size - 4)[0]) != size:
        return BLOCK_TRAILER, trailer, size
    return None


def options(buffer: bytearray, at: int, stop: int, order: str) -> list[tuple[int, bytes]] | None:
    """The options in buffer[at:stop], code and value each; None when one of them runs past the end."""
    found = []
    while stop - at >= 4:
        code, size = struct.unpack_from(order + "HH", buffer, at)
        at += 4
        if code == END:
            break
        if size > stop - at:
            return None
        found.append((code, bytes(buffer[at : at + size])))
        at += (size + 3) & ~3
    return found


def option(code: int, value: bytes, order: str) -> bytes:
    """An option as it is written."""
    return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)


def note(word: bytes, value: bytes) -> bytes:
    """The line of text that stands for a value: `NOTE: two words`, or `NOTE:` without one.

    Backslashes in front of a form, or of what would be taken for one, are doubled; all others stand for themselves. So each
    value has its text, and each text its value.
    """
    return word + (b" " if value else b"") + _CONTROL.sub(_form_of, value) + b"\n"


def _form_of(found: re.Match[bytes]) -> bytes:
    return 2 * found[1] + (FORMS[chr(found[2][0])] if found[2] else found[3])


def _value_of(found: re.Match[bytes]) -> bytes:
    count = len(found[1])
    return found[1][: count // 2] + (CHARACTERS[found[2]] if count % 2 else found[2])


def value_of(line: bytes) -> bytes:
    """What a line of text stands for; the other way around than `note`. The line comes without its end."""
    return _FORM.sub(_value_of, line[line.index(b":") + 1 :].removeprefix(b" "))
