/* Puts fragments of datagrams together: a table of those of which some have come. What is kept, for how long, and what passes as it came
 * is said in ../python/reassembly.py, its twin (RFC 791 section 3.2, RFC 815, RFC 8200 section 4.5, RFC 5722).
 */
#include "fields.h"

#include <stdlib.h>

enum { OVERHEAD = 512 };        /* bytes that a fragment counts for besides its own */
enum { FIRST_ROOM = 64 };       /* buckets of an empty table; always a power of two */
enum { NONE_YET = -1 };

struct piece {                  /* of a payload, and where its bytes lie in the data of its datagram */
    size_t offset, size, at;
};

struct open {                   /* a datagram of which some fragments have come */
    struct open *next;          /* of the same bucket */
    struct open *older, *newer;
    uint64_t hash, held;        /* held: bytes that it counts for */
    int64_t time, end;          /* of the first one that came; bytes of the whole payload, NONE_YET until the last one has come */
    struct bytes data, rows;    /* the fragments as they came */
    struct bytes pieces;        /* in order; no two of them overlap */
    size_t size;                /* of all pieces */
    uint64_t repeated;
    bool spoilt;                /* they do not fit together */
    int64_t first;              /* which of the rows begins the payload; NONE_YET */
    struct datagram datagram;   /* of that one */
    size_t key_size;
    uint8_t key[];
};

/* Room for as much and not much more: what waits is counted. */
static bool need(struct bytes *b, size_t more)
{
    if (more <= b->room - b->size)
        return true;
    size_t room = b->size + (more > b->size / 4 ? more : b->size / 4);
    uint8_t *at = realloc(b->at, room);
    if (at == NULL)
        return false;
    b->at = at;
    b->room = room;
    return true;
}

static void put(struct bytes *b, const void *from, size_t size)
{
    HOLDS(size <= b->room - b->size);
    if (size > 0)
        memcpy(b->at + b->size, from, size);
    b->size += size;
}

bool reassembly_begin(struct datagrams *t, const struct apart *apart, size_t count)
{
    t->buckets = calloc(FIRST_ROOM, sizeof *t->buckets);
    t->room = FIRST_ROOM;
    t->apart = malloc((count + 1) * sizeof *apart);
    t->apart_count = count;
    if (t->apart != NULL && count > 0)
        memcpy(t->apart, apart, count * sizeof *apart);
    return t->buckets != NULL && t->apart != NULL;
}

static void discard(struct open *o)
{
    bytes_free(&o->data);
    bytes_free(&o->rows);
    bytes_free(&o->pieces);
    free(o);
}

/* Frees all that there is. */
void reassembly_end(struct datagrams *t)
{
    for (struct open *o = t->oldest, *newer; o != NULL; o = newer) {
        newer = o->newer;
        discard(o);
    }
    free(t->buckets);
    free(t->apart);
    bytes_free(&t->key);
}

/* Twice as many buckets; without memory for them, those that there are go on. */
static void widen(struct datagrams *t)
{
    struct open **buckets = calloc(t->room * 2, sizeof *buckets);
    if (buckets == NULL)
        return;
    free(t->buckets);
    t->buckets = buckets;
    t->room *= 2;
    for (struct open *o = t->oldest; o != NULL; o = o->newer) {
        struct open **bucket = &t->buckets[o->hash & (t->room - 1)];
        o->next = *bucket;
        *bucket = o;
    }
}

/* Takes a datagram out of the table. */
static void take_out(struct datagrams *t, struct open *o)
{
    struct open **at = &t->buckets[o->hash & (t->room - 1)];
    while (*at != o)
        at = &(*at)->next;
    *at = o->next;
    *(o->older != NULL ? &o->older->newer : &t->oldest) = o->newer;
    *(o->newer != NULL ? &o->newer->older : &t->newest) = o->older;
    t->held -= o->held;
    t->count--;
}

