"""pkt-cut, on both codecs: what is captured, what was on the wire, and what headers say of it are three things."""

from __future__ import annotations

import struct
import zlib

import pytest
from conftest import shell
from samples import batch, ethernet, ipv4, ipv6, tcp, udp

from pkttools import codec
from pkttools.batch import COLUMNS
from pkttools.codec import ALL
from pkttools.work.cut import ranges_of


def mended(frame, linktype=1):
    """With right checksums."""
    made = batch([(linktype, frame)])
    codec.correct(made.data, bytes(made.rows), ALL)
    return bytes(made.data)


def over(payload, ip=ipv4):
    return mended(ethernet(0x0800 if ip is ipv4 else 0x86DD, ip(17, udp(payload))))


FRAME = over(bytes(range(64)))
SHORT = over(b"ack").ljust(60, b"\0")


def fcs(frame):
    return zlib.crc32(frame).to_bytes(4, "little")


def cut(words, frames, backend="", original=None, linktype=1):
    """Bytes and sizes on the wire, and what was said."""
    made = batch([(linktype, frame) for frame in frames], original)
    text = f"LINKTYPE: {linktype}\n".encode() + bytes(codec.text_encode(made.data, bytes(made.rows), 0, 1, 16, False, 0)[0])
    done = shell(f"pkt-cut {words}", text, backend=backend)
    assert done.returncode == 0, done.stderr
    _, data, rows, *_ = codec.text_decode(bytearray(done.stdout), 0, len(done.stdout), True, 1, 0, 0)
    columns = memoryview(bytes(rows)).cast("q").tolist()
    found = [(bytes(data[a : a + n]), wire) for a, n, wire in zip(*(columns[k::COLUMNS] for k in range(3)), strict=True)]
    return found, done.stderr.decode()


def sound(frames):
    made = batch([(1, frame) for frame in frames])
    return set(codec.check(made.data, bytes(made.rows))) == {codec.CORRECTED}


def test_a_snap_leaves_what_was_on_the_wire(backend):
    found, _ = cut("--snap 50", [FRAME, SHORT, FRAME[:40]], backend, 200)
    assert found == [(FRAME[:50], 200), (SHORT[:50], 200), (FRAME[:40], 200)]


@pytest.mark.parametrize("size", [50, 60, 61, len(FRAME), 120])
def test_a_fixed_length_is_of_the_whole_packet(backend, size):
    """IP's and UDP's lengths say the same as the frame; what is filled up is no payload."""
    found, said = cut(f"--fix-length {size}", [FRAME, over(bytes(64), ipv6)], backend)
    assert [(len(frame), wire) for frame, wire in found] == [(size, size)] * 2
    assert ("1 packet with a checksum that could not follow" in said) == (size in (60, 61))
    total, length = struct.unpack_from(">H", found[0][0], 16)[0], struct.unpack_from(">H", found[0][0], 38)[0]
    assert total == length + 20 == min(size, len(FRAME)) - 14
    if size < 62:  # of IPv6 only a part of UDP's header is left
        found = found[:1]
    assert sound([frame for frame, _ in found])
    kept, _ = cut(f"--fix-length {size} --keep", [FRAME], backend)
    assert kept == [(FRAME[:size].ljust(size, b"\0"), size)]


def test_padding_goes_first_and_is_no_payload(backend):
    """An empty segment keeps its length where octets behind it go."""
    ack = mended(ethernet(0x0800, ipv4(6, tcp(b"", b"")))) + bytes(6)
    found, _ = cut("--fix-length 56", [ack], backend)
    assert found == [(ack[:56], 56)]
    found, _ = cut("--strip-trailer", [ack, SHORT + fcs(SHORT), FRAME, FRAME + bytes(9), b"\x02" * 70], backend)
    assert [frame for frame, _ in found] == [ack[:54], over(b"ack"), FRAME, FRAME, b"\x02" * 70]


def test_what_was_cut_off_is_filled_up(backend):
    found, said = cut("--pad", [FRAME[:50], FRAME], backend, len(FRAME))
    assert found == [(FRAME[:50].ljust(len(FRAME), b"\0"), len(FRAME)), (FRAME, len(FRAME))] and said == ""
    found, _ = cut("--pad", [over(b"ack")], backend)
    assert found == [(SHORT, 60)]
    found, said = cut("--fix-length 45", [FRAME[:50]], backend, 200)
    assert found == [(FRAME[:50], 200)] and "1 not captured as a whole: --pad fills them up" in said
    found, _ = cut("--pad --fix-length 200", [FRAME[:50]], backend, 180)
    assert found == [(FRAME[:50].ljust(200, b"\0"), 200)]
    found, said = cut("--pad", [FRAME], backend, 300_000)
    assert found == [(FRAME, 300_000)] and "1 longer than 262144 bytes" in said


