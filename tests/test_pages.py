"""Pictures and pages in a browser: nothing outside of its box, readable in dark and in light, no errors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import FAINT, OUTSIDE, PROGRAM, Browser
from conftest import ROOT, shell

pytestmark = pytest.mark.skipif(not PROGRAM, reason="chromium is not installed")

VIEWS = ROOT / "tests" / "data" / "views"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as started:
        yield started


@pytest.mark.parametrize("command", ["pkt-analyze --ladder --svg PICTURE"])
def test_pictures(browser: Browser, tmp_path: Path, command: str) -> None:
    picture = tmp_path / "picture.svg"
    done = shell(command.replace("PICTURE", str(picture)), (VIEWS / "hosts.txt").read_bytes())
    assert done.returncode == 0
    page = browser.open(picture)
    assert page.value("document.querySelectorAll('svg text').length") > 10
    papers = set()
    for scheme, kind in (("light", "screen"), ("dark", "screen"), ("dark", "print")):
        page.media(scheme, kind)
        assert page.value(OUTSIDE) == []
        assert page.value(FAINT) == {}
        papers.add(page.value("getComputedStyle(document.querySelector('.paper')).fill"))
    assert papers == {"rgb(255, 255, 255)", "rgb(13, 17, 23)"}
    assert page.errors == []
    page.close()
