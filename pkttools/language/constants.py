"""What stands behind an operator: values as field lines have them, and letters, services, dates, texts in quotes besides.

In text any character stands for its octets in UTF-8 (RFC 3629), as a shell hands it over; a field line is ASCII.
"""

from __future__ import annotations

from ..errors import UsageError
from ..protocols.fields import DATA, FIELDS, INT, LITTLE, TABLE, TEXT, Row
from ..protocols.values import parse_number, parse_text, parse_value, unknown_name

PORTS = ("SRC_PORT", "DST_PORT")


def constant(name: str, rows: list[Row], text: str) -> int | bytes:
    """A value for the field `name`: as `parse_value` reads it; flags by their letters, ports by their services, data in quotes.

    Raises UsageError; where the name of a field may be meant, with what there is to say of that.
    """
    word = text.strip()
    try:
        return read(name, rows, word)
    except UsageError as error:
        meant, _, _ = word.upper().partition("[")
        layer, dot, behind = meant.partition(".")
        if dot and (layer + behind).isidentifier():
            raise UsageError(f"{error}, and there is {unknown_name(meant, list(FIELDS), 'field')}") from None
        raise


def read(name: str, rows: list[Row], word: str) -> int | bytes:
    """The same. Raises UsageError."""
    if rows[0].kind == DATA and word.startswith('"'):
        return octets_of(name, word)
    if rows[0].kind == TEXT and not word.isascii():
        return parse_value(name, rows, in_ascii(word))
    if rows[0].kind in (INT, LITTLE) and word and parse_number(word) is None and word.lower() not in (rows[0].names or {}).values():
        value = letters(rows[0], word)
        if value is None and name.endswith(PORTS):
            value = service(name, word)
        if value is not None:
            return value
    return parse_value(name, rows, word)


def letters(row: Row, word: str) -> int | None:
    """The number of a field of flags: `SA` for SYN and ACK. None: it has no such letters.

    A flag's letter is that of its description, or else the first one of its name, where no other flag has that.
    """
    from ..protocols import _words  # late: who writes numbers needs none

    protocol, _, _ = row.name.partition(".")
    bits: dict[str, int] = {}
    initials: dict[str, int] = {}
    for flag, letter in _words.LETTERS.get(protocol, {}).items():
        other = TABLE[FIELDS[f"{protocol}.{flag}"][0]]
        shift = row.bit + row.width - other.bit - other.width
        if other is not row and 0 <= shift < row.width:
            bits[letter] = 1 << shift
            initials.setdefault(flag[0], 1 << shift)
    known = initials | bits
    found = [known.get(letter, known.get(letter.upper())) for letter in word]
    value = 0
    for bit in found:
        if bit is None:
            return None
        value |= bit
    return value


def lettered(row: Row, value: int) -> str:
    """The flags of a number as `letters` reads them; empty: the field has no such letters, or none of these is set."""
    from ..protocols import _words  # late: seldom

    protocol, _, _ = row.name.partition(".")
    found, left = "", value
    for flag, letter in _words.LETTERS.get(protocol, {}).items():
        initial, bit = letters(row, flag[0]), letters(row, letter)
        if bit and left & bit:
            found += flag[0] if initial == bit else letter
            left &= ~bit
    return found


def service(name: str, word: str) -> int:
    """The port of a service: by its name in the descriptions, or in /etc/services. Raises UsageError."""
    from socket import getservbyname

    from ..protocols import _words

    protocol, _, _ = name.partition(".")
    own = _words.NAMES.get(protocol, {})
    found = next((number for number, known in own.items() if known == word.lower()), None)
    if found is not None:
        return found
    for arguments in ((word.lower(), protocol.lower()), (word.lower(),)):
        try:
            return getservbyname(*arguments)
        except (OSError, UnicodeError, ValueError):
            continue
    raise UsageError(f"{name}: '{word[:40]}' is neither a number nor a service that is known (/etc/services)")


def in_ascii(text: str) -> str:
    """The same text with the octets of other characters as field lines have them: `\\x` and two hex digits each."""
    return "".join(c if c.isascii() else "".join(f"\\x{octet:02x}" for octet in c.encode(errors="surrogateescape")) for c in text)


def octets_of(name: str, text: str) -> bytes:
    """The octets of a text of any length, in quotes or without. Raises UsageError."""
    written = in_ascii(text)
    return parse_text(name, written, len(written))


def note_text(name: str, text: str) -> bytes:
    """What a line of notes says: a text. Raises UsageError."""
    return octets_of(name, text.strip())
