"""The interfaces that libpcap can open: pcap_findalldevs(3PCAP)."""

from __future__ import annotations

import ctypes

from ...errors import PktError
from ...libpcap.system import MESSAGE, capturing
from ..interfaces import Interface

UP, CONNECTION, DISCONNECTED = 2, 0x30, 0x20  # PCAP_IF_UP and the connection's status, <pcap/pcap.h>


class Address(ctypes.Structure):
    """struct pcap_addr."""


class Device(ctypes.Structure):
    """struct pcap_if."""


Address._fields_ = (
    ("next", ctypes.POINTER(Address)), ("address", ctypes.c_void_p), ("mask", ctypes.c_void_p),
    ("broadcast", ctypes.c_void_p), ("peer", ctypes.c_void_p),
)  # fmt: skip
Device._fields_ = (
    ("next", ctypes.POINTER(Device)), ("name", ctypes.c_char_p), ("description", ctypes.c_char_p),
    ("addresses", ctypes.POINTER(Address)), ("flags", ctypes.c_uint32),
)  # fmt: skip


def interfaces() -> list[Interface]:
    """All of them, also pseudo-devices such as `any`; none is opened. Raises PktError."""
    pcap, reason, first = capturing(), ctypes.create_string_buffer(MESSAGE), ctypes.POINTER(Device)()
    if pcap.pcap_findalldevs(ctypes.byref(first), reason):
        raise PktError(f"no list of interfaces: {reason.value.decode(errors='replace')}")
    found, device = [], first
    while device:
        it = device.contents
        interface = Interface(
            it.name.decode(errors="surrogateescape"), state(it.flags), (it.description or b"").decode(errors="replace")
        )
        each = it.addresses
        while each:
            interface.learn(each.contents.address, each.contents.mask)
            each = each.contents.next
        found.append(interface)
        device = it.next
    pcap.pcap_freealldevs(first)
    return found


def state(flags: int) -> str:
    """Whether an interface is up, and connected to something."""
    return "down" if not flags & UP else "no-carrier" if flags & CONNECTION == DISCONNECTED else "up"


def names() -> list[str]:
    """Their names. Raises PktError."""
    return [interface.name for interface in interfaces()]


def linktype(name: str) -> int | None:
    """The link type of the frames of an interface, without opening it; None: not known. Raises PktError where there is none."""
    found = interfaces()
    for interface in found:
        if interface.name == name:
            return interface.linktype
    raise PktError(f"{name}: no such interface; there are {', '.join(interface.name for interface in found)}")
