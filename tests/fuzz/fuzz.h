/* What the cases of the fuzz target share: the input, taken apart from its front, and the judge. */
#ifndef PKTTOOLS_FUZZ_H
#define PKTTOOLS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct input {                  /* what is left of it */
    const uint8_t *at;
    size_t size;
};

unsigned take8(struct input *in);       /* the next byte; 0 when nothing is left */
unsigned take16(struct input *in);      /* big-endian */
int64_t take_linktype(struct input *in);

/* Says what does not hold, and aborts: a finding, as those of the sanitizers are. */
_Noreturn void failed(const char *where, int line, const char *what);
#define EXPECT(condition) ((condition) ? (void)0 : failed(__FILE__, __LINE__, #condition))

/* Memory of exactly `size` bytes, a copy of `from` unless it is NULL: AddressSanitizer sees one byte too many. */
uint8_t *exact(const uint8_t *from, size_t size);
void release(uint8_t *at, size_t size);

static inline bool equal(const void *a, const void *b, size_t size)
{
    return size == 0 || memcmp(a, b, size) == 0;
}

struct bytes;                   /* codec.h, which kernel.c has no part in: both have a struct packet */

/* formats.c: whether they are the same; how many packets there are, and that they lie within `size` bytes, with numbers that a format can bring. */
bool equal_bytes(const struct bytes *a, const struct bytes *b);
size_t count_of(const struct bytes *packets);
void expect_sound(const struct bytes *packets, size_t size, int64_t most_seconds);

/* packets.c: gives the codec our tables of protocols. */
void packets_prepare(void);

/* The cases. Each takes its parameters from the front of the input; what is left is what the codec is given. */
void fuzz_text(struct input *in);
void fuzz_long(struct input *in);
void fuzz_rows(struct input *in);
void fuzz_relay(struct input *in);
void fuzz_pcap(struct input *in);
void fuzz_lane(struct input *in);
void fuzz_blocks(struct input *in);
void fuzz_notes(struct input *in);
void fuzz_checksums(struct input *in);
void fuzz_table(struct input *in);
void fuzz_program(struct input *in);
void fuzz_cryptopan(struct input *in);
void fuzz_bpf(struct input *in);
void fuzz_bridge(struct input *in);
void fuzz_place(struct input *in);
void fuzz_stamps(struct input *in);
void fuzz_fragments(struct input *in);
void fuzz_segments(struct input *in);
void fuzz_splice(struct input *in);
void fuzz_wrapping(struct input *in);
void fuzz_answer(struct input *in);
void fuzz_addresses(struct input *in);
void fuzz_conversations(struct input *in);
void fuzz_message(struct input *in);
void fuzz_listing(struct input *in);
void fuzz_protocols(struct input *in);
void fuzz_ring(struct input *in);
void fuzz_slots(struct input *in);
void fuzz_ringbuf(struct input *in);
void fuzz_perf(struct input *in);
void fuzz_burst(struct input *in);

#endif
