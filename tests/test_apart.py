"""Which commands can work on parts of a stream, each by itself: a fact of each, by which --jobs, --each and pkttools.dask go."""

from __future__ import annotations

from conftest import ROOT

from pkttools.commands import commands, find, read
from pkttools.errors import PktError, UsageError

# A command line of each that can; all others keep state.
APART = {
    "analyze": "", "bin2txt": "", "change": "IP.TTL=9", "check": "", "code": "", "correct": "", "cut": "--snap 60", "filter": "IP",
    "hex2txt": "", "json2txt": "", "map": "--map 10.0.0.0/8=192.0.2.0/24", "pcap2txt": "", "pcapng2txt": "", "pingrep": "",
    "txt2bin": "", "txt2pcap": "", "txt2pcapng": "", "txt2txt": "", "unwrap": "VLAN",
}  # fmt: skip
NEEDED = {"answer": str(ROOT / "examples/rules.txt"), "diff": "a", "expect": "a", "time": "--shift 1s", "wrap": "VLAN=5"}
STATE, COUNTED, NUMBER = "it keeps state from packet to packet", "-s and -l count packets", "NUMBER counts packets"
ALONE = {
    "change -l 3 IP.TTL=9": COUNTED, "filter -s 3 IP": COUNTED,
    "change IP.ID=1..9": "what it assigns goes on from packet to packet",
    "change IP.ID=random": "what it assigns goes on from packet to packet",
    "filter NUMBER>3": NUMBER, "change --if NUMBER>3 IP.TTL=9": NUMBER, "filter --fail-if NUMBER>3 IP": NUMBER,
    "filter --every 2": STATE, "filter --numbers 1-9": STATE, "filter --from +1s": STATE, "filter --from 2020-01-01": "",
    "change --follow-tcp --payload a": STATE, "map --endpoints 10.0.0.1:10.0.0.2": STATE, "map --random ip": STATE,
    "check --list": STATE,
}  # fmt: skip


def alone(line: str) -> str:
    """Why the stage of a command line works alone."""
    name, *words = line.split()
    command = find(f"pkt-{name}")
    stage = command.stage(read(command, words))
    assert stage.adds_up or stage.alone, f"what {name} counts apart is lost"
    return stage.alone


def test_of_every_command() -> None:
    reasons = {}
    for name in commands():
        short = name.removeprefix("pkt-")
        if hasattr(find(name), "stage"):
            try:
                reasons[short] = alone(f"{short} {APART.get(short) or NEEDED.get(short, '')}")
            except (UsageError, PktError):
                assert short not in APART  # it wants an interface, or more files
    assert {name for name, reason in reasons.items() if not reason} == APART.keys()
    assert {*reasons.values()} == {"", STATE}
    assert len(reasons) > len(APART) + 8


def test_of_what_is_asked_of_it() -> None:
    assert {line: alone(line) for line in ALONE} == ALONE
