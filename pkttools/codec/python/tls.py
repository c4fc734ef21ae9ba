"""Records of TLS, in a line; twin of ../c/tls.c.

RFC 8446 sections 4 and 5, RFC 5246; names of servers: RFC 6066 section 3, protocols: RFC 7301, values that say nothing: RFC 8701.
"""

from __future__ import annotations

from copy import copy

from .messages import BAD_LENGTH, Sentence
from .wire import get16

RECORD_HEAD, CHANGE, ALERT, HANDSHAKE, DATA_RECORD, HEARTBEAT = 5, 20, 21, 22, 23, 24
CLIENT_HELLO, SERVER_HELLO, SERVER_NAME, ALPN, VERSIONS_OFFERED, ECH = 1, 2, 0, 16, 43, 0xFE0D

ENCRYPTED = "Encrypted Handshake"

HANDSHAKES = {
    0: "HelloRequest", CLIENT_HELLO: "ClientHello", SERVER_HELLO: "ServerHello", 3: "HelloVerifyRequest", 4: "NewSessionTicket",
    5: "EndOfEarlyData", 8: "EncryptedExtensions", 11: "Certificate", 12: "ServerKeyExchange", 13: "CertificateRequest",
    14: "ServerHelloDone", 15: "CertificateVerify", 16: "ClientKeyExchange", 20: "Finished", 21: "CertificateURL",
    22: "CertificateStatus", 24: "KeyUpdate", 25: "CompressedCertificate",
}  # fmt: skip
VERSIONS = {
    0x0200: "SSL 2.0", 0x0300: "SSL 3.0", 0x0301: "TLS 1.0", 0x0302: "TLS 1.1", 0x0303: "TLS 1.2", 0x0304: "TLS 1.3",
}  # fmt: skip
ALERTS = {  # IANA "TLS Alerts"
    0: "close_notify", 10: "unexpected_message", 20: "bad_record_mac", 21: "decryption_failed", 22: "record_overflow",
    30: "decompression_failure", 40: "handshake_failure", 41: "no_certificate", 42: "bad_certificate",
    43: "unsupported_certificate", 44: "certificate_revoked", 45: "certificate_expired", 46: "certificate_unknown",
    47: "illegal_parameter", 48: "unknown_ca", 49: "access_denied", 50: "decode_error", 51: "decrypt_error",
    60: "export_restriction", 70: "protocol_version", 71: "insufficient_security", 80: "internal_error",
    86: "inappropriate_fallback", 90: "user_canceled", 100: "no_renegotiation", 109: "missing_extension",
    110: "unsupported_extension", 111: "certificate_unobtainable", 112: "unrecognized_name",
    113: "bad_certificate_status_response", 114: "bad_certificate_hash_value", 115: "unknown_psk_identity",
    116: "certificate_required", 120: "no_application_protocol", 121: "ech_required",
}  # fmt: skip
CIPHERS = {  # those that are met, of IANA "TLS Cipher Suites"
    0x1301: "TLS_AES_128_GCM_SHA256", 0x1302: "TLS_AES_256_GCM_SHA384", 0x1303: "TLS_CHACHA20_POLY1305_SHA256",
    0x1304: "TLS_AES_128_CCM_SHA256", 0x1305: "TLS_AES_128_CCM_8_SHA256", 0xC02B: "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    0xC02C: "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", 0xC02F: "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    0xC030: "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", 0xCCA8: "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    0xCCA9: "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", 0xCCAA: "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    0xC009: "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", 0xC00A: "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    0xC013: "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", 0xC014: "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    0xC023: "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", 0xC024: "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384",
    0xC027: "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", 0xC028: "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384",
    0x009C: "TLS_RSA_WITH_AES_128_GCM_SHA256", 0x009D: "TLS_RSA_WITH_AES_256_GCM_SHA384",
    0x009E: "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", 0x009F: "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384",
    0x002F: "TLS_RSA_WITH_AES_128_CBC_SHA", 0x0035: "TLS_RSA_WITH_AES_256_CBC_SHA", 0x003C: "TLS_RSA_WITH_AES_128_CBC_SHA256",
    0x003D: "TLS_RSA_WITH_AES_256_CBC_SHA256", 0x0033: "TLS_DHE_RSA_WITH_AES_128_CBC_SHA",
    0x0039: "TLS_DHE_RSA_WITH_AES_256_CBC_SHA", 0x0067: "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256",
    0x006B: "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256", 0x000A: "TLS_RSA_WITH_3DES_EDE_CBC_SHA", 0x0005: "TLS_RSA_WITH_RC4_128_SHA",
    0x0004: "TLS_RSA_WITH_RC4_128_MD5",
}  # fmt: skip

# The random of a ServerHello that asks for another hello: RFC 8446 section 4.1.3.
RETRY = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")


