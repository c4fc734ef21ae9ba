"""Answers by rules: a stage of a flow. What rules say is read by rules.py.

Only sound packets are answered, that no tunnel carries, and no fragments: see `check` of the codec. Checksums of answers are right.
"""

from __future__ import annotations

import struct
from zlib import crc32

from .. import codec
from ..batch import ROW_BYTES, Batch, Packet, gathered
from ..errors import need
from ..language.assignments import Assignments
from ..language.filters import Filter
from ..protocols.ends import pairs
from ..protocols.fields import HEADERS
from ..protocols.kinds import carries_message, has
from ..protocols.walking import TUNNEL
from ..work.answers import OURS, Network, arp, echo, neighbour, network, place
from ..work.payload import INNERMOST, Editor
from ..work.splicing import Passed, Pieces, spliced

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..work.answers import Rule as CodecRule
    from .zone import Zone

    Header = tuple[int, int, int, int]

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16  # RFC 9293 section 3.1
TCP_SIZE, UDP_SIZE, WINDOW = 20, 8, 65535
SOUND = bytes(outcome == codec.CORRECTED for outcome in range(256))
GROUPS = "IP.DST_ADDR==224.0.0.0/4 or IP.DST_ADDR==255.255.255.255 or IPV6.DST_ADDR==ff00::/8"
ETHERNET_SOURCE, GROUP_BIT = "ETHERNET.SRC_ADDR", 1  # IEEE 802-2014 section 8.2.2
SOURCES = [*map(place, ("IP.SRC_ADDR", "IPV6.SRC_ADDR", "ARP.SENDER_IPADDR"))]
FRESH = [("IP.TTL", "=", "64"), ("IPV6.HOP_LIMIT", "=", "64")]


class Rule:
    """What answers some packets."""

    def answers(self, batch: Batch) -> dict[int, Packet | None]:
        """The answers to the packets that it is for, by their numbers; None: there is none."""
        raise NotImplementedError


class Stations(Rule):
    """Who has an address, and pings: as pkt-pingrep answers."""

    def __init__(self, word: str, networks: str) -> None:
        """Raises ValueError; UsageError for addresses that such requests never ask for."""
        found: list[Network] = [network(text) for text in networks.split(",")] if networks else []
        version = {"arp": 4, "nd": 6}.get(word)
        for its in found if version else ():
            need(its.version == version, f"{its} is no address of IPv{version}: {word} never asks for it")
        rules: dict[str, list[CodecRule]] = {
            "arp": [arp(found)], "nd": neighbour(found) if word == "nd" else [], "ping": [echo(4, found), echo(6, found)],
        }  # fmt: skip
        self.rules = tuple(rules[word])

    def answers(self, batch: Batch) -> dict[int, Packet | None]:
        """Made one by one: it is for those that there is an answer to."""
        made = [Batch(*codec.answer(batch.data, batch.part(i, i + 1).rows, self.rules, None)) for i in range(len(batch))]
        return {i: one.packet(0) for i, one in enumerate(made) if len(one)}


class Changed(Rule):
    """An answer that is made of its request: octets become others, ends are exchanged, fields are assigned."""

    def __init__(self, expression: str, items: list[tuple[str, str, str]], *, groups: bool = False) -> None:
        """groups: also for what was sent to a group, or to all, which may send nothing (RFC 1122 section 3.2.1.3).

        Raises UsageError.
        """
        self.filter = Filter([expression if groups else f"({expression}) and not ({GROUPS})"])
        self.assignments = Assignments(items, pairs(), follow=True)
        self.says_who = any(name.partition("[")[0].upper() == ETHERNET_SOURCE for name, *_ in items)

    def piece(self, frame: bytes, headers: list[Header]) -> tuple[int, int, bytes] | None:
        """Which octets become others, from where on, how many, and which; None: there is no answer."""
        raise NotImplementedError

    def changed(self, batch: Batch) -> tuple[list[int], Batch]:
        """Packets with other octets, and their numbers."""
        pieces, numbers = Pieces(), list[int]()
        for i in range(len(batch)):
            headers = codec.walk(batch.data, batch.rows[i * ROW_BYTES : (i + 1) * ROW_BYTES])
            piece = self.piece(bytes(batch.frame(i)), headers)
            if piece:
                pieces.add(len(numbers), *piece)
                numbers.append(i)
        kept = gathered([batch.packet(i) for i in numbers])
        return numbers, own_of(spliced(kept, pieces, False, {}, Passed()))

    def answers(self, batch: Batch) -> dict[int, Packet | None]:
        """It is for those that its filter lets through."""
        chosen = [number for number, its in enumerate(self.filter.verdicts(batch)) if its]
        if not chosen:
            return {}
        numbers, made = self.changed(part(batch, chosen))
        self.assignments.run(made)
        if not self.says_who:
            for i in range(len(made)):
                from_one(made.frame(i), codec.walk(made.data, made.rows[i * ROW_BYTES : (i + 1) * ROW_BYTES]))
        codec.correct(made.data, made.rows, codec.ALL)
        found: dict[int, Packet | None] = dict.fromkeys(chosen)
        for i, number in enumerate(numbers):
            found[chosen[number]] = made.packet(i)
        return found


