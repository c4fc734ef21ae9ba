"""pkt-change --payload, --replace, --grow and --follow-tcp, on both codecs: what is carried becomes longer or shorter."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from conftest import ROOT, shell
from samples import batch, ethernet, icmp, ipv4, ipv6, sctp, tcp, udp, vxlan

from pkttools import codec
from pkttools.batch import ROW_BYTES
from pkttools.codec import ALL
from pkttools.work.payload import payload_of, replacement

EXAMPLES = ROOT / "examples"


def text_of(packets, original=None):
    made = batch(packets, original)
    return bytes(codec.text_encode(made.data, bytes(made.rows), 0, 1, 16, False, 0)[0])


def mended(packets):
    """The same with right checksums."""
    made = batch(packets)
    codec.correct(made.data, bytes(made.rows), ALL)
    return [(linktype, bytes(made.frame(i))) for i, (linktype, _) in enumerate(packets)]


def frames_of(text):
    _, data, rows, *_ = codec.text_decode(bytearray(text), 0, len(text), True, 1, 0, 0)
    made = [rows[i : i + ROW_BYTES] for i in range(0, len(rows), ROW_BYTES)]
    return [bytes(data[at : at + size]) for at, size in (struct.unpack("=2q", row[:16]) for row in made)]


def changed(words, packets, backend, original=None):
    """Frames, and what was said."""
    done = shell(f"pkt-change {words}", text_of(packets, original), backend=backend)
    assert done.returncode == 0, done.stderr
    return frames_of(done.stdout), done.stderr.decode()


def over(carrier, message, proto):
    return (1, ethernet(0x0800 if carrier is ipv4 else 0x86DD, carrier(proto, message)))


UDP4, UDP6 = (over(carrier, udp(b"hello world"), 17) for carrier in (ipv4, ipv6))


@pytest.mark.parametrize(("value", "octets"), [
    ("good bye", b"good bye"), ("hex:00ff80", b"\0\xff\x80"), ("hex:00 ff", b"\0\xff"), ("text:@x", b"@x"), ("", b""),
    ("é", "é".encode()), ("text:hex:1", b"hex:1"),
])  # fmt: skip
def test_what_a_value_means(value, octets):
    assert payload_of(value) == octets


def test_a_payload_is_given(backend):
    packets = mended([UDP4, UDP6, over(ipv4, tcp(b"some"), 6), over(ipv4, icmp(8, b"\0\1\0\2" + b"ping" * 9), 1)])
    octets = b"good bye."
    wanted = mended([over(ipv4, udp(octets), 17), over(ipv6, udp(octets), 17), over(ipv4, tcp(octets), 6)])
    made, said = changed("--payload 'good bye.'", packets, backend)
    assert said == "" and made[:3] == [frame for _, frame in wanted]
    assert made[3][38:] == packets[3][1][38:42] + octets  # behind id and sequence number of an echo


def test_a_payload_comes_from_a_file(backend, tmp_path):
    (tmp_path / "p").write_bytes(bytes(range(256)))
    made, _ = changed(f"--payload @{tmp_path}/p", mended([UDP4]), backend)
    assert made == [mended([over(ipv4, udp(bytes(range(256))), 17)])[0][1]]
    done = shell(f"pkt-change --payload @{tmp_path}/none", b"")
    assert done.returncode == 1 and b"No such file" in done.stderr


def test_what_was_wrong_stays_wrong_and_keep_keeps(backend):
    packets = mended([UDP4])
    wrong = [(1, packets[0][1][:40] + b"\x12\x34" + packets[0][1][42:])]
    (good,), _ = changed("--payload abc", packets, backend)
    (bad,), _ = changed("--payload abc", wrong, backend)
    assert good[:40] + good[42:] == bad[:40] + bad[42:] and good[40:42] != bad[40:42]
    (kept,), _ = changed("--payload abc --keep", packets, backend)
    assert kept == packets[0][1][:42] + b"abc"


def test_another_layer_is_chosen(backend):
    inner = mended([UDP4])[0][1]
    tunnel = mended([over(ipv4, vxlan(inner), 17)])
    (made,), _ = changed("--replace s/world/everybody/", tunnel, backend)
    assert made == mended([over(ipv4, vxlan(mended([over(ipv4, udp(b"hello everybody"), 17)])[0][1]), 17)])[0][1]
    (made,), _ = changed("--payload x --layer UDP", tunnel, backend)
    assert made[42:] == b"x"
    (made,), _ = changed("--payload x --layer 'IP[2]'", tunnel, backend)
    assert made[-21:-1] == inner[14:16] + b"\0\x15" + inner[18:24] + made[-11:-9] + inner[26:34] and made[-1:] == b"x"
    made, said = changed("--payload x --layer SCTP", tunnel, backend)
    assert made == [tunnel[0][1]] and said == "pkt-change: 1 packet passed as they came: 1 without such a header\n"


@pytest.mark.parametrize(("how", "before", "after"), [
    ("s/o/0/", b"foo boo", b"f0o boo"), ("s/o/0/g", b"foo boo", b"f00 b00"), ("s/FOO/x/i", b"a foo", b"a x"),
    ("s/FOO/x/", b"a foo", b"a foo"), (r"s/(\w+) (\w+)/\2 \1/", b"hello world", b"world hello"),
    ("s/^b/c/gm", b"a\nb\nb", b"a\nc\nc"), ("s/a.b//s", b"xa\nby", b"xy"), (r"s/\x00\xff/\x01/", b"1\0\xff2", b"1\x012"),
    ("s|a/b|c|", b"a/b", b"c"), (r"s/a\/b/c/", b"a/b", b"c"), (r"s/e/\x5cn/", b"hey", b"h\\ny"), (r"s/$/\n/", b"end", b"end\n"),
])  # fmt: skip
def test_a_pattern_is_replaced(how, before, after):
    assert replacement(how)(before) == after


def test_several_patterns_and_a_condition(backend):
    packets = mended([UDP4, UDP6, (1, ethernet(0x0806, struct.pack(">HHBBH", 1, 0x800, 6, 4, 1) + bytes(38)))])
    made, said = changed("--replace s/hello/bye/ --replace 's/bye world/x/' --if IPV6 IPV6.HOP_LIMIT=9 -u", packets, backend)
    wanted = bytearray(mended([over(ipv6, udp(b"x"), 17)])[0][1])
    wanted[21] = 9
    assert made == [packets[0][1], bytes(wanted), packets[2][1]] and said == ""
    made, said = changed("--replace s/nowhere/x/", packets, backend)
    assert made == [frame for _, frame in packets] and "--replace changed no payload, of 2 packets" in said
    made, said = changed("--payload x", packets[2:], backend)
    assert made == [packets[2][1]] and "1 without a payload" in said


def chunk(kind, value, padded=True):
    """A chunk of SCTP: RFC 9260 section 3.2."""
    return struct.pack(">BBH", kind, 3, 4 + len(value)) + value + bytes(-len(value) % 4 * padded)


def data(octets, padded=True):
    return chunk(0, struct.pack(">IHHI", 7, 1, 2, 46) + octets, padded)


def test_user_data_of_sctp(backend):
    """Of each chunk; its size and padding follow, and the checksum. What has none passes; that of --layer is all of SCTP."""

    def packets(*chunks):
        return mended([over(ipv6, sctp(b"".join(each)), 132) for each in chunks])

    sack, idata = chunk(3, bytes(12)), chunk(64, bytes(16) + b"hello")
    given = packets([data(b"hello")], [data(b"hello, hello"), sack, idata], [sack], [data(b"hello", False)], [data(b"hello")[:-4]])
    wanted = packets([data(b"good bye")], [data(b"good bye, hello"), sack, chunk(64, bytes(16) + b"good bye")], [sack],
                     [data(b"good bye", False)], [data(b"hello")[:-4]])  # fmt: skip
    made, said = changed("--replace 's/hello/good bye/'", given, backend)
    assert (made, said) == ([frame for _, frame in wanted], "")
    made, said = changed("--payload x", given, backend)
    wanted = packets(
        [data(b"x")], [data(b"x"), sack, chunk(64, bytes(16) + b"x")], [sack], [data(b"x", False)], [data(b"hello")[:-4]]
    )
    assert made == [frame for _, frame in wanted] and "2 packets passed as they came: 2 without a payload" in said
    kept, _ = changed("--payload x --keep", given[:1], backend)
    assert kept == [given[0][1][:-8] + b"x" + bytes(3)]
    all_of_it, _ = changed("--payload x --layer SCTP", given[:1], backend)
    assert all_of_it == [frame for _, frame in mended([over(ipv6, sctp(b"x"), 132)])]
    long, said = changed(f"--replace 's/^/{'x' * 65500}/'", given[:1], backend)
    assert long == [given[0][1]] and "1 too long for a length around it" in said


def test_lengths_inside_of_messages_are_told(backend):
    """They are the application's, and stay as they are; of the same size, or replaced as a whole, there is nothing to say."""
    dns = over(ipv4, udp(bytes.fromhex("0001 0100 0001 0000 0000 0000 05") + b"hello" + bytes.fromhex("00 0001 0001")), 17)
    made, said = changed("--replace s/hello/bye/", mended([dns, UDP4]), backend)
    assert len(made[0]) == len(dns[1]) - 2
    assert said == ("pkt-change: of another size inside of what applications say, "
                    "where their own lengths may stay as they were: DNS (1)\n")  # fmt: skip
    for words in ("--replace s/hello/holla/", "--payload 'something else'"):
        assert changed(words, mended([dns, UDP4]), backend)[1] == ""


