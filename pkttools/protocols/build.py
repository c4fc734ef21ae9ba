"""Part of the build of a wheel: the tables of the descriptions are made for it. See pyproject.toml."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from setuptools.command.build_py import build_py

ROOT = Path(__file__).parents[2]
# Old tables, which may be there, are not read.
WRITE = """import sys
sys.path.insert(0, sys.argv[1])
sys.modules["pkttools.protocols._tables"] = None
from pkttools.protocols.compile import write
write(sys.argv[2])"""


class WithTables(build_py):  # type: ignore[misc]  # of no type that is known
    """Modules as they are, and the tables beside them."""

    def run(self) -> None:
        """Copies the modules, and makes those that are not there."""
        super().run()
        if not self.editable_mode:  # then the checkout is what runs
            folder = Path(self.build_lib, "pkttools", "protocols").resolve()
            subprocess.run([sys.executable, "-c", WRITE, str(ROOT), str(folder)], check=True)
