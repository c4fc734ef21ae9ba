/* Finds the headers of a frame, outermost first, by the tables of protocols. Reading never judges: a header is there when its fixed
 * part was captured, whatever it says; what cannot be followed is data of the header above it. Twin of ../python/headers.py.
 */
#include "protocols.h"

/* Bytes of a header by what it says; they may be fewer than its fixed ones, and more than there are. */
int64_t header_size(const struct kind *k, const struct frame *f, size_t at)
{
    if (k->terms_count == 0)
        return k->fixed;
    int64_t size = 0;
    for (unsigned i = 0; i < k->terms_count; i++) {
        const struct term *t = &k->terms[i];
        if (hold(&t->only, f, at, at))
            size += t->bias + (t->scale != 0 ? read_number(&t->read, f, at, at) * t->scale : 0);
    }
    return size < 0 || k->align == 1 ? size : (size + k->align - 1) / k->align * k->align;
}

/* Where its own bytes and its data end by what it says; never before its fixed bytes do. */
static size_t end_of(const struct kind *k, const struct frame *f, size_t at, size_t limit)
{
    size_t end = limit;
    if ((k->numbers & SAYS_END) != 0 && hold(&k->end_only, f, at, at)) {
        uint32_t said = read_number(&k->end_number, f, at, at);
        int64_t size = said * k->end_scale + k->end_bias;
        if (said >= k->end_least && size < (int64_t)(limit - at))
            end = at + (size_t)(size > k->fixed ? size : k->fixed);
    }
    return end - least(k->trailer, end - at - k->fixed);
}

/* Where the first byte is that ends a header, from `at` on. */
static size_t stop_of(const struct kind *k, const struct frame *f, size_t at, size_t end)
{
    const uint8_t *from = frame_range(f, at, end - at);
    for (size_t i = 0; i < end - at; i++)
        for (unsigned shift = 0; shift < 32; shift += 8)
            if (from[i] == (uint8_t)(k->until >> shift))
                return at + i;
    return end;
}

/* Where what a header carries begins, which ends, with that, at `end`; its fixed bytes count where it says what cannot be. */
size_t header_behind(const struct kind *k, const struct frame *f, size_t at, size_t end)
{
    int64_t size = header_size(k, f, at);
    if (size < k->fixed || size > (int64_t)(end - at))
        return at + least(k->fixed, end - at);
    return k->goes_on ? stop_of(k, f, at + (size_t)size, end) : at + (size_t)size;
}

/* What an entry leads to. LOST: nothing; try another one. */
enum way { LOST, LED, ENDED };

static enum way followed(const struct entry *e, uint64_t code, struct walk *w, const struct frame *f, size_t at, size_t limit,
                         const struct kind **next)
{
    for (;; e++) {
        const struct kind *k = e->kind;
        if (hold(&e->only, f, at, at)) {
            if (k == NULL)
                return ENDED;
            *next = k;
            if ((k->flags & UNFOLLOWED) == 0)
                return LED;
            int64_t size = limit - at >= k->fixed ? header_size(k, f, at) : INT64_MAX;
            if (size <= (int64_t)(limit - at)) {
                w->beyond = code | e->value;
                return ENDED;
            }
        }
        if (!e->more)
            return LOST;
    }
}

static enum way looked_up(const struct space *s, uint64_t value, struct walk *w, const struct frame *f, size_t at, size_t limit,
                          const struct kind **next)
{
    const struct entry *e = entry_of(s, value);
    if (e != NULL)
        return followed(e, s->code, w, f, at, limit, next);
    if (value < s->counted || at >= limit)
        return LOST;
    w->beyond = s->code | (value & UINT32_MAX);
    return ENDED;
}

/* Where a walk is: at a header, or behind it; and what that is in. */
struct standing {
    size_t at, behind, limit;
    struct header *carrier;     /* whose data what follows may claim; tags and extensions are none */
    unsigned gives, exception, hidden;
    bool promised;
    bool all;                   /* idle headers, too */
    const struct kind *then;    /* what stands behind an end that lies in front of the walk: there, within that limit; NULL: nothing */
    size_t then_at, then_limit;
    bool then_quoted;           /* it is quoted, too */
};

