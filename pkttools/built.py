"""Whether a C module was built from the sources that lie beside it, as they do in a checkout."""

import os


def outdated(module: str) -> bool:
    """Whether a C source in the folder `c` beside a module was written after it was built: the rule that make goes by, too.

    What is installed has no sources beside it, and is never outdated. It is asked at every start, and times cost less than
    contents.
    """
    try:
        built = os.stat(module).st_mtime_ns  # noqa: PTH116  pathlib is slow to import
        with os.scandir(f"{module.rpartition(os.sep)[0]}/c") as entries:
            return any(
                entry.stat().st_mtime_ns > built
                for entry in entries
                if entry.name.endswith((".c", ".h")) and not entry.name.startswith(".")  # those are editors'
            )
    except OSError:
        return False
