/* Octets of frames at places that a table says. Twin of `octets_alike` in ../python/alike.py. */
#include "spans.h"

/* How many octets of a span were captured. */
static size_t there(const struct span *s, size_t captured)
{
    return (uint64_t)s->begin < captured ? least((size_t)s->end, captured) - (size_t)s->begin : 0;
}

bool spans_sound(const struct spans *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->spans[i].begin < 0 || s->spans[i].begin > s->spans[i].end)
            return false;
    return true;
}

size_t spans_size(const struct spans *s, size_t captured)
{
    size_t size = 0;
    for (size_t i = 0; i < s->count; i++)
        size += there(&s->spans[i], captured);
    return size;
}

void spans_copy(uint8_t *to, const struct spans *s, const struct frame *f)
{
    for (size_t i = 0; i < s->count; i++) {
        size_t size = there(&s->spans[i], f->size);
        if (size > 0)
            memcpy(to, frame_range(f, (size_t)s->spans[i].begin, size), size);
        to += size;
    }
}

bool spans_same(const struct spans *s, const struct frame *a, const struct frame *b)
{
    for (size_t i = 0; i < s->count; i++) {
        size_t size = there(&s->spans[i], a->size), begin = (size_t)s->spans[i].begin;
        if (size > 0 && memcmp(frame_range(a, begin, size), frame_range(b, begin, size), size) != 0)
            return false;
    }
    return true;
}