# ---- octets of messages, joined over records ----


class Octets:
    """Where reading is; copied to come back to it. left: of the record that this is in; ended: more was wanted than there is."""

    def __init__(self, m: bytes, at: int) -> None:
        self.m, self.at, self.left, self.read, self.ended = m, at, 0, 0, False

    def more(self) -> bool:
        """Whether an octet is there; goes on to the next record of the kind."""
        while self.left == 0 and not self.ended:
            m, at = self.m, self.at
            if at + RECORD_HEAD > len(m) or m[at] != HANDSHAKE or m[at + 1] != 3:
                self.ended = True
            else:
                self.left = get16(m, at + 3)
                self.at += RECORD_HEAD
        self.ended = self.ended or self.at >= len(self.m)
        return not self.ended

    def take(self, octets: int) -> int:
        """A number; 0 where it is not all there."""
        number = 0
        for _ in range(octets):
            if not self.more():
                return 0
            number = number << 8 | self.m[self.at]
            self.at, self.left, self.read = self.at + 1, self.left - 1, self.read + 1
        return number

    def skip(self, octets: int) -> None:
        """Passes octets over, as far as they are there."""
        while octets > 0 and self.more():
            step = min(octets, self.left, len(self.m) - self.at)
            self.at, self.left, self.read = self.at + step, self.left - step, self.read + step
            octets -= step


# ---- hellos ----


def say_version(told: Sentence, version: int) -> None:
    """Its name, or the number."""
    if version >> 8 == 0x7F:
        told.say(f" TLS 1.3 draft {version & 0xFF}")
    else:
        told.say(f" {VERSIONS.get(version) or f'version 0x{version:04x}'}")


def says_nothing(value: int) -> bool:
    """Whether it is there so that nobody trips over such: 0x0A0A, 0x1A1A..."""
    return value & 0x0F0F == 0x0A0A and value >> 8 == value & 0xFF


def rank(version: int) -> int:
    """Later versions have larger numbers, drafts of 1.3 lie below it."""
    return 0x0303FF00 + (version & 0xFF) if version >> 8 == 0x7F else version << 16


