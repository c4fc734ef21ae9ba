/* Packets that are made or copied, one behind the other. Twin of `gathered` in ../../batch.py. */
#include "codec.h"

/* Adds a packet of which all is there already. */
bool gather_row(struct gathered *g, const struct packet *p)
{
    return bytes_add(&g->rows, p, sizeof *p);
}

/* Adds a packet that lies in `data`. */
bool gather(struct gathered *g, const uint8_t *data, const struct packet *p)
{
    struct packet copy = *p;
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
