"""How a command line is read."""

from __future__ import annotations

import pytest

from pkttools.command_line.options import (
    FILTER,
    FLAG,
    NUMBER,
    OCTETS,
    PROTOCOLS,
    REAL,
    TEXT,
    Option,
    Values,
    add_protocols,
    ahead,
    read,
)
from pkttools.commands import commands, find
from pkttools.errors import UsageError

OPTIONS = [
    Option("-n --width", NUMBER, "", default=16, least=1, most=100), Option("-a --fields", FLAG, ""),
    Option("-aa --all-fields", FLAG, ""),
    Option("-F --format", TEXT, "", choices=("text", "pcap")), Option("--speed", REAL, ""), Option("--in", TEXT, ""),
    Option("--out", TEXT, "", "FILE"),
    Option("--memory", OCTETS, "", least=1, most=1 << 31),
    Option("--if", TEXT, ""), Option("-l --limit", NUMBER, ""), Option("-do --data-only", FLAG, ""),
]  # fmt: skip
FIELDS = {"--ip-ttl": "IP.TTL=", "--icmp-type": "ICMP.TYPE="}


def values(line: str) -> Values:
    return read(OPTIONS, line.split(" ") if line else [], FIELDS)


@pytest.mark.parametrize(
    ("line", "attribute", "value"),
    [
        ("", "width", 16), ("", "fields", False), ("", "format", None), ("", "limit", None), ("", "arguments", []),
        ("--memory 0x800", "memory", 2048), ("--memory 3k", "memory", 3072), ("--memory=3K", "memory", 3072),
        ("--memory 2M", "memory", 2 << 20), ("--memory 2G", "memory", 2 << 30), ("--memory 0x10k", "memory", 16 << 10),
        ("-n 8", "width", 8), ("--width 8", "width", 8), ("--width=8", "width", 8), ("-n 0x10", "width", 16),
        ("-a -a", "fields", True), ("--ip-ttl 5 --ip-ttl 6", "arguments", ["IP.TTL=5", "IP.TTL=6"]),
        ("-n 1", "width", 1), ("-n 100", "width", 100), ("-l 0", "limit", 0), ("-l 4611686018427387904", "limit", 1 << 62),
        ("-a", "fields", True), ("-a", "all_fields", False), ("-aa", "all_fields", True), ("-aa", "fields", False),
        ("-do", "data_only", True),
        ("--all-fields", "all_fields", True), ("-F pcap", "format", "pcap"), ("--format=text", "format", "text"),
        ("--speed 2.5", "speed", 2.5), ("--speed=1e3", "speed", 1000.0), ("--speed .5", "speed", 0.5),
        ("--in file", "input", "file"), ("--out=-", "output", "-"), ("--if IP.TTL==5", "condition", "IP.TTL==5"),
        ("--in=a=b", "input", "a=b"),
        ("--in -n", "input", "-n"), ("--in --", "input", "--"), ("--in=", "input", ""),
        ("x -a y", "arguments", ["x", "y"]), ("-", "arguments", ["-"]), ("-a -- -n x --", "arguments", ["-n", "x", "--"]),
        ("--", "arguments", []),
        ("--ip-ttl 5", "arguments", ["IP.TTL=5"]), ("--ip-ttl=5 IP", "arguments", ["IP.TTL=5", "IP"]),
        ("--ip-ttl -5", "arguments", ["IP.TTL=-5"]),
    ],
)  # fmt: skip
def test_read(line, attribute, value):
    assert getattr(values(line), attribute) == value


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("-n", "-n needs a value"), ("--width", "--width needs a value"), ("-n x", "--width: 'x' is not a number"),
        ("-n 1.5", "--width: '1.5' is not a number"),
        ("--out=", "--out: '' is the name of no file"),
        ("-n ", "--width: '' is not a number"), ("--width=", "--width: '' is not a number"),
        ("-n 1k", "--width: '1k' is not a number"), ("--memory k", "--memory: 'k' is not a number of bytes, such as 2M (k, M, G)"),
        ("--memory 2m", "--memory: '2m' is not a number of bytes, such as 2M (k, M, G)"),
        ("--memory 1.5M", "--memory: '1.5M' is not a number of bytes, such as 2M (k, M, G)"),
        ("--memory 3G", "--memory: 3G is out of range: from 1 to 2147483648"),
        ("--memory 0k", "--memory: 0k is out of range: from 1 to 2147483648"),
        ("-n 0", "--width: 0 is out of range: from 1 to 100"),
        ("-n 101", "--width: 101 is out of range: from 1 to 100"), ("-n -1", "--width: -1 is out of range: from 1 to 100"),
        ("-l -1", "--limit: -1 is out of range: at least 0"),
        ("--speed nan", "--speed: nan is out of range: at least 0"),
        ("--speed x", "--speed: 'x' is not a number"),
        ("--speed inf", "--speed: inf is out of range: from 0 to 4611686018427387904"),
        ("-l 4611686018427387905", "--limit: 4611686018427387905 is out of range: from 0 to 4611686018427387904"),
        ("--speed -1", "--speed: -1 is out of range: at least 0"),
        ("-F txt", "--format: 'txt' is not one of text, pcap"), ("--fields=1", "--fields takes no value"),
        ("--widht 3", "no option '--widht': did you mean --width?"),
        ("--icmp-typ 8", "no option '--icmp-typ': did you mean --icmp-type?"),
        ("-n8", "no option '-n8': did you mean -n?"), ("--xyzzy", "no option '--xyzzy'"), ("-q", "no option '-q'"),
        ("-n 8 -n 9", "-n/--width is given twice: it has one value"),
        ("-n 8 --width=8", "-n/--width is given twice: it has one value"),
        ("--in x y --in x", "--in is given twice: it has one value"),
        ("-F pcap --if x --format pcap", "-F/--format is given twice: it has one value"),
        ("-an", "no option '-an': did you mean -n?"),
        ("--ip-ttl", "--ip-ttl needs a value"), ("---", "no option '---'"),
    ],
)  # fmt: skip
def test_refused(line, said):
    with pytest.raises(UsageError) as caught:
        values(line)
    if "did you mean" in str(caught.value):  # which of two equally near ones is difflib's business
        assert str(caught.value).split(":")[0] == said.split(":")[0]
    else:
        assert str(caught.value) == said


