"""Classic BPF as eBPF, run by the kernel, against libpcap's own interpreter: both say the same of every packet."""

from __future__ import annotations

import ctypes
import random
import struct

import pytest
from conftest import SHARED
from xdp import need_bpf

from pkttools.bpf import classic
from pkttools.bpf.assembler import R0, R1, R5, R6, R7, R8, Code, assemble, call, leave, load, mov
from pkttools.bpf.translate import Place, translate
from pkttools.errors import PktError, UsageError
from pkttools.live.linux.bpf import LENGTH, PROG_RUN, XDP_DROP, XDP_PASS, XdpProgram, attribute, bpf

LEAST = 14  # bytes that the kernel runs a program over; fewer are no Ethernet
MOST = 3500  # and those that it has in one piece
EXPRESSIONS = """
ip ; ip6 ; arp ; icmp ; icmp6 ; tcp ; udp ; icmp or icmp6 ; not ip ; ether broadcast ; ether multicast ; ip multicast
ip6 multicast ; tcp port 80 ; udp port 53 ; port 53 ; portrange 100-1000 ; src port 53 ; dst portrange 0-1023
not port 22 ; tcp port 80 or udp port 53 ; host 10.0.0.1 ; net 10.0.0.0/8 ; net 192.168.0.0/16 ; src net 172.16.0.0/12
host ff02::1 ; net fe80::/10 ; src host 0.0.0.0 ; ether proto 0x88cc ; ether host 01:80:c2:00:00:00
ether src 00:00:00:00:00:01 ; ether[0] & 1 = 1 ; ether[12:2] < 1536 ; len > 100 ; less 60 ; greater 1000 ; len = 60
len - 14 = ip[2:2] ; len & 1 = 1 ; ip proto 1 ; ip proto 89 ; ip6 proto 58 ; ip[0] & 0xf != 5 ; ip[8] < 10
ip[6:2] & 0x1fff != 0 ; ip[6:2] & 0x3fff != 0 ; tcp[tcpflags] & (tcp-syn|tcp-ack) = tcp-syn ; tcp[13] = 2
tcp[(tcp[12] >> 4) * 4:4] = 0x47455420 ; udp[4:2] > 100 ; icmp[icmptype] = icmp-echo ; vlan ; vlan 42 ; vlan and ip
vlan and vlan ; vlan 1 or vlan 2 ; pppoes ; mpls ; mpls and ip ; ip and vlan ; ip[ip[2:2] - 1] = 0
ether[ether[13]:1] > 5 ; ip[ip[8]:4] != 0 ; ether[len - 1] = 0 ; ether[len - 4:4] = 0 ; ether[len:1] = 0
ether[len - 2:4] > 1 ; ip[2:2] / ip[1] > 3 ; ip[2:2] / (ip[8] - 64) < 7 ; ip[2:2] % ip[9] = 0 ; ip[4:2] % (ip[0] & 3) = 1
1000 / len = 3 ; ip[8] / 0x10 = 4 ; ip[4:2] << (ip[8] & 63) > 5 ; ip[4:2] >> ip[8] = 0 ; (ip[4:2] << 3) >> 4 = ip[8]
1 << ip[9] > 2 ; 0xffffffff >> ip[9] > 100 ; ether[0:4] >> len = 0 ; ether[0:4] * ether[4:4] > 0x80000000 ; -ip[8] > 5
ether[0:4] + 0xfffffff0 > ether[4:4] ; (ip[8] ^ ip[9]) & 5 = 4 ; ether[0:4] - ether[6:4] > 0x7fffffff
ether[0:4] = 0xffffffff ; ether[60000] = 0 ; ether[65534:1] = 0 ; ether[70000] = 1 ; ether[0x7fffffff] = 1
ether[ether[0:4]:1] = 0 ; ether[ether[0:4] + 0xffff:2] > 0 ; ether[ether[6:4] - 0xffffffff] > 0 ; ip broadcast
ip6[6] = 58 ; ip6[40] = 135 ; icmp6 and ip6[40] = 128 ; sctp ; ah ; esp ; igmp ; pim ; vrrp ; stp ; isis
decnet host 1.2 ; ipx ; netbeui ; aarp ; lat ; tcp[100] = 0 ; udp[8:4] & 0xff00ff00 != 0 and udp[8] != 0
(tcp or udp) and (port 1 or port 2 or port 3 or port 53) ; geneve ; geneve 1 and ip ; wlan[0] = 1
ether[5] = 0 and (ether[6] = 1 or len % 7 = 3)
"""


