/* The fuzz target of the C code, for libFuzzer and for driver.c.
 *
 * The first byte of an input says what is tried with the rest. A new case is a line in this table, a function, and a few
 * inputs in seeds.py. Letters are never given another meaning: the corpus goes by them.
 */
#include "codec.h"
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>

static const struct {
    char letter;
    void (*try)(struct input *in);
} cases[] = {
    {'t', fuzz_text},           /* formats.c: a text is read, written, and read again */
    {'l', fuzz_long},           /* formats.c: the text of a packet near the largest size */
    {'R', fuzz_relay},          /* packets.c: a text becomes another in one step, by the programs of seeds.py */
    {'r', fuzz_rows},           /* formats.c: canonical rows, with vectors and without */
    {'d', fuzz_lane},           /* formats.c: packets that another process hands on are read, written, and read again */
    {'p', fuzz_pcap},           /* formats.c: records of a capture are read, written, and read again */
    {'n', fuzz_blocks},         /* blocks.c: blocks of pcapng are read, written, and read again */
    {'m', fuzz_notes},          /* blocks.c: notes of any kind become options */
    {'c', fuzz_checksums},      /* packets.c: a frame is walked, checked, corrected, edited */
    {'f', fuzz_table},          /* packets.c: a frame meets the filters and assignments of seeds.py */
    {'b', fuzz_bpf},            /* packets.c: a classic BPF program of the input's own meets a frame */
    {'w', fuzz_bridge},         /* packets.c: frames go where a bridge that looks at each by itself sends them */
    {'v', fuzz_place},          /* packets.c: a number is written anywhere in a frame */
    {'a', fuzz_stamps},         /* packets.c: stamps of frames, and in what order they come */
    {'o', fuzz_fragments},      /* packets.c: a frame is divided, its fragments are changed and put together */
    {'j', fuzz_segments},       /* packets.c: a frame is cut as a super-frame, and its pieces again */
    {'S', fuzz_splice},         /* packets.c: pieces of a frame become others */
    {'W', fuzz_wrapping},       /* packets.c: headers are put into a frame and taken off, by a shape of the input's own */
    {'q', fuzz_answer},         /* packets.c: an answer is made of a frame, by a rule */
    {'A', fuzz_addresses},      /* packets.c: addresses of a frame become others, by rules */
    {'u', fuzz_conversations},  /* packets.c: frames are counted in their conversations */
    {'k', fuzz_ring},           /* kernel.c: a block of a ring that packets are received in */
    {'s', fuzz_slots},          /* kernel.c: slots of the ring of a switch's port */
    {'x', fuzz_ringbuf},        /* kernel.c: a BPF ring buffer, from XDP */
    {'y', fuzz_perf},           /* kernel.c: a perf buffer, from XDP */
    {'z', fuzz_burst},          /* kernel.c: rows of packets to send */
    {'h', fuzz_protocols},      /* packets.c: changed tables of protocols are refused, or safe for a frame */
    {'i', fuzz_listing},        /* packets.c: a frame is listed, by templates of which some were changed */
    {'e', fuzz_message},        /* packets.c: a message is told, by any reader */
    {'P', fuzz_cryptopan},      /* packets.c: numbers become others, by blocks of a cipher and exceptions */
    {'g', fuzz_program},        /* packets.c: a program of the input's own, sound or not, meets a frame */
};

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__asan_default_options(void);

/* Freed memory is not kept for long: fresh memory is slow, and what is tried here frees at its end. */
const char *__asan_default_options(void)
{
    return "quarantine_size_mb=16";
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    rows_prepare();
    checksum_prepare();
    packets_prepare();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    char letter = (char)take8(&in);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (size > 0 && cases[i].letter == letter)
            cases[i].try(&in);
    return 0;
}

/* ---- what the cases share ---- */

unsigned take8(struct input *in)
{
    if (in->size == 0)
        return 0;
    in->size--;
    return *in->at++;
}

unsigned take16(struct input *in)
{
    unsigned high = take8(in);
    return high << 8 | take8(in);
}

int64_t take_linktype(struct input *in)
{
    static const int64_t linktypes[] = {1, 0, 101, 12, 14, 108, 113, 228, 229, 276, 147, UINT32_MAX, 258, 149};
    return linktypes[take8(in) % (sizeof linktypes / sizeof *linktypes)];
}

void failed(const char *where, int line, const char *what)
{
    fprintf(stderr, "%s:%d: this should hold: %s\n", where, line, what);
    abort();
}

uint8_t *exact(const uint8_t *from, size_t size)
{
    uint8_t *at = malloc(size > 0 ? size : 1);
    EXPECT(at != NULL);
    if (size == 0)              /* malloc(0) gives a byte that may be read */
        return at + 1;
    if (from != NULL)
        memcpy(at, from, size);
    return at;
}

void release(uint8_t *at, size_t size)
{
    free(size > 0 ? at : at - 1);
}