@pytest.mark.parametrize("text", ["1" + " " * 30 + "x", "0" * 30 + "5x", "1" + "0" * 40])
def test_long_numbers_are_not_cut(text):
    """Reading only the first digits would make another number of it."""
    with pytest.raises(UsageError):
        read(OPTIONS, ["-n", text])
    with pytest.raises(UsageError):
        read(OPTIONS, ["-l", text])


def test_a_huge_number_takes_no_time():
    with pytest.raises(UsageError):
        read(OPTIONS, ["-l", "9" * 1_000_000])


@pytest.mark.parametrize("name", commands())
def test_what_takes_one_value_is_given_once(name):
    """In every command, by each of its names."""
    for option in find(name).OPTIONS:
        value = option.choices[0] if option.choices else str(int(max(option.least, 1)))
        for first in option.names:
            for second in option.names:
                line = [first, second] if option.kind == FLAG else [first, value, second, value]
                if option.kind == FLAG or option.several:
                    assert getattr(read(find(name).OPTIONS, line), option.attribute) == ([value] * 2 if option.several else True)
                    continue
                with pytest.raises(UsageError, match="is given twice"):
                    read(find(name).OPTIONS, line)


@pytest.mark.parametrize(
    ("line", "files", "decoded"),
    [
        ("--protocols a UDP --protocols=b", ["a", "b"], []), ("--decode x -- --protocols a", [], ["x"]),
        ("--decode=UDP.DST_PORT==1=GRE", [], ["UDP.DST_PORT==1=GRE"]), ("--protocols", [], []), ("--protocolsx a", [], []),
    ],
)  # fmt: skip
def test_protocols_are_read_ahead(line, files, decoded):
    assert [ahead(option, line.split()) for option in PROTOCOLS] == [files, decoded]


def test_a_file_of_protocols_has_a_name():
    with pytest.raises(UsageError, match="--protocols: '' is the name of no file"):
        add_protocols(["--protocols", ""])


def test_the_shared_options_do_not_collide():
    names = [name for option in FILTER for name in option.names]
    assert len(set(names)) == len(names)
    attributes = [option.attribute for option in FILTER]
    assert len(set(attributes)) == len(attributes)
    assert all(attribute.isidentifier() for attribute in attributes)


def test_options_of_1_16_are_there():
    names = {name for option in FILTER for name in option.names}
    assert {"-n", "-a", "-do", "-r", "-s", "-l", "-nb", "-nm", "-lt", "-b", "-k", "-h"} <= names
