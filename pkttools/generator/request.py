"""What a command line asks pkt-gen for: how many packets and when, sizes, payload, and what is set in which field."""

from __future__ import annotations

import time

from ..command_line.options import REAL, Option, Values
from ..errors import UsageError, need
from ..language.arguments import split_assignment
from ..protocols.values import field, parse_number
from .schedule import Schedule
from .stream import STAMP
from .templates import LARGEST

RATE = 1000  # packets a second in text, unless --rate says something else
FLAGS = {letter: 1 << i for i, letter in enumerate("FSRPAUEC")}  # of TCP, as tcpdump names them; RFC 9293 section 3.1
PORTS = {"udp": "UDP", "tcp": "TCP"}


def size_of(text: str) -> int:
    """Reads a size in bytes. Raises UsageError."""
    size = parse_number(text.strip())
    if size is None or size > LARGEST:
        raise UsageError(f"--size: '{text[:40]}' is not a number of bytes up to {LARGEST}")
    return size


def amount(values: Values, usual: int = 1) -> tuple[int | None, Schedule]:
    """How many packets, None: without end; and when they are due. usual: how many, where nothing says it. Raises UsageError."""
    count = None if values.count == 0 else values.count
    if values.count is None and values.duration is None:
        count = usual
    low, dots, high = (values.rate or str(RATE)).partition("..")
    rates = [rate_of(low), rate_of(high) if dots else rate_of(low)]
    ramp = 0.0
    if rates[0] != rates[1]:
        need(bool(values.duration or count), "--rate: a ramp needs --duration or --count")
        ramp = values.duration or 2 * (count or 0) / (rates[0] + rates[1])
    schedule = Schedule(rates[0], rates[1], ramp)
    if values.duration is not None and not (values.interface and values.rate is None):
        within = schedule.before(values.duration)
        count = within if count is None else min(count, within)
    return count, schedule


def rate_of(text: str) -> float:
    """Reads packets a second. Raises UsageError."""
    return float(Option("--rate", REAL, "", least=1e-6, most=1e9).value(text))  # type: ignore[arg-type]  # of a REAL


def begin_of(values: Values) -> int:
    """The time of the first packet, in nanoseconds since 1970."""
    if values.start is not None:
        return round(values.start * 1_000_000) * 1000  # a float of today has no nanoseconds
    return time.time_ns() // 1000 * 1000 if values.seed is None else 0  # what 1.16 reads, too


def settings(values: Values, protocol: str) -> list[tuple[str, str]]:
    """What is set: fields, and what the user wrote for them; those of options first. Raises UsageError."""
    found = []
    v6 = protocol == "icmp6" or any(":" in (text or "").lower().removeprefix("random:") for text in (values.src, values.dst))
    layer = "IPV6" if v6 else "IP"
    if protocol == "arp":
        found += [("ARP.SENDER_IPADDR", values.src), ("ARP.TARGET_IPADDR", values.dst), ("ARP.SENDER_MACADDR", values.src_mac)]
    else:
        found += [(f"{layer}.SRC_ADDR", values.src), (f"{layer}.DST_ADDR", values.dst)]
    found += [("ETHERNET.SRC_ADDR", values.src_mac), ("ETHERNET.DST_ADDR", values.dst_mac), ("ETHERNET.VLAN_ID", values.vlan)]
    for option, name, text in (("--sport", "SRC_PORT", values.sport), ("--dport", "DST_PORT", values.dport)):
        need(text is None or protocol in PORTS, f"{option} is for udp and tcp")
        found.append((f"{PORTS.get(protocol, 'UDP')}.{name}", text))
    need(not (values.stamp and protocol == "arp"), "--stamp is not for arp: it has no payload")
    need(values.flags is None or protocol == "tcp", "--flags is for tcp")
    found.append(("TCP.FLAGS", values.flags and ",".join(map(flags_of, values.flags.split(",")))))
    given = [(name, text) for name, text in found if text is not None]
    for word in values.arguments[1:]:
        item = split_assignment(word)
        need(item is not None, f"'{word[:40]}' is no assignment: FIELD=VALUES")
        name, operator, text = item  # type: ignore[misc]  # the language's assignments have three parts
        need(operator == "=", f"'{word[:40]}': values are set with =")
        given.append((name, text))
    return given


def flags_of(word: str) -> str:
    """An item of a list of TCP flags, its letters as numbers."""
    first, colon, letters = word.rpartition(":")  # random:S
    low, dots, high = letters.partition("..")
    return first + colon + dots.join(map(number_of_flags, [low, high] if dots else [low]))


def number_of_flags(word: str) -> str:
    """Letters of TCP flags as a number, or what else is written there."""
    letters = word.strip().upper()
    if letters.isalpha() and letters != "RANDOM" and letters.strip("".join(FLAGS)):
        raise UsageError(f"--flags: '{word[:40]}' is not of the letters {''.join(FLAGS)}")
    return str(sum(FLAGS[letter] for letter in set(letters))) if letters and not letters.strip("".join(FLAGS)) else word


def is_v6(protocol: str, settings: list[tuple[str, str]]) -> bool:
    """Whether the packets are of IPv6: fields of IPv6 or ICMPv6 are set. Raises UsageError where both are."""
    layers = {field(name)[0].partition(".")[0] for name, _ in settings}
    v6 = protocol == "icmp6" or bool(layers & {"IPV6", "ICMPV6"})
    need(not (v6 and "IP" in layers), "IPv4 and IPv6 do not go together here")
    need(not (v6 and protocol in ("icmp", "arp")), f"{protocol} is of IPv4" + (": icmp6 is of IPv6" if protocol == "icmp" else ""))
    return v6


def payload_of(values: Values) -> bytes:
    """What the payload begins with. Raises UsageError."""
    stamp, text = bytes(STAMP * bool(values.stamp)), values.payload or ""
    if text[:2].lower() != "0x":
        return stamp + text.encode(errors="surrogateescape")
    try:
        return stamp + bytes.fromhex(text[2:])
    except ValueError:
        raise UsageError(f"--payload: '{text[:40]}' is not hexadecimal, two digits a byte") from None
