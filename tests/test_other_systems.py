"""Commands where there is no Linux, as far as Linux can show it: without what other systems have not, by libpcap.

What really differs there (libpcap itself, its numbers, structures in memory) is not shown by this.
"""

import signal
import sys

import pytest
from conftest import ROOT, shell
from netns import finish, frame, frames_of, pcap
from netns import lab as _lab
from waits import until

from pkttools.errors import PktError
from pkttools.libpcap.system import library

lab = _lab

# Runs a command as on another system: its name, then the command's own and its arguments. libpcap stays that of Linux.
OTHER = ROOT / "tests" / "support" / "other_system.py"
SYSTEMS = ["darwin", "freebsd14", "win32"]
each_system = pytest.mark.parametrize("system", SYSTEMS)


@pytest.fixture
def there(lab):
    """A host where libpcap captures."""
    try:
        library()
    except PktError as error:
        pytest.skip(str(error))
    return lab


def words(system: str, command: str) -> str:
    """The words that run a command there."""
    return f"{sys.executable} {OTHER} {system} {command}"


@each_system
@pytest.mark.parametrize("codec", ["", "python"])
def test_files_and_pipes(system, codec, tmp_path):
    sent = pcap([frame(i, 60 + i % 1000) for i in range(3000)])
    (tmp_path / "in").write_bytes(sent)
    pipe = " | ".join(words(system, command) for command in (
        f"pkt-pcap2txt --in {tmp_path}/in", "pkt-change ETHERNET.TYPE=7", "pkt-filter ETHERNET", "pkt-change ETHERNET.TYPE=0x88b5",
        f"pkt-txt2pcap --out {tmp_path}/out",
    ))  # fmt: skip
    done = shell(pipe, backend=codec)
    assert (done.returncode, done.stderr) == (0, b"")
    assert (tmp_path / "out").read_bytes() == sent
    again = shell(words(system, "pkt-pipe 'change IP.TTL=9 | correct'"), sent)
    assert (again.returncode, again.stdout) == (0, sent)
    assert again.stderr == b"pkt-pipe: change: IP.TTL=9 met no packet with that field, of 3000\n"


@each_system
@pytest.mark.parametrize(("target", "count"), [("", 300), ("--out {}/out", 3000)], ids=["pipe", "file"])
def test_capture_is_by_libpcap(there, system, target, count, tmp_path):
    # Few into a pipe: libpcap's immediate mode, which is meant for other systems, has little room on Linux.
    tmp_path.chmod(0o777)
    capture = there.capture("a", words(system, f"pkt-recv -i eth0 -F pcap {target.format(tmp_path)}"))
    sent = [frame(i, 60 + i % 1400, tags=bytes.fromhex("8100602a")) for i in range(count)]
    there.inject("b", sent)
    code, out, err = finish(capture, signal.SIGINT)
    assert (code, err) == (0, [f"pkt-recv: eth0: {count} packets received, 0 dropped by the kernel"])
    assert frames_of(out or (tmp_path / "out").read_bytes()) == sent


@each_system
def test_sending_is_by_libpcap(there, system):
    watch = there.watch("b", 20)
    sent = [frame(i, source="a") for i in range(20)]
    done = there.run("a", words(system, "pkt-send -i eth0"), pcap(sent, 0.01))
    assert done.returncode == 0
    assert b"20 attempted = 20 sent + 0 failed" in done.stderr
    assert frames_of(finish(watch)[1]) == sent


@each_system
def test_a_signal_stops_a_paced_sender(there, system):
    sender = there.start("a", "exec " + words(system, "pkt-send -i eth0 --pps 0.01 --in <(cat)"), stdin=-1)
    sender.stdin.write(pcap([frame(i, source="a") for i in range(5)]))
    sender.stdin.close()
    sender.stdin = None
    until(lambda: there.counters("b")["rx"] >= 1, "first frame")
    code, _, err = finish(sender, signal.SIGINT)
    assert (code, err[0]) == (1, "pkt-send: stopped by a signal: the rest was not attempted")


@each_system
def test_list_is_of_libpcap(there, system):
    done = there.run("a", words(system, "pkt-recv -D"))
    assert (done.returncode, done.stderr) == (0, b"")
    assert {b"eth0", b"any", b"lo"} <= {line.split()[0] for line in done.stdout.splitlines()}


@each_system
def test_usage(system):
    done = shell(words(system, "pkt-recv --nonsense"))
    assert done.returncode == 2
    done = shell(words(system, "pkt-recv -i lo -l 1 lo"))
    assert done.returncode == 2
    assert done.stderr.decode().splitlines()[0].endswith("to receive from an interface: -i lo")


@each_system
@pytest.mark.parametrize(
    "command", ["pkt-xdp -i nothing", "pkt-send -i nothing --xdp", "pkt-switch run nothing", "pkt-pipe 'xdp -i nothing | correct'"]
)
def test_what_only_linux_has(system, command):
    """One line, and nothing is done: on no interface, as there is none of that name."""
    done = shell(words(system, f"{command} < /dev/null"))
    assert done.returncode in (1, 2)
    assert "Linux" in done.stderr.decode().splitlines()[0]
    assert b"No module" not in done.stderr
