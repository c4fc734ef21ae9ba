"""Commands that change packets, from pcap to pcap in one process, beside who does the same: python -m tests.benchmarks.editing

Two prefixes mapped and a VLAN tag put in beside tcprewrite; addresses anonymised, many and few, beside traceanon, which
leaves MAC addresses as they are, and no checksums.
"""

from __future__ import annotations

import random
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .capture import frames, mend, records, write_frames
from .processes import Failed, run
from .report import Row
from .sending import alone
from .timing import Contestant, ratio, rounds, row

LEAST = 60  # packets at least
PREFIXES = (("10.0.0.0/8", "192.168.0.0/16"), ("192.168.0.0/16", "172.16.0.0/16"))
MAP = tuple(word for before, after in PREFIXES for word in ("--map", f"{before}={after}"))
PNAT = f"--pnat={','.join(f'{before}:{after}' for before, after in PREFIXES)}"
TAG = ("--enet-vlan=add", "--enet-vlan-tag=5", "--enet-vlan-pri=0", "--enet-vlan-cfi=0")
MANY, FEW = 100_000, 200  # addresses
Both = Callable[[bytes, bytes], bool]


def among(addresses: int) -> Callable[[int], Iterator[bytes]]:
    """The frames of the reference capture, between so many hosts, of which none has a special address."""

    def given(count: int) -> Iterator[bytes]:
        chance = random.Random(addresses)
        hosts = [chance.randrange(11 << 24, 100 << 24).to_bytes(4, "big") for _ in range(addresses)]
        return (mend(frame[:26] + chance.choice(hosts) + chance.choice(hosts) + frame[34:]) for frame in frames(count))

    return given


def mapped(before: bytes, after: bytes) -> bool:
    """Whether both addresses, of 10.0.0.0/8, are now of the other prefix, and the checksums right."""
    return after == mend(before[:26] + b"\xc0\xa8" + before[28:30] + b"\xc0\xa8" + before[32:])


def tagged(before: bytes, after: bytes) -> bool:
    """Whether there is a VLAN tag now."""
    return after == before[:12] + b"\x81\0\0\5" + before[12:]


def anonymised(before: bytes, after: bytes) -> bool:
    """Whether both addresses are others, those of Ethernet aside nothing else, and the checksums right."""
    others = after[26:30] != before[26:30] and after[30:34] != before[30:34]
    return others and after == mend(after[:12] + before[12:26] + after[26:34] + before[34:])


def equal(ours: bytes, theirs: bytes) -> bool:
    """Whether two frames are the same."""
    return ours == theirs


def but_udp(ours: bytes, theirs: bytes) -> bool:
    """The same, but for a sum of UDP that tcprewrite took for none: of 65,535 about one."""
    return ours == theirs or (theirs[40:42] == b"\0\0" and (ours[:40], ours[42:]) == (theirs[:40], theirs[42:]))


def addresses_equal(ours: bytes, theirs: bytes) -> bool:
    """Whether IP's addresses are the same, and the frames as long."""
    return (ours[26:34], len(ours)) == (theirs[26:34], len(theirs))


@dataclass(frozen=True)
class Change:
    """A command of ours, and another one, with {source}, {target} and {key}; what is right, and whether both do the same."""

    ours: tuple[str, ...]
    theirs: tuple[str, ...]
    right: Both
    alike: Both
    given: Callable[[int], Iterator[bytes]] = frames

    @property
    def installed(self) -> bool:
        """Whether the other one can be run."""
        return shutil.which(self.theirs[0]) is not None

    def checked(self, name: str, codec: str, count: int, folder: Path) -> tuple[Contestant, Contestant]:
        """We and they. Raises Failed where what we write of so many packets is wrong, or not what they do."""
        place = {each: folder / f"{self.ours[0]}.{each}" for each in ("source", "made", "target", "key")}
        place["key"].write_bytes(bytes(range(64, 96)))  # of traceanon, in which no octet may be 0
        write_frames(place["source"], self.given(count))
        ours, theirs = ([word.format(**place) for word in words] for words in (self.ours, self.theirs))
        run([ours], place["source"], place["made"], codec=codec)
        before, after = ([frame for _, frame in records(place[each])] for each in ("source", "made"))
        if len(after) != count or not all(map(self.right, before, after)):
            raise Failed(f"{name}, {codec}: what {ours[0]} writes is wrong")
        if self.installed:
            run([theirs])
            others = [frame for _, frame in records(place["target"])]
            if len(others) != count or not all(map(self.alike, after, others)):
                raise Failed(f"{name}, {codec}: what {ours[0]} writes is not what {theirs[0]} does")
        source, made = place["source"], place["made"]
        return (
            Contestant(f"{ours[0]}, {name}, {codec}", [ours], count, source, folder / "again.pcap", made, codec),
            Contestant(f"{theirs[0]}, {name}", [theirs], count, source, place["target"], opens=True),
        )


def tcprewrite(*words: str) -> tuple[str, ...]:
    """Its command line."""
    return ("tcprewrite", *words, "-i", "{source}", "-o", "{target}")


ANONYMISE = ("pkt-map", "--anonymise", "--key-file", "{key}", "-F", "pcap")
TRACEANON = ("traceanon", "-s", "-d", "-f", "{key}", "pcapfile:{source}", "pcapfile:{target}")
CHANGES = {
    "two prefixes": Change(("pkt-map", *MAP, "-F", "pcap"), tcprewrite(PNAT), mapped, but_udp),
    "a VLAN tag": Change(("pkt-wrap", "VLAN", "VLAN.ID=5", "-F", "pcap"), tcprewrite(*TAG), tagged, equal),
    f"{MANY:,} addresses": Change(ANONYMISE, TRACEANON, anonymised, addresses_equal, among(MANY)),
    f"{FEW:,} addresses": Change(ANONYMISE, TRACEANON, anonymised, addresses_equal, among(FEW)),
}


def editing(codecs: Sequence[str], packets: int, runs: int, folder: Path) -> tuple[list[Row], str]:
    """The rows, of the fastest codec, and what there is to say about them. Raises Failed when anything else is written."""
    count, rows = max(packets, LEAST), []
    for name, change in CHANGES.items():
        for codec in codecs[1:]:
            change.checked(name, codec, LEAST, folder)
        ours, theirs = change.checked(name, codecs[0], count, folder)
        everyone = [ours, theirs] if change.installed else [ours]
        results = rounds(everyone, runs)
        rows += [row(one, results) for one in everyone]
        rows += [ratio(ours, one, results) for one in everyone[1:]]
    absent = sorted({change.theirs[0] for change in CHANGES.values() if not change.installed})
    said = f"; {' and '.join(absent)} not installed." if absent else "."
    return rows, f"Changed {count:,} packets in each of {len(CHANGES)} ways{said}"


def main(argv: Sequence[str] | None = None) -> int:
    """Measures these alone; gives the exit code."""
    return alone(editing, argv)


if __name__ == "__main__":
    sys.exit(main())
