"""What a test in a shell asks of packets: --fail-empty, --fail-if, and pkt-check with --quiet and --list."""

from __future__ import annotations

import json

import pytest
from conftest import ROOT, shell
from samples import ethernet, frames, icmp, ipv4, ipv6, row_of, tags, udp

from pkttools import codec
from pkttools.batch import Batch
from pkttools.codec import ALL, CORRECTED, LEFT, MALFORMED, OBSCURE, TRUNCATED
from pkttools.views.problems import examined
from pkttools.views.unsound import wrong_places

PING, TUNNEL = (ROOT / "examples" / name for name in ("ping.txt", "tunnel.txt"))


def ended(command: str, path=PING, **more: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a pipe that reads an example."""
    done = shell(command, path.read_bytes(), **more)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        ("pkt-filter --fail-empty ICMP", 0, ""),
        ("pkt-filter --fail-empty UDP", 1, "pkt-filter: --fail-empty: no packet passed, of 2\n"),
        ("pkt-txt2pcap --fail-empty -s 2", 1, "pkt-txt2pcap: --fail-empty: no packet passed, of 2\n"),
        ("pkt-correct --fail-empty --fail-if UDP", 0, ""),
        ("pkt-filter -r ICMP --fail-if 'IP.TTL>0'", 0, ""),
        ("pkt-filter ICMP --fail-if ICMP.TYPE==0", 1, "pkt-filter: --fail-if: 1 of 2 packets match 'ICMP.TYPE==0': number 2\n"),
        ("pkt-filter ICMP --fail-if NUMBER==2", 1, "pkt-filter: --fail-if: 1 of 2 packets match 'NUMBER==2': number 2\n"),
        ("pkt-change IP.TTL=1 --fail-if IP.TTL==1 --fail-if IP.TTL!=1", 1,
         "pkt-change: --fail-if: 2 of 2 packets match 'IP.TTL==1': the first is number 1\n"),
        ("pkt-txt2txt --fail-if IP.TLL==1", 2, "pkt-txt2txt: no field 'IP.TLL': did you mean IP.TTL?\nTry 'pkt-txt2txt --help'.\n"),
        ("pkt-pipe 'filter ICMP | filter UDP --fail-empty'", 1,
         "pkt-pipe: filter: stage 2: --fail-empty: no packet passed, of 2\n"),
        ("pkt-pipe 'filter UDP --fail-empty | filter UDP' -F text", 1,
         "pkt-pipe: filter: stage 1: --fail-empty: no packet passed, of 2\n"),
        ("pkt-pipe 'change ICMP.TYPE=8 --fail-if ICMP.TYPE==0 | filter --fail-if ICMP.TYPE==8 -s 1 IP'", 1,
         "pkt-pipe: filter: stage 2: --fail-if: 1 of 1 packet match 'ICMP.TYPE==8': number 1\n"),
        ("pkt-check --quiet -cs", 0, ""),
        ("pkt-check --quiet -cs --fail-empty", 0, ""),
        ("pkt-check --list -cs --fail-empty", 0, ""),
        ("pkt-check --list --fail-if ICMP.TYPE==0", 1, "pkt-check: --fail-if: 1 of 2 packets match 'ICMP.TYPE==0': number 2\n"),
        ("pkt-check --quiet --fail-if ICMP.TYPE==0", 1, "pkt-check: --fail-if: 1 of 2 packets match 'ICMP.TYPE==0': number 2\n"),
        ("pkt-check --list --fail-empty UDP", 1, "pkt-check: --fail-empty: no packet passed, of 2\n"),
        ("pkt-change -u IP.CHECKSUM=1 | pkt-check -cs --list --fail-empty --fail-if ICMP >&2", 1,
         "<stdin>:1: 2023-11-14T22:13:20.250131000Z: IP.CHECKSUM is wrong: 0x0001, and should be 0x7c54\n"
         "<stdin>:2: 2023-11-14T22:13:20.250394000Z: IP.CHECKSUM is wrong: 0x0001, and should be 0x64df\n"
         "pkt-check: 2 packets not valid: 2 with a wrong checksum\npkt-check: --fail-empty: no packet passed, of 2\n"),
        ("pkt-check --list -rc", 2,
         "pkt-check: -rc says which packets are written: --quiet and --list write none\nTry 'pkt-check --help'.\n"),
        ("pkt-check -q --list", 2, "pkt-check: --quiet and --list: one of them\nTry 'pkt-check --help'.\n"),
        ("pkt-check -q --out x", 2, "pkt-check: --out is for packets: --quiet and --list write none\nTry 'pkt-check --help'.\n"),
        ("pkt-check --list IP.TTL=2", 2, "pkt-check: an assignment is for packets that are written: --quiet and --list write none\n"
                                         "Try 'pkt-check --help'.\n"),
        ("pkt-pipe 'check -q | correct'", 2, "pkt-pipe: check: has to be the last command of the pipe\nTry 'pkt-pipe --help'.\n"),
    ],
)  # fmt: skip
def test_exit_code_and_what_is_said(command, code, said):
    done = shell(command, PING.read_bytes())
    assert (done.returncode, done.stderr.decode()) == (code, said)


def test_all_packets_are_written_although_one_matched():
    plain = ended("pkt-correct")
    assert ended("pkt-correct --fail-if ICMP")[:2] == (1, plain[1])


def test_facts_for_programs():
    """Of commands that give an account to programs."""
    code, _, err = ended("pkt-send --dry-run --report json --fail-if ICMP.TYPE==0")
    facts = [account for account in json.loads(err)["accounts"] if "fail_if" in account]
    assert (code, facts) == (1, [{"fail_if": "ICMP.TYPE==0", "matched": 1, "first": 2}])


def test_which_packet_and_which_field(tmp_path):
    """File, number in it, interface, time; the field by which filters find it; and what pkt-correct makes of it."""
    broken = tmp_path / "broken.txt"
    broken.write_text(ended("pkt-change -u IP.TTL=1 | pkt-change --if ICMP.TYPE==0 IP.CHECKSUM=0x1234")[1])
    (tmp_path / "tunnel.txt").write_text(ended("pkt-change 'IP.SRC_ADDR[2]=192.0.2.99' 'IP.TTL[2]=1'", TUNNEL)[1])
    code, out, err = ended(f"cd {tmp_path}; pkt-check -cs --list 'ICMP.TYPE==0 or UDP' --in broken.txt --in tunnel.txt")
    lines = out.splitlines()
    assert code == 1
    assert lines[0] == "broken.txt:2: 2023-11-14T22:13:20.250394000Z: IP.CHECKSUM is wrong: 0x1234, and should be 0xa3df"
    assert {line.partition(" ")[0] for line in lines[1:]} == {"tunnel.txt:1:", "tunnel.txt:2:"}
    assert any(": IP.CHECKSUM[2] is wrong: 0x" in line for line in lines[1:])
    assert "not valid" in err


def test_where_it_was_captured():
    text = ended("pkt-change IP.TOTAL_SIZE=9999")[1].replace("\n==", "\nIFACE: eth7\n==")
    done = shell("pkt-pipe 'change IP.TTL=9 | check --list -l 1'", text.encode())
    assert done.returncode == 1
    assert done.stdout.decode() == (
        "packet 1: eth7 2023-11-14T22:13:20.250131000Z: IP.TOTAL_SIZE is wrong: it says 9999 bytes, and there are 84\n"
    )


def lines_of(frame: bytes, linktype: int = 1, original: int | None = None, checksums: bool = True) -> list[str]:
    """What is said of a frame that is a batch alone."""
    return list(wrong_places(examined(Batch(bytearray(frame), bytearray(row_of(frame, linktype, original))), 0), checksums))


def test_a_line_for_each_packet_that_is_not_sound():
    """Whatever makes it so."""
    for linktype, frame in frames():
        mended = bytearray(frame)
        codec.correct(mended, row_of(frame, linktype), ALL)
        for data in {bytes(frame), bytes(mended), bytes(mended[: len(mended) // 2])}:
            for original in (len(data), len(data) + 1):
                outcome = codec.check(bytearray(data), row_of(data, linktype, original))[0]
                found = lines_of(data, linktype, original)
                if outcome == TRUNCATED:
                    assert f"{len(data)} of {original} bytes were captured" in found[0]
                elif outcome not in (CORRECTED, OBSCURE):
                    assert found, (linktype, outcome, data.hex())
                if outcome == MALFORMED:
                    assert lines_of(data, linktype, original, checksums=False), data.hex()


def test_several_things_are_several_lines():
    frame = bytearray(ethernet(0x8100, tags([0x8100], 0x0800, ipv4(17, udp()))))
    found = lines_of(frame)
    assert [line.partition(":")[0] for line in found] == ["IP.CHECKSUM is wrong"]  # UDP says 0: it has none
    frame[18 + 20 + 4 : 18 + 20 + 6] = b"\0\x63"
    assert [line.partition(":")[0] for line in lines_of(frame)] == ["IP.CHECKSUM is wrong", "UDP.SIZE is wrong"]
    assert [line.partition(":")[0] for line in lines_of(frame, checksums=False)] == ["UDP.SIZE is wrong"]


def test_what_a_card_was_to_finish_is_named():
    inner = ipv6(58, icmp(128))
    frame = bytearray(ethernet(0x86DD, inner))
    total = sum(int.from_bytes(inner[at : at + 2], "big") for at in range(8, 40, 2)) + len(inner) - 40 + 58
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    frame[14 + 40 + 2 : 14 + 40 + 4] = total.to_bytes(2, "big")
    verdicts = codec.verify(frame, row_of(frame))
    assert LEFT in verdicts
    assert len(lines_of(frame)) == 1
