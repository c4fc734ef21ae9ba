"""What the fuzz target is given, made of our own samples.

python -m tests.fuzz.seeds            writes filters and assignments in C, for packets.c to include, to standard output
python -m tests.fuzz.seeds FOLDER     writes inputs for every case of target.c, a file each
"""

from __future__ import annotations

import json
import struct
import sys
from array import array
from collections.abc import Iterator
from hashlib import sha1
from pathlib import Path

from pkttools import codec
from pkttools.batch import Program
from pkttools.bpf.classic import CODES, packed
from pkttools.codec.program import EVERY, OF_NUMBER, SAMPLE
from pkttools.language import assigning, expression
from pkttools.language.program import ALL_BITS
from pkttools.protocols import ROW, TRAITS, _lines, _rows, _templates, ends, places
from pkttools.protocols.fields import HEADERS
from pkttools.protocols.model import READERS
from pkttools.protocols.walking import COLUMNS
from tests.support import c_tables
from tests.support.messages import SAMPLES
from tests.support.samples import TEXT, batch, ethernet, extension, frames, gre, icmp, ipv4, ipv6, tags, tcp, udp

# ---- programs ----

# Every comparison, every way to name an occurrence, numbers of every width, data, layers, jumps both ways.
FILTERS = [
    "UDP.DST_PORT in 1,50-60 and not IP.DST_ADDR==192.0.2.0/31",
    "ETHERNET.TYPE[2]==0x800 or IPV6.SRC_ADDR>=2001:db8::1 or IP.DATA>61 62",
    "not (TCP or ICMPV6) and IPV6.EXT_SIZE[-1]!=16",
    "LOOPBACK.FAMILY<=2 or UNKNOWN.DATA or VLAN or IP.OFFSET>0",
    "(TCP.SYN==1 or SCTP.DATA<00 ff) and IPV6.DST_ADDR==2001:db8::/33 or GRE.VERSION[1] or VXLAN.VNI<43",
    'PKTAP.PID in 500-600,none and not PKTAP.COMM in ssh,"Google Chrome" or PKTAP.IFNAME[2]<en1 or PKTAP.IFUNIT!=0 or PKTAP.OUT==0',
    'any TCP.OPT_KIND in 3..8 or any IP.ADDR!=10.0.0.0/8 or any NOTE contains "a" or NOTE[-2]==b or any UDP.DATA contains 00 11',
    "IP.SRC_ADDR==IP.DST_ADDR[-1] or any TCP.OPT_MSS>IP.ID or TCP.FLAGS & SA == S"
    " or UDP.DATA>TCP.DATA or SIZE>CAPTURED or IFACE==WAY",
    "NUMBER & 1 and TIME<2026-11-01T00:00Z and any IFACE and UDP.PORT!=domain",
    "TCP.OPT_MSS[2]<9 or TCP.OPT_SACK_LEFT[-2]>1 or TCP.OPT_SACK==00 01 or TCP.OPT_SACK_PERMITTED",
]
ASSIGNMENTS = [
    [("ETHERNET.TYPE", "=", "0x86dd"), ("IPV6.HOP_LIMIT", "-=", "3"), ("IPV6.DST_ADDR", "+=", "0xffff")],
    [("IP.HEADER_SIZE", "=", "24"), ("IP.DATA", "=", "61 62 63"), ("UDP.DST_PORT", "+=", "65535"), ("IP.OFFSET", "=", "16")],
    [("IPV6.NEXT_HEADER", "=", "0"), ("IPV6.NEXT_HEADER", "=", "17"), ("IPV6.EXT_SIZE", "=", "8"), ("IPV6.EXT_DATA", "=", "01")],
    [("LOOPBACK.FAMILY", "=", "2"), ("ETHERNET.VLAN_ID[-1]", "=", "4095"), ("ETHERNET.TYPE[2]", "=", "0x0800")],
    [("IP.TTL", "-=", "1"), ("IP.SRC_ADDR", "=", "198.51.100.7"), ("IPV6.SRC_ADDR", "=", "2001:db8::7"),
     ("TCP.SEQ_NUMBER", "+=", "0xfffffff0"), ("TCP.DATA", "=", "00 " * 70)],
    [("ICMP.TYPE", "=", "8"), ("ICMPV6.DATA", "=", "7"), ("UDP.SIZE", "-=", "1"), ("SCTP.TAG", "=", "9"), ("UDP.DATA", "=", "07")],
    [("PKTAP.COMM", "=", "ssh"), ("PKTAP.IFUNIT", "-=", "1"), ("PKTAP.IFNAME[-1]", "=", "e" * 24), ("PKTAP.LENGTH", "+=", "14"),
     ("PKTAP.DLT", "=", "raw"), ("IP.TTL", "=", "9"), ("PKTAP.NEXT_TYPE", "=", "1"), ("PKTAP.DATA", "=", "45")],
    [("IP.CHECKSUM", "=", "0"), ("UDP.CHECKSUM", "=", "0"), ("GRE.FLAGS", "=", "0x8000"), ("VXLAN.VNI", "+=", "1")],
    [("IP.ID", "=", "1..9"), ("UDP.DATA", "=", "TCP.DATA"), ("IP.SRC_ADDR", "=", "IP.DST_ADDR[-1]"),
    ("IPV6.SRC_ADDR", "=", "random")],
    [("ETHERNET.TYPE", "=", "IP.ID"), ("PKTAP.COMM", "=", "UDP.DATA"), ("TCP.OPT_MSS", "=", "TCP.DST_PORT"),
    ("IP.TTL", "=", "7,8")],
    [("TCP.OPT_MSS", "=", "9"), ("TCP.OPT_TSVAL[-1]", "+=", "9"), ("TCP.OPT_KIND[2]", "=", "5"), ("TCP.OPT_SIZE", "=", "0")],
]  # fmt: skip
BPF = [(0x28, 0, 0, 12), (0x15, 0, 3, 0x0800), (0xB1, 0, 0, 14), (0x50, 0, 0, 14), (0x16, 0, 0, 0), (0x06, 0, 0, 0)]
NUMBERED = [("test", OF_NUMBER, 1, how, value, ALL_BITS) for how, value in ((EVERY, 2), (SAMPLE, (1 << 62, 7)))]
SWAPPED = (
    ("ETHERNET.SRC_ADDR", "ETHERNET.DST_ADDR"), ("IP.SRC_ADDR", "IP.DST_ADDR"), ("IPV6.SRC_ADDR", "IPV6.DST_ADDR"),
    ("UDP.SRC_PORT", "UDP.DST_PORT"),
)  # fmt: skip


