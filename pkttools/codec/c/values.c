/* Values of fields as people write them. Twin of ../../protocols/values.py, which says what is wrong with one that is none. */
#define _POSIX_C_SOURCE 200809L     /* inet_pton */
#include "fields.h"

#include <arpa/inet.h>

enum { MOST_FIGURES = 40 };     /* of a number: none has more */
enum { MOST_ADDRESS = 63 };     /* characters of one of IPv6 */

static bool is_figure(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* A number by so much, and another figure; whether it stays within 128 bits. */
static bool go_on(struct value *v, uint64_t by, uint64_t figure)
{
    uint64_t a = (v->low & UINT32_MAX) * by + figure, b = (v->low >> 32) * by + (a >> 32);
    uint64_t c = (v->high & UINT32_MAX) * by + (b >> 32), d = (v->high >> 32) * by + (c >> 32);
    *v = (struct value){d << 32 | (c & UINT32_MAX), b << 32 | (a & UINT32_MAX)};
    return d >> 32 == 0;
}

/* A decimal number, or a hexadecimal one with 0x. */
bool parse_number(const uint8_t *text, size_t size, struct value *v)
{
    *v = (struct value){0, 0};
    if (size == 0 || size > MOST_FIGURES)
        return false;
    bool hex = size > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    for (size_t i = hex ? 2 : 0; i < size; i++) {
        unsigned figure = hex ? hex_value[text[i]] : is_figure(text[i]) ? text[i] - '0' : NOT_HEX;
        if (figure >= 16)
            return false;
        if (v->low >> 60 == 0 && v->high == 0)
            v->low = hex ? v->low << 4 | figure : v->low * 10 + figure;
        else if (!go_on(v, hex ? 16 : 10, figure))
            return false;
    }
    return true;
}

/* Six groups of one or two hex digits. */
static bool parse_mac(const uint8_t *text, size_t size, uint64_t *address)
{
    size_t at = 0;
    *address = 0;
    for (int group = 0; group < 6; group++, at++) {
        unsigned value = 0;
        size_t begin = at;
        for (; at < size && hex_value[text[at]] < 16; at++)
            value = value << 4 | hex_value[text[at]];
        if (at == begin || at > begin + 2 || (group < 5 && (at == size || (text[at] != ':' && text[at] != '-'))))
            return false;
        *address = *address << 8 | value;
    }
    return at == size + 1;
}

/* Four decimal numbers up to 255, of three figures at most. */
static bool parse_ipv4(const uint8_t *text, size_t size, uint64_t *address)
{
    size_t at = 0;
    *address = 0;
    for (int part = 0; part < 4; part++, at++) {
        unsigned value = 0;
        size_t begin = at;
        for (; at < size && at < begin + 3 && is_figure(text[at]); at++)
            value = value * 10 + (text[at] - '0');
        if (at == begin || value > 255 || (part < 3 && (at == size || text[at] != '.')))
            return false;
        *address = *address << 8 | value;
    }
    return at == size + 1;
}

static bool parse_ipv6(const uint8_t *text, size_t size, struct value *v)
{
    char word[MOST_ADDRESS + 1];
    uint8_t address[16];
    if (size > MOST_ADDRESS || memchr(text, 0, size) != NULL)
        return false;
    memcpy(word, text, size);
    word[size] = 0;
    if (inet_pton(AF_INET6, word, address) != 1)
        return false;
    const struct frame f = {address, sizeof address};
    *v = (struct value){read_bits(&f, 0, 64), read_bits(&f, 64, 64)};
    return true;
}

bool parse_address(const uint8_t *text, size_t size, unsigned form, struct value *v)
{
    *v = (struct value){0, 0};
    if (size == 0)
        return false;
    switch (form) {
    case MAC: return parse_mac(text, size, &v->low);
    case IPV4: return parse_ipv4(text, size, &v->low);
    default: return parse_ipv6(text, size, v);
    }
}

bool parse_data(const uint8_t *text, size_t size, struct bytes *out)
{
    for (size_t at = 0; at < size;) {
        if (is_space(text[at])) {
            at++;
            continue;
        }
        size_t begin = at;
        while (at < size && hex_value[text[at]] < 16)
            at++;
        size_t digits = at - begin;
        if (digits == 0 || (digits > 2 && digits % 2 != 0) || (at < size && !is_space(text[at])))
            return false;
        if (digits == 1)
            out->at[out->size++] = hex_value[text[begin]];
        else
            for (; begin < at; begin += 2)
                out->at[out->size++] = (uint8_t)(hex_value[text[begin]] << 4 | hex_value[text[begin + 1]]);
    }
    return true;
}

bool parse_text(const uint8_t *text, size_t size, size_t room, struct bytes *out)
{
    if (size > 0 && text[0] == '"') {
        if (size < 2 || text[size - 1] != '"' || memchr(text + 1, '"', size - 2) != NULL)
            return false;
        text++;
        size -= 2;
    }
    size_t before = out->size;
    for (size_t at = 0; at < size; at++) {
        uint8_t c = text[at];
        if (c < 0x20 || c > 0x7E)
            return false;
        if (c == '\\' && at + 1 < size && text[at + 1] == 'x') {        /* a byte of any value but zero */
            if (at + 3 >= size || hex_value[text[at + 2]] >= 16 || hex_value[text[at + 3]] >= 16)
                return false;
            c = (uint8_t)(hex_value[text[at + 2]] << 4 | hex_value[text[at + 3]]);
            if (c == 0)
                return false;
            at += 3;
        }
        out->at[out->size++] = c;
    }
    return out->size - before <= room;
}

/* What is left of a number of 128 bits. */
static uint64_t rest(struct value v, uint64_t by)
{
    uint64_t r = v.high % by;
    r = (r << 32 | v.low >> 32) % by;
    return (r << 32 | (v.low & UINT32_MAX)) % by;
}

/* Whether a field can hold a value exactly. */
bool value_fits(const struct field *f, struct value v)
{
    uint64_t scale = (uint64_t)f->scale, bias = (uint64_t)f->bias, most = f->width < 64 ? (UINT64_C(1) << f->width) - 1 : UINT64_MAX;
    if (f->width == 128)
        return true;
    if (scale == 1 && bias == 0)
        return v.high == 0 && v.low <= most;
    struct value largest = scaled(most, bias, scale);
    return rest(v, scale) == 0 && (v.high > 0 || v.low >= bias * scale)
        && (v.high < largest.high || (v.high == largest.high && v.low <= largest.low));
}
