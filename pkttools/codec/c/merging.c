/* Merges segments of TCP, and datagrams of UDP, into super-frames, as the kernel does what it receives (GRO). Twin of
 * ../python/merging.py, which says when.
 */
#include "segments.h"

#include <stdlib.h>

enum { MOST_FRONT = 512, MOST_OPEN = 64, WINDOW = 64, MOST_SIZE = 0xFFFF };
#define NONE UINT32_MAX
enum { ENDS = FIN | PSH, REFUSED = SYN | RST | URG | CWR };

struct segment {                /* one that may be merged */
    uint8_t key[KEY_SIZE];
    uint8_t front[MOST_FRONT];  /* what is in front of its data, without what differs from one to the next */
    size_t size, data, outer;   /* bytes of that; of its data; in front of the outermost packet of IP */
    uint32_t sequence;
    unsigned flags;
    uint16_t ids[MAX_HEADERS];
    bool numbered;              /* of TCP */
    bool mergeable;             /* else it is only known of whom it is */
};

struct group {                  /* segments that are one super-frame, which may grow */
    struct segment first;
    size_t lead, last, place, count, data;      /* which packets; where the first one stood; how many; bytes of data */
    uint8_t steps[MAX_HEADERS];         /* by how much IDs differ */
};

/* Whether the lines of a packet are those of the first one: then they say nothing that would be lost. */
static bool same_lines(const uint8_t *data, const struct packet *a, const struct packet *b)
{
    static const char lost[] = "LOST:";
    size_t size = (size_t)b->notes_size;
    const uint8_t *at = data + b->notes;
    if (a->notes_size != b->notes_size || (size > 0 && memcmp(data + a->notes, at, size) != 0))
        return false;
    for (size_t i = 0; i + sizeof lost - 1 <= size; i++)
        if (memcmp(at + i, lost, sizeof lost - 1) == 0)
            return false;
    return true;
}

/* Looks at a packet. False: it is no segment of TCP, nor a datagram of UDP if these count. */
static bool segment_of(const struct packet_view *p, bool chosen, bool datagrams, struct segment *s)
{
    const struct frame *f = &p->frame;
    const struct walk *w = &p->walk;
    struct message m;
    struct judged kept;
    size_t index, outer;
    s->mergeable = false;
    if (!innermost(w, &index) || !outermost(w, &outer) || message_of(p, index, &m) != CORRECTED)
        return false;
    const struct header *h = beginning(w, index, &m);
    if (h == NULL || (h->exception != SEGMENTS && !(datagrams && is_datagram(f, h))))
        return false;
    s->numbered = h->exception == SEGMENTS;
    flow_key(f, &m, false, s->key);
    s->key[KEY_SIZE - 1] = s->numbered;
    int64_t head = header_size(&protocols->kinds[h->kind], f, m.at);
    size_t front = m.at + (size_t)head, end = m.at + m.size;
    s->flags = s->numbered ? get8(f, m.at + FLAGS_AT) : 0;
    if (!s->numbered && get16(f, h->start + protocols->kinds[h->kind].length_at) != m.size)
        return true;
    if (!chosen || head < protocols->kinds[h->kind].fixed || front >= end || front > MOST_FRONT || end != f->size
        || p->original > (int64_t)f->size || (s->flags & REFUSED) != 0 || has_fragment(p))
        return true;
    for (size_t i = 0; i <= index; i++)
        if (carries_message(&w->header[i]) && datagram_head(f, &w->header[i]) != protocols->kinds[w->header[i].kind].fixed)
            return true;
    struct around around;
    around_of(p, index, &around);
    if (around.tail_at != f->size || !judge_whole(p, index, &kept) || (!s->numbered && kept.sums[index].message.how == LET_BE))
        return true;
    memset(s->ids, 0, sizeof s->ids);
    memcpy(s->front, frame_range(f, 0, front), front);
    const struct writable_frame to = writable(s->front, front);
    for (size_t i = 0; i <= index; i++) {
        struct checksum c = header_checksum(p, i);
        if (kept.sums[i].own.off != 0 || kept.sums[i].message.off != 0 || (carries_message(&w->header[i]) && datagram_said(f, &w->header[i]) == 0))
            return true;
        s->ids[i] = (uint16_t)datagram_id(f, &w->header[i]);
        renumber(&to, &w->header[i], 0x10000u - s->ids[i]);
        if (c.size == 2)
            put16(&to, c.at, 0);
        if (kept.sums[i].message.how != LET_BE && sum_of(p, i, &m, &c) == CORRECTED && c.size == 2)
            put16(&to, c.at, 0);
    }
    declare_end(&to, &w->header[index], front);
    if (!s->numbered)
        declare_end(&to, h, front);
    if (!around_lengths(&around, &to, front))
        return true;
    s->sequence = 0;
    if (s->numbered) {
        s->sequence = get32(f, h->start + SEQUENCE_AT);
        put16(&to, h->start + SEQUENCE_AT, 0);
        put16(&to, h->start + SEQUENCE_AT + 2, 0);
        put8(&to, h->start + FLAGS_AT, s->flags & ~(unsigned)ENDS);
    }
    s->size = front;
    s->data = end - front;
    s->outer = w->header[outer].start;
    s->mergeable = true;
    return true;
}

