"""The labs that come with the project: folders, each with a README, a topology and a script that runs by itself."""

from __future__ import annotations

import re
from pathlib import Path

from ..errors import PktError, UsageError

TOPOLOGY, SCRIPT, README = "network", "run", "README.md"
SKIPPED = 77  # the exit code of what cannot be shown here, as Automake has it
REASON = "PKT_LAB_WHY"  # tells the script of a topology that is optional why it could not be built
PACKAGE = Path(__file__).resolve().parents[1]
PLACES = (PACKAGE / "labs", PACKAGE.parent / "examples" / "labs")  # installed, and in the checkout


def folders() -> list[Path]:
    """Those there are."""
    return sorted(path.parent for place in PLACES for path in place.glob(f"*/{TOPOLOGY}"))


def listing() -> list[str]:
    """A line each: its name, and the heading of its README."""
    found = folders()
    width = max((len(folder.name) for folder in found), default=0)
    return [f"{folder.name:{width}}  {heading(folder)}".rstrip() for folder in found]


def heading(folder: Path) -> str:
    """The first heading of a README, without the marks."""
    try:
        lines = (folder / README).read_text(errors="replace").splitlines()
    except OSError:
        return ""
    return next((line.lstrip("# ") for line in lines if line.startswith("#")), "")


def short(folder: Path) -> str:
    """Its name without the number that orders it."""
    return re.sub(r"^\d+-", "", folder.resolve().name)


def find(name: str) -> Path:
    """The folder of that name, with or without its number, or of that path. Raises UsageError, PktError."""
    if "/" in name:
        if not (Path(name) / TOPOLOGY).is_file():
            raise PktError(f"{name}: no folder with a file `{TOPOLOGY}`")
        return Path(name)
    found = [folder for folder in folders() if name in (folder.name, short(folder))]
    if not found:
        raise UsageError(f"no lab '{name}'; there are {', '.join(folder.name for folder in folders()) or 'none'}")
    return found[0]
