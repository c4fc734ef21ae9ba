/* What headers carry, and where the packet in a frame ends. Twin of ../python/contents.py. */
#include "splice.h"
#include "protocols.h"

/* The innermost header whose payload is told apart, or one that is asked for; false: there is none. */
static bool wanted(const struct packet_view *p, int64_t linktype, const struct layer *layer, size_t *index)
{
    struct walk busy;
    if (layer->kind != UNKNOWN)
        return chosen(&p->walk, layer, index);
    walk_busy(&busy, &p->frame, linktype);
    const struct header *last = &busy.header[busy.count - 1];
    for (*index = p->walk.count; *index > 0;)
        if (p->walk.header[--*index].start == last->start)
            return true;
    return false;
}

struct carried_octets carried_octets(const struct packet_view *p, int64_t linktype, const struct layer *layer)
{
    struct carried_octets c = {-1, -1, -1, -1, -1};
    size_t index, limit = p->frame.size;
    if (!wanted(p, linktype, layer, &index))
        return c;
    const struct header *h = &p->walk.header[index];
    const struct kind *k = &protocols->kinds[h->kind];
    for (size_t i = 0; i < index; i++)
        if ((protocols->kinds[p->walk.header[i].kind].flags & (OWN_END | END_BEHIND)) == 0 && p->walk.header[i].end > h->start)
            limit = p->walk.header[i].end;
    bool on = (k->flags & (OWN_END | END_BEHIND)) != 0 && k->rules_count > 0;  /* what follows goes on in what it lies in */
    size_t end = on ? limit : h->end, at = header_behind(k, &p->frame, h->start, end);
    c = (struct carried_octets){h->kind, (int64_t)h->start, (int64_t)h->data, (int64_t)at, (int64_t)end};
    if ((k->flags & OWN_END) != 0 && k->rules_count == 0)
        c.at = -1;                              /* it is all there is to it */
    if (h->data == h->end && index + 1 < p->walk.count && p->walk.header[index + 1].start < h->end)
        c.data = -1;                            /* another header claims it */
    return c;
}