/* Whether a segment goes on with what is open, to which it is added then. */
static bool joins(struct group *o, const struct segment *s)
{
    const struct segment *first = &o->first;
    if (!s->mergeable || s->size != first->size || memcmp(s->front, first->front, s->size) != 0
        || (s->numbered && s->sequence != first->sequence + (uint32_t)o->data) || s->data > first->data
        || s->size - s->outer + o->data + s->data > MOST_SIZE)
        return false;
    uint8_t steps[MAX_HEADERS];
    for (size_t i = 0; i < MAX_HEADERS; i++) {
        unsigned step = o->count == 1 ? (unsigned)(s->ids[i] - first->ids[i]) & 0xFFFF : o->steps[i];
        if (step > 1 || ((first->ids[i] + step * o->count) & 0xFFFF) != s->ids[i])
            return false;
        steps[i] = (uint8_t)step;
    }
    memcpy(o->steps, steps, sizeof steps);
    o->data += s->data;
    o->count++;
    return true;
}

/* Adds a super-frame: what is linked to the packet `lead`. False: no memory. */
static bool joined(const uint8_t *data, const struct packet *packets, const uint32_t *next, size_t lead, const struct group *o,
                   struct gathered *out)
{
    struct packet bare;
    const struct packet *row = without_fcs(&packets[lead], &bare);
    struct packet_view p = {.frame = {data + row->offset, (size_t)row->captured}, .original = row->original};
    struct judged kept;
    struct around around;
    struct message m;
    size_t index, front = o->first.size, whole = front + o->data, at = front;
    walk_own(&p.walk, &p.frame, row->linktype);
    if (!bytes_need(&out->data, whole))
        return false;
    uint8_t *to = out->data.at + out->data.size;
    memcpy(to, frame_range(&p.frame, 0, front), front);
    struct packet last_bare;
    unsigned flags = 0;
    innermost(&p.walk, &index);
    message_of(&p, index, &m);
    for (size_t i = lead; i != NONE; i = next[i]) {
        const struct packet *piece = without_fcs(&packets[i], &last_bare);
        const struct frame f = {data + piece->offset, (size_t)piece->captured};
        memcpy(to + at, frame_range(&f, front, f.size - front), f.size - front);
        at += f.size - front;
        flags = o->first.numbered ? get8(&f, m.at + FLAGS_AT) & ENDS : 0;
    }
    const struct writable_frame w = writable(to, whole);
    if (o->first.numbered)
        put8(&w, m.at + FLAGS_AT, get8(&w.view, m.at + FLAGS_AT) | flags);
    else
        declare_end(&w, beginning(&p.walk, index, &m), whole);
    around_of(&p, index, &around);
    judge_whole(&p, index, &kept);
    declare_end(&w, &p.walk.header[index], whole);
    around_lengths(&around, &w, whole);
    struct packet_view made = {.frame = w.view, .original = (int64_t)whole};
    walk_own(&made.walk, &made.frame, row->linktype);
    settle_piece(&made, &w, index, &kept);
    struct packet piece = {.offset = (int64_t)out->data.size, .captured = (int64_t)whole, .original = (int64_t)whole, .time = row->time,
                           .linktype = row->linktype};
    out->data.size += whole;
    return gather_lines(out, data + row->notes, (size_t)row->notes_size, true, &piece) && gather_row(out, &piece);
}

