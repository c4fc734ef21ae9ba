"""What both codecs and the format have to know of pcapng (draft-ietf-opsawg-pcapng): blocks, options, notes in text."""

from __future__ import annotations

import os
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
HASH = 3  # of its octets
OF_PACKETS = (5, 6, 7)  # what it is called, its queue, its verdict: whatever its octets are
CUSTOM = (0xBAC, 0xBAD)  # options of somebody's own, text and octets; ...
ONLY_HERE = 0x4000  # with this bit they are not for another file, and such blocks with the same of the upper sixteen
MOST_KNOWN = 65  # interfaces whose packets are written in one go: that of the first, and some that take turns with it
# Options as they were read; those too that are not for another file; only those that are known, from the other byte order.
KEEPS_SOME, KEEPS_ALL, KEEPS_TURNED = 1, 2, 3
NAME, RESOLUTION, FCS, TIME_OFFSET = 2, 9, 13, 14  # options of interfaces
NUMBERS = (8, 10, 14, 16, 17)  # of these, those that are one number, speeds mostly; the others that are known are octets
MAX_KNOWN = 18  # the last one that is known

# What the codec knows of an interface, eight bytes each: link type as a row has it, bytes it keeps of a packet (0: all),
# if_tsresol, if_tsoffset in seconds, and where its line `IFACE: name` lies in the section's names, if it has one.
INTERFACE_COLUMNS = 6

# How what must not reach a terminal stands in names and comments, so that a line stays a line: control characters, those
# of C1 (U+0080 to U+009F) in UTF-8 or as bytes alone, and what turns the direction of text around.
FORMS = {bytes([c]): b"\\x%02x" % c for c in (*range(0x20), *range(0x7F, 0xA0))} | {b"\n": b"\\n", b"\r": b"\\r"}
FORMS |= {bytes([0xC2, c]): b"\\xc2\\x%02x" % c for c in range(0x80, 0xA0)}
FORMS |= {chr(c).encode(): b"\\u%04x" % c for c in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}
CHARACTERS = {form[1:]: character for character, form in FORMS.items()}  # what stands behind the backslash
_SUFFIX = rb"[nr]|x(?:0[0-9bcef]|1[0-9a-f]|7f|[89][0-9a-f])|u20(?:2[a-e]|6[6-9])"  # the same as an expression, but those of C2
_HARMFUL = rb"[\x00-\x1f\x7f-\x9f]|\xc2[\x80-\x9f]|\xe2(?:\x80[\xaa-\xae]|\x81[\xa6-\xa9])"
_CHARACTER = (  # of UTF-8, beyond ASCII and C1 (RFC 3629)
    rb"\xc2[\xa0-\xbf]|[\xc3-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}"
    rb"|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}"
)
# Possessive, and never begun within a run of backslashes: else that run is gone through as often as it is long.
_WRITTEN = re.compile(
    rb"(?<!\\)(\\*+)(?:(" + _HARMFUL + rb")|((?:(?!" + _HARMFUL + rb")(?:" + _CHARACTER + rb"))++)"
    rb"|(?<=\\)(" + _SUFFIX + rb"|xc2(?=[\x80-\x9f])))"
)  # fmt: skip
_READ = re.compile(rb"(?<!\\)(\\++)(" + _SUFFIX + rb"|xc2\\x[89][0-9a-f])")


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
    return options_until(buffer, at, stop, order)[0]


def options_until(buffer: bytearray, at: int, stop: int, order: str) -> tuple[list[tuple[int, bytes]] | None, bool]:
    """The same, and whether more than zeros stands behind their end."""
    found: list[tuple[int, bytes]] = []
    while stop - at >= 4:
        code, size = struct.unpack_from(order + "HH", buffer, at)
        at += 4
        if code == END:
            return found, any(buffer[at:stop])
        if size > stop - at:
            return None, False
        found.append((code, bytes(buffer[at : at + size])))
        at += (size + 3) & ~3
    return found, False


def option(code: int, value: bytes, order: str) -> bytes:
    """An option as it is written."""
    return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)


def listed(options: list[tuple[int, bytes]], order: str) -> bytes:
    """A list of options as it is written; nothing where there are none."""
    written = b"".join(option(code, value, order) for code, value in options)
    return written + option(END, b"", order) if written else b""


def block(kind: int, body: bytes, order: str) -> bytes:
    """A block as it is written."""
    size = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + size + body + size


def note(word: bytes, value: bytes) -> bytes:
    """The line of text that stands for a value: `NOTE: two words`, or `NOTE:` without one.

    Backslashes in front of a form, or of what would be taken for one, are doubled; all others stand for themselves. So each
    value has its text, and each text its value.
    """
    return word + (b" " if value else b"") + _WRITTEN.sub(_form_of, value) + b"\n"


def iface(name: str) -> bytes:
    """The line that says where a packet was captured."""
    return note(b"IFACE:", os.fsencode(name))


def _form_of(found: re.Match[bytes]) -> bytes:
    backslashes, harmful, characters, suffix = found.groups()
    if characters:
        return found[0]
    return 2 * backslashes + (suffix or FORMS[harmful])


def _value_of(found: re.Match[bytes]) -> bytes:
    count, suffix = len(found[1]), found[2]
    if count % 2:
        suffix = CHARACTERS[suffix]
    elif suffix.startswith(b"xc2"):
        suffix = b"xc2" + CHARACTERS[suffix[4:]]
    return found[1][: count // 2] + suffix


def value_of(line: bytes) -> bytes:
    """What a line of text stands for; the other way around than `note`. The line comes without its end."""
    return _READ.sub(_value_of, line[line.index(b":") + 1 :].removeprefix(b" "))
