/* Messages of HTTP and SIP, which begin with a line, in a line. Twin of ../python/start_lines.py.
 *
 * They are known by the form of that line: RFC 9112 sections 2.2, 3 and 4, RFC 3261 section 7; a method is any token (RFC 9110 section 9.1).
 * Where a message ends, so that others are found behind it: RFC 9112 section 6, RFC 3261 section 18.3.
 */
#include "messages.h"

enum form { NOTHING, REQUEST, RESPONSE };

struct start {                  /* the first line of a message */
    enum form form;
    size_t at, end, next;       /* without what ends it; where the next line begins */
    bool cut;                   /* its end is not there */
    unsigned code;              /* of a response */
};

struct span {
    size_t at, size;
};

static bool is_blank(unsigned c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_digit(unsigned c)
{
    return c >= '0' && c <= '9';
}

/* RFC 9110 section 5.6.2. */
static bool in_token(unsigned c)
{
    return is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c != 0 && c < 0x80 && strchr("!#$%&'*+-.^_`|~", (int)c) != NULL);
}

/* A line from `at` on: its end without CR and LF, and where the next one begins; whether it ends. LF alone is to be accepted. */
static bool line_at(const struct frame *m, size_t at, size_t *end, size_t *next)
{
    const uint8_t *from = frame_range(m, at, m->size - at), *found = m->size > at ? memchr(from, '\n', m->size - at) : NULL;
    *end = *next = m->size;
    if (found == NULL)
        return false;
    *end = at + (size_t)(found - from);
    *next = *end + 1;
    *end -= *end > at && get8(m, *end - 1) == '\r';
    return true;
}

/* Whether a word stands there: letters as they are. */
static bool stands(const struct frame *m, size_t at, size_t end, const char *word)
{
    for (; *word != '\0'; word++, at++)
        if (at >= end || get8(m, at) != (uint8_t)*word)
            return false;
    return true;
}

/* Whether octets are a word, which is in small letters: those of the packet may be any. */
static bool is_word(const struct frame *m, size_t at, size_t size, const char *word)
{
    bool same = size == strlen(word);
    for (size_t i = 0; same && i < size; i++)
        same = lower(get8(m, at + i)) == (uint8_t)word[i];
    return same;
}

/* The version of a protocol, `HTTP/1.1`; where it ends; 0: it is none. */
static size_t version_at(const struct frame *m, size_t at, size_t end, const char *protocol)
{
    size_t size = strlen(protocol);
    if (!stands(m, at, end, protocol))
        return 0;
    at += size;
    return end - at >= 4 && get8(m, at) == '/' && is_digit(get8(m, at + 1)) && get8(m, at + 2) == '.' && is_digit(get8(m, at + 3)) ? at + 4 : 0;
}

/* What the line is. A request that is cut, or has no version, is one where it is expected. */
static struct start start_at(const struct frame *m, size_t at, const char *protocol, bool expected)
{
    struct start s = {.at = at};
    s.cut = !line_at(m, at, &s.end, &s.next);
    size_t behind = version_at(m, at, s.end, protocol), token = at;
    if (behind != 0) {
        bool code = s.end - behind >= 4 && get8(m, behind) == ' ' && is_digit(get8(m, behind + 1)) && is_digit(get8(m, behind + 2))
            && is_digit(get8(m, behind + 3)) && (s.end - behind == 4 || get8(m, behind + 4) == ' ');
        if (code)
            s.code = (get8(m, behind + 1) - '0') * 100 + (get8(m, behind + 2) - '0') * 10 + get8(m, behind + 3) - '0';
        s.form = code || (expected && s.cut) ? RESPONSE : NOTHING;
        return s;
    }
    while (token < s.end && in_token(get8(m, token)))
        token++;
    if (token == at || token >= s.end || get8(m, token) != ' ')
        return s;
    size_t last = s.end;
    while (get8(m, last - 1) != ' ')    /* one stands behind the token */
        last--;
    bool versioned = last > token + 2 && version_at(m, last, s.end, protocol) == s.end;
    s.form = versioned || (expected && (s.cut || last == token + 1) && s.end > token + 1) ? REQUEST : NOTHING;
    return s;
}

/* Past empty lines: one may stand in front of a request (RFC 9112 section 2.2). */
static size_t past_empty(const struct frame *m, size_t at)
{
    while (get8(m, at) == '\n' || (get8(m, at) == '\r' && get8(m, at + 1) == '\n'))
        at += get8(m, at) == '\r' ? 2 : 1;
    return at;
}

/* The value of the first field of a name, or of its compact one, among lines; blanks may stand in front of the colon, and a line that begins
 * with one belongs to the line before (RFC 3261 sections 7.3.1, 7.3.3). Whether it is there. */
static bool field_of(const struct frame *m, size_t at, size_t behind, const char *name, const char *compact, struct span *value)
{
    size_t end, next;
    for (; at < behind; at = next) {
        line_at(m, at, &end, &next);
        while (next < behind && (get8(m, next) == ' ' || get8(m, next) == '\t'))
            line_at(m, next, &end, &next);
        size_t colon = at, size = 0;
        while (colon < end && get8(m, colon) != ':')
            colon++;
        while (at + size < colon && !is_blank(get8(m, at + size)))
            size++;
        bool same = is_word(m, at, size, name) || (size > 0 && is_word(m, at, size, compact));
        if (!same || colon == end)
            continue;
        size_t first = colon + 1;
        while (first < end && is_blank(get8(m, first)))
            first++;
        while (end > first && is_blank(get8(m, end - 1)))
            end--;
        *value = (struct span){first, end - first};
        return true;
    }
    return false;
}

