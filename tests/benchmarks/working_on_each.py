"""pkt-pipe --each of many small captures beside a loop of editcap, which only copies them. See files.py."""

from __future__ import annotations

import shutil
from pathlib import Path

from .capture import write_capture
from .processes import Failed
from .report import Row
from .splitting import PEER, memory
from .timing import Contestant, Used, compared

FILES, EACH = 800, 50  # captures, and packets of each
OURS = "pkt-pipe --each {folder}/*.pcap --out-dir {out} 'change IP.TTL-=1 | correct'"
THEIRS = f'for file in {{folder}}/*.pcap; do {PEER} "$file" "{{out}}/${{{{file##*/}}}}"; done'


class Folder(Contestant):
    """What makes of each file of a folder one in another."""

    out: Path

    def once(self) -> Used:
        """One run; to make room for it, and to count what it wrote, is no part of the time."""
        shutil.rmtree(self.out, ignore_errors=True)
        self.out.mkdir()
        used = super().once()
        found = [path.stat().st_size > 0 for path in self.out.iterdir()]
        if not all(found) or len(found) != FILES:
            raise Failed(f"{self.name}: {len(found)} files instead of {FILES}")
        return used


def measured(runs: int, folder: Path) -> list[Row]:
    """The rows, where editcap is installed. Raises Failed."""
    if not shutil.which(PEER):
        return []
    with memory(folder) as place:
        files = place / "files"
        files.mkdir()
        for number in range(FILES):
            write_capture(files / f"{number}.pcap", EACH)
        both = []
        for name, line in (f"pkt-pipe --each, {FILES} files", OURS), (f"a loop of {PEER}", THEIRS):
            out = place / name.split()[-2].strip(",")
            one = Folder(name, [["sh", "-c", line.format(folder=files, out=out)]], FILES * EACH)
            one.out = out
            both.append(one)
        ours, theirs = both
        return compared([(ours, theirs)], runs)
