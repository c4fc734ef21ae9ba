"""The same packets by other generators: a configuration for trafgen (netsniff-ng), a script for the kernel's pktgen."""

from __future__ import annotations

from ..errors import UsageError
from ..language.series import Drawn, Turns, least, most
from ..protocols.fields import HEADERS
from ..protocols.shown import format_value
from .stream import Column, Stream, Template

WRITTEN_OUT = 4096  # packets of a configuration for trafgen
LINE = 16  # bytes


def trafgen(stream: Stream) -> list[str]:
    """A configuration for trafgen: what comes round is written out packet by packet, whole fields that are drawn are `drnd()`.

    Raises UsageError for what it cannot say.
    """
    drawn = [column for column in stream.columns if isinstance(column.values, Drawn)]
    if stream.sizes and isinstance(stream.sizes.values, Drawn):
        raise UsageError("--trafgen: sizes that are drawn cannot be written for trafgen")
    if stream.stamp:
        raise UsageError("--trafgen: trafgen has no --stamp")
    fixed = Stream(stream.templates, [c for c in stream.columns if c not in drawn], stream.sizes, correct=stream.correct)
    if not 0 < fixed.period <= WRITTEN_OUT:
        raise UsageError(f"--trafgen: more than {WRITTEN_OUT} different packets; trafgen has all of them in memory")
    lines = []
    for number in range(fixed.period):
        template = stream.templates[number % len(stream.templates)]
        frame = bytes(fixed.made(number, 1).frame(0))
        lines += packet(template, frame, drawn, stream.correct)
    return lines