def programs() -> tuple[list[Program], list[Program]]:
    """The filters and the assignments, compiled."""
    filters = [expression.compiled(expression.any_of([text])) for text in FILTERS]
    filters.append(expression.compiled(("or", [("bpf", packed(BPF)), expression.any_of(["IP"])])))
    filters.append(expression.compiled(("and", NUMBERED)))
    return filters, [assigning.varied(items, seed=len)[0] for items in ASSIGNMENTS] + [assigning.assignments([], SWAPPED)]


def columns(data: bytes) -> list[int]:
    """64-bit integers, as a program has them."""
    return array("q", data).tolist()


def in_c(filters: list[Program], assignments: list[Program]) -> Iterator[str]:
    """The lines of programs.h. Native integers are taken apart here and put together again by the compiler."""
    yield "/* Written by seeds.py. */"
    yield from c_tables.in_c()
    fields = [*struct.iter_unpack(ROW, filters[0][0])]
    yield "static const struct field field_table[] = {"
    yield from ("    {" + ", ".join(map(str, field)) + "}," for field in fields)
    yield "};"
    traits = ", ".join(f"{{{form}, {holds}, {names}}}" for form, holds, names in struct.iter_unpack(TRAITS, _rows.TRAITS))
    yield f"static const struct trait field_traits[] = {{{traits}}};"
    for name, of, rows in (
        ("our_ends", "ends", ends.ends()),
        ("our_apart", "keeping_apart", ends.keeping_apart()),
        ("our_places", "address_place", places.places()),
    ):
        given = ", ".join("{" + ", ".join(map(str, row)) + "}" for row in struct.iter_unpack("6q", rows))
        yield f"static const struct {of} {name}[] = {{{given}}};"
    *templates, text = _templates.TEMPLATES
    for name, tables in (("our_lines", _lines.LINES), ("our_templates", templates)):
        for i, table in enumerate(tables):
            yield f"static const int64_t {name}_{i}[] = {{{', '.join(map(str, columns(table)))}}};"
        rows = ", ".join(f"{{{name}_{i}, {len(table) // 8}}}" for i, table in enumerate(tables))
        yield f"static const struct protocol_table {name}[] = {{{rows}}};"
    yield f"static const uint8_t our_template_text[] = {{{', '.join(map(str, text))}}};"
    yield f"static const char field_names[] = {json.dumps(_rows.FIELDS)};"
    for name, group in (("filter", filters), ("assignment", assignments)):
        for i, (_, code, constants) in enumerate(group):
            yield f"static const int64_t {name}_{i}[] = {{{', '.join(f'INT64_C({n})' for n in columns(code))}}};"
            yield f"static const uint8_t {name}_{i}_constants[] = {{{', '.join(map(str, constants or b'?'))}}};"
        yield f"static struct program {name}s[] = {{"
        for i, (_, code, constants) in enumerate(group):
            sizes = len(fields), len(code) // 8, len(constants)
            yield f"    {{field_table, {sizes[0]}, {name}_{i}, {sizes[1]}, {name}_{i}_constants, {sizes[2]}, false, false}},"
        yield "};"


# ---- inputs; their first bytes are described at each case in C ----

ROWS = b"".join(b"%06X: 00 11 22 33  44 55 66 77  88 99 AA BB  CC DD EE ff : ........ ........\n" % at for at in range(0, 64, 16))
LINKTYPES = [1, 0, 101, 12, 14, 108, 113, 228, 229, 276, 147, 2**32 - 1, 258, 149]  # as in target.c


