"""No size that is computed from input wraps around where a size_t has 32 bits; and memory has a bound whatever is asked for."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from c_tables import in_c
from conftest import ROOT
from peak import peak
from samples import ethernet, frames, ipv4, ipv6, udp
from sections import enhanced

WARNINGS = ["-Wall", "-Wextra", "-Werror"]
FLAGS = ["-std=c11", "-DPKTTOOLS_ASSERT", "-O1", "-g", *WARNINGS, "-fsanitize=undefined", "-fno-sanitize-recover=all"]
LARGEST = 0xFFFFFFFF
LENGTHS = (0, 1, 59, 60, 61, 0x7FFFFFFF, 0x80000000, LARGEST - 3, LARGEST)


def build(folder: Path, bits: int) -> Path | None:
    """The driver for so many bits; None where this compiler has no libraries for them."""
    sources = sorted((ROOT / "pkttools/codec/c").glob("*.c"))
    program = folder / f"sizes{bits}"
    (folder / "tables.h").write_text("\n".join(in_c()))
    probe = folder / "probe.c"
    probe.write_text('#include <stdio.h>\nint main(void) { return puts("") < 0; }\n')
    for flags, files in ((["-fsanitize=undefined"], [probe]), (FLAGS, [ROOT / "tests/sizes.c", *sources])):
        built = subprocess.run(
            ["gcc", f"-m{bits}", *flags, f"-I{ROOT / 'pkttools/codec/c'}", f"-I{folder}", *map(str, files), "-o", str(program)],
            capture_output=True, check=False,
        )  # fmt: skip
        if built.returncode and files == [probe]:
            return None
        assert built.returncode == 0, built.stderr.decode()
    return program


def jumbogram(length: int) -> bytes:
    """An IPv6 packet whose jumbo payload option says `length` (RFC 2675), with UDP in it."""
    option = struct.pack(">BBBBI", 17, 0, 0xC2, 4, length)
    head = struct.pack(">IHBB", 0x60000000, 0, 0, 64) + bytes(15) + b"\1" + bytes(15) + b"\2"
    return bytes(12) + b"\x86\xdd" + head + option + udp(b"data")


def inputs() -> bytes:
    """Frames and captures, as sizes.c reads them."""
    large = [
        ethernet(0x0800, ipv4(17, udp(bytes(65_000)))),
        bytes(262_144),
        ethernet(0x86DD, ipv6(17, bytes(60_000)) + bytes(202_000)),
    ]
    packets = [(1, frame) for frame in (*map(jumbogram, LENGTHS), *large)] + frames()
    out = b""
    for linktype, frame in packets:
        for original in (len(frame), 0, 0x7FFFFFFF, LARGEST):
            out += b"f" + struct.pack("=III", len(frame), linktype, original) + frame
    for size in LENGTHS:
        record = struct.pack("<IIII", 1, 2, size, size) + bytes(70)
        out += b"p" + struct.pack("=III", len(record), 0, 0) + record
        for resolution in (0, 6, 9, 19, 20, 29, 127, 0x80, 0x8A, 0xBF, 0xC0, 0xFF):
            raw = enhanced(bytes(60), ticks=size << 32 | size)
            for at in (4, 20, 24):  # the block's length, captured, original
                damaged = raw[:at] + struct.pack("<I", size) + raw[at + 4 :]
                out += b"n" + struct.pack("=III", len(damaged), resolution, 0) + damaged
    return out


def test_sizes_are_the_same_with_32_bits(tmp_path):
    if not shutil.which("gcc"):
        pytest.skip("gcc is missing")
    programs = [build(tmp_path, bits) for bits in (64, 32)]
    if None in programs:
        pytest.skip("gcc -m32 does not work here (apt-get install gcc-multilib)")
    data = inputs()
    wide, narrow = (subprocess.run([program], input=data, capture_output=True, check=False) for program in programs)
    assert (wide.returncode, wide.stderr) == (0, b"")
    assert (narrow.returncode, narrow.stderr) == (0, b"")
    for one, other in zip(wide.stdout.splitlines(), narrow.stdout.splitlines(), strict=True):
        assert one == other
    assert b"too small" not in wide.stdout
    assert b"window 400 200\n" in wide.stdout
    grown = [line for line in wide.stdout.splitlines() if line.startswith(b"grown")]
    assert grown == [b"grown 1 0 1"] * 6 + [b"grown 1 1 1"]


@pytest.mark.parametrize("words", ["-n 262144", "-n 10000", "-n 1", "-do -n 262144", "-a -n 262144", "-F pcap", "-F pcapng"])
def test_memory_has_a_bound(tmp_path, monkeypatch, backend, words):
    raw = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, 1)
    frame = ethernet(0x0800, ipv4(17, udp(b"data")))
    raw += b"".join(
        struct.pack("<IIII", i, 0, len(frame), len(frame)) + frame for i in range(4000 if "262144" not in words else 400)
    )
    path = tmp_path / "small.pcap"
    path.write_bytes(raw)
    monkeypatch.setenv("PKTTOOLS_CODEC", backend)
    assert peak([ROOT / "bin/pkt-pcap2txt", *words.split(), "--in", path, "--out", os.devnull]) < 90_000 << 10
