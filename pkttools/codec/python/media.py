"""What shares a port with RTP, known by the first octet (RFC 7983 section 7, RFC 5761 section 4), in a line; twin of ../c/media.c.

RTP, RTCP: RFC 3550 sections 5.1 and 6; STUN: RFC 8489 sections 5 and 14; DTLS: RFC 6347, RFC 9147; ZRTP: RFC 6189 section 5.
"""

from __future__ import annotations

from .messages import BAD_LENGTH, Sentence
from .tls import HANDSHAKES
from .wire import get8, get16, get32

STUN_HEADER, RTP_HEADER, RTCP_HEADER, DTLS_RECORD = 20, 12, 4, 13
MAPPED, USER, ERROR, XOR_MAPPED = 1, 6, 9, 0x20
COOKIE, ZRTP_MAGIC = b"\x21\x12\xa4\x42", b"ZRTP"

METHODS = {
    1: "Binding", 3: "Allocate", 4: "Refresh", 6: "Send", 7: "Data", 8: "CreatePermission", 9: "ChannelBind", 10: "Connect",
    11: "ConnectionBind", 12: "ConnectionAttempt",
}  # fmt: skip
CLASSES = (" request", " indication", " success", " error")
RECORDS = {
    20: "ChangeCipherSpec", 21: "Alert", 22: "Handshake", 23: "Application Data", 24: "Heartbeat", 25: "Connection ID", 26: "ACK",
}  # fmt: skip
PAYLOADS = {  # IANA "RTP Payload Types"; from 96 on they are agreed upon
    0: "PCMU", 3: "GSM", 4: "G723", 5: "DVI4", 6: "DVI4", 7: "LPC", 8: "PCMA", 9: "G722", 10: "L16", 11: "L16", 12: "QCELP",
    13: "CN", 14: "MPA", 15: "G728", 16: "DVI4", 17: "DVI4", 18: "G729", 25: "CelB", 26: "JPEG", 28: "nv", 31: "H261", 32: "MPV",
    33: "MP2T", 34: "H263",
}  # fmt: skip
REPORTS = {
    192: "FIR", 193: "NACK", 200: "SR", 201: "RR", 202: "SDES", 203: "BYE", 204: "APP", 205: "RTPFB", 206: "PSFB", 207: "XR",
}  # fmt: skip


# ---- STUN ----


def say_mapped(told: Sentence, m: bytes, message: int, value: bytes, hidden: bool) -> None:
    """An address and a port, which may be hidden from what rewrites such: RFC 8489 section 14.2."""
    octets = 4 if get8(value, 1) == 1 else 16
    if len(value) != octets + 4:
        told.mark(BAD_LENGTH)
        return
    key = m[message + 4 : message + 20] if hidden else bytes(16)
    told.say("[" if octets == 16 else "")
    told.address(bytes(a ^ b for a, b in zip(value[4:], key, strict=False)))
    told.say("]:" if octets == 16 else ":")
    told.say(str(get16(value, 2) ^ get16(key, 0)))


def tell_stun(told: Sentence, m: bytes, message: int) -> None:
    """A method, and what is told of addresses."""
    kind = get16(m, message)
    if message + STUN_HEADER > len(m):
        return
    told.say("STUN ")
    told.word(METHODS, kind & 15 | kind >> 1 & 0x70 | kind >> 2 & 0xF80, "method ")
    told.say(CLASSES[kind >> 4 & 1 | kind >> 7 & 2])
    end, at = message + STUN_HEADER + get16(m, message + 2), message + STUN_HEADER
    there = min(end, len(m))
    while at + 4 <= there and not told.full:
        attribute, size = get16(m, at), get16(m, at + 2)
        at += 4
        if size > there - at:
            break
        value = m[at : at + size]
        if attribute in (XOR_MAPPED, MAPPED):
            told.say(" mapped ")
            say_mapped(told, m, message, value, attribute == XOR_MAPPED and m[message + 4 : message + 8] == COOKIE)
        elif attribute == USER:
            told.say(" user ")
            told.quoted(value)
        elif attribute == ERROR and size >= 4:
            told.say(f" {(value[2] & 7) * 100 + value[3]} ")
            told.quoted(value[4:])
        at += (size + 3) // 4 * 4
    if end > len(m):
        told.mark()