def texts() -> Iterator[bytes]:
    """Parameters and texts: ours, and what is written of packets in several widths."""
    for cut, width, data_only in ((0xFFFF, 16, 0), (200, 7, 0), (90, 1, 1), (700, 200, 0)):
        yield struct.pack("!HBB", cut, width - 1, data_only) + TEXT
    for line in (b"TIME: 1.2.3", b"TIME: 9223372036.0", b"SIZE: 262145/1", b"SIZE: 262144/262144", b"SIZE: 1/4294967296", b"00 0G",
                 b"0: 1 2_", b"-- 2 --", b"IP.TTL[-1]: 1", b"IP.TTL[: 1", b"A.B: ff", b"zz", b"==\nTIME: 1", b"==\nLINKTYPE: x",
                 b"==\nLINKTYPE: 4294967295\n-- 1 --", b"==\n==", b"==\nTRAILER: 4 (FCS)\n-- 1 --",
                 b"==\nTRAILER: 04/015\n-- 1 --\n1 2 3", b"==\nTRAILER: 31\n-- 1 --\nSIZE: 9/12", b"==\nTRAILER: 32",
                 b"==\nTRAILER: 4/16", b"==\nTRAILER: 4/", b"udp.data: 1 22\nUDP.DATA: 3344", b"IP.SRC_ADDR: 1.2.3.4\nIP.ID: 6",
                 b'PKTAP.COMM: "a\\x41"', b"ETHERNET.DST_ADDR: 1:2-3:4:5:6", b"IPV6.SRC_ADDR: 2001:db8::1",
                 b"IP.HEADER_SIZE: 0x18\nTCP.OPT_MSS[2]: 5"):  # fmt: skip
        yield struct.pack("!HBB", 9, 15, 0) + b"-- 1 --\n00 11\n" + line + b"\n==\n"
    sizes = [0, 1, 15, 16, 17, 40]
    b = batch([(1, bytes(range(100, 100 + size))) for size in sizes])
    for width, data_only in ((16, False), (16, True), (1, False), (9, False), (40, True)):
        text, _ = codec.text_encode(b.data, bytes(b.rows), 0, 1, width, data_only, 0)
        yield struct.pack("!HBB", 300, width - 1, data_only) + bytes(text)


def to_relay() -> Iterator[bytes]:
    """Which programs, and the text of a frame of Ethernet; and texts that are left alone."""
    for i, (linktype, frame) in enumerate(samples()):
        if linktype == 1:
            b = batch([(1, frame)])
            text, _ = codec.text_encode(b.data, bytes(b.rows), 0, 1, 16, False, 0)
            yield bytes([i % (len(FILTERS) + 3), i % (len(ASSIGNMENTS) + 2), i % 4]) + bytes(text)
    for given in texts():
        yield b"\xff\0\0" + given[4:]


def long_texts() -> Iterator[bytes]:
    """Rows that are missing, and what follows: as much as there may be, and a byte more, as a row and as other lines."""
    row = ROWS[:79]
    for missing, text in ((4, b"==\n"), (5, row + b"==\n"), (4, row), (3, b"==\n"), (4, b"00\n==\n"), (5, b"00 " * 16 + b"\n=="),
                          (5, b"00 " * 17 + b"\n==\n-- 2 --\n")):  # fmt: skip
        yield bytes([missing]) + text


def rows() -> Iterator[bytes]:
    """Canonical rows, and such that are not quite."""
    yield b"\x08" + ROWS
    yield b"\x02" + ROWS
    for at, byte in ((79, b"G"), (85, b"-"), (93, b"0"), (138, b"."), (150, b"\n"), (156, b"\n"), (157, b" "), (157, b"")):
        yield b"\x08" + ROWS[:at] + byte + ROWS[at + 1 :]


def records() -> Iterator[bytes]:
    """Records of captures in every format."""
    for choice in range(24):
        order, header = "<>"[choice & 1], 24 if choice & 4 else 16
        magic, zone, accuracy = ((0xA1B2C3D4, 0, 0), (0xA1B23C4D, -3600, 9), (0xA1B2CD34, 901, 0), (0xA1B2C3D4, 0, 10))[choice % 4]
        another = struct.pack("<>"[choice >> 1 & 1] + "IHHiIII", magic, 2, 4, zone, accuracy, 65535, 1)
        for sizes, cut in (((0, 3, 20), 40), ((9,), 5), ((300_000,), 1)):
            data = b"".join(
                struct.pack(order + "IIII", 2**31 + i, 999_999 + i, size, 2**i * 100) + bytes(header - 16) + bytes(size % 999)
                for i, size in enumerate(sizes)
            )
            yield struct.pack("!BBH", choice, 0, cut) + data
            yield struct.pack("!BBH", choice, 2, cut) + data[:-1]
            yield struct.pack("!BBH", choice, 0, cut) + data[: (16 + header) * (len(sizes) > 1)] + another


