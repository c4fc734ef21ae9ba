/* Lists in headers: items with a type and a length, such as options, which are looked for when a field of them is asked for. Twin of
 * ../python/lists.py.
 */
#include "protocols.h"

/* Whether tests hold of an item, and all that they ask of is in it. */
static bool hold_in(const struct conditions *c, const struct frame *f, size_t at, size_t end)
{
    for (const struct condition *one = c->first; one < c->first + c->count; one++)
        if ((int64_t)at + one->read.at + one->read.bytes > (int64_t)end)
            return false;
    return hold(c, f, at, at);
}

/* Begins a list that a header holds, wherever its tests hold. */
static void begin(struct items *s, const struct hold *where, const struct header *h)
{
    size_t end = h->end;
    if (where->to != TO_END) {
        int64_t size = where->to == TO_SIZE ? header_size(where->kind, s->frame, h->start)
            : read_number(&where->read, s->frame, h->start, h->start) * where->scale + where->bias;
        if (size < (where->to == TO_SIZE ? where->kind->fixed : where->first))
            return;
        end = size < (int64_t)(end - h->start) ? h->start + (size_t)size : end;
    }
    s->list = s->following = where->list;
    s->next = h->start + where->first;
    s->limit = end;
    s->row = s->stop = 0;                       /* nothing is in hand: the first item comes next */
    s->last = false;
    s->depth = 0;
}

/* Leaves what the item in hand lies in. */
static void leave(struct items *s)
{
    s->depth--;
    s->following = s->outer[s->depth].list;
    s->next = s->outer[s->depth].next;
    s->limit = s->outer[s->depth].limit;
}

/* Takes the next item; whether there is one in its list, wholly. */
static bool take(struct items *s)
{
    while (s->depth > 0 && s->next >= s->limit)
        leave(s);
    const struct list *l = s->list = s->following;
    if (s->last || s->next >= s->limit || s->limit - s->next < l->alone)
        return false;
    size_t room = s->limit - s->next;
    s->at = s->next;
    s->type = read_number(&l->type, s->frame, s->at, s->at);
    enum how how = SIZED;
    size_t inside = 0;
    const struct list *inner = l;
    s->other = true;
    s->row = l->first[s->type % TYPES_APART];
    s->stop = l->first[s->type % TYPES_APART + 1];
    for (size_t row = s->row; row < s->stop; row++) {
        const struct item *i = &l->items[l->rows[row]];
        if (i->type == s->type) {
            how = i->how > how ? i->how : how;
            if (i->inside > inside) {
                inside = i->inside;
                inner = i->inner != NULL ? i->inner : l;
            }
            s->other &= i->kind < 0;
        }
    }
    int64_t size = l->alone;
    if (how == SIZED) {
        if (room < l->head)
            return false;
        size = read_number(&l->length, s->frame, s->at, s->at) * l->scale + l->bias;
        if (size < l->head || size > (int64_t)room)
            return false;
    }
    s->last = how == LAST;
    s->end = s->at + (size_t)size;
    s->next = s->at + ((size_t)size + l->align - 1) / l->align * l->align;
    s->piece = 0;
    if (inside > 0 && (size_t)size > inside && s->depth < MAX_INSIDE) {
        s->outer[s->depth].list = l;
        s->outer[s->depth].next = s->next;
        s->outer[s->depth++].limit = s->limit;
        s->following = inner;
        s->next = s->at + inside;
        s->limit = s->end;
    }
    return true;
}

/* Goes on to the next item; whether there is one. Where a list ends before its time, the one that it lies in goes on. */
static bool advance(struct items *s)
{
    while (!take(s)) {
        const struct list *ended = s->list;
        while (s->depth > 0 && s->following == ended)
            leave(s);
        if (s->following == ended)
            return false;
        s->last = false;
    }
    return true;
}

/* A number in the item in hand, as far as that has it; else the value `without`. */
static size_t said_in(const struct items *s, const struct read *number, size_t without)
{
    bool there = number->bytes > 0 && s->at + (size_t)number->at + number->bytes <= s->end;
    return there ? read_number(number, s->frame, s->at, s->at) : without;
}

/* The next of what is known of the item in hand, as a header; whether there is one. */
static bool known(struct items *s, struct header *found)
{
    for (; s->row < s->stop; s->row++, s->piece = 0) {
        const struct item *i = &s->list->items[s->list->rows[s->row]];
        if (i->kind < 0 || (i->type != s->type && i->type != ANY_TYPE && !(s->other && i->type == OTHER_TYPE)))
            continue;
        if (i->only.count > 0 && !hold_in(&i->only, s->frame, s->at, s->end))
            continue;
        if (s->piece == 0) {
            s->passed = said_in(s, &i->passed, 0);
            s->pieces = said_in(s, &i->pieces, SIZE_MAX);
        }
        if (i->each > 0 && s->passed > (s->end - s->at) / i->each)
            continue;
        size_t from = s->at + i->at + (s->passed + s->piece) * i->each;
        if (i->each == 0 ? s->piece > 0 || from > s->end : s->piece >= s->pieces || from + i->each > s->end)
            continue;
        size_t end = i->each == 0 ? s->end : from + i->each;
        s->piece++;
        *found = (struct header){(uint16_t)i->kind, NO_EXCEPTION, (uint32_t)from, (uint32_t)least(from + i->data, end), (uint32_t)end};
        return true;
    }
    return false;
}

/* Whether the tests of what holds a list hold: of the header, or of an item in another list of it. */
static bool said(const struct items *s, const struct hold *where, const struct header *h)
{
    if (where->by < 0)
        return hold(&where->only, s->frame, h->start, h->start);
    for (const struct hold *other = where->kind->holds, *end = other + where->kind->holds_count; other < end; other++) {
        struct items in = items_of(s->frame, s->walk);
        struct header found;
        if (other->by < 0 && hold(&other->only, s->frame, h->start, h->start))
            begin(&in, other, h);
        while (in.list != NULL)
            if (known(&in, &found)) {
                if (found.kind == where->by && hold_in(&where->only, s->frame, found.start, found.end))
                    return true;
            } else if (!advance(&in))
                in.list = NULL;
    }
    return false;
}

/* The next item in the headers of a packet, as a header: start <= data <= end <= that of the header it is in. False: none is left. */
bool next_item(struct items *s, struct header *found)
{
    for (;;) {
        if (s->list != NULL && known(s, found))
            return true;
        if (s->list != NULL && advance(s))
            continue;
        s->list = NULL;
        if (s->index == s->walk->count)
            return false;
        const struct header *h = &s->walk->header[s->index];
        const struct kind *k = &protocols->kinds[h->kind];
        if (s->hold == k->holds_count) {
            s->hold = 0;
            s->index++;
        } else if (said(s, &k->holds[s->hold++], h))
            begin(s, &k->holds[s->hold - 1], h);
    }
}
