/* Canonical rows with the vectors of x86 processors: the same as row.c, several times as fast. */
#include "row.h"
#include "processor.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>

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

__attribute__((target("ssse3"))) static size_t read_ssse3(const uint8_t *text, size_t size, uint8_t *out, size_t limit, size_t *bytes)
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
        unsigned offset = pair(text) & pair(text + 2) & pair(text + 4);
        if (_mm_movemask_epi8(_mm_cmpeq_epi8(wrong, zero)) != 0xFFFF || (offset & PAIR) == 0 || text[ROW - 1] != '\n')
            break;
    }
    size_t last = n < limit && size >= ROW ? row_read_last(text, out + 16 * n) : 0;
    *bytes = 16 * n + last;
    return n + (last > 0);
}

__attribute__((target("ssse3"))) static uint8_t *write_ssse3(uint8_t *out, const uint8_t *data, size_t size)
{
    const __m128i figures = _mm_loadu_si128((const __m128i *)hex_digits), nibble = _mm_set1_epi8(15);
    /* Four bytes a group, blanks between and behind them; each store but the last is overlapped by the next. */
    const __m128i first = _mm_setr_epi8(0, 1, -1, 2, 3, -1, 4, 5, -1, 6, 7, -1, -1, -1, -1, -1);
    const __m128i second = _mm_setr_epi8(8, 9, -1, 10, 11, -1, 12, 13, -1, 14, 15, -1, -1, -1, -1, -1);
    const __m128i blanks = _mm_and_si128(_mm_cmplt_epi8(first, _mm_setzero_si128()), _mm_set1_epi8(' '));
    size_t at = 0;
    for (; size - at >= 16; at += 16, out += ROW) {
        __m128i v = _mm_loadu_si128((const __m128i *)(data + at));
        __m128i high = _mm_shuffle_epi8(figures, _mm_and_si128(_mm_srli_epi16(v, 4), nibble));
        __m128i low = _mm_shuffle_epi8(figures, _mm_and_si128(v, nibble));
        __m128i front = _mm_unpacklo_epi8(high, low), back = _mm_unpackhi_epi8(high, low);
        row_put_offset(out, at);
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
    return at < size ? row_write(out, data, at, size - at) : out;
}

enum { NOWHERE = 63 };

static uint8_t digit_place[64];         /* where the 32 digits of a row stand, then the 6 of its offset; then a blank */
static uint8_t place_digit[64 + 8];     /* the way back, for the first places of a row; NOWHERE: no digit stands there */
static uint8_t digit_value[128];        /* NOT_HEX where it is none */

__attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi"))) static size_t read_avx512(const uint8_t *text, size_t size, uint8_t *out, size_t limit, size_t *bytes)
{
    const __m512i places = _mm512_loadu_si512(digit_place), fixed = _mm512_loadu_si512(fixed_text);
    const __m512i low_half = _mm512_loadu_si512(digit_value), high_half = _mm512_loadu_si512(digit_value + 64);
    const __mmask64 known = _mm512_test_epi8_mask(_mm512_loadu_si512(fixed_mask), _mm512_loadu_si512(fixed_mask));
    const uint64_t offset = UINT64_C(0x3F) << 32;
    const __m256i weights = _mm256_set1_epi16(0x0110), end = _mm256_set1_epi8('\n');
    size_t n = 0, have = 0;
    for (; n < limit && size >= ROW; text += ROW, size -= ROW) {
        __m512i row = _mm512_loadu_si512(text);
        __m512i c = _mm512_permutexvar_epi8(places, row);
        __m512i value = _mm512_permutex2var_epi8(low_half, c, high_half);
        uint64_t bad = _mm512_movepi8_mask(_mm512_or_si512(value, c));
        /* The last 19 bytes: the characters, which are anything but a line's end, and the end. */
        uint32_t ends = _mm256_cmpeq_epi8_mask(_mm256_loadu_si256((const __m256i *)(text + ROW - 32)), end) >> 13;
        if (_mm512_mask_cmpneq_epi8_mask(known, row, fixed) != 0 || (bad & offset) != 0 || ends != 1U << 18)
            break;
        __m256i pairs = _mm256_maddubs_epi16(_mm512_castsi512_si256(value), weights);
        _mm_storeu_si128((__m128i *)(out + 16 * n), _mm256_cvtepi16_epi8(pairs));
        uint32_t missing = (uint32_t)bad;
        if (missing != 0) {             /* a last row has blanks where bytes are missing, and nowhere before */
            unsigned digits = (unsigned)__builtin_ctz(missing);
            uint32_t blank = (uint32_t)_mm512_cmpeq_epi8_mask(c, _mm512_set1_epi8(' '));
            if (digits % 2 != 0 || digits == 0 || missing != UINT32_MAX << digits || blank != missing)
                break;
            have = digits / 2;
            break;
        }
        n++;
    }
    *bytes = 16 * n + have;
    return n + (have > 0);
}

__attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi"))) static uint8_t *write_avx512(uint8_t *out, const uint8_t *data, size_t size)
{
    const __m512i figures = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)hex_digits)), low = _mm512_set1_epi8(15);
    const __m512i places = _mm512_loadu_si512(place_digit), empty = _mm512_loadu_si512(empty_row);
    const __mmask64 digits = _mm512_cmpneq_epi8_mask(places, _mm512_set1_epi8(NOWHERE));
    const __m128i blank = _mm_set1_epi8(' '), apart = _mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, -1, 8, 9, 10, 11, 12, 13, 14);
    for (size_t at = 0; at < size; at += 16, out += ROW) {
        size_t count = least(size - at, 16);
        __mmask16 filled = (__mmask16)((1U << count) - 1);
        __m128i v = _mm_maskz_loadu_epi8(filled, data + at);
        __m128i offset = _mm_cvtsi32_si128((int)(at >> 16 | (at & 0xFF00) | (at & 0xFF) << 16));
        __m512i wide = _mm512_cvtepu8_epi16(_mm256_set_m128i(offset, v));
        __m512i nibbles = _mm512_and_si512(_mm512_or_si512(_mm512_srli_epi16(wide, 4), _mm512_slli_epi16(wide, 8)), low);
        __m512i text = _mm512_shuffle_epi8(figures, nibbles);
        text = _mm512_mask_mov_epi8(text, UINT32_MAX & UINT64_MAX << 2 * count, _mm512_set1_epi8(' '));
        _mm512_storeu_si512(out, _mm512_mask_permutexvar_epi8(empty, digits, places, text));
        __mmask16 plain = _mm_cmpgt_epi8_mask(v, _mm_set1_epi8(0x1F)) & _mm_cmplt_epi8_mask(v, _mm_set1_epi8(0x7F));
        __m128i chars = _mm_mask_mov_epi8(blank, filled, _mm_mask_mov_epi8(_mm_set1_epi8('.'), plain, v));
        _mm_storeu_si128((__m128i *)(out + char_at(0)), _mm_mask_shuffle_epi8(blank, 0xFEFF, chars, apart));
        out[char_at(15)] = (uint8_t)_mm_extract_epi8(chars, 15);
        out[ROW - 1] = '\n';
    }
    return out;
}

__attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi"))) static uint8_t *labelled_write_avx512(uint8_t *out, const uint8_t *label, size_t label_size, const uint8_t *data, size_t size)
{
    const __m512i places = _mm512_loadu_si512(place_digit + byte_at(0)), blanks = _mm512_set1_epi8(' ');
    const __mmask64 digits = _mm512_cmpneq_epi8_mask(places, _mm512_set1_epi8(NOWHERE));
    const __m256i figures = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)hex_digits)), low = _mm256_set1_epi8(15);
    const __m512i front = _mm512_loadu_si512(label);
    for (size_t at = 0; at < size; at += 16) {
        size_t count = least(size - at, 16);
        __m256i wide = _mm256_cvtepu8_epi16(_mm_maskz_loadu_epi8((__mmask16)((1U << count) - 1), data + at));
        __m256i nibbles = _mm256_and_si256(_mm256_or_si256(_mm256_srli_epi16(wide, 4), _mm256_slli_epi16(wide, 8)), low);
        __m512i text = _mm512_castsi256_si512(_mm256_shuffle_epi8(figures, nibbles));
        if (label_size <= BEYOND)
            _mm512_storeu_si512(out, front);
        else
            memcpy(out, label, label_size);
        _mm512_storeu_si512(out + label_size, _mm512_mask_permutexvar_epi8(blanks, digits, places, text));
        out += label_size + text_of(count);
        *out++ = '\n';
    }
    return out;
}

static void prepare_avx512(void)
{
    memset(digit_place, 7, sizeof digit_place);
    memset(place_digit, NOWHERE, sizeof place_digit);
    for (uint8_t i = 0; i < 38; i++) {
        digit_place[i] = (uint8_t)(i < 32 ? byte_at(i / 2U) + i % 2U : i - 32U);
        place_digit[digit_place[i]] = i;
    }
    for (size_t i = 0; i < 128; i++)
        digit_value[i] = hex_value[i] < 16 ? hex_value[i] : NOT_HEX;
}

enum row_code rows_use_vectors(enum row_code wanted)
{
    if (wanted >= AVX512 && PROCESSOR_HAS(AVX512_VBMI, "avx512vbmi") && PROCESSOR_HAS(AVX512VL, "avx512vl")
        && PROCESSOR_HAS(AVX512BW, "avx512bw")) {
        prepare_avx512();
        rows_read = read_avx512;
        rows_write = write_avx512;
        labelled_write = labelled_write_avx512;
        return AVX512;
    }
    if (wanted >= SSSE3 && PROCESSOR_HAS(SSSE3, "ssse3")) {
        rows_read = read_ssse3;
        rows_write = write_ssse3;
        return SSSE3;
    }
    return PORTABLE;
}

#else

enum row_code rows_use_vectors(enum row_code wanted)
{
    (void)wanted;
    return PORTABLE;
}
#endif
