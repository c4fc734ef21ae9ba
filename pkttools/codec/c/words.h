/* The one's complement sum of 16-bit words that the Internet checksum is made of, RFC 1071. Words are added in the machine's byte
 * order: the sum does not mind (section 2(B)), and is put in the order of the network once. The exact sum is that of 32-bit words,
 * which is folded at the end.
 */
#ifndef PKTTOOLS_WORDS_H
#define PKTTOOLS_WORDS_H

#include "codec.h"

enum { LONG = 128 };            /* bytes from which on it pays to call for vectors */

extern uint64_t (*words_long)(const uint8_t *at, size_t size);  /* of LONG bytes or more, by what the processor has */

static inline bool little_endian(void)
{
    const uint16_t probe = 1;
    return *(const uint8_t *)&probe == 1;
}

static inline uint64_t word16(const uint8_t *at)
{
    uint16_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

static inline uint64_t word64(const uint8_t *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

/* Two bytes in the order of the network. */
static inline unsigned number16(const uint8_t *at)
{
    unsigned word = (unsigned)word16(at);
    return little_endian() ? (word >> 8 | word << 8) & 0xFFFF : word;
}

static inline uint64_t halves(uint64_t word)
{
    return (word & UINT32_MAX) + (word >> 32);
}

/* Words from a place on, a multiple of eight, of eight bytes or more. An odd last byte is padded with zero. What is left of eights
 * is cut out of the last eight bytes, so that no branch goes by it.
 */
static inline uint64_t words_from(const uint8_t *at, size_t from, size_t size)
{
    uint64_t total = 0;
    size_t whole = size / 8 * 8, cut = 8 * (7 - size % 8);
    for (size_t i = from; i < whole; i += 8)
        total += halves(word64(at + i));
    uint64_t last = word64(at + size - 8);
    return total + halves(little_endian() ? last >> cut >> 8 : last << cut << 8);
}

/* All words added up. */
static inline uint64_t words(const uint8_t *at, size_t size)
{
    if (size >= LONG)
        return words_long(at, size);
    if (size >= 8)
        return words_from(at, 0, size);
    uint8_t padded[8] = {0};
    for (size_t i = 0; i < size; i++)
        padded[i] = at[i];
    return halves(word64(padded));
}

/* What two bytes at an even place are of that. Shifted, not put together in memory: to read what was just written in parts has
 * to wait for it.
 */
static inline uint64_t words_part(const uint8_t *at, size_t place)
{
    return word16(at + place) << ((place % 4 != 0) == little_endian() ? 16 : 0);
}

/* The same sum, but for its carries, of a number in the order of the network, of at most 48 bits. */
static inline uint64_t words_of(uint64_t number)
{
    return little_endian() ? number << 8 : number;  /* times 2^8, modulo 2^16 - 1: two bytes exchanged */
}

/* A one's complement sum of words, as one of 16 bits. No branches: how many carries there are cannot be foreseen. */
static inline unsigned one_word(uint64_t total)
{
    total += total << 32 | total >> 32;
    uint32_t half = (uint32_t)(total >> 32);
    half += half << 16 | half >> 16;
    return half >> 16;
}

/* The 16 bits that words add up to, in the order of the network. */
static inline uint32_t in_order(uint64_t total)
{
    unsigned word = one_word(total);
    return little_endian() ? word >> 8 | (word & 0xFF) << 8 : word;
}

/* Whether words with their checksum among them, which stands at a place, add up to what they should (RFC 1071 section 2); not where
 * that is 0 or 0xFFFF, which are the same number there.
 */
static inline bool sums_up(uint64_t total, const uint8_t *checksum)
{
    return one_word(total) == 0xFFFF && ((word16(checksum) + 1) & 0xFFFF) > 1;
}

/* A checksum: 16 bits of a sum, inverted. */
static inline unsigned complement(uint32_t word)
{
    return ~word & 0xFFFF;
}

#endif
