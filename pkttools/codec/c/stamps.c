/* Stamps in packets, and in what order they come; twin of ../python/stamps.py. */
#include "codec.h"

#include <string.h>

enum { STAMP = 16, SECOND = 1000000000 };       /* bytes: a mark, number, seconds, microseconds; nanoseconds */

/* Where the mark stands first in a frame, as long as a stamp fits behind; the end of the frame where it stands nowhere. */
static size_t mark_in(const struct frame *f, uint32_t mark)
{
    const uint8_t first = (uint8_t)(mark >> 24);
    for (size_t at = 0; frame_has(f, at, 4); at++) {
        const uint8_t *found = memchr(frame_range(f, at, f->size - at), first, f->size - at);
        if (found == NULL)
            break;
        at = (size_t)(found - f->at);
        if (frame_has(f, at, 4) && get32(f, at) == mark)
            return at;
    }
    return f->size;
}

size_t stamps_find(const uint8_t *data, const struct packet *packets, size_t count, uint32_t mark, size_t *last, uint32_t *numbers,
                   int64_t *delays)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        const struct packet *p = &packets[i];
        const struct frame f = {data + p->offset, (size_t)p->captured};
        size_t at = *last;
        if (!frame_has(&f, at, STAMP) || get32(&f, at) != mark) {
            at = mark_in(&f, mark);     /* wherever it is: other headers, or what carries the packet */
            if (!frame_has(&f, at, STAMP))
                continue;
            *last = at;
        }
        const int64_t sent = (int64_t)get32(&f, at + 8) * SECOND + (int64_t)get32(&f, at + 12) * 1000;
        numbers[found] = get32(&f, at + 4);
        if (__builtin_sub_overflow(p->time, sent, &delays[found]))
            delays[found] = INT64_MIN;
        found++;
    }
    return found;
}

static size_t place(int64_t number, size_t window)
{
    int64_t at = number % (int64_t)window;
    return (size_t)(at < 0 ? at + (int64_t)window : at);
}

/* Makes room for the next `step` numbers. */
static void forget(uint8_t *seen, size_t window, int64_t highest, uint64_t step)
{
    size_t begin = place(highest + 1, window), count = step < window ? (size_t)step : window;
    size_t behind = window - begin < count ? window - begin : count;
    memset(seen + begin, 0, behind);
    memset(seen, 0, count - behind);
}

void arrivals_add(struct arrivals *a, uint8_t *seen, size_t window, const uint32_t *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (a->came == 0) {
            a->first = a->highest = numbers[i];
            seen[place(a->highest, window)] = 1;
            a->came = 1;
            continue;
        }
        const int32_t step = (int32_t)(numbers[i] - (uint32_t)a->highest);      /* the shorter way round */
        const int64_t number = a->highest + step;
        uint8_t *mark = &seen[place(number, window)];
        if (step > 0) {
            forget(seen, window, a->highest, (uint64_t)step);
            a->highest = number;
            *mark = 1;
            a->came++;
            continue;
        }
        if ((uint64_t)-(int64_t)step >= window) {
            a->beyond++;
        } else if (*mark) {
            a->again++;
            continue;
        } else {
            *mark = 1;
        }
        a->came++;
        a->late++;
        a->first = number < a->first ? number : a->first;
    }
}
