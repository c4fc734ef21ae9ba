"""Classic BPF programs, as McCanne and Jacobson's paper and bpf(4) describe them: lists of instructions.

An instruction is code, jt, jf, k: what to do, how many instructions to skip when a test holds and when not, and a constant.
The codec runs them (codec/python/bpf.py); the kernel does for a socket that has one attached.
"""

from __future__ import annotations

import struct

from ..errors import PktError

Instruction = tuple[int, int, int, int]  # code, jt, jf, k

# Classes, and what the other bits of a code mean; <linux/bpf_common.h>
LD, LDX, ST, STX, ALU, JMP, RET, MISC = range(8)
WORD, HALF, BYTE = 0x00, 0x08, 0x10  # of loads: how many bytes
IMM, ABS, IND, MEM, LEN, MSH = 0x00, 0x20, 0x40, 0x60, 0x80, 0xA0  # of loads: from where
ADD, SUB, MUL, DIV, OR, AND, LSH, RSH, NEG, MOD, XOR = range(0x00, 0xB0, 0x10)  # of ALU
JA, JEQ, JGT, JGE, JSET = range(0x00, 0x50, 0x10)  # of JMP
K, X = 0x00, 0x08  # of ALU and JMP: the other operand
RET_K, RET_A = 0x06, 0x16
TAX, TXA = 0x07, 0x87

ANCILLARY = 0xFFE00000  # constants of loads from here on ask the kernel for something (SKF_LL_OFF and above)
PASS = 0x40000  # bytes that a filter of libpcap's lets through: all
ABSOLUTE = {LD | size | ABS for size in (WORD, HALF, BYTE)}
LONGEST = 1 << 16  # instructions
VLAN_TAG_PRESENT = 0xFFFFF030  # SKF_AD_OFF + SKF_AD_VLAN_TAG_PRESENT, <linux/filter.h>
KERNEL_LONGEST = 4096  # instructions, BPF_MAXINSNS
CHECKSUMS = ((6, 8), (16, 18), (8, 12))  # where UDP, TCP and SCTP have theirs: first byte, and the one behind the last

SCRATCH = 16  # words of memory that a program has
LOADS = {LD | WORD | mode for mode in (IMM, MEM, LEN)} | {LD | size | mode for size in (WORD, HALF, BYTE) for mode in (ABS, IND)}
LOADS |= {LDX | WORD | mode for mode in (IMM, MEM, LEN)} | {LDX | BYTE | MSH}
JUMPS = {JMP | test | operand for test in (JEQ, JGT, JGE, JSET) for operand in (K, X)}
ARITHMETIC = {ALU | op | operand for op in (ADD, SUB, MUL, DIV, OR, AND, LSH, RSH, MOD, XOR) for operand in (K, X)} | {ALU | NEG}
CODES = LOADS | JUMPS | ARITHMETIC | {ST, STX, JMP | JA, RET_K, RET_A, TAX, TXA}


def packed(instructions: list[Instruction]) -> bytes:
    """The instructions as `struct sock_filter` has them, in this machine's byte order."""
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in instructions)


def braces(instructions: list[Instruction]) -> list[str]:
    """The lines of `tcpdump -dd`: to be pasted into a C program."""
    return [f"{{ {code:#x}, {jt}, {jf}, {k:#010x} }}," for code, jt, jf, k in instructions]


def numbers(instructions: list[Instruction]) -> list[str]:
    """The lines of `tcpdump -ddd`: how many there are, then four decimal numbers each."""
    return [str(len(instructions)), *(f"{code} {jt} {jf} {k}" for code, jt, jf, k in instructions)]


