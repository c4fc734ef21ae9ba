"""zstd in and out, for files.py."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from .capture import frames, records, write_frames
from .processes import Failed, run
from .timing import Contestant


def contestants(codec: str, count: int, folder: Path) -> list[tuple[Contestant, Contestant]]:
    """zstd in and out, beside zstd around the same work. Raises Failed where what is written holds something else."""
    if not shutil.which("zstd"):
        return []
    source, made, back = folder / "plain.pcap", folder / f"made-{codec}.zst", folder / "back.pcap"
    write_frames(source, frames(count))
    subprocess.run(["zstd", "-qf", source], check=True)
    packed = source.with_name("plain.pcap.zst")
    work = ["pkt-filter", "-F", "pcap", "IP"]
    pairs = {f"pkt-filter --compress, {codec}": [[*work, "--compress", "zstd"]],
             f"zstd -dc and zstd -T1 around it, {codec}": [["zstd", "-dcq"], work, ["zstd", "-qcT1"]]}  # fmt: skip
    for name, commands in pairs.items():
        run(commands, packed, made, codec=codec)
        run([["zstd", "-dcq"]], made, back)
        if [*records(back)] != [*records(source)]:
            raise Failed(f"{name}: what it writes is wrong")
    ours, theirs = (Contestant(name, words, count, packed, folder / "made.zst", codec=codec) for name, words in pairs.items())
    return [(ours, theirs)]