struct merging {                /* of the packets in hand */
    struct bytes groups;        /* struct group */
    uint32_t *next, *group;     /* of each packet: the next one of its group, and one more than which group that is; NONE, 0: none */
    uint32_t open[MOST_OPEN];   /* groups that may grow, the oldest first */
    size_t count;
};

static struct group *group_at(const struct merging *t, uint32_t which)
{
    return (struct group *)(void *)t->groups.at + which;
}

static void close_group(struct merging *t, size_t place)
{
    memmove(&t->open[place], &t->open[place + 1], (--t->count - place) * sizeof *t->open);
}

/* Finds the group of a packet, which `stood` among all, or begins one. False: no memory. */
static bool meet(struct merging *t, const uint8_t *data, const struct packet *packets, size_t i, size_t stood, const struct segment *s)
{
    size_t place = 0;
    while (place < t->count && memcmp(group_at(t, t->open[place])->first.key, s->key, KEY_SIZE) != 0)
        place++;
    if (place < t->count) {
        uint32_t which = t->open[place];
        struct group *o = group_at(t, which);
        bool alike = packets[i].linktype == packets[o->lead].linktype && same_lines(data, &packets[o->lead], &packets[i]);
        bool goes_on = alike && joins(o, s);
        if (goes_on) {
            t->next[o->last] = (uint32_t)i;
            t->group[i] = which + 1;
            o->last = i;
        }
        if (!goes_on || s->data < o->first.data || (s->flags & ENDS) != 0)
            close_group(t, place);
        if (goes_on)
            return true;
    }
    if (!s->mergeable || (s->flags & ENDS) != 0)
        return true;
    if (t->count == MOST_OPEN)
        close_group(t, 0);
    const struct group begun = {.first = *s, .lead = i, .last = i, .place = stood, .count = 1, .data = s->data};
    t->open[t->count++] = (uint32_t)(t->groups.size / sizeof begun);
    t->group[i] = (uint32_t)(t->groups.size / sizeof begun) + 1;
    return bytes_add(&t->groups, &begun, sizeof begun);
}

bool merge(const uint8_t *data, const struct packet *packets, size_t count, const uint8_t *chosen, const uint8_t *gone, bool datagrams, bool final,
           struct gathered *out, struct bytes *rest, size_t *merged)
{
    struct merging t = {.next = malloc((count + 1) * sizeof *t.next), .group = calloc(count + 1, sizeof *t.group)};
    bool memory = t.next != NULL && t.group != NULL;
    size_t stood = 0;
    for (size_t i = 0; memory && i < count; i++) {
        struct packet bare;
        struct segment s;
        const struct packet *row = without_fcs(&packets[i], &bare);
        struct packet_view p;
        p.frame = (struct frame){data + row->offset, (size_t)row->captured};
        p.original = row->original;
        walk_own(&p.walk, &p.frame, row->linktype);
        t.next[i] = NONE;
        stood += gone != NULL ? gone[i] : 0;
        while (t.count > 0 && stood - group_at(&t, t.open[0])->place >= WINDOW)
            close_group(&t, 0);
        if (segment_of(&p, chosen == NULL || chosen[i] != 0, datagrams, &s))
            memory = meet(&t, data, packets, i, stood, &s);
        stood++;
    }
    size_t stop = final || !memory || t.count == 0 ? count : group_at(&t, t.open[0])->lead;
    *merged = 0;
    for (size_t i = 0; memory && i < count; i++) {
        const struct group *of = t.group[i] > 0 ? group_at(&t, t.group[i] - 1) : NULL;
        if (of != NULL && of->lead < i && of->lead < stop)
            ++*merged;
        else if (i >= stop)
            memory = bytes_add(rest, &(uint32_t){(uint32_t)i}, sizeof(uint32_t));
        else
            memory = of != NULL && of->count > 1 ? joined(data, packets, t.next, i, of, out) : gather(out, data, &packets[i]);
    }
    bytes_free(&t.groups);
    free(t.next);
    free(t.group);
    return memory;
}
