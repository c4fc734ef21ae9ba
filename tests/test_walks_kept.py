"""The Python codec keeps walks by what they asked of a frame: what is found so is what a walk step by step finds."""

from __future__ import annotations

import random

import pytest
from samples import frames

from pkttools.codec.python import headers
from pkttools.codec.python.headers import Walk, _Steps
from pkttools.codec.python.protocols import known

PORTS = (b"\0\x35", b"\x12\xb5", b"\x12\xb6", b"\x07\x14", b"\x08\x68", b"\x17\xc1", b"\x01\xbb", b"\x9c\x40")


def found(walked: Walk | _Steps) -> tuple[object, ...]:
    """All that there is to say of a walk."""
    shown = [(h.kind, h.start, h.data, h.end) for h in walked.headers]
    return shown, walked.partial, walked.beyond, walked.quoted, walked.resumed, walked.quote_end


@pytest.mark.parametrize("seed", range(2))
def test_frames_that_differ_little(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bits by chance, numbers that announce something put in and taken out; few walks may be kept, so that some are forgotten."""
    monkeypatch.setattr(headers, "MOST_KEPT", 150)
    known().trails.clear()
    dice, samples, again = random.Random(seed), [one for one in frames() if one[1]], 0
    for _ in range(2000):
        linktype, frame = dice.choice(samples[:: dice.choice((1, 9))])
        changed = bytearray(frame[: dice.choice((len(frame), len(frame), dice.randrange(len(frame) + 1)))])
        for _ in range(dice.randrange(3)):
            at = dice.randrange(min(len(changed), 60)) if changed else 0
            value = dice.choice(PORTS) if dice.randrange(2) else bytes([changed[at] ^ 1 << dice.randrange(8)]) if changed else b""
            changed[at : at + len(value)] = value[: len(changed) - at]
        for everything in (True, False):
            before = known().kept
            walked = Walk(bytes(changed), linktype, everything)
            again += known().kept == before
            assert found(walked) == found(_Steps(bytes(changed), linktype, everything)), (linktype, changed.hex())
    assert again > 700  # most were kept


def test_frames_of_one_stream_are_walked_once() -> None:
    """Whatever their addresses, times and ports are."""
    known().trails.clear()
    linktype, frame = next(
        (linktype, frame) for linktype, frame in frames() if linktype == 1 and frame[12:14] == b"\x08\0" and frame[23] == 17
    )
    before, dice = known().kept, random.Random(1)
    for port in range(40_000, 40_200):
        Walk(frame[:26] + dice.randbytes(8) + port.to_bytes(2, "big") + frame[36:], linktype, False)
    assert known().kept - before == 1


def test_walks_are_kept_while_another_thread_looks_for_one() -> None:
    """The keys of a dict must not become more while somebody goes through them."""
    known().trails.clear()
    frame = b"\2" * 12 + b"\x08\0" + bytes(60)
    Walk(frame, 1)
    key, trails = next(iter(known().trails.items()))
    looking = iter(trails.items())
    Walk(b"\2" * 12 + b"\x81\0" + bytes(60), 1)
    assert (len([*looking]), len(known().trails[key])) == (1, 2)
