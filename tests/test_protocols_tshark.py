"""tshark as the judge of protocols: what it finds in real packets of each is what our descriptions say.

The packets are texts in data/protocols. Tables there, *.tsv, say which field of ours is which of tshark's:

    SAMPLE  FIELD  FIELD OF TSHARK  [UNIT]      both have the same values, in the same order; theirs times UNIT are ours
    SAMPLE  FIELD  FIELD[4:2],FIELD             two bytes of it behind the first four; several are one behind the other
    SAMPLE  FIELD  FIELD OF TSHARK  4+8         theirs times 4, and 8
    SAMPLE  FIELD  FIELD OF TSHARK  1  where    only in packets that have both
    SAMPLE  -d     udp.port==8472,vxlan         what tshark is told for this sample; also -o

A field of ours may come as often as its header does: all values are compared, packet by packet.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from fractions import Fraction
from functools import cache
from ipaddress import ip_address
from itertools import compress
from pathlib import Path
from typing import NamedTuple, TypeVar
from xml.etree import ElementTree

import pytest
from conftest import shell

from pkttools.protocols.fields import FIELDS

FOLDER = Path(__file__).parent / "data/protocols"
SAMPLES = {path.stem: path for path in sorted(FOLDER.glob("*.txt"))}
CHECKS = ("ip.check_checksum:TRUE", "udp.check_checksum:TRUE", "tcp.check_checksum:TRUE", "sctp.checksum:CRC 32c")  # off else
FIELD_LINE = re.compile(r"(([A-Z][A-Z0-9_]*\.[A-Z0-9_]+)(?:\[[0-9]+\])?):\s*(.*)")
SLICE = re.compile(r"([^,\[]+)(?:\[(\d+):(\d+)\])?")
Value = TypeVar("Value")
needs_tshark = pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is not installed")


class Pair(NamedTuple):
    """A row of a table: what is the same, in which sample, and how many of our units is one of tshark's, with what is added."""

    table: str
    sample: str
    ours: str
    theirs: str
    unit: Fraction
    more: int
    where: bool


def pair_of(table: str, row: list[str]) -> Pair:
    """What a row says."""
    sample, ours, theirs, unit, where = [*row, *["1", ""][len(row) - 3 :]]
    unit, _, more = unit.partition("+")
    return Pair(table, sample, ours, theirs, Fraction(unit), int(more or 0), where == "where")


def rows() -> list[tuple[str, list[str]]]:
    """The rows of all tables, with the names of these."""
    return [
        (path.name, line.split("\t"))
        for path in sorted(FOLDER.glob("*.tsv"))
        for line in path.read_text("utf-8").splitlines()
        if line.strip() and not line.startswith("#")
    ]


ROWS = rows()
PAIRS = [pair_of(table, row) for table, row in ROWS if not row[1].startswith("-")]
TOLD = {sample: [word for _, row in ROWS if row[0] == sample and row[1].startswith("-") for word in row[1:3]] for sample in SAMPLES}


class Seen(NamedTuple):
    """What tshark says of a packet: values of its fields, in their order, their bytes, and what is wrong with it."""

    fields: dict[str, list[str]]
    raw: dict[str, list[str]]
    wrong: list[str]


@cache
def texts() -> dict[str, list[str]]:
    """The packets of each sample, as texts that stand for themselves."""
    found: dict[str, list[str]] = {}
    for sample, path in SAMPLES.items():
        link, packets = "LINKTYPE: 1", found.setdefault(sample, [])
        for text in re.findall(r"(?:^.*\n)*?^==\n", path.read_text("utf-8"), re.MULTILINE):
            link = (re.findall(r"^LINKTYPE: .*", text, re.MULTILINE) or [link])[-1]
            packets.append(f"{link}\n{text}")
    return found


def everything() -> list[str]:
    """The packets of all samples."""
    return [text for sample in SAMPLES for text in texts()[sample]]


def together(command: str, packets: Iterable[str], backend: str = "") -> subprocess.CompletedProcess[bytes]:
    """A command over many packets: a run for each sample would take minutes."""
    done = shell(command, "".join(packets).encode(), backend=backend)
    assert done.returncode == 0, done.stderr
    return done


def by_sample(samples: Iterable[str], packets: Sequence[Value]) -> dict[str, Sequence[Value]]:
    """What there is for each packet of samples, one behind the other, for each of these."""
    left = iter(packets)
    found = {sample: [next(left) for _ in texts()[sample]] for sample in samples}
    assert not list(left)
    return found


def tshark(sample: str) -> Sequence[Seen]:
    """What it says of each packet of a sample."""
    return tshark_told(tuple(TOLD[sample]))[sample]