def compiled(expression: str, optimised: bool) -> list[classic.Instruction]:
    """What libpcap makes of an expression; not every version takes each."""
    from bpf import open_dead

    from pkttools.libpcap.system import BpfProgram, library

    pcap = library()
    handle = open_dead(1)
    program = BpfProgram()
    try:
        if pcap.pcap_compile(handle, ctypes.byref(program), expression.encode(), int(optimised), 0):
            return []
        found = [(i.code, i.jt, i.jf, i.k) for i in program.instructions[: program.size]]
        pcap.pcap_freecode(ctypes.byref(program))
        return found
    finally:
        pcap.pcap_close(handle)


def program_of(instructions: list[classic.Instruction]) -> XdpProgram:
    """A program in the kernel: it passes what matches, and drops what does not."""
    code: Code = [mov(R6, R1), call(LENGTH), mov(R5, R0), load(4, R7, R6, 0), load(4, R8, R6, 4)]
    code += translate(instructions, Place(R7, R8, R5))
    code += ["match", mov(R0, XDP_PASS), leave(), "other", mov(R0, XDP_DROP), leave()]
    return XdpProgram(assemble(code), "test")


class Packets:
    """Packets in memory, for two judges."""

    def __init__(self, packets: list[bytes]) -> None:
        self.packets = packets
        self.memory = ctypes.create_string_buffer(b"".join(packets))
        at = ctypes.addressof(self.memory)
        self.spans = []
        for data in packets:
            self.spans.append((at, len(data)))
            at += len(data)

    def judged_by_kernel(self, program: XdpProgram) -> list[bool]:
        given = ctypes.create_string_buffer(attribute("II", program.fd, 0).ljust(80, b"\0"), 80)
        verdicts = []
        for at, size in self.spans:
            struct.pack_into("=IIQQI", given, 8, size, 0, at, 0, 1)
            bpf(PROG_RUN, given)
            verdicts.append(given.raw[4] == XDP_PASS)
        return verdicts

    def judged_by_libpcap(self, instructions: list[classic.Instruction]) -> list[bool]:
        from pkttools.libpcap.system import BpfInstruction, library

        judge = library().bpf_filter
        judge.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint)
        judge.restype = ctypes.c_uint
        program = (BpfInstruction * len(instructions))(*instructions)
        return [bool(judge(program, at, size, size)) for at, size in self.spans]


def frames(folder) -> list[bytes]:
    """The packets of all pcap files, whatever their link type: bytes are bytes."""
    found = []
    for path in sorted(folder.rglob("*.pcap")):
        data = path.read_bytes()
        order = {b"\xd4\xc3\xb2\xa1": "<", b"\xa1\xb2\xc3\xd4": ">", b"\x4d\x3c\xb2\xa1": "<"}.get(data[:4])
        at = 24
        while order and at + 16 <= len(data):
            (size,) = struct.unpack_from(order + "I", data, at + 8)
            frame = data[at + 16 : at + 16 + size]
            if LEAST <= len(frame) <= MOST:
                found.append(frame)
            at += 16 + size
    return found


def samples(chance: random.Random) -> list[bytes]:
    """Frames of our own: tags, options, tunnels, and bytes by chance."""
    ip = bytes.fromhex("4500003412344000400600000a0000010a000002")
    ports = bytes.fromhex("005000160000000100000002501020000000000047455420") + bytes(20)
    ip6, pppoe = bytes.fromhex("6000000000083aff") + bytes(32) + b"\x80" * 8, bytes.fromhex("1100000000400021")
    options = b"\x46" + ip[1:] + bytes(4)
    bodies = (("0800", ip + ports), ("0800", options + ports), ("86dd", ip6), ("0806", bytes(28)), ("8864", pppoe + ip))
    found = []
    for tags in ("", "8100602a", "810000018100002a", "88a8000281000001", "8847000010ff"):
        for kind, body in bodies:
            found.append(bytes.fromhex("ffffffffffff02000000000b" + tags + kind) + body)
    for i in range(600):
        size = chance.choice((14, 15, 20, 60, 64, 100, 1514, 3000, chance.randrange(14, 200)))
        data = bytearray(chance.randbytes(size))
        data[12:14] = chance.choice((b"\x08\x00", b"\x86\xdd", b"\x81\x00", b"\x08\x06", bytes(2)))
        if i % 3 == 0:  # few different values: comparisons hold
            data[14:40] = bytes(chance.choice((0, 1, 5, 0x45, 64, 255)) for _ in range(len(data[14:40])))
        found.append(bytes(data))
    return found


