"""pkt-pipe: what several processes would make of it, made by one."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
from conftest import ROOT, shell
from hypothesis import given
from hypothesis import strategies as st
from netns import MAC, Lab, finish, frame, frames_of, opened
from netns import labs as _labs
from waits import until

from pkttools.commands import pipe, read
from pkttools.commands.pipe import split
from pkttools.errors import UsageError

labs = _labs
EXAMPLES = {path.stem: path.read_bytes() for path in sorted((ROOT / "examples").glob("*.txt"))}
ALL = b"".join(data for name, data in EXAMPLES.items() if name != "pktap")  # a pcap file has one link type
CUT = ALL.replace(b"SIZE: 98/98", b"SIZE: 60/98")  # packets that cannot be mended
PIPES = [
    "correct",
    "change --icmp-type 8 | correct",
    "filter 'ICMP or UDP' | change IP.TTL-=1 | correct",
    "change --swap -u IP.TTL=9 | check -cs -v | txt2txt",
    "change IP.TTL=9 | check -cs | correct",
    "check -rc -cs | correct -L",
    "fragment -fm 60 -fc | defragment -v | change UDP.DST_PORT=5353 | correct | fragment -fm 60",
    "fragment -fm 60 -fc | filter IP.OFFSET==0 | defragment | correct",
    "fragment -fm 60 -fc IP.TTL=3 | defragment -l 3 | fragment -fm 60 -fc | defragment",
    "pingrep --addr 192.0.2.0/24 | change --to-ethernet --icmp-type 8 | correct -v",
    "txt2txt -s 1 -l 4 | correct -l 2 IP.TTL=3 | filter -s 1 IP",
    "txt2txt -l 2 | txt2txt -v -s 1 | txt2txt -v -l 7",
    "filter -l 1 'IP.TTL==1' | correct",
    "change -nb -nm -lt 101 IP.TTL=1 | change -lt 1 'UDP.DST_PORT+=1' | correct",
    "change ICMP | correct",
    "pcap2txt | change --ip-ttl 3 | correct",
    "txt2pcap | txt2pcapng | pcapng2txt | txt2txt -r ICMP",
]
CUT_OFF = "defragment -l 3 |"  # ends before what is read does: what comes later is not looked at
each_pipe = pytest.mark.parametrize("pipe", PIPES)
each_pipe_to_the_end = pytest.mark.parametrize("pipe", [pipe for pipe in PIPES if CUT_OFF not in pipe])


def text_as(form: str, data: bytes) -> bytes:
    """Packet text in a format."""
    return data if form == "text" else shell(f"pkt-txt2txt -F {form} --nano", data).stdout


def one_by_one(pipe: str, data: bytes, backend: str) -> tuple[bytes, list[str], int]:
    """What the commands do as processes of their own, each when the one before has ended: output, messages, worst code."""
    said, worst = [], 0
    for words in split(pipe):
        done = shell(shlex.join([f"pkt-{words[0]}", *words[1:]]), data, backend=backend)
        data, worst = done.stdout, max(worst, done.returncode)
        said += [line.removeprefix("pkt-") for line in done.stderr.decode().splitlines()]
    return data, said, worst


def as_pipe(pipe: str, data: bytes, backend: str, options: str = "") -> tuple[bytes, list[str], int]:
    """The same from pkt-pipe."""
    done = shell(f"pkt-pipe {options} {shlex.quote(pipe)}", data, backend=backend)
    assert all(line.startswith("pkt-pipe: ") for line in done.stderr.decode().splitlines())
    return done.stdout, [line.removeprefix("pkt-pipe: ") for line in done.stderr.decode().splitlines()], done.returncode


# ---- as processes would ----


@each_pipe
@pytest.mark.parametrize("form", ["text", "pcap", "pcapng"])
def test_same_as_processes(pipe, form, backend):
    """Output, messages in the order of the pipe, and exit code."""
    data = text_as(form, ALL)
    written = "text" if pipe.endswith(("txt2txt", "txt2txt -r ICMP", "txt2txt -v -l 7")) else form
    each = f" -F {form} |" if written == "pcapng" else " |"  # what interfaces are goes along from pcapng to pcapng
    assert as_pipe(pipe, data, backend) == one_by_one(f"{pipe.replace(' |', each)} -F {written}", data, backend)


@each_pipe_to_the_end
def test_accounts_of_what_could_not_be_done(pipe, backend):
    out, said, code = as_pipe(pipe, CUT, backend, "-v")
    wanted = one_by_one(" | ".join(f"{words} -v" for words in pipe.split("|")), CUT, backend)
    assert (out, said, code) == wanted
    assert len(said) >= pipe.count("|") + 1


@each_pipe_to_the_end
def test_input_that_breaks_off(pipe, backend):
    """What came before goes all the way, and what stages keep back too; then the reason, then the accounts."""
    data = CUT + b"-- 99 --\n1g\n"
    out, said, code = as_pipe(pipe, data, backend)
    wanted = one_by_one(pipe, data, backend)
    if wanted[2] == 0:  # a limit was reached before the bad place
        assert (out, said, code) == wanted
        return
    first = split(pipe)[0][0]
    said = [f"{first}: {line}" if line.startswith("<stdin>") else line for line in said]
    assert (out, said, code) == wanted
    assert "bad hex digit '1g'" in said[0]


@pytest.mark.parametrize("last", ["analyze -lv 2", "txt2bin", "txt2pcap -be", "txt2pcapng", "correct -F pcapng", "send --dry-run",
                                  "txt2txt -aa", "check -n 8", "pcap2txt"])  # fmt: skip
@pytest.mark.parametrize("form", ["text", "pcap"])
def test_what_the_last_one_says_is_written(last, form, backend):
    data, pipe = text_as(form, ALL), f"change IP.TTL=8 | correct | {last}"
    assert as_pipe(pipe, data, backend) == one_by_one(pipe, data, backend)


def test_one_command_writes_what_it_says(backend):
    pipe = "analyze --fields NUMBER,IP.TTL -F csv"
    assert as_pipe(pipe, ALL, backend) == one_by_one(pipe, ALL, backend)


def test_bytes_come_in(backend):
    data = shell("pkt-txt2bin -l 1", ALL).stdout
    out, said, code = as_pipe("bin2txt | txt2bin", data, backend)
    assert (out, said, code) == (data, [], 0)


def test_the_issues_line(tmp_path, backend):
    (tmp_path / "in.pcap").write_bytes(text_as("pcap", ALL))
    done = shell(f"cd '{tmp_path}' && pkt-pipe 'change --icmp-type 8 | correct' < in.pcap > out.pcap", backend=backend)
    assert (done.returncode, done.stderr) == (0, b"")
    real = "pkt-pcap2txt | pkt-change --icmp-type 8 | pkt-correct | pkt-txt2pcap"
    assert (tmp_path / "out.pcap").read_bytes() == shell(real, (tmp_path / "in.pcap").read_bytes(), backend=backend).stdout


def test_options_of_the_pipe_are_those_of_its_ends(tmp_path):
    (tmp_path / "in").write_bytes(ALL)
    done = shell(f"cd '{tmp_path}' && pkt-pipe --in in --out out -F pcap 'pkt-change IP.TTL=8 | pkt-correct'")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert (tmp_path / "out").read_bytes() == shell("pkt-change IP.TTL=8 | pkt-correct -F pcap", ALL).stdout
    done = shell(f"cd '{tmp_path}' && pkt-pipe 'change --in in IP.TTL=8 | correct --out out2 -F pcap'")
    assert (tmp_path / "out2").read_bytes() == (tmp_path / "out").read_bytes()
    done = shell(f"cd '{tmp_path}' && pkt-pipe --in in --out in correct")
    assert (done.returncode, done.stderr) == (1, b"pkt-pipe: in: input and output are the same file\n")


def test_nothing_comes_in(backend):
    assert as_pipe("change IP.TTL=8 | correct", b"", backend) == (b"", [], 0)
    assert as_pipe("change IP.TTL=8 | txt2pcap", b"", backend)[0] == shell("pkt-txt2pcap").stdout


def test_a_limit_ends_what_is_before_it(backend):
    """Input without an end; what a later stage keeps back is not lost."""
    pipe = "fragment -fm 60 -fc | filter IP.OFFSET==0 | txt2txt -l 3 | defragment | correct"
    endless = f"while cat '{ROOT}/examples/dns.txt' 2> /dev/null; do :; done | pkt-pipe '{pipe}'"
    done = shell(f"set +o pipefail; {endless}", backend=backend)
    assert done.stdout.count(b"\n==\n") == 3
    assert done.returncode == 0
    assert "defragment: 3 fragments passed as they came" in done.stderr.decode()


def test_a_full_disk_is_said_with_the_accounts():
    done = shell("pkt-pipe 'change IP.TTL=9 | correct' > /dev/full", CUT)
    assert done.returncode == 1
    lines = done.stderr.decode().splitlines()
    assert lines[0] == "pkt-pipe: <stdout>: No space left on device"
    assert lines[1].startswith("pkt-pipe: correct: ")


def test_only_the_modules_of_its_commands_are_imported():
    program = """
