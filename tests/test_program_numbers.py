"""The numbers of programs: what the compiler and the Python twin have is what is written in C."""

from __future__ import annotations

import re

import pytest
from conftest import ROOT

from pkttools.codec import program

C = "\n".join((ROOT / "pkttools/codec/c" / name).read_text() for name in ("codec.h", "program.c"))
ENUMS = [
    [name.partition("=")[0].strip() for name in names.split(",")]
    for names in re.findall(r"enum \{([^}]*)\};", C)
    if re.search(r"\b(NUMBER|EQUAL|SET|ACCEPT)\b", names)
]  # fmt: skip


@pytest.mark.parametrize("names", ENUMS, ids=lambda names: names[0])
def test_enumerations(names: list[str]) -> None:
    numbers = {"ACCEPT": -1, "REJECT": -2} if "ACCEPT" in names else {name: number for number, name in enumerate(names)}
    assert {name: getattr(program, name) for name in names} == numbers
    for name, number in numbers.items():
        assert number >= 0 or f"{name} = {number}" in C


def test_every_number_was_compared() -> None:
    compared = {name for names in ENUMS for name in names}
    assert compared == {name for name in vars(program) if name.isupper() and not name.endswith("_COLUMNS")}


@pytest.mark.parametrize(("struct", "columns"), [
    ("field", program.FIELD_COLUMNS), ("test", program.TEST_COLUMNS), ("assignment", program.ASSIGNMENT_COLUMNS),
])  # fmt: skip
def test_columns(struct: str, columns: int) -> None:
    members = re.search(rf"struct {struct} \{{[^\n]*\n\s*int64_t ([^;]*);\s*\}}", C)
    assert members, "nothing was compared"
    assert len(members[1].split(",")) == columns
