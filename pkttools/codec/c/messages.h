/* What readers of messages share: a line that is written, of bounded size, and the message that it is about. Each family has a file. */
#ifndef PKTTOOLS_MESSAGES_H
#define PKTTOOLS_MESSAGES_H

#include "fields.h"

/* A line that grows up to MOST_TOLD bytes; what does not fit any more is left out, and dots say so. Printable ASCII is all that
 * comes out of it: `say` and the others are for what we say, `say_octets` for what stands in packets. */
struct sentence {
    uint8_t *at;
    size_t size;
    bool full;
};

void say(struct sentence *t, const char *text);
extern const char CUT_OFF[], BAD_LENGTH[], BAD_LABEL[];   /* marks */
void say_mark(struct sentence *t, const char *mark);    /* apart from what is in front of it, and only once */
void say_cut(struct sentence *t);       /* the mark of what goes on behind the end */
void say_together(struct sentence *t, const uint8_t *from, size_t size);    /* all of it, or nothing */
void say_count(struct sentence *t, uint64_t number);
void say_fixed(struct sentence *t, uint64_t number, int digits);    /* with zeros in front */
void say_figures(struct sentence *t, uint64_t number, int digits);  /* the same, hexadecimal */
void say_octet(struct sentence *t, uint8_t octet, uint8_t quote);   /* a character, or `\xNN`; `quote` and `\` have a `\` in front */
void say_octets(struct sentence *t, const struct frame *m, size_t at, size_t size);
void say_quoted(struct sentence *t, const struct frame *m, size_t at, size_t size);
void say_dump(struct sentence *t, const struct frame *m, size_t at, size_t size, const char *between);     /* hexadecimal */
void say_address(struct sentence *t, const struct frame *m, size_t at, size_t size);        /* of IPv4 or IPv6, by its size; or bytes */

/* A name for a number, of a list that ends with NULL. */
struct known {
    unsigned number;
    const char *text;
};

const char *known_as(const struct known *of, unsigned number);         /* NULL: it has none */
void say_word(struct sentence *t, const struct known *of, unsigned number, const char *otherwise);  /* that, and the number */

void say_moment(struct sentence *t, int64_t seconds, bool figures_alone);      /* since 1970, in UTC */

static inline uint64_t get64(const struct frame *f, size_t at)
{
    return (uint64_t)get32(f, at) << 32 | get32(f, at + 4);
}

static inline uint8_t lower(unsigned c)
{
    return (uint8_t)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

/* dns.c */

void say_label(struct sentence *t, const struct frame *m, size_t at, size_t size);
/* The name at `at` of a message that begins at `message`, with `first` bytes that are no names; whether it was whole. */
bool say_name_of(struct sentence *t, const struct frame *m, size_t message, size_t first, size_t at);
/* Where what follows a name stands; 0: it does not end. */
size_t behind_name(const struct frame *m, size_t at);

/* tls.c */

const char *handshake_name(unsigned type);      /* NULL: there is none */

/* Each tells the message at `at` of a frame that ends where the message may. What looks otherwise is not told: nothing is written. */
typedef void reader(struct sentence *t, const struct frame *m, size_t at);

reader tell_dns, tell_dns_tcp, tell_dhcp, tell_dhcpv6, tell_tls, tell_quic, tell_http, tell_sip, tell_ntp, tell_media, tell_stream, tell_arp;

#endif