import sys
from collections.abc import Iterator
from pkttools.main import guarded
guarded("pkt-pipe", ["change IP.TTL=9 | correct"])
print(*sys.modules, file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", program], stdin=subprocess.DEVNULL, capture_output=True, cwd=ROOT, check=True)
    imported = set(done.stderr.decode().split())
    found = {name.removeprefix("pkttools.commands.") for name in imported if name.startswith("pkttools.commands.")}
    assert found == {"pipe", "change", "correct"}
    assert not imported & {"typer", "dpkt", "re", "shlex", "socket", "threading"}


# ---- what is no pipe ----


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", "the pipe is one argument, such as 'change IP.TTL=9 | correct'"),
        ("correct correct", "the pipe is one argument, such as 'change IP.TTL=9 | correct'"),
        ("correct README.md", "the pipe is one argument, such as 'change IP.TTL=9 | correct'; to read a file: --in README.md"),
        ("''", "a command is missing: each | stands between two"),
        ("'correct | '", "a command is missing: each | stands between two"),
        ("'correct || correct'", "a command is missing: each | stands between two"),
        ("'filter \"IP'", 'a quote stays open: "'),
        ("'filter IP\\'", "nothing stands behind the last backslash"),
        ("'sock recv - 1'", "sock runs only as a process of its own"),
        ("'correct | pkt-sock send 127.0.0.1 9'", "sock runs only as a process of its own"),
        ("'pipe correct'", "pipe runs only as a process of its own"),
        ("'correct | recv -i x'", "recv: has to be the first command of the pipe"),
        ("'correct | bin2txt'", "bin2txt: has to be the first command of the pipe"),
        ("'send -i x | correct'", "send: has to be the last command of the pipe"),
        ("'analyze | correct'", "analyze: has to be the last command of the pipe"),
        ("'txt2bin | correct'", "txt2bin: has to be the last command of the pipe"),
        ("'correct | check --in x | correct'", "check: --in is for the first command of the pipe"),
        ("'correct | send -i x --loop 2'", "send: --loop is for pkt-send alone: a pipe reads once"),
        ("'correct --out x | check'", "correct: --out is for the last command of the pipe"),
        ("'recv -i x -F pcap | check'", "recv: --format is for the last command of the pipe"),
        ("'correct --nano | check'", "correct: --nano is for the last command of the pipe"),
        ("'correct -n 8 | check'", "correct: --width is for the last command of the pipe"),
        ("'correct -a | check'", "correct: --fields is for the last command of the pipe"),
        ("'correct -aa | check'", "correct: --all-fields is for the last command of the pipe"),
        ("'correct -do | check'", "correct: --data-only is for the last command of the pipe"),
        ("'txt2pcap -be | check'", "txt2pcap: --big-endian is for the last command of the pipe"),
        ("'correct --help'", "correct: --help is for pkt-correct alone"),
        ("'correct -k'", "correct: --keys is for pkt-correct alone"),
        ("'correct --version | check'", "correct: --version is for pkt-correct alone"),
        ("'change --icmp-typ 8 | correct'", "change: no option '--icmp-typ': did you mean --icmp-type?"),
        ("'change IP.TTL=999 | correct'", "change: IP.TTL: 999 does not fit: at most 255"),
        ("-F pcap 'correct | send -i x'", "send: no option '-F'"),
        ("--in x 'recv -i x'", "recv: no option '--in'"),
    ],
)
def test_errors_name_the_command(words, said):
    done = shell(f"pkt-pipe {words}", ALL)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode().splitlines()[0].startswith(f"pkt-pipe: {said}")


