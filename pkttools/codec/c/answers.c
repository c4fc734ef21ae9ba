/* Answers to requests, by rules: an answer is its request with other values in some places, and perhaps another end. Which requests there
 * are is what the rules say. Twin of ../python/answers.py.
 */
#include "fields.h"
#include "protocols.h"

/* The first header of a kind; NULL: there is none. */
static const struct header *first_of(const struct walk *w, int64_t kind)
{
    for (const struct header *h = w->header; h < w->header + w->count; h++)
        if ((int64_t)h->kind == kind)
            return h;
    return NULL;
}

/* Where bits of a header lie in the frame; false: they are not there. */
static bool bits_of(const struct walk *w, int64_t kind, int64_t bit, int64_t width, size_t *at)
{
    const struct header *h = first_of(w, kind);
    if (h == NULL)
        return false;
    *at = (size_t)h->start * 8 + (size_t)bit;
    return *at + (size_t)width <= (size_t)h->end * 8;
}

/* Whether what is behind the first headers has a tunnel in front of it, a second datagram, or a link layer that is carried. */
static bool in_tunnel(const struct walk *w, size_t count)
{
    size_t datagrams = 0;
    bool carried = false;
    for (size_t i = 0; i < count; i++) {
        unsigned flags = protocols->kinds[w->header[i].kind].flags;
        if ((flags & TUNNEL) != 0 || (carried && (flags & LINK_LAYER) != 0))
            return true;
        carried |= (flags & (LINK_LAYER | TAG)) == 0;
        datagrams += carries_message(&w->header[i]);
    }
    return datagrams > 1;
}

/* Which header is the first that some rule is for. */
static bool asked_at(const struct answering *a, const struct walk *w, size_t *index)
{
    for (*index = 0; *index < w->count; ++*index)
        for (size_t i = 0; i < a->count; i++)
            if ((int64_t)w->header[*index].kind == a->rules[i].kind)
                return true;
    return false;
}

/* Whether two numbers are there, and the same. */
static bool same_numbers(const struct frame *f, const struct walk *w, const struct edit *e)
{
    size_t at, from;
    return bits_of(w, e->kind, e->bit, e->width, &at) && bits_of(w, e->from, e->value, e->width, &from)
        && read_bits(f, at, (size_t)e->width) == read_bits(f, from, (size_t)e->width);
}

/* Writes into the answer what the request has elsewhere, or a constant; what is not there is left out. */
static void edit(const struct writable_frame *made, const struct packet_view *p, const struct edit *e)
{
    const struct header *h = first_of(&p->walk, e->kind);
    size_t from = 0;
    if (h == NULL || (e->from >= 0 && !bits_of(&p->walk, e->from, e->value, e->width, &from)))
        return;
    uint64_t value = e->from >= 0 ? read_bits(&p->frame, from, (size_t)e->width) : (uint64_t)e->value;
    place_value(made, (size_t)h->start * 8 + (size_t)e->bit, (size_t)e->width, value);
}

/* Adds the answer that a rule makes of a request; false: no memory. Where it has no place for its length, it is none. */
static bool add(const struct answer_rule *r, const struct packet_view *p, size_t index, const uint8_t *data, const struct packet *row,
                struct gathered *out)
{
    const struct frame *f = &p->frame;
    const struct header *h = &p->walk.header[index];
    struct around around;
    size_t end = r->end > 0 ? h->start + (size_t)r->end : f->size, kept = r->end > 0 ? least(h->end, end) : end, tail = 0;
    if (r->end > 0) {
        around_of(p, index, &around);
        tail = f->size - around.tail_at;
    }
    if (!bytes_need(&out->data, end + tail + (size_t)row->notes_size))
        return false;
    uint8_t *to = out->data.at + out->data.size;
    memcpy(to, frame_range(f, 0, kept), kept);
    memset(to + kept, 0, end - kept);
    memcpy(to + end, frame_range(f, f->size - tail, tail), tail);
    struct writable_frame made = writable(to, end + tail);
    for (size_t i = 0; i < r->edits_count; i++)
        edit(&made, p, &r->edits[i]);
    if (r->end > 0 && !around_fit(&around, &made, end, row->linktype))
        return true;
    struct packet answer = *row;
    struct corrected corrected;
    answer.offset = (int64_t)out->data.size;
    answer.captured = (int64_t)(end + tail);
    answer.original = r->end > 0 ? answer.captured : row->original;
    answer.notes = answer.offset + answer.captured;
    correct(&made, answer.original, row->linktype, ALL, MAX_HEADERS, &corrected);
    out->data.size += end + tail;
    return bytes_add(&out->data, data + row->notes, (size_t)row->notes_size) && gather_row(out, &answer);
}

/* Adds the answer to a sound request, by the first rule of its kind that is for it; false: no memory. busy: its headers with those that it
 * quotes; NULL: they are not known. */
bool answer(const struct answering *a, const struct packet_view *p, const struct walk *busy, const uint8_t *data, const struct packet *row,
            struct gathered *out)
{
    size_t index;
    if (!asked_at(a, &p->walk, &index) || in_tunnel(&p->walk, index))  /* what a tunnel carries is for its end */
        return true;
    for (const struct answer_rule *r = a->rules; r < a->rules + a->count; r++) {
        if (r->kind != (int64_t)p->walk.header[index].kind || !matches(&r->tests, &p->frame, row, row, NULL, 0, busy))
            continue;
        bool unlike = true;
        for (size_t i = 0; i < r->unlike_count; i++)
            unlike = unlike && !same_numbers(&p->frame, &p->walk, &r->unlike[i]);
        if (unlike)
            return add(r, p, index, data, row, out);
    }
    return true;
}

/* Whether edits are such as may be made. */
bool edits_sound(const struct edit *e, size_t count)
{
    for (; count > 0; e++, count--)
        if (e->bit < 0 || e->bit > 8 * MAX_FRAME || e->width < 1 || e->width > 64 || e->from < -1
            || (e->from >= 0 && (e->value < 0 || e->value > 8 * MAX_FRAME)))
            return false;
    return true;
}
