"""Crypto-PAn, on both codecs: the published vectors, prefixes that are kept, and special addresses that stay what they are."""

from __future__ import annotations

import random
import sys
from ipaddress import ip_address
from struct import iter_unpack, pack
from types import ModuleType

import pytest

from pkttools.errors import PktError
from pkttools.protocols.places import ADDRESS4, ADDRESS6, PORT, STATION, VLAN, WIDTHS
from pkttools.work import cryptopan
from pkttools.work.cryptopan import HALF, QUESTION, CryptoPan

# That of the reference implementation.
KEY = bytes([21, 34, 23, 141, 51, 164, 207, 128, 19, 10, 91, 22, 73, 144, 125, 16,
             216, 152, 143, 131, 121, 121, 101, 39, 98, 87, 76, 45, 42, 132, 34, 2])  # fmt: skip
PUBLISHED = {
    "128.11.68.132": "135.242.180.132", "129.118.74.4": "134.136.186.123", "130.132.252.244": "133.68.164.234",
    "141.223.7.43": "141.167.8.160", "24.0.250.221": "100.15.198.226",
}  # fmt: skip
# Of traceanon and yacryptopan, which agree.
OTHERS = {
    "192.0.2.1": "252.255.2.112", "0.0.0.0": "120.255.240.1",
    "::1": "78ff:f001:9fc0:20df:8380:b1f1:704:ed", "2001:db8::1": "4401:2bc:603f:d91d:27f:ff8e:e6f1:dc1e",
    "2001:db8::2": "4401:2bc:603f:d91d:27f:ff8e:e6f1:dc1c", "fe80::1": "cf7f:c0e:1fc3:da1c:70:b18e:f7f3:2101",
}  # fmt: skip
SPECIAL = {
    "0.0.0.0": "0.0.0.0", "127.0.0.1": "127.0.0.1", "224.0.0.251": "224.0.0.251", "239.255.255.250": "239.255.255.250",
    "255.255.255.255": "255.255.255.255", "169.254.1.2": "169.254.2.13", "::": "::", "::1": "::1", "ff02::1": "ff02::1",
    "ff05::1:3": "ff05::1:3", "fe80::1": "fe80::70:b18e:f7f3:2101", "ff3e::8000:1": "ff3e::8000:1",
    # A group within a prefix (RFC 3306): the prefix becomes another one.
    "ff3e:40:2001:db8::1234:5678": "ff3e:40:2001:2dc3:e07f:fff1:1234:5678",
    "ff02::1:ff12:3456": "ff02::1:ffea:f589",
}  # fmt: skip