/* The fields of a header by which networks are told apart; what is not there, or below what says something, is left out. */
static bool add_network(struct bytes *key, const struct datagrams *t, const struct frame *f, const struct header *h)
{
    int64_t kind = h->kind;
    bool added = bytes_add(key, &kind, sizeof kind);
    for (const struct apart *a = t->apart; added && a < t->apart + t->apart_count; a++) {
        if (a->header != kind)
            continue;
        size_t bit = (size_t)h->start * 8 + (size_t)a->bit, width = (size_t)a->width;
        bool there = bit + width <= (size_t)h->end * 8 && (a->least == 0 || (int64_t)read_bits(f, bit, width) >= a->least);
        int64_t mark = there;
        added = bytes_add(key, &mark, sizeof mark);
        for (size_t at = 0; there && added && at < width; at += 64) {
            uint64_t value = read_bits(f, bit + at, least(width - at, 64));
            added = bytes_add(key, &value, sizeof value);
        }
    }
    return added;
}

/* What fragments of one datagram have in common goes into `key`. */
static bool name(struct datagrams *t, const struct packet_view *p, const struct datagram *d, int64_t linktype)
{
    uint8_t names[48];
    int64_t front[] = {linktype, (int64_t)d->v6};
    t->key.size = 0;
    bool done = bytes_add(&t->key, front, sizeof front);
    for (size_t i = 0; done && i < d->index; i++)
        done = add_network(&t->key, t, &p->frame, &p->walk.header[i]);
    return done && bytes_add(&t->key, names, datagram_names(p, d, names));
}

/* The datagram of that key, which is a new one if there is none; NULL: no memory. */
static struct open *opened(struct datagrams *t, int64_t time)
{
    uint64_t hash = hash_of(t, t->key.at, t->key.size);
    if (t->count >= t->room)
        widen(t);
    struct open **bucket = &t->buckets[hash & (t->room - 1)], *o = *bucket;
    while (o != NULL && !(o->hash == hash && o->key_size == t->key.size && memcmp(o->key, t->key.at, t->key.size) == 0))
        o = o->next;
    if (o != NULL || (o = malloc(sizeof *o + t->key.size)) == NULL)
        return o;
    *o = (struct open){.next = *bucket, .older = t->newest, .hash = hash, .time = time, .end = NONE_YET, .first = NONE_YET,
                       .key_size = t->key.size};
    memcpy(o->key, t->key.at, t->key.size);
    *bucket = o;
    *(t->newest != NULL ? &t->newest->newer : &t->oldest) = o;
    t->newest = o;
    t->count++;
    return o;
}

static struct piece *pieces_of(const struct open *o, size_t *count)
{
    *count = o->pieces.size / sizeof(struct piece);
    return (struct piece *)(void *)o->pieces.at;
}

/* Whether bytes of the payload are there, from piece `i` on without a gap, and the same. */
static bool same_there(const struct open *o, size_t i, size_t start, size_t end, const uint8_t *bytes)
{
    size_t count;
    const struct piece *p = pieces_of(o, &count);
    while (i < count && start < end && p[i].offset <= start && p[i].offset + p[i].size > start) {
        size_t size = least(p[i].offset + p[i].size, end) - start;
        if (memcmp(o->data.at + p[i].at + (start - p[i].offset), bytes, size) != 0)
            return false;
        bytes += size;
        start += size;
        i++;
    }
    return start >= end;
}

