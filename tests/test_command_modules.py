"""What the modules of commands offer is what is said of them, and nothing is misspelt."""

from __future__ import annotations

import ast
import inspect

import pytest
from conftest import ROOT

from pkttools.commands import commands, find

TREE = ast.parse((ROOT / "pkttools/commands/__init__.py").read_text())
COMMAND = next(node for node in ast.walk(TREE) if isinstance(node, ast.ClassDef) and node.name == "Command")
FUNCTIONS = {node.name: [arg.arg for arg in node.args.args[1:]] for node in COMMAND.body if isinstance(node, ast.FunctionDef)}
FACTS = {node.target.id: node.annotation for node in COMMAND.body if isinstance(node, ast.AnnAssign)}


def test_all_of_it_is_told() -> None:
    assert all(ast.get_docstring(node) for node in COMMAND.body if isinstance(node, ast.FunctionDef))
    assert {"OPTIONS", "PLACE"} <= FACTS.keys()
    assert {"stage", "run", "instead", "place", "more_options", "literal"} == FUNCTIONS.keys()


@pytest.mark.parametrize("name", commands())
def test_what_a_module_offers(name: str) -> None:
    command = find(name)
    assert command.OPTIONS
    assert hasattr(command, "stage") != hasattr(command, "run")
    assert not (hasattr(command, "PLACE") and hasattr(command, "place"))
    assert getattr(command, "PLACE", "first") in ("first", "last")
    for function, parameters in FUNCTIONS.items():
        if hasattr(command, function):
            assert list(inspect.signature(getattr(command, function)).parameters) == parameters, function


@pytest.mark.parametrize("name", commands())
def test_where_options_belong(name: str) -> None:
    for option in find(name).OPTIONS:
        assert option.end in ("", "first", "last", "once", "alone", "process"), option.names
        twin = option.unshown()
        assert (twin.hidden, twin) == (True, option)
        assert all(getattr(twin, fact) == getattr(option, fact) for fact in option.__slots__ if fact != "hidden")
