"""Runs classic BPF programs, as libpcap's bpf_filter() does; twin of ../c/bpf.c."""

from __future__ import annotations

import struct

from ...bpf import classic
from ...bpf.classic import ALU, JMP, LD, LDX, MSH, RET_K, SCRATCH, ST, STX, TAX, TXA, Instruction, X, signed, unsound

MASK = 0xFFFFFFFF
STEPS = 1 << 20  # instructions of one run: jumps may go back, and a packet may not keep us for ever
JA, JEQ, JGT, JGE = (JMP | test for test in (classic.JA, classic.JEQ, classic.JGT, classic.JGE))
DIVISIONS = (classic.DIV, classic.MOD)
WIDTHS = {
    LD | size | mode: width
    for size, width in ((classic.WORD, 4), (classic.HALF, 2), (classic.BYTE, 1))
    for mode in (classic.ABS, classic.IND)
}


def load(program: bytes) -> list[Instruction] | None:
    """The instructions of a packed program; None when it is not sound."""
    if len(program) % 8:
        return None
    instructions = list(struct.iter_unpack("=HBBI", program))
    return None if unsound(instructions) else instructions


def run(instructions: list[Instruction], frame: bytes, wire: int) -> int:
    """What a sound program returns: 0 for a packet that does not pass.

    frame: its captured bytes. wire: its size on the wire, in bytes. A load past the end, a division by zero and too many
    steps end the program with 0.
    """
    a = x = at = 0
    memory = [0] * SCRATCH
    size = len(frame)
    for _ in range(STEPS):
        code, jt, jf, k = instructions[at]
        at += 1
        kind = code & 7
        if kind == JMP:
            if code == JA:
                at += signed(k)
                continue
            operand = x if code & X else k
            test = code & ~X
            if test == JEQ:
                holds = a == operand
            elif test == JGT:
                holds = a > operand
            elif test == JGE:
                holds = a >= operand
            else:
                holds = a & operand != 0
            at += jt if holds else jf
        elif kind in (LD, LDX):
            mode = code & 0xE0
            if code in WIDTHS:
                width = WIDTHS[code]
                place = k + x if mode == classic.IND else k
                if place + width > size:
                    return 0
                value = int.from_bytes(frame[place : place + width], "big")
            elif mode == MSH:
                if k >= size:
                    return 0
                value = (frame[k] & 15) << 2
            else:
                value = k if mode == classic.IMM else memory[k] if mode == classic.MEM else wire & MASK
            if kind == LD:
                a = value
            else:
                x = value
        elif kind == ALU:
            operand = x if code & X else k
            op = code & 0xF0
            if op in DIVISIONS and operand == 0:
                return 0
            a = arithmetic(op, a, operand) & MASK
        elif code == ST:
            memory[k] = a
        elif code == STX:
            memory[k] = x
        elif code == TAX:
            x = a
        elif code == TXA:
            a = x
        else:
            return k if code == RET_K else a
    return 0


def arithmetic(op: int, a: int, b: int) -> int:
    """The result of an operation, not yet cut to 32 bits."""
    match op:
        case classic.ADD:
            return a + b
        case classic.SUB:
            return a - b
        case classic.MUL:
            return a * b
        case classic.DIV:
            return a // b
        case classic.MOD:
            return a % b
        case classic.OR:
            return a | b
        case classic.AND:
            return a & b
        case classic.LSH:
            return a << b if b < 32 else 0
        case classic.RSH:
            return a >> b if b < 32 else 0
        case classic.NEG:
            return -a
    return a ^ b
