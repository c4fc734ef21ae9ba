"""What mypy cannot say by itself: that all it is told to ignore has a reason, and that stubs name what there is."""

from __future__ import annotations

import ast
import importlib
import re

import pytest
from conftest import ROOT


def test_what_is_ignored_has_its_reason():
    lines = [(path.name, line) for path in (ROOT / "pkttools").rglob("*.py") for line in path.read_text().splitlines()]
    ignoring = [(name, line.strip()) for name, line in lines if "type: ignore" in line]
    assert ignoring
    assert [(name, line) for name, line in ignoring if not re.search(r"# type: ignore\[[a-z, -]+\]  # \S", line)] == []


@pytest.mark.parametrize("package", ["codec", "kernel"])
def test_stub_names_the_functions_of_c(package):
    module = pytest.importorskip(f"pkttools.{package}._c")
    stub = ast.parse((ROOT / "pkttools" / package / "_c.pyi").read_text())
    there = {name for name in dir(module) if callable(getattr(module, name)) and not name.startswith("_")}
    assert {node.name for node in stub.body if isinstance(node, ast.FunctionDef)} == there


@pytest.mark.parametrize("package", ["codec", "kernel"])
def test_stub_and_twin_take_as_many_arguments(package):
    twin = importlib.import_module(f"pkttools.{package}.python")
    stub = ast.parse((ROOT / "pkttools" / package / "_c.pyi").read_text())
    taken = {
        node.name: [argument.arg for argument in node.args.posonlyargs] for node in stub.body if isinstance(node, ast.FunctionDef)
    }
    for name in twin.__all__:
        function = getattr(twin, name)
        assert taken[name] == list(function.__code__.co_varnames[: function.__code__.co_argcount]), name
