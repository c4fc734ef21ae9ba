/* Records of TLS, in a line. Twin of ../python/tls.py.
 *
 * RFC 8446 sections 4 and 5, RFC 5246; names of servers: RFC 6066 section 3, protocols: RFC 7301, values that say nothing: RFC 8701.
 */
#include "messages.h"

enum { RECORD_HEAD = 5, CHANGE = 20, ALERT = 21, HANDSHAKE = 22, DATA_RECORD = 23, HEARTBEAT = 24 };
enum { CLIENT_HELLO = 1, SERVER_HELLO = 2, SERVER_NAME = 0, ALPN = 16, VERSIONS = 43, ECH = 0xFE0D };

static const char ENCRYPTED[] = "Encrypted Handshake";

static const struct known handshakes[] = {
    {0, "HelloRequest"}, {CLIENT_HELLO, "ClientHello"}, {SERVER_HELLO, "ServerHello"}, {3, "HelloVerifyRequest"}, {4, "NewSessionTicket"},
    {5, "EndOfEarlyData"}, {8, "EncryptedExtensions"}, {11, "Certificate"}, {12, "ServerKeyExchange"}, {13, "CertificateRequest"},
    {14, "ServerHelloDone"}, {15, "CertificateVerify"}, {16, "ClientKeyExchange"}, {20, "Finished"}, {21, "CertificateURL"},
    {22, "CertificateStatus"}, {24, "KeyUpdate"}, {25, "CompressedCertificate"}, {0, NULL},
};

static const struct known versions[] = {
    {0x0200, "SSL 2.0"}, {0x0300, "SSL 3.0"}, {0x0301, "TLS 1.0"}, {0x0302, "TLS 1.1"}, {0x0303, "TLS 1.2"}, {0x0304, "TLS 1.3"}, {0, NULL},
};

static const struct known alerts[] = {          /* IANA "TLS Alerts" */
    {0, "close_notify"}, {10, "unexpected_message"}, {20, "bad_record_mac"}, {21, "decryption_failed"}, {22, "record_overflow"},
    {30, "decompression_failure"}, {40, "handshake_failure"}, {41, "no_certificate"}, {42, "bad_certificate"}, {43, "unsupported_certificate"},
    {44, "certificate_revoked"}, {45, "certificate_expired"}, {46, "certificate_unknown"}, {47, "illegal_parameter"}, {48, "unknown_ca"},
    {49, "access_denied"}, {50, "decode_error"}, {51, "decrypt_error"}, {60, "export_restriction"}, {70, "protocol_version"},
    {71, "insufficient_security"}, {80, "internal_error"}, {86, "inappropriate_fallback"}, {90, "user_canceled"}, {100, "no_renegotiation"},
    {109, "missing_extension"}, {110, "unsupported_extension"}, {111, "certificate_unobtainable"}, {112, "unrecognized_name"},
    {113, "bad_certificate_status_response"}, {114, "bad_certificate_hash_value"}, {115, "unknown_psk_identity"}, {116, "certificate_required"},
    {120, "no_application_protocol"}, {121, "ech_required"}, {0, NULL},
};

