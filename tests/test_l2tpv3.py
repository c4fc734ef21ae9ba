"""L2TPv3: cookie and sublayer are what both sides agreed on; --decode says them, of a session."""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
from collections import Counter

import pytest
from conftest import shell
from samples import ethernet, ipv4, ipv6, over_udp, udp

SESSION = b"\0\0\x12\x34"
COOKIES = {"": (b"", "None"), "COOKIE4": (b"abcd", "4 Byte Cookie"), "COOKIE8": (b"abcdefgh", "8 Byte Cookie")}
SUBLAYERS = {"": (b"", "None"), "SUBLAYER": (b"\x40\0\0\7", "Default L2-Specific")}
KINDS = [(cookie, sublayer) for cookie in COOKIES for sublayer in SUBLAYERS]
FRAME = ethernet(0x0800, ipv4(17, over_udp(9, b"in a wire", 1024, 0x1234)))


def carriers(data: bytes) -> list[tuple[int, bytes]]:
    """Over IPv4 and IPv6, in UDP and not, and behind a tag."""
    alone, within = SESSION + data, b"\0\3\0\0" + SESSION + data
    four = [ipv4(115, alone), ipv4(17, over_udp(1701, within))]
    six = [ipv6(115, alone), ipv6(17, over_udp(50000, within, 1701))]
    return [*((101, one) for one in [*four, *six]), (1, ethernet(0x8100, b"\0\7\x08\0" + four[0]))]


def text(packets: list[tuple[int, bytes]]) -> bytes:
    return "".join(f"LINKTYPE: {link}\n-- 1 --\n000000: {frame.hex(' ')}\n==\n" for link, frame in packets).encode()


def wrapped(cookie: str, sublayer: str) -> tuple[bytes, str]:
    """A frame behind them, and how --decode calls what is in front of it."""
    name = "_".join(filter(None, ("L2TPV3", cookie, sublayer)))
    return COOKIES[cookie][0] + SUBLAYERS[sublayer][0] + FRAME, name if cookie or sublayer else "ETHERNET"


@pytest.mark.parametrize(("cookie", "sublayer"), KINDS)
def test_sessions_of_l2tpv3(backend, cookie, sublayer):
    """Fields are found, and what is inside is corrected; nothing is left to be told."""
    data, name = wrapped(cookie, sublayer)
    packets = carriers(data)
    done = shell(f"pkt-correct --decode L2TPV3.SESSION==0x1234={name} -aa", text(packets), backend=backend)
    assert done.stderr == b""
    shown = Counter(re.findall(r"^([A-Z0-9_]+\.[A-Z0-9_]+):\t+(\S+)$", done.stdout.decode(), re.M))
    assert shown["UDP.DST_PORT", "0x9"] == len(packets)
    assert shown["UDP.CHECKSUM", "0xff05"] == len(packets)
    assert shown["L2TPV3.COOKIE4", "0x61626364"] == len(packets) * (cookie == "COOKIE4")
    assert shown["L2TPV3.COOKIE8", "0x6162636465666768"] == len(packets) * (cookie == "COOKIE8")
    assert shown["L2TPV3.NUMBER", "0x7"] == len(packets) * bool(sublayer)
    again = shell(f"pkt-check -cs --decode L2TPV3.SESSION==0x1234={name}", done.stdout, backend=backend)
    assert again.stdout.count(b"==\n") == len(packets)


def test_other_sessions_are_not_followed(backend):
    data, name = wrapped("COOKIE4", "")
    done = shell(f"pkt-correct --decode L2TPV3.SESSION==7={name}", text(carriers(data)), backend=backend)
    assert done.stderr == b"pkt-correct: 5 packets with headers that are not followed: 5 L2TPv3\n"


def test_conversations_in_other_sessions_are_others(backend):
    """A session that --decode names is asked for by the walk, and tells networks apart nevertheless."""
    packets = [*carriers(FRAME), *((link, one.replace(SESSION, b"\0\0\x12\x35")) for link, one in carriers(FRAME))]
    decode = "--decode L2TPV3.SESSION==0x1234=ETHERNET --decode L2TPV3.SESSION==0x1235=ETHERNET"
    done = shell(f"pkt-stat --show conversations {decode}", text(packets), backend=backend)
    assert (done.returncode, done.stderr) == (0, b"")
    assert Counter(re.findall(r"L2TPV3 SESSION (\d+)", done.stdout.decode())) == {"4660": 5, "4661": 5}  # one of each way


def test_a_session_that_carries_something_else(backend, tmp_path):
    """A user's own description may say it, too: here of a cookie, and IP."""
    path = tmp_path / "wire.protocol"
    path.write_text("protocol WIRE\nis tunnel\nafter l2tpsession 0x1234\nfield COOKIE 32\ndata\nnext version behind 4\n")
    packets = carriers(b"abcd" + ipv4(17, udp()))
    wanted = "WIRE.COOKIE==0x61626364 and IP.SRC_ADDR[-1]==192.0.2.1"
    done = shell(f"pkt-filter --protocols {path} '{wanted}'", text(packets), backend=backend)
    assert (done.stdout.count(b"==\n"), done.stderr) == (5, b"")


@pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is not installed")
@pytest.mark.parametrize(("cookie", "sublayer"), KINDS)
def test_tshark_finds_the_same(cookie, sublayer):
    """Told of it in its own way."""
    data, name = wrapped(cookie, sublayer)
    capture = shell(f"pkt-correct --decode L2TPV3.SESSION==0x1234={name} -F pcap", text(carriers(data)[:2])).stdout
    told = ["-o", f"l2tp.cookie_size:{COOKIES[cookie][1]}", "-o", f"l2tp.l2_specific:{SUBLAYERS[sublayer][1]}"]
    fields = [
        word for field in ("l2tp.sid", "l2tp.cookie", "eth.src", "udp.dstport", "udp.checksum.status") for word in ("-e", field)
    ]
    words = [
        "tshark",
        "-n",
        "-r",
        "-",
        "-T",
        "fields",
        "-o",
        "udp.check_checksum:TRUE",
        "-d",
        "l2tp.pw_type==0,eth",
        *told,
        *fields,
    ]
    done = subprocess.run(words, input=capture, capture_output=True, timeout=60, check=True)
    rows = [line.split("\t") for line in done.stdout.decode().splitlines()]
    number = struct.unpack("!I", SESSION)[0]
    for row in rows:
        assert int(row[0], 0) == number
        assert row[1] == COOKIES[cookie][0].hex()
        assert row[2] == "02:00:00:00:00:01"
        assert row[3].split(",")[-1] == "9"
        assert "0" not in row[4].split(",")
    assert len(rows) == 2
