"""Bytes of packets that become more or fewer, on both codecs: lengths and checksums around them are as right as they were."""

from __future__ import annotations

import random
import struct
import zlib

import pytest
from samples import ethernet, extension, frames, ipv4, ipv6, over_udp, row_of, tags, tcp, udp, vxlan

from pkttools.batch import CAPTURED, COLUMNS, OFFSET, ORIGINAL
from pkttools.codec import ALL, CORRECTED
from pkttools.protocols.fields import HEADERS

SPLICED, NOT_THERE, OF_FRAGMENT, NO_LENGTH = range(4)


def spliced(codec, linktype, frame, pieces, original=None, keep=False, anew=False, to=-1):
    """Why it was left, the frame, and its size on the wire. pieces: at, removed, octets."""
    octets, rows = b"", b""
    for at, removed, put in pieces:
        rows += struct.pack("=5q", 0, at, removed, len(octets), len(put))
        octets += put
    stop, data, made, outcomes = codec.splice(
        bytearray(frame), row_of(frame, linktype, original), 0, rows, octets, to, keep, anew, None
    )
    row = memoryview(made).cast("q").tolist()
    assert stop == 1 and len(row) == COLUMNS
    return outcomes[0], bytes(data[row[OFFSET] : row[OFFSET] + row[CAPTURED]]), row[ORIGINAL]


def right(codec, linktype, frame):
    """With right checksums; and whether all are."""
    data = bytearray(frame)
    outcome = codec.correct(data, row_of(frame, linktype, None), ALL).index(1)
    return bytes(data), outcome == CORRECTED


def sound(codec, linktype, frame):
    return codec.check(bytearray(frame), row_of(frame, linktype, None))[0] == CORRECTED


def headers(codec, linktype, frame):
    """Where the headers are, and what they carry."""
    return codec.walk(bytearray(frame), row_of(frame, linktype, None))


@pytest.mark.parametrize("number", range(len(frames())))
def test_sound_packets_stay_sound(codec, number):
    """Whatever is around the innermost payload, octets are put in and taken out of it, an even number and an odd one."""
    linktype, frame = frames()[number]
    frame, whole = right(codec, linktype, frame)
    _, _, at, end = headers(codec, linktype, frame)[-1]
    many, followed = len(headers(codec, linktype, frame)), 0
    if not (whole and sound(codec, linktype, frame)):
        pytest.skip("it is not sound itself")
    for piece in ((end, 0, b"abcd"), (end, 0, b"abc"), (at, 0, b"xy"), (max(at, end - 3), min(3, end - at), b"")):
        why, got, original = spliced(codec, linktype, frame, [piece])
        assert why in (SPLICED, NO_LENGTH, OF_FRAGMENT)
        if why == SPLICED and len(headers(codec, linktype, got)) == many:
            followed += 1
            assert original == len(got)
            assert sound(codec, linktype, got), piece
    assert followed or why == OF_FRAGMENT


def test_both_codecs_make_the_same_of_anything(both):
    """Random pieces, in frames that are right, wrong, cut: whatever becomes of them."""
    rng = random.Random(5)
    for linktype, frame in frames():
        for _ in range(6):
            mangled = bytearray(frame)
            for _ in range(rng.choice((0, 0, 1, 4)) if mangled else 0):
                mangled[rng.randrange(len(mangled))] = rng.choice((0, 1, 0xFF, rng.randrange(256)))
            cut = bytes(mangled[: rng.choice((len(mangled), len(mangled), rng.randrange(len(mangled) + 1)))])
            original = rng.choice((None, 0, len(mangled) + rng.choice((0, 4, 40))))
            at, pieces = 0, []
            while at <= len(cut) and len(pieces) < 3:
                start = rng.randrange(at, len(cut) + 1)
                removed = min(rng.choice((0, 0, 2, 4, 7, 20)), len(cut) - start)
                pieces.append((start, removed, rng.randbytes(rng.choice((0, 2, 3, 4, 20, removed)))))
                at = start + removed + 1
            how = {"keep": rng.random() < 0.2, "anew": rng.random() < 0.3, "to": rng.choice((-1, -1, 101))}
            made = [spliced(one, linktype, cut, pieces, original, **how) for one in both]
            assert made[0] == made[1], (linktype, cut.hex(), original, pieces, how)


def udp_frame(payload=b"hello world, hello", link=ethernet, ip=ipv4):
    message = udp(payload)
    return link(0x0800 if ip is ipv4 else 0x86DD, ip(17, message))


