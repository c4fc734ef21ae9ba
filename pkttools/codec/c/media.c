/* What shares a port with RTP, known by the first octet (RFC 7983 section 7, RFC 5761 section 4), in a line. Twin of ../python/media.py.
 *
 * RTP, RTCP: RFC 3550 sections 5.1 and 6; STUN: RFC 8489 sections 5 and 14; DTLS: RFC 6347, RFC 9147; ZRTP: RFC 6189 section 5.
 */
#include "messages.h"

enum { STUN_HEADER = 20, RTP_HEADER = 12, RTCP_HEADER = 4, DTLS_RECORD = 13 };
enum { MAPPED = 1, USER = 6, ERROR = 9, XOR_MAPPED = 0x20 };
#define COOKIE UINT32_C(0x2112A442)
#define ZRTP_MAGIC UINT32_C(0x5A525450)

/* ---- STUN ---- */

static const struct known methods[] = {{1, "Binding"}, {3, "Allocate"}, {4, "Refresh"}, {6, "Send"}, {7, "Data"}, {8, "CreatePermission"},
                                       {9, "ChannelBind"}, {10, "Connect"}, {11, "ConnectionBind"}, {12, "ConnectionAttempt"}, {0, NULL}};

/* An address and a port, which may be hidden from what rewrites such: RFC 8489 section 14.2. */
static void say_mapped(struct sentence *t, const struct frame *m, size_t message, size_t at, size_t size, bool hidden)
{
    uint8_t address[16];
    size_t octets = get8(m, at + 1) == 1 ? 4 : 16;
    if (size != octets + 4) {
        say_mark(t, BAD_LENGTH);
        return;
    }
    for (size_t i = 0; i < octets; i++)
        address[i] = (uint8_t)(get8(m, at + 4 + i) ^ (hidden ? get8(m, message + 4 + i) : 0));
    say(t, octets == 16 ? "[" : "");
    say_address(t, &(struct frame){address, octets}, 0, octets);
    say(t, octets == 16 ? "]:" : ":");
    say_count(t, get16(m, at + 2) ^ (hidden ? get16(m, message + 4) : 0));
}

static void tell_stun(struct sentence *t, const struct frame *m, size_t message)
{
    static const char *const classes[] = {" request", " indication", " success", " error"};
    unsigned type = get16(m, message), method = (type & 15) | (type >> 1 & 0x70) | (type >> 2 & 0xF80);
    if (!frame_has(m, message, STUN_HEADER))
        return;
    say(t, "STUN ");
    say_word(t, methods, method, "method ");
    say(t, classes[(type >> 4 & 1) | (type >> 7 & 2)]);
    size_t end = message + STUN_HEADER + get16(m, message + 2);
    for (size_t at = message + STUN_HEADER, size; at + 4 <= least(end, m->size) && !t->full; at += (size + 3) / 4 * 4) {
        unsigned attribute = get16(m, at);
        size = get16(m, at + 2);
        at += 4;
        if (size > least(end, m->size) - at)
            break;
        if (attribute == XOR_MAPPED || attribute == MAPPED) {
            say(t, " mapped ");
            say_mapped(t, m, message, at, size, attribute == XOR_MAPPED && get32(m, message + 4) == COOKIE);
        } else if (attribute == USER) {
            say(t, " user ");
            say_quoted(t, m, at, size);
        } else if (attribute == ERROR && size >= 4) {
            say(t, " ");
            say_count(t, (get8(m, at + 2) & 7) * 100 + get8(m, at + 3));
            say(t, " ");
            say_quoted(t, m, at + 4, size - 4);
        }
    }
    if (end > m->size)
        say_cut(t);
}

/* ---- DTLS ---- */

static const struct known records[] = {{20, "ChangeCipherSpec"}, {21, "Alert"}, {22, "Handshake"}, {23, "Application Data"}, {24, "Heartbeat"},
                                       {25, "Connection ID"}, {26, "ACK"}, {0, NULL}};

static void tell_dtls(struct sentence *t, const struct frame *m, size_t at)
{
    if (get8(m, at) >= 32) {    /* RFC 9147 section 4 */
        say(t, "DTLS 1.3 encrypted");
        return;
    }
    if (!frame_has(m, at, DTLS_RECORD) || get8(m, at + 1) != 0xFE)
        return;
    say(t, get8(m, at + 2) == 0xFF ? "DTLS 1.0" : get8(m, at + 2) == 0xFD ? "DTLS 1.2" : "DTLS");
    for (const char *between = " "; frame_has(m, at, DTLS_RECORD) && get8(m, at + 1) == 0xFE && !t->full; between = ", ") {
        unsigned type = get8(m, at), epoch = get16(m, at + 3);
        size_t size = get16(m, at + 11);
        const char *name = epoch == 0 && type == 22 && frame_has(m, at + DTLS_RECORD, 1) ? handshake_name(get8(m, at + DTLS_RECORD)) : NULL;
        say(t, between);
        say(t, epoch > 0 && (type == 21 || type == 22) ? "Encrypted " : "");
        if (name != NULL)
            say(t, name);
        else
            say_word(t, records, type, "type ");
        at += DTLS_RECORD + size;
        if (at > m->size)
            say_cut(t);
    }
}

