"""Tests of networks with pytest: labs, captures and packets as fixtures; see PYTEST in pkttools(3).

    @pytest.mark.lab("wire alice 10.0.0.1/24 bob 10.0.0.2/24")
    def test_ping(lab, capture, packets):
        with capture("bob:eth0", "ICMP") as got:
            lab.run("alice", "ping -c 1 bob")
        assert_packets(got, packets("expected.txt"), ignore="IP.ID,ICMP.ID,DATA")

A test run that uses none of it imports this file and nothing more.
"""

from __future__ import annotations

import os
import sys

import pytest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    from .library import Differing, Lab, Packet
    from .library.lab import Capture
    from .library.stream import Several

MOST = 20  # differing packets that are told


def pytest_configure(config: pytest.Config) -> None:
    """Makes the marker known."""
    config.addinivalue_line("markers", "lab(statement, ...): the topology of the fixture `lab`, see pkt-lab(1)")


def pytest_assertrepr_compare(config: pytest.Config, op: str, left: object, right: object) -> list[str] | None:
    """What a failing `assert got == expected` says of packets: fields that differ, as pkt-diff; None: what it says of all else."""
    module = sys.modules.get(f"{__package__}.library.packet")
    both: list[list[Any]] = [[*side] if isinstance(side, (list, tuple)) else [side] for side in (left, right)]
    if op != "==" or module is None or not any(both):
        return None
    if not all(isinstance(one, module.Packet) for side in both for one in side):
        return None
    from .library import diff

    lines = [line for text in told(diff(both[0], both[1])) for line in text.splitlines()]
    return ["packets differ (A: left, B: right)", *lines] if lines else None


def told(found: list[Differing]) -> list[str]:
    """What is said of packets that differ, of the first ones each."""
    return [*map(str, found[:MOST]), *([f"and {len(found) - MOST} packets more"] if len(found) > MOST else [])]


class Labs:
    """Builds labs for a test, which end with it: `lab("wire a b")`, and what is asked of the last one."""

    def __init__(self) -> None:
        self.built: list[Lab] = []

    def __call__(self, *topology: str) -> Lab:
        """Builds one. Skips the test where the system has no namespaces for us, or no `ip`."""
        from .library import Lab, PktError

        try:
            made = Lab(*topology)
            from .live.linux.namespaces import Forbidden
        except PktError as error:
            if str(error) == "namespaces are Linux's":
                pytest.skip(str(error))
            raise
        try:
            self.built.append(made.open())
        except Forbidden as error:
            pytest.skip(str(error))
        except PktError as error:
            if str(error).startswith("ip is missing"):
                pytest.skip(str(error))
            raise
        return made


@pytest.fixture
def labs() -> Iterator[Labs]:
    """What builds labs as a test goes."""
    made = Labs()
    yield made
    for lab in made.built:
        lab.close()


@pytest.fixture
def lab(request: pytest.FixtureRequest, labs: Labs) -> Lab | Labs:
    """The lab of the marker `lab`, or of an indirect parameter; without one what builds it: `lab("wire a b")`."""
    marker = request.node.get_closest_marker("lab")
    statements = [request.param] if hasattr(request, "param") else marker.args if marker else ()
    return labs(*statements) if statements else labs


@pytest.fixture
def capture(lab: Lab | Labs) -> Callable[..., Capture]:
    """What captures in the lab of the test, the last one that was built: `with capture("bob:eth0", "ICMP") as got`."""

    def captured(place: str, *expressions: str, **options: Any) -> Capture:  # noqa: ANN401  those of Lab.capture
        there = lab.built[-1:] if isinstance(lab, Labs) else [lab]
        if not there:
            raise pytest.UsageError("capture: no lab was built before")
        return there[0].capture(place, *expressions, **options)

    return captured


@pytest.fixture
def packets(request: pytest.FixtureRequest) -> Callable[[str | os.PathLike[str]], list[Packet]]:
    """What reads packets: of a text that stands in the test, or of a file, found beside the test."""

    def found(text: str | os.PathLike[str]) -> list[Packet]:
        from .library import parse, read

        if isinstance(text, str) and "\n" in text:
            return parse(text)
        beside = request.path.parent / text
        return list(read(beside if beside.exists() else text))

    return found


def assert_packets(got: Several, expected: Several, ignore: str | Iterable[str] = ()) -> None:
    """Fails where packets differ from those that are expected, one by one, with the fields that do. Times may differ.

    ignore: what may, too: fields, headers, sets such as "routing", as --ignore of pkt-diff has it.
    """
    __tracebackhide__ = True
    from .library import diff

    may = ["TIME", *([ignore] if isinstance(ignore, str) else ignore)]
    found = diff(expected, got, ignore=may)
    if found:
        pytest.fail("\n".join(["packets differ (A: expected, B: got)", *told(found)]), pytrace=True)