@pytest.fixture(autouse=True)
def used(codec: ModuleType, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    pytest.importorskip("cryptography", reason="cryptography is not installed")
    monkeypatch.setattr(cryptopan, "codec", codec)
    return codec


def asked(numbers: list[tuple[int, int]]) -> bytes:
    return b"".join(pack(QUESTION, sort, number >> 64, number & HALF) for sort, number in numbers)


def ciphered(numbers: list[tuple[int, int]], **options: bool) -> list[int]:
    """What numbers of sorts become."""
    rules = [*iter_unpack("=4q6Q", CryptoPan(KEY, **options).answer(asked(numbers)))]
    assert [(rule[0], rule[4] << 64 | rule[5]) for rule in rules] == numbers
    assert all(rule[1:4] == (7, WIDTHS[rule[0]], 0) and rule[8:] == (0, 0) for rule in rules)
    return [rule[6] << 64 | rule[7] for rule in rules]


def addresses(words: list[str], **options: bool) -> list[str]:
    found = [ip_address(word) for word in words]
    made = ciphered([(ADDRESS4 if address.version == 4 else ADDRESS6, int(address)) for address in found], **options)
    return [str(type(address)(number)) for address, number in zip(found, made, strict=True)]


def test_vectors() -> None:
    assert addresses([*PUBLISHED]) == [*PUBLISHED.values()]
    assert addresses([*PUBLISHED, *OTHERS], special=False) == [*PUBLISHED.values(), *OTHERS.values()]


def test_special_addresses_stay_what_they_are() -> None:
    assert addresses([*SPECIAL]) == [*SPECIAL.values()]


def test_stations() -> None:
    given = [0x3333FF123456, 0x333300000001, 0x01005E0000FB, 0xFFFFFFFFFFFF, 0, 0x001122334455, 0x001122334466, 0x021122334455]
    plain, by_vendor = (ciphered([(STATION, one) for one in given], vendors=vendors) for vendors in (False, True))
    assert plain[:5] == by_vendor[:5] == [0x3333FFEAF589, *given[1:5]]  # as the group ff02::1:ff12:3456 does
    assert {number >> 24 for number in by_vendor[5:7]} == {0x001122} and plain[5] >> 24 != 0x001122
    assert plain[5] >> 40 & 3 == 0 and plain[7] == by_vendor[7] and plain[7] >> 40 & 3 == 2  # it has no vendor
    assert plain[5] >> 8 == plain[6] >> 8 and plain[5] != plain[6]


@pytest.mark.parametrize("sort", [ADDRESS4, ADDRESS6, STATION, PORT, VLAN])
def test_prefixes_are_kept_and_no_two_become_the_same(sort: int) -> None:
    rng, width = random.Random(16), WIDTHS[sort]
    given = [rng.getrandbits(width) for _ in range(40)]
    given += [number ^ 1 << rng.randrange(width) for number in given]
    made = ciphered([(sort, number) for number in given], special=False)
    assert len(set(made)) == len(set(given))
    for at, one in enumerate(given):
        for other in range(at):
            if sort != STATION:  # of these two bits stay
                assert (one ^ given[other]).bit_length() == (made[at] ^ made[other]).bit_length()


def test_what_becomes_special_is_told() -> None:
    cipher = CryptoPan(KEY)
    cipher.answer(asked([(ADDRESS4, number << 24) for number in range(256)]))
    # A sixteenth of all is in 224.0.0.0/4 afterwards; what these are has stayed.
    assert 8 <= cipher.collided <= 18 and f"of these {cipher.collided} became special" in cipher.said()[1]
    whole = CryptoPan(KEY, special=False)
    whole.answer(asked([(ADDRESS4, number << 24) for number in range(256)]))
    assert whole.collided == 0 and "special" not in "".join(whole.said())


def test_both_codecs_say_the_same(both: tuple[ModuleType, ModuleType]) -> None:
    rng = random.Random(7)
    sorts, exceptions = CryptoPan(KEY).sorts, CryptoPan(KEY, vendors=True).exceptions
    numbers = [
        (sort := rng.randrange(5), rng.getrandbits(WIDTHS[sort]) >> rng.choice((0, 0, WIDTHS[sort] // 2))) for _ in range(300)
    ]
    questions = asked(numbers)
    blocks, others = (codec.cryptopan_blocks(questions, sorts, exceptions) for codec in both)
    assert blocks == others
    encrypted = rng.randbytes(len(blocks))
    made = [codec.cryptopan_rules(questions, encrypted, sorts, exceptions) for codec in both]
    assert made[0] == made[1]


def test_what_is_not_sound_is_refused(used: ModuleType) -> None:
    sorts, one = CryptoPan(KEY).sorts, asked([(ADDRESS4, 1)])
    for questions, of, exceptions in ((one[1:], sorts, b""), (one, sorts[1:], b""), (asked([(5, 1)]), sorts, b""), (one, b"", b""),
                                      (asked([(-1, 1)]), sorts, b""), (one, pack("=q16s", 129, b""), b""),
                                      (one, sorts, pack("=2q8Q", 1, 0, *range(8))), (one, sorts, b"1")):  # fmt: skip
        with pytest.raises(ValueError, match="numbers, sorts or exceptions are not sound"):
            used.cryptopan_blocks(questions, of, exceptions)
        with pytest.raises(ValueError, match="numbers, sorts or exceptions are not sound"):
            used.cryptopan_rules(questions, bytes(512), of, exceptions)
    with pytest.raises(ValueError, match="these are not the blocks of the numbers"):
        used.cryptopan_rules(one, bytes(511), sorts, b"")


def test_without_the_package_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.ciphers", None)
    with pytest.raises(PktError, match=r"--anonymise takes cryptography \(.*\): .* -m pip install cryptography$"):
        CryptoPan(KEY)