def packet(template: Template, frame: bytes, drawn: list[Column], correct: bool) -> list[str]:
    """A packet, header by header. drawn: its fields that are drawn anew each time."""
    words = [f"0x{byte:02x}" for byte in frame]
    functions: dict[int, str] = {}
    for column in drawn:
        place = template.place(column.indexes, column.occurrence)
        if place is None:
            continue
        row, bit = place
        values = column.values
        if bit % 8 or row.width % 8 or least(values) != 0 or most(values) != (1 << row.width) - 1:
            raise UsageError(f"--trafgen: {column.name}: trafgen draws whole fields of whole bytes: random")
        functions[bit // 8] = f"drnd({row.width // 8})"
        words[bit // 8 : (bit + row.width) // 8] = [""] * (row.width // 8)
    if drawn and correct:
        for at, word in checksums(template):
            words[at : at + 2] = ["", ""]
            functions[at] = word
    lines = ["{"]
    starts = {start: HEADERS[kind] for kind, start, *_ in template.headers}
    starts[template.payload] = "payload"
    line: list[str] = []
    for at, word in enumerate(words):
        if at in starts or len(line) == LINE:
            lines += shown(line)
            line = []
            if at in starts:
                lines.append(f"    /* {starts[at]} */")
        if at in functions or word:
            line.append(functions.get(at) or word)
    return [*lines, *shown(line), "}"]


def shown(words: list[str]) -> list[str]:
    """A line of bytes."""
    return ["    " + ", ".join(words) + ","] if words else []


def checksums(template: Template) -> list[tuple[int, str]]:
    """Where checksums lie, and the functions that compute them."""
    found = []
    network, behind = 0, ""
    for kind, start, _, end in template.headers:
        name = HEADERS[kind]
        if name in ("IP", "IPV6"):
            network, behind = start, "" if name == "IP" else "6"
        if name == "IP":
            found.append((start + 10, f"csumip({start}, {start + 19})"))
        elif name in ("UDP", "TCP"):
            found.append((start + (6 if name == "UDP" else 16), f"csum{name.lower()}{behind}({network}, {start})"))
        elif name == "ICMP":
            found.append((start + 2, f"csumicmp({start}, {end - 1})"))
        elif name == "ICMPV6":
            raise UsageError("--trafgen: trafgen computes no ICMPv6 checksums: nothing can be drawn")
    return found


# ---- pktgen: Documentation/networking/pktgen.rst; what is said of limits is from net/core/pktgen.c, mod_cur_headers() ----

XMIT = {"queue": "queue_xmit", "direct": "start_xmit", "receive": "netif_receive"}
PORTS = {"UDP.SRC_PORT": ("udp_src", "UDPSRC_RND"), "UDP.DST_PORT": ("udp_dst", "UDPDST_RND")}
ADDRESSES = {"IP.SRC_ADDR": ("src", "IPSRC_RND"), "IP.DST_ADDR": ("dst", "IPDST_RND")}
ADDRESSES6 = {"IPV6.SRC_ADDR": ("src6", ""), "IPV6.DST_ADDR": ("dst6", "")}
MACS = {"ETHERNET.SRC_ADDR": ("src_mac", "MACSRC_RND"), "ETHERNET.DST_ADDR": ("dst_mac", "MACDST_RND")}
SINGLE = {"IP.TOS": "tos", "IPV6.TRAFFIC_CLASS": "traffic_class", "ETHERNET.VLAN_ID": "vlan_id", "ETHERNET.VLAN_PRIORITY": "vlan_p"}


def pktgen(stream: Stream, interface: str | None, xmit: str, count: int | None, rate: float | None, correct: bool,
           nested: bool = False) -> list[str]:  # fmt: skip
    """A shell script that lets the kernel's pktgen do the same; comments say what it cannot.

    rate: packets a second, None: as fast as it can. count: None: until it is stopped. Without bursts: those are copies of one
    packet, and drivers such as that of veth refuse them. Raises UsageError.
    """
    kinds = [HEADERS[kind] for kind, *_ in stream.templates[0].headers]
    if "UDP" not in kinds or len(stream.templates) > 1:
        raise UsageError("--pktgen: the kernel's pktgen makes UDP and nothing else")
    settings = [f"count {count or 0}", "clone_skb 0", f"xmit_mode {XMIT[xmit]}"]
    flags, notes = ["UDPCSUM"] if correct else [], ["the payload is a time stamp and a number, as with --stamp, and zeros"]
    notes += ["the time to live is 32"]
    notes += ["--nested cannot be said: fields step independently"] if nested else []
    settings += [f"ratep {round(rate)}"] if rate is not None else []
    given = {column.name: column for column in stream.columns}
    for name, default in defaults(stream.templates[0]):
        if name not in given:
            settings += default
    settings += sizes(stream, flags)
    for name, column in given.items():
        found = field(column, flags)
        if found:
            settings += found
        else:
            notes.append(f"{name} cannot be set so: pktgen has no such field, or no such values")
    return [
        "#!/bin/sh",
        "# Packets by the kernel's pktgen; as root. PKTGEN: its folder.",
        *(f"# {note}" for note in notes),
        "set -e",
        f"device={interface}" if interface else "device=${1:?which interface?}",
        "folder=${PKTGEN:-/proc/net/pktgen}",
        '[ -d "$folder" ] || modprobe pktgen',
        'tell() { echo "$2" > "$folder/$1"; }',
        'tell kpktgend_0 "rem_device_all"',
        'tell kpktgend_0 "add_device $device"',
        *(f'tell "$device" "{line}"' for line in [*settings, *(f"flag {flag}" for flag in flags)]),
        "tell pgctrl start",
        'cat "$folder/$device"',
    ]


def defaults(template: Template) -> list[tuple[str, list[str]]]:
    """What the packet has where nothing is set."""
    lines = []
    names = {**PORTS, **ADDRESSES, **ADDRESSES6, "ETHERNET.DST_ADDR": ("dst_mac", "")}
    for name in names:
        column = Column(name, Turns([range(1)]))
        place = template.place(column.indexes, 1)
        if place:
            row, bit = place
            value = int.from_bytes(template.frame[bit // 8 : (bit + row.width) // 8], "big")
            column.values = Turns([range(value, value + 1)])
            lines.append((name, field(column, [])))
    return lines


def sizes(stream: Stream, flags: list[str]) -> list[str]:
    """The sizes of frames, without FCS, as pktgen counts them too."""
    if stream.sizes is None:
        return [f"pkt_size {stream.longest}"]
    low, high = least(stream.sizes.values), most(stream.sizes.values)
    drawn = isinstance(stream.sizes.values, Drawn)
    if drawn:
        flags.append("TXSIZE_RND")
    elif stream.sizes.values.ranges != [range(low, high + 1)]:
        raise UsageError("--pktgen: --size: pktgen's sizes count up by one, or are drawn")
    return [f"min_pkt_size {low}", f"max_pkt_size {high + drawn}"]  # the largest is never drawn


def field(column: Column, flags: list[str]) -> list[str]:
    """The settings for a field; none where there are no such."""
    name, values = column.name, column.values
    low, high = least(values), most(values)
    fixed, drawn = values.period == 1, isinstance(values, Drawn)
    if len(values.ranges) > 1 or (not fixed and values.ranges[0].step != 1):
        return []
    row = column.rows[0]
    word, flag = {**PORTS, **ADDRESSES, **ADDRESSES6, **MACS}.get(name, ("", ""))
    if drawn and flag:
        flags.append(flag)
    if name in PORTS:  # the largest is not reached, unless it is the only one
        return [f"{word}_min {low}", f"{word}_max {high if fixed else min(high + 1, 65535)}"]
    if name in ADDRESSES:
        return [f"{word}_min {format_value(row, low)}", f"{word}_max {format_value(row, high + (drawn and high < 0xFFFFFFFF))}"]
    if name in ADDRESSES6 and fixed:
        return [f"{word} {format_value(row, low)}"]
    if name in MACS and high - low + 1 < 1 << 32:  # it counts them with 32 bits
        return [f"{word} {format_value(row, low)}", *([] if fixed else [f"{word}_count {high - low + 1}"])]
    if name in SINGLE and fixed:
        return [f"{SINGLE[name]} {low:02x}" if name in ("IP.TOS", "IPV6.TRAFFIC_CLASS") else f"{SINGLE[name]} {low}"]
    return []