def test_a_command_that_does_not_exist():
    done = shell("pkt-pipe 'correct | corect'", ALL)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode().startswith("pkt-pipe: corect: no such command; there are pkt-analyze, ")


# ---- words ----


@given(st.text(alphabet="ab'\"\\ \t\n$", max_size=12))
def test_words_are_those_of_the_shell(text):
    try:
        wanted = shlex.split(text)
    except ValueError:
        wanted = []
    try:
        assert split(text) == [wanted]
    except UsageError:
        assert not wanted


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("a|b", [["a"], ["b"]]),
        ("a b|c 'd | e'\\|f | \"g|\"h", [["a", "b"], ["c", "d | e|f"], ["g|h"]]),
        ("a ''|b", [["a", ""], ["b"]]),
        ("recv -i a |\n correct", [["recv", "-i", "a"], ["correct"]]),
    ],
)
def test_bars_outside_of_quotes_part_commands(text, lines):
    assert split(text) == lines


# ---- live ----


MAC_C = "02:00:00:00:00:0c"
# Host "c" behind "b", on the same network as "a"; "b" knows nothing of how to get from one to the other.
THIRD_HOST = ["wire b:eth1 c 10.0.0.3/24", f"mac c:eth0 {MAC_C}", f"neighbour c:eth0 10.0.0.1 {MAC['a']}",
              f"neighbour a:eth0 10.0.0.3 {MAC_C}"]  # fmt: skip


