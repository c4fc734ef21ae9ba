/* Runs of packets, each by time, merged to one: what of an output that is read in pieces fits a buffer. Twin of ../python/runs.py. */
#include "codec.h"

#include <stdlib.h>

bool runs_begin(struct runs *r, size_t count)
{
    *r = (struct runs){.count = count, .waiting = count};
    r->run = calloc(count + 1, sizeof *r->run);
    r->heap = calloc(count + 1, sizeof *r->heap);
    return r->run != NULL && r->heap != NULL;
}

void runs_end(struct runs *r)
{
    for (size_t i = 0; r->run != NULL && i < r->count; i++)
        bytes_free(&r->run[i].line);
    free(r->run);
    free(r->heap);
}

static struct sort_key next_key(const struct sequence *run)
{
    return sort_key_of(run->data, run->data_size, &run->packets[run->at]);
}

/* Whether a run's next packet stands in front of that of another: it is earlier, or as early and of a run that was named earlier. */
static inline bool before(const struct runs *r, size_t a, size_t b)
{
    if (r->keyed) {
        int order = sort_key_order(next_key(&r->run[a]), next_key(&r->run[b]));
        return order < 0 || (order == 0 && a < b);
    }
    int64_t time = r->run[a].packets[r->run[a].at].time, other = r->run[b].packets[r->run[b].at].time;
    return time < other || (time == other && a < b);
}

/* Lets a run sink to its place, from the place `at` down. */
static void sink(struct runs *r, size_t at)
{
    size_t moved = r->heap[at], child;
    for (; (child = 2 * at + 1) < r->live; at = child) {
        if (child + 1 < r->live && before(r, r->heap[child + 1], r->heap[child]))
            child++;
        if (before(r, moved, r->heap[child]))
            break;
        r->heap[at] = r->heap[child];
    }
    r->heap[at] = moved;
}

/* Lets a run rise to its place, from the place `at` up. */
static void rise(struct runs *r, size_t at)
{
    size_t moved = r->heap[at];
    for (; at > 0 && before(r, moved, r->heap[(at - 1) / 2]); at = (at - 1) / 2)
        r->heap[at] = r->heap[(at - 1) / 2];
    r->heap[at] = moved;
}

size_t runs_feed(struct runs *r, size_t which, const uint8_t *data, size_t size, const struct packet *packets, size_t count, size_t *first)
{
    struct sequence *run = &r->run[which];
    size_t backwards = 0;
    run->data = data;
    run->data_size = size;
    run->packets = packets;
    run->size = count;
    run->at = 0;
    run->ended = count == 0;
    r->waiting--;
    if (count == 0)
        return 0;
    int64_t last = run->begun ? run->last : packets[0].time;
    for (size_t i = 0; i < count; i++) {
        if (packets[i].time < last && backwards++ == 0)
            *first = i;
        last = packets[i].time;
    }
    run->last = last;
    run->begun = true;
    r->heap[r->live++] = which;
    rise(r, r->live - 1);
    return backwards;
}

/* Whether notes have a line IFACE. */
static bool is_named(const uint8_t *notes, size_t size)
{
    size_t at = 0;
    struct frame name;
    return note_said(&(struct frame){notes, size}, &at, "IFACE:", &name);
}

/* Copies a packet behind the others, with the record of a capture in front of it, if there is one, and its lines. Those that a run's
 * packets are given stand there once, in front of the first of them, where a packet has no others. False: there is no room. */
static bool copy(struct runs *r, struct sequence *run, struct bytes *out, struct packet *made)
{
    const struct packet *p = &run->packets[run->at];
    const uint8_t *notes = run->data + p->notes;
    size_t captured = (size_t)p->captured, notes_size = (size_t)p->notes_size, line = run->line.size;
    if (line > 0 && notes_size > 0 && is_named(notes, notes_size))
        line = 0;
    bool shared = line > 0 && notes_size == 0;
    bool big_endian;
    size_t record = is_record(run->data, p, &big_endian) ? RECORD : 0, room = out->room - out->size;
    const struct sort_key key = r->keyed ? next_key(run) : (struct sort_key){NULL, 0};
    size_t rest = notes_size + (r->keyed ? KEY_HEAD + key.size : 0);
    if (room < record + captured || room - record - captured < line || room - record - captured - line < rest)
        return false;
    if (shared && run->line_round != r->round) {
        run->line_round = r->round;
        run->line_at = out->size;
        memcpy(out->at + out->size, run->line.at, line);
        out->size += line;
    }
    memcpy(out->at + out->size, run->data + p->offset - record, record + captured);
    *made = *p;
    made->offset = (int64_t)(out->size + record);
    out->size += record + captured;
    made->notes = shared ? (int64_t)run->line_at : (int64_t)out->size;
    made->notes_size = (int64_t)(line + notes_size);
    return (shared || bytes_add(out, run->line.at, line)) && bytes_add(out, notes, notes_size) && (!r->keyed || bytes_add_key(out, key));
}

enum merged runs_merge(struct runs *r, struct bytes *out, struct bytes *rows, size_t *empty)
{
    r->round += out->size == 0;
    while (r->live > 0) {
        struct sequence *run = &r->run[r->heap[0]];
        if (!bytes_need(rows, sizeof(struct packet)))
            return MERGED_NO_MEMORY;
        if (!copy(r, run, out, (struct packet *)(void *)(rows->at + rows->size)))
            return MERGED_FULL;
        rows->size += sizeof(struct packet);
        if (++run->at == run->size) {
            *empty = r->heap[0];
            r->heap[0] = r->heap[--r->live];
            if (r->live > 0)
                sink(r, 0);
            r->waiting++;
            return MERGED_EMPTY;
        }
        sink(r, 0);
    }
    return MERGED_ENDED;
}
