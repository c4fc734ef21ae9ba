/* A growing buffer. */
#include "codec.h"

#include <stdlib.h>

bool bytes_grow(struct bytes *b, size_t more)
{
    if (b->held || b->room > SIZE_MAX / 4 || more > SIZE_MAX / 4)     /* before any sum of these wraps around */
        return false;
    size_t room = b->room * 2 > b->size + more ? b->room * 2 : b->size + more + 256;
    uint8_t *at = realloc(b->at, room);
    if (at == NULL)
        return false;
    b->at = at;
    b->room = room;
    return true;
}

void bytes_free(struct bytes *b)
{
    if (!b->held)
        free(b->at);
    *b = (struct bytes){0};
}

static uint64_t mixed(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x9E3779B97F4A7C15);
    return hash ^ hash >> 29;
}

/* Fewer than eight bytes as one number. Read as two that overlap: what is put together byte by byte takes long to be read at once. */
static uint64_t rest_of(const uint8_t *at, size_t size)
{
    if (size < sizeof(uint32_t))
        return size == 0 ? 0 : (uint64_t)at[0] | (uint64_t)at[size / 2] << 8 | (uint64_t)at[size - 1] << 16;
    uint32_t first, last;
    memcpy(&first, at, sizeof first);
    memcpy(&last, at + size - sizeof last, sizeof last);
    return first | (uint64_t)last << 8 * (size - sizeof last);
}

uint64_t hash_of(const void *table, const uint8_t *key, size_t size)
{
    enum { LANES = 4 };         /* each step waits for the one before: as many ways go on beside each other */
    uint64_t hash = mixed((uintptr_t)table, size), word;
    size_t at = 0;
    if (size >= 2 * LANES * sizeof word) {
        uint64_t lanes[LANES] = {hash, ~hash, hash << 1, hash >> 1};
        for (; size - at >= LANES * sizeof word; at += LANES * sizeof word)
            for (size_t i = 0; i < LANES; i++) {
                memcpy(&word, key + at + i * sizeof word, sizeof word);
                lanes[i] = mixed(lanes[i], word);
            }
        for (size_t i = 0; i < LANES; i++)
            hash = mixed(hash, lanes[i]);
    }
    for (; size - at >= sizeof word; at += sizeof word) {
        memcpy(&word, key + at, sizeof word);
        hash = mixed(hash, word);
    }
    return mixed(hash, rest_of(key + at, size - at));
}
