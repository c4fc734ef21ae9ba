"""Parts of the build, see pyproject.toml: the tables of the descriptions for a wheel, and C optimised across its files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py
from setuptools.errors import CompileError, LinkError
from setuptools.extension import Extension

ROOT = Path(__file__).parents[1]
ACROSS = "-flto=auto"  # of GCC and clang; a packet goes through functions of ten files, which this can inline
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


class AcrossFiles(build_ext):  # type: ignore[misc]  # of no type that is known
    """Modules in C, optimised across their files where compiler and linker can do that, else file by file."""

    def build_extension(self, ext: Extension) -> None:
        """Builds one. Raises CompileError or LinkError where it cannot be built in the plain way either."""
        plain = ext.extra_compile_args, ext.extra_link_args
        ext.extra_compile_args, ext.extra_link_args = ([*flags, ACROSS] for flags in plain)
        try:
            super().build_extension(ext)
            self._check(ext)
        except (CompileError, LinkError):
            ext.extra_compile_args, ext.extra_link_args = plain
            self.force = True  # what the first try left is not taken
            super().build_extension(ext)

    def swig_sources(self, sources: list[str], ext: Extension) -> list[str]:
        """The files in the order of pyproject.toml, where setuptools has sorted them by name: the linker keeps it."""
        return list(ext.sources)

    def _check(self, ext: Extension) -> None:
        """A linker that does not know what such a compiler wrote may leave it out, and be content."""
        if f"PyInit_{ext.name.rpartition('.')[2]}".encode() not in Path(self.get_ext_fullpath(ext.name)).read_bytes():
            raise LinkError(f"{ext.name} has nothing in it")
