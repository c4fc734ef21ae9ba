/* What the codec makes of the largest sizes that it may meet, said in lines that are the same wherever size_t has how many
 * bits: test_sizes.py builds it with 32 and with 64, and compares. Frames and captures come on standard input: a letter, three
 * numbers (size, link type or else, size on the wire) of four bytes each, in the machine's order, and the bytes.
 */
#include "codec.h"
#include "doubles.h"
#include "tables.h"             /* written by test_sizes.py */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static uint32_t digest(const void *of, size_t size)
{
    uint32_t hash = 2166136261u;        /* FNV-1a */
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ ((const uint8_t *)of)[i]) * 16777619u;
    return hash;
}

/* Rooms are sums: none of them may come out smaller than what it is made of. */
static void rooms(void)
{
    static const int64_t sizes[] = {0, 1, 15, 16, 17, 65535, MAX_FRAME - 1, MAX_FRAME};
    static const int64_t notes[] = {0, 1, 65535, INT32_MAX / 2, INT32_MAX - 1, INT32_MAX, UINT32_MAX - 200, UINT32_MAX};
    static const size_t extras[] = {0, 1, INT32_MAX, (size_t)UINT32_MAX - 100, UINT32_MAX};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (size_t k = 0; k < sizeof notes / sizeof *notes; k++) {
            struct packet p = {.captured = sizes[i], .notes_size = notes[k]};
            printf("pcapng %" PRIu64 "\n", pcapng_room(&p));
            for (size_t w = 0; w < sizeof sizes / sizeof *sizes; w++)
                for (size_t e = 0; sizes[w] > 0 && e < sizeof extras / sizeof *extras; e++) {
                    struct text_style style = {.width = (size_t)sizes[w]};
                    uint64_t room = text_room(&p, &style, extras[e]);
                    if (room < (uint64_t)sizes[i] * 3 + (uint64_t)notes[k] + extras[e])
                        printf("too small: ");
                    printf("text %" PRIu64 "\n", room);
                }
        }
}

/* No buffer grows to less than what was asked of it. */
static void growth(void)
{
    static const size_t more[] = {SIZE_MAX, SIZE_MAX - 1, SIZE_MAX - 255, SIZE_MAX - 256, SIZE_MAX - 1000, SIZE_MAX / 2 + 1, 100};
    for (size_t i = 0; i < sizeof more / sizeof *more; i++) {
        struct bytes b = {0};
        bool first = bytes_need(&b, 1000);
        b.size = 900;
        bool got = bytes_need(&b, more[i]);
        printf("grown %d %d %d\n", first, got, !got || b.room - b.size >= more[i]);
        bytes_free(&b);
    }
}

/* Packets to compare with may have more memory than there can be. */
static void windows(void)
{
    static uint8_t octets[4000];
    struct doubles d = {.window = -1, .within = -1, .memory = (INT64_C(1) << 32) + 1};
    size_t counts[OUT_OF_ORDER + 1] = {0};
    for (uint32_t i = 0; i < 600; i++) {
        uint32_t number = i % 400;
        uint8_t found;
        memcpy(octets, &number, sizeof number);
        if (!doubles_find(&d, octets, &(struct packet){.captured = sizeof octets, .original = sizeof octets}, 1, &found))
            printf("too small: ");
        else
            counts[found]++;
    }
    printf("window %zu %zu\n", counts[NO_DOUBLE], counts[A_DOUBLE]);
    doubles_end(&d);
}

/* Loads of a BPF program whose places are sums beyond 32 bits; X is set first. */
static void loads(void)
{
    static const uint32_t places[] = {0, 1, 63, 64, INT32_MAX, UINT32_MAX - 3, UINT32_MAX};
    uint8_t bytes[64];
    memset(bytes, 0xA5, sizeof bytes);
    struct frame f = {bytes, sizeof bytes};
    for (size_t x = 0; x < sizeof places / sizeof *places; x++)
        for (size_t k = 0; k < sizeof places / sizeof *places; k++)
            for (uint16_t size = 0; size <= 0x10; size += 8) {
                struct { uint16_t code; uint8_t jt, jf; uint32_t k; } program[] = {
                    {0x01, 0, 0, places[x]}, {(uint16_t)(0x40 | size), 0, 0, places[k]}, {0x16, 0, 0, 0},
                };
                bool sound = bpf_sound((const uint8_t *)program, sizeof program);
                printf("load %d %" PRIu32 "\n", sound, sound ? bpf_run((const uint8_t *)program, &f, UINT32_MAX) : 0);
            }
}