class Template(Changed):
    """What `when` says. payload: what answers carry instead; None: the same. drop: there is no answer."""

    def __init__(self, expression: str, payload: bytes | None, items: list[tuple[str, str, str]], drop: bool) -> None:
        """Raises UsageError."""
        super().__init__(expression, items, groups=True)
        self.drop = drop
        self.editor = None if payload is None else Editor([lambda _: payload], INNERMOST)

    def changed(self, batch: Batch) -> tuple[list[int], Batch]:
        """All, but where it has no answer for any."""
        if self.drop:
            return [], gathered([])
        own = own_of([batch])
        if self.editor:
            own = own_of(self.editor(iter([own])))
        return list(range(len(batch))), own


class Echo(Changed):
    """RFC 862: what came to a port of UDP comes back."""

    def __init__(self, ports: list[int]) -> None:
        super().__init__(" or ".join(f"UDP.DST_PORT=={port}" for port in ports), FRESH)

    def changed(self, batch: Batch) -> tuple[list[int], Batch]:
        """All of them, as they came."""
        return list(range(len(batch))), own_of([batch])


def own_of(batches: Iterable[Batch]) -> Batch:
    """The same packets in one batch, with memory of their own."""
    return gathered([batch.packet(i) for batch in batches for i in range(len(batch))])


