/* Values of fields as they are printed; the way back is values.c. Twin of pkttools/protocols/shown.py.
 */
#define _POSIX_C_SOURCE 200809L         /* localtime_r */
#include "fields.h"

#include <time.h>

static const char lower[] = HEX_DIGITS;

uint8_t *put_hex(uint8_t *out, struct value v)
{
    *out++ = '0';
    *out++ = 'x';
    if (v.high == 0 && v.low <= UINT32_MAX)
        return put_hex_digits(out, (uint32_t)v.low);
    int digits = 0;
    for (uint64_t rest = v.high; rest != 0; rest >>= 4)
        digits++;
    digits = digits > 0 ? digits + 16 : 0;
    for (uint64_t rest = v.low; v.high == 0 && rest != 0; rest >>= 4)
        digits++;
    for (int i = digits - 1; i >= 0; i--) {
        out[i] = (uint8_t)lower[v.low & 15];
        v.low = v.low >> 4 | v.high << 60;
        v.high >>= 4;
    }
    return out + digits;
}

uint8_t *put_decimal(uint8_t *out, struct value v)
{
    uint32_t groups[MOST_NUMBER / FIGURES_AT_ONCE];     /* behind the first one, the last of them first */
    size_t count = 0;
    while (v.high > 0) {
        uint64_t rest = 0, limbs[4] = {v.high >> 32, v.high & UINT32_MAX, v.low >> 32, v.low & UINT32_MAX};
        for (int i = 0; i < 4; i++) {
            rest = rest << 32 | limbs[i];
            limbs[i] = rest / BELOW_THESE;
            rest %= BELOW_THESE;
        }
        v = (struct value){limbs[0] << 32 | limbs[1], limbs[2] << 32 | limbs[3]};
        groups[count++] = (uint32_t)rest;
    }
    for (; v.low >= BELOW_THESE; v.low /= BELOW_THESE)
        groups[count++] = (uint32_t)(v.low % BELOW_THESE);
    out = put_decimal_short(out, (uint32_t)v.low);
    for (; count > 0; out += FIGURES_AT_ONCE)
        put_eight(out, figures_of(groups[--count]) | ZEROS_IN_TEXT);
    return out;
}

/* In years that begin with March a day more or less comes last. */
uint8_t *put_date(uint8_t *out, int64_t day)
{
    int64_t shifted = day + 719468, era = floored(shifted, 146097), of_era = shifted - era * 146097;    /* days from 0000-03-01 on */
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100), month = (5 * of_year + 2) / 153;
    out = put_digits(out, (uint64_t)(era * 400 + year + (month >= 10)), 4);
    *out++ = '-';
    out = put_digits(out, (uint64_t)(month < 10 ? month + 3 : month - 9), 2);
    *out++ = '-';
    return put_digits(out, (uint64_t)(of_year - (153 * month + 2) / 5 + 1), 2);
}

uint8_t *put_clock(uint8_t *out, int64_t of_day)
{
    out = put_digits(out, (uint64_t)(of_day / 3600), 2);
    *out++ = ':';
    out = put_digits(out, (uint64_t)(of_day / 60 % 60), 2);
    *out++ = ':';
    return put_digits(out, (uint64_t)(of_day % 60), 2);
}

uint8_t *put_local(uint8_t *out, int64_t second)
{
    static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    time_t clock = (time_t)second;
    struct tm t;
    if ((int64_t)clock != second || localtime_r(&clock, &t) == NULL)
        return out;
    memcpy(out, days + 3 * t.tm_wday, 3);
    out[3] = ' ';
    memcpy(out + 4, months + 3 * t.tm_mon, 3);
    out[7] = ' ';
    out[8] = t.tm_mday < 10 ? ' ' : (uint8_t)('0' + t.tm_mday / 10);
    out[9] = (uint8_t)('0' + t.tm_mday % 10);
    out[10] = ' ';
    out = put_digits(out + 11, (uint64_t)t.tm_hour, 2);
    *out++ = ':';
    out = put_digits(out, (uint64_t)t.tm_min, 2);
    *out++ = ':';
    out = put_digits(out, (uint64_t)t.tm_sec, 2);          /* 60, at times */
    *out++ = ' ';
    return put_decimal(out, (struct value){0, (uint64_t)(1900 + (int64_t)t.tm_year)});
}

uint8_t *put_mac(uint8_t *out, uint64_t address)
{
    for (int shift = 40; shift >= 0; shift -= 8, out += 3) {
        put_pair(out, address >> shift & 0xFF);
        out[2] = ':';
    }
    return out - 1;
}