def block(order: str, kind: int, body: bytes, trailer: int = 0) -> bytes:
    """A block of pcapng."""
    body += bytes(-len(body) % 4)
    size = len(body) + 12
    return struct.pack(order + "II", kind, size) + body + struct.pack(order + "I", trailer or size)


def options(order: str, *items: tuple[int, bytes]) -> bytes:
    """Options of a packet, and their end."""
    return b"".join(
        struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4) for code, value in (*items, (0, b""))
    )


def blocks() -> Iterator[bytes]:
    """Enhanced, simple and obsolete blocks with options of every kind, in both orders; and such that are wrong."""
    for order, choice in (("<", 0), (">", 1), ("<", 2), (">", 3)):
        flags, drops = struct.pack(order + "I", 2 | 4 << 5 | 8 << choice), struct.pack(order + "Q", 12)
        known = options(order, (1, b"two words"), (2, flags), (4, drops), (1, b"line\nline \x1b\\n"), (3, b"x"))
        enhanced = [struct.pack(order + "IIIII", i % 2, 0x60000, i * 9, 5, 9) + b"bytes\0\0\0" + known for i in range(2)]
        obsolete = struct.pack(order + "HHIIII", 0, 7, 1, 2, 3, 3) + b"old\0" + options(order, (2, flags[::-1]))
        good = [
            block(order, 6, enhanced[0]),
            block(order, 6, enhanced[1]),
            block(order, 3, struct.pack(order + "I", 40) + bytes(40)),
            block(order, 2, obsolete),
        ]
        wrong = [
            block(order, 6, struct.pack(order + "IIIII", 9, 0, 0, 0, 0)),
            block(order, 6, struct.pack(order + "IIIII", 0, 0, 0, 99, 0)),
            block(order, 6, bytes(8)),
            block(order, 6, enhanced[0], 4),
            block(order, 5, b"stat"),
            block(order, 0x0A0D0D0A, b""),
            struct.pack(order + "II", 6, 33),
            struct.pack(order + "II", 6, 1 << 25),
            struct.pack(order + "II", 6, 4),
            block(order, 6, enhanced[0][:28] + struct.pack(order + "HH", 1, 999)),
        ]
        for resolution in (6, 9, 0, 12, 19, 29, 0x80, 0x8A, 0xFF, 0x7F):
            given = bytes([choice, 2, 0, resolution, 3, 0, 1, 2, 6, resolution % 8, 7, 0])
            yield given + struct.pack("!H", 50) + b"".join(good)
        for last in wrong:
            yield bytes([choice, 1, 0, 6, 0, 0, 1]) + struct.pack("!H", 9) + good[0] + last


def notes() -> Iterator[bytes]:
    """Lines of notes: right ones, doubled, wrong, and with every form of control character."""
    lines = b"IFACE: eth0\nWAY: in\nLOST: 18446744073709551615\nNOTE: x\\n\\r\\x1b\\x41\\xzz\\\nNOTE:\n"
    lines += b"\0I12\n\0O" + b"0" * 32 + b"000300021234" + b"0002000480000000" + b"0bad0000\n"
    for choice in range(8):
        for more in (b"", b"WAY: sideways\nLOST: -1\nLOST: 99999999999999999999\n", lines, b"IFACE:\nwhat\nNOTE", b"WAY:\t out \n"):
            yield struct.pack("!BBH", choice, 3, 20) + b"abc" + lines + more
            yield struct.pack("!BBH", choice, 0, 5) + more


def sample(linktype: int, frame: bytes, original: int = 0, zeros: int = 0) -> bytes:
    """What take_sample in packets.c takes."""
    return struct.pack("!BHB", LINKTYPES.index(linktype), original, zeros) + frame


def more_frames() -> list[tuple[int, bytes]]:
    """Frames that the samples of the codec's tests do without: nearly right, or right in a strange way."""
    route = bytes([0, 1]) + bytes(4) + bytes(16)
    packets = [
        ipv4(17, udp(size=6)), ipv4(17, udp(size=99)), ipv6(17, udp(size=0)), ipv4(6, tcp(options=bytes(40))),
        ipv6(43, extension(17, b"\x05" + route[1:]) + udp()), ipv6(43, extension(58, b"\2" + route[1:]) + icmp(128)),
        ipv6(60, extension(60, bytes(6)) * 32),
        b"\x4f" + ipv4(1, icmp())[1:], b"\x41" + ipv4(1, icmp())[1:], b"\x45\0\0\0" + ipv4(6, tcp())[4:],
    ]  # fmt: skip
    return [summed(), *((101, p) for p in packets), (1, ethernet(0x8100, tags([0x8100], 0x0806, bytes(9))))]


def summed() -> tuple[int, bytes]:
    """UDP over IPv6 whose checksum comes out as 0, which is written as 0xFFFF: the checksum that it had is in it."""
    b = batch([(101, ipv6(17, udp(bytes(2))))])
    codec.correct(b.data, bytes(b.rows), codec.ALL)
    return 101, ipv6(17, udp(bytes(b.data[46:48])))