# ---- DTLS ----


def tell_dtls(told: Sentence, m: bytes, at: int) -> None:
    """The records of a datagram."""
    if m[at] >= 32:  # RFC 9147 section 4
        told.say("DTLS 1.3 encrypted")
        return
    if at + DTLS_RECORD > len(m) or m[at + 1] != 0xFE:
        return
    told.say({0xFF: "DTLS 1.0", 0xFD: "DTLS 1.2"}.get(m[at + 2], "DTLS"))
    between = " "
    while at + DTLS_RECORD <= len(m) and m[at + 1] == 0xFE and not told.full:
        kind, epoch, size = m[at], get16(m, at + 3), get16(m, at + 11)
        first = m[at + DTLS_RECORD : at + DTLS_RECORD + 1]
        name = HANDSHAKES.get(first[0]) if epoch == 0 and kind == 22 and first else None
        told.say(between)
        between = ", "
        told.say("Encrypted " if epoch > 0 and kind in (21, 22) else "")
        told.say(name or RECORDS.get(kind, f"type {kind}"))
        at += DTLS_RECORD + size
        if at > len(m):
            told.mark()


# ---- RTP and RTCP ----


def say_source(told: Sentence, m: bytes, at: int) -> None:
    """Who sends."""
    told.say(f" ssrc 0x{get32(m, at):08x}")


def tell_rtp(told: Sentence, m: bytes, at: int) -> None:
    """The payload stands behind sources and an extension, and in front of padding, whose last octet counts it."""
    if at + RTP_HEADER > len(m):
        return
    first, second = m[at], m[at + 1]
    padding = m[-1] if first & 0x20 else 0
    told.say("RTP ")
    told.word(PAYLOADS, second & 0x7F, "type ")
    told.say(" mark" if second & 0x80 else "")
    told.say(f" seq {get16(m, at + 2)} time {get32(m, at + 4)}")
    say_source(told, m, at + 8)
    size = RTP_HEADER + (first & 15) * 4
    if first & 0x10:
        size += get16(m, at + size + 2) * 4 + 4
    if size + padding > len(m) - at or (first & 0x20 and padding == 0):
        told.mark(BAD_LENGTH)
        return
    told.say(f" size {len(m) - at - size - padding}")


def tell_rtcp(told: Sentence, m: bytes, at: int) -> None:
    """The packets of a datagram."""
    told.say("RTCP")
    between = " "
    while at + RTCP_HEADER <= len(m) and m[at] >> 6 == 2 and not told.full:
        size = get16(m, at + 2) * 4 + 4
        told.say(between)
        told.word(REPORTS, m[at + 1], "type ")
        if between == " " and size >= 8 and at + 8 <= len(m):
            say_source(told, m, at + 4)
        between = ", "
        at += size
        if at > len(m):
            told.mark()


# ---- all of them ----


def tell_zrtp(told: Sentence, m: bytes, at: int) -> None:
    """The type of a message."""
    if m[at + 4 : at + 8] != ZRTP_MAGIC or at + 24 > len(m):
        return
    told.say("ZRTP ")
    told.octets(m[at + 16 : at + 24].rstrip(b" \0"))
    told.say(f" seq {get16(m, at + 2)}")
    say_source(told, m, at + 8)


def tell_media(told: Sentence, m: bytes, at: int) -> None:
    """By the first octet, and of RTCP the second."""
    first, second = m[at], get8(m, at + 1)
    if first < 4:
        tell_stun(told, m, at)
    elif 16 <= first < 20:
        tell_zrtp(told, m, at)
    elif 20 <= first < 64:
        tell_dtls(told, m, at)
    elif 64 <= first < 80 and at + 4 <= len(m):
        told.say(f"TURN channel 0x{get16(m, at):04x} size {get16(m, at + 2)}")
    elif 128 <= first < 192 and 192 <= second < 224 and at + RTCP_HEADER <= len(m):
        tell_rtcp(told, m, at)
    elif 128 <= first < 192:
        tell_rtp(told, m, at)
