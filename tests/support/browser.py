"""Pages and pictures as a browser shows them: Chromium without a window, by its DevTools protocol over two pipes.

One browser serves all tests of a file (fixture `browser` of those that use it); it has no network.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

PROGRAM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
SECONDS = 60  # until an answer comes, on a busy machine


class Browser:
    """Chromium; `with Browser() as browser`."""

    def __init__(self) -> None:
        self.profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        theirs_in, self.out = os.pipe()
        self.into, theirs_out = os.pipe()
        keep = os.dup(theirs_in), os.dup(theirs_out)  # not 3 and 4 themselves: what becomes of those below is no accident then
        words = [
            str(PROGRAM), "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage",
            "--disable-background-networking", "--disable-component-update", "--host-resolver-rules=MAP * ~NOTFOUND",
            "--force-device-scale-factor=1", f"--user-data-dir={self.profile.name}", "--remote-debugging-pipe", "about:blank",
        ]  # fmt: skip
        script = f'exec 3<&{keep[0]} 4>&{keep[1]}; exec "$@"'
        self.process = subprocess.Popen(["bash", "-c", script, "bash", *words], pass_fds=keep, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
        for fd in (theirs_in, theirs_out, *keep):
            os.close(fd)
        self.number, self.buffer = 0, b""
        self.pages: dict[str, Page] = {}

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.out)  # it ends then
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.into)
        self.profile.cleanup()

    def receive(self) -> dict[str, Any]:
        """The next message; what a page says of itself is kept there."""
        deadline = time.monotonic() + SECONDS
        while b"\0" not in self.buffer:
            left = deadline - time.monotonic()
            assert left > 0 and select.select([self.into], [], [], left)[0], "the browser does not answer"
            part = os.read(self.into, 1 << 20)
            assert part, "the browser ended"
            self.buffer += part
        text, _, self.buffer = self.buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(text)
        if page := self.pages.get(message.get("sessionId", "")):
            page.learn(message)
        return message

    def ask(self, method: str, session: str | None = None, **parameters: object) -> dict[str, Any]:
        """The answer to a command of the protocol."""
        self.number += 1
        number = self.number
        message = {"id": number, "method": method, "params": parameters, **({"sessionId": session} if session else {})}
        os.write(self.out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.receive()
            if answer.get("id") == number:
                assert "error" not in answer, (method, answer["error"])
                result: dict[str, Any] = answer["result"]
                return result

    def open(self, path: Path, width: int = 1280, height: int = 800) -> Page:
        """A page of its own for a file, once it is there."""
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = self.pages[session] = Page(self, target, session)
        for domain in ("Page", "Runtime", "Log"):
            page.ask(f"{domain}.enable")
        page.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        page.ask("Page.navigate", url=path.as_uri())
        while not page.loaded:
            self.receive()
        return page


class Page:
    """A page. errors: exceptions of its script, and what it, or the browser about it, says on the console."""

    def __init__(self, browser: Browser, target: str, session: str) -> None:
        self.browser, self.target, self.session = browser, target, session
        self.errors: list[str] = []
        self.loaded = False

    def ask(self, method: str, **parameters: object) -> dict[str, Any]:
        """The answer to a command about this page."""
        return self.browser.ask(method, self.session, **parameters)

    def learn(self, message: dict[str, Any]) -> None:
        """Keeps what the page tells of itself."""
        method, told = message.get("method"), message.get("params", {})
        if method == "Page.loadEventFired":
            self.loaded = True
        elif method == "Runtime.exceptionThrown":
            self.errors.append(json.dumps(told["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled":
            self.errors.append(json.dumps(told["args"]))
        elif method == "Log.entryAdded":
            self.errors.append(told["entry"]["text"])
        elif method == "Page.javascriptDialogOpening":
            self.errors.append(f"a dialog: {told['message']}")

    def value(self, expression: str) -> Any:
        """What an expression of JavaScript is, as JSON has it."""
        done = self.ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    def until(self, expression: str) -> bool:
        """Whether an expression becomes true, within ten seconds: what an event leads to happens when the browser comes to it."""
        return self.value(f"""new Promise(resolve => {{
            const end = Date.now() + 10000;
            const look = () => {expression} ? resolve(true) : Date.now() > end ? resolve(false) : setTimeout(look, 10);
            look();
        }})""")

    def drawn(self) -> None:
        """Waits until what has been done so far is drawn."""
        self.value("new Promise(resolve => requestAnimationFrame(() => setTimeout(resolve)))")

    def media(self, scheme: str = "light", kind: str = "screen") -> None:
        """Shows it as with a dark or light scheme, on a screen or in print."""
        self.ask("Emulation.setEmulatedMedia", media=kind, features=[{"name": "prefers-color-scheme", "value": scheme}])

    def key(self, key: str, code: int, modifiers: int = 0) -> None:
        """Presses a key: its name, such as ArrowDown, and its virtual key code; modifiers: 8 is shift."""
        text = {"text": "\r"} if key == "Enter" else {}
        for kind in ("keyDown", "keyUp"):
            self.ask("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, modifiers=modifiers,
                     **(text if kind == "keyDown" else {}))  # fmt: skip

    def point(self, selector: str, press: bool = False) -> None:
        """Moves the pointer to the middle of the first element that a selector finds; press: and clicks."""
        element = f"document.querySelector({json.dumps(selector)})"
        before, place = None, ()
        while place != before:  # what comes into view is laid out then only, and moves what is around it
            before = place
            self.value(f"{element}.scrollIntoView({{block: 'center'}})")
            self.drawn()
            place = self.value(f"(box => [box.x + box.width / 2, box.y + box.height / 2])({element}.getClientRects()[0])")
        x, y = place
        self.ask("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
        for kind in ("mousePressed", "mouseReleased") if press else ():
            self.ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)
        self.drawn()

    def close(self) -> None:
        """Closes it."""
        self.browser.ask("Target.closeTarget", targetId=self.target)


# Texts of pictures that are outside: of the picture, or of the smallest rectangle in which their middle lies.
OUTSIDE = """[...document.querySelectorAll("svg text")].filter(text => {
    const box = text.getBBox(), view = text.ownerSVGElement.viewBox.baseVal;
    const x = box.x + box.width / 2, y = box.y + box.height / 2, around = [...text.ownerSVGElement.querySelectorAll("rect")]
        .map(rect => rect.getBBox()).filter(b => b.x <= x && x <= b.x + b.width && b.y <= y && y <= b.y + b.height)
        .sort((a, b) => a.width * a.height - b.width * b.height)[0] || view;
    return box.x < around.x - 0.5 || box.y < around.y - 0.5 || box.x + box.width > around.x + around.width + 0.5
        || box.y + box.height > around.y + around.height + 0.5;
}).map(text => text.textContent)"""

# Texts of less contrast than 4.5 : 1 (WCAG 2.2, 1.4.3) against what lies behind them: the nearest background that is opaque, or
# of SVG the topmost rectangle at the middle of the text; with the contrast.
FAINT = """(() => {
    const numbers = colour => colour.match(/[\\d.]+/g).map(Number);
    const light = ([r, g, b]) => [r, g, b].map(c => c / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
        .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    const behind = element => {
        const svg = element.ownerSVGElement;
        if (svg) {
            const {x, y, width, height} = element.getBBox(), middle = [x + width / 2, y + height / 2];
            const rects = [...svg.querySelectorAll("rect")].filter(rect => {
                const box = rect.getBBox();
                return box.x <= middle[0] && middle[0] <= box.x + box.width && box.y <= middle[1] && middle[1] <= box.y + box.height
                    && getComputedStyle(rect).fill !== "none";
            });
            return numbers(getComputedStyle(rects.at(-1)).fill);
        }
        for (let at = element; at; at = at.parentElement) {
            const colour = numbers(getComputedStyle(at).backgroundColor);
            if (colour.length < 4 || colour[3] === 1) return colour;
        }
        return [255, 255, 255];
    };
    const found = {};
    for (const element of document.querySelectorAll("body *, svg text")) {
        if (!element.checkVisibility || !element.checkVisibility()) continue;
        if (!element.ownerSVGElement && ![...element.childNodes].some(node => node.nodeType === 3 && node.data.trim())) continue;
        if (element.ownerSVGElement && element.tagName !== "text") continue;
        const style = getComputedStyle(element), a = light(numbers(element.ownerSVGElement ? style.fill : style.color));
        const b = light(behind(element)), contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        if (contrast < 4.5) found[`${element.tagName}.${element.getAttribute("class")}`] = Math.round(contrast * 100) / 100;
    }
    return found;
})()"""