def test_what_cannot_be_done_passes_and_is_counted(backend):
    first = mended([UDP4])[0][1]
    first = first[:20] + b"\x20\0" + first[22:]
    made, said = changed("--payload x", [(1, first)], backend)
    assert made == [first] and said.startswith("pkt-change: 1 packet passed as they came: 1 a fragment")
    made, said = changed(f"--replace s/world/{'x' * 70000}/", mended([UDP4]), backend)
    assert made == [mended([UDP4])[0][1]] and "1 too long for a length around it" in said


def test_the_original_size_changes_by_as_much(backend):
    done = shell("pkt-change --replace s/hello/hi/", text_of([(1, mended([UDP4])[0][1][:50])], 900), backend=backend)
    assert b"SIZE: 47/897" in done.stdout


def test_data_makes_room(backend):
    packets = mended([UDP4, over(ipv4, udp(b""), 17)])
    data = "68656c6c6f20776f726c642c2068656c6c6f"  # "hello world, hello"
    made, said = changed(f"UDP.DATA={data} --grow", packets, backend)
    assert made == [mended([over(ipv4, udp(b"hello world, hello"), 17)])[0][1]] * 2 and said == ""
    (kept, _), _ = changed(f"UDP.DATA={data} --grow --keep", packets, backend)
    assert kept == packets[0][1][:42] + b"hello world, hello"
    (short, _), _ = changed("UDP.DATA=4845 --grow", packets, backend)
    assert short == mended([over(ipv4, udp(b"HEllo world"), 17)])[0][1]
    (cut, _), _ = changed(f"UDP.DATA={data} -u", packets, backend)
    assert len(cut) == len(packets[0][1])


