/* Bytes of a packet that become others, more of them or fewer. The lengths of all headers around them follow by as much, and so do their
 * checksums (following.c): what was right is right again, what was wrong stays wrong. Padding that fills an Ethernet frame up is as long
 * as it has to be; a frame check sequence that was right is right again. Twin of ../python/splicing.py.
 */
#include "splice.h"
#include "protocols.h"

/* Where a byte is now that is still there: by what became of all in front of it. What is put in in front of it moves it. */
static size_t moved(const struct splice *s, size_t at)
{
    size_t to = at;
    for (const struct piece *p = s->pieces; p < s->pieces + s->count && p->at + p->removed <= at; p++)
        to += p->size - p->removed;
    return to;
}

/* Whether any of the bytes from `from` up to `to` is no more what it was. */
static bool touched(const struct splice *s, size_t from, size_t to)
{
    for (const struct piece *p = s->pieces; p < s->pieces + s->count; p++)
        if (p->removed > 0 && p->at < to && p->at + p->removed > from)
            return true;
    return false;
}

/* How many bytes more there are between `from` and `to`; what is put in at the end counts where that is `open`. */
static int64_t grown(const struct splice *s, size_t from, size_t to, bool open)
{
    int64_t more = 0;
    for (const struct piece *p = s->pieces; p < s->pieces + s->count; p++)
        if (p->at > from && (p->at < to || (open && p->at == to)))
            more += (int64_t)p->size - (int64_t)least(p->removed, to - p->at);
    return more;
}

static bool pieces_sound(const struct splice *s, size_t size)
{
    size_t at = 0;
    for (const struct piece *p = s->pieces; p < s->pieces + s->count; p++) {
        if (p->at < at || p->at > size || p->removed > size - p->at)
            return false;
        at = p->at + p->removed;
    }
    return true;
}

/* ---- what fills a frame up ---- */

struct filling {                /* what stands behind the packet in a frame */
    size_t at, size;            /* padding */
    size_t start, least_size;   /* where the frame begins, and the bytes that it shall have */
    bool fcs;                   /* then, a check sequence that is right */
};

/* The way to a header that says where it ends, as IEEE 802.3 does in front of it: by the first rule that holds. NULL: there is none. */
static const struct kind *way_to(const struct packet_view *p, size_t index)
{
    if (index == 0)
        return NULL;
    const struct header *front = &p->walk.header[index - 1];
    const struct kind *k = &protocols->kinds[front->kind];
    for (const struct rule *r = k->rules; r < k->rules + k->rules_count; r++) {
        if (!hold_within(&r->only, &p->frame, front->start, p->walk.header[index].start, front->end))
            continue;
        if (r->how == TO_KIND)
            return (r->kind->flags & HIDDEN) != 0 ? r->kind : NULL;
        if (r->how == BY_SPACE && entry_of(r->space, read_number(&r->read, &p->frame, front->start, p->walk.header[index].start)) != NULL)
            return NULL;
    }
    return NULL;
}

/* Where the packet in a frame ends, whose header is at `index`; false: it does not say. */
static bool says_packet_end(const struct packet_view *p, size_t index, size_t *end)
{
    const struct header *h = &p->walk.header[index];
    const struct kind *k = &protocols->kinds[h->kind], *way = way_to(p, index);
    int64_t said;
    if (says_end(k, &p->frame, h->start, -1, &said) || (way != NULL && says_end(way, &p->frame, h->start, -1, &said))) {
        *end = (size_t)said;
        return said > (int64_t)h->start;
    }
    *end = h->end;
    return (k->flags & OWN_END) != 0 && index + 1 == p->walk.count;
}

/* Where the packet in a frame ends, on the wire, by the first header that says so. */
size_t packet_end(const struct packet_view *p)
{
    size_t end, wire = p->original > (int64_t)p->frame.size ? (size_t)p->original : p->frame.size;
    for (size_t i = 0; i < p->walk.count; i++) {
        if (says_packet_end(p, i, &end))
            return least(end, wire);
        if ((protocols->kinds[p->walk.header[i].kind].flags & (LINK_LAYER | TAG)) == 0)
            break;
    }
    return wire;
}

