"""Blocks of a TPACKET_V3 ring, built here byte by byte: what is read in them, and that nothing in them is believed."""

from __future__ import annotations

import errno
import random
import struct
from importlib import import_module

import pytest

from pkttools.batch import CAPTURED, LINKTYPE, NOTES, NOTES_SIZE, OFFSET, ORIGINAL, TIME, Batch

CSUMNOTREADY, VLAN_VALID, VLAN_TPID_VALID = 0x08, 0x10, 0x40
HOST, OUTGOING = 0, 4
SIZE, HEAD, HEADER = 4096, 48, 68  # bytes of a block, of what it begins with, of what every packet begins with
MAC = 86  # where a packet's bytes begin, as the kernel does it with 4 bytes of PACKET_RESERVE
BOTH, NOTES_AT = (True, True), (0, 0, 0, 0)


def header(frame: bytes, after: int, *, seconds: int = 1, nanoseconds: int = 0, captured: int | None = None,
           original: int | None = None, status: int = 0, mac: int = MAC, tag: int = 0, ethertype: int = 0,
           kind: int = HOST, hardware: int = 1, protocol: int = 0, address: bytes = bytes(6)) -> bytes:  # fmt: skip
    """What stands before a packet's bytes: struct tpacket3_hdr, struct sockaddr_ll, and the kernel's gap."""
    captured = len(frame) if captured is None else captured
    original = captured if original is None else original
    head = struct.pack("=6IHHIIHH8x", after, seconds, nanoseconds, captured, original, status | 1, mac, 100, 0, tag, ethertype, 0)
    head += struct.pack("=H2siHBB8s", 17, protocol.to_bytes(2), 2, hardware, kind, len(address), address[:8])
    return head.ljust(MAC, b"\0")


def block(
    *packets: tuple[bytes, dict], status: int = 1, count: int | None = None, first: int = HEAD, size: int = SIZE
) -> bytearray:
    """A block of packets: bytes, and what their headers are to say."""
    body = bytearray()
    for i, (frame, said) in enumerate(packets):
        length = (MAC + len(frame) + 15) // 16 * 16
        after = said.get("after", length if i + 1 < len(packets) else 0)
        body += (header(frame, after, **{k: v for k, v in said.items() if k != "after"}) + frame).ljust(length, b"\0")
    number = len(packets) if count is None else count
    head = struct.pack("=IIIIIIQIIII", 2, 48, status, number, first, HEAD + len(body), 1, 0, 0, 0, 0)
    made = bytearray(head + body)
    assert len(made) <= size
    return made + bytes(size - len(made))


def read(kernel, ring, at=0, size=SIZE, wanted=BOTH, linktype=1, cooked=False, limit=262144, nano=True, notes=NOTES_AT):
    """The rows of a block as lists of columns, those of unfinished checksums, and the number of packets."""
    rows, unfinished, count, _ = kernel.ring_read(ring, at, size, wanted, linktype, cooked, limit, nano, notes)
    assert isinstance(rows, bytearray) and isinstance(unfinished, bytearray)
    return table(rows), table(unfinished), count


def table(rows: bytearray) -> list[list[int]]:
    columns = Batch(bytearray(), rows).columns().tolist()
    return [columns[i : i + 7] for i in range(0, len(columns), 7)]


def shown(ring, row) -> bytes:
    return bytes(ring[row[OFFSET] : row[OFFSET] + row[CAPTURED]])


FRAME = bytes(range(60))


def test_whose_times_they_are(kernel):
    """Those of the card are counted, of what is wanted."""
    by_card, by_kernel = 1 << 31, 1 << 29  # TP_STATUS_TS_RAW_HARDWARE, TP_STATUS_TS_SOFTWARE
    ring = block((FRAME, {"status": by_card}), (FRAME, {"status": by_kernel}), (FRAME, {"status": by_card, "kind": 4}), (FRAME, {}))
    for wanted, count in ((BOTH, 2), ((True, False), 1)):
        assert kernel.ring_read(ring, 0, SIZE, wanted, 1, False, 262144, True, NOTES_AT)[3] == count


def test_packets_of_a_block(kernel):
    others = [bytes([i]) * (20 + 13 * i) for i in range(5)]
    ring = block(*((frame, {"seconds": 1000 + i, "nanoseconds": 123456789}) for i, frame in enumerate(others)))
    before = bytes(ring)
    rows, unfinished, count = read(kernel, ring, linktype=101)
    assert count == 5 and unfinished == []
    assert [shown(ring, row) for row in rows] == others
    assert [row[TIME] for row in rows] == [(1000 + i) * 1_000_000_000 + 123456789 for i in range(5)]
    assert [row[ORIGINAL] for row in rows] == [len(frame) for frame in others]
    assert {row[LINKTYPE] for row in rows} == {101}
    assert ring == before


