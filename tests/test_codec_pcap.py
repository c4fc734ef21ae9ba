"""Records of pcap files, on both codecs."""

from __future__ import annotations

import struct

import pytest

from pkttools.batch import MAX_BATCH, MAX_FRAME, ROW_BYTES
from pkttools.errors import HEADER_CUT, RECORD_CUT, RECORD_TOO_LONG

SECOND = 1_000_000_000
ORDERS = pytest.mark.parametrize("big", [True, False], ids=["big", "little"])
UNITS = pytest.mark.parametrize("nano", [True, False], ids=["nano", "micro"])

FRAMES = [b"", b"a", b"twelve bytes", bytes(range(256)) * 3]


def record(big: bool, seconds: int, fraction: int, captured: int, original: int, rest: bytes = b"") -> bytes:
    return struct.pack((">" if big else "<") + "IIII", seconds, fraction, captured, original) + rest


def rows_of(packets: list[tuple[bytes, int, int, int]]) -> tuple[bytearray, bytes]:
    """A batch of (bytes, original size, time, link type)."""
    data, rows = bytearray(b"in front"), b""
    for frame, original, time, linktype in packets:
        rows += struct.pack("=7q", len(data), len(frame), original, time, linktype, 0, 0)
        data += frame
    return data, rows


def read(rows: bytes) -> list[tuple[int, ...]]:
    return list(struct.iter_unpack("=7q", rows))


@ORDERS
@UNITS
@pytest.mark.parametrize("header", [16, 24])
def test_decode(codec, big, nano, header):
    """Kuznetzov's records have 8 bytes more in the header: interface, protocol, packet type."""
    text = bytearray(b"#" * 24)
    for i, frame in enumerate(FRAMES):
        text += record(big, 1_700_000_000 + i, 123_456, len(frame), 1514, bytes(header - 16) + frame)
    consumed, rows, error = codec.pcap_decode(text, 24, len(text), True, big, nano, header, 0, 113)
    assert (consumed, error) == (len(text), None)
    found = read(rows)
    assert [bytes(text[at : at + size]) for at, size, *_ in found] == FRAMES
    fraction = 123_456 if nano else 123_456_000
    assert [row[2:] for row in found] == [(1514, (1_700_000_000 + i) * SECOND + fraction, 113, 0, 0) for i in range(4)]


