/* What was seen of connections of TCP (RFC 9293): what their numbers count from, which octets came, which came again, which did not.
 * No table can say that: it is the one protocol whose state is followed, named by the exception SEGMENTS. Twin of
 * ../python/connections.py.
 *
 * Octets decide, not times (corners of views, 26 to 33): of a segment it is said how many of its octets were seen before, how many fill a
 * gap, how many are missing in front of it. SYN and FIN count as octets, as they do in sequence numbers.
 */
#include "conversations.h"

#include <stdlib.h>

enum { SEQUENCE_AT = 4, ACK_AT = 8, OFFSET_AT = 12, FLAGS_AT = 13, WINDOW_AT = 14, FIXED = 20 };  /* RFC 9293 section 3.1 */
enum { FIN = 1, SYN = 2, RST = 4, ACK = 16 };
enum { OPTION_END = 0, OPTION_NOP = 1, OPTION_SCALE = 3, OPTION_SACK = 5, MOST_SHIFT = 14 };      /* RFC 7323 section 2, RFC 2018 section 3 */
enum { IS_KNOWN = 1, HAS_SYN = 2, HAS_SENT = 4, HAS_ANSWERED = 8, HAS_ACKED = 16, IS_PROBED = 32, IS_STRAY = 64, HAS_FIN = 128, HAS_OPENED = 256 };
enum { MOST_HOLES = 64 };       /* what came before is no longer known when there are more, or no memory is left for them */
#define WINDOW_MOST (INT64_C(1) << 30)          /* octets: the largest window, RFC 7323 section 2.3 */

/* The number of an octet near another one: it goes on behind 2^32. */
static uint64_t near_to(uint64_t place, uint32_t number)
{
    return place + (uint64_t)(int64_t)(int32_t)(number - (uint32_t)place);
}

/* Octets that are missing now. */
static uint64_t open_holes(const struct way *w)
{
    uint64_t octets = 0;
    for (uint32_t i = 0; i < w->holes_count; i++)
        octets += w->holes[i].end - w->holes[i].start;
    return octets;
}

/* Octets that did not come, of all connections. */
uint64_t way_missing(const struct way *w)
{
    return w->missing + open_holes(w);
}

/* What is known of the last connection, in bits: SYN and FIN there, and back; whether the handshake is over; whether there was a reset. */
uint32_t connection_state(const struct connection *c)
{
    uint32_t state = 0;
    for (unsigned i = 0; i < 2; i++)
        state |= (((c->way[i].flags & HAS_SYN) != 0) | ((c->way[i].flags & HAS_FIN) != 0) << 1) << 2 * i;
    return state | (uint32_t)c->open << 4 | (uint32_t)(c->resets > 0) << 5;
}

/* What is in front of a place is no longer known. */
static void drop_lowest(struct way *w)
{
    w->missing += w->holes[0].end - w->holes[0].start;
    w->floor = w->holes[0].end;
    memmove(w->holes, w->holes + 1, --w->holes_count * sizeof *w->holes);
}

/* Puts a hole at a place among the others. */
static bool hole_add(struct way *w, uint32_t place, uint64_t start, uint64_t end, struct budget *budget)
{
    uint32_t room = w->holes_room == 0 ? 4 : w->holes_room * 4;
    size_t grows = w->holes_count == w->holes_room ? (room - w->holes_room) * sizeof *w->holes : 0;
    if (w->holes_count == MOST_HOLES || (grows > 0 && !affords(budget, grows))) {
        if (place == 0) {
            w->missing += end - start;
            w->floor = end;
            return true;
        }
        drop_lowest(w);
        place--;
    }
    if (w->holes_count == w->holes_room) {
        struct hole *more = realloc(w->holes, room * sizeof *more);
        if (more == NULL)
            return false;
        budget->held += grows;
        w->holes = more;
        w->holes_room = room;
    }
    memmove(w->holes + place + 1, w->holes + place, (w->holes_count - place) * sizeof *w->holes);
    w->holes[place] = (struct hole){start, end};
    w->holes_count++;
    return true;
}

/* Octets of a range that are missing. */
static uint64_t missing_in(const struct way *w, uint64_t start, uint64_t end)
{
    uint64_t octets = 0;
    for (uint32_t i = 0; i < w->holes_count; i++) {
        uint64_t from = w->holes[i].start > start ? w->holes[i].start : start, to = w->holes[i].end < end ? w->holes[i].end : end;
        octets += from < to ? to - from : 0;
    }
    return octets;
}

