"""What a stage asks of the codec, on both backends: each test of a module that has these two runs twice."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from conftest import BACKENDS, load


def use(codec: ModuleType, monkeypatch: pytest.MonkeyPatch, *functions: str) -> None:
    """Lets stages and views have these functions of a codec."""
    for name in functions:
        monkeypatch.setattr(f"pkttools.codec.{name}", getattr(codec, name))


def on_both(*functions: str) -> tuple[Callable[[Any], None], Any]:
    """`pytest_generate_tests` and the fixture `chosen` of a module whose tests call these functions of the codec."""

    def pytest_generate_tests(metafunc: Any) -> None:
        """Each test runs on both backends, once; those of commands, and those that compare both, choose them themselves."""
        if not {"backend", "codec", "both"}.intersection(metafunc.fixturenames):
            metafunc.parametrize("chosen", BACKENDS, indirect=True)

    @pytest.fixture(autouse=True)
    def chosen(request: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """The backend that the functions are of."""
        if "codec" in request.fixturenames:
            use(request.getfixturevalue("codec"), monkeypatch, *functions)
        elif hasattr(request, "param"):
            use(load(request.param), monkeypatch, *functions)

    return pytest_generate_tests, chosen
