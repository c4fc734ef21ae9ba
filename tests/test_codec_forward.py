"""Where a learning bridge sends frames: the codec's function beside a simple model, and the rules one by one."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pkttools.batch import Packet, gathered

A, B, C = (bytes([2, 0, 0, 0, 0, n]) for n in (10, 11, 12))
ALL, GROUP, BPDU = b"\xff" * 6, bytes.fromhex("01005e000001"), bytes.fromhex("0180c2000000")
PORTS = bytes([0, 1, 2])
ROOM = 100


def batch(*frames: bytes):
    return gathered(Packet(frame, len(frame), 0, 1) for frame in frames)


def frame(to: bytes, by: bytes, number: int = 0) -> bytes:
    return to + by + b"\x88\xb5" + bytes([number])


def numbers(rows: bytearray, made) -> list[int]:
    """The last bytes of the frames of rows."""
    columns = memoryview(rows).cast("q").tolist() if rows else []
    return [made.data[at + size - 1] for at, size in zip(columns[::7], columns[1::7], strict=True)]


def go(codec, table, source, *frames, room=ROOM, now=1000, ports=PORTS):
    made = batch(*frames)
    outs, passed, counts = codec.forward(made.data, made.rows, table, room, source, now, ports)
    assert all(isinstance(rows, bytearray) for rows in [*outs, passed])
    named = dict(zip(("flooded", "filtered", "reserved", "short", "moved", "full"), counts, strict=True))
    return [numbers(rows, made) for rows in outs], numbers(passed, made), {name: n for name, n in named.items() if n}


def test_unknown_is_flooded_and_known_goes_to_one(codec):
    table = {}
    assert go(codec, table, 0, frame(B, A, 1)) == ([[], [1], [1]], [1], {"flooded": 1})
    assert table == {A: 1000 << 8 | 0}
    assert go(codec, table, 1, frame(A, B, 2)) == ([[2], [], []], [2], {})
    assert go(codec, table, 0, frame(B, A, 3), frame(C, A, 4), frame(B, A, 5)) == ([[], [3, 4, 5], [4]], [3, 4, 5], {"flooded": 1})


def test_what_is_for_where_it_came_from_goes_nowhere(codec):
    table = {B: 0}
    assert go(codec, table, 0, frame(B, A)) == ([[], [], []], [], {"filtered": 1})
    assert go(codec, table, 2, frame(C, C)) == ([[], [], []], [], {"filtered": 1})  # it learnt that by this frame itself


def test_a_station_that_moves_is_followed(codec):
    table = {A: 500 << 8 | 1}
    assert go(codec, table, 0, frame(A, B, 1), frame(B, A, 2), frame(A, B, 3))[2] == {"filtered": 2, "moved": 1}
    assert table == {A: 1000 << 8, B: 1000 << 8}


def test_it_is_seen_again(codec):
    table = {A: 500 << 8 | 2}
    assert go(codec, table, 2, frame(ALL, A), now=777)[2] == {"flooded": 1}
    assert table == {A: 777 << 8 | 2}


@pytest.mark.parametrize("by", [ALL, GROUP, bytes(6), bytes([1, 0, 0, 0, 0, 0])], ids=bytes.hex)
def test_groups_and_zero_are_not_learnt(codec, by):
    table = {}
    assert go(codec, table, 0, frame(C, by, 7))[0] == [[], [7], [7]]
    assert table == {}


def test_groups_are_flooded_even_if_one_got_into_the_table(codec):
    assert go(codec, {GROUP: 1}, 0, frame(GROUP, A, 7), frame(ALL, A, 8))[0] == [[], [7, 8], [7, 8]]


@pytest.mark.parametrize(("last", "dropped"), [(0, True), (0x0E, True), (0x0F, True), (0x10, False)])
def test_what_is_for_bridges_goes_nowhere(codec, last, dropped):
    table = {}
    outs, passed, counts = go(codec, table, 0, frame(BPDU[:5] + bytes([last]), A, 7))
    assert (outs, passed, counts) == (([[], [], []], [], {"reserved": 1}) if dropped else ([[], [7], [7]], [7], {"flooded": 1}))
    assert table == {A: 1000 << 8}


def test_a_full_table_learns_no_more_and_forgets_none(codec):
    table = {}
    assert go(codec, table, 0, frame(ALL, A), frame(ALL, B), frame(ALL, C), frame(ALL, A), room=2)[2] == {"flooded": 4, "full": 1}
    assert go(codec, table, 1, frame(ALL, A), frame(C, A, 9), room=2)[0] == [[0, 9], [], [0, 9]]
    assert table == {A: 1000 << 8 | 1, B: 1000 << 8}
    assert go(codec, {}, 0, frame(ALL, A), room=0)[2] == {"flooded": 1, "full": 1}


def test_stumps_are_counted(codec):
    table = {}
    assert go(codec, table, 0, b"", A, A + B + b"\x08", frame(B, A, 4)) == ([[], [4], [4]], [4], {"flooded": 1, "short": 3})
    assert table == {A: 1000 << 8}


def test_one_port_and_none(codec):
    assert go(codec, {}, 0, frame(B, A), ports=bytes([0])) == ([[]], [], {"flooded": 1})
    assert go(codec, {}, 5, frame(B, A), ports=b"") == ([], [], {"flooded": 1})
    assert go(codec, {B: 9}, 0, frame(B, A)) == ([[], [], []], [], {})  # a port that is no more
    assert go(codec, {}, 0) == ([[], [], []], [], {})


@pytest.mark.parametrize(
    ("source", "room", "now", "ports"), [(-1, 1, 1, PORTS), (255, 1, 1, PORTS), (0, -1, 1, PORTS), (0, 1, -1, PORTS),
                                        (0, 1, 1 << 50, PORTS), (0, 1, 1, bytes([255])), (0, 1, 1, bytes(range(65)))],
)  # fmt: skip
def test_what_cannot_be(codec, source, room, now, ports):
    made = batch(frame(B, A))
    with pytest.raises(ValueError, match="no such port, room or time"):
        codec.forward(made.data, made.rows, {}, room, source, now, ports)


def test_packets_outside_of_their_batch(codec):
    made = batch(frame(B, A), frame(B, A))
    made.columns()[7] = len(made.data)
    with pytest.raises(ValueError, match="packet 1 lies outside of its batch"):
        codec.forward(made.data, made.rows, {}, 1, 0, 1, PORTS)
    with pytest.raises(ValueError, match="packet 1 lies outside of its batch"):
        codec.forward(made.data, made.rows, {}, 1, -1, 1, PORTS)  # said first, of two
    with pytest.raises(ValueError, match="rows are not whole packets"):
        codec.forward(made.data, made.rows[:-8], {}, 1, 0, 1, PORTS)
    made.data.append(0)  # BufferError if somebody still looked at it


def model(frames, table, room, source, now, ports):
    """The rules, a frame at a time, without any hurry."""
    outs, passed, counts, before = {port: [] for port in ports}, [], [0] * 6, None
    for i, data in enumerate(frames):
        if len(data) < 14:
            counts[3] += 1
            continue
        to, by = data[:6], data[6:12]
        again, before = by == before, by
        if not by[0] & 1 and by != bytes(6):
            if by in table:
                counts[4] += table[by] & 255 != source
                table[by] = now << 8 | source
            elif len(table) < room:
                table[by] = now << 8 | source
            else:
                counts[5] += not again  # a run of the same is counted once
        if BPDU <= to <= BPDU[:5] + b"\x0f":
            counts[2] += 1
            continue
        known = None if to[0] & 1 else table.get(to)
        if known is not None and known & 255 == source:
            counts[1] += 1
            continue
        counts[0] += known is None
        reached = [port for port in ports if port != source and (known is None or known & 255 == port)]
        for port in reached:
            outs[port].append(i)
        passed += [i] if reached else []
    return [outs[port] for port in ports], passed, tuple(counts)


MACS = st.sampled_from([A, B, C, ALL, GROUP, BPDU, bytes(6), bytes([2, 0, 0, 0, 0, 13])])
FRAMES = st.lists(st.one_of(st.builds(frame, MACS, MACS), st.binary(max_size=20)), max_size=30)


@settings(max_examples=150)
@given(turns=st.lists(st.tuples(st.integers(0, 4), FRAMES), max_size=4), room=st.integers(0, 5),
       ports=st.lists(st.integers(0, 4), unique=True).map(bytes))  # fmt: skip
@pytest.mark.parametrize("name", ["c", "python"])
def test_it_does_what_the_model_does(name, turns, room, ports):
    from conftest import load

    codec = load(name)
    ours, theirs = {}, {}
    for now, (source, frames) in enumerate(turns):
        made = batch(*frames)
        outs, passed, counts = codec.forward(made.data, made.rows, ours, room, source, now, ports)
        offsets = [made.columns()[i * 7] for i in range(len(made))]
        rows = [bytes(made.rows[i * 56 : i * 56 + 56]) for i in range(len(made))]
        wanted_outs, wanted_passed, wanted_counts = model(frames, theirs, room, source, now, ports)
        assert counts == wanted_counts
        assert [bytes(out) for out in outs] == [b"".join(rows[i] for i in chosen) for chosen in wanted_outs]
        assert bytes(passed) == b"".join(rows[i] for i in wanted_passed)
        assert ours == theirs and len(offsets) == len(frames)


def test_what_was_learnt_in_the_same_batch_counts_at_once(codec):
    """C comes in by port 0 and is asked for there by the next frame: nowhere to go, where it was unknown before."""
    assert go(codec, {}, 0, frame(C, A, 1), frame(B, C, 2), frame(C, A, 3)) == (
        [[], [1, 2], [1, 2]], [1, 2], {"flooded": 2, "filtered": 1},
    )  # fmt: skip


def test_what_was_learnt_while_the_same_address_is_asked_for(codec):
    """A looks for C, and then C for itself: what was found out about C a moment ago is not true any more."""
    assert go(codec, {}, 0, frame(C, A, 1), frame(C, C, 2)) == ([[], [1], [1]], [1], {"flooded": 1, "filtered": 1})


@pytest.mark.parametrize("address", [A, B], ids=["of the sender", "of the receiver"])
def test_a_table_of_something_else(codec, address):
    """What is wrong with the table is said, and nothing is held any longer."""
    made = batch(frame(B, A), frame(B, A))
    with pytest.raises(TypeError):
        codec.forward(made.data, made.rows, {address: "port"}, 9, 0, 1, PORTS)
    made.data.append(0)  # BufferError if somebody still looked at it
