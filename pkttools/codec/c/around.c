/* What is around an IP datagram that becomes longer or shorter: the lengths and checksums of the headers in front of it follow. Which of
 * their fields are lengths, and where they end, is what the tables of protocols say. Twin of ../python/around.py.
 */
#include "protocols.h"

/* Whether a number has less than 16 bits: such a length says nothing of packets that are long. */
bool is_short(const struct read *r)
{
    return r->mask < 0xFFFF;
}

/* Whether a header of a kind that begins at `start` says where it ends. A short number of 0 says the end that is given; -1: none is. */
bool says_end(const struct kind *k, const struct frame *f, size_t start, int64_t given, int64_t *end)
{
    if ((k->numbers & SAYS_END) == 0)
        return false;
    uint32_t said = read_number(&k->end_number, f, start, start);
    *end = given;
    if (said == 0 && is_short(&k->end_number) && given >= 0)
        return true;
    *end = (int64_t)start + said * k->end_scale + k->end_bias;
    return said >= k->end_least && hold(&k->end_only, f, start, start);
}

/* Which one says that a header ends at `end`: its kind, or one that may be in front of it, as the rules of the header before name them:
 * as IEEE 802.3 does. NULL: none does.
 */
static const struct kind *speaker(const struct kind *k, const struct kind *front, const struct frame *f, size_t start, int64_t end)
{
    int64_t said;
    if (says_end(k, f, start, end, &said) && said == end)
        return k;
    for (unsigned i = 0; front != NULL && i < front->rules_count; i++) {
        const struct rule *r = &front->rules[i];
        if (r->how == TO_KIND && (r->kind->flags & HIDDEN) != 0 && says_end(r->kind, f, start, end, &said) && said == end)
            return r->kind;
    }
    return NULL;
}

/* What is around the datagram of the header at `index`. What is behind it and no trailer, such as MACsec's check value, is padding. */
void around_of(const struct packet_view *p, size_t index, struct around *a)
{
    size_t limit = p->frame.size;
    const struct kind *front = NULL;
    a->count = index;
    a->plain = true;
    a->lengths = 0;
    a->tail_at = limit;
    for (size_t i = 0; i < index; i++) {
        const struct header *h = &p->walk.header[i];
        const struct kind *k = &protocols->kinds[h->kind];
        int64_t end = (int64_t)h->end + k->trailer;
        const struct kind *says = speaker(k, front, &p->frame, h->start, end);
        a->plain &= (k->flags & (LINK_LAYER | TAG)) != 0;
        if (says != NULL)
            a->length[a->lengths++] = (struct around_length){says, h->start, end};
        if ((k->flags & (OWN_END | END_BEHIND)) == 0) {
            if (k->trailer > 0 || (says == NULL && h->end < limit))
                a->tail_at = least(a->tail_at, h->end);
            limit = h->end;
        }
        front = k;
    }
}

/* Writes a number; false: its bytes are not there. */
bool write_number(const struct writable_frame *f, const struct read *r, size_t at, uint32_t value)
{
    if ((r->at < 0 && at < (size_t)-r->at) || !frame_has(&f->view, at + (size_t)(ptrdiff_t)r->at, r->bytes))
        return false;
    uint8_t *to = writable_range(f, at + (size_t)(ptrdiff_t)r->at, r->bytes);
    uint64_t bits = (uint64_t)value << r->shift, mask = (uint64_t)r->mask << r->shift;
    for (unsigned i = 0; i < r->bytes; i++) {
        uint8_t *byte = to + (r->little ? i : r->bytes - 1u - i);
        *byte = (uint8_t)((*byte & ~(mask >> 8 * i)) | (bits >> 8 * i & 0xFF));
    }
    return true;
}

/* Lets the lengths of what is around a datagram follow that ends at another place in a frame that was made. False: that is too long,
 * or a length for its field.
 */
bool around_lengths(const struct around *a, const struct writable_frame *made, size_t end)
{
    if (made->view.size > MAX_FRAME)
        return false;
    for (size_t i = 0; i < a->lengths; i++) {
        const struct around_length *l = &a->length[i];
        const struct read *r = &l->kind->end_number;
        int64_t behind = l->end > (int64_t)a->tail_at ? l->end - (int64_t)a->tail_at : 0, ignored;
        int64_t bytes = (int64_t)end + behind - (int64_t)l->start - l->kind->end_bias;
        if (l->kind->end_scale == 0)
            continue;
        uint64_t value = bytes < 0 ? UINT64_MAX : (uint64_t)(bytes / l->kind->end_scale);
        if (value > r->mask && !is_short(r))
            return false;
        if (!write_number(made, r, l->start, value > r->mask ? 0 : (uint32_t)value))
            return false;
        if (is_short(r) && !says_end(l->kind, &made->view, l->start, -1, &ignored))
            write_number(made, r, l->start, 0);
    }
    return true;
}

/* The same, and checksums there are right. */
bool around_fit(const struct around *a, const struct writable_frame *made, size_t end, int64_t linktype)
{
    struct corrected corrected;
    if (!around_lengths(a, made, end))
        return false;
    if (!a->plain)
        correct(made, (int64_t)made->view.size, linktype, ALL, a->count, &corrected);
    return true;
}
