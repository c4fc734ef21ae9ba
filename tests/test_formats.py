"""The table of formats: what it says is there."""

from __future__ import annotations

from importlib import import_module

import pytest

from pkttools.command_line.options import FORMATS, USUAL, Format
from pkttools.formats.files import Sink, format_of


@pytest.mark.parametrize("form", FORMATS.values(), ids=FORMATS)
def test_every_format_has_a_sink(form: Format) -> None:
    module = import_module(f"pkttools.formats.{form.module}")
    assert import_module(f"pkttools.formats.{form.module.removesuffix('_sink')}").packets
    sink = getattr(module, form.sink)
    assert issubclass(sink, Sink)
    assert sink.by_options.__func__ is not Sink.by_options.__func__
    assert {format_of(f"x{ending}") for ending in form.endings} <= {form.name}


def test_the_usual_one_is_for_terminals() -> None:
    assert FORMATS[USUAL].asked
    assert [name for name, form in FORMATS.items() if not form.binary] == [USUAL]
