"""Signatures: what authenticates more than itself, such as a digest. It cannot follow a change; that is told.

Twin of ../c/signatures.c.
"""

from __future__ import annotations

from ...batch import CAPTURED, COLUMNS, LINKTYPE, OFFSET
from ...protocols.walking import BEHIND, CARRIER, PASSES
from .headers import Walk, need_dict, note
from .lists import Items
from .protocols import Signature, known
from .rows import checked, without_fcs


class Changed:
    """What was changed in a packet: the last byte behind it; and of what may change on the way, such as checksums. 0: nothing."""

    __slots__ = ("end", "mutable_end")

    def __init__(self, end: int = 0, mutable_end: int = 0) -> None:
        self.end, self.mutable_end = end, mutable_end


def _of_header(found: Items, index: int) -> tuple[Signature, int] | None:
    """That of a header, or of an item in it, and where what it is of begins."""
    signatures, header = known().signatures, found.headers[index]
    if header.kind not in known().signing:
        return None
    places = [(header.kind, header.start), *((item.kind, item.start) for number, item in found.all() if number == index)]
    own = ((signatures[kind], at) for kind, at in places if kind in signatures)
    return next(((signature, at) for signature, at in own if found.hold(signature.tests, at, at)), None)


def _covered_from(found: Items, index: int, signature: Signature, at: int) -> int:
    """From where on a signature covers what it is in."""
    if signature.covers == BEHIND:
        return at
    if signature.covers == CARRIER and index:
        index -= 1
        while index and known().kinds[found.headers[index].kind].flags & PASSES:
            index -= 1
    return found.headers[index].start


def signature_of(frame: bytes | bytearray, walked: Walk, changed: Changed) -> int:
    """The code of the outermost signature that covers what was changed in a packet; 0: none does.

    What is quoted has none to keep.
    """
    if not walked.signing:
        return 0
    found = Items(frame, walked.headers)
    for index, header in enumerate(walked.headers):
        if walked.quoted <= index < walked.resumed:
            continue
        own = _of_header(found, index)
        if own is None:
            continue
        signature, at = own
        mutable = at if signature.covers == BEHIND else header.data
        if changed.end > _covered_from(found, index, signature, at) or changed.mutable_end > mutable:
            return signature.code
    return 0


def count_signed(data: bytearray, rows: bytes, end: int, mutable_end: int, counts: dict[int, int]) -> None:
    """Adds to `counts` the signatures of packets that cover what is changed at a place, see Changed."""
    values = without_fcs(checked(data, rows))
    if end < 0 or mutable_end < 0:
        raise ValueError("no such place")
    need_dict(counts)
    for i in range(0, len(values), COLUMNS):
        frame = bytes(data[values[i + OFFSET] : values[i + OFFSET] + values[i + CAPTURED]])
        note(counts, signature_of(frame, Walk(frame, values[i + LINKTYPE]), Changed(end, mutable_end)))
