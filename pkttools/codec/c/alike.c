/* Whether packets are the same but for what may differ. Twin of ../python/alike.py. */
#include "alike.h"

struct compared {               /* a pair of packets that have the same headers */
    const struct tolerance *tolerance;
    struct packet_view a, b;
    bool judged[MAX_HEADERS];   /* the checksum of a header differs */
};

bool tolerance_sound(const struct tolerance *t)
{
    int64_t before = 0;
    for (size_t i = 0; i <= t->kinds; i++) {
        if (t->first[i] < before || (uint64_t)t->first[i] > t->count)
            return false;
        before = t->first[i];
    }
    for (size_t i = 0; i < t->count; i++)
        if (t->places[i].bit < 0 || t->places[i].bit > UINT32_MAX || t->places[i].width < 0 || t->places[i].width > UINT32_MAX)
            return false;
    return true;
}

/* Where the fields of a header end: where the next one begins, or what it carries. */
static size_t fields_end(const struct walk *w, size_t index)
{
    const struct header *h = &w->header[index];
    size_t end = h->data > h->start ? h->data : h->end;
    return index + 1 < w->count ? least(end, h[1].start) : end;
}

/* The places of a header, and how many. */
static const struct leeway *places_of(const struct tolerance *t, const struct header *h, size_t *count)
{
    *count = h->kind < t->kinds ? (size_t)(t->first[h->kind + 1] - t->first[h->kind]) : 0;
    return *count > 0 ? &t->places[t->first[h->kind]] : NULL;
}

/* The bits of a byte, counted from the start of its header, that a place has. */
static unsigned bits_of(const struct leeway *p, size_t byte)
{
    int64_t first = p->bit - (int64_t)byte * 8, last = first + p->width;
    first = first < 0 ? 0 : first;
    last = last > 8 ? 8 : last;
    return last > first ? (0xFFu >> first) & (0xFFu << (8 - last)) & 0xFFu : 0;
}

/* Whether all bits in which a byte differs may. */
static bool may_differ(struct compared *c, size_t at, unsigned bits)
{
    const struct walk *w = &c->a.walk;
    for (size_t i = 0; i < w->count && w->header[i].start <= at; i++) {
        if (at >= fields_end(w, i))
            continue;
        size_t count;
        const struct leeway *p = places_of(c->tolerance, &w->header[i], &count);
        for (size_t k = 0; k < count && bits != 0; k++) {
            unsigned rest = bits & ~bits_of(&p[k], at - w->header[i].start);
            if (rest != bits && p[k].follows)
                c->judged[i] = true;
            bits = rest;
        }
    }
    return bits == 0;
}

bool same_headers(const struct walk *a, const struct walk *b)
{
    bool same = a->count == b->count && a->quoted == b->quoted && a->resumed == b->resumed;
    for (size_t i = 0; same && i < a->count; i++) {
        const struct header *h = &a->header[i], *g = &b->header[i];
        same = h->kind == g->kind && h->start == g->start && h->data == g->data && h->end == g->end;
    }
    return same;
}

/* What is to be said of the checksum of each header: of what is quoted, nothing. */
static void verdicts_of(const struct packet_view *p, enum verdict all[MAX_HEADERS])
{
    struct packet_view view = *p;
    enum verdict own[MAX_HEADERS];
    leave_out_quoted(&view.walk);
    verify(&view, own);
    for (size_t i = 0, k = 0; i < p->walk.count; i++)
        all[i] = is_quoted(&p->walk, i) ? NONE : own[k++];
}

/* Whether checksums that differ are right on either side, or left to the card. */
static bool sums_follow(struct compared *c)
{
    size_t count = c->a.walk.count;
    bool any = false;
    for (size_t i = 0; i < count; i++)
        any |= c->judged[i];
    if (!any)
        return true;
    enum verdict a[MAX_HEADERS], b[MAX_HEADERS];
    verdicts_of(&c->a, a);
    verdicts_of(&c->b, b);
    for (size_t i = 0; i < count; i++)
        if (c->judged[i] && (a[i] != b[i] || (a[i] != RIGHT && a[i] != LEFT)))
            return false;
    return true;
}

/* Whether bytes differ only where they may. */
static bool octets_alike(const struct tolerance *t, const struct frame *f, const struct frame *other, const struct packet *p,
                         const struct packet *q)
{
    struct compared c = {.tolerance = t, .a = {.frame = *f, .original = p->original}, .b = {.frame = *other, .original = q->original}};
    walk(&c.a.walk, f, p->linktype);
    walk(&c.b.walk, other, q->linktype);
    if (!same_headers(&c.a.walk, &c.b.walk))
        return false;
    const uint8_t *x = frame_range(f, 0, f->size), *y = frame_range(other, 0, f->size);
    for (size_t at = 0; at < f->size; at++) {
        if (f->size - at >= 8 && memcmp(x + at, y + at, 8) == 0)
            at += 7;
        else if (x[at] != y[at] && !may_differ(&c, at, (unsigned)(x[at] ^ y[at])))
            return false;
    }
    return sums_follow(&c);
}

