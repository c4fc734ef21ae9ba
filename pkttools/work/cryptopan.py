"""Addresses that keep their prefixes, by a key: Crypto-PAn, for IPv4 and IPv6, in the same way for MAC addresses, ports, VLANs.

Two addresses that begin with the same bits become two that do, with as many, and no two become the same; but for special ones,
which stay what they are.
"""

from __future__ import annotations

from struct import calcsize, pack

from .. import codec
from ..errors import PktError, installs
from ..protocols.places import ADDRESS4, ADDRESS6, PORT, STATION, VLAN, WIDTHS

KEY = 32  # octets: the first half is the key of AES, the other one gives the padding
PIECE = 1024  # numbers whose blocks are encrypted together: 2 MB, of IPv6
QUESTION, SORT, EXCEPTION = "=q2Q", "=q16s", "=2q8Q"
HALF = (1 << 64) - 1
SORTS = (ADDRESS4, ADDRESS6, STATION, PORT, VLAN)
NOUNS = {ADDRESS4: "IPv4", ADDRESS6: "IPv6", STATION: "MAC"}
DAY = 86400  # seconds
GROUP, LOCAL = 1 << 40, 2 << 40  # bits of MAC addresses
SOLICITED = 0xFF0200000000000000000001FF000000  # RFC 4291 section 2.7.1: it ends with the last 24 bits of an address
SPECIAL = "0.0.0.0, 127.0.0.0/8, 169.254.0.0/16, groups, broadcast, ::, ::1, fe80::/64"


def exception(sort: int, number: int, mask: int, stay: int, taken: int | None = None, other: int = 0) -> bytes:
    """Numbers that have these bits where the mask does: some bits stay. taken: as which sort, with which bits instead."""
    halves = (part for value in (number, mask, stay, other) for part in (value >> 64, value & HALF))
    return pack(EXCEPTION, sort, sort if taken is None else taken, *halves)


def beginning(sort: int, number: int, length: int, stay: int | None = None) -> bytes:
    """The same of numbers that begin so; the first bits stay, as many as `stay` says, or all."""
    width = WIDTHS[sort]
    mask, stays = (((1 << bits) - 1) << width - bits for bits in (length, width if stay is None else stay))
    return exception(sort, number << width - length, mask, stays)


def special_addresses() -> bytes:
    """Those that say what they are by their first bits, and stay it; hosts in them become others, as far as they name any."""
    all_of_it, prefix = (1 << 128) - 1, 0xFF20 << 112  # RFC 3306: a group within a prefix, which is in it
    return b"".join((
        beginning(ADDRESS4, 0, 32), beginning(ADDRESS4, 127, 8), beginning(ADDRESS4, 0xA9FE, 16, 16), beginning(ADDRESS4, 0xE, 4),
        beginning(ADDRESS4, 0xFFFFFFFF, 32),
        beginning(ADDRESS6, 0, 128), beginning(ADDRESS6, 1, 128), beginning(ADDRESS6, 0xFE80 << 48, 64, 64),
        beginning(ADDRESS6, 0xFE80 >> 6, 10, 10),
        beginning(ADDRESS6, SOLICITED >> 24, 104, 104),
        exception(ADDRESS6, prefix, prefix | 0xFF00 << 112 | 0xFF << 96, all_of_it),  # of any source (RFC 4607): none is in it
        exception(ADDRESS6, prefix, prefix | 0xFF00 << 112, all_of_it ^ (((1 << 64) - 1) << 32)),
        beginning(ADDRESS6, 0xFF, 8),
        beginning(PORT, 0, 16), beginning(VLAN, 0, 12), beginning(VLAN, 0xFFF, 12),
    ))  # fmt: skip


def stations(vendors: bool) -> bytes:
    """MAC addresses: those of groups stay, and zeros; of others the bits that say what they are, or their vendor.

    Those of solicited nodes end as the groups do (RFC 2464 section 7). Who was given by nobody has no vendor.
    """
    width, flags = 1 << 48, GROUP | LOCAL
    above = (1 << 128) - width  # of an address of IPv6
    return b"".join((
        exception(STATION, 0x3333FF << 24, 0xFFFFFF << 24, above | 0xFFFFFF << 24, ADDRESS6, SOLICITED),
        exception(STATION, GROUP, GROUP, width - 1),
        exception(STATION, 0, width - 1, width - 1),
        exception(STATION, LOCAL, LOCAL, flags),
        exception(STATION, 0, 0, 0xFFFFFF << 24 if vendors else flags),
    ))  # fmt: skip


class CryptoPan:
    """Tells what numbers become. key: KEY octets. vendors: of MAC addresses the first half stays. special: so do special ones.

    counts: numbers of each sort. collided: how many became special, and were not.
    """

    def __init__(self, key: bytes, *, vendors: bool = False, special: bool = True) -> None:
        """Raises PktError where there is no cipher."""
        try:
            from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes  # late: only here
        except ImportError as error:
            raise PktError(f"--anonymise takes cryptography ({error}): {installs('cryptography')}") from None
        self.encrypted = Cipher(algorithms.AES(key[:16]), modes.ECB()).encryptor().update  # each block by itself
        paddings = [self.encrypted(key[16:])]
        for _ in SORTS[2:]:  # those of others are none that addresses have
            paddings.append(self.encrypted(paddings[-1]))
        paddings = [paddings[0], *paddings]
        self.sorts = b"".join(pack(SORT, WIDTHS[sort], padding) for sort, padding in zip(SORTS, paddings, strict=True))
        self.exceptions = (special_addresses() if special else b"") + stations(vendors)
        self.special = special
        self.counts = dict.fromkeys(SORTS, 0)
        self.collided = 0

    def answer(self, asked: bytes) -> bytes:
        """The rules by which numbers are replaced; see codec.map_addresses."""
        rules, size = [], PIECE * calcsize(QUESTION)
        for at in range(0, len(asked), size):
            piece = asked[at : at + size]
            blocks = codec.cryptopan_blocks(piece, self.sorts, self.exceptions)
            made, collided = codec.cryptopan_rules(piece, self.encrypted(blocks), self.sorts, self.exceptions)
            rules.append(made)
            self.collided += collided
        of = memoryview(asked).cast("q")[::3].tolist()
        for sort in SORTS:
            self.counts[sort] += of.count(sort)
        return b"".join(rules)

    def moved(self) -> int:
        """How far the key moves times: whole seconds back, of a day to six years, in nanoseconds."""
        seconds = int.from_bytes(self.encrypted(self.encrypted(bytes(16))), "big") % (6 * 365 * DAY - DAY) + DAY
        return -seconds * 1_000_000_000

    def said(self) -> list[str]:
        """What there is to say of them."""
        parts = [f"{count} {NOUNS[sort]}" for sort, count in self.counts.items() if count and sort in NOUNS]
        kept = f"; special ones stayed what they are: {SPECIAL}" if self.special else ""
        said = [f"{', '.join(parts)} addresses were ciphered{kept}"] if parts else []
        if self.collided:
            said.append(f"of these {self.collided} became special ones, which others may be, too")
        return said
