"""The modules in C are optimised across their files where that can be done, and are built without it where it cannot."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

MODULE = """#define PY_SSIZE_T_CLEAN
#include <Python.h>
static struct PyModuleDef tried = {PyModuleDef_HEAD_INIT, .m_name = "tried"};
PyMODINIT_FUNC PyInit_tried(void) { return PyModuleDef_Init(&tried); }
"""
BUILD = """from setuptools import Extension, setup
from pkttools.build import AcrossFiles
setup(name="tried", script_args=["-q", "build_ext", "--inplace"], cmdclass={"build_ext": AcrossFiles},
      ext_modules=[Extension("tried", ["tried.c"], extra_compile_args=["-g0"])])
"""
# Compilers as they are met: one that can, one that knows no such flag, a linker that leaves out what it does not know.
COMPILERS = {
    "can": "",
    "does not know it": 'case "$*" in *-flto*) echo "unknown argument" >&2; exit 1; esac',
    "leaves it out": 'case "$*" in *-shared*-flto*) echo > empty.c; exec "$cc" -shared -o "$module" empty.c; esac',
}


@pytest.mark.skipif(not shutil.which("cc"), reason="no C compiler")
@pytest.mark.parametrize("compiler", COMPILERS)
def test_modules_in_c_are_built_by_any_compiler(tmp_path: Path, compiler: str) -> None:
    cc = tmp_path / "cc"
    cc.write_text(
        f"#!/bin/sh\ncc={shutil.which('cc')}\nmodule=$(printf '%s\\n' \"$@\" | grep 'tried.*so$')\n"
        f'echo "$*" >> calls\n{COMPILERS[compiler]}\nexec "$cc" "$@"\n'
    )
    cc.chmod(0o755)
    (tmp_path / "tried.c").write_text(MODULE)
    env = {**os.environ, "CC": str(cc), "LDSHARED": f"{cc} -shared", "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", BUILD], cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert subprocess.run([sys.executable, "-c", "import tried"], cwd=tmp_path, check=False).returncode == 0
    calls = (tmp_path / "calls").read_text().splitlines()
    assert "-flto" in calls[0]
    assert ("-flto" in calls[-1]) == (compiler == "can"), calls