@pytest.mark.parametrize("ip", [ipv4, ipv6])
@pytest.mark.parametrize("put_in", [b"", b"x", b"four", b"seven .", bytes(40)])
def test_what_was_cut_follows_as_if_it_were_whole(codec, ip, put_in):
    """The sum of octets that were not captured is known where the checksum was right; moved by an odd number, they are swapped."""
    whole, _ = right(codec, 1, udp_frame(bytes(range(1, 60)), ip=ip))
    at = len(whole) - 55
    piece = [(at, 2, put_in)]
    _, wanted, size = spliced(codec, 1, whole, piece)
    for cut in (len(whole) - 20, len(whole) - 37, at + 2):
        why, got, original = spliced(codec, 1, whole[:cut], piece, len(whole))
        assert (why, original) == (SPLICED, size)
        assert got == wanted[: len(got)] and len(got) == cut + len(put_in) - 2


@pytest.mark.parametrize("size", [b"", b"z", b"zz"])
def test_wrong_stays_wrong_and_by_as_much(codec, size):
    frame, _ = right(codec, 1, ethernet(0x0800, ipv4(6, tcp(b"some bytes"))))
    wanted = spliced(codec, 1, frame, [(56, 1, size)])[1]
    for at, off in ((24, 3), (50, 0x0101)):  # the checksum of IPv4, and that of TCP
        wrong = bytearray(frame)
        wrong[at : at + 2] = struct.pack(">H", (struct.unpack_from(">H", frame, at)[0] + off) % 0xFFFF)
        got = spliced(codec, 1, bytes(wrong), [(56, 1, size)])[1]
        assert (struct.unpack_from(">H", got, at)[0] - struct.unpack_from(">H", wanted, at)[0]) % 0xFFFF == off
        assert got[:at] + got[at + 2 :] == wanted[:at] + wanted[at + 2 :]
    long = bytearray(frame)
    long[16:18] = struct.pack(">H", len(frame) - 14 + 9)  # more than there is
    got = spliced(codec, 1, bytes(long), [(56, 1, size)])[1]
    assert struct.unpack_from(">H", got, 16)[0] == len(frame) - 14 + 9 + len(size) - 1


def test_keep_leaves_all_that_is_around(codec):
    frame, _ = right(codec, 1, udp_frame())
    assert spliced(codec, 1, frame, [(44, 2, b"abcdef")], keep=True)[1] == frame[:44] + b"abcdef" + frame[46:]


def test_what_was_left_to_the_card_is_left_to_it(codec):
    frame, _ = right(codec, 1, ethernet(0x0800, ipv4(6, tcp(b"some bytes"))))

    def seed(packet):
        total = sum(struct.unpack(">4H", packet[26:34])) + 6 + len(packet) - 34
        return struct.pack(">H", (total & 0xFFFF) + (total >> 16))

    frame = frame[:50] + seed(frame) + frame[52:]
    got = spliced(codec, 1, frame, [(60, 0, b"more")])[1]
    assert got[50:52] == seed(got) and len(got) == len(frame) + 4


@pytest.mark.parametrize(
    ("payload", "put_in", "tagged"), [(3, b"", 0), (3, b"ten octets", 0), (3, bytes(40), 0), (0, b"abc", 0), (2, b"x", 1)]
)
def test_padding_fills_up_what_is_left(codec, payload, put_in, tagged):
    """It is no payload (RFC 894), and a frame that was filled up to its least size still is."""
    inner, _ = right(codec, 1, udp_frame(bytes(payload)))
    inner = ethernet(0x8100, tags([0x8100], 0x0800, inner[14:])) if tagged else inner
    least = 60 + 4 * tagged
    padded = inner.ljust(least, b"\0")
    at = len(inner) - payload
    wanted = spliced(codec, 1, inner, [(at, payload, put_in)])[1]
    why, got, original = spliced(codec, 1, padded, [(at, payload, put_in)])
    assert (why, original) == (SPLICED, len(got))
    assert got == wanted.ljust(least, b"\0")
    fcs = zlib.crc32(padded).to_bytes(4, "little")
    assert spliced(codec, 1, padded + fcs, [(at, payload, put_in)])[1] == got + zlib.crc32(got).to_bytes(4, "little")