/* What comes behind a header; NULL: nothing. */
static const struct kind *next_in_full(const struct kind *k, struct standing *s, struct walk *w, const struct frame *f)
{
    for (const struct rule *r = k->rules, *last = r + k->rules_count; r < last; r++) {
        if (r->only.count > 0 && !hold_within(&r->only, f, s->at, s->behind, s->limit))
            continue;
        const struct kind *next = r->kind;
        enum way way = LED;
        if (r->how == COUNTED) {
            if (s->behind < s->limit)
                w->beyond = r->code;
            return NULL;
        }
        if (r->how == BY_SPACE) {
            uint32_t value = read_number(&r->read, f, s->at, s->behind);
            const struct entry *tag = s->exception == COOKED_TAGS ? cooked_tag(r->space, f, value, s->behind, s->limit) : NULL;
            way = tag != NULL ? followed(tag, r->space->code, w, f, s->behind, s->limit, &next)
                : looked_up(r->space, value, w, f, s->behind, s->limit, &next);
        }
        if (way == ENDED)
            return NULL;
        if (way == LED) {
            s->promised |= (r->flags & PROMISED) != 0;
            if ((r->flags & QUOTED) != 0 && w->quoted == MAX_HEADERS) {
                w->quoted = w->count;
                w->quote_end = s->limit;
            }
            return next;
        }
    }
    return NULL;
}

/* Whether a walk is in a packet that is quoted. */
static bool quoting(const struct walk *w)
{
    return w->quoted < MAX_HEADERS && w->resumed == MAX_HEADERS;
}

/* A quoted packet is cut, as a rule, and nobody acts on it. */
static void end_quote(struct walk *w)
{
    if (!quoting(w))
        return;
    w->resumed = w->count;
    w->partial = false;
    w->beyond = 0;
}

/* What stands behind an end, when all that is in front of it was looked at; NULL: nothing. */
static const struct kind *go_on(struct standing *s, struct walk *w)
{
    const struct kind *then = s->then;
    if (then == NULL)
        return NULL;
    if (!s->then_quoted)
        end_quote(w);
    *s = (struct standing){.at = s->then_at, .limit = s->then_limit, .carrier = s->carrier, .gives = UINT8_MAX, .hidden = s->hidden,
                           .all = s->all};
    return then;
}

/* Adds a header, of `size` bytes if that is possible. */
static void add(const struct kind *k, struct standing *s, struct walk *w, int64_t size, bool sized, size_t end)
{
    struct header *h = &w->header[w->count++];
    size_t own = (k->flags & OWN_END) != 0 ? (sized ? s->behind : end) : (k->flags & END_BEHIND) != 0 ? s->limit : end;
    size_t data = k->data != UINT32_MAX ? least(s->at + k->data, own)
        : !sized && size > k->fixed && (k->flags & LONG_DATA) != 0 ? own : s->behind;
    *h = (struct header){k->number, k->exception, (uint32_t)s->at, (uint32_t)data, (uint32_t)own};
    if (k->claims > s->gives || (s->gives != UINT8_MAX && (k->flags & PASSES) != 0))
        s->carrier->data = (uint32_t)own;
    if ((k->flags & PASSES) == 0) {
        s->carrier = h;
        s->gives = k->gives;
        s->exception = k->exception;
    }
    s->promised = false;
}

