"""What the kernel makes of super-frames, octet for octet: it cuts them where the driver does not."""

from __future__ import annotations

import struct

import pytest
from backends import on_both
from netns import finish, frames_of
from netns import lab as _lab
from samples import over_udp
from test_segments import ACK, AROUND, CWR, ECE, FIN, PSH, STAMPS, SYN, UDP_AROUND, URG, cut, mended, pseudo, segment

from pkttools.batch import Packet

lab = _lab
pytest_generate_tests, chosen = on_both("segment", "handshakes")

TCP4, UFO, TCP6, USO, WITH_ECN = 1, 3, 4, 5, 0x80  # of struct virtio_net_hdr


def left_to_card(frame: bytes, at: int, place: int, v6: bool, protocol: int) -> Packet:
    """The frame with the sum of the pseudo-header in place of the checksum of the message at `at`."""
    made = bytearray(frame)
    message = len(frame) - at
    seed = pseudo("IPv6" if v6 else "IPv4", message) - 17 + protocol
    made[at + place : at + place + 2] = struct.pack("!H", seed % 0xFFFF or 0xFFFF)
    return Packet(bytes(made), len(made), 0, 1)


def cases() -> list[tuple[Packet, int, int, int, dict[str, bool]]]:
    """A super-frame, the kind that the kernel is told, where its message begins, the size, and what we are told beside that."""
    found = []
    data = bytes(i * 11 % 253 for i in range(30_001))
    for name in ("IPv4", "IPv6", "VLAN, QinQ", "options", "extension"):
        v6 = name in ("IPv6", "extension")
        _, around, head, _, _ = AROUND[name]
        for flags, size in ((ACK | PSH | FIN, 1448), (ACK | CWR | ECE | URG | 0x100, 1000), (ACK | PSH | SYN, 9999)):
            frame = mended(around(segment(data[: 5 * size], flags, STAMPS, 77 if flags & URG else 0))).frame
            kind = (TCP6 if v6 else TCP4) | (WITH_ECN if flags & CWR else 0)
            found.append((left_to_card(frame, head, 16, v6, 6), kind, head, size, {}))
    exact = mended(AROUND["IPv4"][1](segment(data[:3000]))).frame  # the last one is full, too
    found.append((left_to_card(exact, 34, 16, False, 6), TCP4, 34, 1000, {}))
    for name, (around, head, _) in UDP_AROUND.items():
        if name != "GRE":
            frame = mended(around(over_udp(9, data[:12_345], checksum=0xFFFF))).frame
            found.append((left_to_card(frame, head, 6, name == "IPv6", 17), USO, head, 1234, {}))
    frame = bytearray(found[-2][0].frame)
    frame[20] = 0x40  # Don't Fragment
    frame = bytearray(mended(bytes(frame)).frame)
    found.append((left_to_card(bytes(frame), 34, 6, False, 17), UFO, 34, 1232, {"apart": True}))
    return found


def hand_over(lab, interface: str, given: list[tuple[Packet, int, int, int]]) -> None:
    """Lets the kernel cut packets: the kind, where the message begins, and the size of each."""
    handed = []
    for packet, kind, head, size in given:
        of_tcp = kind & 0x7F in (TCP4, TCP6)
        front = struct.pack("=BBHHHH", 1, kind, head + (32 if of_tcp else 8), size, head, 16 if of_tcp else 6)
        handed.append(front + packet.frame)
    lab.inject("a", handed, interface, to_be_cut=True)


def test_the_kernel_cuts_alike(lab):
    """1 to 6, 8."""
    for host in ("a", "b"):
        lab.must(host, "ip link set eth0 mtu 12000 && ethtool -K eth0 tx off tso off gso off")
    given = cases()
    ours = [cut(packet, size=size, **more).frames for packet, _, _, size, more in given]
    judge = lab.watch("b", sum(map(len, ours)))
    hand_over(lab, "eth0", [case[:4] for case in given])
    code, out, _ = finish(judge, timeout=20)
    assert code == 0
    theirs = iter(frames_of(out))
    for (_, kind, head, size, _), pieces in zip(given, ours, strict=True):
        for i, piece in enumerate(pieces):
            tag = 4 * (piece[12:14] in (b"\x81\0", b"\x88\xa8"))  # the outermost one is put beside the frame when it comes
            assert piece[:12] + piece[12 + tag :] == next(theirs), f"kind {kind}, message at {head}, size {size}: piece {i}"


@pytest.mark.parametrize("sums", ["udpcsum", "noudpcsum"])
def test_the_kernel_cuts_alike_in_vxlan(lab, sums):
    """7: outer and inner IDs, lengths and sums; the outer headers are those of the first piece."""
    lab.must("a", "ethtool -K eth0 tx off tso off gso off")
    made = lab.run("a", f"ip link add vx type vxlan id 42 remote 10.0.0.2 local 10.0.0.1 dstport 4789 dev eth0 {sums} && "
                        "ip link set vx up && ethtool -K vx tx off tso off gso off")  # fmt: skip
    if made.returncode:
        pytest.skip(f"the kernel has no VXLAN: {made.stderr.decode().strip()}")
    inner = mended(AROUND["IPv4"][1](segment(bytes(i % 251 for i in range(9_000)), ACK | PSH))).frame
    judge = lab.watch("b", 9)
    hand_over(lab, "vx", [(left_to_card(inner, 34, 16, False, 6), TCP4, 34, 1000)])
    theirs = frames_of(finish(judge, timeout=20)[1])
    front = bytearray(theirs[0][:50])
    front[16:18] = struct.pack("!H", 36 + len(inner))
    front[38:40] = struct.pack("!H", 16 + len(inner))
    assert cut(mended(bytes(front) + inner), size=1000).frames == theirs
