/* Signatures: what authenticates more than itself, such as a digest. It cannot follow a change; that is told. Twin of
 * ../python/signatures.py.
 */
#include "protocols.h"

/* That of an item; NULL: it has none. */
static const struct signature *of_item(const struct frame *f, const struct header *item)
{
    for (const struct signature *s = protocols->signatures; s < protocols->signatures + protocols->signatures_count; s++)
        if (s->kind == (unsigned)item->kind)
            return hold(&s->only, f, item->start, item->start) ? s : NULL;
    return NULL;
}

/* That of a header, or of an item in it, and where what it is of begins; NULL: it has none. */
static const struct signature *of_header(const struct frame *f, const struct walk *w, size_t index, size_t *at)
{
    const struct header *h = &w->header[index];
    const struct kind *k = &protocols->kinds[h->kind];
    *at = h->start;
    if (k->signature != NULL && hold(&k->signature->only, f, h->start, h->start))
        return k->signature;
    struct items items = items_of(f, w);
    struct header item;
    items.index = index;
    while (k->signs && next_item(&items, &item) && items.index == index) {
        const struct signature *s = of_item(f, &item);
        *at = item.start;
        if (s != NULL)
            return s;
    }
    return NULL;
}

/* From where on a signature covers what it is in. */
static size_t covered_from(const struct walk *w, size_t index, const struct signature *s, size_t at)
{
    if (s->covers == OF_ITSELF)
        return at;
    if (s->covers == OF_CARRIER && index > 0)
        while (--index > 0 && (protocols->kinds[w->header[index].kind].flags & PASSES) != 0)
            ;
    return w->header[index].start;
}

/* The same as signature_of, from the header at `i` on. */
__attribute__((noinline)) static uint64_t signature_from(const struct frame *f, const struct walk *w, size_t i, const struct changed *c)
{
    for (; i < w->count; i++) {
        if (!protocols->kinds[w->header[i].kind].may_sign || is_quoted(w, i))
            continue;
        size_t at;
        const struct signature *s = of_header(f, w, i, &at);
        if (s != NULL && (c->end > covered_from(w, i, s, at) || c->mutable_end > (s->covers == OF_ITSELF ? at : w->header[i].data)))
            return s->code;
    }
    return 0;
}

/* The code of the outermost signature that covers what was changed in a packet; 0: none does. What is quoted has none to keep. Nearly
 * all packets have no header that may have one.
 */
uint64_t signature_of(const struct frame *f, const struct walk *w, const struct changed *c)
{
    for (size_t i = 0; i < w->count; i++)
        if (protocols->kinds[w->header[i].kind].may_sign)
            return signature_from(f, w, i, c);
    return 0;
}