/* ---- RTP and RTCP ---- */

static const struct known payloads[] = {        /* IANA "RTP Payload Types"; from 96 on they are agreed upon */
    {0, "PCMU"}, {3, "GSM"}, {4, "G723"}, {5, "DVI4"}, {6, "DVI4"}, {7, "LPC"}, {8, "PCMA"}, {9, "G722"}, {10, "L16"}, {11, "L16"}, {12, "QCELP"},
    {13, "CN"}, {14, "MPA"}, {15, "G728"}, {16, "DVI4"}, {17, "DVI4"}, {18, "G729"}, {25, "CelB"}, {26, "JPEG"}, {28, "nv"}, {31, "H261"},
    {32, "MPV"}, {33, "MP2T"}, {34, "H263"}, {0, NULL},
};

static const struct known reports[] = {{192, "FIR"}, {193, "NACK"}, {200, "SR"}, {201, "RR"}, {202, "SDES"}, {203, "BYE"}, {204, "APP"},
                                       {205, "RTPFB"}, {206, "PSFB"}, {207, "XR"}, {0, NULL}};

static void say_source(struct sentence *t, const struct frame *m, size_t at)
{
    say(t, " ssrc 0x");
    say_figures(t, get32(m, at), 8);
}

/* The payload stands behind sources and an extension, and in front of padding, whose last octet counts it. */
static void tell_rtp(struct sentence *t, const struct frame *m, size_t at)
{
    unsigned first = get8(m, at), second = get8(m, at + 1), padding = first & 0x20 ? get8(m, m->size - 1) : 0;
    if (!frame_has(m, at, RTP_HEADER))
        return;
    say(t, "RTP ");
    say_word(t, payloads, second & 0x7F, "type ");
    say(t, second & 0x80 ? " mark" : "");
    say(t, " seq ");
    say_count(t, get16(m, at + 2));
    say(t, " time ");
    say_count(t, get32(m, at + 4));
    say_source(t, m, at + 8);
    size_t size = RTP_HEADER + (first & 15) * 4;
    if (first & 0x10)
        size += frame_has(m, at, size + 4) ? get16(m, at + size + 2) * 4 + 4 : 4;
    if (size + padding > m->size - at || (first & 0x20 && padding == 0)) {
        say_mark(t, BAD_LENGTH);
        return;
    }
    say(t, " size ");
    say_count(t, m->size - at - size - padding);
}

static void tell_rtcp(struct sentence *t, const struct frame *m, size_t at)
{
    say(t, "RTCP");
    for (const char *between = " "; frame_has(m, at, RTCP_HEADER) && get8(m, at) >> 6 == 2 && !t->full; between = ", ") {
        size_t size = get16(m, at + 2) * 4 + 4;
        say(t, between);
        say_word(t, reports, get8(m, at + 1), "type ");
        if (between[0] == ' ' && size >= 8 && frame_has(m, at + 4, 4))
            say_source(t, m, at + 4);
        at += size;
        if (at > m->size)
            say_cut(t);
    }
}

/* ---- all of them ---- */

static void tell_zrtp(struct sentence *t, const struct frame *m, size_t at)
{
    if (get32(m, at + 4) != ZRTP_MAGIC || !frame_has(m, at, 24))
        return;
    size_t size = 8;
    while (size > 0 && (get8(m, at + 15 + size) == ' ' || get8(m, at + 15 + size) == 0))
        size--;
    say(t, "ZRTP ");
    say_octets(t, m, at + 16, size);
    say(t, " seq ");
    say_count(t, get16(m, at + 2));
    say_source(t, m, at + 8);
}

void tell_media(struct sentence *t, const struct frame *m, size_t at)
{
    unsigned first = get8(m, at), second = get8(m, at + 1);
    if (first < 4)
        tell_stun(t, m, at);
    else if (first >= 16 && first < 20)
        tell_zrtp(t, m, at);
    else if (first >= 20 && first < 64)
        tell_dtls(t, m, at);
    else if (first >= 64 && first < 80 && frame_has(m, at, 4)) {
        say(t, "TURN channel 0x");
        say_figures(t, get16(m, at), 4);
        say(t, " size ");
        say_count(t, get16(m, at + 2));
    } else if (first >= 128 && first < 192 && second >= 192 && second < 224 && frame_has(m, at, RTCP_HEADER))
        tell_rtcp(t, m, at);
    else if (first >= 128 && first < 192)
        tell_rtp(t, m, at);
}
