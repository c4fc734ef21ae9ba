"""Classic BPF to eBPF that the verifier takes, with the results of libpcap's own interpreter, bpf_filter in bpf_filter.c.

Before each load stands a comparison with the end of the packet; it is all that the verifier asks for.
"""

from __future__ import annotations

from ..errors import UsageError
from . import assembler as ebpf
from . import classic
from .assembler import R0, R1, R2, R3, R10, Code, Register, alu, big_endian, jump, jump_if, load, mov, store

A, X, AT, BEHIND = R0, R1, R2, R3  # the two registers of classic BPF; where a load reads, and what stands behind it
MEMORY = -64  # where on the stack the 16 words of scratch memory begin, if the caller does not choose
FARTHEST = 0xFFFF  # bytes into a packet that the verifier follows; no driver has more in one piece

SIZES = {classic.WORD: 4, classic.HALF: 2, classic.BYTE: 1}
OPERATIONS = {
    classic.ADD: ebpf.ADD, classic.SUB: ebpf.SUB, classic.MUL: ebpf.MUL, classic.DIV: ebpf.DIV, classic.OR: ebpf.OR,
    classic.AND: ebpf.AND, classic.LSH: ebpf.LSH, classic.RSH: ebpf.RSH, classic.NEG: ebpf.NEG, classic.MOD: ebpf.MOD,
    classic.XOR: ebpf.XOR,
}  # fmt: skip
TESTS = {classic.JEQ: ebpf.JEQ, classic.JGT: ebpf.JGT, classic.JGE: ebpf.JGE, classic.JSET: ebpf.JSET}


class Place:
    """Where a program is put: registers and labels of the one around it.

    data, end: registers with the first byte of the packet, and with what stands behind its last one. length: one with the
    frame's length in bytes. match, other: labels to go to when the packet is let through, and else. memory: where on the stack
    the scratch memory may be. name: begins the program's own labels.
    """

    __slots__ = ("data", "end", "length", "match", "other", "memory", "name")

    def __init__(self, data: Register, end: Register, length: Register, match: str = "match", other: str = "other",
                 memory: int = MEMORY, name: str = "filter") -> None:  # fmt: skip
        self.data, self.end, self.length, self.match, self.other = data, end, length, match, other
        self.memory, self.name = memory, name


def translate(program: list[classic.Instruction], place: Place) -> Code:
    """The code that does what a program does, at its place. R0 to R3 are changed.

    Raises UsageError where that cannot be said in eBPF: for a jump backward (`ip6 protochain`), and for loads that ask the
    kernel for something.
    """
    used = sorted({k for code, _, _, k in program if code & 0x07 in (classic.LD, classic.LDX) and code & 0xE0 == classic.MEM})
    made: Code = [mov(A, 0), mov(X, 0)]
    made += [store(4, R10, place.memory + 4 * k, 0) for k in used if k < classic.SCRATCH]
    for i in range(len(program)):
        made.append(f"{place.name} {i}")
        made += Step(program, i, place).code()
    return made