static bool same(const uint8_t *a, const uint8_t *b, int64_t size)
{
    return size == 0 || memcmp(a, b, (size_t)size) == 0;
}

bool alike(const struct tolerance *t, const uint8_t *data, const struct packet *p, const uint8_t *other_data, const struct packet *other)
{
    if (p->linktype != other->linktype || p->captured != other->captured || (t->sizes && p->original != other->original))
        return false;
    if (t->within >= 0 && p->time != other->time) {
        int64_t passed = p->time < other->time ? elapsed(p->time, other->time) : elapsed(other->time, p->time);
        if (passed > t->within)
            return false;
    }
    if (t->notes && (p->notes_size != other->notes_size || !same(data + p->notes, other_data + other->notes, p->notes_size)))
        return false;
    if (same(data + p->offset, other_data + other->offset, p->captured))
        return true;
    struct packet bare, other_bare;
    const struct packet *q = without_fcs(p, &bare), *other_q = without_fcs(other, &other_bare);
    if (t->count == 0 || q->captured != other_q->captured
        || !same(data + q->offset + q->captured, other_data + other_q->offset + q->captured, p->captured - q->captured))
        return false;
    struct frame f = {data + q->offset, (size_t)q->captured}, g = {other_data + other_q->offset, (size_t)q->captured};
    return octets_alike(t, &f, &g, q, other_q);
}

/* Makes zeros of bits of a header: of a place, as far as its fields go. */
static void clear(const struct writable_frame *f, size_t start, size_t end, const struct leeway *p)
{
    for (size_t at = start + (size_t)p->bit / 8; at < end && (int64_t)(at - start) * 8 < p->bit + p->width; at++)
        put8(f, at, get8(&f->view, at) & ~bits_of(p, at - start));
}

void blank(const struct tolerance *t, const struct writable_frame *f, int64_t linktype)
{
    struct walk w;
    walk(&w, &f->view, linktype);
    for (size_t i = 0; i < w.count; i++) {
        size_t count;
        const struct leeway *p = places_of(t, &w.header[i], &count);
        for (size_t k = 0; k < count; k++)
            clear(f, w.header[i].start, fields_end(&w, i), &p[k]);
    }
}

/* Whether a header may be missing as a whole. A tag then takes the number with it that announces it, and leaves the one that it has. */
static bool may_be_missing(const struct tolerance *t, const struct walk *w, size_t index, size_t *from, size_t *to)
{
    size_t count;
    const struct leeway *p = places_of(t, &w->header[index], &count);
    if (count == 0 || p[0].width != UINT32_MAX)
        return false;
    size_t announced = is_tag_header(w->header[index].kind) ? 2 : 0;
    *from = w->header[index].start;
    *to = fields_end(w, index);
    if (announced > *from || announced > *to - *from)
        announced = 0;
    *from -= announced;
    *to -= announced;
    return true;
}

size_t reduce(const struct tolerance *t, bool padding, const struct writable_frame *f, int64_t original, int64_t linktype, uint64_t *follow)
{
    struct packet_view p = {.frame = f->view, .original = original};
    const struct walk *w = &p.walk;
    enum verdict verdicts[MAX_HEADERS];
    walk(&p.walk, &f->view, linktype);
    *follow = 0;
    if (t->count > 0)
        verdicts_of(&p, verdicts);
    size_t end = padding && w->count > 1 ? 0 : f->view.size, kept = 0, at = 0, missing = 0;
    for (size_t i = 0; i < w->count; i++) {
        size_t count, from, to;
        const struct leeway *place = places_of(t, &w->header[i], &count);
        if (i > 0 && w->header[i].end > end)
            end = w->header[i].end;
        if (may_be_missing(t, w, i, &from, &to)) {
            missing++;
            if (from < at)
                continue;
            memmove(f->at + kept, f->at + at, from - at);
            kept += from - at;
            at = to;
            continue;
        }
        for (size_t k = 0; k < count; k++) {
            bool follows = place[k].follows != 0;
            if (follows && verdicts[i] != RIGHT && verdicts[i] != LEFT)
                continue;
            if (follows)
                *follow |= UINT64_C(1) << (2 * (i - missing) + (verdicts[i] == LEFT));
            clear(f, w->header[i].start, fields_end(w, i), &place[k]);
        }
    }
    if (end > at) {
        memmove(f->at + kept, f->at + at, end - at);
        kept += end - at;
    }
    return kept;
}