/* Takes a fragment. It may lie within what is there; another overlap spoils the datagram. False: no memory, and it is not taken. */
static bool take(struct open *o, const struct packet *row, const uint8_t *data, const struct datagram *d)
{
    size_t size = d->end - d->payload, count, i = 0, end = d->offset + size, at = o->data.size;
    if (!need(&o->data, (size_t)(row->captured + row->notes_size)) || !need(&o->rows, sizeof *row) || !need(&o->pieces, sizeof(struct piece)))
        return false;
    struct packet kept = *row;
    kept.offset = (int64_t)at;
    kept.notes = kept.offset + row->captured;
    put(&o->data, data + row->offset, (size_t)row->captured);
    put(&o->data, data + row->notes, (size_t)row->notes_size);
    put(&o->rows, &kept, sizeof kept);
    o->held += (uint64_t)(row->captured + row->notes_size) + OVERHEAD;
    if (!d->more) {
        o->spoilt |= o->end != NONE_YET && o->end != (int64_t)end;
        o->end = (int64_t)end;
    }
    struct piece *p = pieces_of(o, &count);
    if (count > 0 && p[count - 1].offset <= d->offset)  /* as a rule they come in order */
        i = count;
    else
        for (size_t high = count; i < high;) {          /* where it belongs among them */
            size_t middle = (i + high) / 2;
            if (p[middle].offset <= d->offset)
                i = middle + 1;
            else
                high = middle;
        }
    const struct piece *before = i > 0 ? &p[i - 1] : NULL;
    if ((before != NULL && (before->offset == d->offset || before->offset + before->size > d->offset)) || (i < count && p[i].offset < end)) {
        o->repeated++;
        o->spoilt |= !(before != NULL ? same_there(o, i - 1, d->offset, end, data + row->offset + d->payload) : size == 0);
        return true;
    }
    o->pieces.size += sizeof *p;
    memmove(p + i + 1, p + i, (count - i) * sizeof *p);
    p[i] = (struct piece){d->offset, size, at + d->payload};
    o->size += size;
    if (d->offset == 0) {
        o->first = (int64_t)(o->rows.size / sizeof *row) - 1;
        o->datagram = *d;
    }
    return true;
}

/* Fragments that pass as they came. */
static bool leave(struct datagrams *t, const struct open *o, enum left_apart reason, struct gathered *out)
{
    const struct packet *row = (const struct packet *)(const void *)o->rows.at;
    size_t count = o->rows.size / sizeof *row;
    t->left[reason] += count;
    for (size_t i = 0; i < count; i++)
        if (!gather(out, o->data.at, &row[i]))
            return false;
    return true;
}

static bool leave_one(struct datagrams *t, const struct packet *row, const uint8_t *data, enum left_apart reason, struct gathered *out)
{
    t->left[reason]++;
    return gather(out, data, row);
}

/* Those of a datagram that is given up. */
static bool give_up(struct datagrams *t, struct open *o, enum left_apart reason, struct gathered *out)
{
    take_out(t, o);
    bool done = leave(t, o, reason, out);
    discard(o);
    return done;
}

/* Whether the pieces are the whole payload: no hole is between them, and nothing behind its end. */
static bool is_whole(const struct open *o)
{
    size_t count, at = 0;
    const struct piece *p = pieces_of(o, &count);
    for (size_t i = 0; i < count; i++) {
        if (p[i].offset != at)
            return false;
        at += p[i].size;
    }
    return !o->spoilt && o->first != NONE_YET && (int64_t)at == o->end;
}

/* Adds the datagram: time and headers of its first fragment. Otherwise `made` is false: it is longer than a header can say. */
static bool put_together(struct datagrams *t, const struct open *o, struct gathered *out, bool *made)
{
    const struct packet *first = (const struct packet *)(const void *)o->rows.at + o->first;
    const struct datagram *d = &o->datagram;
    struct packet_view view = {.frame = {o->data.at + first->offset, (size_t)first->captured}, .original = first->original};
    struct around around;
    size_t count, before = out->data.size;
    const struct piece *p = pieces_of(o, &count);
    walk_own(&view.walk, &view.frame, first->linktype);
    around_of(&view, d->index, &around);
    size_t tail = view.frame.size - around.tail_at;
    if (!bytes_need(&out->data, d->head + o->size + tail + (size_t)first->notes_size))
        return false;
    uint8_t *to = out->data.at + before;
    size_t at = whole_head(to, &view, d, o->size);
    if (at == 0)
        return true;
    for (size_t i = 0; i < count; i++) {
        memcpy(to + at, o->data.at + p[i].at, p[i].size);
        at += p[i].size;
    }
    memcpy(to + at, frame_range(&view.frame, around.tail_at, tail), tail);
    struct writable_frame whole = writable(to, at + tail);
    if (!around_fit(&around, &whole, at, first->linktype))
        return true;
    out->data.size += at + tail;
    struct packet row = *first;
    row.offset = (int64_t)before;
    row.captured = row.original = (int64_t)(at + tail);
    row.notes = (int64_t)out->data.size;
    *made = true;
    t->signature = signature_of(&view.frame, &view.walk, &(struct changed){.mutable_end = d->start + LENGTH_END});
    return bytes_add(&out->data, o->data.at + first->notes, (size_t)first->notes_size) && gather_row(out, &row);
}

