/* Runs classic BPF programs, as libpcap's bpf_filter() does. A program is data from outside: it is checked once, see
 * ../../bpf/classic.py for what is asked of it, and then trusted.
 */
#include "codec.h"

enum { LD, LDX, ST, STX, ALU, JMP, RET, MISC };                 /* classes; <linux/bpf_common.h> */
enum { LONG = 0x00, HALF = 0x08, BYTE = 0x10 };                 /* of loads: bytes; BPF_W is LONG, as codec.h has a WORD */
enum { IMM = 0x00, ABS = 0x20, IND = 0x40, MEM = 0x60, LEN = 0x80, MSH = 0xA0 };
enum { ADD = 0x00, SUB = 0x10, MUL = 0x20, DIV = 0x30, OR = 0x40, AND = 0x50, LSH = 0x60, RSH = 0x70, NEG = 0x80,
       MOD = 0x90, XOR = 0xA0 };
enum { JA = 0x00, JEQ = 0x10, JGT = 0x20, JGE = 0x30, JSET = 0x40 };
enum { K = 0x00, X = 0x08, A = 0x10, TAX = 0x07, TXA = 0x87 };
enum { SCRATCH = 16, LONGEST = 1 << 16, STEPS = 1 << 20 };

struct instruction {            /* struct sock_filter */
    uint16_t code;
    uint8_t jt, jf;
    uint32_t k;
};

static struct instruction fetch(const uint8_t *program, size_t i)       /* a program may lie anywhere: not aligned */
{
    struct instruction in;
    memcpy(&in, program + i * sizeof in, sizeof in);
    return in;
}

static bool jumps_within(size_t next, uint32_t offset, size_t count)  /* a jump, maybe back */
{
    int64_t target = (int64_t)next + (int32_t)offset;
    return target >= 0 && target < (int64_t)count;
}

static bool instruction_sound(const struct instruction *in, size_t i, size_t count)
{
    switch (in->code) {
    case LD | LONG | IMM: case LDX | LONG | IMM: case LD | LONG | LEN: case LDX | LONG | LEN: case LDX | BYTE | MSH:
    case LD | LONG | ABS: case LD | HALF | ABS: case LD | BYTE | ABS:
    case LD | LONG | IND: case LD | HALF | IND: case LD | BYTE | IND:
    case ALU | ADD | K: case ALU | SUB | K: case ALU | MUL | K: case ALU | OR | K: case ALU | AND | K: case ALU | XOR | K:
    case ALU | ADD | X: case ALU | SUB | X: case ALU | MUL | X: case ALU | OR | X: case ALU | AND | X: case ALU | XOR | X:
    case ALU | LSH | K: case ALU | RSH | K: case ALU | LSH | X: case ALU | RSH | X: case ALU | DIV | X: case ALU | MOD | X:
    case ALU | NEG: case RET | K: case RET | A: case TAX: case TXA:
        return true;
    case LD | MEM: case LDX | MEM: case ST: case STX:
        return in->k < SCRATCH;
    case ALU | DIV | K: case ALU | MOD | K:
        return in->k != 0;
    case JMP | JA:
        return jumps_within(i + 1, in->k, count);
    case JMP | JEQ | K: case JMP | JGT | K: case JMP | JGE | K: case JMP | JSET | K:
    case JMP | JEQ | X: case JMP | JGT | X: case JMP | JGE | X: case JMP | JSET | X:
        return i + 1 + in->jt < count && i + 1 + in->jf < count;
    default:
        return false;
    }
}

bool bpf_sound(const uint8_t *program, size_t size)
{
    size_t count = size / sizeof(struct instruction);
    if (size % sizeof(struct instruction) != 0 || count == 0 || count > LONGEST)
        return false;
    for (size_t i = 0; i < count; i++) {
        struct instruction in = fetch(program, i);
        if (!instruction_sound(&in, i, count))
            return false;
    }
    return (fetch(program, count - 1).code & 7) == RET;
}

/* Loads 4, 2 or 1 bytes behind `at` + `k`, in wire order; false past the end. */
static bool load(const struct frame *f, unsigned code, uint32_t at, uint32_t k, uint32_t *value)
{
    uint64_t behind = (uint64_t)at + k;         /* does not wrap around, as it would in the kernel */
    size_t place = (size_t)behind, size = (code & 0x18) == LONG ? 4 : (code & 0x18) == HALF ? 2 : 1;
    if (behind > f->size || !frame_has(f, place, size))
        return false;
    *value = size == 4 ? get32(f, place) : size == 2 ? get16(f, place) : get8(f, place);
    return true;
}

static uint32_t arithmetic(unsigned op, uint32_t a, uint32_t b)
{
    switch (op) {
    case ADD: return a + b;
    case SUB: return a - b;
    case MUL: return a * b;
    case DIV: return a / b;
    case MOD: return a % b;
    case OR: return a | b;
    case AND: return a & b;
    case LSH: return b < 32 ? a << b : 0;
    case RSH: return b < 32 ? a >> b : 0;
    case NEG: return 0 - a;
    default: return a ^ b;
    }
}

static bool holds(unsigned test, uint32_t a, uint32_t b)
{
    return test == JEQ ? a == b : test == JGT ? a > b : test == JGE ? a >= b : (a & b) != 0;
}

/* What a sound program returns: 0 for a packet that does not pass. A load past the end, a division by zero and too many
 * steps (jumps may go back, and a packet may not keep us for ever) end it with 0. wire: the packet's size there, in bytes. */
uint32_t bpf_run(const uint8_t *program, const struct frame *f, uint32_t wire)
{
    uint32_t a = 0, x = 0, memory[SCRATCH] = {0};
    size_t at = 0;
    for (int step = 0; step < STEPS; step++) {
        struct instruction in = fetch(program, at++);
        uint32_t operand = (in.code & X) != 0 ? x : in.k;
        switch (in.code & 7) {
        case LD:
            switch (in.code & 0xE0) {
            case IMM: a = in.k; break;
            case MEM: a = memory[in.k]; break;
            case LEN: a = wire; break;
            default:
                if (!load(f, in.code, (in.code & 0xE0) == IND ? x : 0, in.k, &a))
                    return 0;
            }
            break;
        case LDX:
            switch (in.code & 0xE0) {
            case IMM: x = in.k; break;
            case MEM: x = memory[in.k]; break;
            case LEN: x = wire; break;
            default:            /* MSH: the length of an IP header */
                if (!load(f, BYTE, 0, in.k, &x))
                    return 0;
                x = (x & 15) << 2;
            }
            break;
        case ST: memory[in.k] = a; break;
        case STX: memory[in.k] = x; break;
        case ALU:
            if (operand == 0 && ((in.code & 0xF0) == DIV || (in.code & 0xF0) == MOD))
                return 0;
            a = arithmetic(in.code & 0xF0, a, operand);
            break;
        case JMP:
            if ((in.code & 0xF0) == JA)
                at = (size_t)((int64_t)at + (int32_t)in.k);
            else
                at += holds(in.code & 0xF0, a, operand) ? in.jt : in.jf;
            break;
        case RET:
            return (in.code & A) != 0 ? a : in.k;
        default:
            if (in.code == TAX)
                x = a;
            else
                a = x;
        }
    }
    return 0;
}