/* Where the lines of a message end, and its body begins; whether they do. */
static bool head_end(const struct frame *m, size_t at, size_t *behind, size_t *body)
{
    size_t end, next;
    for (; at < m->size; at = next) {
        bool whole = line_at(m, at, &end, &next);
        if (whole && end == at) {
            *behind = at;
            *body = next;
            return true;
        }
    }
    *behind = *body = m->size;
    return false;
}

/* A number in figures; SIZE_MAX: it is too large, or none. */
static size_t figure(const struct frame *m, size_t at, size_t size, unsigned base)
{
    size_t number = 0;
    for (size_t i = 0; i < size; i++) {
        unsigned c = lower(get8(m, at + i));
        unsigned digit = is_digit(c) ? c - '0' : base == 16 && c >= 'a' && c <= 'f' ? c - 'a' + 10 : base;
        if (digit >= base || number > MAX_FRAME)
            return SIZE_MAX;
        number = number * base + digit;
    }
    return size > 0 ? number : SIZE_MAX;
}

/* Where chunks end: RFC 9112 section 7.1. What is no chunk ends nowhere. */
static size_t behind_chunks(const struct frame *m, size_t at)
{
    size_t end, next, behind, body;
    for (size_t size = 1; size > 0;) {
        size_t digits = 0;
        if (!line_at(m, at, &end, &next))
            return m->size;
        while (at + digits < end && figure(m, at + digits, 1, 16) != SIZE_MAX)
            digits++;
        size = figure(m, at, digits, 16);
        if (size > m->size - next)
            return m->size;
        at = next + size;
        if (size > 0 && (!line_at(m, at, &end, &next) || end != at))
            return m->size;
        at = size > 0 ? next : at;
    }
    return head_end(m, at, &behind, &body) ? body : m->size;
}

/* Whether chunked is the last coding. */
static bool is_chunked(const struct frame *m, struct span codings)
{
    static const char word[] = "chunked";
    size_t size = sizeof word - 1, at = codings.at + codings.size - size;
    if (codings.size < size || (codings.size > size && !is_blank(get8(m, at - 1)) && get8(m, at - 1) != ','))
        return false;
    return is_word(m, at, size, word);
}

/* Where a message ends; that is the end of what there is, if it does not end there. */
static size_t message_end(const struct frame *m, const struct start *s, bool sip)
{
    size_t behind, body;
    struct span value;
    if (s->cut || !head_end(m, s->next, &behind, &body))
        return m->size;
    if (!sip && s->form == RESPONSE) {
        bool none = s->code / 100 == 1 || s->code == 204 || s->code == 304;
        if (none || start_at(m, body, "HTTP", false).form == RESPONSE)  /* the answer to HEAD has the length of a body that is not there */
            return body;
    }
    if (!sip && field_of(m, s->next, behind, "transfer-encoding", "", &value))
        return is_chunked(m, value) ? behind_chunks(m, body) : m->size;
    if (field_of(m, s->next, behind, "content-length", sip ? "l" : "", &value)) {
        size_t size = figure(m, value.at, value.size, 10);
        return size > m->size - body ? m->size : body + size;
    }
    return !sip && s->form == REQUEST ? body : m->size;
}

static void say_field(struct sentence *t, const struct frame *m, const struct start *s, const char *name, const char *compact)
{
    size_t behind, body;
    struct span value;
    head_end(m, s->next, &behind, &body);
    if (!field_of(m, s->next, behind, name, compact, &value))
        return;
    say(t, " ");
    say(t, name);
    say(t, " ");
    for (size_t i = value.at; i < value.at + value.size && !t->full; i++)
        if (get8(m, i) != '\r' && get8(m, i) != '\n')  /* where the line is folded */
            say_octet(t, (uint8_t)get8(m, i), '\\');
}

/* The first message, and how many follow. */
static void tell_start(struct sentence *t, const struct frame *m, size_t at, bool sip, bool expected)
{
    const char *protocol = sip ? "SIP" : "HTTP";
    struct start s = start_at(m, past_empty(m, at), protocol, expected);
    if (s.form == NOTHING)
        return;
    say_octets(t, m, s.at, s.end - s.at);
    if (s.cut)
        say_cut(t);
    if (sip && s.form == RESPONSE)
        say_field(t, m, &s, "cseq", "");
    if (sip)
        say_field(t, m, &s, "call-id", "i");
    size_t more = 0;
    for (at = message_end(m, &s, sip); at < m->size; at = message_end(m, &s, sip), more++) {
        s = start_at(m, past_empty(m, at), protocol, false);
        if (s.form == NOTHING)
            break;
    }
    if (more > 0) {
        say(t, " (+");
        say_count(t, more);
        say(t, " more)");
    }
}

void tell_http(struct sentence *t, const struct frame *m, size_t at)
{
    tell_start(t, m, at, false, true);
}

/* RFC 5626 section 3.5.1: two empty lines are a question, one is its answer. */
void tell_sip(struct sentence *t, const struct frame *m, size_t at)
{
    if (past_empty(m, at) == m->size)
        say(t, m->size - at > 2 ? "keep-alive" : "keep-alive answer");
    else
        tell_start(t, m, at, true, true);
}

/* What begins with a line of these, or with a record of TLS, whatever its port is. */
void tell_stream(struct sentence *t, const struct frame *m, size_t at)
{
    tell_start(t, m, at, false, false);
    if (t->size == 0)
        tell_start(t, m, at, true, false);
    if (t->size > 0)
        return;
    unsigned type = get8(m, at), size = get16(m, at + 3);
    if (type >= 20 && type <= 23 && get8(m, at + 1) == 3 && get8(m, at + 2) <= 4 && size > 0 && size <= 16384 + 2048) {
        say(t, "TLS ");
        tell_tls(t, m, at);
    }
}
