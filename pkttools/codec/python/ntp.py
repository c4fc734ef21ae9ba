"""Messages of NTP, in a line; twin of ../c/ntp.c.

RFC 5905 section 7.3; times: RFC 4330 section 3; mode 6: RFC 9327 section 2; mode 7: ntp_request.h of the reference implementation.
"""

from __future__ import annotations

from .messages import Sentence, moment
from .wire import get8, get16, get32

HEADER, CONTROL, PRIVATE = 48, 6, 7
FROM_1970 = 2208988800  # seconds from 1900 to 1970

MODES = {
    0: "Reserved", 1: "Active", 2: "Passive", 3: "Client", 4: "Server", 5: "Broadcast", CONTROL: "Control", PRIVATE: "Private",
}  # fmt: skip
OPCODES = {
    1: "read-status", 2: "read-variables", 3: "write-variables", 4: "read-clock", 5: "write-clock", 6: "set-trap", 7: "trap",
    8: "configure", 9: "save-configuration", 10: "read-mru", 11: "read-ordered-list", 12: "request-nonce", 31: "unset-trap",
}  # fmt: skip
LEAPS = {0: "", 1: " leap+1s", 2: " leap-1s", 3: " unsynchronized"}


def say_time(told: Sentence, word: str, m: bytes, at: int) -> None:
    """A time, unless it is 0: none.

    From 1968 on, or where the first bit is 0, from 2036 on. Fractions are cut, not rounded.
    """
    seconds, fraction = get32(m, at), get32(m, at + 4)
    if at + 8 > len(m) or (seconds == 0 and fraction == 0):
        return
    seconds += 1 << 32 if seconds < 1 << 31 else 0
    told.say("{}{:04}-{:02}-{:02}T{:02}:{:02}:{:02}".format(word, *moment(seconds - FROM_1970)))
    told.say(f".{fraction * 1_000_000_000 >> 32:09}Z")


def say_reference(told: Sentence, m: bytes, at: int, stratum: int) -> None:
    """Of a stratum of 0 or 1 four characters, else an address of IPv4, or what is left of one of IPv6: RFC 5905 section 7.3."""
    reference = m[at : at + 4]
    if len(reference) < 4 or not any(reference):
        return
    told.say(" ref " if stratum else " kiss ")
    if stratum > 1:
        told.address(reference)
    else:
        told.octets(reference.rstrip(b"\0"))


def say_control(told: Sentence, m: bytes, at: int) -> None:
    """Mode 6."""
    if at + 12 > len(m):
        told.mark()
        return
    how = m[at + 1]
    sequence, status, association, offset, size = (get16(m, at + place) for place in range(2, 12, 2))
    told.say(" ")
    told.word(OPCODES, how & 31, "opcode ")
    told.say((" error" if how & 0x40 else " response") if how & 0x80 else " request")
    told.say(f" seq {sequence}")
    told.say(f" status 0x{status:04x}" if status else "")
    told.say(f" assoc {association}")
    told.say(f" offset {offset}" if offset else "")
    told.say(f" size {size}{' more' if how & 0x20 else ''}")


def say_private(told: Sentence, m: bytes, at: int) -> None:
    """Mode 7."""
    if at + 8 > len(m):
        told.mark()
        return
    response = bool(m[at] & 0x80)
    told.say(f" {'response' if response else 'request'} implementation {m[at + 2]} code {m[at + 3]}")
    told.say(f" error {m[at + 4] >> 4}" if response else "")
    told.say(f" items {get16(m, at + 4) & 0xFFF} x {get16(m, at + 6) & 0xFFF}")
    told.say(" more" if response and m[at] & 0x40 else "")


def tell_ntp(told: Sentence, m: bytes, at: int) -> None:
    """A message of any mode."""
    first, stratum = m[at], get8(m, at + 1)
    mode = first & 7
    told.say(f"v{first >> 3 & 7} {MODES[mode]}")
    if mode == CONTROL:
        say_control(told, m, at)
        return
    if mode == PRIVATE:
        say_private(told, m, at)
        return
    told.say(LEAPS[first >> 6])
    told.say(f" stratum {stratum}" if stratum else "")
    say_reference(told, m, at + 12, stratum)
    say_time(told, " org ", m, at + 24)
    say_time(told, " rec ", m, at + 32)
    say_time(told, " xmt ", m, at + 40)
    if at + HEADER > len(m):
        told.mark()
