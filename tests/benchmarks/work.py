"""What is run: our commands alone and joined, on both codecs, and other programs that do comparable work."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .capture import ICMP, ICMP_TYPE_AT, PROTOCOL_AT, TTL_AT, UDP, mend, with_byte
from .processes import Commands

Edit = Callable[[bytes], bytes | None]
FORMATS = ("text", "pcap")
TEXT_LANE = {"PKTTOOLS_LANE": "text"}  # lets text be written where batches would be, as between our commands and others


@dataclass(frozen=True)
class Stage:
    """One command: its words, what it reads where stages hand on text, and what it must make of a frame; None: drop it."""

    words: tuple[str, ...]
    reads: str
    edit: Edit

    def command(self, form: str) -> list[str]:
        """Its command line where stages hand on `form`."""
        return [*self.words, *(["-F", "pcap"] if form == "pcap" else [])]

    def writes(self, form: str) -> str:
        """What it writes where stages hand on `form`."""
        return "pcap" if self.words[0] == "pkt-txt2pcap" else form


@dataclass(frozen=True)
class Material:
    """A capture and the same as text, of the length that a codec is measured with."""

    codec: str
    packets: int
    pcap: Path
    text: Path

    def stream(self, form: str) -> Path:
        """The file in a format."""
        return self.pcap if form == "pcap" else self.text


@dataclass(frozen=True)
class Peer:
    """Another program: a command line with {source} and {target}, and what it must make of a frame."""

    name: str
    words: tuple[str, ...]
    edit: Edit

    @property
    def installed(self) -> bool:
        """Whether it can be run."""
        return shutil.which(self.words[0]) is not None

    def command(self, source: Path, target: Path) -> list[str]:
        """Its command line from a file to a file."""
        return [word.format(source=source, target=target) for word in self.words]


def same_frame(frame: bytes) -> bytes:
    """Nothing changes."""
    return frame


def type_8(frame: bytes) -> bytes:
    """ICMP type 8, and the checksum as it was."""
    return with_byte(frame, ICMP_TYPE_AT, 8) if frame[PROTOCOL_AT] == ICMP else frame


def type_8_mended(frame: bytes) -> bytes:
    """ICMP type 8, with a right checksum: what the pipe of four commands does."""
    return mend(type_8(frame))


def ttl_65(frame: bytes) -> bytes:
    """TTL 65, with right checksums: what other programs do."""
    return mend(with_byte(frame, TTL_AT, 65))


def only_udp(frame: bytes) -> bytes | None:
    """UDP alone: all of it goes to port 53."""
    return frame if frame[PROTOCOL_AT] == UDP else None


PCAP2TXT = Stage(("pkt-pcap2txt",), "pcap", same_frame)
TXT2TXT = Stage(("pkt-txt2txt",), "text", same_frame)
CHANGE = Stage(("pkt-change", "--icmp-type", "8"), "text", type_8)
CORRECT = Stage(("pkt-correct",), "text", mend)
FILTER = Stage(("pkt-filter", "UDP.DST_PORT==53"), "text", only_udp)
TXT2PCAP = Stage(("pkt-txt2pcap",), "text", same_frame)
STAGES = (PCAP2TXT, TXT2TXT, CHANGE, CORRECT, FILTER, TXT2PCAP)
PIPE = (PCAP2TXT, CHANGE, CORRECT, TXT2PCAP)

PEERS = (
    Peer("tcprewrite", ("tcprewrite", "--ttl=65", "-C", "-i", "{source}", "-o", "{target}"), ttl_65),
    Peer("bittwiste", ("bittwiste", "-I", "{source}", "-O", "{target}", "-T", "ip", "-t", "65"), ttl_65),
)
CATS: Commands = [["cat"]] * 4
TEE = ["tee", "/dev/null"]
ONE: Commands = [["pkt-pipe", "change --icmp-type 8 | correct"]]  # the pipe in one process, from pcap to pcap


def pipe(form: str) -> Commands:
    """The four commands, handing on `form`."""
    return [stage.command(form) for stage in PIPE]


def teed(commands: Commands) -> Commands:
    """Commands with a tee between each two, which are thus foreign to each other."""
    first, *others = commands
    return [first, *(command for other in others for command in (TEE, other))]
