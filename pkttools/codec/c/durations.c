/* Durations counted in little memory, however many they are; twin of ../python/durations.py. */
#include "codec.h"

/* The step of a duration: 16 to each doubling. */
static size_t step_of(uint64_t duration)
{
    size_t bits = duration < 2 ? 1 : 64 - (size_t)__builtin_clzll(duration);
    size_t fraction = (bits > 5 ? duration >> (bits - 5) : duration << (5 - bits)) & 15;
    size_t step = bits * 16 + fraction;
    return step < DURATION_STEPS ? step : DURATION_STEPS - 1;
}

void durations_add(struct durations *d, const int64_t *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const int64_t value = values[i];
        const bool below = value < 0;
        const uint64_t size = below ? -(uint64_t)value : (uint64_t)value;
        if (d->count[0] + d->count[1] == 0) {
            d->least = d->worst = value;
        } else {
            uint64_t change = value > d->last ? (uint64_t)value - (uint64_t)d->last : (uint64_t)d->last - (uint64_t)value;
            d->jitter += ((double)change - d->jitter) / 16;     /* RFC 3550 section 6.4.1 */
            d->least = value < d->least ? value : d->least;
            d->worst = value > d->worst ? value : d->worst;
        }
        d->last = value;
        d->count[below]++;
        d->steps[below][step_of(size)]++;
    }
}
