/* Packets as one of our commands hands them to the next: rows, then for each RECORD bytes, its own and its notes. Twin of
 * ../python/lane.py. What the RECORD bytes say means nothing; it saves a copy where it is what a pcap file has in front of a packet.
 */
#include "codec.h"

/* Whether notes are lines as text has them: IFACE, WAY, NOTE or LOST, each with its end; adds how many. */
static bool are_notes(const uint8_t *at, size_t size, int64_t *lines)
{
    static const char names[] = "IFACE:\0WAY:\0NOTE:\0LOST:\0";
    while (size > 0) {
        const uint8_t *end = memchr(at, '\n', size);
        if (end == NULL || (end > at && end[-1] == '\r'))
            return false;
        size_t line = (size_t)(end - at);
        const char *name = names;
        while (*name != '\0' && (line < strlen(name) || memcmp(at, name, strlen(name)) != 0))
            name += strlen(name) + 1;
        if (*name == '\0')
            return false;
        *lines += 1;
        at += line + 1;
        size -= line + 1;
    }
    return true;
}

/* Whether a packet is one that text can say; adds the lines that it would have there. */
static inline bool is_sayable(const struct packet *p, const uint8_t *notes, int64_t *lines)
{
    enum { AROUND = 4, WIDTH = 16 };    /* the lines around data lines, and the bytes of these */
    if (p->original < 0 || p->original > UINT32_MAX || p->time < 0 || p->time / 1000000000 > MAX_SECONDS)
        return false;
    *lines += AROUND + (p->captured + WIDTH - 1) / WIDTH;
    return p->notes_size == 0 || are_notes(notes, (size_t)p->notes_size, lines);
}

size_t lane_count(const uint8_t *data, const struct packet *p, size_t count, size_t *size)
{
    int64_t lines = 0;
    size_t i = 0;
    *size = 0;
    for (; i < count && p[i].linktype == p[0].linktype; i++) {
        if ((uint64_t)p[i].notes_size > MAX_LANE)
            break;
        size_t more = sizeof *p + RECORD + (size_t)p[i].captured + (size_t)p[i].notes_size;
        if (*size + more > MAX_LANE || !is_sayable(&p[i], data + p[i].notes, &lines))
            break;
        *size += more;
    }
    return i;
}

bool lane_stands(const struct packet *p, size_t count, size_t front)
{
    if (count == 0 || (uint64_t)p[0].offset < front + count * sizeof *p + RECORD)
        return false;
    for (size_t i = 0; i < count; i++) {
        int64_t end = p[i].offset + p[i].captured;
        if (p[i].notes_size > 0 && p[i].notes != end)
            return false;
        if (i + 1 < count && p[i + 1].offset != end + p[i].notes_size + RECORD)
            return false;
    }
    return true;
}

/* What is told of a packet: where it lies and its link type are not. */
static inline struct packet told(const struct packet *p)
{
    return (struct packet){.captured = p->captured, .original = p->original, .time = p->time, .notes_size = p->notes_size};
}

void lane_encode_rows(uint8_t *out, const struct packet *p, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct packet row = told(&p[i]);
        if (memcmp(out + i * sizeof row, &row, sizeof row) != 0)
            memcpy(out + i * sizeof row, &row, sizeof row);
    }
}

void lane_encode(uint8_t *out, const uint8_t *data, const struct packet *p, size_t count)
{
    const struct pcap_format usual = {.big_endian = false, .nano = false, .header = RECORD};
    lane_encode_rows(out, p, count);
    out += count * sizeof *p;
    for (size_t i = 0; i < count; i++) {
        out += pcap_encode(out, data, &p[i], &usual);
        if (p[i].notes_size > 0)
            memcpy(out, data + p[i].notes, (size_t)p[i].notes_size);
        out += p[i].notes_size;
    }
}

size_t lane_decode(struct packet *p, size_t count, const uint8_t *data, size_t start, size_t stop, int64_t linktype, int64_t *lines)
{
    size_t at = start, i = 0;
    for (; i < count; i++) {
        const uint64_t captured = (uint64_t)p[i].captured, notes = (uint64_t)p[i].notes_size;   /* what is negative is too large */
        int64_t more = 0;
        if (stop - at < RECORD)
            break;
        at += RECORD;
        if (captured > MAX_FRAME || captured > stop - at || notes > stop - at - captured
            || !is_sayable(&p[i], data + at + captured, &more))
            break;
        p[i].offset = (int64_t)at;
        p[i].notes = (int64_t)(at + captured);
        p[i].linktype = linktype;
        at += captured + notes;
        *lines += more;
    }
    return i;
}