/* What fills up the outermost frame of Ethernet, whose packet ends at `end`; false: nothing does, or what is changed is part of that. */
static bool filling_of(const struct packet_view *p, const struct splice *s, size_t end, struct filling *fill)
{
    const struct header *h = p->walk.header;
    const struct piece *last = &s->pieces[s->count - 1];
    size_t link = 0, count = p->walk.count, size = p->frame.size;
    while (link < count && h[link].exception != PADDED && !carries_message(&h[link]))
        link++;
    if (link == count || h[link].exception != PADDED || h[link].end != size || p->original > (int64_t)size || end >= size
        || last->at + last->removed > end)
        return false;
    size_t index = link + 1, start = h[link].start, head = protocols->kinds[h[link].kind].fixed;
    while (index < count && is_tag_header(h[index].kind))
        index++;
    if (index == count || end < h[index].start)
        return false;
    *fill = (struct filling){.at = end, .start = start, .fcs = size - end >= FCS && has_fcs(&p->frame, start, size, head)};
    size -= fill->fcs ? FCS : 0;
    if (size - start <= LEAST_FRAME + h[index].start - start - head)
        fill->size = size - end;
    else
        fill->at = size;
    bool link_grows = grown(s, start, h[index].start, true) != 0 || touched(s, start, start + 1);
    fill->least_size = link_grows ? least(size - start, LEAST_FRAME) : size - start;
    return fill->size > 0 || fill->fcs;
}

/* ---- lengths ---- */

static bool put_length(const struct writable_frame *f, const struct kind *k, size_t start, int64_t value)
{
    const struct read *r = &k->end_number;
    int64_t ignored;
    if (value < 0 || (value > r->mask && !is_short(r)))
        return false;
    if (!write_number(f, r, start, value > r->mask ? 0 : (uint32_t)value))
        return false;
    if (says_end(k, &f->view, start, -1, &ignored))
        return true;
    return is_short(r) && write_number(f, r, start, 0);   /* such a length says nothing of packets that are long */
}

/* Lets a number follow that says where a header ends, or would if that could be said. */
static bool follow_number(const struct packet_view *p, const struct splice *s, const struct writable_frame *f, size_t index, const struct kind *k)
{
    const struct header *h = &p->walk.header[index];
    const struct read *r = &k->end_number;
    int64_t end;
    if ((k->numbers & SAYS_END) == 0 || k->end_scale == 0 || (r->at < 0 && h->start < (size_t)-r->at))
        return true;
    size_t place = h->start + (size_t)(ptrdiff_t)r->at, start = moved(s, place) - (size_t)(ptrdiff_t)r->at;
    if (!frame_has(&p->frame, place, r->bytes) || touched(s, place, place + r->bytes))
        return true;                            /* somebody has set it */
    uint32_t said = read_number(r, &p->frame, h->start, h->start);
    if (says_end(k, &p->frame, h->start, -1, &end)) {
        int64_t more = end > (int64_t)h->start ? grown(s, h->start, (size_t)end, (k->flags & OWN_END) == 0) : 0;
        if (more == 0 || (more % k->end_scale == 0 && put_length(f, k, start, said + more / k->end_scale)))
            return true;
        return touched(s, h->start, h->start + k->fixed) && write_number(f, r, start, said);  /* of the header itself a part is gone */
    }
    if (said != 0 || !is_short(r))
        return true;
    end = (int64_t)h->end + k->trailer;         /* as long as there is: it stays so unless that can be said now, and could not be before */
    int64_t bytes = end - (int64_t)h->start - k->end_bias, more = grown(s, h->start, (size_t)end, (k->flags & OWN_END) == 0);
    if (more == 0 || (bytes >= 0 && bytes / k->end_scale > r->mask))
        return more == 0 || put_length(f, k, start, (bytes + more) / k->end_scale);
    if (bytes < 0 || bytes % k->end_scale != 0 || (bytes + more) % k->end_scale != 0)
        return true;
    write_number(f, r, start, (uint32_t)(bytes / k->end_scale));
    bool could = says_end(k, &f->view, start, -1, &end);
    write_number(f, r, start, 0);
    return could || put_length(f, k, start, (bytes + more) / k->end_scale);
}

/* The same for a datagram that says its size in an option. */
static bool follow_apart(const struct packet_view *p, const struct splice *s, const struct packet_edit *e, size_t index)
{
    const struct header *h = &p->walk.header[index];
    size_t said = size_apart(&p->frame, h);
    struct header now = *h;
    if (said == 0)
        return true;
    int64_t size = (int64_t)said + grown(s, h->start, h->start + said, true);
    now.start = (uint32_t)moved(s, h->start);
    if (size == (int64_t)said || size_apart(&e->view.frame, &now) == 0)
        return true;
    set_jumbo(e, &now, (size_t)size);
    return size_apart_legal((size_t)size);
}

/* Whether the payload of a fragment would have another size: those of the others say where they belong. */
static bool resizes_fragment(const struct packet_view *p, const struct splice *s, size_t index)
{
    struct message m;
    if (!carries_message(&p->walk.header[index]) || message_of(p, index, &m) != FRAGMENT || m.at == 0)
        return false;
    return grown(s, m.at - 1, m.at + m.size, true) != 0;
}