static const struct known ciphers[] = {         /* those that are met, of IANA "TLS Cipher Suites" */
    {0x1301, "TLS_AES_128_GCM_SHA256"}, {0x1302, "TLS_AES_256_GCM_SHA384"}, {0x1303, "TLS_CHACHA20_POLY1305_SHA256"},
    {0x1304, "TLS_AES_128_CCM_SHA256"}, {0x1305, "TLS_AES_128_CCM_8_SHA256"},
    {0xC02B, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"}, {0xC02C, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"},
    {0xC02F, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"}, {0xC030, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"},
    {0xCCA8, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"}, {0xCCA9, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"},
    {0xCCAA, "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256"}, {0xC009, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"},
    {0xC00A, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA"}, {0xC013, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"},
    {0xC014, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"}, {0xC023, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256"},
    {0xC024, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384"}, {0xC027, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256"},
    {0xC028, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384"}, {0x009C, "TLS_RSA_WITH_AES_128_GCM_SHA256"}, {0x009D, "TLS_RSA_WITH_AES_256_GCM_SHA384"},
    {0x009E, "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"}, {0x009F, "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384"}, {0x002F, "TLS_RSA_WITH_AES_128_CBC_SHA"},
    {0x0035, "TLS_RSA_WITH_AES_256_CBC_SHA"}, {0x003C, "TLS_RSA_WITH_AES_128_CBC_SHA256"}, {0x003D, "TLS_RSA_WITH_AES_256_CBC_SHA256"},
    {0x0033, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA"}, {0x0039, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA"}, {0x0067, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256"},
    {0x006B, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256"}, {0x000A, "TLS_RSA_WITH_3DES_EDE_CBC_SHA"}, {0x0005, "TLS_RSA_WITH_RC4_128_SHA"},
    {0x0004, "TLS_RSA_WITH_RC4_128_MD5"}, {0, NULL},
};

/* The random of a ServerHello that asks for another hello: RFC 8446 section 4.1.3. */
static const uint8_t retry[32] = {
    0xCF, 0x21, 0xAD, 0x74, 0xE5, 0x9A, 0x61, 0x11, 0xBE, 0x1D, 0x8C, 0x02, 0x1E, 0x65, 0xB8, 0x91,
    0xC2, 0xA2, 0x11, 0x16, 0x7A, 0xBB, 0x8C, 0x5E, 0x07, 0x9E, 0x09, 0xE2, 0xC8, 0xA8, 0x33, 0x9C,
};

const char *handshake_name(unsigned type)
{
    return known_as(handshakes, type);
}

/* ---- octets of messages, joined over records ---- */

struct octets {                 /* where reading is; copied to come back to it */
    const struct frame *m;
    size_t at, left;            /* left: of the record that this is in */
    size_t read;                /* so far */
    bool ended;                 /* more was wanted than there is */
};

/* Whether an octet is there; goes on to the next record of the kind. */
static bool more(struct octets *o)
{
    while (o->left == 0 && !o->ended) {
        if (!frame_has(o->m, o->at, RECORD_HEAD) || get8(o->m, o->at) != HANDSHAKE || get8(o->m, o->at + 1) != 3)
            o->ended = true;
        else {
            o->left = get16(o->m, o->at + 3);
            o->at += RECORD_HEAD;
        }
    }
    o->ended |= o->at >= o->m->size;
    return !o->ended;
}

static size_t take(struct octets *o, int bytes)
{
    size_t number = 0;
    for (; bytes > 0; bytes--) {
        if (!more(o))
            return 0;
        number = number << 8 | get8(o->m, o->at);
        o->at++, o->left--, o->read++;
    }
    return number;
}

static void skip(struct octets *o, size_t bytes)
{
    while (bytes > 0 && more(o)) {
        size_t step = least(bytes, least(o->left, o->m->size - o->at));
        o->at += step, o->left -= step, o->read += step;
        bytes -= step;
    }
}

/* ---- hellos ---- */

static void say_version(struct sentence *t, unsigned version)
{
    const char *name = known_as(versions, version);
    say(t, " ");
    if (version >> 8 == 0x7F) {
        say(t, "TLS 1.3 draft ");
        say_count(t, version & 0xFF);
    } else if (name != NULL)
        say(t, name);
    else {
        say(t, "version 0x");
        say_figures(t, version, 4);
    }
}

/* Values that are there so that nobody trips over such: 0x0A0A, 0x1A1A... */
static bool says_nothing(unsigned value)
{
    return (value & 0x0F0F) == 0x0A0A && value >> 8 == (value & 0xFF);
}

/* Later versions have larger numbers, drafts of 1.3 lie below it. */
static unsigned rank(unsigned version)
{
    return version >> 8 == 0x7F ? 0x0303FF00 + (version & 0xFF) : version << 16;
}

struct hello {
    unsigned version, cipher;
    bool retry, hidden;         /* hidden: the name is an outer one */
    bool has_names, has_protocols;
    struct octets names, protocols;
};

/* An extension; `size` bytes of it follow. */
static void read_extension(struct hello *h, struct octets *o, unsigned type, size_t size, bool client)
{
    if (type == SERVER_NAME && !h->has_names && size >= 2) {
        h->has_names = true;
        h->names = *o;
    } else if (type == ALPN && !h->has_protocols && size >= 2) {
        h->has_protocols = true;
        h->protocols = *o;
    } else if (type == ECH && client)
        h->hidden = true;
    else if (type == VERSIONS && !client && size == 2) {
        struct octets copy = *o;
        h->version = (unsigned)take(&copy, 2);
    } else if (type == VERSIONS && client && size >= 3) {
        struct octets copy = *o;
        unsigned best = 0;
        for (size_t count = least(take(&copy, 1), size - 1) / 2; count > 0 && !copy.ended; count--) {
            unsigned version = (unsigned)take(&copy, 2);
            if (!copy.ended && !says_nothing(version) && rank(version) > rank(best))
                best = version;
        }
        h->version = best != 0 ? best : h->version;
    }
}

static struct hello read_hello(struct octets *o, size_t size, bool client)
{
    struct hello h = {0};
    size_t end = o->read + size, extensions;
    h.version = (unsigned)take(o, 2);
    h.retry = !client;
    for (int i = 0; i < 32; i++)
        h.retry &= take(o, 1) == retry[i];
    skip(o, take(o, 1));
    if (client) {
        skip(o, take(o, 2));
        skip(o, take(o, 1));
    } else {
        h.cipher = (unsigned)take(o, 2);
        skip(o, 1);
    }
    if (o->read >= end || o->ended)     /* there need not be any */
        return h;
    extensions = take(o, 2);
    end = least(end, o->read + extensions);
    while (o->read + 4 <= end && !o->ended) {
        unsigned type = (unsigned)take(o, 2);
        size_t length = take(o, 2);
        if (o->ended || length > end - o->read)
            break;
        read_extension(&h, o, type, length, client);
        skip(o, length);
    }
    return h;
}

/* Names of hosts as they stand there, whatever they are; other types by their number: RFC 6066 section 3. */
static void say_names(struct sentence *t, struct octets o, bool hidden)
{
    size_t left = take(&o, 2);
    while (left >= 3 && !o.ended && !t->full) {
        unsigned type = (unsigned)take(&o, 1);
        size_t size = take(&o, 2);
        left -= 3;
        if (o.ended || size > left)
            return;
        left -= size;
        say(t, " ");
        if (type != 0) {
            say(t, "[name of type ");
            say_count(t, type);
            say(t, "]");
            skip(&o, size);
            continue;
        }
        for (; size > 0 && more(&o); size--)
            say_octet(t, (uint8_t)take(&o, 1), ' ');
    }
    say(t, hidden ? " (outer)" : "");
}

static void say_protocols(struct sentence *t, struct octets o)
{
    size_t left = take(&o, 2);
    const char *between = " alpn ";
    while (left >= 1 && !o.ended && !t->full) {
        size_t size = take(&o, 1);
        left--;
        if (o.ended || size > left)
            return;
        left -= size;
        struct octets name = o, peek = o;
        skip(&o, size);
        if (size == 2 && says_nothing((unsigned)take(&peek, 2)))
            continue;
        say(t, between);
        between = ",";
        for (; size > 0 && more(&name); size--)
            say_octet(t, (uint8_t)take(&name, 1), ',');
    }
}

static void say_hello(struct sentence *t, struct octets *o, size_t size, bool client)
{
    struct hello h = read_hello(o, size, client);
    say(t, client ? "ClientHello" : h.retry && !o->ended ? "HelloRetryRequest" : "ServerHello");
    say_version(t, h.version);
    if (!client) {
        const char *name = known_as(ciphers, h.cipher);
        say(t, name != NULL ? " " : " cipher 0x");
        say(t, name != NULL ? name : "");
        if (name == NULL)
            say_figures(t, h.cipher, 4);
    }
    if (h.has_names && client)
        say_names(t, h.names, h.hidden);
    say(t, h.hidden ? " ech" : "");
    if (h.has_protocols)
        say_protocols(t, h.protocols);
}

/* Messages from the record at `at` on; where the record begins that follows. What is encrypted has any numbers where these stand. */
static size_t say_handshake(struct sentence *t, const struct frame *m, size_t at, bool encrypted)
{
    struct octets o = {.m = m, .at = at};
    for (const char *between = ""; !t->full; between = ", ") {
        unsigned type = (unsigned)take(&o, 1);
        size_t record_end = o.at + o.left, size = take(&o, 3), begin = o.read;
        say(t, between);
        if (o.ended) {
            say(t, "Handshake");
            say_cut(t);
            return o.at;
        }
        bool known = handshake_name(type) != NULL && size <= 1 << 17 && ((type != 0 && type != 14) || size == 0) && (type != 0 || o.left == 0);
        if (encrypted)          /* a second hello may follow a change that says nothing: RFC 8446 appendix D.4 */
            known = type == CLIENT_HELLO && size >= 40 && get16(m, o.at) == 0x0303;
        if (!known) {
            say(t, ENCRYPTED);
            return record_end;
        }
        if (type == CLIENT_HELLO || type == SERVER_HELLO)
            say_hello(t, &o, size, type == CLIENT_HELLO);
        else
            say(t, handshake_name(type));
        if (o.read > begin + size) {
            say_mark(t, BAD_LENGTH);
            return o.at + o.left;
        }
        skip(&o, begin + size - o.read);
        if (o.ended)
            say_cut(t);
        if (o.ended || o.left == 0)
            return o.at;
    }
    return o.at;
}

/* A hello in the form of SSL 2.0, in which there are no names: RFC 5246 appendix E.2. */
static bool say_old_hello(struct sentence *t, const struct frame *m, size_t at)
{
    unsigned ciphers_size = get16(m, at + 5), session = get16(m, at + 7), challenge = get16(m, at + 9);
    if (!frame_has(m, at, 11) || (get8(m, at) & 0x80) == 0 || get8(m, at + 2) != CLIENT_HELLO
        || (get16(m, at) & 0x7FFFu) != 9 + ciphers_size + session + challenge)
        return false;
    say(t, "SSLv2 ClientHello");
    say_version(t, get16(m, at + 3) == 2 ? 0x0200 : get16(m, at + 3));
    return true;
}

static void say_alert(struct sentence *t, const struct frame *m, size_t at, size_t size, bool encrypted)
{
    static const struct known levels[] = {{1, "warning"}, {2, "fatal"}, {0, NULL}};
    if (encrypted || size != 2) {
        say(t, "Encrypted Alert");
        return;
    }
    say(t, "Alert ");
    if (!frame_has(m, at, 2))
        return;
    say_word(t, levels, get8(m, at), "level ");
    say(t, " ");
    say_word(t, alerts, get8(m, at + 1), "alert ");
}

/* The records of a segment, whatever version they name: RFC 8446 section 5.1. */
void tell_tls(struct sentence *t, const struct frame *m, size_t at)
{
    bool encrypted = false;
    if (say_old_hello(t, m, at))
        return;
    for (const char *between = ""; frame_has(m, at, RECORD_HEAD) && !t->full; between = ", ") {
        unsigned type = get8(m, at);
        size_t size = get16(m, at + 3), count = 1;
        if (type < CHANGE || type > HEARTBEAT || get8(m, at + 1) != 3)
            return;
        say(t, between);
        if (type == HANDSHAKE) {
            at = say_handshake(t, m, at, encrypted);
            continue;
        }
        if (type == ALERT)
            say_alert(t, m, at + RECORD_HEAD, size, encrypted);
        else
            say(t, type == CHANGE ? "ChangeCipherSpec" : type == HEARTBEAT ? "Heartbeat" : "Application Data");
        encrypted |= type == CHANGE;
        for (at += RECORD_HEAD + size; type == DATA_RECORD && frame_has(m, at, RECORD_HEAD) && get16(m, at) == 0x1703; count++)
            at += RECORD_HEAD + get16(m, at + 3);
        if (count > 1) {
            say(t, " x");
            say_count(t, count);
        }
        if (at > m->size)
            say_cut(t);
    }
    if (at < m->size && t->size > 0 && m->size - at < RECORD_HEAD)
        say_cut(t);
}
