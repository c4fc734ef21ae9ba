"""Answers to requests, by rules: an answer is its request with other values in some places, and perhaps another end.

Which requests there are is what the rules say. Twin of ../c/answers.c.
"""

from __future__ import annotations

from ...batch import COLUMNS, MAX_FRAME, Packet, Program, gathered
from ...protocols.walking import LINK_LAYER, TAG, TUNNEL
from .. import ALL, CORRECTED
from .around import Around
from .checksum import View
from .correction import correct_frame
from .fragments import note_signature, packet_of
from .headers import Header, need_dict
from .program import Tests, load_tests, matches, tests_ask_all
from .protocols import carries_message, known
from .rows import checked, without_fcs
from .signatures import Changed
from .soundness import check_view

Edit = tuple[int, int, int, int, int]  # kind of header, bit, width; kind that it comes from, and bit there; or -1, and the value
Rule = tuple[int, Program, bytes, bytes, int]


class _Rule:
    """A rule for requests whose message is a header of a kind: see `answer`."""

    def __init__(self, rule: Rule) -> None:
        """Raises TypeError, ValueError."""
        if not isinstance(rule, tuple):
            raise TypeError("a rule is a tuple")
        self.kind, tests, edits, unlike, self.end = rule
        if not 0 <= self.end <= MAX_FRAME:
            raise ValueError("end out of range")
        self.edits, self.unlike = _edits(edits), _edits(unlike)
        self.tests: Tests = load_tests(tests)
        self.asks_all = tests_ask_all(self.tests)


def _edits(packed: bytes) -> list[Edit]:
    numbers = memoryview(packed).cast("B")[: len(packed) // 8 * 8].cast("q").tolist()
    edits = [(*numbers[i : i + 5],) for i in range(0, len(numbers) // 5 * 5, 5)]
    most = 8 * MAX_FRAME
    if len(packed) % 40 or not all(
        0 <= bit <= most and 1 <= width <= 64 and source >= -1 and (source < 0 or 0 <= value <= most)
        for _, bit, width, source, value in edits
    ):
        raise ValueError("edits are not sound")
    return edits  # type: ignore[return-value]  # they are of five


def _in_tunnel(headers: list[Header]) -> bool:
    """Whether what is behind these headers has a tunnel in front of it, a second datagram, or a link layer that is carried."""
    flags = [known().kinds[header.kind].flags for header in headers]
    carrier = next((k for k, of in enumerate(flags) if not of & (LINK_LAYER | TAG)), len(flags))
    datagrams = sum(carries_message(header.kind) for header in headers)
    return datagrams > 1 or any(of & TUNNEL for of in flags) or any(of & LINK_LAYER for of in flags[carrier:])


class _Request:
    """A packet that may be a request."""

    def __init__(self, packet: Packet, row: list[int], data: bytearray) -> None:
        self.packet, self.row, self.data = packet, row, data
        self.view = View(packet.frame, packet.original, packet.linktype)

    def first_of(self, kind: int) -> Header | None:
        """The first header of a kind."""
        return next((header for header in self.view.headers if header.kind == kind), None)

    def bits(self, kind: int, bit: int, width: int) -> int | None:
        """What bits of a header hold; None: they are not there."""
        header = self.first_of(kind)
        if header is None or header.start * 8 + bit + width > header.end * 8:
            return None
        first, last = header.start * 8 + bit, header.start * 8 + bit + width
        return self.view.get(first // 8, -(-last // 8) - first // 8) >> -last % 8 & (1 << width) - 1

    def answer(self, rules: list[_Rule]) -> Packet | None:
        """The answer, by the first rule of its kind that is for it."""
        kinds = {rule.kind for rule in rules}
        index = next((i for i, header in enumerate(self.view.headers) if header.kind in kinds), None)
        if index is None or _in_tunnel(self.view.headers[:index]):  # what a tunnel carries is for its end
            return None
        for rule in rules:
            its = rule.kind == self.view.headers[index].kind
            its = its and matches(rule.tests, rule.asks_all, self.data, self.row, self.row, 0)
            if its and not any(self.same(*edit) for edit in rule.unlike):
                return self.made(rule, index)
        return None

    def same(self, kind: int, bit: int, width: int, source: int, at: int) -> bool:
        """Whether two numbers are there, and the same."""
        one = self.bits(kind, bit, width)
        return one is not None and one == self.bits(source, at, width)

    def made(self, rule: _Rule, index: int) -> Packet | None:
        """The answer that a rule makes; None: it has no place for its length."""
        view, frame = self.view, bytearray(self.packet.frame)
        header, around = view.headers[index], None
        if rule.end:
            around, end = Around(view, index), header.start + rule.end
            frame = frame[: min(header.end, end)].ljust(end, b"\0") + around.tail
        for kind, bit, width, source, value in rule.edits:
            to, given = self.first_of(kind), self.bits(source, value, width) if source >= 0 else value & (1 << width) - 1
            first = to.start * 8 + bit if to else len(frame) * 8
            if given is not None and first + width <= len(frame) * 8:
                place(frame, first, width, given)
        original = self.packet.original
        if around:
            fitted = around.fit(bytes(frame[: len(frame) - len(around.tail)]), self.packet.linktype)
            if fitted is None:
                return None
            frame, original = bytearray(fitted), len(fitted)
        correct_frame(frame, original, self.packet.linktype, ALL, 32)
        return Packet(bytes(frame), original, self.packet.time, self.packet.linktype, self.packet.notes)


def place(frame: bytearray, bit: int, width: int, value: int) -> None:
    """Writes a number anywhere in a frame that has so many bits."""
    first, last = bit // 8, (bit + width + 7) // 8
    shift, mask = last * 8 - bit - width, (1 << width) - 1
    old = int.from_bytes(frame[first:last], "big")
    frame[first:last] = (old & ~(mask << shift) | value << shift).to_bytes(last - first, "big")


def answer(data: bytearray, rows: bytes, rules: tuple[Rule, ...], counts: dict[int, int] | None) -> tuple[bytearray, bytearray]:
    """Data and rows of the answers to those packets that are sound, see `check`, no tunnel carries, and some rule is for.

    A rule: the kind of header that the message of the request is; tests that hold of the request; edits of five integers each:
    bits of the first header of a kind (kind, first bit, width of up to 64) become what those of the same width are in the
    request (kind, first bit), or (-1, value) a constant; such rows again, of bits that must not be the same in the request; and
    the bytes of the message, if not as many as before: what is in front of it says so then. Of several rules
    for a message the first one counts. Checksums are right; signatures that do not follow are added to `counts`.
    """
    values = without_fcs(checked(data, rows))
    loaded, made = [_Rule(rule) for rule in rules], []
    need_dict(counts)
    for i in range(0, len(values), COLUMNS):
        row = values[i : i + COLUMNS]
        request = _Request(packet_of(data, row), row, data)
        if check_view(request.view) == CORRECTED and (found := request.answer(loaded)):
            made.append(found)
            note_signature(counts, request.packet, Changed(len(request.packet.frame)))
    batch = gathered(made)
    return batch.data, batch.rows  # type: ignore[return-value]  # no mmap