@pytest.fixture(scope="module")
def judges():
    need_bpf()
    try:
        from pkttools.libpcap.system import library

        library()
    except PktError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def packets(judges):
    """Ten thousand packets and more, half of them cut."""
    if not SHARED.is_dir():
        pytest.skip(f"{SHARED.name} is not there")
    chance = random.Random(5)
    found = samples(chance) + frames(SHARED / "captures")
    chosen = [found[i % len(found)] for i in range(max(5500, len(found)))]
    cut = [data[: chance.randrange(LEAST, len(data) + 1)] for data in chosen]
    return chosen[:5500] + cut


@pytest.fixture(scope="module")
def few(judges):
    return samples(random.Random(6))


def test_ten_thousand_packets(packets):
    """Each packet is judged by a part of the filters, each filter by thousands of packets."""
    assert len(packets) > 10_000
    expressions = ["", *(each.strip() for line in EXPRESSIONS.strip().splitlines() for each in line.split(";"))]
    parts = 2
    whole = [Packets(packets[i::parts]) for i in range(parts)]
    filters = refused = matched = checked = 0
    for number, expression in enumerate(expressions):
        for optimised in (False, True):
            instructions = compiled(expression, optimised)
            if not instructions:
                refused += 1
                continue
            program = program_of(instructions)
            part = whole[(number + optimised) % parts]
            ours, theirs = part.judged_by_kernel(program), part.judged_by_libpcap(instructions)
            differing = [data.hex() for data, one, other in zip(part.packets, ours, theirs, strict=True) if one != other]
            assert not differing, (expression, optimised, len(differing), differing[0])
            filters, matched, checked = filters + 1, matched + sum(ours), checked + len(ours)
            program.close()
    assert filters > 150 and refused < 20
    assert checked > 800_000 and checked / 50 < matched < checked


# ---- programs that libpcap does not write ----

LD, LDH, LDB, LDX_MSH, RET_A, TAX = 0x20, 0x28, 0x30, 0xB1, 0x16, 0x07
PASS, DROP = (0x06, 0, 0, 1), (0x06, 0, 0, 0)


def by_chance(chance: random.Random) -> list[classic.Instruction]:
    """A program of valid instructions without sense, whose scratch memory has something in it."""
    size = chance.randrange(1, 30)
    numbers = (0, 1, 2, 4, 13, 20, 31, 255, 2000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, chance.randrange(100))
    program = [(0x00, 0, 0, chance.choice(numbers)), *((0x02, 0, 0, k) for k in range(16)), (0x01, 0, 0, chance.choice(numbers))]
    for i in range(size):
        left = size - i  # instructions behind it, the two last ones among them
        kind = chance.randrange(10)
        k = chance.choice(numbers)
        near = chance.randrange(40)
        if kind < 3:
            code = chance.choice((0x20, 0x28, 0x30, 0x40, 0x48, 0x50, 0xB1))
            program.append((code, 0, 0, chance.choice((near, near, k % classic.ANCILLARY))))
        elif kind < 4:
            program.append((chance.choice((0x00, 0x01, 0x80, 0x81, 0x60, 0x61, 0x02, 0x03)), 0, 0, near % 16))
        elif kind < 8:
            operation = chance.choice((0x00, 0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0x80, 0x90, 0xA0))
            source = chance.choice((0, 8)) if operation != 0x80 else 0
            constant = k % 32 if operation in (0x60, 0x70) else k or 1
            program.append((0x04 | operation | source, 0, 0, constant))
        elif kind < 9:
            code = 0x05 | chance.choice((0x10, 0x20, 0x30, 0x40)) | chance.choice((0, 8))
            program.append((code, chance.randrange(left + 1), chance.randrange(left + 1), k))
        else:
            program.append(chance.choice(((TAX, 0, 0, 0), (0x87, 0, 0, 0), (0x05, 0, 0, chance.randrange(left + 1)))))
    return [*program, (0x54, 0, 0, 1), (RET_A, 0, 0, 0)]


def test_programs_by_chance(few):
    chance = random.Random(7)
    matched = checked = 0
    for _ in range(1500):
        instructions = by_chance(chance)
        part = Packets(chance.sample(few, 20))
        program = program_of(instructions)
        ours, theirs = part.judged_by_kernel(program), part.judged_by_libpcap(instructions)
        assert ours == theirs, instructions
        matched, checked = matched + sum(ours), checked + len(ours)
        program.close()
    assert checked / 20 < matched < checked / 2