@cache
def tshark_told(words: tuple[str, ...]) -> dict[str, Sequence[Seen]]:
    """What it says of all samples for which it is told the same."""
    samples = [sample for sample in SAMPLES if tuple(TOLD[sample]) == words]
    capture = together("pkt-txt2pcapng", (text for sample in samples for text in texts()[sample]))
    return by_sample(samples, judged(capture.stdout, list(words)))


def judged(capture: bytes, told: list[str]) -> list[Seen]:
    """What it says of each packet of a capture."""
    options = [word for check in CHECKS for word in ("-o", check)]
    words = ["tshark", "-n", "-r", "-", "-T", "pdml", *options, *told]
    done = subprocess.run(words, input=capture, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return [seen(packet) for packet in ElementTree.fromstring(done.stdout).iter("packet")]


def seen(packet: ElementTree.Element) -> Seen:
    """A packet of tshark's output."""
    fields: dict[str, list[str]] = {}
    raw: dict[str, list[str]] = {}
    wrong = []
    for node in packet.iter():
        name, show = node.get("name", ""), node.get("show", "")
        fields.setdefault(name, []).append(show)
        raw.setdefault(name, []).append(node.get("unmaskedvalue") or node.get("value") or "")
        said = node.get("showname") or show
        if name == "_ws.malformed" or (name.endswith("checksum.status") and show in ("0", "Bad")) or "[incorrect" in said:
            wrong.append(f"{name} {said}")
    return Seen(fields, raw, wrong)


@cache
def ours(backend: str) -> dict[str, Sequence[dict[str, list[str]]]]:
    """The fields of each packet of all samples, as we print them; one that has several lines is one value."""
    done = together("pkt-txt2txt -aa", everything(), backend)
    found: list[dict[str, list[str]]] = []
    before = ""
    for line in done.stdout.decode().splitlines():
        match = FIELD_LINE.match(line)
        if line.startswith("-- "):
            found.append({})
        elif match:
            label, name, value = match.groups()
            values = found[-1].setdefault(name, [])
            if label == before and re.fullmatch(r"([0-9A-F]{2} ?)+", value) and len(values[-1].split()) % 16 == 0:
                values[-1] += f" {value}"
            else:
                values.append(value)
        before = match[1] if match else ""
    return by_sample(SAMPLES, found)


def theirs(packet: Seen, pair: Pair) -> list[int | str]:
    """What tshark has for a pair; bytes are numbers."""
    found: list[int | str] = []
    for name, at, size in SLICE.findall(pair.theirs):
        if at:
            found += [int(value[int(at) * 2 :][: int(size) * 2], 16) for value in packet.raw.get(name, [])]
        else:
            found += [value_of(value, pair.unit, pair.more) for value in packet.fields.get(name, [])]
    return found


def number_of(value: int | str) -> int:
    """A number, an address or bytes as one number."""
    if isinstance(value, int):
        return value
    return int(ip_address(value)) if re.search("[.:]", value) else int(value, 16)


def value_of(text: str, unit: Fraction = Fraction(1), more: int = 0) -> int | str:
    """A value in one form, whoever wrote it: a number, or digits and letters of an address or of bytes."""
    if text in ("True", "False"):
        return int(text == "True")
    if re.fullmatch(r"0x[0-9a-fA-F]+|-?[0-9]+", text):
        return int(int(text, 16 if text.startswith("0x") else 10) * unit) + more
    if re.fullmatch(r"[0-9a-fA-F]{2}([ :-]{0,2}[0-9a-fA-F]{2})+", text):
        return re.sub("[ :-]", "", text).lower()
    return text.strip().strip('"').lower()


@needs_tshark
@pytest.mark.parametrize("sample", SAMPLES)
def test_tshark_finds_nothing_wrong(sample):
    """No packet is malformed, no checksum wrong."""
    assert [packet.wrong for packet in tshark(sample)] == [[]] * len(tshark(sample))


@needs_tshark
@pytest.mark.parametrize("sample", sorted({pair.sample for pair in PAIRS}))
def test_fields_have_the_values_that_tshark_finds(backend, sample):
    """All of them, as often as they come; each pair has values somewhere."""
    mine, judge = ours(backend)[sample], tshark(sample)
    assert len(mine) == len(judge)
    for pair in (pair for pair in PAIRS if pair.sample == sample):
        found = [[value_of(value) for value in packet.get(pair.ours, [])] for packet in mine]
        if "[" in pair.theirs:
            found = [[number_of(value) for value in values] for values in found]
        right = [theirs(packet, pair) for packet in judge]
        assert any(right), f"{pair}: tshark has no such field here"
        if pair.where:
            both = [bool(values and there) for values, there in zip(found, right, strict=True)]
            found, right = list(compress(found, both)), list(compress(right, both))
            assert found
        assert found == right, f"{pair.table}: {pair.sample}: {pair.ours} is not {pair.theirs}"


def inverted(packet: dict[str, list[str]], shown: str) -> list[str]:
    """Lines of text that invert each checksum of a packet; one of 0 says that there is none.

    So does one of a packet that is quoted: it stays as it is. shown: what pkt-analyze says.
    """
    quoted = [int(value, 16) for value in re.findall(r"(0x[0-9a-f]+) \(Quoted\)", shown)]  # nobody's to mend
    return [
        f"{name}[{number}]: {int(value, 16) ^ 0xFFFF}\n"
        for name, values in packet.items()
        if name.endswith(".CHECKSUM")
        for number, value in enumerate(values, 1)
        if int(value, 16) and int(value, 16) not in quoted
    ]


@cache
def all_inverted(backend: str) -> dict[str, Sequence[list[str]]]:
    """Those lines for the packets of all samples."""
    shown = together("pkt-analyze -lh 5", everything(), backend).stdout.decode()
    packets = [packet for sample in SAMPLES for packet in ours(backend)[sample]]
    return by_sample(SAMPLES, [inverted(*pair) for pair in zip(packets, re.split(r"^-- .*\n", shown, flags=re.M)[1:], strict=True)])


@cache
def right(backend: str) -> dict[str, Sequence[str]]:
    """The bytes of the packets of all samples, which are sound."""
    return by_sample(SAMPLES, bytes_of(together("pkt-txt2txt -do", everything(), backend).stdout))


@cache
def mended(backend: str) -> dict[str, Sequence[str]]:
    """What pkt-correct makes of all samples where each checksum is inverted."""
    wrong = [lines for sample in SAMPLES for lines in all_inverted(backend)[sample]]
    packets = [text.replace("==\n", "".join([*lines, "==\n"])) for text, lines in zip(everything(), wrong, strict=True)]
    return by_sample(SAMPLES, bytes_of(together("pkt-correct -do", packets, backend).stdout))


def bytes_of(text: bytes) -> list[str]:
    """The bytes of each packet."""
    return re.split(r"^-- .*\n", text.decode(), flags=re.MULTILINE)[1:]


WRITTEN = {  # where another sum is right, too, and written
    "vrrp": ("64 DE 00", "64 80 95")  # version 3 over IPv4: tshark has a pseudo-header, as RFC 5798; RFC 9568 has none
}
WITHOUT_CHECKSUM = {"arp", "lldp", "netlink", "slow", "stp"}


@pytest.mark.parametrize("sample", SAMPLES)
def test_wrong_checksums_are_mended(backend, sample):
    """Each checksum of each packet is inverted; pkt-correct makes the sample of it. A checksum of 0 stays."""
    assert any(all_inverted(backend)[sample]) == (sample not in WITHOUT_CHECKSUM)
    expected = [text.replace(*WRITTEN.get(sample, ("", ""))) for text in right(backend)[sample]]
    assert mended(backend)[sample] == expected


def test_everything_is_followed(backend):
    """But what is encrypted, and SLARP: that is said."""
    said = together("pkt-correct --out /dev/null", everything(), backend).stderr.decode()
    assert said.rpartition("not followed: ")[2] == "4 ESP, 2 L2TPv3, 2 MACsec, 1 SLARP, 1 WireGuard, 1 encrypted 802.11\n"


def unjudged() -> dict[str, str]:
    """Fields that are compared with nothing, and why. Data are what stands behind, no field of tshark's."""
    rows = [line.partition(": ") for line in (FOLDER / "unjudged").read_text("utf-8").splitlines() if line[:1] != "#"]
    return {name: reason for reason, _, names in rows for name in names.split()}


def test_each_field_is_compared():
    """Or it is said why not, and not both."""
    data = {name for name in FIELDS if name.endswith(".DATA")}
    compared = {pair.ours for pair in PAIRS}
    assert sorted(set(FIELDS) - data - compared - set(unjudged())) == []
    assert sorted(set(unjudged()) - set(FIELDS)) == []
    assert sorted(set(unjudged()) & compared) == []


def test_tables_and_samples_fit():
    """Each sample is in a table, each field is one of ours."""
    assert sorted({row[0] for _, row in ROWS} - set(SAMPLES)) == []
    assert sorted(set(SAMPLES) - {pair.sample for pair in PAIRS}) == []
    assert sorted({pair.ours for pair in PAIRS} - set(FIELDS)) == []
