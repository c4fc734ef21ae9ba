"""Numbers of protocols and accessors of headers: Python's and C's are the same ones."""

from __future__ import annotations

import inspect
import re

import pytest
from conftest import ROOT
from dpkt import ip

from pkttools.codec.python import wire

C = re.sub(r"/\*.*?\*/", "", (ROOT / "pkttools/codec/c/wire.h").read_text(), flags=re.DOTALL)
IN_C = {
    name: int(number, 0)
    for names in re.findall(r"enum \w*\s*\{([^}]*)\}", C)
    for name, number in re.findall(r"(\w+) = (\w+)", names)
}
ACCESSORS = set(re.findall(r"^static inline [a-z_ ]+ (\w+)\(const struct frame", C, re.MULTILINE))
OF_DPKT = {  # where it has another word for the same
    "HOPOPT": "HOPOPTS", "IPV6_NONXT": "NONE", "IPV6_OPTS": "DSTOPTS",
}  # fmt: skip


def test_numbers_are_those_of_c() -> None:
    assert len(IN_C) > 20
    assert {name: value for name, value in vars(wire).items() if name.isupper() and isinstance(value, int)} == IN_C
    assert {number for name, number in IN_C.items() if re.fullmatch("ETHERTYPE_(VLAN|QINQ.?)", name)} == wire.TAGS


@pytest.mark.parametrize("name", [name.removeprefix("PROTO_") for name in IN_C if name.startswith("PROTO_")])
def test_protocols_are_those_of_dpkt(name: str) -> None:
    """It has them of IANA's list, too."""
    assert getattr(ip, f"IP_PROTO_{OF_DPKT.get(name, name)}") == IN_C[f"PROTO_{name}"]


def accessors() -> dict[str, object]:
    """The functions of frames in Python, without the readers that they go by."""
    found = inspect.getmembers(wire, inspect.isfunction)
    return {name: f for name, f in found if list(inspect.signature(f).parameters) == ["frame", "at"] and not name.startswith("get")}


def test_accessors_are_those_of_c() -> None:
    assert len(ACCESSORS) > 10
    assert set(accessors()) == ACCESSORS


@pytest.mark.parametrize("name", sorted(ACCESSORS))
@pytest.mark.parametrize("size", [0, 1, 7])
def test_past_the_end_is_0(name: str, size: int) -> None:
    assert getattr(wire, name)(b"\xff" * size, size) == 0