ALWAYS = {
    "what cannot be reached": ([PASS, (LD, 0, 0, 0), (0x07, 0, 0, 0), DROP], True),
    "a load far behind the end": ([(LD, 0, 0, 0x10000), PASS], False),
    "a load that reaches far behind the end": ([(LDH, 0, 0, 0xFFFE), PASS], False),
    "a load just behind the end": ([(LDB, 0, 0, 60), PASS], False),
    "the last byte": ([(LDB, 0, 0, 59), PASS], True),
    "a word that is not all there": ([(LD, 0, 0, 57), PASS], False),
    "an offset that wraps": ([(0x01, 0, 0, 0xFFFFFFFF), (0x50, 0, 0, 1), PASS], False),
    "header length behind the end": ([(LDX_MSH, 0, 0, 60), PASS], False),
    "division by zero": ([(0x34, 0, 0, 0), PASS], False),
    "modulo zero": ([(0x94, 0, 0, 0), PASS], False),
    "shift by 32": ([(0x00, 0, 0, 255), (0x64, 0, 0, 32), (RET_A, 0, 0, 0)], False),
    "shift back by 40": ([(0x00, 0, 0, 0xFFFFFFFF), (0x74, 0, 0, 40), (RET_A, 0, 0, 0)], False),
    "a register without a value": ([(RET_A, 0, 0, 0)], False),
    "memory without a value": ([(0x60, 0, 0, 15), (RET_A, 0, 0, 0)], False),
    "the largest constant": ([(0x00, 0, 0, 0xFFFFFFFF), (0x15, 0, 1, 0xFFFFFFFF), PASS, DROP], True),
    "it is not less than none": ([(0x00, 0, 0, 0xFFFFFFFF), (0x25, 0, 1, 0), PASS, DROP], True),
}


@pytest.mark.parametrize("instructions, passed", ALWAYS.values(), ids=ALWAYS)
def test_corners(instructions, passed):
    need_bpf()
    program = program_of(instructions)
    assert program.run(bytes(range(60))) == (XDP_PASS if passed else XDP_DROP)
    program.close()


REFUSED = {
    "ancillary": ([(LDH, 0, 0, 0xFFFFF004), PASS], "instruction 0 (0x0028, 0xfffff004) asks the kernel"),
    "ancillary of bytes": ([PASS, (LDB, 0, 0, 0xFFFFF030), PASS], "instruction 1 (0x0030, 0xfffff030) asks the kernel"),
    "backward": ([(0x01, 0, 0, 1), (0x05, 0, 0, 0xFFFFFFFE), PASS], "instruction 1 (0x0005, 0xfffffffe) jumps backward"),
    "behind the end": ([(0x15, 1, 0, 0), PASS], "instruction 0 (0x0015, 0x0) jumps behind the last one"),
    "memory": ([(0x60, 0, 0, 16), PASS], "instruction 0 (0x0060, 0x10) uses memory that is not there"),
    "memory to store in": ([(0x02, 0, 0, 16), PASS], "instruction 0 (0x0002, 0x10) uses memory that is not there"),
    "no load": ([(0x21, 0, 0, 0), PASS], "instruction 0 (0x0021, 0x0) is no load that there is"),
    "no size": ([(0x38, 0, 0, 0), PASS], "instruction 0 (0x0038, 0x0) is no load that there is"),
    "no arithmetic": ([(0xB4, 0, 0, 0), PASS], "instruction 0 (0x00b4, 0x0) is no arithmetic that there is"),
    "no test": ([(0x55, 0, 0, 0), PASS], "instruction 0 (0x0055, 0x0) is no test that there is"),
    "nothing": ([(0xFF, 0, 0, 0), PASS], "instruction 0 (0x00ff, 0x0) is none that there is"),
}


@pytest.mark.parametrize("instructions, said", REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_translated(instructions, said):
    with pytest.raises(UsageError) as caught:
        assemble(translate(instructions, Place(R7, R8, R5)))
    assert said in str(caught.value)


def test_protochain_cannot_be_translated(judges):
    with pytest.raises(UsageError, match="jumps backward"):
        program_of(compiled("ip6 protochain 6", False))


def test_a_program_that_is_too_long_for_its_jumps():
    program = [(0x15, 9000, 0, 0), *[(LDB, 0, 0, 1)] * 9000, PASS]
    with pytest.raises(UsageError, match="the program is too long"):
        assemble([*translate(program, Place(R7, R8, R5)), "match", "other", leave()])
