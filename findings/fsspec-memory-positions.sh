#!/bin/sh
# fsspec 2026.9.0 gives all who open a file of its memory file system the same object, with one position: who opens it moves the others back
# to its begin, and who reads moves them on. Who reads a capture from there in several threads, as Dask does, which opens each block by
# itself, can get wrong bytes. Only the docstring of the class behind, MemoryFile, says that a path is to be active once.
# An OpenFile makes a file-like instance of its own when its context begins (fsspec's documentation, Features, section on OpenFile instances);
# that of a local file has a position of its own.
. "$(dirname "$0")/common"
packages fsspec==2026.9.0
seen=$(cd "$folder" && "$python" - << 'END'
from frames import *
import fsspec

for address in "local://file.pcap", "memory://file.pcap":
    with fsspec.open(address, "wb") as file:
        file.write(pcap((SECOND, FRAME)))
    with fsspec.open(address, "rb") as one, fsspec.open(address, "rb") as other:
        print(address[:6], *("magic" if file.read(4) == pcap()[:4] else "no magic" for file in (one, other)))
END
)
verdict "local: magic magic
memory magic magic" "local: magic magic
memory magic no magic" "$seen"
