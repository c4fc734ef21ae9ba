#!/bin/sh
# pypcapkit 1.4.1.post2 refuses a pcapng file that has two interfaces and a simple packet block.
# Such a block belongs to the first interface of its section; that there are others is no error (draft-ietf-opsawg-pcapng section 4.4).
. "$(dirname "$0")/common"
packages pypcapkit==1.4.1.post2
seen=$(cd "$folder" && "$python" - 2> /dev/null << 'END'
from frames import *
import pcapkit
from pcapkit.utilities.exceptions import BaseError


def packets(*blocks):
    open("file.pcapng", "wb").write(section() + b"".join(blocks))
    try:
        return str(len(pcapkit.extract(fin="file.pcapng", nofile=True, store=True).frame))
    except BaseError as error:
        return type(error).__name__


print(f"one interface: {packets(interface(), simple())}, two: {packets(interface(), interface(), simple())}")
END
)
verdict "one interface: 1, two: 1" "one interface: 1, two: FormatError" "$seen"
