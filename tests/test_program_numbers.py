"""The numbers of programs and of results: what the compiler and the Python twin have is what is written in C."""

from __future__ import annotations

import re

import pytest
from conftest import ROOT

import pkttools.codec
from pkttools.codec import program
from pkttools.protocols import ROW_SIZE, walking
from pkttools.protocols.model import EXCEPTIONS

C = "\n".join((ROOT / "pkttools/codec/c" / name).read_text() for name in ("codec.h", "fields.h", "program.c"))
ENUMS = [
    [name.strip() for name in names.split(",")]
    for names in re.findall(r"enum \{([^}]*)\};", C)
    if re.search(r"\b(NUMBER|EQUAL|SET|ACCEPT|OF_TIME|NOTHING|ANY)\b", names)
]  # fmt: skip


@pytest.mark.parametrize("names", ENUMS, ids=lambda names: names[0])
def test_enumerations(names: list[str]) -> None:
    numbers, following = {}, 0
    for text in names:
        name, _, number = text.partition(" = ")
        numbers[name] = following = int(number or following)
        following += 1
    assert {name: getattr(program, name) for name in numbers} == numbers


def test_every_number_was_compared() -> None:
    compared = {name.partition(" ")[0] for names in ENUMS for name in names}
    assert compared == {name for name in vars(program) if name.isupper() and not name.endswith("_COLUMNS")}


@pytest.mark.parametrize(("struct", "columns"), [
    ("field", ROW_SIZE), ("test", program.TEST_COLUMNS), ("assignment", program.ASSIGNMENT_COLUMNS),
])  # fmt: skip
def test_columns(struct: str, columns: int) -> None:
    members = re.search(rf"struct {struct} \{{[^\n]*\n\s*u?int(?:16|64)_t ([^;]*);\s*\}}", C)
    assert members, "nothing was compared"
    assert len(members[1].split(",")) == columns


@pytest.mark.parametrize(("enum", "first", "beside"), [
    ("correction", "ALL", []), ("outcome", "CORRECTED", ["OUTCOMES"]), ("lengths", "IN_ORDER", []), ("verdict", "NONE", []),
])  # fmt: skip
def test_what_functions_take_and_give(enum: str, first: str, beside: list[str]) -> None:
    """beside: how many there are, which only C has."""
    names = re.search(rf"enum {enum} \{{([^}}]*)\}};", C)[1].replace(" ", "").split(",")
    assert names[0] == first
    assert [getattr(pkttools.codec, name, None) for name in names] == [*range(len(names) - len(beside)), *(None for _ in beside)]


def test_numbers_of_results_are_written_once() -> None:
    """The Python twin has them from the package that it is a twin in, not from a list of its own."""
    numbers = {name for name, value in vars(pkttools.codec).items() if name.isupper() and isinstance(value, int)}
    assert len(numbers) == 3 + 7 + 3 + 5 + 1 + 6 + 1 + 1 + 3 + 10 + 1 + 4 + 3 + 2 + 3 + 2
    for path in (ROOT / "pkttools/codec/python").glob("*.py"):
        lists = re.findall(r"^([A-Z_]+(?:, [A-Z_]+)+) = range", path.read_text(), re.MULTILINE)
        own = {name for names in lists for name in names.split(", ")}
        assert not own & numbers, path


def test_exceptions_have_the_same_numbers_everywhere() -> None:
    names = re.search(r"enum exception \{([^}]*), EXCEPTIONS", re.sub(r"/\*.*?\*/", "", C))[1].replace(",", " ").split()
    assert names == ["NO_EXCEPTION", *EXCEPTIONS]
    assert [getattr(walking, name) for name in names] == [*range(len(names))]