static enum left_unspliced follow_lengths(const struct packet_view *p, const struct splice *s, const struct packet_edit *e)
{
    for (size_t i = 0; i < p->walk.count; i++) {
        const struct header *h = &p->walk.header[i];
        if (touched(s, h->start, h->start + 1u))
            continue;
        if (resizes_fragment(p, s, i))
            return OF_FRAGMENT;
        const struct kind *way = way_to(p, i);
        if (!follow_number(p, s, &e->frame, i, &protocols->kinds[h->kind]) || (way != NULL && !follow_number(p, s, &e->frame, i, way))
            || (carries_message(h) && !follow_apart(p, s, e, i)))
            return NO_LENGTH;
    }
    return SPLICED;
}

/* ---- what was put in ---- */

/* Whether a byte of what was made was put in. */
static bool put_in(const struct splice *s, size_t at)
{
    int64_t shift = 0;
    for (const struct piece *p = s->pieces; p < s->pieces + s->count; p++) {
        size_t from = (size_t)((int64_t)p->at + shift);
        if (at >= from && at - from < p->size)
            return true;
        shift += (int64_t)p->size - (int64_t)p->removed;
    }
    return false;
}

/* Which header of a packet the one is that was made of it. */
static struct origin origin_of(const struct packet_view *p, const struct splice *s, const struct header *now)
{
    for (size_t i = 0; i < p->walk.count; i++) {
        const struct header *h = &p->walk.header[i];
        size_t to = moved(s, h->start);
        if (to == now->start && h->kind == now->kind && !touched(s, h->start, h->start + 1u))
            return (struct origin){(uint8_t)i, (moved(s, p->frame.size) - p->frame.size - (to - h->start)) % 2 != 0};
    }
    return (struct origin){put_in(s, now->start) ? MADE : STRANGE, false};
}

/* Sets the number that says where a header ends, if it was put in. False: it does not go that far. */
static bool length_anew(const struct splice *s, const struct packet_edit *e, size_t start, const struct kind *k, size_t limit)
{
    const struct read *r = &k->end_number;
    int64_t bytes = (int64_t)limit - (int64_t)start - k->end_bias, ignored;
    size_t place = start + (size_t)(ptrdiff_t)r->at;
    if ((k->numbers & SAYS_END) == 0 || k->end_scale == 0 || (r->at < 0 && start < (size_t)-r->at) || !put_in(s, place)
        || !frame_has(&e->view.frame, place, r->bytes))
        return true;
    uint32_t before = read_number(r, &e->view.frame, start, start);
    int64_t value = bytes / k->end_scale;
    bool fits = bytes >= 0 && value <= r->mask;
    write_number(&e->frame, r, start, fits ? (uint32_t)value : r->mask);
    bool says = says_end(k, &e->view.frame, start, -1, &ignored);
    if (!says || (!fits && is_short(r)))
        write_number(&e->frame, r, start, is_short(r) ? 0 : before);  /* it is no length; or one that says nothing */
    return !says || is_short(r) || (fits && bytes % k->end_scale == 0);
}

/* The same of all headers, the outermost first. limit: where the packet ends, on the wire. */
static bool lengths_anew(const struct splice *s, struct packet_edit *e, size_t limit)
{
    struct walk *w = &e->view.walk;
    for (size_t i = 0; i < w->count && w->header[i].start < limit; i++) {
        const struct kind *k = &protocols->kinds[w->header[i].kind], *way = way_to(&e->view, i);
        size_t start = w->header[i].start;
        int64_t end;
        if (!length_anew(s, e, start, k, limit) || (way != NULL && !length_anew(s, e, start, way, limit)))
            return false;
        walk(w, &e->view.frame, e->linktype);   /* with another length there may be more to see */
        if (i >= w->count || w->header[i].start != start || w->header[i].kind != k->number)
            return true;
        if (way != NULL && says_end(way, &e->view.frame, start, -1, &end) && end > (int64_t)start)
            limit = least(limit, (size_t)end);
        if ((k->flags & (OWN_END | END_BEHIND)) == 0 && says_end(k, &e->view.frame, start, -1, &end) && end - k->trailer > (int64_t)start)
            limit = least(limit, (size_t)end - k->trailer);
    }
    return true;
}

/* ---- all of it ---- */

static bool copy_pieces(struct bytes *out, const struct frame *f, const struct splice *s, size_t end)
{
    size_t at = 0;
    for (const struct piece *p = s->pieces; p < s->pieces + s->count; p++) {
        if (!bytes_add(out, frame_range(f, at, p->at - at), p->at - at) || !bytes_add(out, p->octets, p->size))
            return false;
        at = p->at + p->removed;
    }
    return bytes_add(out, frame_range(f, at, end - at), end - at);
}