def test_a_tag_takes_room_of_the_padding(codec):
    """A frame of 60 bytes has 60 with it, as the kernel makes it; without it again as many."""
    frame, _ = right(codec, 1, udp_frame(b"abc"))
    padded = frame.ljust(60, b"\0")
    tagged = spliced(codec, 1, padded, [(12, 0, b"\x81\0\0\5")])[1]
    assert tagged == (frame[:12] + b"\x81\0\0\5" + frame[12:]).ljust(60, b"\0")
    assert spliced(codec, 1, tagged, [(12, 4, b"")])[1] == padded
    arp = ethernet(0x0806, struct.pack(">HHBBH", 1, 0x800, 6, 4, 1) + bytes(20)).ljust(60, b"\0")
    assert spliced(codec, 1, arp, [(12, 0, b"\x81\0\0\5")])[1] == (arp[:12] + b"\x81\0\0\5" + arp[12:46]).ljust(60, b"\0")
    long = frame + bytes(80)  # a trailer, no padding
    assert spliced(codec, 1, long, [(44, 0, b"12")])[1] == spliced(codec, 1, frame, [(44, 0, b"12")])[1] + bytes(80)
    assert spliced(codec, 1, padded, [(0, 14, b"")], to=101)[1] == frame[14:]  # raw IP is not filled up


def test_lengths_that_are_short_or_in_front(codec):
    """802.3's stands in front of what it is of; one of six bits says nothing of packets that are long."""
    inner = b"\xaa\xaa\3\0\0\0\x08\0" + right(codec, 101, ipv4(17, udp(b"hello")))[0]
    frame = bytes(12) + struct.pack(">H", len(inner)) + inner + bytes(3)
    got = spliced(codec, 1, frame, [(14 + len(inner) - 2, 2, b"abcdef")])[1]
    assert got[12:14] == struct.pack(">H", len(inner) + 4) and sound(codec, 1, got[: 14 + len(inner) + 4])


def test_fragments_keep_their_size(codec):
    """But what is in front of one may be another, and an edit of as many octets follows in the first one's checksum."""
    first, _ = right(codec, 1, udp_frame(b"hello world, hello 12345"))
    first = first[:20] + b"\x20\0" + first[22:]
    assert spliced(codec, 1, first, [(44, 0, b"12345678")])[0] == OF_FRAGMENT
    why, tagged, _ = spliced(codec, 1, first, [(12, 0, b"\x81\0\0\5")])
    assert why == SPLICED and tagged[16:] == first[12:]
    whole = first[:20] + b"\0\0" + first[22:]
    assert spliced(codec, 1, first, [(44, 2, b"HE")])[1][42:] == spliced(codec, 1, whole, [(44, 2, b"HE")])[1][42:]


def test_what_cannot_be_said_is_left(codec):
    frame, _ = right(codec, 1, udp_frame())
    assert spliced(codec, 1, frame, [(50, 0, bytes(65536))]) == (NO_LENGTH, frame, len(frame))
    assert spliced(codec, 1, frame, [(len(frame) - 1, 2, b"")])[0] == NOT_THERE
    assert spliced(codec, 1, frame, [(len(frame) + 1, 0, b"")])[0] == NOT_THERE
    assert spliced(codec, 1, frame, [(50, 2, b""), (51, 0, b"")])[0] == NOT_THERE


def test_a_jumbogram_says_its_size_in_an_option(codec):
    """RFC 2675 section 2: and it stays one, or is left as it is."""
    message = udp(bytes(66000), 0)
    payload = b"\x11\0\xc2\4" + struct.pack(">I", len(message) + 8) + message
    frame = ethernet(0x86DD, b"\x60" + bytes(5) + b"\0\x40" + bytes(15) + b"\1" + bytes(15) + b"\2" + payload)
    frame, whole = right(codec, 1, frame)
    assert whole and sound(codec, 1, frame)
    why, got, _ = spliced(codec, 1, frame, [(100, 0, b"odd")])
    assert why == SPLICED and struct.unpack_from(">I", got, 58)[0] == len(message) + 11 and sound(codec, 1, got)
    assert spliced(codec, 1, frame, [(100, 1000, b"")])[0] == NO_LENGTH