/* A step of a walk: a header of any kind, if it is there, and what comes behind it; NULL: nothing. */
static const struct kind *step_in_full(const struct kind *k, struct standing *s, struct walk *w, const struct frame *f)
{
    if ((k->flags & IDLE) != 0 && !s->all)
        return NULL;
    bool hidden = (k->flags & HIDDEN) != 0;
    if (hidden ? s->hidden++ == MAX_HIDDEN : w->count == MAX_HEADERS) {
        w->partial |= (k->flags & DEEP) != 0;
        if (s->at < s->limit)
            w->beyond = MAX_HEADERS;
        return NULL;
    }
    bool there = s->limit - s->at >= k->fixed, sized = false;
    int64_t size = 0;
    size_t end = s->limit;
    if (there) {
        size = header_size(k, f, s->at);
        end = end_of(k, f, s->at, s->limit);
        sized = size >= k->fixed && size <= (int64_t)(end - s->at);
        if (sized && k->goes_on)
            size = (int64_t)(stop_of(k, f, s->at + (size_t)size, end) - s->at);
        there = sized || (k->flags & NEEDS_SIZE) == 0;
    }
    if (!there && !hidden && quoting(w) && s->at < s->limit) {  /* of what is quoted a part is there, too */
        s->behind = s->limit;
        add(k, s, w, 0, false, s->limit);
        return NULL;
    }
    if (!there) {
        w->partial |= (k->flags & CUT) != 0 || ((k->flags & CUT_INSIDE) != 0 && w->count > 0);
        return NULL;
    }
    s->behind = s->at + (sized ? (size_t)size : k->fixed);
    if (!hidden)
        add(k, s, w, size, sized, end);
    w->partial |= !sized && (k->flags & MISSIZED) != 0;
    if (!sized || !hold(&k->whole_only, f, s->at, s->at))
        return NULL;
    if (k->then != NULL && end < s->limit && s->then == NULL) {
        s->then = k->then;
        s->then_at = end;
        s->then_limit = s->limit;
        s->then_quoted = quoting(w);
    }
    if ((k->flags & OWN_END) == 0)
        s->limit = end;
    k = next_in_full(k, s, w, f);
    s->at = s->behind;
    return k;
}

/* What is said at `struct header`. */
static inline bool in_order(const struct walk *w, const struct frame *f)
{
    bool holds = w->count > 0;
    for (const struct header *h = w->header; h < w->header + w->count; h++)
        holds &= h->start <= h->data && h->data <= h->end && h->end <= f->size && (h == w->header || h[-1].start < h->start);
    return holds;
}

/* The kind that a value announces, if it is a likely one; NULL: it is not. */
static inline const struct kind *likely(const struct quick *q, uint64_t value)
{
    for (int i = 0; i < MAX_LIKELY; i++)
        if (q->likely[i] == value)
            return q->kind[i];
    return NULL;
}

enum done { FURTHER, AT_HEADER, BEHIND_HEADER, FINISHED };  /* FURTHER: at the next one */

/* Where a walk is that goes over plain headers: nothing has its address, all of it stays in registers. */
struct pace {
    const struct kind *kind;    /* of the header that it is at, or behind */
    uint32_t at, behind, limit;
    struct header *next;        /* where that goes; the last one is the carrier */
    unsigned gives;
};

/* The same as looked_up_quickly, where entries of values have tests, which read what is behind the header. Apart, so that what nearly all
 * packets go through has nothing to save for it.
 */
__attribute__((noinline)) static const struct kind *looked_up_by_tests(const struct kind *k, const struct frame *f, size_t at, size_t behind, enum done *done)
{
    const struct quick *q = &k->first;
    *done = BEHIND_HEADER;
    for (unsigned i = 0; i < k->quick_count; q = &k->others[i++]) {
        uint32_t value = read_near(&q->read, f, at);
        const struct entry *e = entry_of(q->space, value);
        if (e == NULL && value >= q->space->counted)
            return NULL;
        for (bool more = e != NULL; more; more = e->more, e++)
            if (hold(&e->only, f, behind, behind))
                return e->kind != NULL && (e->kind->flags & UNFOLLOWED) == 0 ? e->kind : NULL;
    }
    *done = (k->numbers & RULES_LEFT) != 0 ? BEHIND_HEADER : FINISHED;
    return NULL;
}

/* What follows by the quick rules of a kind, where none of the likely ones does; NULL: nothing, or `done` is BEHIND_HEADER, and all
 * rules have to be gone through. */
static inline const struct kind *looked_up_quickly(const struct kind *k, const struct frame *f, size_t at, size_t behind, enum done *done)
{
    const struct quick *q = &k->first;
    *done = BEHIND_HEADER;
    for (unsigned i = 0; i < k->quick_count; q = &k->others[i++]) {
        uint32_t value = read_near(&q->read, f, at);
        const struct slot *slot = slot_of(q->space, value);
        if (slot->value == value && slot->entry > 0)
            return slot->kind != 0 ? &q->space->kinds[slot->kind] : looked_up_by_tests(k, f, at, behind, done);
        if (value >= q->space->counted)
            return NULL;
    }
    *done = (k->numbers & RULES_LEFT) != 0 ? BEHIND_HEADER : FINISHED;
    return NULL;
}