/* Octets of a range come: they are missing no more. */
static bool fill(struct way *w, uint64_t start, uint64_t end, struct budget *budget)
{
    for (uint32_t i = w->holes_count; i-- > 0;) {       /* the highest first: what is put in does not move what is to come */
        struct hole *h = &w->holes[i];
        if (h->end <= start || h->start >= end)
            continue;
        if (h->start < start && h->end > end) {
            struct hole behind = {end, h->end};
            h->end = start;
            if (!hole_add(w, i + 1, behind.start, behind.end, budget))
                return false;
        } else if (h->start < start)
            h->end = start;
        else if (h->end > end)
            h->start = end;
        else
            memmove(h, h + 1, (--w->holes_count - i) * sizeof *h);
    }
    return true;
}

/* A side begins anew. */
static void way_reset(struct way *w)
{
    w->missing += open_holes(w);
    w->holes_count = 0;
    w->flags = 0;
    w->window = 0;
    w->shift = -1;
}

static void way_start(struct way *w, uint32_t base, uint32_t first)
{
    w->base = (UINT64_C(1) << 32) + base;
    w->floor = w->next = w->acked = w->base + (uint32_t)(first - base);
    w->flags |= IS_KNOWN;
}

void connection_begin(struct connection *c)
{
    *c = (struct connection){.opener = 2};
    c->way[0].shift = c->way[1].shift = -1;
}

void connection_end(struct connection *c, struct budget *budget)
{
    for (struct way *w = c->way; w < c->way + 2; w++) {
        budget->held -= w->holes_room * sizeof *w->holes;
        free(w->holes);
    }
}

/* What its options say: the shift of windows, -1: none; whether it tells of octets that came twice (RFC 2883). */
static int options_read(const struct arrival *a, size_t head, uint32_t ack, bool *twice)
{
    int shift = -1;
    *twice = false;
    for (size_t at = a->at + FIXED, end = a->at + head; at < end && get8(a->frame, at) != OPTION_END;) {
        unsigned kind = get8(a->frame, at), size = kind == OPTION_NOP ? 1 : get8(a->frame, at + 1);
        if (size < 1 || (kind != OPTION_NOP && size < 2) || size > end - at)
            break;
        if (kind == OPTION_SCALE && size == 3)
            shift = (int)get8(a->frame, at + 2);
        if (kind == OPTION_SACK && size >= 10) {
            uint32_t left = get32(a->frame, at + 2), right = get32(a->frame, at + 6);
            bool within = size >= 18 && (int32_t)(left - get32(a->frame, at + 10)) >= 0 && (int32_t)(get32(a->frame, at + 14) - right) >= 0;
            *twice = (int32_t)(right - left) > 0 && ((int32_t)(ack - right) >= 0 || within);
        }
        at += size;
    }
    return shift > MOST_SHIFT ? MOST_SHIFT : shift;
}

/* By how much windows of side `who` are shifted; -1: it is not known (RFC 7323 sections 2.2 and 2.3). */
static int shift_of(const struct connection *c, unsigned who)
{
    const struct way *w = &c->way[who], *o = &c->way[!who];
    bool both = (w->flags & o->flags & HAS_SYN) != 0;
    if (((w->flags & HAS_SYN) != 0 && w->shift < 0) || ((o->flags & HAS_SYN) != 0 && o->shift < 0))
        return 0;                               /* one of them has not offered it */
    if (both || ((w->flags & HAS_SYN) != 0 && (w->flags & HAS_ANSWERED) != 0))
        return w->shift;                        /* who answers has it only where the other one has */
    return -1;
}

/* A SYN comes: what it begins. */
static void syn_comes(struct connection *c, unsigned who, uint32_t sequence, uint32_t ack, unsigned flags, int shift, struct segment *said)
{
    struct way *w = &c->way[who], *o = &c->way[!who];
    if ((w->flags & IS_KNOWN) != 0 && sequence != (uint32_t)w->base) {
        bool answer = (flags & ACK) != 0 && (o->flags & HAS_SYN) != 0 && ack - 1 == (uint32_t)o->base;
        said->what |= NEW_CONNECTION;
        way_reset(w);
        if (!answer) {                          /* else the other one's SYN stands */
            way_reset(o);
            c->count++;
            c->opener = 2;
        }
        c->open = false;
    }
    if ((w->flags & IS_KNOWN) == 0)
        way_start(w, sequence, sequence);
    if ((w->flags & HAS_SYN) == 0)
        w->shift = shift;
    if (c->count == 0)
        c->count = 1;
}