A, B = ("client", "server")


def segment(way, seq, ack, payload=b"", flags=0x18, options=b""):
    ports = (40000, 80) if way is A else (80, 40000)
    message = (
        struct.pack(">HHIIBBHHH", *ports, seq % 2**32, ack % 2**32, (5 + len(options) // 4) << 4, flags, 512, 0, 0)
        + options
        + payload
    )
    packet = bytearray(ipv4(6, message))
    if way is B:
        packet[12:16], packet[16:20] = packet[16:20], packet[12:16]
    return (1, ethernet(0x0800, bytes(packet)))


def sack(*edges):
    return b"\1\1\5" + bytes([2 + 4 * len(edges)]) + struct.pack(f">{len(edges)}I", *(edge % 2**32 for edge in edges))


@pytest.mark.parametrize("base", [1000, 2**32 - 5])
def test_numbers_of_tcp_follow(backend, base):
    """Also over the end of 32 bits: later ones, acknowledged ones, those that come again, and the other side's own."""
    a, b = base, 9000
    said = [
        segment(A, a - 1, 0, flags=2), segment(B, b - 1, a, flags=0x12),
        segment(A, a, b, b"GET foo\n"), segment(B, b, a + 8, b"foo!"), segment(A, a + 8, b + 4, b"more"),
        segment(A, a, b, b"GET foo\n"), segment(B, b + 4, a + 5), segment(B, b + 4, a + 8, options=sack(a + 12, a + 16)),
        segment(A, a + 12, b + 4, b"foo foo", flags=0x19), segment(B, b + 4, a + 20),
    ]  # fmt: skip
    d = 3  # longer by so many, by each "foo"
    wanted = [
        *said[:2],
        segment(A, a, b, b"GET foobar\n"), segment(B, b, a + 8 + d, b"foobar!"), segment(A, a + 8 + d, b + 4 + d, b"more"),
        segment(A, a, b, b"GET foobar\n"), segment(B, b + 4 + d, a + 5),
        segment(B, b + 4 + d, a + 8 + d, options=sack(a + 12 + d, a + 16 + d)),
        segment(A, a + 12 + d, b + 4 + d, b"foobar foobar", flags=0x19), segment(B, b + 4 + d, a + 20 + 3 * d),
    ]  # fmt: skip
    made, told = changed("--replace s/foo/foobar/g --follow-tcp", mended(said), backend)
    assert told == ""
    assert made == [frame for _, frame in mended(wanted)]


def test_another_connection_has_numbers_of_its_own(backend):
    """The same ports, other addresses; and a new one between the same."""
    first = segment(A, 1000, 0, b"foo")
    other = segment(A, 1003, 0, b"bar")
    moved = (1, other[1][:29] + b"\x63" + other[1][30:])
    packets = mended([first, moved, segment(A, 500, 0, flags=2), segment(A, 1003, 0, b"bar")])
    made, _ = changed("--replace s/foo// --follow-tcp", packets, backend)
    assert made[1:] == [frame for _, frame in packets[1:]]


@pytest.mark.parametrize(("words", "said"), [
    ("--layer UDP", "--layer is for"), ("--keep", "--keep is for"), ("--follow-tcp", "--follow-tcp is for"),
    ("--grow", "--grow is for"), ("--payload x -u --keep", "contradict"), ("--payload hex:123", "two hex digits"),
    ("--payload x --layer UPD", "did you mean UDP"), ("--replace foo", "s/RE/NEW/"), ("--replace 's/(/b/'", "--replace"),
    ("--replace 's/a/b/x'", "none of"), (r"--replace 's/a/\1/'", "group"), ("--payload x --layer 'UDP[0]'", "occurrence"),
])  # fmt: skip
def test_what_is_wrong_is_said(words, said):
    done = shell(f"pkt-change {words}", b"")
    assert done.returncode == 2 and said in done.stderr.decode(), done.stderr


def test_examples_stay_right(backend):
    """Of every example that was right, tags, tunnels and TCP among them."""
    for name in ("dns", "vlan-tcp", "tunnel", "ping"):
        data = Path(EXAMPLES / f"{name}.txt").read_bytes()
        right = shell("pkt-check -cs", data).stdout
        made = shell("pkt-change --replace 's/^/put in front/' --replace 's/.$//s'", right, backend=backend)
        assert made.returncode == 0
        assert shell("pkt-check -cs", made.stdout).stdout.count(b"\n==") == right.count(b"\n==") > 0, name
