/* The canonical row, 16 bytes of a packet in 79 characters: what our own writer writes, and nearly all that is read.
 *
 * 000000: 00 11 22 33  44 55 66 77  88 99 AA BB  CC DD EE FF : ........ ........   and the end of the line
 */
#include "codec.h"

#define X NOT_HEX
#define W WORD
#define X16 X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X
const uint8_t hex_value[256] = {
    X16, X16, X16,
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, X, X, X, X, X, X,
    X, 10, 11, 12, 13, 14, 15, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, X, X, X, X, W,
    X, 10, 11, 12, 13, 14, 15, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, X, X, X, X, X,
    X16, X16, X16, X16, X16, X16, X16, X16,
};
#undef X
#undef W
#undef X16

const char hex_digits[] = "0123456789ABCDEF";

enum { PREFIX = 60 };                           /* bytes of a row up to its second colon */
enum { NO_PAIR = 0x100 };

static uint16_t pair_value[65536];              /* two hex digits, as they lie in memory, to a byte; or NO_PAIR */
static uint8_t fixed_mask[64], fixed_text[64];  /* the places of a row's prefix that are always the same */
static uint8_t pair_text[256][2], empty_row[ROW];

static size_t byte_at(size_t i)
{
    return 8 + 3 * i + i / 4;
}

static size_t char_at(size_t i)
{
    return PREFIX + 1 + i + i / 8;
}

static inline uint64_t load64(const uint8_t *at)
{
    uint64_t v;
    memcpy(&v, at, 8);
    return v;
}

static inline unsigned pair(const uint8_t *at)
{
    uint16_t index;
    memcpy(&index, at, 2);
    return pair_value[index];
}

/* Not zero when one of eight bytes is a line's end. */
static inline uint64_t line_ends(uint64_t v)
{
    v ^= UINT64_C(0x0A0A0A0A0A0A0A0A);
    return (v - UINT64_C(0x0101010101010101)) & ~v & UINT64_C(0x8080808080808080);
}

static bool read_row(const uint8_t *row, uint8_t *out)
{
    uint64_t wrong = 0;
    for (int i = 0; i < 64; i += 8)
        wrong |= (load64(row + i) & load64(fixed_mask + i)) ^ load64(fixed_text + i);
    unsigned bad = pair(row) | pair(row + 2) | pair(row + 4);
    for (size_t i = 0; i < 16; i++) {
        unsigned value = pair(row + byte_at(i));
        bad |= value;
        out[i] = (uint8_t)value;
    }
    uint64_t ends = line_ends(load64(row + 60)) | line_ends(load64(row + 68)) | line_ends(load64(row + 70));
    return wrong == 0 && (bad & NO_PAIR) == 0 && ends == 0 && row[ROW - 1] == '\n';
}

static size_t read_portable(const uint8_t *text, size_t size, uint8_t *out, size_t limit)
{
    size_t n = 0;
    while (n < limit && size - n * ROW >= ROW && read_row(text + n * ROW, out + n * 16))
        n++;
    return n;
}

static void put_offset(uint8_t *out, size_t offset)
{
    for (size_t i = 0; i < 3; i++)
        memcpy(out + 2 * i, pair_text[offset >> (16 - 8 * i) & 0xFF], 2);
}

static uint8_t *write_portable(uint8_t *out, const uint8_t *data, size_t count)
{
    for (size_t at = 0; at < count * 16; at += 16, out += ROW) {
        memcpy(out, empty_row, ROW);
        put_offset(out, at);
        for (size_t i = 0; i < 16; i++) {
            memcpy(out + byte_at(i), pair_text[data[at + i]], 2);
            out[char_at(i)] = shown(data[at + i]);
        }
    }
    return out;
}

/* ---- the same with vectors, where the processor has them ---- */

#if defined(__x86_64__) && defined(__GNUC__)
#define VECTORS
#include <tmmintrin.h>

