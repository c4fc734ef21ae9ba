"""Runs a command as on another system: takes away what that lacks. Arguments: the system, the command's name, its arguments."""

import importlib.abc
import os
import select
import socket
import sys
import types

system, name, *argv = sys.argv[1:]
sys.path.insert(0, os.path.abspath(f"{__file__}/../../.."))  # noqa: PTH100
lacking = {
    "pkttools.kernel._c",
    "pkttools.live.linux.receive",
    "pkttools.live.linux.send",
    "pkttools.formats.lending",
    "pkttools.live.linux.live_frames",
}

for attribute in dir(socket):
    if attribute.startswith(("AF_PACKET", "PACKET_", "AF_NETLINK", "AF_VSOCK", "AF_CAN", "SO_BINDTODEVICE")):
        delattr(socket, attribute)
for attribute in ("splice", "memfd_create", "eventfd"):
    if hasattr(os, attribute):
        delattr(os, attribute)
if system == "win32":
    lacking.add("fcntl")
    sys.modules.pop("fcntl", None)
    for attribute in ("readv", "set_blocking", "O_CLOEXEC"):
        delattr(os, attribute)
    os.O_BINARY = 0
    sys.modules["msvcrt"] = types.SimpleNamespace(setmode=lambda fd, mode: None)

    def sockets_alone(*lists: object) -> None:
        raise OSError(10038, "an operation was attempted on something that is not a socket")

    select.select = sockets_alone


class Lacking(importlib.abc.MetaPathFinder):
    """Finds nothing where there is nothing."""

    def find_spec(self, wanted: str, path: object = None, target: object = None) -> None:
        if wanted in lacking:
            raise ModuleNotFoundError(f"No module named '{wanted}'", name=wanted)


sys.meta_path.insert(0, Lacking())
sys.platform = system

from pkttools.libpcap import system as libpcap  # noqa: E402
from pkttools.main import guarded, occupy  # noqa: E402

libpcap.NAMES = {}  # the libraries of Linux
occupy()
sys.exit(guarded(name, argv))