def test_microseconds(kernel):
    ring = block((FRAME, {"seconds": 4294967295, "nanoseconds": 999999999}))
    assert read(kernel, ring, nano=False)[0][0][TIME] == 4294967295_999999000
    assert read(kernel, ring)[0][0][TIME] == 4294967295_999999999


def test_blocks_elsewhere_in_the_ring(kernel):
    ring = bytearray(64) + block((FRAME, {})) + block((FRAME[::-1], {}))
    assert shown(ring, read(kernel, ring, 64)[0][0]) == FRAME
    assert shown(ring, read(kernel, ring, 64 + SIZE)[0][0]) == FRAME[::-1]


def test_the_kernels_block_is_not_read(kernel):
    ring = block((FRAME, {}), status=0)
    with pytest.raises(BlockingIOError) as caught:
        read(kernel, ring)
    assert caught.value.errno == errno.EAGAIN
    ring = block((FRAME, {}), status=0x21)  # handed over because its time was up
    assert len(read(kernel, ring)[0]) == 1


def test_give_back(kernel):
    ring = block((FRAME, {}), status=0x21) * 2
    kernel.ring_give(ring, SIZE)
    assert ring == block((FRAME, {}), status=0x21) + block((FRAME, {}), status=0)
    with pytest.raises(BlockingIOError):
        read(kernel, ring, SIZE)


def test_take(kernel):
    ring = block((FRAME, {}), (FRAME[::-1], {})) * 2
    taken = kernel.ring_take(ring, SIZE, SIZE)
    assert isinstance(taken, bytearray)
    assert taken == ring[: HEAD + 2 * 160]
    assert [shown(taken, row) for row in read(kernel, taken, 0, len(taken))[0]] == [FRAME, FRAME[::-1]]
    with pytest.raises(BlockingIOError):
        kernel.ring_take(ring, SIZE, SIZE)
    assert len(read(kernel, ring)[0]) == 2


@pytest.mark.parametrize("used", [0, HEAD, SIZE + 1, 0xFFFFFFFF])
def test_take_what_cannot_be(kernel, used):
    ring = block((FRAME, {})) * 2
    ring[20:24] = used.to_bytes(4, "little")
    before = bytes(ring)
    with pytest.raises(OSError) as caught:
        kernel.ring_take(ring, 0, SIZE)
    assert caught.value.errno == errno.EBADMSG
    assert ring == before
    with pytest.raises(ValueError, match="block lies outside of the ring"):
        kernel.ring_take(ring, SIZE, SIZE + 1)


def test_directions_and_their_lines(kernel):
    ring = block(*((bytes([i]) * 30, {"kind": kind}) for i, kind in enumerate((0, 4, 1, 4, 2, 3))))
    for wanted, numbers in (((True, False), [0, 2, 4, 5]), ((False, True), [1, 3]), (BOTH, range(6)), ((False, False), [])):
        rows, _, count = read(kernel, ring, wanted=wanted, notes=(7, 8, 9, 10))
        assert count == 6
        assert [shown(ring, row)[0] for row in rows] == list(numbers)
        assert [(row[NOTES], row[NOTES_SIZE]) for row in rows] == [(9, 10) if i in (1, 3) else (7, 8) for i in numbers]
    assert [row[NOTES] for row in read(kernel, ring + ring, SIZE, notes=(7, 8, 9, 10))[0]][:2] == [SIZE + 7, SIZE + 9]


@pytest.mark.parametrize("size", [60, 14, 12, 11, 1, 0])
@pytest.mark.parametrize(("status", "ethertype"), [(VLAN_VALID, 0x8100), (VLAN_VALID | VLAN_TPID_VALID, 0x88A8)])
def test_tags_are_put_back(kernel, size, status, ethertype):
    frame = FRAME[:size]
    said = {"status": status, "ethertype": 0x88A8, "tag": 0x602A, "mac": MAC - 14}
    ring = block((b"", {}), (b"x" * 14 + frame, {**said, "captured": size, "mac": MAC + 14}))
    row = read(kernel, ring)[0][1]
    assert shown(ring, row) == frame[:12] + struct.pack("!HH", ethertype, 0x602A) + frame[12:]
    assert row[ORIGINAL] == size + 4


LINK = {"hardware": 778, "protocol": 0x86DD, "kind": OUTGOING}