/* Values of 16 hex digits; `valid` loses its bits where there is none. */
__attribute__((target("ssse3"))) static inline __m128i digit_values(__m128i c, __m128i *valid)
{
    __m128i digit = _mm_sub_epi8(c, _mm_set1_epi8('0'));
    __m128i letter = _mm_sub_epi8(_mm_or_si128(c, _mm_set1_epi8(0x20)), _mm_set1_epi8('a'));
    __m128i is_digit = _mm_cmpeq_epi8(_mm_min_epu8(digit, _mm_set1_epi8(9)), digit);
    __m128i is_letter = _mm_cmpeq_epi8(_mm_min_epu8(letter, _mm_set1_epi8(5)), letter);
    *valid = _mm_and_si128(*valid, _mm_or_si128(is_digit, is_letter));
    return _mm_or_si128(_mm_and_si128(is_digit, digit), _mm_and_si128(is_letter, _mm_add_epi8(letter, _mm_set1_epi8(10))));
}

__attribute__((target("ssse3"))) static size_t read_vectors(const uint8_t *text, size_t size, uint8_t *out, size_t limit)
{
    const __m128i zero = _mm_setzero_si128(), end = _mm_set1_epi8('\n');
    /* Four bytes a group: their four high digits, then their four low ones. */
    const __m128i apart = _mm_setr_epi8(0, 3, 6, 9, 1, 4, 7, 10, -1, -1, -1, -1, -1, -1, -1, -1);
    __m128i mask[4], fixed[4];
    for (int i = 0; i < 4; i++) {
        mask[i] = _mm_loadu_si128((const __m128i *)(fixed_mask + 16 * i));
        fixed[i] = _mm_loadu_si128((const __m128i *)(fixed_text + 16 * i));
    }
    size_t n = 0;
    for (; n < limit && size >= ROW; n++, text += ROW, size -= ROW) {
        __m128i wrong = zero, valid = _mm_set1_epi8(-1), g[4];
        for (int i = 0; i < 4; i++) {
            __m128i v = _mm_loadu_si128((const __m128i *)(text + 16 * i));
            wrong = _mm_or_si128(wrong, _mm_xor_si128(_mm_and_si128(v, mask[i]), fixed[i]));
            g[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(text + 8 + 13 * i)), apart);
        }
        __m128i front = _mm_unpacklo_epi32(g[0], g[1]), back = _mm_unpacklo_epi32(g[2], g[3]);
        __m128i high = digit_values(_mm_unpacklo_epi64(front, back), &valid);
        __m128i low = digit_values(_mm_unpackhi_epi64(front, back), &valid);
        _mm_storeu_si128((__m128i *)(out + 16 * n), _mm_or_si128(_mm_slli_epi16(high, 4), low));
        /* Nothing wrong, no line's end among the characters, digits everywhere. */
        wrong = _mm_or_si128(wrong, _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(text + 60)), end));
        wrong = _mm_or_si128(wrong, _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(text + 62)), end));
        wrong = _mm_or_si128(wrong, _mm_cmpeq_epi8(valid, zero));
        unsigned offset = pair(text) | pair(text + 2) | pair(text + 4);
        if (_mm_movemask_epi8(_mm_cmpeq_epi8(wrong, zero)) != 0xFFFF || (offset & NO_PAIR) != 0 || text[ROW - 1] != '\n')
            break;
    }
    return n;
}

