"""pkt-json2txt: packets in JSON, as they were written, edited, by hand, and wrong."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from captured import opened
from conftest import ROOT, load, shell
from peak import peak
from samples import batch, ethernet, frames, ipv4, over_udp, pktap, udp, vxlan
from test_codec_json import told, written

from pkttools import formats
from pkttools.batch import Packet, gathered, link_of
from pkttools.errors import PktError, UsageError
from pkttools.formats import json_fields, json_packet
from pkttools.formats.json import packets
from pkttools.language import assigning

EXAMPLES = sorted((ROOT / "examples").glob("*.txt"))
FRAME = ethernet(0x0800, ipv4(17, udp(b"payload")))


@pytest.fixture
def read(codec: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str | bytes], list[Packet]]:
    """Reads JSON with a codec."""
    monkeypatch.setattr(json_packet, "codec", codec)
    monkeypatch.setattr(json_fields, "codec", codec)

    def function(text: str | bytes) -> list[Packet]:
        path = tmp_path / "packets.json"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        with opened(path) as source:
            function.source = source  # type: ignore[attr-defined]
            return [b.packet(i) for b in packets(source) for i in range(len(b))]

    return function


def facts(p: Packet) -> tuple:
    return p.frame, p.original, p.time, p.linktype, p.notes


LAYOUTS: dict[str, Callable[[list[dict]], str]] = {
    "compact": lambda objects: "".join(json.dumps(one, separators=(",", ":")) + "\n" for one in objects),
    "indented": lambda objects: "".join(json.dumps(one, indent=2) + "\n" for one in objects),
    "behind each other": lambda objects: "".join(json.dumps(one) for one in objects),
    "array": lambda objects: json.dumps(objects, indent=1),
    "arrays": lambda objects: json.dumps([[], objects[:1], [objects[1:]]]) + "\r\n[]",
    "any order": lambda objects: "".join(json.dumps(dict(reversed(one.items()))) + "\n" for one in objects),
    "with a mark": lambda objects: "\ufeff\n" + "\n\n".join(json.dumps(one) for one in objects),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_text_comes_back_to_the_byte(path: Path, layout: str) -> None:
    objects = [json.loads(line) for line in shell(f"pkt-analyze --json --in {path}").stdout.splitlines()]
    done = shell("pkt-json2txt", LAYOUTS[layout](objects).encode())
    assert (done.stdout, done.stderr, done.returncode) == (path.read_bytes(), b"", 0)


def test_other_formats_and_filters(backend: str) -> None:
    text = shell(f"pkt-analyze --json --in {ROOT}/examples/dns.txt").stdout
    wanted = shell(f"pkt-txt2txt UDP.DST_PORT==53 IP.TTL=9 -F pcap --in {ROOT}/examples/dns.txt").stdout
    assert shell("pkt-json2txt UDP.DST_PORT==53 IP.TTL=9 -F pcap", text, backend=backend).stdout == wanted
    assert shell("pkt-pipe -F pcap 'json2txt UDP.DST_PORT==53 IP.TTL=9'", text, backend=backend).stdout == wanted
    assert shell("pkt-json2txt -F pcap", wanted).stdout == wanted  # what others read, it reads, too


def test_every_packet_comes_back(codec: ModuleType, read: Callable) -> None:
    """Of every kind, with all that packets have besides their bytes; and as JSON again it is the same."""
    hostile = b'NOTE: \x1b[2J\xe2\x80\xae\xff \\ \\x41 "\nIFACE: eth0\n'
    many = [
        Packet(frame, len(frame) + i % 3, 10**18 + i, linktype, hostile * (i % 2)) for i, (linktype, frame) in enumerate(frames())
    ]
    many += [Packet(FRAME, 99, 1, link_of(1, fcs, count)) for fcs, count in ((4, None), (0, None), (4, 3), (31, 15))]
    text = written(codec, gathered(many))
    assert list(map(facts, read(text))) == list(map(facts, many))
    again = gathered(read("\n".join(json.dumps(json.loads(line)) for line in text.splitlines())))
    assert written(codec, again) == text


def test_captures_come_back(codec: ModuleType, read: Callable, shared: Path) -> None:
    """All packets of the collection."""
    many: list[Packet] = []
    for path in sorted((shared / "captures" / "tcpdump").iterdir()):
        try:
            with opened(path) as source:
                many += [b.packet(i) for b in formats.packets(source) for i in range(min(len(b), 40))]
        except (PktError, OSError):
            continue  # no capture, or a broken one: what stands in front of the bad place is there
    many = [p for p in many if p.time >= 0]
    assert len(many) > 3000
    text = written(codec, gathered(many))
    assert list(map(facts, read(text))) == list(map(facts, many))
    step = 1 if codec is load("c") else 7
    few = json.dumps([json.loads(line) for line in text.splitlines()[::step]])
    assert list(map(facts, read(few))) == list(map(facts, many[::step]))


# ---- fields that were edited ----


def leaves(found: dict) -> list[tuple[list, str, int]]:
    """Numbers of fields: the path in an object, the name of the field, and which occurrence it is."""
    all_of: list[tuple[list, str, int]] = []
    counts: dict[str, int] = {}
    for layer, value in found.items():
        if not layer.isupper():
            continue
        for j, fields in enumerate(value if isinstance(value, list) else [value]):
            for name, values in fields.items():
                for k, one in enumerate(values if isinstance(values, list) else [values]):
                    full = f"{layer}.{name}"
                    counts[full] = counts.get(full, 0) + 1
                    path = [layer, *([j] if isinstance(value, list) else []), name, *([k] if isinstance(values, list) else [])]
                    if isinstance(one, int):
                        all_of.append((path, full, counts[full]))
    return all_of


def change(found: dict, path: list, value: object) -> dict:
    """The same object with another value."""
    copy = json.loads(json.dumps(found))
    at = copy
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    return copy


def test_each_field_is_set_where_it_is(codec: ModuleType, read: Callable) -> None:
    """Just as an assignment to that occurrence does it, for every number of every kind of packet."""
    texts, wanted, seen = [], [], set()
    for linktype, frame in frames():
        found = told(codec, frame, linktype)
        for path, name, number in leaves(found):
            if (name, number) in seen:
                continue
            seen.add((name, number))
            at = found
            for step in path:
                at = at[step]
            value = at ^ 1  # type: ignore[operator]  # a number by now
            if name in ("IP.HEADER_SIZE", "TCP.OFFSET"):
                value = at ^ 4  # type: ignore[operator]
            b = batch([(linktype, frame)])
            try:
                codec.assign(b.data, bytes(b.rows), assigning.assignments([(f"{name}[{number}]", "=", str(value))]), None, False)
            except UsageError:  # not a multiple of what the field counts in
                continue
            texts.append(json.dumps(change(found, path, value)))
            wanted.append((f"{name}[{number}]", bytes(b.frame(0))))
    got = [p.frame for p in read("\n".join(texts))]
    assert len(got) > 250
    assert [name for (name, frame), mine in zip(wanted, got, strict=True) if frame != mine] == []


@pytest.mark.parametrize(
    ("path", "value", "field", "text"),
    [
        (["IP", "SRC_ADDR"], "10.1.2.3", "IP.SRC_ADDR", "10.1.2.3"),
        (["IP", "PROTOCOL"], "tcp", "IP.PROTOCOL", "tcp"),
        (["IP", "TTL"], 9.0, "IP.TTL", "9"),
        (["ETHERNET", "DST_ADDR"], "ff:ff:ff:ff:ff:ff", "ETHERNET.DST_ADDR", "ff:ff:ff:ff:ff:ff"),
        (["UDP", "DATA"], "00 FFab", "UDP.DATA", "00ffab"),
        (["IP", "DF"], 1, "IP.DF", "1"),  # though IP.FRAGMENT stands in front of it, as it was
        (["IP", "FRAGMENT"], 0x2001, "IP.FRAGMENT", "0x2001"),  # though IP.OFFSET stands behind it, as it was
    ],
)
def test_values_of_every_kind(codec: ModuleType, read: Callable, path: list, value: object, field: str, text: str) -> None:
    frame = ethernet(0x0800, ipv4(17, over_udp(7, b"payload")))
    b = batch([(1, frame)])
    codec.assign(b.data, bytes(b.rows), assigning.assignments([(field, "=", text)]), None, False)
    found = told(codec, frame)
    del found["number"]
    assert read(json.dumps(change(found, path, value)))[0].frame == bytes(b.frame(0)) != frame


def test_data_are_those_of_their_header(codec: ModuleType, read: Callable) -> None:
    """Data that inner headers show are data all the same: the inner ones of that name are the second ones."""
    frame = ethernet(0x0800, ipv4(17, vxlan(ethernet(0x0800, ipv4(17, over_udp(7, b"in"))))))
    found = told(codec, frame)
    assert "DATA" not in found["UDP"][0]
    assert read(json.dumps(change(found, ["UDP", 1, "DATA"], b"IN".hex())))[0].frame == frame.replace(b"in", b"IN")
    long = ethernet(0x0800, ipv4(17, over_udp(7, b"a" * 50)))
    assert read(json.dumps(change(told(codec, long), ["UDP", "DATA"], b"b".hex() * 50)))[0].frame == long.replace(b"a", b"b")


def test_text_of_every_byte_is_set(codec: ModuleType, read: Callable) -> None:
    frame = pktap(1, FRAME)
    found = told(codec, frame, 149)
    for value, wanted in ((r"a\x22\x5c\x1b\xff", b'a"\\\x1b\xff'), ("Größe", "Größe".encode()), ('"q" b\\c', b'"q" b\\c')):
        new = read(json.dumps(change(found, ["PKTAP", "COMM"], value)))[0].frame
        assert new[56:76] == wanted.ljust(20, b"\0")
        assert read(json.dumps(told(codec, new, 149)))[0].frame == new


def test_a_new_frame_wins(codec: ModuleType, read: Callable) -> None:
    found = {**told(codec, FRAME), "frame": FRAME.hex() + "00"}
    packet = read(json.dumps(change(found, ["IP", "TTL"], 9)))[0]
    assert (packet.frame, packet.original) == (FRAME + b"\0", len(FRAME) + 1)
    assert read.source.said == [f"{read.source.name}: 1 packet whose frame was edited: their fields did not count"]  # type: ignore[attr-defined]
    del found["check"]  # then both count
    del found["captured"]
    assert read(json.dumps(change(found, ["IP", "TTL"], 9)))[0].frame[22] == 9
    truncated = json.loads(written(codec, gathered([Packet(FRAME, 1500, 0, 1)])))
    assert facts(read(json.dumps({**truncated, "frame": FRAME[:20].hex()}))[0])[:2] == (FRAME[:20], 1500)
    assert read(json.dumps({**told(codec, FRAME), "linktype": 147}))[0].frame == FRAME  # other fields, the same bytes


def test_sizes_count_as_those_of_text(read: Callable) -> None:
    assert facts(read(json.dumps({"frame": FRAME.hex(), "captured": 20, "original": 98, "time": 5}))[0])[:3] == (FRAME[:20], 98, 5)
    assert read.source.said[0].endswith("1 packet truncated to what captured says: without it all bytes count")  # type: ignore[attr-defined]
    assert read(json.dumps({"frame": "00", "captured": 3}))[0].frame == bytes(3)
    assert "filled with zeros" in read.source.said[0]  # type: ignore[attr-defined]
    made = read('{"captured": 34, "ETHERNET": {"TYPE": 2048}, "IP": {"VERSION": 4, "HEADER_SIZE": 20, "TTL": 64}}')[0]
    assert made.frame[12:15] == b"\x08\0\x45" and made.frame[22] == 64 and len(made.frame) == 34
    by_hand = read('{"frame": "00"}')[0]
    assert (by_hand.original, by_hand.linktype, by_hand.notes) == (1, 1, b"") and by_hand.time > 10**18
    assert read('{"frame": "", "time_utc": "2023-11-14T22:13:20.5Z"}')[0].time == 1_700_000_000_500_000_000


def test_a_field_without_a_place_is_counted(read: Callable) -> None:
    assert read(json.dumps({"frame": FRAME.hex(), "TCP": {"SYN": 1}, "IP": [{}, {"TTL": 1}]}))[0].frame == FRAME
    assert read.source.said[0].endswith("2 fields without a place: no such header there, or no bytes")  # type: ignore[attr-defined]


def test_numbers_that_jq_rounded_are_no_edits(codec: ModuleType, read: Callable) -> None:
    """jq 1.6 makes doubles of numbers, and writes 17 digits of them."""
    stamps = bytes.fromhex("e8fc9876543210ff e8fc98765432beef ffffffffffffffff 8000000000000001")
    frame = ethernet(0x0800, ipv4(17, over_udp(123, b"\x23\1\2\3" + bytes(12) + stamps)))
    packet = Packet(frame, len(frame), 1_700_000_000_250_131_123, 1)
    text = written(codec, gathered([packet])).decode()
    found = json.loads(text, parse_int=lambda digits: int(digits) if len(digits) < 17 else float(digits))
    assert found["time"] == 1.7000000002501312e18
    for layer in ({}, {"time": 1_700_000_000_250_131_200}):
        assert facts(read(json.dumps({**found, **layer}).replace(": 1.7000000002501312e+18", ": 1700000000250131200"))[0]) == facts(
            packet
        )
    moved = read(json.dumps({**json.loads(text), "time": packet.time + 5}))[0]
    assert moved.time == packet.time + 5
    if shutil.which("jq"):
        edited = shell("jq -c '.IP.TTL = 9'", text.encode()).stdout
        done = read(edited)[0]
        assert done.time == packet.time and done.frame[22] == 9 and done.frame[23:] == frame[23:] and done.frame[:22] == frame[:22]


# ---- what is wrong ----

GOOD = '{"frame":"00","time":1}\n'


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (GOOD + '{"frame":"00"', 2, "no JSON: expecting ',' delimiter"),
        (GOOD * 3 + '{"frame":"00",}\n' + GOOD, 4, "no JSON: "),
        (GOOD + "\n\nnull\n", 4, "'null': an object is expected here"),
        ('{"frame":\n"00\n"}', 2, "no JSON: invalid control character"),
        ("[" + GOOD + GOOD + "]", 2, "a comma is missing"),
        ("[" + GOOD + ",\n]", 3, "']': an object is expected here"),
        ("[" + GOOD + ",", 2, "the input ends in an array"),
        (GOOD + "]", 2, "']': an object is expected here"),
        (GOOD + "{}", 2, "neither frame nor captured size"),
        ('{"frame":"00",\n "fram":"00"}', 2, "no key 'fram': did you mean frame?"),
        ('{"frame":"00","IP":{"TTL":1,\n"TTTL":2}}', 2, "no key 'IP.TTTL': did you mean IP.TTL?"),
        ('{"frame":"00","IPP":{}}', 1, "no key 'IPP': did you mean IP?"),
        ('{"frame":"00","time":1,\n"time":2}', 1, "the key 'time' comes twice"),
        ('{"frame":"0",\n"IP":{}}', 1, "frame: these are no bytes in hex"),
        ('{\n"frame":0}', 2, "frame is a string"),
        ('{"frame":"","time":1.5}', 1, "time is an integer"),
        ('{"frame":"","time":-1}', 1, "time is from 0 to"),
        ('{"frame":"","captured":true}', 1, "captured is an integer"),
        ('{"frame":"","captured":262145}', 1, "captured is from 0 to 262144"),
        ('{"frame":"","time_utc":"yesterday"}', 1, "is no time such as"),
        ('{"frame":"","time_utc":"2023-13-14T22:13:20Z"}', 1, "is no time such as"),
        ('{"frame":"","notes":"NOTE: x"}', 1, "notes is a list of strings"),
        ('{"frame":"","notes":["IFACE: a",\n"x"]}', 2, "a note is a line that begins with"),
        ('{"frame":"","notes":["NOTE: a\\nb"]}', 1, "a note is a line that begins with"),
        ('{"frame":"","notes":["NOTE: \\\\x1"]}', 1, "two hex digits follow \\x"),
        ('{"frame":"","notes":["NOTE: \\udc80"]}', 1, "this is no UTF-8"),
        ('{"frame":"00","IP":{\n"TTL":"9"}}', 2, "IP.TTL is a number"),
        ('{"frame":"00","IP":{"TTL":true}}', 1, "IP.TTL is an integer"),
        ('{"frame":"00","IP":{"TTL":-1}}', 1, "IP.TTL is an integer"),
        ('{"frame":"00","IP":{"TTL":null}}', 1, "IP.TTL is an integer"),
        ('{"frame":"00","IP":{"TTL":1.5}}', 1, "IP.TTL is an integer"),
        ('{"frame":"00",\n"IP":[{"ID":1},\n{"TTL":300}]}', 3, "IP.TTL: 300 does not fit: at most 255"),
        ('{"frame":"00","IP":{"SRC_ADDR":"1.2.3"}}', 1, "'1.2.3' is not an IPv4 address"),
        ('{"frame":"00","IP":{"SRC_ADDR":1}}', 1, "IP.SRC_ADDR is a string"),
        ('{"frame":"00","IP":{"SRC_ADDR":"1.2.3.4\\nIP.TTL: 9"}}', 1, "is not an IPv4 address"),
        ('{"frame":"00","IP":3}', 1, "IP is an object of fields, or a list of such"),
        ('{"frame":"00","IP":[{},\n3]}', 2, "IP is an object of fields, or a list of such"),
        ('{"frame":"00","time":NaN}', 1, "NaN is no number of JSON"),
        ('{"frame":"00","time":' + "1" * 5000 + "}", 1, "xceeds the limit"),
        ('{"frame":"00","IP":' + "[" * 100000, 1, "nested too deep"),
        ('{"frame":"00","fcs_count":3}', 1, "fcs_count without fcs"),
        ('{"frame":"' + "00" * 262145 + '"}', 1, "a frame has at most 262144 bytes"),
    ],
)
def test_errors_have_their_line(read: Callable, text: str, line: int, said: str) -> None:
    with pytest.raises(PktError) as error:
        read(text)
    where, _, message = str(error.value).partition(": ")
    assert where.endswith(f".json:{line}") and said in message


def test_what_stands_before_a_bad_object_is_written() -> None:
    done = shell("pkt-json2txt", (GOOD * 2 + '{"frame":"0"}\n' + GOOD).encode())
    assert done.returncode == 1 and done.stdout.count(b"==\n") == 2
    assert done.stderr == b"pkt-json2txt: <stdin>:3: frame: these are no bytes in hex\n"
    done = shell("pkt-json2txt", b'{"frame":"\xff"}')
    assert (done.returncode, done.stderr) == (1, b"pkt-json2txt: <stdin>:1: frame: these are no bytes in hex\n")
    assert shell("pkt-json2txt", b" \n").returncode == 0


def test_no_control_character_of_the_input_is_said() -> None:
    for text in ('{"\\u001b[2J":1}', '{"frame":"","time_utc":"\\u001b[2J\\u202e"}', "[\x1b[2J", '{"captured":1,"\\ud800":{}}'):
        done = shell("pkt-json2txt", text.encode())
        assert done.returncode == 1 and all(0x20 <= c <= 0x7E or c == 10 for c in done.stderr), done.stderr


def test_memory_is_flat(tmp_path: Path) -> None:
    """An array is read as it comes."""
    line = shell(f"pkt-analyze --json -l 1 --in {ROOT}/examples/dns.txt").stdout.strip()
    path = tmp_path / "array.json"
    path.write_bytes(b"[" + b",\n".join([line] * 20000) + b"]")
    words: list[str | Path] = [ROOT / "bin/pkt-json2txt", "-F", "pcap", "--in", path, "--out", "/dev/null"]
    assert peak(words) < 64 << 20
