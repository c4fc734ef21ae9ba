"""Every command over frames that nobody sends: no traceback, no crash, no hang, nothing lost, both codecs the same.

python -m tests.fuzz.commands [--frames N] [--seconds N] [--seed TEXT] [--round N] [--batch N] [--codecs c,python]
                              [--only TEXT] [--again FILE] [--folder DIR] [--captures DIR]

A round is a file of frames made by frames.py, text, pcap or pcapng in turns. Mostly pkt-correct mends their checksums, or lengths
too, before all commands read them: what is wrong elsewhere is not to end at a checksum. The same seed gives the same rounds;
without one it is the time, and said in the end.
A finding is written to DIR, in as few frames as show it, and printed with its command; --again tries it once more. Exit code 1 when
there is one.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import random
import re
import resource
import shlex
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from hashlib import sha1
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent.parent
MEMORY = 256 << 20  # bytes that a command may take beyond what the interpreter has mapped already
CPU = {"c": 20, "python": 120}  # seconds of a command over a file
SHRINK = 30  # seconds in which a finding is made smaller
PAUSE = 300  # seconds after which one that waits is taken to wait for ever

# Commands that pass every packet that they read, and write text.
KEEPING = [
    "pkt-txt2txt", "pkt-txt2txt -a", "pkt-txt2txt -aa -n 7", "pkt-txt2txt -aa --decimal", "pkt-txt2txt -do -n 40", "pkt-pcapng2txt",
    "pkt-correct", "pkt-correct -L",
    "pkt-change --swap -u --if 'IP or IPV6'",
    "pkt-change -u IP.SRC_ADDR=203.0.113.7 IPV6.SRC_ADDR=2001:db8::7 IP.TTL-=1 IPV6.HOP_LIMIT-=1",
    "pkt-change -u UDP.DST_PORT[-1]+=1 TCP.SEQ_NUMBER+=0xfffffff0 TCP.DATA=616263 UDP.DATA=00 IP.DSCP=3 IPV6.FLOWID=7",
    "pkt-change ETHERNET.TYPE=0x86dd ETHERNET.VLAN_ID[-1]=4095 IP.HEADER_SIZE=24 IPV6.NEXT_HEADER=44 IPV6.EXT_SIZE=16 IP.TOS=4",
    "pkt-change -u --unwrap IPV6.DST_ADDR+=0xffff ICMPV6.DATA=7 GRE.FLAGS=0x8000 VXLAN.VNI+=1 SCTP.TAG=9 PKTAP.LENGTH+=14",
    "pkt-cut --strip-fcs --strip-trailer --bytes 20..22 --bytes -3..-1", "pkt-cut --pad --fix-length 99 --snap 90",
    "pkt-cut --fix-length 47 --add-fcs --if 'not ESP'",
    "pkt-change --payload other --follow-tcp --if 'not GRE'",
    "pkt-change --replace 's/[\\0-\\x1f]+/xyz/' --layer IP UDP.DATA=00112233 --grow",
    "pkt-change -u --to-ethernet IP.TTL-=1", "pkt-fragment -fm 65535 -fc", "pkt-change -lt 101 -u IP.TTL=9 -aa",
    "pkt-segment --size 262144",
    "pkt-map --map 0.0.0.0/0=198.51.100.0/24 --map ::/1=2001:db8::/32 --map src:192.0.2.0/30=10.0.0.0/8 --port 0-99=9 --vlan 1=77",
    "pkt-map --anonymise --key-file tests/data/anonymise.key --leave none --wipe",
    "pkt-map --mac 02/8=06/8 --map 192.0.2.0/24=203.0.113.0/24 --if 'not ARP' --keep -aa",
    "pkt-map --random --seed 5 --nptv6 2001:db8::/32=fd00:1::/48", "pkt-map --endpoints 10.0.0.1:10.0.0.2 --sides port",
    "pkt-merge --unsorted keep",
    "pkt-sort --by -IP.SRC_ADDR,UDP.DATA,TCP.OPT_KIND,NOTE,TIME",
    "pkt-time --scale 1/3 --shift 3.5s --least-gap 1us --if 'IP or IPV6' IP.TTL=9",
    "pkt-impair --delay 9ms --jitter 9ms --corrupt 1/3 --seed 7",
    "pkt-wrap VLAN VLAN.ID=5", "pkt-wrap vxlan", "pkt-wrap gre --src 2001:db8::1 GRE.KEY=1", "pkt-wrap --at IP[2] MPLS",
    "pkt-wrap snap",
    "pkt-unwrap --ecn keep --all VLAN", "pkt-unwrap --ecn keep ipip",
    "pkt-pipe 'change --swap -u | change --to-ethernet | correct -L | change -u IP.TTL=1' -F text",
]  # fmt: skip
# The others. What does not begin with pkt- is below: parts of commands that need an interface.
OTHERS = [
    "pkt-check", "pkt-check -cs", "pkt-check -cs -rc -F pcapng", "pkt-check -cs --list",
    "pkt-expect 'ICMP.TYPE==0 and IP.TTL==64' '0..: any IP.ADDR==192.0.2.1 and UDP'", "pkt-expect --ordered --tap ICMP.TYPE==8 IP",
    "pkt-analyze -lv 1", "pkt-analyze -lv 2", "pkt-analyze",
    "pkt-analyze -lv 4 -x", "pkt-analyze -lv 5 -ll 3", "pkt-analyze -lv 0 -lh 2",
    "pkt-analyze --tree", "pkt-analyze --explain -l 200", "pkt-analyze --diagram", "pkt-analyze --diagram --svg -",
    "pkt-analyze --ladder", "pkt-analyze --ladder --svg -", "pkt-analyze --html - -l 200",
    "pkt-stat", "pkt-stat --top 0 --json", "pkt-stat --by IFACE,NOTE[-1],UDP.DST_PORT[-1],TCP.DATA,HTTP.URI --memory 9000 --top 0",
    "pkt-analyze --json", "pkt-analyze --fields IP.SRC_ADDR,IP.TTL[2],TCP.OPT_KIND,UDP.DATA,TIME_UTC -F csv", "pkt-json2txt -aa",
    "pkt-dedupe --window 9", "pkt-dedupe --within 1s --ignore routing,checksums --only-doubles --memory 3000 -F pcapng",
    "pkt-fragment -fm 60 -fc", "pkt-fragment -fm 76 -F pcapng", "pkt-defragment", "pkt-defragment --memory 3000 -aa",
    "pkt-segment --size 9", "pkt-segment --mtu 70 --ids same --udp fragments -F pcapng", "pkt-segment --size 30 --keep --if TCP",
    "pkt-segment --merge", "pkt-pipe 'segment --size 5 | segment --merge-udp'",
    "pkt-pipe 'fragment -fm 100 -fc | defragment | correct | check -cs'",
    "pkt-pipe 'defragment | correct -L | fragment -fm 68 -fc | pingrep' -F text",
    "pkt-unwrap ETHERNET", "pkt-unwrap gre", "pkt-unwrap vxlan", "pkt-pipe 'wrap geneve | unwrap geneve | unwrap MPLS'",
    "pkt-answer examples/answers/web.rules", "pkt-answer examples/answers/dns.rules",
    "pkt-pingrep", "pkt-pingrep --addr 192.0.2.0/24,2001:db8::/32 -F pcapng",
    "pkt-filter 'not IP.TTL==1 and (UDP.DST_PORT in 53,1-9 or IPV6.SRC_ADDR==2001:db8::/33 or TCP.SYN==1 or VLAN or IP.DATA>61)'",
    "pkt-filter -r -nb -nm 'ETHERNET.TYPE[2]==0x800 or UNKNOWN.DATA or IPV6.EXT_SIZE[-1]!=16 or GRE or SCTP.TAG>1 or ICMP.TYPE<8'",
    "pkt-filter 'any IP.ADDR!=10.0.0.0/8 and SIZE>=CAPTURED or any TCP.OPT_KIND in 2..4 or TCP.FLAGS & SA == S or IP.ID<IP.TTL'",
    """pkt-filter 'NUMBER & 1 and not UDP.DATA contains "a" or any UDP.DATA matches "[a-f]" or PORT!=domain or TIME<2026-11-01'""",
    "pkt-change -u --seed 1 IP.ID=1..9 IP.TTL=IP.TOS[-1] IPV6.DST_ADDR=random UDP.DATA=TCP.DATA ETHERNET.TYPE=IP.ID --if 'not ARP'",
    "pkt-filter --numbers 1-3,5,9- --every 2 --sample 70% --seed 3 --from 1 --until +9d 'IP or not IP'",
    "pkt-filter --sorted --from +1ms --until +9d 'IP or not IP'",
    "pkt-filter --bpf 'icmp or (ip and not vlan) or ip6 protochain 17 or greater 200' -F pcapng",
    "pkt-filter --bpf 'tcp[tcpflags] & tcp-syn != 0 or udp port 53 or arp'",
    "pkt-pcap2txt -s 3 -l 20", "pkt-txt2pcap", "pkt-txt2pcap -be --nano -lt 1", "pkt-txt2pcapng",
    "pkt-txt2pcapng -be --nano IP.TTL=9", "pkt-txt2bin", "pkt-bin2txt -do", "pkt-send --dry-run --speed 10",
    "pkt-send --dry-run IP", "pkt-gen check",
    "pkt-gen raw --seed 7", "pkt-gen raw --count 300 --seed 7 --raw-checksums IP.ID=random IP.TTL=1..9",
    "pkt-sort --memory 2097152 -F pcapng",
    "pkt-time --sort-window 1ms --start 2026-11-01T10:00Z -F pcapng",
    "pkt-impair --loss-bursts 9%,30%,90%,1% --duplicate 9% --seed 7",
    "pkt-impair --loss-states 9%,30%,9% --seed 7",
    "pkt-diff --ignore routing - examples/ping.txt", "pkt-diff -u --align - examples/ping.txt",
    "pkt-hex2txt -aa", *(f"pkt-code --as {name}" for name in ("scapy", "c", "nemesis", "hping3", "packetdrill")),
    "switch", "finish",
]  # fmt: skip
COMMANDS = KEEPING + OTHERS
TROUBLE = ("pkt-gen raw", "pkt-diff")  # end with 2 where the first frame lacks a field, and, as diff, where a file is malformed


# ---- a process for each codec, which forks commands: a hundred times faster than starting them ----


class Outcome(NamedTuple):
    """What a command did: its exit code, minus a signal; what it wrote, and said."""

    code: int
    out: bytes
    said: str


class Worker:
    """A process that runs commands on one codec."""

    def __init__(self, backend: str, folder: Path) -> None:
        self.backend, self.out, self.err = backend, folder / f"{backend}.out", folder / f"{backend}.err"
        env = {**os.environ, "PKTTOOLS_CODEC": backend, "PKTTOOLS_DEBUG": "1", "TZ": "UTC", "PYTHONHASHSEED": "0"}
        words = [sys.executable, "-m", "tests.fuzz.commands", "--worker"]
        self.process = subprocess.Popen(words, cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def begin(self, command: str, path: Path) -> None:
        """Starts a command that reads a file."""
        print(json.dumps([shlex.split(command), str(path), str(self.out), str(self.err)]), file=self.process.stdin, flush=True)

    def end(self) -> Outcome:
        """Waits for it."""
        code = int(self.process.stdout.readline())
        return Outcome(code, self.out.read_bytes(), self.err.read_text(errors="replace"))

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def serve() -> None:
    """Runs what standard input asks for, until it ends."""
    prepare()
    for line in sys.stdin:
        words, *paths = json.loads(line)
        pid = os.fork()
        if not pid:
            os._exit(child(words, *paths))
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


def child(words: list[str], source: str, out: str, err: str) -> int:
    """A command, from its command line to its exit code, under limits."""
    written = os.O_RDWR | os.O_CREAT | os.O_TRUNC
    for fd, path, mode in ((0, source, os.O_RDONLY), (1, out, written), (2, err, written)):
        os.dup2(os.open(path, mode, 0o600), fd)
    os.closerange(3, 64)
    backend = os.environ["PKTTOOLS_CODEC"]
    mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_CPU, (CPU[backend], CPU[backend] + 1))
    resource.setrlimit(resource.RLIMIT_AS, (mapped + MEMORY, mapped + MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.alarm(PAUSE)
    time.time_ns = lambda: 1_700_000_000_000_000_000  # of packets without TIME, in files that were damaged
    sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w")
    from pkttools import main
    from pkttools.errors import PktError

    try:
        run = {"switch": switch, "finish": finish}.get(words[0])
        code = run() if run else main.guarded(words[0], words[1:])
    except PktError as error:  # of ours, which nobody else catches
        print(f"pkt-{words[0]}: {error}", file=sys.stderr)
        code = 1
    except BaseException:
        traceback.print_exc()
        code = 1
    for stream in (sys.stdout, sys.stderr):
        if stream:
            stream.flush()
    return code


def prepare() -> None:
    """Imports here what every process would import again."""
    from pkttools import codec

    assert os.environ["PKTTOOLS_CODEC"] == codec.BACKEND
    import pkttools

    for path in Path(pkttools.__file__).parent.rglob("*.py"):
        parts = path.relative_to(Path(pkttools.__file__).parent.parent).with_suffix("").parts
        if not {"python", "sockets", "lab", "xdp", "dask"}.intersection(parts):
            import_module(".".join(parts).removesuffix(".__init__"))
    codec.walk(bytearray(), bytes(56))  # in Python, what walks and the tables
    gc.collect()
    gc.freeze()


def batches() -> object:
    """The packets of standard input."""
    from pkttools.formats import packets
    from pkttools.formats.files import Input

    return packets(Input())


def switch() -> int:
    """Frames through pkt-switch from port to port, as if there were interfaces; some leave a checksum to the card."""
    from pkttools.batch import CAPTURED, COLUMNS, OFFSET, gathered
    from pkttools.errors import PktError
    from pkttools.formats.files import Output
    from pkttools.language.filters import Filter
    from pkttools.switch.bridge import Bridge
    from pkttools.switch.change import Change
    from pkttools.switch.dump import Dump
    from pkttools.switch.ports import VIRTIO, Port

    class End(Port):
        """A port that nothing is behind."""

        fd = -1

        def send(self, data: bytearray, rows: bytearray) -> None:
            self.sent += len(rows) // 56

        def close(self) -> None:
            pass

    bridge = Bridge(print, age=300, room=20)
    bridge.now = 0
    bridge.keep, bridge.dump = Filter(["not UDP.DST_PORT==54"]), Dump(Output(None, None))
    bridge.change = Change("IP.TTL-=1 IPV6.HOP_LIMIT-=1 IP.SRC_ADDR+=1 IPV6.DST_ADDR+=1 UDP.SRC_PORT=7", True)
    for i in range(3):
        port = End(f"p{i}")
        port.number = i
        bridge.ports.append(port)
    bridge.numbers = bytes(range(3))
    found, broken = [], None
    try:
        for batch in batches():
            found += map(batch.packet, range(len(batch)))
    except PktError as error:
        broken = error
    for first in range(0, len(found), 7):
        for i, packet in enumerate(found[first : first + 7], first):
            packet.frame = VIRTIO.pack(i % 4 == 0, 0, 0, 0, i * 7 % 80, i % 23) + packet.frame
        batch = gathered(found[first : first + 7])
        columns = batch.columns()
        for at in range(0, len(columns), COLUMNS):
            columns[at + OFFSET] += VIRTIO.size
            columns[at + CAPTURED] -= VIRTIO.size
        bridge.forward(bridge.ports[first % 3], batch)
    said = [*bridge.close(), *bridge.dump.close()]
    for line in said:
        print(f"pkt-switch: {line}", file=sys.stderr)
    if broken:
        raise broken
    return int(bridge.dump.failed)


def finish() -> int:
    """What pkt-recv does about checksums that the kernel left to the card."""
    from pkttools import codec

    for batch in batches():
        print(codec.correct(batch.data, bytes(batch.rows), codec.TRANSPORT))
        for i in range(len(batch)):
            print(bytes(batch.frame(i)).hex())
    return 0


# ---- rounds ----


def judge(command: str, got: dict[str, Outcome], count: int | None) -> str | None:
    """What is wrong with outcomes; None: nothing. count: the packets that were read, None where that is not known."""
    for backend, (code, out, said) in got.items():
        if "Traceback" in said:
            trace = said[said.index("Traceback") :].splitlines()
            places = [line.strip() for line in trace if line.strip().startswith("File ")]
            return f"{backend}: {trace[-1][:200]} ({places[-1] if places else ''})"
        if code not in (0, 1, 2) or (code == 2 and not command.startswith(TROUBLE)):
            return f"{backend}: exit code {code}: {said[-300:]}"
        lines = said.splitlines()
        if code and not lines and not out:
            return f"{backend}: exit code 1 and no word"
        if any(not line.startswith(("pkt-", "Try ")) for line in lines) or "internal error" in said or "out of memory" in said:
            return f"{backend}: said {said[-300:]!r}"
        passed = out.count(b"\n==\n")
        if count is not None and command in KEEPING and (code or passed != count):
            return f"{backend}: {passed} of {count} packets, exit code {code}: {said[-300:]!r}"
    first, *others = got.values()
    if any(other.code != first.code for other in others):
        return f"exit codes differ: {[outcome.code for outcome in got.values()]}"
    if any(other.said != first.said for other in others):
        return "codecs say different things: " + " / ".join(outcome.said[-200:] for outcome in got.values())
    if any(other.out != first.out for other in others):
        return "codecs write different things"
    return None


class Loop:
    """The rounds. What it finds is in `found`, by what is wrong."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        from tests.fuzz.frames import seeds

        self.arguments = arguments
        self.folder = Path(arguments.folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.place = Path(tempfile.mkdtemp(prefix="fuzz-", dir=self.folder))
        self.workers = [Worker(backend, self.place) for backend in arguments.codecs.split(",")]
        self.groups = seeds(Path(arguments.captures))
        self.commands = [command for command in COMMANDS if arguments.only in command]
        self.found: set[str] = set()
        self.frames = self.runs = 0
        self.codes: dict[str, set[int]] = {command: set() for command in self.commands}

    def outcomes(self, command: str, path: Path) -> dict[str, Outcome]:
        """What a command does with a file, on each codec."""
        for worker in self.workers:
            worker.begin(command, path)
        return {worker.backend: worker.end() for worker in self.workers}

    def round(self, number: int) -> None:
        """Frames, made and mended, and every command over them."""
        from tests.fuzz import frames

        rng = random.Random(f"{self.arguments.seed}/{number}")
        form = ("pcapng", "text", "pcap")[number % 3]
        linktype = rng.choice((1, 1, 1, *frames.LINKTYPES)) if form == "pcap" else None
        made = frames.Maker(self.groups, f"{self.arguments.seed}/{number}").frames(self.arguments.batch, linktype)
        mending = ("pkt-correct", "pkt-correct -L", "pkt-correct", "pkt-correct -L", "")[number % 5]
        if mending:
            made = self.mended(made, mending)
        write = getattr(frames, form)
        spoil = rng.randrange(10) == 0
        raw = frames.spoiled(write(made), rng) if spoil else write(made)
        path = self.place / f"input.{form}"
        path.write_bytes(raw)
        for command in self.commands:
            got = self.outcomes(command, path)
            self.codes[command].update(outcome.code for outcome in got.values())
            self.runs += 1
            wrong = judge(command, got, None if spoil else len(made))
            if wrong:
                self.find(command, wrong, form, raw if spoil else self.fewest(command, made, wrong, write, path))
                path.write_bytes(raw)
        self.frames += len(made)

    def mended(self, made: list, command: str) -> list:
        """The frames with their checksums right, as far as pkt-correct sees any."""
        from tests.fuzz import frames
        from tests.support.sections import records

        path = self.place / "made"
        path.write_bytes(frames.pcapng(made))
        self.workers[0].begin(f"{command} -F pcapng --nano", path)
        got = records(self.workers[0].end().out)
        if len(got) != len(made):
            self.find(command, f"{len(got)} of {len(made)} packets", "pcapng", path.read_bytes())
            return made
        return [frame._replace(data=record.data) for frame, record in zip(made, got, strict=True)]

    def fewest(self, command: str, made: list, wrong: str, write: Callable[[list], bytes], path: Path) -> bytes:
        """The file with as few frames as show what is wrong, or something like it."""
        left, step = list(made), len(made)
        if self.key(command, wrong) in self.found:
            return b""
        end = time.monotonic() + SHRINK
        while step >= 1 and time.monotonic() < end:
            step = min(step, len(left))
            at = 0
            while at < len(left) and time.monotonic() < end:
                fewer = left[:at] + left[at + step :]
                if fewer:
                    path.write_bytes(write(fewer))
                    if judge(command, self.outcomes(command, path), len(fewer)):
                        left = fewer
                        continue
                at += step
            step //= 2
        return write(left)

    @staticmethod
    def key(command: str, wrong: str) -> str:
        """What findings have in common that are the same one."""
        return wrong[wrong.index("(File ") :] if "(File " in wrong else f"{command}: {re.sub('[0-9]+', '0', wrong)[:40]}"

    def find(self, command: str, wrong: str, form: str, raw: bytes) -> None:
        """Keeps a finding, unless one like it is there."""
        key = self.key(command, wrong)
        if key in self.found:
            return
        path = self.folder / f"finding-{sha1(raw).hexdigest()[:12]}.{form}"
        path.write_bytes(raw)
        print(f"finding: {wrong}\n  {command} < {path}", flush=True)
        self.found.add(key)

    def again(self, path: Path) -> int:
        """The commands over a file that was found; gives the exit code."""
        wrong = [(command, judge(command, self.outcomes(command, path), None)) for command in self.commands]
        for command, what in wrong:
            if what:
                print(f"{command}: {what}")
        return int(any(what for _, what in wrong))

    def close(self) -> None:
        for worker in self.workers:
            worker.close()
        for path in self.place.iterdir():
            path.unlink()
        self.place.rmdir()


def codecs() -> str:
    """The codecs that are there."""
    try:
        import_module("pkttools.codec._c")
    except ImportError:
        return "python"
    return "c,python"


def main(words: list[str]) -> int:
    """Runs rounds; gives the exit code."""
    parser = argparse.ArgumentParser(prog="tests.fuzz.commands")
    parser.add_argument("--frames", type=int, default=1 << 62)
    parser.add_argument("--seconds", type=float, default=1e9)
    parser.add_argument("--seed", default=str(int(time.time())))
    parser.add_argument("--round", type=int, default=0)
    parser.add_argument("--batch", type=int, default=500)
    parser.add_argument("--codecs", default=codecs())
    parser.add_argument("--only", default="")
    parser.add_argument("--again", default="")
    parser.add_argument("--folder", default=str(ROOT / "build" / "fuzz"))
    parser.add_argument("--captures", default=str(Path(os.environ.get("PKTTOOLS_SHARED", ROOT.parent / "shared")) / "captures"))
    arguments = parser.parse_args(words)
    began = last = time.monotonic()
    loop = Loop(arguments)
    number = arguments.round
    try:
        if arguments.again:
            return loop.again(Path(arguments.again))
        while loop.frames < arguments.frames and time.monotonic() - began < arguments.seconds:
            loop.round(number)
            number += 1
            if time.monotonic() - last > 60:
                last = time.monotonic()
                print(f"round {number}: {loop.frames} frames, {loop.runs} runs in {last - began:.0f} s", flush=True)
    finally:
        loop.close()
    rounds, found = f"rounds {arguments.round} to {number - 1} of seed {arguments.seed}", len(loop.found)
    print(
        f"{loop.frames} frames through {len(loop.commands)} commands on {arguments.codecs}: {rounds}, {loop.runs} runs in "
        f"{time.monotonic() - began:.0f} s, {found or 'no'} finding{'s' if found > 1 else ''}"
    )
    return int(bool(loop.found))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        serve()
    else:
        sys.exit(main(sys.argv[1:]))
