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

void gathered_free(struct gathered *g)
{
    bytes_free(&g->data);
    bytes_free(&g->rows);
}