/* The datagram of fragments that are all there; themselves if they do not fit together. */
static bool finish(struct datagrams *t, struct open *o, struct gathered *out)
{
    bool made = false;
    if (is_whole(o) && !put_together(t, o, out, &made))
        return false;
    if (made) {
        t->reassembled++;
        t->repeated += o->repeated;
        take_out(t, o);
        discard(o);
        return true;
    }
    bool done = leave(t, o, OVERLAPPING, out);          /* it stays in the table: what still comes of it passes at once */
    bytes_free(&o->data);
    bytes_free(&o->rows);
    bytes_free(&o->pieces);
    o->spoilt = true;
    t->held = t->held - o->held + OVERHEAD;
    o->held = OVERHEAD;
    return done;
}

/* A fragment comes: what passes are the datagram when it is whole, or fragments that cannot be used. */
static bool fragment_comes(struct datagrams *t, const struct packet_view *p, const struct datagram *d, const uint8_t *data,
                           const struct packet *row, struct gathered *out)
{
    size_t size = d->end - d->payload;
    if ((d->more && (size == 0 || size % 8 != 0)) || d->offset + size > 0xFFFF)
        return leave_one(t, row, data, BAD_FRAGMENT, out);
    struct open *o = name(t, p, d, row->linktype) ? opened(t, row->time) : NULL;
    if (o == NULL)
        return false;
    if (o->spoilt)
        return leave_one(t, row, data, OVERLAPPING, out);
    uint64_t before = o->held;
    if (!take(o, row, data, d))
        return false;
    t->held += o->held - before;
    if (o->spoilt || (o->end != NONE_YET && (int64_t)o->size >= o->end))
        return finish(t, o, out);
    while (t->held > t->memory && t->oldest != NULL)
        if (!give_up(t, t->oldest, FULL_MEMORY, out))
            return false;
    return true;
}

bool reassembly_idle(struct datagrams *t, const struct packet_view *p, int64_t time)
{
    if (t->count > 0 || has_fragment(p))
        return false;
    t->clock = time > t->clock ? time : t->clock;
    return true;
}

/* A packet comes. What passes goes to `out`: those that have waited for too long, and what becomes of it. False: no memory. */
bool reassemble(struct datagrams *t, const struct packet_view *p, const uint8_t *data, const struct packet *row, struct gathered *out)
{
    size_t index, any;
    struct datagram d;
    t->clock = row->time > t->clock ? row->time : t->clock;
    t->signature = 0;
    while (t->oldest != NULL && t->clock > t->oldest->time && (uint64_t)t->clock - (uint64_t)t->oldest->time > TIMEOUT)
        if (!give_up(t, t->oldest, INCOMPLETE, out))
            return false;
    bool there = chosen(&p->walk, &t->layer, &index), sound = there && datagram_of(p, index, &d);
    if (sound && d.is_fragment)
        return fragment_comes(t, p, &d, data, row, out);
    if (has_fragment(p) && (there || (t->layer.kind != UNKNOWN && outermost(&p->walk, &any))))
        return leave_one(t, row, data, there && !sound ? BAD_FRAGMENT : ELSEWHERE_APART, out);
    return gather(out, data, row);
}

bool reassemble_rest(struct datagrams *t, struct gathered *out)
{
    return t->oldest == NULL || give_up(t, t->oldest, INCOMPLETE, out);
}