@pytest.fixture
def three(backend: str) -> Iterator[Lab]:
    """Three hosts in a row, once a codec."""
    yield from opened(backend, THIRD_HOST)


def test_a_router(three):
    """Between two interfaces in one process each way: the hosts' kernels judge the checksums."""
    ways = [
        three.capture("b", f"exec pkt-pipe 'recv -i {one} -ro | change IP.TTL-=1 | correct | send -i {other} -f'")
        for one, other in (("eth0", "eth1"), ("eth1", "eth0"))
    ]
    said = three.must("a", "ping -c 3 -i 0.1 10.0.0.3").decode()
    assert said.count("ttl=63") == 3
    for process, one, other in zip(ways, ("eth0", "eth1"), ("eth1", "eth0"), strict=True):
        code, out, err = finish(process, signal.SIGINT)
        assert (code, out) == (0, b"")
        assert err[0] == f"pkt-pipe: recv: {one}: 3 packets received, 0 dropped by the kernel"
        assert err[1].startswith(f"pkt-pipe: send: {other}: 3 attempted = 3 sent + 0 failed")
        assert len(err) == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_receiving_and_nothing_else(labs, number):
    """While the end of the pipe waits for its next packet's time: all of them are still sent."""
    watch = labs.watch("b", 8)
    pipe = labs.capture("a", "exec pkt-pipe 'recv -i eth0 -ro | change ETHERNET.TYPE=0x88b6 | send -i eth0 --pps 8'")
    before = labs.counters("a")["tx"]
    labs.inject("b", [frame(i) for i in range(8)])
    until(lambda: labs.counters("a")["tx"] >= before + 2, "second packet")
    code, _, err = finish(pipe, number)
    assert (code, err[0]) == (0, "pkt-pipe: recv: eth0: 8 packets received, 0 dropped by the kernel")
    assert err[1].startswith("pkt-pipe: send: eth0: 8 attempted = 8 sent + 0 failed")
    code, out, _ = finish(watch)
    assert frames_of(out) == [data[:12] + b"\x88\xb6" + data[14:] for data in map(frame, range(8))]


def test_a_second_signal_ends_the_sending(labs):
    pipe = labs.capture("a", "exec pkt-pipe 'recv -i eth0 -ro | send -i eth0 --pps 1'")
    before = labs.counters("a")["tx"]
    labs.inject("b", [frame(i) for i in range(9)])
    until(lambda: labs.counters("a")["tx"] > before, "first packet")
    pipe.send_signal(signal.SIGINT)
    until(lambda: labs.counters("a")["tx"] > before + 1, "second packet")
    code, _, err = finish(pipe, signal.SIGINT)
    assert code == 1
    assert err[0] == "pkt-pipe: stopped by a signal: the rest was not attempted"
    assert err[1].startswith("pkt-pipe: recv: eth0: ")
    assert err[2].startswith("pkt-pipe: send: eth0: ")