/* The same, apart: of kinds that have likely ones. */
__attribute__((noinline)) static const struct kind *looked_up_apart(const struct kind *k, const struct frame *f, size_t at, size_t behind,
                                                                    enum done *done)
{
    return looked_up_quickly(k, f, at, behind, done);
}

/* A plain header, if it is there and its size is possible, and what comes behind it. `numbers` are those of its kind: where it is a
 * constant, the compiler leaves out the others.
 */
static inline enum done step(struct pace *p, const struct frame *f, unsigned numbers)
{
    const struct kind *k = p->kind;
    uint32_t at = p->at, end = p->limit, room = end - at, behind = at + k->fixed, data = behind;
    if (room < k->fixed)                        /* it is not there */
        return (k->flags & (CUT | CUT_INSIDE)) != 0 ? AT_HEADER : FINISHED;
    if ((numbers & SAYS_END) != 0) {
        uint32_t said = read_near(&k->end_read, f, at);
        int64_t bytes = (int64_t)said + k->end_bias;
        if (said >= k->end_least && bytes < (int64_t)room)
            end = at + (bytes > k->fixed ? (uint32_t)bytes : k->fixed);
    }
    if ((numbers & SAYS_SIZE) != 0) {
        uint32_t size = read_near(&k->size_read, f, at) + k->size_bias;
        if (size - k->fixed > end - at - k->fixed)      /* impossible: a smaller one, too */
            return AT_HEADER;
        data = behind = at + size;
    }
    if ((numbers & SAYS_DATA) != 0)
        data = (uint32_t)least(at + k->data, end);
    struct header *h = p->next++;
    *h = (struct header){k->number, k->exception, at, data, end};
    if (k->claims > p->gives)
        h[-1].data = end;
    p->gives = k->gives;
    p->limit = end;
    p->behind = behind;
    if ((numbers & SAYS_WHOLE) != 0 && read_near(&k->whole_read, f, at) - k->whole_low > k->whole_span)
        return FINISHED;
    if ((numbers & LOOKS_UP) == 0)
        return (numbers & RULES_LEFT) != 0 ? BEHIND_HEADER : FINISHED;
    const struct kind *led = (numbers & LIKELY) != 0 ? likely(&k->first, read_near(&k->first.read, f, at)) : NULL;
    enum done done;
    if (led == NULL) {
        led = (numbers & LIKELY) != 0 ? looked_up_apart(k, f, at, behind, &done) : looked_up_quickly(k, f, at, behind, &done);
        if (led == NULL)
            return done;
    }
    p->kind = led;
    p->at = behind;
    return FURTHER;
}

static enum done step_any(struct pace *p, const struct frame *f)
{
    return step(p, f, p->kind->numbers);
}

/* Steps over headers that are plain, as far as that goes, or `most`: nearly all are. Says where that is; `next` is the kind of the header that
 * the walk is at or behind. The last header is the carrier.
 */
static inline enum done step_plainly(const struct kind **next, struct standing *s, struct walk *w, const struct frame *whole,
                                     size_t most)
{
    const struct frame frame = *whole, *f = &frame;
    struct pace p = {*next, (uint32_t)s->at, (uint32_t)s->behind, (uint32_t)s->limit, w->header + w->count, s->gives};
    const bool all = s->all;
    enum done done = FURTHER;
    while (done == FURTHER && p.next < w->header + most)
        switch (p.kind->shapes[all]) {
        case SKIPPED: done = FINISHED; break;
        case NOT_PLAIN: done = AT_HEADER; break;
        case TAIL: done = step(&p, f, 0); break;
        case TAIL_WITH_DATA: done = step(&p, f, SAYS_DATA); break;
        case LINK: done = step(&p, f, LOOKS_UP | LIKELY); break;
        case NETWORK: done = step(&p, f, SAYS_END | SAYS_SIZE | SAYS_WHOLE | LOOKS_UP | LIKELY); break;
        case NETWORK6: done = step(&p, f, SAYS_END | LOOKS_UP | LIKELY); break;
        case TRANSPORT_WITH_END: done = step(&p, f, SAYS_END | LOOKS_UP); break;
        case CONTROL: done = step(&p, f, SAYS_DATA | LOOKS_UP); break;
        case TRANSPORT_WITH_SIZE: done = step(&p, f, SAYS_SIZE | SAYS_DATA | LOOKS_UP); break;
        default: {
            struct pace any = p;                /* what the others have stays in registers */
            done = step_any(&any, f);
            p = any;
        }
        }
    size_t before = w->count;
    w->count = (size_t)(p.next - w->header);
    if (w->count > before)
        s->promised = false;
    if (done == FINISHED)
        return done;
    if (w->count > before) {
        s->carrier = p.next - 1;
        s->exception = NO_EXCEPTION;
    }
    *next = p.kind;
    s->at = p.at;
    s->behind = p.behind;
    s->limit = p.limit;
    s->gives = p.gives;
    return done == FURTHER ? AT_HEADER : done;
}

