/* Words of many bytes added up, with vectors: which ones is chosen when the module is loaded. */
#include "words.h"
#include "processor.h"

#ifdef __GNUC__
typedef uint64_t lanes __attribute__((vector_size(32)));

/* In each lane the low and the high halves of its eights; compiled for what the caller may use. */
__attribute__((always_inline)) static inline uint64_t by_lanes(const uint8_t *at, size_t size)
{
    lanes low = {0}, high = {0};
    size_t whole = size / sizeof(lanes) * sizeof(lanes);
    for (size_t i = 0; i < whole; i += sizeof(lanes)) {
        lanes v;
        memcpy(&v, at + i, sizeof v);
        low += v & UINT32_MAX;
        high += v >> 32;
    }
    low += high;
    return low[0] + low[1] + low[2] + low[3] + words_from(at, whole, size);
}

static uint64_t words_usual(const uint8_t *at, size_t size)
{
    return by_lanes(at, size);
}
#else
static uint64_t words_usual(const uint8_t *at, size_t size)
{
    return words_from(at, 0, size);
}
#endif

uint64_t (*words_long)(const uint8_t *at, size_t size) = words_usual;

#if defined(__x86_64__) && defined(__GNUC__)
__attribute__((target("avx2"))) static uint64_t words_avx2(const uint8_t *at, size_t size)
{
    return by_lanes(at, size);
}

bool words_use(bool widest)
{
    bool wide = widest && PROCESSOR_HAS(AVX2, "avx2");
    words_long = wide ? words_avx2 : words_usual;
    return wide;
}
#else
bool words_use(bool widest)
{
    (void)widest;
    return false;
}
#endif