/* The octets of a segment, from `start` to `end`, with those of SYN and FIN. */
static bool octets_come(struct way *w, uint64_t start, uint64_t end, bool again, struct segment *said, struct budget *budget)
{
    if (start > w->next) {
        said->what |= GAP;
        said->gap = (uint32_t)(start - w->next);
        w->gaps++;
        if (!hole_add(w, w->holes_count, w->next, start, budget))
            return false;
        w->next = end;
        return true;
    }
    uint64_t known = start > w->floor ? start : w->floor, behind = end < w->next ? end : w->next;
    uint64_t filled = known < behind ? missing_in(w, known, behind) : 0, before = known < behind ? behind - known - filled : 0;
    before -= again && before > 0;
    if (start < w->floor)
        said->what |= EARLIER;
    if (filled > 0) {
        said->what |= FILLS;
        said->filled = (uint32_t)filled;
        w->filled++;
        w->filled_octets += filled;
    }
    if (before > 0) {
        said->what |= REPEATED;
        said->repeated = (uint32_t)before;
        w->repeated++;
        w->repeated_octets += before;
    }
    if (filled > 0 && !fill(w, known, behind, budget))
        return false;
    w->next = end > w->next ? end : w->next;
    return true;
}

/* A SYN whose number was known by what the other side had acknowledged: that octet is no longer missing. */
static void syn_found(struct way *w, struct segment *said)
{
    if (w->floor == w->base + 1) {
        w->floor = w->base;
        said->what |= FILLS;
        said->filled = 1;
    }
}

/* An acknowledgement of what the other side has sent, `o`. */
static bool ack_comes(struct way *w, struct way *o, uint32_t number, bool bare, bool same_window, struct segment *said, struct budget *budget)
{
    if ((o->flags & IS_KNOWN) == 0) {
        way_start(o, number - 1, number);
        w->flags |= HAS_ACKED;
        return true;
    }
    uint64_t ack = near_to(o->next, number), before = o->acked, unseen = 0;
    int64_t further = (int64_t)(ack - o->next);
    if (further > WINDOW_MOST || further < -WINDOW_MOST) {
        said->what |= OUTSIDE;
        return true;
    }
    if (further == 1 && (o->flags & IS_PROBED) != 0)
        o->next = ack;                          /* the octet of a probe was taken */
    else if (further > 0 && (o->flags & HAS_SENT) == 0)
        o->floor = o->next = o->acked = ack;    /* nothing of that side was captured */
    else if (further > 0) {
        if (!hole_add(o, o->holes_count, o->next, ack, budget))
            return false;
        o->next = ack;
    }
    if (ack > o->acked) {
        unseen = missing_in(o, before, ack);
        o->acked = ack;
        o->flags &= ~(uint32_t)IS_PROBED;
    } else if (ack == before && bare && same_window && (w->flags & HAS_ACKED) != 0 && o->next > ack) {
        said->what |= DUPLICATE_ACK;            /* RFC 5681 section 2 */
        w->duplicates++;
    }
    if (unseen > 0) {
        said->what |= UNSEEN;
        said->unseen = (uint32_t)unseen;
        o->unseen += unseen;
    }
    w->flags |= HAS_ACKED;
    return true;
}

/* Times of SYNs, and of the end of the handshake: both were acknowledged. Whose SYN is an answer has not opened, though it came first. */
static void handshake(struct connection *c, unsigned who, int64_t time, bool opens)
{
    if (opens && (c->opener == 2 || (c->opener != who && (c->way[c->opener].flags & HAS_OPENED) == 0))) {
        c->opener = (uint8_t)who;
        c->first = c->last = time;
    } else if (opens && c->opener == who)
        c->last = time;
    const struct way *a = &c->way[0], *b = &c->way[1];
    if (c->open || (a->flags & b->flags & HAS_SYN) == 0 || a->acked <= a->base || b->acked <= b->base)
        return;
    c->open = true;
    if (c->opener < 2) {
        int64_t least = elapsed(c->last, time), most = elapsed(c->first, time);
        c->least = c->timed && c->least < least ? c->least : least;
        c->most = c->timed && c->most > most ? c->most : most;
        c->timed = true;
    }
}

/* A segment outside of any window; unless it is the second of a row: then the numbers have gone on while nothing was captured. */
static bool is_outside(struct way *w, uint64_t start, uint64_t end, bool rst)
{
    int64_t off = (int64_t)(start - w->next);
    if (off <= WINDOW_MOST && off >= -WINDOW_MOST) {
        w->flags &= ~(uint32_t)IS_STRAY;
        return false;
    }
    if (!rst && (w->flags & IS_STRAY) != 0 && start == w->stray) {
        w->missing += open_holes(w);
        w->holes_count = 0;
        w->floor = w->next = w->acked = start;
        w->flags &= ~(uint32_t)IS_STRAY;
        return false;
    }
    w->stray = end;
    w->flags |= rst ? 0 : IS_STRAY;
    return true;
}

