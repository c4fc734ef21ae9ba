/* What application messages say, in a line: the readers by number, and what they write with. Twin of ../python/messages.py. */
#include "messages.h"

static const char MORE[] = "...", digits_of_hex[] = HEX_DIGITS;
const char CUT_OFF[] = "[|]", BAD_LENGTH[] = "[bad length]", BAD_LABEL[] = "[bad label]";
enum { ROOM = MOST_TOLD - sizeof MORE + 1 };

void say_together(struct sentence *t, const uint8_t *from, size_t size)
{
    t->full |= size > ROOM - t->size;
    if (!t->full) {
        memcpy(t->at + t->size, from, size);
        t->size += size;
    }
}

void say(struct sentence *t, const char *text)
{
    for (; *text != '\0' && !t->full; text++)
        say_together(t, (const uint8_t *)text, 1);
}

/* Whether the line ends in a text. */
static bool ends_in(const struct sentence *t, const char *text)
{
    size_t size = strlen(text);
    return t->size >= size && memcmp(t->at + t->size - size, text, size) == 0;
}

void say_mark(struct sentence *t, const char *mark)
{
    if (ends_in(t, mark))
        return;
    say(t, t->size == 0 || ends_in(t, " ") ? "" : " ");
    say(t, mark);
}

void say_cut(struct sentence *t)
{
    say_mark(t, CUT_OFF);
}

void say_fixed(struct sentence *t, uint64_t number, int digits)
{
    char figures[21];
    int at = sizeof figures - 1;
    figures[at] = '\0';
    for (; number > 0 || digits > 0 || at == sizeof figures - 1; number /= 10, digits--)
        figures[--at] = (char)('0' + number % 10);
    say(t, figures + at);
}

void say_count(struct sentence *t, uint64_t number)
{
    say_fixed(t, number, 0);
}

void say_figures(struct sentence *t, uint64_t number, int digits)
{
    for (int shift = 4 * digits - 4; shift >= 0; shift -= 4)
        say(t, (const char[]){digits_of_hex[number >> shift & 15], '\0'});
}

void say_octet(struct sentence *t, uint8_t octet, uint8_t quote)
{
    if (octet == quote || octet == '\\')
        say_together(t, (const uint8_t[]){'\\', octet}, 2);
    else if (octet < 0x20 || octet > 0x7E)
        say_together(t, (const uint8_t[]){'\\', 'x', (uint8_t)digits_of_hex[octet >> 4], (uint8_t)digits_of_hex[octet & 15]}, 4);
    else
        say_together(t, &octet, 1);
}

void say_octets(struct sentence *t, const struct frame *m, size_t at, size_t size)
{
    for (size_t i = 0; i < size && !t->full; i++)
        say_octet(t, (uint8_t)get8(m, at + i), '\\');
}

void say_quoted(struct sentence *t, const struct frame *m, size_t at, size_t size)
{
    say(t, "\"");
    for (size_t i = 0; i < size && !t->full; i++)
        say_octet(t, (uint8_t)get8(m, at + i), '"');
    say(t, "\"");
}

void say_dump(struct sentence *t, const struct frame *m, size_t at, size_t size, const char *between)
{
    for (size_t i = 0; i < size && !t->full; i++) {
        say(t, i > 0 ? between : "");
        say_figures(t, get8(m, at + i), 2);
    }
}

void say_address(struct sentence *t, const struct frame *m, size_t at, size_t size)
{
    uint8_t text[MOST_NUMBER];
    if (size == 4)
        say_together(t, text, (size_t)(put_ipv4(text, get32(m, at)) - text));
    else if (size == 16)
        say_together(t, text, (size_t)(put_ipv6(text, (struct value){get64(m, at), get64(m, at + 8)}) - text));
    else
        say_dump(t, m, at, size, ":");
}

const char *known_as(const struct known *of, unsigned number)
{
    for (; of->text != NULL; of++)
        if (of->number == number)
            return of->text;
    return NULL;
}

void say_word(struct sentence *t, const struct known *of, unsigned number, const char *otherwise)
{
    const char *word = known_as(of, number);
    say(t, word != NULL ? word : otherwise);
    if (word == NULL)
        say_count(t, number);
}

void say_moment(struct sentence *t, int64_t seconds, bool figures_alone)
{
    int64_t day = floored(seconds, DAY);
    uint8_t text[32], *end = put_date(text, day);
    *end++ = 'T';
    end = put_clock(end, seconds - day * DAY);
    for (const uint8_t *c = text; c < end; c++)
        if (!figures_alone || (*c >= '0' && *c <= '9'))
            say_together(t, c, 1);
}

static reader *const readers[READERS] = {
    [READ_DNS] = tell_dns, [READ_DNS_TCP] = tell_dns_tcp, [READ_DHCP] = tell_dhcp, [READ_DHCPV6] = tell_dhcpv6, [READ_TLS] = tell_tls,
    [READ_QUIC] = tell_quic, [READ_HTTP] = tell_http, [READ_SIP] = tell_sip, [READ_NTP] = tell_ntp, [READ_MEDIA] = tell_media,
    [READ_STREAM] = tell_stream, [READ_ARP] = tell_arp,
};

size_t tell(enum reader which, const struct frame *f, size_t at, size_t end, uint8_t *out)
{
    struct sentence told = {.at = out};
    const struct frame message = {f->at, least(end, f->size)};
    if (at < message.size)
        readers[which](&told, &message, at);
    if (told.full) {
        memcpy(out + told.size, MORE, sizeof MORE - 1);
        told.size += sizeof MORE - 1;
    }
    return told.size;
}