def samples() -> Iterator[tuple[int, bytes]]:
    """Frames of every kind, with checksums and without, whole and cut."""
    found = frames() + more_frames()
    b = batch(found)
    yield from found
    codec.correct(b.data, bytes(b.rows), codec.ALL)
    for i, (linktype, frame) in enumerate(found):
        yield linktype, bytes(b.frame(i))
        yield linktype, frame[: len(frame) * 2 // 3]


def edited() -> Iterator[bytes]:
    """Edits and the samples they are made in, some with padding, some cut, some beyond 16 bits."""
    linktype, frame = summed()
    yield b"\2" + struct.pack("!HBHB", 48, frame[48], 49, frame[49]) + sample(linktype, frame[:48] + bytes(2))
    for i, (linktype, frame) in enumerate(samples()):
        original, zeros = ((0, 0), (0, 6), (1500, 0), (0, 255), (60, 30))[i % 5]
        edits = b"".join(struct.pack("!HB", at % max(len(frame), 1), at) for at in range(20, 20 + i % 4 * 7, 7))
        yield bytes([i % 4]) + edits + sample(linktype, frame, original, zeros)


def column(value: int) -> bytes:
    """A column of a program in few bytes; take_column in packets.c takes it."""
    if -14 <= value < 240:
        return bytes([value if value >= 0 else 254 + value])
    return struct.pack("!BH", 254, value) if 0 <= value < 65536 else struct.pack("!Bq", 255, value)


def given() -> Iterator[bytes]:
    """Programs and samples they say something of; some with fields of their own."""
    filters, assignments = programs()
    for kind, group in enumerate((filters, assignments)):
        for i, (_, code, constants) in enumerate(group):
            if max(len(code) // 8, len(constants)) > 255:  # a byte counts them; programs.h has these, too
                continue
            coded = bytes([len(code) // 8]) + b"".join(map(column, columns(code))) + bytes([len(constants)]) + constants
            for linktype, frame in (frames()[i * 3], frames()[-i * 3 - 4]):
                yield bytes([kind]) + coded + sample(linktype, frame)
    # A field of the input's own, one test or assignment, and what makes either unsound: each alone, a column and its value.
    ethernet = HEADERS.index("ETHERNET")
    field, test, change = [ethernet, 0, 48, 0, 1, 0, 1, -1], [0, 1, 0, 0, 0, 0, -1, 0, 0, -1, -2], [0, 0, 1, 0, 0, 0x0800, 0, 0, 0]
    frame = sample(*frames()[0])
    yield from (own(field, test, 2, frame), own(field, change, 3, frame), own(field, [3, *change[1:]], 3, frame))
    for at, value in ((1, -1), (1, 8 * 262_144 + 1), (2, -1), (2, 57), (2, 64), (2, 129), (4, 0), (4, -1), (5, 2), (7, 0), (7, 1)):
        unsound = [*field[:at], value, *field[at + 1 :]]
        yield from (own(unsound, test, 2, frame), own(unsound, change, 3, frame), own(unsound, [1, *change[1:]], 3, frame))
    # Little-endian numbers and text, some where none can be.
    for bit, width, kind in ((8, 40, 3), (4, 16, 3), (8, 12, 3), (8, 64, 3), (8, 320, 4), (0, 0, 4), (4, 16, 4), (8, 1 << 22, 4)):
        typed = [ethernet, bit, width, 0, 1, kind, 1, -1]
        for operation in range(4):
            yield own(typed, [operation, *change[1:6], 0, 2, 0], 3, frame)
        yield own(typed, [*test[:7], 0, 2, *test[9:]], 2, frame)
    for at, value in ((0, 1), (0, -1), (7, 3), (7, -1), (8, 3), (8, -1), (8, 2**63 - 1), (9, 0), (9, 1), (10, 0), (10, 1)):
        yield own(field, [*test[:at], value, *test[at + 1 :]], 2, frame)
    for at, value in ((1, 1), (1, -1), (6, 3), (6, -1), (7, 3), (7, -1), (8, 1), (8, -1)):
        yield own(field, [3, *change[1:at], value, *change[at + 1 :]], 3, frame)


def bpf_programs() -> Iterator[bytes]:
    """Classic BPF programs: each instruction, an IP header's length, a loop; and what makes them unsound."""
    end = [(0x06, 0, 0, 1)]
    every = [(code, 0, 0, 1) for code in sorted(CODES - {0x05, 0x06, 0x16})]
    port = [(0x28, 0, 0, 12), (0x15, 0, 4, 0x0800), (0xB1, 0, 0, 14), (0x48, 0, 0, 16), (0x15, 0, 1, 53), *end, (0x16, 0, 0, 0)]
    loop = [(0x04, 0, 0, 1), (0x07, 0, 0, 0), (0x35, 1, 0, 200), (0x05, 0, 0, 0xFFFFFFFC), (0x50, 0, 0, 0), (0x16, 0, 0, 0)]
    wrong = [[*every[:i], (code, 9, 9, k)] for i, (code, k) in enumerate(((0x34, 0), (0x60, 16), (0x05, 7), (0x15, 0), (0xFF, 0)))]
    for i, program in enumerate(
        (port, loop, every + end, *([one, *end] for one in every), *wrong, [(0x05, 0, 0, 0xFFFFFFFF), *end])
    ):
        coded = b"".join(bytes([code, jt, jf]) + column(k) for code, jt, jf, k in program)
        yield bytes([len(program)]) + coded + sample(*frames()[i % len(frames())])


def bridged() -> Iterator[bytes]:
    """Frames for a bridge: of a few stations, to each other, to groups, to bridges; too short ones."""
    macs = [bytes.fromhex(text) for text in ("020000000001", "020000000002", "020000000003", "020000000004")]
    other = [bytes.fromhex(text) for text in ("ffffffffffff", "0180c2000000", "0180c2000010", "000000000000", "01005e000001")]
    pairs = [(to, by) for to in [*macs, *other] for by in [*macs, *other]]
    for number in range(4):
        chosen = pairs[number::4]
        whole = [to + by + b"\x08\x00" + bytes(number) for to, by in chosen]
        yield bytes([number]) + b"".join(bytes([len(frame)]) + frame for frame in [*whole, whole[0][:13], b""])


def own(field: list[int], code: list[int], choice: int, frame: bytes) -> bytes:
    """A program with a field of its own, and two constants."""
    coded = [bytes([len(part)]) + b"".join(map(column, part)) for part in (field, code)]
    return bytes([choice]) + b"".join(coded) + b"\2ab" + frame


def changed_tables() -> Iterator[bytes]:
    """Changes to our tables of protocols, and a frame: a table, a place in it, a number."""
    options = bytes.fromhex("01 0204 05b4 0402 080a 00000001 00000002 050a 0000000300000004 00")
    inner = ethernet(0x86DD, ipv6(6, tcp(options=options + bytes(-len(options) % 4))))
    frame = sample(1, ethernet(0x8100, tags([0x8100], 0x0800, ipv4(47, gre(0x6558, inner, 0xB000)))))
    yield b"\0" + frame
    for table, (rows, columns) in enumerate(zip(c_tables.walk(), COLUMNS, strict=True)):
        last = len(rows) // 8
        for place in (*range(columns), *range(last - columns, last)):
            for number in (-1, 1, 300):
                yield b"\1" + struct.pack("!BHh", table, place, number) + frame


def placed() -> Iterator[bytes]:
    """Numbers of every width, at every bit of a byte, that fit, just fit, and do not."""
    for bit, width in ((0, 0), (0, 64), (3, 64), (7, 1), (9, 33), (64, 64), (65, 64), (127, 1), (128, 0), (128, 1), (65535, 64)):
        yield struct.pack("!HBQ", bit, width, 0x0123456789ABCDEF) + bytes(range(16))


def stamped() -> Iterator[bytes]:
    """Stamps in order and not, twice, cut off; of a mark that the first frame begins with."""
    mark = b"\x14\xbe\x9b\xe9"  # its first byte is the size of the first frame
    for at in (0, 5):
        frames = [mark[1:] + bytes(17)]
        for number in (1, 2, 5, 4, 4, 60, 61, 3, 0xFFFFFFFF):
            frames.append(bytes(at) + mark + struct.pack("!III", number, number * 1000 & 0xFFFFFFFF, 999_999))
        frames.append(frames[-1][:-1])
        yield bytes([at]) + b"".join(bytes([len(frame)]) + frame for frame in frames)


def to_divide() -> Iterator[bytes]:
    """Frames to be divided, and what is changed in their fragments."""
    for i, (linktype, frame) in enumerate(samples()):
        edits = b"".join(struct.pack("!BHB", k, at, at & 255) for k, at in enumerate((6, 20, 0xFFFF)[: i % 4]))
        yield struct.pack("!BHB", i % 32, 20 + i % 90, i % 4) + edits + sample(linktype, frame, zeros=(0, 9)[i % 2])


def to_wrap() -> Iterator[bytes]:
    """Frames with a shape each: 14 octets behind the first header, some of them bits of others; and one that takes a header off."""
    put_in = bytes((1, 1, 2, 1, 0, 1, 0, 14, 0, 0, 8, 8, 8, 2, 0, 0, 16, 32))
    take_off = bytes((1, 1, 0, 1, 0, 2, 0, 0))
    for i, (linktype, frame) in enumerate(samples()):
        yield (put_in, take_off)[i % 2] + sample(linktype, frame)


def to_cut() -> Iterator[bytes]:
    """Frames to be cut, by the size of packets and of data."""
    for i, (linktype, frame) in enumerate(samples()):
        yield struct.pack("!BHB", i % 8, (0, 40 + i % 90)[i % 3 > 0], (0, 1, 7)[i % 3]) + sample(
            linktype, frame, zeros=(0, 9)[i % 2]
        )


def to_splice() -> Iterator[bytes]:
    """Frames of which pieces become others."""
    for i, (linktype, frame) in enumerate(samples()):
        size = min(len(frame), 500)
        places = enumerate((size // 3, 2, size // 3)[: i % 4])
        pieces = b"".join(struct.pack("!HBB", at, i % 7, (0, 3, 28, i % 64)[k]) for k, at in places)
        yield struct.pack("!B", i % 4 | i * 4 & 60) + pieces + sample(linktype, frame, zeros=(0, 9)[i % 2])


def to_answer() -> Iterator[bytes]:
    """Frames, and rules for them: fields exchanged, and set."""
    for i, (linktype, frame) in enumerate(samples()):
        edits = [*(8, 96, 32, 8, 128), *(8, 64, 8, -1, i % 256)][: 5 * (1 + i % 2)]
        coded = bytes([len(edits)]) + b"".join(map(column, edits))
        yield struct.pack("!BH", i % 8, (0, 24, 60, 0)[i % 4]) + coded + sample(linktype, frame)


def to_map() -> Iterator[bytes]:
    """Frames whose addresses are replaced, by rules: sort and sides, bits, treatment, and what the numbers become."""
    for i, (linktype, frame) in enumerate(samples()):
        rules = [bytes([sort | (7, 1, 6)[i % 3] << 3, (0, 8)[i % 2], i % 4, 17 * i % 256]) for sort in range(5)]
        yield bytes([len(rules)]) + b"".join(rules) + sample(linktype, frame)


def to_follow() -> Iterator[bytes]:
    """Frames of conversations: each of ours twice; and segments, each changed in its numbers."""
    whole = [(linktype, frame) for linktype, frame in samples() if len(frame) < 256]
    for i in range(0, len(whole), 16):
        for linktype in dict(whole[i : i + 16]):
            frames = [frame for link, frame in whole[i : i + 16] if link == linktype]
            twice = b"".join(
                bytes([len(frame), change]) * (change == 4) + bytes([len(frame), 6]) + frame
                for frame in frames
                for change in (4, 0)
            )
            yield bytes([i % 32, LINKTYPES.index(linktype)]) + twice
    segment = ethernet(0x800, ipv4(6, tcp(bytes(9))))
    yield bytes([2, 0]) + b"".join(
        bytes([len(segment), change]) + segment for change in (1, 41, 42, 45, 46, 47, 49, 51, 38, 43, 0, 1, 1, 47)
    )


# ---- memory that the kernel shares ----


def ring_blocks() -> Iterator[bytes]:
    """Blocks as the kernel makes them, with tags and without, and such as it does not make."""
    head, packet, frame = "=IIIIIIQIIII", "=6IHHIIHH8x", bytes(range(60))
    for choice, (status, tag, after, count, used) in enumerate((
        (1, 0, 160, 3, 0), (0x51, 0x0ABC, 160, 3, 0), (0x19, 7, 160, 3, 0), (1, 0, 0, 3, 0), (1, 0, 70, 3, 0),
        (1, 0, 1 << 31, 3, 0), (1, 0, 160, 99, 0), (1, 0, 160, 3, 4096), (1, 0, 160, 3, 48), (0, 0, 160, 0, 0),
    )):  # fmt: skip
        body = b""
        for i in range(3):
            made = struct.pack(packet, after, i, 1, 60, 60 + i, status, 86, 100, 0, tag, 0x88A8, 0)
            made += struct.pack("=HHiHBB8s", 17, 0, 2, 1, 4 * (i & 1), 6, b"")
            body += (made.ljust(86, b"\0") + frame).ljust(160, b"\0")
        begun = struct.pack(head, 2, 48, status & 1, count, 48, used or 48 + len(body), 1, 0, 0, 0, 0)
        yield bytes([choice | 3]) + begun + body
        yield bytes([choice | 3]) + (begun + body)[:-70]


def ring_slots() -> Iterator[bytes]:
    """Slots of 128 bytes: right ones, one of the kernel's, one whose frame waits elsewhere, some that cannot be."""
    good, virtio = (1, 32, 32, 72), bytes([1, 0, 14, 0, 0, 0, 14, 0, 2, 0])
    for other in (good, (0x51, 32, 32, 72), (0, 32, 32, 72), (3, 99, 32, 72), (1, 99, 32, 72), (1, 99, 99, 72), (1, 32, 32, 200),
                  (1, 32, 32, 60), (1, 0, 0, 128)):  # fmt: skip
        made = b""
        for status, original, captured, mac in (good, other, good):
            slot = struct.pack("=IIIHHIIHH", status, original, captured, mac, 72, 1, 2, 7, 0x8100)
            made += (slot.ljust(62, b"\0") + virtio + bytes(range(32))).ljust(128, b"\0")
        yield bytes([4, 64]) + made
        yield bytes([4, 17]) + made


def buffers(record: bytes) -> Iterator[bytes]:
    """A record, three times, in rings: from the first byte on, over the end, and over the end of all positions."""
    for choice, room, start in ((3, 255, 0), (3, 255, 480), (3 | 128 | 16, 255, 0), (1 | 8 | 64, 9, 0), (3, 4, 64), (3, 255, 1)):
        size, data = 64 << choice % 8 % 6, record * 3
        base = start if choice < 128 else (1 << 64) - 64 + start
        ring = bytearray(size)
        for i, byte in enumerate(data[:size]):
            ring[(base + i) % size] = byte
        for full in (min(len(data), size), len(record) - 8, size + 8):
            yield struct.pack("!BBHH", choice, room, start, full) + ring


def ringbuf_records() -> Iterator[bytes]:
    """Records of a BPF ring buffer: a frame; one that is busy, one that was discarded, one too short, one that has no end."""
    body = struct.pack("=QQ", 5, 80) + bytes(range(64))
    for length in (80, 80 | 1 << 31, 80 | 1 << 30, 15, 0x3FFFFFFF, 0):
        yield from buffers(struct.pack("=II", length, 0) + body)


def perf_records() -> Iterator[bytes]:
    """Records of a perf buffer: a frame; one of another kind, another cookie, lengths that contradict each other."""
    for kind, total, raw, cookie, original in (
        (9, 88, 68, 0xDEAD, 64), (2, 88, 68, 0xDEAD, 64), (9, 88, 68, 0, 64), (9, 88, 3, 0xDEAD, 64), (9, 88, 69, 0xDEAD, 64),
        (9, 84, 68, 0xDEAD, 64), (9, 0, 0, 0xDEAD, 9), (9, 88, 68, 0xDEAD, 9), (9, 16, 4, 0xDEAD, 9),
    ):  # fmt: skip
        yield from buffers(struct.pack("=IHHQIHH", kind, 0, total, 5, raw, cookie, original) + bytes(range(64)))


def to_send() -> Iterator[bytes]:
    """Rows that lie within 100 bytes of data, and one that does not."""
    for offset, captured in ((10, 90), (10, 91), (9, 1), (-1, 5), (1 << 62, 1 << 62), (100, 0), (101, 0), (20, -1)):
        rows = [(10, 5), (40, 60), (offset, captured)]
        yield struct.pack("!BBH", 10, 1, 100) + b"".join(struct.pack("=7q", at, size, size, 0, 1, 0, 0) for at, size in rows)


def handed_on() -> Iterator[bytes]:
    """Rows and packets as one command hands them to the next: sound ones, and such as are wrong in one column."""
    notes = b"IFACE: eth0\nNOTE: x\n"
    data = bytes(8) + notes + bytes(20) + b"LOST: 1\n" + bytes(5)
    rows = [[8, 8, 1, len(notes)], [20, 90, 1_700_000_000_000_000_001, 8], [5, 5, 2, 0], [0, 0, 0, 0]]
    for row, column, value in (
        (0, 0, 8),
        (0, 3, 3),
        (1, 0, -1),
        (1, 1, 1 << 32),
        (1, 2, -1),
        (1, 2, (1 << 63) - 1),
        (2, 0, 6),
        (2, 3, 1 << 62),
    ):
        changed = [list(each) for each in rows]
        changed[row][column] = value
        told = b"".join(struct.pack("=7q", 0, captured, original, time, 0, 0, size) for captured, original, time, size in changed)
        for start in (0, 3):
            yield bytes([0, len(rows), start]) + told + bytes(start) + data


def messages() -> Iterator[bytes]:
    """Messages for each reader, behind three bytes that are not theirs, as a whole and without their end."""
    for reader, sample in SAMPLES.items():
        for short in (0, 9):
            yield bytes([READERS.index(reader), 3, short]) + bytes(3) + bytes.fromhex(sample)


def listed() -> Iterator[bytes]:
    """Frames as lines, by our templates, and by some that were changed."""
    for linktype, frame in samples():
        yield bytes([0, 5]) + sample(linktype, frame)
        yield bytes([1, 4, len(frame) % 7, 0, 3, 0, 1]) + sample(linktype, frame)


def to_cipher() -> Iterator[bytes]:
    """An exception, and numbers of each sort."""
    numbers = b"".join(bytes([sort, 9, 192, 0, 2, sort]) for sort in range(4))
    for width, taken in ((128, 1), (16, 0)):
        yield bytes([width, 0, taken, 2, 1, 255, 255, 0, 0, 255, 1]) + numbers


CASES = {
    "t": texts, "R": to_relay, "l": long_texts, "r": rows, "p": records, "n": blocks, "m": notes, "c": edited, "g": given,
    "w": bridged, "b": bpf_programs, "f": lambda: (sample(linktype, frame) for linktype, frame in samples()),
    "d": handed_on, "v": placed, "a": stamped, "h": changed_tables, "k": ring_blocks, "s": ring_slots, "x": ringbuf_records,
    "y": perf_records, "z": to_send, "o": to_divide, "j": to_cut, "q": to_answer, "A": to_map, "e": messages, "u": to_follow,
    "S": to_splice, "P": to_cipher, "i": listed, "W": to_wrap,
}  # fmt: skip


def main(folder: str | None) -> None:
    """Writes the one or the other."""
    if folder is None:
        print("\n".join(in_c(*programs())))
        return
    for letter, inputs in CASES.items():
        for data in inputs():
            whole = letter.encode() + data
            (Path(folder) / sha1(whole).hexdigest()).write_bytes(whole)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