/* Whether a segment is no data, but asks whether the other side is there, or has room (RFC 9293 sections 3.8.4 and 3.8.6.1). */
static bool only_asks(struct way *w, const struct way *o, uint64_t start, uint32_t octets, struct segment *said)
{
    bool none_left = (o->flags & HAS_ACKED) != 0 && o->window == 0;
    bool last = start + 1 == w->next && (w->flags & HAS_SENT) != 0 && (octets == 0 || w->acked == w->next);
    bool first = start == w->next && octets == 1;
    if (octets > 1 || (none_left ? !last && !first : !last))
        return false;
    if (none_left) {
        said->what |= PROBE;
        w->probes++;
        w->flags |= first ? IS_PROBED : 0;
    } else {
        said->what |= KEEP_ALIVE;
        w->kept_alive++;
    }
    return true;
}

bool connection_follow(struct connection *c, unsigned who, const struct arrival *a, struct segment *said, struct budget *budget)
{
    const struct frame *f = a->frame;
    struct way *w = &c->way[who], *o = &c->way[!who];
    uint32_t sequence = get32(f, a->at + SEQUENCE_AT), ack = get32(f, a->at + ACK_AT), window = get16(f, a->at + WINDOW_AT);
    unsigned flags = get8(f, a->at + FLAGS_AT), head = (get8(f, a->at + OFFSET_AT) >> 4) * 4;
    bool syn = (flags & SYN) != 0 && (flags & RST) == 0, fin = (flags & FIN) != 0, rst = (flags & RST) != 0, acks = (flags & ACK) != 0;
    *said = (struct segment){0};
    if (head < FIXED || head > a->size)
        return true;
    bool twice = false, done = true;
    int shift = head > FIXED ? options_read(a, head, ack, &twice) : -1;
    *said = (struct segment){.what = SEGMENT, .octets = (uint32_t)(a->size - head), .window = window, .base = sequence - 1, .ack_base = ack - 1};
    c->count += c->count == 0;
    c->resets += rst;
    if (syn)
        syn_comes(c, who, sequence, ack, flags, shift, said);
    else if ((w->flags & IS_KNOWN) == 0 && !rst)
        way_start(w, sequence - 1, sequence);
    uint32_t extent = rst ? 0 : said->octets + syn + fin;
    uint64_t start = near_to(w->next, sequence);
    if ((w->flags & IS_KNOWN) != 0 && is_outside(w, start, start + extent, rst))
        said->what |= OUTSIDE;
    else if ((w->flags & IS_KNOWN) != 0) {
        bool answers = syn && acks && (w->flags & HAS_ANSWERED) == 0;
        bool both = answers && (w->flags & o->flags & HAS_SYN) != 0;   /* RFC 9293 section 3.5 */
        if (syn && (w->flags & HAS_SYN) == 0)
            syn_found(w, said);
        if ((syn || fin || rst || !only_asks(w, o, start, said->octets, said)) && extent > 0)
            done = octets_come(w, start, start + extent, both || (syn && said->filled > 0), said, budget);
        said->what |= (both ? SIMULTANEOUS : 0) | (syn && said->octets > 0 ? FAST_OPEN : 0);
        w->flags |= HAS_SENT | (syn ? HAS_SYN : 0) | (syn ? (acks ? HAS_ANSWERED : HAS_OPENED) : 0) | (fin ? HAS_FIN : 0);
        int scale = syn ? 0 : shift_of(c, who);
        said->what |= scale >= 0 ? SCALED : 0;
        said->window = scale > 0 ? (uint64_t)window << scale : window;
        bool bare = extent == 0 && !rst && (said->what & (KEEP_ALIVE | PROBE)) == 0;
        if (acks && done)
            done = ack_comes(w, o, ack, bare, said->window == w->window, said, budget);
        if (twice) {
            said->what |= D_SACK;
            o->needless++;
        }
        if (!rst)
            w->window = (uint32_t)said->window;
        handshake(c, who, a->time, syn && !acks);
        said->base = (uint32_t)w->base;
    }
    if ((o->flags & IS_KNOWN) != 0)
        said->ack_base = (uint32_t)o->base;
    said->what |= ((w->flags & HAS_SYN) != 0 ? FROM_SYN : 0) | ((o->flags & HAS_SYN) != 0 ? ACK_FROM_SYN : 0);
    return done;
}