def parsed(text: str, name: str) -> list[Instruction]:
    """Reads what `numbers` writes. name: what the text is from, for messages. Raises PktError with the line's number."""
    limits = (0xFFFF, 0xFF, 0xFF, 0xFFFFFFFF)
    count = None
    instructions: list[Instruction] = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words:
            continue
        if not all(word.isascii() and word.isdigit() and len(word) <= 10 for word in words):
            raise PktError(f"{name}: line {number}: not a number: '{line.strip()[:40]}'")
        found = [int(word) for word in words]
        if count is None and len(found) == 1:
            (count,) = found
        elif count is None:
            raise PktError(f"{name}: line {number}: a BPF program begins with the number of its instructions, as tcpdump -ddd does")
        elif len(found) != 4 or any(value > limit for value, limit in zip(found, limits, strict=True)):
            raise PktError(f"{name}: line {number}: an instruction is four numbers: code, jt, jf, k")
        else:
            instructions.append(tuple(found))  # type: ignore[arg-type]  # of four
    if count != len(instructions):
        said = "is empty" if count is None else f"says {count} instructions and has {len(instructions)}"
        raise PktError(f"{name}: the BPF program {said}")
    return instructions


def asks_kernel(instructions: list[Instruction]) -> int | None:
    """Which instruction asks the kernel for something that is not in the packet, as those of `inbound` do; None: none does."""
    return next((i for i, (code, _, _, k) in enumerate(instructions) if code in ABSOLUTE and k >= ANCILLARY), None)


def unsound(instructions: list[Instruction]) -> str | None:
    """Why a program may not be run, or None: what libpcap's bpf_validate() asks for, and that its length is no burden.

    Unconditional jumps may go back, as they do for `ip6 protochain`: who runs the program counts its steps.
    """
    count = len(instructions)
    if not 0 < count <= LONGEST:
        return f"it has {count} instructions, not 1 to {LONGEST}"
    for i, (code, jt, jf, k) in enumerate(instructions):
        if code not in CODES:
            return f"instruction {i}: no code {code:#x}"
        if code in (LD | MEM, LDX | MEM, ST, STX) and k >= SCRATCH:
            return f"instruction {i}: there are {SCRATCH} words of memory, no word {k}"
        if code in (ALU | DIV | K, ALU | MOD | K) and k == 0:
            return f"instruction {i}: divides by zero"
        if code == JMP | JA and i + 1 + signed(k) not in range(count):
            return f"instruction {i}: jumps out of the program"
        if code in JUMPS and i + 1 + max(jt, jf) >= count:
            return f"instruction {i}: jumps out of the program"
    return None if instructions[-1][0] in (RET_K, RET_A) else "its last instruction is no return"


def signed(k: int) -> int:
    """A constant as the two's complement that an unconditional jump has."""
    return k - (1 << 32) if k >> 31 else k


def reads_checksum(instructions: list[Instruction], link: int) -> bool:
    """Whether a program looks at the checksum of what IPv4 carries, as `tcp[16:2]` does. link: bytes of the link layer's header."""
    width = {WORD: 4, HALF: 2, BYTE: 1}
    loads = [(k - link, k - link + width[code & 0x18]) for code, _, _, k in instructions if code & 7 == LD and code & 0xE0 == IND]
    return any(start < behind and first < stop for start, stop in loads for first, behind in CHECKSUMS)


def for_socket(instructions: list[Instruction]) -> list[Instruction] | None:
    """The program as the kernel is to run it on a packet socket, or None where it cannot.

    It lets through whatever the program lets through, at full length, and besides each packet whose VLAN tag the kernel took
    off: the program would find everything four bytes too early there. Where it shifts by X it lets the packet through, as
    nothing is left by 32 bits for libpcap, and all for the kernel. Who receives runs the program again.
    """
    head = [(LD | BYTE | ABS, 0, 0, VLAN_TAG_PRESENT), (JMP | JEQ | K, 1, 0, 0), (RET_K, 0, 0, PASS)]
    tail = [(JMP | JEQ | K, 0, 1, 0), (RET_K, 0, 0, 0), (RET_K, 0, 0, PASS)]  # of what returns a number of its own
    count = len(instructions)
    if count + len(head) + len(tail) > KERNEL_LONGEST:
        return None
    body = []
    for i, (code, jt, jf, k) in enumerate(instructions):
        if code == JMP | JA and signed(k) < 0:
            return None
        if code in (ALU | LSH | X, ALU | RSH | X):
            body.append((RET_K, 0, 0, PASS))
        elif code == RET_A:
            body.append((JMP | JA, 0, 0, count - i - 1))
        else:
            body.append((code, jt, jf, PASS if code == RET_K and k else k))
    return head + body + (tail if any(code == RET_A for code, *_ in instructions) else [])
