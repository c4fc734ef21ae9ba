"""Octets of packets that are shaped alike: how far such a run goes, what is taken of it, and what is no table of places."""

from __future__ import annotations

import random
import struct
from types import ModuleType

import pytest
from conftest import load
from samples import ethernet, ipv4, ipv6, tags

from pkttools.batch import LINKTYPE, Batch, Packet, gathered, link_of

PING = ethernet(0x0800, ipv4(1, bytes([8, 0, 1, 2, 0, 7, 0, 1]) + b"abc"))
OTHER = ethernet(0x86DD, ipv6(58, bytes([128, 0, 1, 2, 0, 7, 0, 1])))


def places(*pairs: tuple[int, int]) -> bytes:
    return b"".join(struct.pack("=2q", *pair) for pair in pairs)


def batch(*frames: bytes, linktype: int = 1) -> Batch:
    return gathered(Packet(frame, len(frame), 0, linktype, b"NOTE: x\n") for frame in frames)


def changed(frame: bytes, at: int) -> bytes:
    return frame[:at] + bytes([frame[at] ^ 0x40]) + frame[at + 1 :]


def taken(codec: ModuleType, of: Batch, first: int = 0, same: bytes = b"", wanted: tuple = ((b"", places((0, 1 << 40))),)) -> list:
    return codec.octets_alike(of.data, of.rows, first, same, wanted)


def test_octets_behind_what_stands_in_front(codec):
    of = batch(PING, changed(PING, 27), changed(PING, 41))
    wanted = (b"\1\2", places((26, 30), (40, 42))), (b"", b""), (b"x", places((len(PING) - 2, 1 << 62), (500, 600), (7, 7)))
    found = taken(codec, of, wanted=wanted)
    assert found == [(b"\1\2" + frame[26:30] + frame[40:42], b"", b"xbc") for frame in (PING, changed(PING, 27), changed(PING, 41))]
    assert taken(codec, of, 2, wanted=()) == [()]


FRAGMENT, SHORTER = PING[:20] + b"\x20" + PING[21:], PING[:17] + bytes([PING[17] - 2]) + PING[18:]
TAGGED = ethernet(0x8100, tags([0x8100], 0x0800, PING[14:]))


@pytest.mark.parametrize("other", [
    OTHER, PING + b"\0", PING[:-1], TAGGED, changed(PING, 23), FRAGMENT, SHORTER, changed(PING, 34),
])  # fmt: skip
def test_a_run_ends_where_a_packet_is_shaped_otherwise(codec, other):
    """Another protocol, another size, a tag, a fragment, another length; or an octet that has to be the same."""
    of = batch(PING, PING, other, PING)
    same = places((34, 35))
    assert taken(codec, of, 0, same) == [(PING,)] * 2
    assert taken(codec, of, 2, same)[0] == (other,)
    assert taken(codec, of, 3, same) == [(PING,)]


def test_another_link_layer_ends_a_run_and_an_fcs_does_not_count(codec):
    of = batch(PING, PING)
    of.columns()[7 + LINKTYPE] = 105
    assert len(taken(codec, of)) == 1
    assert taken(codec, batch(PING + b"fcs!", linktype=link_of(1, 4))) == [(PING,)]


@pytest.mark.parametrize(("first", "same", "wanted", "said"), [
    (2, b"", (), "there is no such packet"), (-1, b"", (), "there is no such packet"),
    (0, bytes(8), (), "no table of places"), (0, b"", ((b"", bytes(15)),), "no table of places"),
    (0, places((-1, 4)), (), "no table of places"), (0, b"", ((b"", places((5, 4))),), "no table of places"),
    (0, b"", ((b"", b""),) * 17, "no table of places"),
])  # fmt: skip
def test_what_cannot_be_taken(codec, first, same, wanted, said):
    with pytest.raises(ValueError, match=said):
        taken(codec, batch(PING, PING), first, same, wanted)
    with pytest.raises(ValueError, match="lies outside of its batch"):
        codec.octets_alike(b"", batch(PING).rows, 0, b"", ())


def test_both_take_the_same():
    c, python = load("c"), load("python")
    dice = random.Random(3)
    lengths = set()
    for _ in range(300):
        model = dice.choice([PING, OTHER, PING[: dice.randrange(len(PING))]])
        frames = [
            model,
            *(changed(model, dice.randrange(len(model))) if model and dice.random() < 0.4 else model for _ in range(6)),
        ]

        def some(most: int) -> bytes:
            return places(*(sorted(dice.choices(range(70), k=2)) for _ in range(dice.randrange(most))))

        of, same, wanted = batch(*frames), some(3), tuple((dice.randbytes(2), some(4)) for _ in range(dice.randrange(4)))
        both = [taken(codec, of, 0, same, wanted) for codec in (c, python)]
        assert both[0] == both[1]
        lengths.add(len(both[0]))
    assert len(lengths) > 3