__attribute__((target("ssse3"))) static uint8_t *write_vectors(uint8_t *out, const uint8_t *data, size_t count)
{
    const __m128i figures = _mm_loadu_si128((const __m128i *)hex_digits), nibble = _mm_set1_epi8(15);
    /* Four bytes a group, blanks between and behind them; each store but the last is overlapped by the next. */
    const __m128i first = _mm_setr_epi8(0, 1, -1, 2, 3, -1, 4, 5, -1, 6, 7, -1, -1, -1, -1, -1);
    const __m128i second = _mm_setr_epi8(8, 9, -1, 10, 11, -1, 12, 13, -1, 14, 15, -1, -1, -1, -1, -1);
    const __m128i blanks = _mm_and_si128(_mm_cmplt_epi8(first, _mm_setzero_si128()), _mm_set1_epi8(' '));
    for (size_t at = 0; at < count * 16; at += 16, out += ROW) {
        __m128i v = _mm_loadu_si128((const __m128i *)(data + at));
        __m128i high = _mm_shuffle_epi8(figures, _mm_and_si128(_mm_srli_epi16(v, 4), nibble));
        __m128i low = _mm_shuffle_epi8(figures, _mm_and_si128(v, nibble));
        __m128i front = _mm_unpacklo_epi8(high, low), back = _mm_unpackhi_epi8(high, low);
        put_offset(out, at);
        out[6] = ':';
        out[7] = ' ';
        _mm_storeu_si128((__m128i *)(out + 8), _mm_or_si128(_mm_shuffle_epi8(front, first), blanks));
        _mm_storeu_si128((__m128i *)(out + 21), _mm_or_si128(_mm_shuffle_epi8(front, second), blanks));
        _mm_storeu_si128((__m128i *)(out + 34), _mm_or_si128(_mm_shuffle_epi8(back, first), blanks));
        _mm_storeu_si128((__m128i *)(out + 47), _mm_or_si128(_mm_shuffle_epi8(back, second), blanks));
        __m128i plain = _mm_and_si128(_mm_cmpgt_epi8(v, _mm_set1_epi8(0x1F)), _mm_cmplt_epi8(v, _mm_set1_epi8(0x7F)));
        __m128i chars = _mm_or_si128(_mm_and_si128(plain, v), _mm_andnot_si128(plain, _mm_set1_epi8('.')));
        out[59] = ':';
        out[60] = ' ';
        _mm_storel_epi64((__m128i *)(out + 61), chars);
        out[69] = ' ';
        _mm_storel_epi64((__m128i *)(out + 70), _mm_srli_si128(chars, 8));
        out[78] = '\n';
    }
    return out;
}
#endif

size_t (*rows_read)(const uint8_t *text, size_t size, uint8_t *out, size_t limit) = read_portable;
uint8_t *(*rows_write)(uint8_t *out, const uint8_t *data, size_t count) = write_portable;

void rows_prepare(void)
{
    for (size_t i = 0; i < 65536; i++)
        pair_value[i] = NO_PAIR;
    for (unsigned high = 0; high < 256; high++)
        for (unsigned low = 0; low < 256; low++)
            if (hex_value[high] < 16 && hex_value[low] < 16) {
                const uint8_t pair[2] = {(uint8_t)high, (uint8_t)low};
                uint16_t index;
                memcpy(&index, pair, 2);
                pair_value[index] = (uint16_t)(hex_value[high] << 4 | hex_value[low]);
            }
    for (unsigned i = 0; i < 256; i++) {
        pair_text[i][0] = (uint8_t)hex_digits[i >> 4];
        pair_text[i][1] = (uint8_t)hex_digits[i & 15];
    }
    memset(empty_row, ' ', ROW);
    empty_row[6] = empty_row[PREFIX - 1] = ':';
    empty_row[ROW - 1] = '\n';
    for (size_t i = 6; i < PREFIX; i++) {
        fixed_mask[i] = 0xFF;
        fixed_text[i] = i == 6 || i == PREFIX - 1 ? ':' : ' ';
    }
    for (size_t i = 0; i < 16; i++)
        fixed_mask[byte_at(i)] = fixed_mask[byte_at(i) + 1] = fixed_text[byte_at(i)] = fixed_text[byte_at(i) + 1] = 0;
    rows_use_vectors(true);
}

bool rows_use_vectors(bool wanted)
{
    rows_read = read_portable;
    rows_write = write_portable;
#ifdef VECTORS
    if (wanted && __builtin_cpu_supports("ssse3")) {
        rows_read = read_vectors;
        rows_write = write_vectors;
    }
#endif
    return wanted && rows_read != read_portable;
}