/* A byte with the point behind it; which figures it has is not guessed. */
static uint8_t *put_octet(uint8_t *out, uint32_t octet)
{
    uint32_t hundreds = octet * 41 >> 12, tens = octet * 205 >> 11;            /* divided by 100 and by 10, up to 255 */
    uint32_t zeros = (uint32_t)(octet < 100) + (uint32_t)(octet < 10);
    uint32_t text = hundreds << 24 | (tens - 10 * hundreds) << 16 | (octet - 10 * tens) << 8;
    text = (text | UINT32_C(0x30303000) | '.') << 8 * zeros;
    put_four(out, text);
    return out + sizeof text - zeros;
}

uint8_t *put_ipv4(uint8_t *out, uint64_t address)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        out = put_octet(out, address >> shift & 255);
    return out - 1;
}

/* RFC 5952: the longest run of zeros is `::`, the first of equals, and one zero is none (section 4.2). An IPv4 address is written as such
 * where a prefix says that it is one (section 5): ::ffff:0:0/96, 64:ff9b::/96. inet_ntop takes ::1:2 for ::0.1.0.2. */
uint8_t *put_ipv6(uint8_t *out, struct value v)
{
    static const char mapped[] = "::ffff:", translated[] = "64:ff9b::";
    unsigned word[8];
    if (v.high == 0 && v.low >> 32 == 0xFFFF) {
        memcpy(out, mapped, sizeof mapped - 1);
        return put_ipv4(out + sizeof mapped - 1, v.low & UINT32_MAX);
    }
    if (v.high == UINT64_C(0x64FF9B00000000) && v.low >> 32 == 0) {
        memcpy(out, translated, sizeof translated - 1);
        return put_ipv4(out + sizeof translated - 1, v.low & UINT32_MAX);
    }
    int best = 8, length = 1;
    for (int i = 0; i < 8; i++)
        word[i] = (unsigned)((i < 4 ? v.high : v.low) >> (48 - i % 4 * 16) & 0xFFFF);
    for (int i = 0, n; i < 8; i += n + 1) {
        for (n = 0; i + n < 8 && word[i + n] == 0; n++)
            ;
        if (n > length) {
            best = i;
            length = n;
        }
    }
    for (int i = 0; i < 8; i++) {
        if (i == best) {
            *out++ = ':';
            i += length - 1;
            if (i == 7)
                *out++ = ':';
            continue;
        }
        if (i > 0)
            *out++ = ':';
        for (int shift = word[i] > 0xFFF ? 12 : word[i] > 0xFF ? 8 : word[i] > 0xF ? 4 : 0; shift >= 0; shift -= 4)
            *out++ = (uint8_t)lower[word[i] >> shift & 15];
    }
    return out;
}

static bool is_bare(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '-' && c <= ':') || c == '@' || c == '_' || c == '+';
}

/* Characters as a filter takes them: in double quotes where they are no single word, other bytes as `\x` and digits. */
uint8_t *put_characters(uint8_t *out, const uint8_t *text, size_t size)
{
    bool bare = size > 0;
    for (size_t i = 0; bare && i < size; i++)
        bare = is_bare(text[i]) || text[i] < 0x20 || text[i] > 0x7E || text[i] == '"' || text[i] == '\\';
    if (!bare)
        *out++ = '"';
    for (size_t i = 0; i < size; i++) {
        uint8_t c = text[i];
        if (c >= 0x20 && c <= 0x7E && c != '"' && c != '\\') {
            *out++ = c;
            continue;
        }
        *out++ = '\\';
        *out++ = 'x';
        *out++ = (uint8_t)lower[c >> 4];
        *out++ = (uint8_t)lower[c & 15];
    }
    if (!bare)
        *out++ = '"';
    return out;
}

struct value number_of(const struct frame *f, const struct place *at)
{
    struct value v = read_raw(f, at);
    uint64_t scale = (uint64_t)at->field->scale, bias = (uint64_t)at->field->bias;
    return scale == 1 && bias == 0 ? v : scaled(v.low, bias, scale);
}

uint8_t *put_number(uint8_t *out, const struct frame *f, const struct place *at, unsigned form)
{
    struct value v = number_of(f, at);
    switch (form) {
    case MAC: return put_mac(out, v.low);
    case IPV4: return put_ipv4(out, v.low);
    case IPV6_ADDRESS: return put_ipv6(out, v);
    default: return put_hex(out, v);
    }
}