@pytest.mark.parametrize("address", [b"", b"\x0a\0\0\1", bytes(range(6)), bytes(range(16))], ids=len)
def test_packets_of_a_cooked_socket_get_a_header(kernel, address):
    ring = block((FRAME, {}), (FRAME[::-1], {**LINK, "address": address}))
    first, row = read(kernel, ring, linktype=113, cooked=True)[0]
    assert shown(ring, first) == bytes.fromhex("0000 0001 0006 0000000000000000 0000") + FRAME
    head = struct.pack("!HHH8sH", OUTGOING, 778, len(address), address, 0x86DD)
    assert shown(ring, row) == head + FRAME[::-1]
    assert (row[ORIGINAL], row[LINKTYPE]) == (16 + len(FRAME), 113)


@pytest.mark.parametrize("size", [60, 1, 0])
def test_tags_of_cooked_packets(kernel, size):
    said = {**LINK, "status": VLAN_VALID | VLAN_TPID_VALID, "ethertype": 0x88A8, "tag": 0x602A, "mac": HEADER + 20}
    ring = block((bytes(HEADER + 20 - MAC) + FRAME[:size], {**said, "captured": size, "original": 70000}))
    (row,) = read(kernel, ring, cooked=True, limit=62)[0]
    head = bytes.fromhex("0004 030a 0006 0000000000000000 88a8 602a 86dd")
    assert shown(ring, row) == (head + FRAME[:size])[:62]
    assert row[ORIGINAL] == 70020
    ring[HEAD + 24] -= 1
    with pytest.raises(OSError):
        read(kernel, ring, cooked=True)


def test_cooked_packets_need_room_for_the_header(kernel):
    for mac, fits in ((HEADER + 16, True), (HEADER + 15, False)):
        ring = block((FRAME, {"mac": mac, "captured": 0}))
        assert len(read(kernel, ring)[0]) == 1
        if fits:
            assert len(read(kernel, ring, cooked=True)[0]) == 1
        else:
            with pytest.raises(OSError):
                read(kernel, ring, cooked=True)


def test_tags_of_packets_that_are_not_wanted_stay_apart(kernel):
    ring = block((FRAME, {"status": VLAN_VALID, "tag": 5, "kind": OUTGOING}))
    before = bytes(ring)
    assert read(kernel, ring, wanted=(True, False)) == ([], [], 1)
    assert ring == before


def test_cut_by_the_kernel_and_by_the_limit(kernel):
    ring = block((FRAME, {"captured": 50, "original": 70000}), (FRAME, {"original": 3}))
    rows = read(kernel, ring, limit=40)[0]
    assert [(row[CAPTURED], row[ORIGINAL]) for row in rows] == [(40, 70000), (40, 40)]
    ring = block((FRAME, {"status": VLAN_VALID, "original": 70000}))
    (row,) = read(kernel, ring, limit=62)[0]
    assert (row[CAPTURED], row[ORIGINAL]) == (62, 70004)


def test_checksums_left_to_the_card(kernel):
    ring = block((b"a" * 30, {}), (b"b" * 30, {"status": CSUMNOTREADY}), (b"c" * 30, {"status": CSUMNOTREADY, "kind": OUTGOING}))
    rows, unfinished, _ = read(kernel, ring)
    assert unfinished == rows[1:]
    rows, unfinished, _ = read(kernel, ring, wanted=(True, False))
    assert unfinished == rows[1:]


def test_a_block_without_packets(kernel):
    assert read(kernel, block()) == ([], [], 0)


def test_a_packet_that_ends_with_the_block(kernel):
    size = SIZE - HEAD - MAC
    ring = block()
    ring[:] = block((b"e" * size, {}), size=2 * SIZE)[:SIZE]
    assert shown(ring, read(kernel, ring)[0][0]) == b"e" * size
    ring[HEAD + 12 : HEAD + 16] = (size + 1).to_bytes(4, "little")
    with pytest.raises(OSError):
        read(kernel, ring)


MALFORMED = {
    "count too large": block((FRAME, {}), count=2),
    "count enormous": block((FRAME, {}), count=0xFFFFFFFF),
    "first packet behind the block": block((FRAME, {}), first=SIZE),
    "first packet far behind the block": block((FRAME, {}), first=0xFFFFFFFF),
    "first packet's header cut": block((FRAME, {}), first=SIZE - HEADER + 1),
    "next offset 0": block((FRAME, {"after": 0}), (FRAME, {})),
    "next offset within the header": block((FRAME, {"after": HEADER - 1}), (FRAME, {})),
    "next offset behind the block": block((FRAME, {"after": SIZE}), (FRAME, {})),
    "next offset enormous": block((FRAME, {"after": 0xFFFFFFFF}), (FRAME, {})),
    "bytes within the header": block((FRAME, {"mac": HEADER - 1})),
    "no room for the tag": block((FRAME, {"mac": HEADER + 3, "status": VLAN_VALID})),
    "bytes behind the block": block((FRAME, {"mac": SIZE - HEAD, "captured": 1})),
    "bytes far behind the block": block((FRAME, {"mac": 0xFFFF, "captured": 1})),
    "captured too much": block((FRAME, {"captured": SIZE})),
    "captured enormous": block((FRAME, {"captured": 0xFFFFFFFF})),
    "the second one": block((FRAME, {}), (FRAME, {"captured": 0xFFFFFFFF}), (FRAME, {})),
}


