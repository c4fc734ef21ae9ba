/* What packets carry: all that is no header that is kept, and none of its fields. Twin of ../python/payloads.py. */
#include "payloads.h"
#include "protocols.h"

struct looked_at {              /* a packet, and what is to be made of it */
    struct frame frame;
    struct walk walk;
    const struct kept *kept;
    bool lost[MAX_HEADERS];     /* headers that are not kept, and those in them */
};

/* Whether nothing is kept of a kind of header. */
static bool unkept(const struct kept *kept, unsigned kind)
{
    return kind >= kept->headers_count || kept->headers[kind] < 0;
}

/* Where what is kept of a header ends, of which something is. */
static size_t kept_end(const struct looked_at *l, const struct header *h)
{
    int64_t kept = l->kept->headers[h->kind] / 2;
    if (l->kept->headers[h->kind] % 2 != 0) {
        int64_t size = header_size(&protocols->kinds[h->kind], &l->frame, h->start);
        kept = size > kept ? size : kept;
    }
    return kept < (int64_t)(h->end - h->start) ? h->start + (size_t)kept : h->end;
}

/* Bytes that are kept of an item. */
static size_t kept_of(const struct kept *kept, const struct header *item)
{
    size_t index = item->kind - FIRST_ITEM;
    return index < kept->items_count && kept->items[index] > 0 ? least((size_t)kept->items[index], item->end - item->start) : 0;
}

static bool any(const struct frame *f, size_t at, size_t end)
{
    const uint8_t *b = frame_range(f, at, end - at);
    for (size_t i = 0; i < end - at; i++)
        if (b[i] != 0)
            return true;
    return false;
}

/* Finds the headers of a packet, and which of them are not kept. */
static void look(struct looked_at *l, int64_t linktype)
{
    walk(&l->walk, &l->frame, linktype);
    size_t gone = 0;                            /* where the last of those ends */
    for (size_t i = 0; i < l->walk.count; i++) {
        const struct header *h = &l->walk.header[i];
        l->lost[i] = h->start < gone || unkept(l->kept, h->kind);
        if (l->lost[i] && h->end > gone)
            gone = h->end;
    }
}

/* What is carried behind a header, up to the next one; whether there is anything. */
static bool carried_behind(const struct looked_at *l, size_t index, size_t *at, size_t *end)
{
    const struct header *h = &l->walk.header[index], *next = index + 1 < l->walk.count ? h + 1 : NULL;
    if (!l->lost[index] && next != NULL && next->start < h->end)
        return false;                           /* it lies in this one: what is between them leads there */
    *at = l->lost[index] ? h->start : kept_end(l, h);
    *end = next != NULL ? next->start : l->frame.size;
    return *at < *end && any(&l->frame, *at, *end);
}

/* Puts fields of items back that lie behind their headers: of what was wiped in `out`. */
static void put_back(const struct looked_at *l, const struct writable_frame *out)
{
    struct items items = items_of(&l->frame, &l->walk);
    struct header item;
    while (next_item(&items, &item)) {
        size_t size = l->lost[items.index] ? 0 : kept_of(l->kept, &item);
        if (size > 0)
            memcpy(writable_range(out, item.start, size), frame_range(&l->frame, item.start, size), size);
    }
}

/* Makes zeros of what a packet carries, in a copy of it, and says what that was. */
struct wiped wipe(const struct frame *f, int64_t linktype, const struct kept *kept, const struct writable_frame *out)
{
    struct looked_at l = {.frame = *f, .kept = kept};
    struct wiped found = {false, 0, 0};
    struct changed changed = {0};
    bool listed = false;                        /* items may be among it */
    look(&l, linktype);
    for (size_t i = 0, at, end; i < l.walk.count; i++) {
        listed |= !l.lost[i] && protocols->kinds[l.walk.header[i].kind].holds_count > 0;
        if (!carried_behind(&l, i, &at, &end))
            continue;
        memset(writable_range(out, at, end - at), 0, end - at);
        if (!found.any)
            found.kind = l.walk.header[i].kind;
        found.any = true;
        changed.end = end;
    }
    if (found.any && listed) {
        put_back(&l, out);
        found.any = memcmp(frame_range(f, 0, f->size), out->at, f->size) != 0;
    }
    if (found.any)
        found.signature = signature_of(f, &l.walk, &changed);
    return found;
}