/* The rest of a walk that met something that is not plain. */
static void walk_on(const struct kind *k, enum done done, struct standing s, struct walk *w, const struct frame *f)
{
    for (;;) {
        if (done == BEHIND_HEADER) {
            k = next_in_full(k, &s, w, f);
            s.at = s.behind;
        } else
            k = done == FINISHED ? NULL : step_in_full(k, &s, w, f);
        if (k == NULL) {
            w->partial |= s.promised;
            if ((k = go_on(&s, w)) == NULL)
                break;
        }
        bool carried = w->count == 0 || s.carrier == &w->header[w->count - 1];
        done = carried && !quoting(w) ? step_plainly(&k, &s, w, f, MAX_HEADERS) : AT_HEADER;     /* of what is quoted a part may be there */
    }
    end_quote(w);
    if (w->count == 0)
        w->header[w->count++] = (struct header){UNKNOWN, NO_EXCEPTION, 0, 0, (uint32_t)f->size};
}

static void walk_to(struct walk *w, const struct frame *f, int64_t linktype, bool all, size_t most)
{
    struct standing s = {.limit = f->size, .gives = UINT8_MAX, .all = all};
    enum done done = FINISHED;
    w->count = 0;
    w->quoted = w->resumed = MAX_HEADERS;
    w->partial = false;
    w->beyond = 0;
    const struct kind *k = likely(&protocols->links, (uint64_t)linktype);
    if (k != NULL)
        done = step_plainly(&k, &s, w, f, most);
    else if (looked_up(protocols->links.space, (uint64_t)linktype, w, f, 0, f->size, &k) == LED)
        done = AT_HEADER;
    if ((done != FINISHED && (w->count < most || most == MAX_HEADERS)) || w->count == 0)
        walk_on(k, done, s, w, f);
    HOLDS(in_order(w, f));
}

void walk(struct walk *w, const struct frame *f, int64_t linktype)
{
    walk_to(w, f, linktype, true, MAX_HEADERS);
}

/* The same without idle headers: those of which nothing is asked but their own fields. */
void walk_busy(struct walk *w, const struct frame *f, int64_t linktype)
{
    walk_to(w, f, linktype, false, MAX_HEADERS);
}

/* The same for whoever asks for the first ones: with `most` of them it may end, or later. */
void walk_front(struct walk *w, const struct frame *f, int64_t linktype, size_t most)
{
    walk_to(w, f, linktype, false, most);
}

/* Whether the walk of any frame with the same bytes in front of the header at `last` comes to this header, if it is there: each of
 * these leads to the next by a number of its own, which is looked at alone since nearly all packets have it.
 */
bool leads_surely(const struct walk *w, const struct frame *f, int64_t linktype, size_t last)
{
    const struct kind *k = likely(&protocols->links, (uint64_t)linktype);
    size_t at = 0;
    for (const struct header *h = w->header; k != NULL && h->kind == k->number && h->start == at; h++) {
        if (h == w->header + last)
            return k->shapes[false] == NETWORK || k->shapes[false] == NETWORK6;
        if (k->shapes[false] != LINK)
            return false;
        at += k->fixed;
        k = likely(&k->first, read_near(&k->first.read, f, h->start));
    }
    return false;
}

