"""Pictures and pages in a browser: nothing outside of its box, readable in dark and in light, no errors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import FAINT, OUTSIDE, PROGRAM, Browser, Page
from conftest import ROOT, shell
from samples import ethernet, ipv4, tcp

pytestmark = pytest.mark.skipif(not PROGRAM, reason="chromium is not installed")

VIEWS = ROOT / "tests" / "data" / "views"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as started:
        yield started


@pytest.mark.parametrize("command", ["pkt-analyze --ladder", "pkt-analyze --diagram", "pkt-stat"])
def test_pictures(browser: Browser, tmp_path: Path, command: str) -> None:
    picture = tmp_path / "picture.svg"
    done = shell(f"{command} --svg {picture}", (VIEWS / "hosts.txt").read_bytes())
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


# ---- the page ----

EVIL = "<img src=x onerror=alert(1)>"
SNI = EVIL.encode()
NAME = '"<b>&amp;\u202e.txt'


def hostile() -> bytes:
    """Packets whose names are markup: a server's in TLS, a process's in PKTAP; and a comment."""
    named = len(SNI).to_bytes(2, "big") + SNI
    names = (len(named) + 1).to_bytes(2, "big") + b"\0" + named
    extensions = b"\0\0" + len(names).to_bytes(2, "big") + names
    hello = b"\3\3" + bytes(32) + b"\0" + b"\0\2\x13\1" + b"\1\0" + len(extensions).to_bytes(2, "big") + extensions
    hello = b"\1" + len(hello).to_bytes(3, "big") + hello
    record = b"\x16\3\1" + len(hello).to_bytes(2, "big") + hello
    segment = tcp(record)  # with an option
    packets = ethernet(0x0800, ipv4(6, segment[:2] + (443).to_bytes(2, "big") + segment[4:]))
    lines = ["LINKTYPE: 1", "-- 1 --", f"NOTE: </script><script>alert(2)</script>{EVIL}", packets.hex(" "), "=="]
    return "\n".join([*lines, ""]).encode()


@pytest.fixture(scope="module")
def page(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Page:
    """A page of all kinds of hosts, of hostile names, and of a wrong checksum; all packets are open."""
    folder = tmp_path_factory.mktemp("page")
    (folder / NAME).write_bytes((VIEWS / "hosts.txt").read_bytes() + hostile())
    done = shell(f"cd {folder} && pkt-analyze IP.TTL=7 --in '{NAME}' --html page.html")
    assert (done.returncode, done.stdout) == (0, b"")
    opened = browser.open(folder / "page.html")
    opened.value("document.getElementById('open').click()")
    assert opened.until("document.querySelectorAll('.packet[open][data-ready]').length === 16")
    return opened


LIT = "[...document.querySelectorAll('{} .lit')].map(lit => lit.matches('tr') ? lit.cells[0].textContent : lit.textContent)"
OTHERS = """(at => [...at.closest(".parts").querySelectorAll(at.matches("tr") ? ".bytes b" : ".fields tr[data-f]")]
    .filter(one => one.dataset.f.split(" ").some(f => at.dataset.f.split(" ").includes(f)))
    .map(one => one.matches("tr") ? one.cells[0].textContent : one.textContent))(document.activeElement)"""
FOCUSED = "(at => at.matches('tr') ? at.cells[0].textContent : at.textContent)(document.activeElement)"


def test_names_stay_text(page: Page) -> None:
    assert page.errors == []
    assert page.value("document.querySelectorAll('img, b b, .packet script').length") == 0
    assert page.value("document.querySelectorAll('script').length") == 1
    assert page.value("document.title") == 'Packets of "<b>&amp;\\u202e.txt'
    text = page.value("document.querySelector('main').textContent")
    assert f"NOTE: </script><script>alert(2)</script>{EVIL}" in text
    assert f'"{EVIL}"' in text  # TLS.SNI, as a filter takes it


def test_nothing_else_runs_or_loads(page: Page) -> None:
    """The policy of the page forbids it, also to what would get into it all the same."""
    script = """new Promise(resolve => {
        const found = [];
        document.addEventListener("securitypolicyviolation", event => {
            found.push(event.effectiveDirective);
            if (found.length === 3) resolve(found.sort());
        });
        const script = document.createElement("script");
        script.textContent = "document.title = 'run'";
        document.body.append(script);
        document.body.insertAdjacentHTML("beforeend", "<img id=evil src='http://192.0.2.1/x'><p style='color:red'></p>");
        document.getElementById("evil").remove();
    })"""
    assert page.value(script) == ["img-src", "script-src-elem", "style-src-attr"]
    assert page.value("document.title") != "run"
    page.errors.clear()  # the browser says so, too


def test_a_byte_lights_its_field_and_the_other_way_round(page: Page) -> None:
    """By pointer: every byte has a field, every field that has bits has bytes."""
    page.point("#p5 .bytes [data-at='22']")
    assert page.value(LIT.format("#p5 .fields")) == ["TTL"]
    page.point("#p5 .bytes [data-at='14']")
    assert page.value(LIT.format("#p5 .fields")) == ["VERSION", "HEADER_SIZE"]
    page.point("#p5 .fields tbody:nth-of-type(2) tr:nth-last-child(2)")
    assert page.value(LIT.format("#p5 .bytes")) == ["C0 00 02 01"]
    page.point("h1")
    assert page.value(LIT.format("#p5 .parts, #p5")) == []
    lost = """[...document.querySelectorAll(".packet")].flatMap(packet => [".bytes", ".fields"].flatMap((part, i) =>
        [...packet.querySelectorAll(`${part} [data-f]`)].filter(one => !one.dataset.f.split(" ").every(field =>
            packet.querySelector(`${i ? ".bytes" : ".fields"} [data-f~="${field}"]`))))).length"""
    assert page.value(lost) == 0


def test_by_keyboard(page: Page) -> None:
    page.value("document.querySelector('.packet:nth-of-type(5) > summary').focus()")
    keys = [
        ("Tab", 9, "02 00 00 00 00 02"), ("End", 35, "00 00"), ("ArrowUp", 38, "00 50"), ("ArrowLeft", 37, "9C 40"),
        ("Enter", 13, "SRC_PORT"), ("ArrowUp", 38, "DST_ADDR"), ("Enter", 13, "C0 00"), ("Home", 36, "02 00 00 00 00 02"),
        ("ArrowDown", 40, "00 28"), ("Tab", 9, "DST_ADDR"), ("Escape", 27, "5 0.020000"), ("ArrowDown", 40, "6 0.030000"),
        ("ArrowUp", 38, "5 0.020000"),
    ]  # fmt: skip
    for key, code, focused in keys:
        page.key(key, code)
        assert page.value(FOCUSED).startswith(focused)
        part = page.value("document.activeElement.closest('.bytes, .fields')?.className")
        if part:  # where the keyboard is, all that belongs together is lit
            lit = page.value(LIT.format("#p5 ." + {"bytes": "fields", "fields": "bytes"}[part]))
            assert lit == page.value(OTHERS), focused
    page.key("Enter", 13)
    assert page.value("document.activeElement.parentElement.open") is False
    page.key("Enter", 13)
    assert page.value("document.activeElement.parentElement.open") is True


def test_for_those_who_hear_it(page: Page) -> None:
    """What can be reached has a name, and a role that says what it is."""
    nodes = page.ask("Accessibility.getFullAXTree")["nodes"]
    reached = [
        (node["role"]["value"], node.get("name", {}).get("value", ""))
        for node in nodes
        if not node["ignored"] and any(one["name"] == "focusable" and one["value"]["value"] for one in node.get("properties", ()))
    ]
    assert [role for role, name in reached if not name.strip()] == []
    roles = {role for role, _ in reached}
    assert {"gridcell", "row", "link", "button", "DisclosureTriangle"} <= roles
    names = {name for _, name in reached}
    assert "07, byte 22, IP TTL" in names
    assert any(name.startswith("packet 5, 192.0.2.1 to 192.0.2.2: TCP 40000>80 ") for name in names)


def test_the_ladder_leads_to_packets(page: Page) -> None:
    page.value("document.getElementById('close').click()")
    page.point("#ladder ~ .ladder a[href='#p7'] text", press=True)
    assert page.until("document.activeElement.nextElementSibling?.id === 'p7'")
    assert page.value("[...document.querySelectorAll('.packet[open] .parts')].map(parts => parts.id)") == ["p7"]


def test_what_the_page_looks_like(page: Page) -> None:
    """Dark, light and printed; wide and narrow: readable, and nothing outside."""
    page.value("document.getElementById('open').click()")
    page.value("document.querySelector('#p5 .bytes b').focus()")
    for scheme, kind in (("light", "screen"), ("dark", "screen"), ("dark", "print")):
        page.media(scheme, kind)
        assert page.value(FAINT) == {}
        assert page.value(OUTSIDE) == []
    page.media()
    for width in (1280, 400):
        page.ask("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=False)
        assert page.value("document.documentElement.scrollWidth") <= width
    assert page.errors == []
