"""What tests of BPF share."""

from __future__ import annotations

import pytest
from netns import Lab

from pkttools.bpf.assembler import R0, assemble, leave, mov
from pkttools.errors import PktError
from pkttools.live.linux.bpf import XDP_PASS, XdpProgram


def need_bpf() -> None:
    """Skips the test where the kernel takes no XDP program from us."""
    try:
        XdpProgram(assemble([mov(R0, XDP_PASS), leave()]), "test").close()
    except PktError as error:
        pytest.skip(f"no BPF here: {error}")


def need_xdp(lab: Lab) -> None:
    """Skips the test where commands in the laboratory cannot attach one."""
    if lab.rootless:
        pytest.skip("XDP is for root alone")
    need_bpf()


def attached(lab: Lab, host: str = "a", interface: str = "eth0") -> bool:
    """Whether an interface has an XDP program."""
    return b"prog/xdp" in lab.must(host, f"ip link show {interface}")