def test_many_small_ones(codec):
    """Of which there are more than there is room for at first; they lie where they are in the whole."""
    text = bytearray(b"#" * 7) + b"".join(record(False, i, 0, i % 3, i % 3, b"abc"[: i % 3]) for i in range(1000))
    consumed, rows, error = codec.pcap_decode(text, 7, len(text), True, False, False, 16, 0, 1)
    assert (consumed, error) == (len(text), None)
    found = read(rows)
    assert [(row[1], row[3] // SECOND) for row in found] == [(i % 3, i) for i in range(1000)]
    assert all(found[i + 1][0] == found[i][0] + i % 3 + 16 for i in range(999)) and found[0][0] == 23


@pytest.mark.parametrize(
    ("seconds", "fraction", "nano", "time"),
    [(0, 0, False, 0), (2**31, 1, False, 2**31 * SECOND + 1000), (2**32 - 1, 999_999, False, (2**32 - 1) * SECOND + 999_999_000),
     (2**32 - 1, 999_999_999, True, 2**32 * SECOND - 1), (5, 1_000_000, False, 6 * SECOND),
     (5, 2**32 - 1, True, 5 * SECOND + 2**32 - 1),
     (5, 2**32 - 1, False, 5 * SECOND + (2**32 - 1) * 1000)],
)  # fmt: skip
def test_times(codec, seconds, fraction, nano, time):
    """Up to 2106; a fraction of a second or more is carried on, not cut."""
    [row] = read(codec.pcap_decode(bytearray(record(True, seconds, fraction, 0, 0)), 0, 16, True, True, nano, 16, 0, 1)[1])
    assert row[3] == time


@ORDERS
@pytest.mark.parametrize("header", [16, 24])
def test_every_split(codec, big, header):
    """What is not complete is left for the next call; at the end of the stream it is an error with what is there."""
    whole = bytearray()
    ends = [0]
    for frame in FRAMES[:3]:
        whole += record(big, 1, 2, len(frame), len(frame), bytes(header - 16) + frame)
        ends.append(len(whole))
    for cut in range(len(whole) + 1):
        begin = max(end for end in ends if end <= cut)
        assert codec.pcap_decode(whole, 0, cut, False, big, False, header, 0, 1)[::2] == (begin, None)
        consumed, rows, error = codec.pcap_decode(whole, 0, cut, True, big, False, header, 0, 1)
        assert (consumed, len(rows) // ROW_BYTES) == (begin, ends.index(begin))
        have = cut - begin
        if have == 0:
            assert error is None
        elif have < header:
            assert error == (HEADER_CUT, have, header)
        else:
            assert error == (RECORD_CUT, have - header, len(FRAMES[ends.index(begin)]))


@ORDERS
@pytest.mark.parametrize("captured", [MAX_FRAME + 1, 2**31 - 1, 2**31, 2**31 + 1, 2**32 - 1])
@pytest.mark.parametrize("final", [True, False])
def test_too_long(codec, big, captured, final):
    """Known from the length alone, before anything of it is waited for."""
    good = record(big, 1, 2, 3, 3, b"abc")
    text = bytearray(good + record(big, 1, 2, captured, captured, b"x" * 100))
    consumed, rows, error = codec.pcap_decode(text, 0, len(text), final, big, False, 16, 0, 1)
    assert (consumed, len(rows), error) == (len(good), ROW_BYTES, (RECORD_TOO_LONG, captured, MAX_FRAME))


def test_longest(codec):
    text = bytearray(record(False, 1, 2, MAX_FRAME, 2**32 - 1, bytes(MAX_FRAME)))
    consumed, rows, error = codec.pcap_decode(text, 0, len(text), True, False, False, 16, 0, 1)
    assert (consumed, error, read(rows)[0][:3]) == (len(text), None, (16, MAX_FRAME, 2**32 - 1))


@ORDERS
@UNITS
def test_encode(codec, big, nano):
    time = 1_700_000_000 * SECOND + 123_456_000
    records, stop, lost = codec.pcap_encode(*rows_of([(frame, 1514, time, 1) for frame in FRAMES]), 0, big, nano)
    fraction = 123_456_000 if nano else 123_456
    assert records == b"".join(record(big, 1_700_000_000, fraction, len(frame), 1514, frame) for frame in FRAMES)
    assert (stop, lost) == (4, 0)


def standing(codec, big, nano, packets=FRAMES, header=16):
    """A batch as it is read from records, behind a byte that is none of them."""
    fraction = 123_456_789 if nano else 123_456
    data = bytearray(b"x" + b"".join(record(big, 9, fraction, len(f), 1514, bytes(header - 16) + f) for f in packets))
    return data, codec.pcap_decode(data, 1, len(data), True, big, nano, header, 0, 1)[1]


@ORDERS
@UNITS
def test_records_that_stand_there_are_not_made_anew(codec, big, nano):
    """What was read and only changed in its bytes is written from where it was read."""
    data, rows = standing(codec, big, nano)
    data[-1] ^= 0xFF
    assert codec.pcap_encode(data, rows, 0, big, nano) == (data[1:], 4, 0)
    for first in range(4):
        records, stop, _ = codec.pcap_encode(data, rows, first, big, nano)
        assert isinstance(records, memoryview)
        assert records.obj is data
        assert (records, stop) == (data[1 + 16 * first + sum(map(len, FRAMES[:first])) :], 4)
    assert codec.pcap_encode(data, rows, 4, big, nano) == (b"", 4, 0)


@ORDERS
@UNITS
@pytest.mark.parametrize("column", [0, 1, 2, 3])
def test_records_that_are_others_by_now_are_made_anew(codec, big, nano, column):
    """Of one packet place, size, size on the wire or time are others: all that the call writes is made."""
    for i in range(len(FRAMES)):
        data, rows = standing(codec, big, nano, [b"long enough", *FRAMES[1:]])
        memoryview(rows).cast("q")[7 * i + column] -= 1000 if column == 3 else 1
        wanted = b""
        for at, size, original, time, *_ in read(rows):
            seconds, fraction = divmod(time, SECOND)
            wanted += record(big, seconds, fraction if nano else fraction // 1000, size, original, bytes(data[at : at + size]))
        records, stop, lost = codec.pcap_encode(data, rows, 0, big, nano)
        assert isinstance(records, bytes)
        assert (records, stop, lost) == (wanted, 4, 0)


@ORDERS
def test_records_of_another_form_are_made_anew(codec, big):
    """Another order of bytes, another unit, Kuznetzov's longer header, packets in another order or left out."""
    frame = bytes(range(100))
    data, rows = standing(codec, big, False, [frame] * 3)
    plain = record(big, 9, 123_456, 100, 1514, frame)
    assert codec.pcap_encode(data, rows, 0, not big, False)[0] == record(not big, 9, 123_456, 100, 1514, frame) * 3
    assert codec.pcap_encode(data, rows, 0, big, True)[0] == record(big, 9, 123_456_000, 100, 1514, frame) * 3
    assert codec.pcap_encode(*standing(codec, big, False, [frame] * 3, 24), 0, big, False)[0] == plain * 3
    data[40] ^= 1  # in the first one: it is another one by now
    changed = bytes(data[1:117])
    first, second, third = (bytes(rows[i : i + ROW_BYTES]) for i in range(0, len(rows), ROW_BYTES))
    for order, wanted in ((second + first, plain + changed), (first + third, changed + plain), (second + third, plain * 2)):
        assert codec.pcap_encode(data, order, 0, big, False)[:2] == (wanted, 2)


def test_lost_digits_are_counted(codec):
    batch = rows_of([(b"", 0, time, 1) for time in (0, 1, 999, 1000, 1001, SECOND, SECOND + 500)])
    records, _, lost = codec.pcap_encode(*batch, 0, False, False)
    assert lost == 4
    assert [row[:2] for row in struct.iter_unpack("<IIII", records)] == [(0, 0), (0, 0), (0, 0), (0, 1), (0, 1), (1, 0), (1, 0)]
    assert codec.pcap_encode(*batch, 0, False, True)[2] == 0
    assert codec.pcap_encode(*batch, 5, False, False)[1:] == (7, 1)


@pytest.mark.parametrize("time", [2**32 * SECOND, 9_223_372_035_999_999_999])
def test_times_beyond_2106_are_not_written(codec, time):
    last = 2**32 * SECOND - 1000
    batch = rows_of([(b"a", 1, last, 1), (b"b", 1, time, 1), (b"c", 1, 0, 1)])
    assert codec.pcap_encode(*batch, 0, True, False) == (record(True, 2**32 - 1, 999_999, 1, 1, b"a"), 1, 0)
    assert codec.pcap_encode(*batch, 1, True, False) == (b"", 1, 0)
    assert codec.pcap_encode(*batch, 2, True, False) == (record(True, 0, 0, 1, 1, b"c"), 3, 0)


def test_a_call_writes_one_link_type(codec):
    batch = rows_of([(b"a", 1, 0, 1), (b"b", 1, 0, 1), (b"c", 1, 0, 113), (b"d", 1, 0, 1)])
    assert [codec.pcap_encode(*batch, first, True, False)[1] for first in range(5)] == [2, 2, 3, 4, 4]


def test_a_call_writes_some_megabytes(codec):
    data, rows = rows_of([(bytes(60_000), 60_000, 1, 1)])
    rows *= 200
    first, calls = 0, 0
    while first < 200:
        records, first, lost = codec.pcap_encode(data, rows, first, True, False)
        assert len(records) < 3 * MAX_BATCH
        assert lost == len(records) // 60_016
        calls += 1
    assert calls > 1
