"""A small assembler for eBPF: instructions and labels as data, in one list, to the bytes that bpf(2) loads.

Codes are those of the kernel's Documentation/bpf/standardization/instruction-set.rst (RFC 9669). A label is a string in the
list; it stands for what follows it. Registers are R0 to R10, every other number is a constant: `add(R1, 4)`, `add(R1, R2)`.
What cannot be reached is left out, as the verifier takes no program that has it.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from ..errors import UsageError


class Register(int):
    """The number of a register, to be told from a constant."""

    __slots__ = ()


R0, R1, R2, R3, R4, R5, R6, R7, R8, R9, R10 = map(Register, range(11))  # R10: the end of the stack, 512 bytes, read-only

# Classes of instructions, and the other bits of their codes.
LD, LDX, ST, STX, ALU32, JMP, JMP32, ALU64 = range(8)
K, X = 0x00, 0x08  # the other operand: a constant, a register
SIZES = {4: 0x00, 2: 0x08, 1: 0x10, 8: 0x18}  # by bytes, of loads and stores
IMM, MEM = 0x00, 0x60
ADD, SUB, MUL, DIV, OR, AND, LSH, RSH, NEG, MOD, XOR, MOV, ARSH, END = range(0x00, 0xE0, 0x10)
JA, JEQ, JGT, JGE, JSET, JNE, JSGT, JSGE, CALL, EXIT, JLT, JLE = range(0x00, 0xC0, 0x10)
TO_BE = 0x08
PSEUDO_MAP_FD = 1  # the source of a 64-bit constant that is the descriptor of a map
WORD = struct.Struct("=BBhI")  # code, registers, offset, constant
FARTHEST = 0x7FFF  # instructions that a jump can skip


class Instruction(NamedTuple):
    """One instruction; target: the label that it jumps to."""

    code: int
    dst: int = 0
    src: int = 0
    offset: int = 0
    imm: int = 0
    target: str = ""

    @property
    def slots(self) -> int:
        """How many times eight bytes it has: two with a constant of 64 bits."""
        return 2 if self.code == LD | SIZES[8] | IMM else 1

    @property
    def goes_on(self) -> bool:
        """Whether what stands behind it may come next."""
        return self.code not in (JMP | JA, JMP | EXIT)


Code = list[Instruction | str]


def _operand(code: int, dst: int, value: int, target: str = "") -> Instruction:
    if isinstance(value, Register):
        return Instruction(code | X, dst, value, target=target)
    return Instruction(code | K, dst, imm=value, target=target)


def alu(operation: int, dst: int, value: int, bits: int = 64) -> Instruction:
    """dst = dst OPERATION value. With 32 bits the upper half of dst becomes 0."""
    return _operand((ALU64 if bits == 64 else ALU32) | operation, dst, value)


def mov(dst: int, value: int) -> Instruction:
    """Sets dst = value; a constant is taken with its sign."""
    return alu(MOV, dst, value)


def add(dst: int, value: int) -> Instruction:
    """Sets dst += value; a constant is taken with its sign."""
    return alu(ADD, dst, value)


def big_endian(dst: int, bits: int) -> Instruction:
    """Turns the lowest 16 or 32 bits of a register from network byte order into this machine's; the others become 0."""
    return Instruction(ALU32 | END | TO_BE, dst, imm=bits)


def load(size: int, dst: int, src: int, offset: int = 0) -> Instruction:
    """Reads `size` bytes at src + offset into dst, without sign."""
    return Instruction(LDX | SIZES[size] | MEM, dst, src, offset)


def store(size: int, dst: int, offset: int, value: int) -> Instruction:
    """Writes `size` bytes of a register or a constant to dst + offset."""
    if isinstance(value, Register):
        return Instruction(STX | SIZES[size] | MEM, dst, value, offset)
    return Instruction(ST | SIZES[size] | MEM, dst, offset=offset, imm=value)


def map_fd(dst: int, fd: int) -> Instruction:
    """Sets dst to the map that has this descriptor."""
    return Instruction(LD | SIZES[8] | IMM, dst, PSEUDO_MAP_FD, imm=fd)


def jump(target: str) -> Instruction:
    """Goes to a label."""
    return Instruction(JMP | JA, target=target)


def jump_if(test: int, dst: int, value: int, target: str, bits: int = 64) -> Instruction:
    """Goes to a label when dst TEST value holds. With 32 bits the lower halves are compared."""
    return _operand((JMP if bits == 64 else JMP32) | test, dst, value, target)


def call(helper: int) -> Instruction:
    """Calls a helper of the kernel's: arguments in R1 to R5, which are lost, the result in R0."""
    return Instruction(JMP | CALL, imm=helper)


def leave() -> Instruction:
    """Ends the program; R0 is its result."""
    return Instruction(JMP | EXIT)


def reachable(code: Code) -> list[Instruction | str]:
    """The code without the instructions that nothing leads to. Jumps only lead forward."""
    wanted: set[str] = set()
    kept: Code = []
    reached = True
    for item in code:
        if isinstance(item, str):
            reached = reached or item in wanted
        if reached:
            kept.append(item)
            if not isinstance(item, str):
                wanted.add(item.target)
                reached = item.goes_on
    return kept


def assemble(code: Code) -> bytes:
    """The program as `struct bpf_insn` has it. Raises UsageError where a jump is too long, KeyError for a label not there."""
    code = reachable(code)
    places: dict[str, int] = {}
    slot = 0
    for item in code:
        if isinstance(item, str):
            places[item] = slot
        else:
            slot += item.slots
    program = bytearray()
    slot = 0
    for item in code:
        if isinstance(item, str):
            continue
        slot += item.slots
        offset = places[item.target] - slot if item.target else item.offset
        if offset > FARTHEST:
            raise UsageError(f"the program is too long: a jump over {offset} instructions")
        program += WORD.pack(item.code, item.src << 4 | item.dst, offset, item.imm & 0xFFFFFFFF)
        program += bytes(8) * (item.slots - 1)
    return bytes(program)
