"""What becomes of packets that others may see: addresses by a key, payloads, times, and names; and an account of what is left."""

from __future__ import annotations

from os import urandom

from ..errors import PktError, need
from ..language.assignments import Assignments
from ..protocols import TEXT
from ..protocols.fields import HEADERS, TABLE
from ..protocols.payloads import LOST, kept
from ..protocols.places import ADDRESS4, ADDRESS6, PORT, STATION, VLAN
from .addresses import OPEN, ask_for
from .cryptopan import KEY, CryptoPan
from .payloads import Payloads
from .times import Retimer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..batch import Batch
    from .addresses import Mapper

    Work = Callable[[Iterator[Batch]], Iterator[Batch]]

RANDOM = "random"
LEFT, USUALLY = {"vendors", "ports", "vlans", "special"}, {"ports", "vlans", "special"}

STAYING = {"ports": "ports", "vendors": "vendors of MAC addresses", "vlans": "VLAN numbers"}


def key_of(path: str | None) -> bytes:
    """The key in a file; without one a key that nobody else will have. Raises PktError."""
    if path is None:
        return urandom(KEY)
    try:
        with open(path, "rb") as file:  # noqa: PTH123  # pathlib is dear
            key = file.read(KEY + 1)
    except OSError as error:
        raise PktError(f"{path}: {error.strerror}") from None
    if len(key) != KEY:
        raise PktError(f"{path}: a key has {KEY} octets, this file {'more' if len(key) > KEY else len(key)}")
    return key


def texts() -> list[str]:
    """Fields of headers that are kept which are texts: names of programs and interfaces."""
    headers = memoryview(kept()[0]).cast("i")
    return sorted({row.name for row in TABLE if row.kind == TEXT and row.header < len(HEADERS) and headers[row.header] != LOST})


def left_of(text: str | None) -> set[str]:
    """What --leave says. Raises UsageError."""
    words = USUALLY if text is None else {word.strip() for word in text.split(",")}
    need(words <= LEFT or words == {"none"}, f"--leave: '{text}' is not none, and not all of it is of {', '.join(sorted(LEFT))}")
    return words


def shift_of(text: str, cipher: CryptoPan) -> int:
    """How far --shift moves times, in nanoseconds. Raises UsageError."""
    if text == RANDOM:
        return cipher.moved()
    from ..language.times import duration  # late: few say a time

    return duration("--shift", text)


def chosen(batch: Batch) -> list[bool]:
    """Which packets of a batch are changed."""
    return [batch.chosen is not False] * len(batch)


class Anonymiser:
    """What is done beside the map, which asks `cipher`.

    path: the file with the key. left: what --leave says. wiping, keep: see Payloads. shift: how far times are moved.
    """

    def __init__(self, path: str | None, *, left: str | None, wiping: bool, keep: bool, shift: str | None) -> None:
        """Raises UsageError, and PktError where there is no key, or no cipher."""
        self.left, self.wiping = left_of(left), wiping
        self.cipher = CryptoPan(key_of(path), vendors="vendors" in self.left, special="special" in self.left)
        self.rules = ask_for(
            ADDRESS4, ADDRESS6, STATION, *[PORT] * ("ports" not in self.left), *[VLAN] * ("vlans" not in self.left)
        )
        self.payloads = Payloads(wiping, keep)
        self.retimer = Retimer(shift=shift_of(shift, self.cipher), chosen=chosen) if shift is not None else None
        names = texts() if wiping else []
        self.names = Assignments([(name, "=", "") for name in names]) if names else None

    @property
    def work(self) -> list[Work]:
        """Stages behind the map."""
        return [*([self.without_texts] if self.names else []), self.payloads, *([self.retimer] if self.retimer else [])]

    def without_texts(self, stream: Iterator[Batch]) -> Iterator[Batch]:
        """Passes all packets, their texts empty."""
        for batch in stream:
            if batch.chosen is not False and self.names:
                self.names.run(batch)
            yield batch

    def said(self, mapper: Mapper) -> list[str]:
        """What there is to say at the end."""
        if self.wiping:
            # Of headers that were not looked into: there is nothing in most of them any more.
            mapper.headers = [
                count if HEADERS[kind] in OPEN else 0 for kind, count in zip(mapper.closed, mapper.headers, strict=True)
            ]
        said = [*self.cipher.said(), *mapper.said(), *self.payloads.said(), *(self.retimer.said() if self.retimer else [])]
        stayed = [what for word, what in STAYING.items() if word in self.left]
        stayed += [
            "identifications",
            "numbers of TCP",
            "options and their time stamps",
            "sizes",
            *([] if self.retimer else ["times"]),
        ]
        return [*said, f"left as they were: {', '.join(stayed)}"]
