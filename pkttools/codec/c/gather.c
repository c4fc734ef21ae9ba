/* Packets that are made or copied, one behind the other. Twin of `gathered` in ../../batch.py. */
#include "codec.h"

/* Adds a packet of which all is there already. */
bool gather_row(struct gathered *g, const struct packet *p)
{
    return bytes_add(&g->rows, p, sizeof *p);
}

/* Whether in front of a packet stands a record of a capture, by its lengths; whose turn it is to write it looks at the time, too. */
bool is_record(const uint8_t *data, const struct packet *p, bool *big_endian)
{
    if (p->offset < RECORD)
        return false;
    const uint8_t *lengths = data + p->offset - RECORD / 2;
    for (int order = 0; order < 2; order++) {
        *big_endian = order != 0;
        if (read32(lengths, *big_endian) == p->captured && read32(lengths + 4, *big_endian) == p->original)
            return true;
    }
    return false;
}

/* Adds the record that stands in front of a packet. Then that of what is made of the packet need not be made, nor this be copied once
 * more. False: there is none.
 */
bool gather_record(struct gathered *g, const uint8_t *data, const struct packet *p, struct gathered_record *record)
{
    record->at = g->data.size;
    return is_record(data, p, &record->big_endian) && bytes_add(&g->data, data + p->offset - RECORD, RECORD);
}

/* Says there how long the packet behind it is. */
void gather_lengths(struct gathered *g, const struct gathered_record *record, const struct packet *p)
{
    uint8_t *lengths = g->data.at + record->at + RECORD / 2;
    write32(lengths, (uint32_t)p->captured, record->big_endian);
    write32(lengths + 4, (uint32_t)p->original, record->big_endian);
}

/* Adds a packet that lies in `data`. */
bool gather(struct gathered *g, const uint8_t *data, const struct packet *p)
{
    struct packet copy = *p;
    struct gathered_record as_it_is;
    gather_record(g, data, p, &as_it_is);
    copy.offset = (int64_t)g->data.size;
    copy.notes = copy.offset + p->captured;
    return bytes_add(&g->data, data + p->offset, (size_t)p->captured)
        && bytes_add(&g->data, data + p->notes, (size_t)p->notes_size) && gather_row(g, &copy);
}

/* Adds the lines of a packet behind the bytes of what was made of it, whose row gets to know of them. Several packets made of one have
 * the same lines, but the count of lost packets, which is counted once: of the first one, and of all others.
 */
bool gather_lines(struct gathered *g, const uint8_t *notes, size_t size, bool first, struct packet *made)
{
    static const char lost[] = "LOST:";
    made->notes = (int64_t)g->data.size;
    for (size_t at = 0, next; at < size; at = next) {
        const uint8_t *end = memchr(notes + at, '\n', size - at);
        next = end != NULL ? (size_t)(end - notes) + 1 : size;
        bool of_one = next - at >= sizeof lost - 1 && memcmp(notes + at, lost, sizeof lost - 1) == 0;
        if ((first || !of_one) && !bytes_add(&g->data, notes + at, next - at))
            return false;
    }
    made->notes_size = (int64_t)g->data.size - made->notes;
    return true;
}

void gathered_free(struct gathered *g)
{
    bytes_free(&g->data);
    bytes_free(&g->rows);
}