def test_headers_that_are_put_in_are_finished(codec):
    """Lengths, and checksums, of the innermost first; what was put in as a tunnel is as good as one that was built whole."""
    inner, _ = right(codec, 1, udp_frame(b"abc").ljust(60, b"\0"))
    outer, _ = right(codec, 1, ethernet(0x0800, ipv4(17, vxlan(inner[:45]))))
    blank = bytearray(outer[: len(outer) - 45])
    blank[16:18] = blank[24:26] = blank[38:40] = blank[40:42] = bytes(2)  # lengths and checksums
    why, got, _ = spliced(codec, 1, inner, [(0, 0, bytes(blank))], anew=True)
    assert why == SPLICED and got[:38] + got[42:] == outer[:38] + outer[42:] and got[38:40] == outer[38:40]
    assert got[40:42] != b"\0\0" and sound(codec, 1, got)
    cut = spliced(codec, 1, inner[:44], [(0, 0, bytes(blank))], len(inner), anew=True)[1]
    assert cut[16:18] == outer[16:18] and cut[24:26] == outer[24:26] and cut[40:42] == b"\0\0"


def test_batches_stop_where_they_become_many(codec):
    frame = udp_frame()
    rows = b"".join(row_of(frame) for _ in range(40))
    pieces = b"".join(struct.pack("=5q", i, 50, 0, 0, 60000) for i in range(40) if i != 3)
    stop, data, made, outcomes = codec.splice(bytearray(frame), rows, 2, pieces, bytes(60000), -1, False, False, None)
    assert 30 < stop < 40 and len(outcomes) == stop - 2 and not any(outcomes)
    sizes = memoryview(made).cast("q")[CAPTURED::COLUMNS].tolist()
    assert sizes == [60000 + len(frame), len(frame)] + [60000 + len(frame)] * (stop - 4) and len(data) == sum(sizes)
    for wrong in (
        pieces[40:] + pieces[:40],
        pieces[:-1],
        *(struct.pack("=5q", *row) for row in ((0, 0, 0, 1, 60000), (40, *[0] * 4))),
    ):
        with pytest.raises(ValueError):
            codec.splice(bytearray(frame), rows, 0, wrong, bytes(60000), -1, False, False, None)


NAMES = {name: number for number, name in enumerate(HEADERS)}


@pytest.mark.parametrize(("linktype", "frame", "layer", "start", "payload"), [
    (1, udp_frame(b"hello"), (0, 1), 34, b"hello"),
    (1, udp_frame(b"hello").ljust(60, b"\0"), (0, 1), 34, b"hello"),
    (1, ethernet(0x0800, ipv4(6, tcp(b"bytes"))), (0, 1), 34, b"bytes"),
    (1, ethernet(0x86DD, ipv6(60, extension(17, b"\1\4" + bytes(4)) + udp(b"hey"))), (0, 1), 62, b"hey"),
    (1, ethernet(0x86DD, ipv6(60, extension(253, b"\1\4" + bytes(4)) + b"unknown")), (0, 1), 54, b"unknown"),
    (1, ethernet(0x0800, ipv4(17, vxlan(udp_frame(b"inner")))), (0, 1), 84, b"inner"),
    (1, ethernet(0x0800, ipv4(17, vxlan(udp_frame(b"inner")))), (NAMES["UDP"], -1), 84, b"inner"),
    (1, ethernet(0x0800, ipv4(17, vxlan(udp_frame(b"inner")))), (NAMES["UDP"], 1), 34, vxlan(udp_frame(b"inner"))[8:]),
    (1, ethernet(0x0800, ipv4(17, over_udp(53, bytes(12)))), (0, 1), 34, bytes(12)),
    (1, ethernet(0x88B5, b"local"), (0, 1), 0, b"local"),
    (147, b"anything", (0, 1), 0, b"anything"),
])  # fmt: skip
def test_what_headers_carry(codec, linktype, frame, layer, start, payload):
    _, first, _, at, end = struct.unpack("=5q", codec.carried(bytearray(frame), row_of(frame, linktype), layer))
    assert (first, frame[at:end]) == (start, payload)
    nothing = struct.unpack("=5q", codec.carried(bytearray(frame), row_of(frame, linktype), (NAMES["SCTP"], 1)))
    assert nothing == (-1,) * 5


def test_where_packets_end(codec):
    arp = ethernet(0x0806, struct.pack(">HHBBH", 1, 0x800, 6, 4, 1) + bytes(20))
    for linktype, frame, end in ((1, udp_frame(b"") + bytes(18), 42), (1, arp + bytes(18), 42), (1, bytes(60), 60),
                                 (101, ipv4(17, udp()) + b"x", 33)):  # fmt: skip
        assert struct.unpack("=q", codec.ends(bytearray(frame), row_of(frame, linktype))) == (end,)
    cut = udp_frame(b"0123456789")[:-5]
    assert struct.unpack("=q", codec.ends(bytearray(cut), row_of(cut, 1, 60))) == (52,)