def test_a_limit_ends_the_receiving(labs):
    pipe = labs.capture("a", "exec pkt-pipe 'recv -i eth0 -ro | txt2txt -l 3 | change ETHERNET.TYPE=0x88b6 | txt2pcap'")
    labs.inject("b", [frame(i) for i in range(5)])
    code, out, err = finish(pipe)
    assert code == 0
    assert len(frames_of(out)) == 3
    assert err[0].startswith("pkt-pipe: recv: eth0: ")


def test_received_packets_are_text_at_once(labs):
    pipe = labs.capture("a", "exec pkt-pipe 'recv -i eth0 -v -ro | correct'")
    labs.inject("b", [frame(0)])
    line = b""
    while not line.startswith(b"=="):
        line = pipe.stdout.readline()
        assert line
    code, _, err = finish(pipe, signal.SIGINT)
    assert code == 0
    assert "pkt-pipe: recv: eth0: 1 packet received, 0 dropped by the kernel" in err


def test_sigterm_without_an_interface_ends_it_by_the_signal():
    """As every filter; what stages keep back is written before."""
    env = {**os.environ, "PATH": f"{ROOT / 'bin'}:{os.environ['PATH']}"}
    pieces = shell("pkt-fragment -fm 60 -fc | pkt-filter IP.OFFSET==0", EXAMPLES["ping"]).stdout
    pipe = ["pkt-pipe", "txt2txt | defragment | correct"]
    process = subprocess.Popen(pipe, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env)
    process.stdin.write(EXAMPLES["dns"] + pieces)
    process.stdin.flush()
    out = os.read(process.stdout.fileno(), 1)
    process.terminate()
    rest, err = process.communicate(timeout=10)
    out += rest
    assert (process.returncode, err) == (-signal.SIGTERM, b"")
    assert out.count(b"\n==") == (EXAMPLES["dns"] + pieces).count(b"\n==")


@pytest.mark.parametrize(
    ("words", "awaited", "form"),
    [
        (["recv -i lo | correct | send -i lo"], True, None),
        (["--out", "new.txt", "recv -i lo | correct"], False, "text"),
        (["--out", "/dev/null", "recv -i lo | correct"], True, None),
        (["-F", "pcapng", "--out", "/dev/null", "recv -i lo | correct"], True, "pcapng"),
        (["--out", "/dev/null", "recv -i lo | txt2pcapng"], True, "pcapng"),
    ],
)
def test_what_receives_knows_the_end_of_the_pipe(words, awaited, form):
    values = read(pipe, words)
    first, *_ = pipe.joined(values, *values.arguments)
    assert (first.values.awaited, first.values.format) == (awaited, form)


@pytest.mark.parametrize("stage", ["correct", "change --unwrap --if IP IP.TTL=5", "defragment -s 0 ICMP", "fragment"])
def test_many_stages(stage):
    many = " | ".join([stage] * 500)
    done = shell(f"pkt-pipe '{many}'", EXAMPLES["ping"])
    assert (done.returncode, done.stdout.count(b"==\n"), b"internal error" in done.stderr) == (0, 2, False)


def test_too_many_stages():
    done = shell(f"pkt-pipe '{' | '.join(['correct'] * 501)}'", EXAMPLES["ping"])
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.startswith(b"pkt-pipe: 501 commands: a pipe has at most 500\n")


def test_each_command_chooses_by_its_own_condition(backend):
    """What the first --if has said of a batch means nothing to the second."""
    for name in ("tunnel", "dns", "ping", "vlan-tcp"):
        pipe = "change --to-ethernet --if UDP IP.TTL=1 | change --if TCP IP.TTL=2 | change --if ICMP IP.TTL=3"
        alone = shell(" | ".join(f"pkt-{part}" for part in pipe.split(" | ")), EXAMPLES[name], backend=backend)
        assert shell(f"pkt-pipe '{pipe}'", EXAMPLES[name], backend=backend).stdout == alone.stdout != EXAMPLES[name]