def test_a_check_sequence_is_taken_off_where_it_fits(backend):
    frames = [FRAME + fcs(FRAME), FRAME + b"\1\2\3\4", FRAME]
    found, said = cut("--strip-fcs", frames, backend)
    assert [frame for frame, _ in found] == [FRAME, *frames[1:]]
    assert said == "pkt-cut: 2 packets passed as they came: 2 without a check sequence that is known, or right\n"
    found, _ = cut("--strip-fcs", [frames[0][:-1]], backend, len(frames[0]))
    assert found == [(frames[0][:-1], len(frames[0]))]  # it was not captured as a whole, and nobody says that it is there


def test_a_check_sequence_is_added_once(backend):
    found, said = cut("--add-fcs", [FRAME, FRAME + fcs(FRAME)], backend)
    assert found == [(FRAME + fcs(FRAME), len(FRAME) + 4)] * 2 and said == ""
    found, _ = cut("--pad --add-fcs", [over(b"ack")], backend)
    assert found == [(SHORT + fcs(SHORT), 64)]
    found, said = cut("--add-fcs", [FRAME[:50]], backend, len(FRAME))
    assert found == [(FRAME[:50], len(FRAME))] and "1 not captured as a whole" in said
    found, said = cut("--add-fcs", [FRAME[14:]], backend, linktype=101)
    assert found == [(FRAME[14:], len(FRAME) - 14)] and "1 not of Ethernet" in said


def test_one_that_was_added_is_known(backend, tmp_path):
    """Also where it is wrong by then, and where captures say it."""
    made = batch([(1, FRAME)])
    text = bytes(codec.text_encode(made.data, bytes(made.rows), 0, 1, 16, False, 0)[0])
    for form in ("text", "pcap", "pcapng"):
        pipe = f"pkt-cut --add-fcs -F {form} | pkt-change IP.TTL=9 -F {form} | pkt-cut --strip-fcs -F pcap | pkt-pcap2txt"
        done = shell(pipe, text, backend=backend)
        assert done.returncode == 0 and done.stderr == b"" and f"SIZE: {len(FRAME)}/{len(FRAME)}".encode() in done.stdout, form


@pytest.mark.parametrize(("words", "left"), [
    ("--bytes 0..13", FRAME[14:]), ("--bytes 14..", FRAME[:14]), ("--bytes ..13 --bytes -2..-1", FRAME[14:-2]),
    ("--bytes 5", FRAME[:5] + FRAME[6:]), ("--bytes 0..9 --bytes 5..13", FRAME[14:]), ("--bytes 9999..", FRAME),
    ("--bytes 0..9999", b""), ("--bytes -9999..5", FRAME[6:]),
])  # fmt: skip
def test_bytes_are_taken_out(words, left):
    """Ranges are of the packet as it came, whatever their order; more than there is, is no error."""
    assert cut(f"{words} --keep", [FRAME])[0] == [(left, len(left))]


def test_lengths_follow_what_is_taken_out(backend):
    found, _ = cut("--bytes 50..54 --bytes 60..60", [FRAME, SHORT], backend)
    assert found[0][0][42:] == FRAME[42:50] + FRAME[55:60] + FRAME[61:] and sound([found[0][0]])
    assert found[1] == (SHORT[:-5], 55)  # of the padding
    found, _ = cut("--bytes 12..15", [FRAME[:12] + b"\x81\0\0\5" + FRAME[12:]], backend)
    assert found == [(FRAME, len(FRAME))]
    found, _ = cut("--bytes 50..59 --if IPV6", [FRAME, over(bytes(64), ipv6)], backend)
    assert found[0] == (FRAME, len(FRAME)) and sound([found[1][0]]) and found[1][1] == len(FRAME) + 10


@pytest.mark.parametrize("text", ["3..2", "-1..-2", "..", "", "a..b", "1_0..20", "1..2..3"])
def test_ranges_that_are_none_are_refused(text):
    with pytest.raises(Exception, match="no range of bytes"):
        ranges_of([text])


def test_what_is_wrong_is_said():
    assert cut("", [FRAME]) == ([(FRAME, len(FRAME))], "pkt-cut: nothing was cut: --snap N, --bytes A..B and others say what is\n")
    for words, said in (("--snap -1", "out of range"), ("--bytes 2..1", "no range of bytes")):
        done = shell(f"pkt-cut {words}", b"")
        assert done.returncode == 2 and said in done.stderr.decode()


def test_in_a_pipe(backend):
    """As a stage; and ends of a capture with pcapng's notes stay."""
    text = b"-- 1 --\nSIZE: 64\nNOTE: it stays\n" + b"02 " * 64 + b"\n==\n"
    done = shell("pkt-pipe 'cut --bytes 20.. | cut --snap 9' -F text", text, backend=backend)
    assert b"SIZE: 9/20" in done.stdout and b"NOTE: it stays" in done.stdout


def test_a_checksum_that_went_away_is_said(backend):
    """Where the checksum itself is among what is taken out, none can follow."""
    made = shell("pkt-gen tcp --count 3 | pkt-cut --bytes 48..52 | pkt-check -cs > /dev/null", backend=backend)
    assert "3 packets with a checksum that could not follow" in made.stderr.decode()