/* Whether such a header is there, which begins at `at`, and its size is possible. */
bool stands_there(const struct header *last, const struct frame *f)
{
    const struct kind *k = &protocols->kinds[last->kind];
    if (!frame_has(f, last->start, k->fixed))
        return false;
    size_t room = f->size - last->start - k->fixed;
    return (k->numbers & SAYS_SIZE) == 0 || read_near(&k->size_read, f, last->start) + k->size_bias - k->fixed <= room;
}

/* Takes out the headers of a packet that is quoted. */
void leave_out_quoted(struct walk *w)
{
    if (w->quoted == MAX_HEADERS)
        return;
    memmove(&w->header[w->quoted], &w->header[w->resumed], (w->count - w->resumed) * sizeof *w->header);
    w->count -= w->resumed - w->quoted;
    w->quoted = w->resumed = MAX_HEADERS;
}

/* The same without the headers of a packet that is quoted, too: those that sums and lengths are asked of. */
void walk_own(struct walk *w, const struct frame *f, int64_t linktype)
{
    walk_busy(w, f, linktype);
    leave_out_quoted(w);
}

/* Whether headers of a link type are found. */
bool known_link(int64_t linktype)
{
    const struct entry *e = entry_of(protocols->links.space, (uint64_t)linktype);
    return e != NULL && e->kind != NULL;
}

/* Whether headers of a kind go on with what the one in front carries: extensions. */
bool extends(unsigned kind)
{
    return (protocols->kinds[kind].flags & EXTENSION) != 0;
}

/* Whether a protocol of IPv6 is an extension header. */
bool is_extension(unsigned protocol)
{
    const struct entry *e = protocols->carried[true][protocol & 0xFF].entry;
    return e != NULL && e->kind != NULL && (e->kind->flags & EXTENSION) != 0;
}

/* Whether headers of a kind are those that walk_busy leaves out. */
bool is_idle(int64_t kind)
{
    return kind >= 0 && (uint64_t)kind < protocols->count && (protocols->kinds[kind].flags & IDLE) != 0;
}

/* Whether a packet is in headers of a kind. */
bool is_tunnel(unsigned kind)
{
    return (protocols->kinds[kind].flags & TUNNEL) != 0;
}

/* Whether a header of a kind is a tag: what is behind it is in what is in front of it. */
bool is_tag_header(unsigned kind)
{
    return (protocols->kinds[kind].flags & TAG) != 0;
}

/* Whether what a header of a link layer, or a tag, asks first announces a header that follows, by its number and what is there of it. */
bool link_announces(const struct frame *f, const struct header *h)
{
    const struct kind *k = &protocols->kinds[h->kind];
    const struct rule *r = k->rules, *last = r + k->rules_count;
    while (r < last && r->how != BY_SPACE && !hold_within(&r->only, f, h->start, h->data, h->end))
        r++;                                    /* what is so for other devices */
    if (r == last || r->how != BY_SPACE || (k->flags & (LINK_LAYER | TAG)) == 0 || !hold(&r->only, f, h->start, h->data))
        return false;
    const struct entry *e = entry_of(r->space, read_number(&r->read, f, h->start, h->data));
    while (e != NULL && !hold(&e->only, f, h->data, h->data))
        e = e->more ? e + 1 : NULL;
    return e != NULL && e->kind != NULL && (e->kind->flags & (HIDDEN | UNFOLLOWED)) == 0;
}

/* Whether the number that a header of a kind asks first, such as a port, is one of tunnels. */
bool leads_to_tunnel(const struct kind *k, const struct frame *f, size_t at)
{
    const struct rule *r = k->rules_count > 0 && k->rules->how == BY_SPACE ? k->rules : NULL;
    const struct entry *e = r != NULL ? entry_of(r->space, read_number(&r->read, f, at, at)) : NULL;
    while (e != NULL && !e->tunnel)
        e = e->more ? e + 1 : NULL;
    return e != NULL;
}

/* Whether headers of a kind have a checksum, or one that cannot be told. */
bool has_rule(unsigned kind)
{
    return protocols->kinds[kind].sum != NULL;
}