class Step:
    """An instruction of classic BPF on its way."""

    def __init__(self, program: list[classic.Instruction], i: int, place: Place) -> None:
        self.i, self.size, self.place, (self.number, self.jt, self.jf, self.k) = i, len(program), place, program[i]

    def code(self) -> Code:
        """What it becomes. Raises UsageError."""
        kind = self.number & 0x07
        if kind in (classic.LD, classic.LDX):
            return self.loaded(A if kind == classic.LD else X)
        if kind in (classic.ST, classic.STX):
            return [store(4, R10, self.slot(), A if kind == classic.ST else X)]
        if kind == classic.ALU:
            return self.computed(self.number & 0xF0)
        if kind == classic.JMP:
            return self.jumped(self.number & 0xF0)
        if self.number == classic.RET_K:
            return [jump(self.place.match if self.k else self.place.other)]
        if self.number == classic.RET_A:
            return [jump_if(ebpf.JEQ, A, 0, self.place.other, 32), jump(self.place.match)]
        if self.number in (classic.TAX, classic.TXA):
            return [mov(X, A) if self.number == classic.TAX else mov(A, X)]
        raise self.error("is none that there is")

    def error(self, why: str) -> UsageError:
        """What is wrong with the instruction."""
        return UsageError(f"this filter cannot be run by XDP: instruction {self.i} ({self.number:#06x}, {self.k:#x}) {why}")

    def slot(self) -> int:
        """Where on the stack its word of scratch memory is."""
        if self.k >= classic.SCRATCH:
            raise self.error("uses memory that is not there")
        return self.place.memory + 4 * self.k

    def loaded(self, to: Register) -> Code:
        """A load: of a constant, the length, scratch memory, or bytes of the packet."""
        mode, size = self.number & 0xE0, SIZES.get(self.number & 0x18, 0)
        if mode == classic.IMM:
            return [alu(ebpf.MOV, to, self.k, 32)]
        if mode == classic.LEN:
            return [alu(ebpf.MOV, to, self.place.length, 32)]
        if mode == classic.MEM:
            return [load(4, to, R10, self.slot())]
        if not size or (mode == classic.MSH) != (to == X) or mode not in (classic.ABS, classic.IND, classic.MSH):
            raise self.error("is no load that there is")
        if self.k >= classic.ANCILLARY:
            raise self.error("asks the kernel for something that is not in the packet")
        if self.k + size > FARTHEST:
            return [jump(self.place.other)]
        made: Code = [mov(AT, X if mode == classic.IND else 0), ebpf.add(AT, self.k)]
        if mode == classic.IND:  # 64 bits wide: the sum does not wrap, as libpcap's comparisons see to
            made.append(jump_if(ebpf.JGT, AT, FARTHEST - size, self.place.other))
        made += [
            ebpf.add(AT, self.place.data), mov(BEHIND, AT), ebpf.add(BEHIND, size),
            jump_if(ebpf.JGT, BEHIND, self.place.end, self.place.other), load(size, to, AT),
        ]  # fmt: skip
        if size > 1:
            made.append(big_endian(to, 8 * size))
        if mode == classic.MSH:  # the length of an IPv4 header
            made += [alu(ebpf.AND, X, 0x0F, 32), alu(ebpf.LSH, X, 2, 32)]
        return made

    def computed(self, operation: int) -> Code:
        """Arithmetic in 32 bits, without sign."""
        if operation not in OPERATIONS:
            raise self.error("is no arithmetic that there is")
        value = X if self.number & classic.X else self.k
        made: Code = []
        if operation in (classic.DIV, classic.MOD):
            if value is X:
                made.append(jump_if(ebpf.JEQ, X, 0, self.place.other, 32))
            elif not value:
                return [jump(self.place.other)]
        elif operation == classic.NEG:
            return [alu(ebpf.NEG, A, 0, 32)]
        elif operation in (classic.LSH, classic.RSH):
            if value is X:  # nothing is left of a number that is shifted by more bits than it has
                return [
                    mov(AT, A), mov(A, 0), jump_if(ebpf.JGT, X, 31, f"{self.place.name} {self.i} shifted", 32),
                    mov(A, AT), alu(OPERATIONS[operation], A, X, 32), f"{self.place.name} {self.i} shifted",
                ]  # fmt: skip
            if value > 31:
                return [mov(A, 0)]
        return [*made, alu(OPERATIONS[operation], A, value, 32)]

    def jumped(self, test: int) -> Code:
        """A jump, which only leads forward."""
        if test == classic.JA:
            return [jump(self.after(self.k))]
        if test not in TESTS:
            raise self.error("is no test that there is")
        value = X if self.number & classic.X else self.k
        made: Code = [jump_if(TESTS[test], A, value, self.after(self.jt), 32)]
        otherwise = self.after(self.jf)
        return [*made, jump(otherwise)] if self.jf else made

    def after(self, skipped: int) -> str:
        """The label behind so many instructions more."""
        if skipped >= 1 << 31:
            raise self.error("jumps backward")
        if self.i + 1 + skipped >= self.size:
            raise self.error("jumps behind the last one")
        return f"{self.place.name} {self.i + 1 + skipped}"