@pytest.mark.parametrize("ring", MALFORMED.values(), ids=MALFORMED)
@pytest.mark.parametrize("wanted", [BOTH, (False, False)])
def test_malformed_blocks(kernel, ring, wanted):
    for part in (bytearray(ring), bytearray(8) + ring + ring):
        with pytest.raises(OSError) as caught:
            read(kernel, part, len(part) % SIZE, wanted=wanted)
        assert caught.value.errno == errno.EBADMSG


def test_what_only_just_fits(kernel):
    assert len(read(kernel, block((FRAME, {"mac": HEADER, "captured": 0})))[0]) == 1
    assert len(read(kernel, block((FRAME, {"mac": HEADER + 4, "status": VLAN_VALID})))[0]) == 1
    assert read(kernel, block((FRAME, {"mac": SIZE - HEAD, "captured": 0})))[0][0][CAPTURED] == 0
    assert len(read(kernel, block((FRAME, {"after": 0xFFFFFFFF})))[0]) == 1  # of the last one it says nothing


@pytest.mark.parametrize(("at", "size"), [(-8, SIZE), (8, SIZE), (SIZE, SIZE), (0, SIZE + 1), (0, HEAD), (0, 0), (0, -1), (4, 99)])
def test_blocks_that_are_not_there(kernel, at, size):
    with pytest.raises(ValueError, match="block lies outside of the ring"):
        read(kernel, block((FRAME, {})), at, size)


@pytest.mark.parametrize("at", [-8, SIZE, SIZE - 8, 4])
def test_giving_what_is_not_there(kernel, at):
    with pytest.raises(ValueError, match="block lies outside of the ring"):
        kernel.ring_give(bytearray(SIZE), at)


def outcome(kernel, ring, **rules):
    """What comes of reading a block, and what it looks like then."""
    try:
        return read(kernel, ring, **rules), ring
    except OSError as error:
        return error.errno, str(error), ring


def test_both_do_the_same_with_any_bytes():
    fast = pytest.importorskip("pkttools.kernel._c", reason="the C code was not built")
    slow = import_module("pkttools.kernel.python")
    chance = random.Random(3)
    fine = 0
    for _ in range(4000):
        packets = []
        for _ in range(chance.randrange(12)):
            status = chance.choice((0, 0, CSUMNOTREADY, VLAN_VALID, VLAN_VALID | VLAN_TPID_VALID))
            said = {"status": status, "kind": chance.randrange(8), "tag": chance.randrange(1 << 32), "ethertype": 0x9100,
                    "hardware": chance.randrange(1 << 16), "protocol": chance.randrange(1 << 16),
                    "address": chance.randbytes(chance.randrange(12)), "mac": chance.choice((MAC, MAC, HEADER + 20)),
                    "seconds": chance.randrange(1 << 32), "nanoseconds": chance.randrange(1 << 32)}  # fmt: skip
            packets.append((chance.randbytes(chance.randrange(120)), said))
        ring = block(*packets)
        for _ in range(chance.choice((0, 1, 3))):
            at = chance.choice((12, 13, 16, 17, *(HEAD + chance.randrange(800) for _ in range(6))))
            ring[at] = chance.choice((0, 1, 0x40, 0xFF, chance.randrange(256)))
        rules = {"wanted": chance.choice((BOTH, (True, False), (False, True))), "limit": chance.choice((262144, 50)),
                 "cooked": chance.random() < 0.5,
                 "nano": chance.random() < 0.5, "notes": (1, 2, 3, 4)}  # fmt: skip
        one, other = (outcome(backend, bytearray(ring), **rules) for backend in (fast, slow))
        assert one == other
        fine += len(one) == 2
    assert 1000 < fine < 3900  # both kinds were met


def test_take_a_block_that_is_full_to_its_last_byte(kernel):
    frame = bytes(SIZE - HEAD - MAC)
    frame = frame[: len(frame) // 16 * 16 - MAC % 16]
    ring = block((frame, {}))
    struct.pack_into("=I", ring, 20, SIZE)  # blk_len: all of it
    assert len(kernel.ring_take(ring, 0, SIZE)) == SIZE
    struct.pack_into("=I", ring, 8, 1)  # the user's again
    struct.pack_into("=I", ring, 20, SIZE + 1)
    with pytest.raises(OSError):
        kernel.ring_take(ring, 0, SIZE)
