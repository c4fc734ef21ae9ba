/* Divides IP datagrams that are larger than an MTU. What is a datagram is datagram.c's, what is around it around.c's. Twin of
 * ../python/fragments.py.
 */
#include "codec.h"

/* Whether a packet has a datagram to be divided; what should have been and cannot be is counted. */
bool divisible(struct fragmentation *how, const struct packet_view *p, struct datagram *d)
{
    size_t index;
    bool absent = !chosen(&p->walk, &how->layer, &index);
    if (absent && !outermost(&p->walk, &index))
        return false;
    if (!datagram_of(p, index, d)) {
        how->left[UNUSABLE]++;
        return false;
    }
    size_t mtu = d->v6 ? how->mtu6 : how->mtu4;
    if (d->end - d->start <= mtu)
        return false;
    enum left_whole reason = LEFT_WHOLE;
    if (absent)
        reason = NO_SUCH_HEADER;
    else if (d->dont && !how->force)
        reason = MUST_NOT;
    else if (fragment_room(d, mtu) == 0)
        reason = NO_ROOM;
    else if (d->offset + d->end - d->payload > 0xFFFF)
        reason = UNUSABLE;
    if (reason != LEFT_WHOLE)
        how->left[reason]++;
    return reason == LEFT_WHOLE;
}

/* Adds the fragments of a datagram; or the packet as it is, where a length in front of it has no room for what it should be. */
bool divide(struct fragmentation *how, const struct packet_view *p, const struct datagram *d, const uint8_t *data,
            const struct packet *row, struct gathered *out)
{
    const struct frame *f = &p->frame;
    struct around around;
    around_of(p, d->index, &around);
    size_t room = fragment_room(d, d->v6 ? how->mtu6 : how->mtu4), tail = f->size - around.tail_at;
    size_t data_before = out->data.size, rows_before = out->rows.size;
    uint32_t id = d->v6 && !d->is_fragment ? how->id++ : d->id;
    struct packet made = {.time = row->time, .linktype = row->linktype};
    bool more = true;
    for (size_t at = d->payload, size; more; at += size) {
        more = d->end - at > room;
        size = more ? room / 8 * 8 : d->end - at;
        if (!bytes_need(&out->data, d->head + FRAGMENT_SIZE + size + tail))
            return false;
        uint8_t *to = out->data.at + out->data.size;
        size_t head = fragment_head(to, p, d, at, size, more || d->more, id), whole = head + size + tail;
        memcpy(to + head, frame_range(f, at, size), size);
        memcpy(to + head + size, frame_range(f, around.tail_at, tail), tail);
        struct writable_frame fragment = writable(to, whole);
        if (!around_fit(&around, &fragment, head + size, row->linktype)) {
            out->data.size = data_before;
            out->rows.size = rows_before;
            how->left[UNUSABLE]++;
            return gather(out, data, row);
        }
        made.offset = (int64_t)out->data.size;
        made.captured = made.original = (int64_t)whole;
        out->data.size += whole;
        bool first = at == d->payload, second = at == d->payload + room / 8 * 8;
        if ((first || second) && !gather_lines(out, data + row->notes, (size_t)row->notes_size, first, &made))
            return false;
        if (!gather_row(out, &made))
            return false;
    }
    return true;
}
