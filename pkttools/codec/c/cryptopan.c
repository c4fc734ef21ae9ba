/* Crypto-PAn (Xu, Fan, Ammar, Moon: Prefix-Preserving IP Address Anonymization, 2002) but for its cipher: each bit of an address is
 * changed by the first bit of a block that was encrypted, which begins with the bits in front of it. Twin of ../python/cryptopan.py.
 */
#include "cryptopan.h"

static bool lies_in(const struct value *v, const struct value *mask, const struct value *number)
{
    return (v->high & mask->high) == number->high && (v->low & mask->low) == number->low;
}

/* The exception that a number is; NULL: none. */
static const struct cryptopan_exception *exception_of(const struct cryptopan *c, int64_t sort, const struct value *number)
{
    for (const struct cryptopan_exception *e = c->exceptions, *end = e + c->exceptions_count; e < end; e++)
        if (e->sort == sort && lies_in(number, &e->mask, &e->number))
            return e;
    return NULL;
}

static bool known(const struct cryptopan *c, int64_t sort)
{
    return sort >= 0 && (uint64_t)sort < c->sorts_count && c->sorts[sort].width > 0;
}

bool cryptopan_sound(const struct cryptopan *c)
{
    for (size_t i = 0; i < c->sorts_count; i++)
        if (c->sorts[i].width < 0 || c->sorts[i].width > 8 * CIPHER_BLOCK)
            return false;
    for (size_t i = 0; i < c->exceptions_count; i++) {
        const struct cryptopan_exception *e = &c->exceptions[i];
        if (!known(c, e->sort) || !known(c, e->as) || c->sorts[e->as].width < c->sorts[e->sort].width)
            return false;
    }
    return true;
}

/* As what a number is taken. */
static const struct cryptopan_sort *taken_as(const struct cryptopan *c, const struct question *q)
{
    if (!known(c, q->sort))
        return NULL;
    const struct cryptopan_exception *e = exception_of(c, q->sort, &q->number);
    return &c->sorts[e != NULL ? e->as : q->sort];
}

size_t cryptopan_count(const struct cryptopan *c, const struct question *q)
{
    const struct cryptopan_sort *sort = taken_as(c, q);
    return sort == NULL ? 0 : (size_t)sort->width;
}

static void put64(uint8_t *at, uint64_t value)
{
    for (int i = 7; i >= 0; i--, value >>= 8)
        at[i] = (uint8_t)value;
}

static uint64_t first_bits(int64_t count)
{
    return count <= 0 ? 0 : count >= 64 ? UINT64_MAX : UINT64_MAX << (64 - count);
}

/* A block for each bit: those in front of it, then the padding. */
void cryptopan_blocks(const struct cryptopan *c, const struct question *q, uint8_t *out)
{
    const struct cryptopan_exception *e = exception_of(c, q->sort, &q->number);
    const struct cryptopan_sort *sort = taken_as(c, q);
    struct value v = q->number;
    uint64_t high = 0, low = 0;                 /* the padding */
    for (int i = 0; i < 8; i++) {
        high = high << 8 | sort->padding[i];
        low = low << 8 | sort->padding[8 + i];
    }
    if (e != NULL && e->as != e->sort)
        v = (struct value){(v.high & ~e->mask.high) | e->with.high, (v.low & ~e->mask.low) | e->with.low};
    if (sort->width <= 64)
        v = (struct value){v.low << (64 - sort->width), 0};
    else if (sort->width < 128)
        v = (struct value){v.high << (128 - sort->width) | v.low >> (sort->width - 64), v.low << (128 - sort->width)};
    for (int64_t i = 0; i < sort->width; i++, out += CIPHER_BLOCK) {
        uint64_t mask = first_bits(i), further = first_bits(i - 64);
        put64(out, (v.high & mask) | (high & ~mask));
        put64(out + 8, (v.low & further) | (low & ~further));
    }
}

struct address_rule cryptopan_rule(const struct cryptopan *c, const struct question *q, const uint8_t *encrypted, bool *met)
{
    const struct cryptopan_exception *e = exception_of(c, q->sort, &q->number);
    const struct cryptopan_sort *sort = taken_as(c, q);
    struct value to = {0, 0};
    for (int64_t i = 0; i < sort->width; i++, encrypted += CIPHER_BLOCK)
        to = (struct value){to.high << 1 | to.low >> 63, to.low << 1 | encrypted[0] >> 7};
    if (e != NULL)
        to = (struct value){to.high & ~e->stay.high, to.low & ~e->stay.low};
    to = (struct value){q->number.high ^ to.high, q->number.low ^ to.low};
    *met = (e == NULL || (e->mask.high | e->mask.low) == 0) && (e = exception_of(c, q->sort, &to)) != NULL && (e->mask.high | e->mask.low) != 0;
    return (struct address_rule){q->sort, ANYWHERE, c->sorts[q->sort].width, REPLACE, q->number, to, {0, 0}};
}