class Hello:
    """What a hello says. hidden: the name is an outer one."""

    def __init__(self, octets: Octets, size: int, client: bool) -> None:
        end = octets.read + size
        self.version, self.cipher, self.hidden, self.client = octets.take(2), 0, False, client
        self.names: Octets | None = None
        self.protocols: Octets | None = None
        random = [octets.take(1) for _ in RETRY]
        self.retry = not client and bytes(random) == RETRY
        octets.skip(octets.take(1))
        if client:
            octets.skip(octets.take(2))
            octets.skip(octets.take(1))
        else:
            self.cipher = octets.take(2)
            octets.skip(1)
        if octets.read >= end or octets.ended:  # there need not be any
            return
        extensions = octets.take(2)
        end = min(end, octets.read + extensions)
        while octets.read + 4 <= end and not octets.ended:
            kind = octets.take(2)
            length = octets.take(2)
            if octets.ended or length > end - octets.read:
                break
            self._read(octets, kind, length)
            octets.skip(length)

    def _read(self, octets: Octets, kind: int, size: int) -> None:
        """An extension; `size` octets of it follow."""
        if kind == SERVER_NAME and self.names is None and size >= 2:
            self.names = copy(octets)
        elif kind == ALPN and self.protocols is None and size >= 2:
            self.protocols = copy(octets)
        elif kind == ECH and self.client:
            self.hidden = True
        elif kind == VERSIONS_OFFERED and not self.client and size == 2:
            self.version = copy(octets).take(2)
        elif kind == VERSIONS_OFFERED and self.client and size >= 3:
            offered, best = copy(octets), 0
            for _ in range(min(offered.take(1), size - 1) // 2):
                version = offered.take(2)
                if not offered.ended and not says_nothing(version) and rank(version) > rank(best):
                    best = version
            self.version = best or self.version


def say_names(told: Sentence, octets: Octets, hidden: bool) -> None:
    """Names of hosts as they stand there, whatever they are; other types by their number: RFC 6066 section 3."""
    left = octets.take(2)
    while left >= 3 and not octets.ended and not told.full:
        kind = octets.take(1)
        size = octets.take(2)
        left -= 3
        if octets.ended or size > left:
            return
        left -= size
        if kind:
            told.say(f" [name of type {kind}]")
            octets.skip(size)
            continue
        told.say(" ")
        for _ in range(size):
            if octets.more():
                told.octet(octets.take(1), " ")
    told.say(" (outer)" if hidden else "")


def say_protocols(told: Sentence, octets: Octets) -> None:
    """Those of the application, but those that say nothing."""
    left, between = octets.take(2), " alpn "
    while left >= 1 and not octets.ended and not told.full:
        size = octets.take(1)
        left -= 1
        if octets.ended or size > left:
            return
        left -= size
        name, peek = copy(octets), copy(octets)
        octets.skip(size)
        if size == 2 and says_nothing(peek.take(2)):
            continue
        told.say(between)
        between = ","
        for _ in range(size):
            if name.more():
                told.octet(name.take(1), ",")


def say_hello(told: Sentence, octets: Octets, size: int, client: bool) -> None:
    """A hello of either side, which may be cut."""
    hello = Hello(octets, size, client)
    told.say("ClientHello" if client else "HelloRetryRequest" if hello.retry and not octets.ended else "ServerHello")
    say_version(told, hello.version)
    if not client:
        told.say(f" {CIPHERS.get(hello.cipher) or f'cipher 0x{hello.cipher:04x}'}")
    if hello.names is not None and client:
        say_names(told, hello.names, hello.hidden)
    told.say(" ech" if hello.hidden else "")
    if hello.protocols is not None:
        say_protocols(told, hello.protocols)


def say_handshake(told: Sentence, m: bytes, at: int, encrypted: bool) -> int:
    """Messages from the record at `at` on; gives where the record begins that follows.

    What is encrypted has any numbers where these stand.
    """
    octets, between = Octets(m, at), ""
    while not told.full:
        kind = octets.take(1)
        record_end = octets.at + octets.left
        size, begin = octets.take(3), octets.read
        told.say(between)
        if octets.ended:
            told.say("Handshake")
            told.mark()
            return octets.at
        known = kind in HANDSHAKES and size <= 1 << 17 and (kind not in (0, 14) or size == 0) and (kind != 0 or octets.left == 0)
        if encrypted:  # a second hello may follow a change that says nothing: RFC 8446 appendix D.4
            known = kind == CLIENT_HELLO and size >= 40 and get16(m, octets.at) == 0x0303
        if not known:
            told.say(ENCRYPTED)
            return record_end
        if kind in (CLIENT_HELLO, SERVER_HELLO):
            say_hello(told, octets, size, kind == CLIENT_HELLO)
        else:
            told.say(HANDSHAKES[kind])
        if octets.read > begin + size:
            told.mark(BAD_LENGTH)
            return octets.at + octets.left
        octets.skip(begin + size - octets.read)
        if octets.ended:
            told.mark()
        if octets.ended or octets.left == 0:
            return octets.at
        between = ", "
    return octets.at


def say_old_hello(told: Sentence, m: bytes, at: int) -> bool:
    """A hello in the form of SSL 2.0, in which there are no names: RFC 5246 appendix E.2."""
    ciphers, session, challenge = get16(m, at + 5), get16(m, at + 7), get16(m, at + 9)
    right = at + 11 <= len(m) and m[at] & 0x80 and m[at + 2] == CLIENT_HELLO
    if not right or get16(m, at) & 0x7FFF != 9 + ciphers + session + challenge:
        return False
    told.say("SSLv2 ClientHello")
    say_version(told, 0x0200 if get16(m, at + 3) == 2 else get16(m, at + 3))
    return True


def say_alert(told: Sentence, m: bytes, at: int, size: int, encrypted: bool) -> None:
    """What is wrong."""
    if encrypted or size != 2:
        told.say("Encrypted Alert")
        return
    told.say("Alert ")
    if at + 2 <= len(m):
        told.word({1: "warning", 2: "fatal"}, m[at], "level ")
        told.say(" ")
        told.word(ALERTS, m[at + 1], "alert ")


def tell_tls(told: Sentence, m: bytes, at: int) -> None:
    """The records of a segment, whatever version they name: RFC 8446 section 5.1."""
    encrypted, between = False, ""
    if say_old_hello(told, m, at):
        return
    while at + RECORD_HEAD <= len(m) and not told.full:
        kind, size, count = m[at], get16(m, at + 3), 1
        if not CHANGE <= kind <= HEARTBEAT or m[at + 1] != 3:
            return
        told.say(between)
        between = ", "
        if kind == HANDSHAKE:
            at = say_handshake(told, m, at, encrypted)
            continue
        if kind == ALERT:
            say_alert(told, m, at + RECORD_HEAD, size, encrypted)
        else:
            told.say("ChangeCipherSpec" if kind == CHANGE else "Heartbeat" if kind == HEARTBEAT else "Application Data")
        encrypted = encrypted or kind == CHANGE
        at += RECORD_HEAD + size
        while kind == DATA_RECORD and at + RECORD_HEAD <= len(m) and get16(m, at) == 0x1703:
            at += RECORD_HEAD + get16(m, at + 3)
            count += 1
        told.say(f" x{count}" if count > 1 else "")
        if at > len(m):
            told.mark()
    if told.text and 0 < len(m) - at < RECORD_HEAD:
        told.mark()