def from_one(frame: memoryview, headers: list[Header]) -> None:
    """What would come from a group of MAC addresses, since its request went to one, comes from the address that pkt-pingrep has."""
    starts = {kind: start for kind, start, *_ in headers}
    kind, bit, _ = place(ETHERNET_SOURCE)
    at = starts.get(kind, len(frame)) + bit // 8
    if at < len(frame) and frame[at] & GROUP_BIT:
        address = next((starts[kind] + bit // 8 + width // 8 - 4 for kind, bit, width in SOURCES if kind in starts), None)
        octets = bytes(4) if address is None else frame[address : address + 4]
        frame[at : at + 6] = OURS.to_bytes(2, "big") + octets


def last(headers: list[Header], name: str) -> Header | None:
    """The last header of that name."""
    return next((header for header in reversed(headers) if HEADERS[header[0]] == name), None)


class Names(Changed):
    """Questions of DNS, over UDP, are answered from a zone."""

    def __init__(self, zone: Zone) -> None:
        super().__init__("UDP.DST_PORT==53 and DNS.QR==0", FRESH)
        self.zone = zone

    def piece(self, frame: bytes, headers: list[Header]) -> tuple[int, int, bytes] | None:
        """The message becomes its answer."""
        udp = last(headers, "UDP")
        if udp is None:
            return None
        at, end = udp[1] + UDP_SIZE, udp[3]
        message = self.zone.answer(frame[at:end])
        return (at, end - at, message) if message is not None else None


class Segments(Changed):
    """Segments of TCP that are answered by others; no connection is remembered: what it takes is in what comes."""

    def piece(self, frame: bytes, headers: list[Header]) -> tuple[int, int, bytes] | None:
        """The segment becomes its answer; ports are exchanged behind that."""
        tcp = last(headers, "TCP")
        if tcp is None:
            return None
        _, start, _, end = tcp
        ports, seq, ack, offset, flags = struct.unpack_from("!4sIIBB", frame, start)
        data = frame[start + (offset >> 4) * 4 : end]
        length = len(data) + bool(flags & SYN) + bool(flags & FIN)
        own = self.segment(flags, seq, ack, length, len(data), ports)
        if own is None:
            return None
        flags, seq, ack, text = own
        head = struct.pack("!4sIIBBHHH", ports, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, 0x50, flags, WINDOW, 0, 0)
        return start, end - start, head + text

    def segment(self, flags: int, seq: int, ack: int, length: int, data: int, ports: bytes) -> tuple[int, int, int, bytes] | None:
        """Flags, number, acknowledgement and text of the answer. length: of what it acknowledges; data: octets alone."""
        raise NotImplementedError


def first_number(ports: bytes, seq: int) -> int:
    """The initial sequence number of who is asked, by that of who asks."""
    return crc32(ports + struct.pack("!I", seq & 0xFFFFFFFF))


class Accept(Segments):
    """Connections to ports are accepted: SYN, data and FIN are acknowledged; data get a text, and the end of the connection."""

    def __init__(self, ports: list[int], text: bytes) -> None:
        super().__init__(" or ".join(f"TCP.DST_PORT=={port}" for port in ports), FRESH)
        self.text = text

    def segment(self, flags: int, seq: int, ack: int, length: int, data: int, ports: bytes) -> tuple[int, int, int, bytes] | None:
        """RFC 9293 section 3.10.7; the first number is of the request's, so that it is known again without being remembered."""
        if flags & RST or (flags & SYN and flags & ACK):
            return None
        if flags & SYN:
            return SYN | ACK, first_number(ports, seq), seq + 1, b""
        if data and self.text:
            return PSH | FIN | ACK, ack, seq + length, self.text
        if flags & FIN:
            untold = ack == first_number(ports, seq - 1) + 1 & 0xFFFFFFFF  # else the text has gone out, and the end with it
            return (FIN | ACK if untold or not self.text else ACK), ack, seq + length, b""
        return (ACK, ack, seq + length, b"") if data else None


class Reset(Segments):
    """A connection that is not there: RFC 9293 section 3.10.7.1."""

    def __init__(self) -> None:
        super().__init__("TCP", FRESH)

    def segment(self, flags: int, seq: int, ack: int, length: int, data: int, ports: bytes) -> tuple[int, int, int, bytes] | None:
        """Nothing answers a reset."""
        if flags & RST:
            return None
        return (RST, ack, 0, b"") if flags & ACK else (RST | ACK, 0, seq + length, b"")


class Answering:
    """Answers packets by rules, in their order.

    answered, unanswered: packets that a rule answers, and others. refused: those that are not looked at.
    """

    def __init__(self, rules: list[Rule]) -> None:
        self.rules = rules
        self.answered = self.unanswered = self.refused = 0
        self.beyond: dict[int, int] = {}  # what packets carry that is not followed

    def __call__(self, stream: Iterator[Batch]) -> Iterator[Batch]:
        """Passes the answers, in the order of the packets."""
        for batch in stream:
            codec.beyond(batch.data, batch.rows, self.beyond)
            sound = plain(Batch(batch.data, codec.pick(batch.rows, codec.check(batch.data, batch.rows), SOUND)))
            found: list[Packet | None] = [None] * len(sound)
            left = [*range(len(sound))]
            for rule in self.rules if left else ():
                its = rule.answers(part(sound, left))
                for i, packet in its.items():
                    found[left[i]] = packet
                left = [number for i, number in enumerate(left) if i not in its]
                if not left:
                    break
            answers = [packet for packet in found if packet]
            self.answered += len(answers)
            self.unanswered += len(sound) - len(answers)
            self.refused += len(batch) - len(sound)
            if answers:
                yield gathered(answers)


def part(batch: Batch, numbers: list[int]) -> Batch:
    """Some packets of a batch."""
    if len(numbers) == len(batch):
        return batch
    return Batch(batch.data, bytearray().join([batch.rows[i * ROW_BYTES : (i + 1) * ROW_BYTES] for i in numbers]))


def plain(batch: Batch) -> Batch:
    """The packets that no tunnel carries, and that carry no datagram in another one: what is in those is for their ends."""

    def is_plain(i: int) -> bool:
        kinds = [kind for kind, *_ in codec.walk(batch.data, batch.rows[i * ROW_BYTES : (i + 1) * ROW_BYTES])]
        return sum(map(carries_message, kinds)) < 2 and not any(has(kind, TUNNEL) for kind in kinds)

    return part(batch, [i for i in range(len(batch)) if is_plain(i)])