/* Fills the frame up that begins at `from` in `out`; what it was filled up with before comes first. */
static bool fill_up(struct bytes *out, size_t from, const struct frame *f, const struct filling *fill)
{
    size_t size = out->size - from, least_size = fill->start + fill->least_size, more = fill->size > 0 && size < least_size ? least_size - size : 0;
    size_t kept = least(more, fill->size), fcs = fill->fcs ? FCS : 0;
    if (!bytes_need(out, more + fcs))
        return false;
    memcpy(out->at + out->size, frame_range(f, fill->at, kept), kept);
    memset(out->at + out->size + kept, 0, more - kept + fcs);
    out->size += more + fcs;
    return true;
}

static void set_fcs(const struct writable_frame *f, size_t start)
{
    size_t end = f->view.size - FCS;
    write32(writable_range(f, end, FCS), frame_crc(frame_range(&f->view, start, end - start), end - start), false);
}

/* Whether a header in front of what is changed has a checksum, which may cover it. */
static bool sums_around(const struct packet_view *p, const struct splice *s)
{
    const struct piece *last = &s->pieces[s->count - 1];
    for (size_t i = 0; i < p->walk.count && p->walk.header[i].start < last->at + last->removed; i++)
        if (has_rule(p->walk.header[i].kind) || carries_message(&p->walk.header[i]))
            return true;
    return false;
}

/* Lets all follow that is around what was changed. end: where the packet ends in what was made, on the wire. */
static enum left_unspliced follow_all(const struct packet_view *p, const struct splice *s, struct packet_edit *e, size_t end, bool *stale)
{
    bool sums = !s->keep && sums_around(p, s);
    enum left_unspliced why = s->keep ? SPLICED : follow_lengths(p, s, e);
    if (why != SPLICED || (!sums && !s->anew))
        return why;
    walk(&e->view.walk, &e->view.frame, e->linktype);
    if (s->anew && !lengths_anew(s, e, end))
        return NO_LENGTH;
    struct origin origins[MAX_HEADERS];
    struct judged judged = {0};
    for (size_t i = 0; i < e->view.walk.count; i++)
        origins[i] = origin_of(p, s, &e->view.walk.header[i]);
    if (sums)
        judge(p, &judged);
    *stale = !settle(e, &judged, origins, s->anew);
    return SPLICED;
}

bool splice_frame(struct bytes *out, const struct packet_view *p, int64_t linktype, const struct splice *s, struct spliced *made)
{
    const struct frame *f = &p->frame;
    struct filling fill = {0};
    size_t from = out->size, size = f->size;
    *made = (struct spliced){.why = pieces_sound(s, size) ? SPLICED : NOT_THERE};
    if (made->why != SPLICED)
        return true;
    size_t end = packet_end(p);
    bool filled = !s->keep && s->count > 0 && filling_of(p, s, end, &fill), alike = s->linktype == linktype;
    if (!bytes_need(out, 1) || !copy_pieces(out, f, s, filled ? fill.at : size))
        return false;
    if (filled && alike && !fill_up(out, from, f, &fill))
        return false;
    struct packet_edit e = {.frame = writable(out->at + from, out->size - from), .linktype = s->linktype};
    e.view.frame = e.frame.view;
    made->size = e.view.frame.size;
    made->original = p->original + (int64_t)made->size - (int64_t)size;
    made->original = made->original < 0 ? 0 : made->original < UINT32_MAX ? made->original : UINT32_MAX;     /* as captures have room for */
    e.view.original = made->original;
    if (made->size > MAX_FRAME)
        made->why = NO_LENGTH;
    else if (s->count > 0)
        made->why = follow_all(p, s, &e, moved(s, end), &made->stale);
    if (made->why != SPLICED)
        out->size = from;
    else if (filled && alike && fill.fcs)
        set_fcs(&e.frame, fill.start);
    return true;
}

bool splice_packet(struct gathered *out, const uint8_t *data, const struct packet_view *p, const struct packet *row, const struct splice *s,
                   struct spliced *made)
{
    struct gathered_record record;
    size_t before = out->data.size;
    bool along = gather_record(out, data, row, &record);
    size_t at = out->data.size;
    if (!splice_frame(&out->data, p, row->linktype, s, made))
        return false;
    if (made->why != SPLICED) {
        out->data.size = before;
        return true;
    }
    struct packet now = {.offset = (int64_t)at, .captured = (int64_t)made->size, .original = made->original, .time = row->time,
                         .linktype = s->linktype, .notes = (int64_t)out->data.size, .notes_size = row->notes_size};
    if (along)
        gather_lengths(out, &record, &now);
    return bytes_add(&out->data, data + row->notes, (size_t)row->notes_size) && gather_row(out, &now);
}
