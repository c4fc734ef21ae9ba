"""Pictures for a browser: boxes, lines, and text that fits, as SVG; dark or light as its reader has it, light on paper.

All text is of one width, COLUMN pixels a character in whatever font there is (textLength says so), so that what fits by
counting fits to the eye. It is ASCII: other characters, which packets may bring, are written as `\\u` and digits.
"""

from __future__ import annotations

COLUMN, ROW = 8, 20  # pixels of a character, and of a line of text

# Colours by layer, those of command_line/colour.py; each with 4.5 : 1 or more against the paper (WCAG 2.2, 1.4.3).
LIGHT = ("--paper:#ffffff;--shade:#f3f4f6;--rule:#8c959f;--ink:#1f2328;--faint:#57606a;--capture:#57606a;--link:#7a4f00;"
         "--network:#116329;--transport:#0b5e6b;--application:#86198f;--wrong:#b3141f;--unfinished:#0550ae")  # fmt: skip
DARK = ("--paper:#0d1117;--shade:#1b222c;--rule:#6e7681;--ink:#e6edf3;--faint:#9da7b3;--capture:#9da7b3;--link:#e3b341;"
        "--network:#56d364;--transport:#56d4dd;--application:#e89be0;--wrong:#ff8b82;--unfinished:#8ac4ff")  # fmt: skip
PALETTE = f":root{{color-scheme:light dark;{LIGHT}}}@media screen and (prefers-color-scheme:dark){{:root{{{DARK}}}}}"
SHAPES = (
    ".paper{fill:var(--paper)}.picture text{font:13px ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;"
    "fill:var(--ink);white-space:pre}.picture rect{stroke:var(--rule);fill:var(--paper)}.picture rect.paper{stroke:none}"
    ".picture rect.shade{fill:var(--shade)}.picture path{stroke:var(--rule);fill:none}.picture text.strong{font-weight:bold}"
) + "".join(
    f".picture text.{name}{{fill:var(--{name})}}.picture path.{name}{{stroke:var(--{name})}}"
    f".picture path.{name}.head{{fill:var(--{name})}}"
    for name in ("faint", "capture", "link", "network", "transport", "application", "wrong", "unfinished")
)
LAYER = ("", "capture", "link", "network", "transport", "application")  # classes, by the numbers of protocols/showing.py
ESCAPES = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;", ord('"'): "&quot;"}


def plain(text: str) -> str:
    """Text in ASCII; what is not, or controls, as `\\u` and digits."""
    return text if text.isascii() and text.isprintable() else "".join(
        c if " " <= c <= "~" else f"\\u{ord(c):04x}" for c in text)  # fmt: skip


def escaped(text: str) -> str:
    """Text as it stands in XML and HTML, in attributes, too."""
    return text.translate(ESCAPES)


def fitted(text: str, columns: int) -> str:
    """Text of at most so many characters; of a longer one the beginning, and `~`."""
    return text if len(text) <= columns else text[: max(columns - 1, 0)] + "~"[:columns]


class Picture:
    """A picture of so many pixels. Classes of what is drawn: names of colours (faint, link, wrong...), `shade`, `strong`."""

    def __init__(self, width: float, height: float, title: str) -> None:
        """title: what it shows, for those who do not see it."""
        self.width, self.height, self.title = width, height, plain(title)
        self.parts: list[str] = []

    def box(self, x: float, y: float, width: float, height: float, style: str = "") -> None:
        """A rectangle."""
        self.parts.append(f'<rect class="{style}" x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}"/>')

    def bar(self, x: float, y: float, width: float, height: float, style: str) -> None:
        """A rectangle that is filled with a colour."""
        self.parts.append(f'<path class="{style} head" d="M{x:g} {y:g}h{width:g}v{height:g}h{-width:g}Z"/>')

    def line(self, points: list[tuple[float, float]], style: str = "", *, dashed: bool = False, head: bool = False) -> None:
        """A line through points; with an arrow's head at its end, which it reaches horizontally."""
        d = "M" + "L".join(f"{x:g} {y:g}" for x, y in points)
        self.parts.append(f'<path class="{style}" d="{d}"{" stroke-dasharray=" + chr(34) + "4 3" + chr(34) if dashed else ""}/>')
        if head:
            (before, _), (x, y) = points[-2:]
            back = x - 9 if x > before else x + 9
            self.parts.append(f'<path class="{style} head" d="M{x:g} {y:g}L{back:g} {y - 4:g}L{back:g} {y + 4:g}Z"/>')

    def text(self, x: float, y: float, text: str, columns: int, style: str = "", anchor: str = "start") -> None:
        """Text of at most so many columns; `y` is the middle of its line. anchor: start, middle or end, where `x` is."""
        shown = fitted(plain(text), columns)
        if shown:
            wide = f'textLength="{COLUMN * len(shown)}" lengthAdjust="spacingAndGlyphs"'
            where = f'x="{x:g}" y="{y + 4.5:g}" text-anchor="{anchor}"'
            self.parts.append(f'<text class="{style}" {where} {wide}>{escaped(shown)}</text>')

    def begin(self, address: str, label: str) -> None:
        """Begins what leads somewhere, as a whole, until `end`. label: what it is, for those who do not see it."""
        self.parts.append(f'<a href="{escaped(address)}" aria-label="{escaped(plain(label))}">')

    def end(self) -> None:
        """Ends it."""
        self.parts.append("</a>")

    def element(self, attributes: str = 'role="img"') -> str:
        """The element `svg`, for a page that has PALETTE and SHAPES as its style."""
        size = f'width="{self.width:g}" height="{self.height:g}" viewBox="0 0 {self.width:g} {self.height:g}"'
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="picture" {attributes} aria-label="{escaped(self.title)}" {size}>'
            f'<rect class="paper" width="100%" height="100%"/>\n' + "\n".join(self.parts) + "\n</svg>\n"
        )

    def document(self) -> bytes:
        """The whole of a file."""
        head, _, rest = self.element().partition(">")
        return f"{head}><title>{escaped(self.title)}</title><style>{PALETTE}{SHAPES}</style>{rest}".encode("ascii")