static void packet(uint8_t *at, size_t size, int64_t linktype, int64_t original)
{
    struct writable_frame whole = writable(at, size);
    struct frame f = whole.view;
    struct walk w;
    walk(&w, &f, linktype);
    printf("walk %zu", w.count);
    for (size_t i = 0; i < w.count; i++)
        printf(" %d:%" PRIu32 ":%" PRIu32 ":%" PRIu32, (int)w.header[i].kind, w.header[i].start, w.header[i].data, w.header[i].end);
    printf("\ncheck %d", (int)check(&f, original, linktype, &(uint64_t){0}));
    struct corrected corrected = {0};
    printf(" correct %d", (int)correct(&whole, original, linktype, LENGTHS, MAX_HEADERS, &corrected));
    printf(" %08" PRIx32 "\n", digest(at, size));
    struct packet p = {.captured = (int64_t)size, .original = original, .linktype = linktype};
    struct text_style style = {.width = 7};
    struct extra extra = {NULL, 0};
    uint8_t *out = malloc((size_t)text_room(&p, &style, 0));
    size_t text = text_encode(out, at, &p, 1, &style, &extra);
    printf("text %zu %08" PRIx32 "\n", text, digest(out, text));
    struct text_decoder d = {.linktype = linktype};
    text_decode(&d, out, text, true);
    printf("read %d %d\n", (int)d.error, d.data.size == size && (size == 0 || memcmp(d.data.at, at, size) == 0));
    bytes_free(&d.data);
    bytes_free(&d.packets);
    free(out);
}

static void pcap(const uint8_t *at, size_t size)
{
    struct pcap_format format = {.header = 16};
    struct pcap_decoder d = {0};
    pcap_decode(&d, at, size, true, &format, 1);
    printf("pcap %zu %d %" PRIu64 " %" PRIu64 " %08" PRIx32 "\n", d.consumed, (int)d.error, d.have, d.want,
           digest(d.packets.at, d.packets.size));
    bytes_free(&d.packets);
}

static void pcapng(const uint8_t *at, size_t size, uint32_t resolution)
{
    struct interface interface = {.linktype = 1, .resolution = (int64_t)resolution};
    struct pcapng_section section = {.interfaces = &interface, .count = 1};
    struct pcapng_decoder d = {0};
    pcapng_decode(&d, at, size, &section);
    printf("pcapng %zu %d %" PRIu64 " %" PRIu64 " %08" PRIx32 " %08" PRIx32 "\n", d.consumed, (int)d.error, d.have, d.want,
           digest(d.packets.at, d.packets.size), digest(d.data.at, d.data.size));
    bytes_free(&d.data);
    bytes_free(&d.packets);
}

int main(void)
{
    if (!protocols_set(OUR_PROTOCOLS, &(struct fault){0, 0, 0}))
        return 1;
    rows_prepare();
    checksum_prepare();
    rooms();
    growth();
    windows();
    loads();
    int letter;
    uint32_t numbers[3];
    while ((letter = getchar()) != EOF && fread(numbers, sizeof numbers, 1, stdin) == 1) {
        uint8_t *at = malloc((size_t)numbers[0] + 1);
        if (at == NULL || fread(at, 1, numbers[0], stdin) != numbers[0])
            return 1;
        if (letter == 'f')
            packet(at, numbers[0], numbers[1], numbers[2]);
        else if (letter == 'p')
            pcap(at, numbers[0]);
        else
            pcapng(at, numbers[0], numbers[1]);
        free(at);
    }
    return 0;
}
