"""Runs a command as if it were this process: signals reach it, and its end is ours."""

from __future__ import annotations

import os
import select
import signal
import sys
from pathlib import Path

from ..command_line.signals import die
from ..errors import say
from ..live.linux.namespaces import end_with_parent, fork
from .build import SYSTEM

PASSED_ON = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGWINCH}
DEADLY = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE}  # of which we die as the command did; others leave a core
KEYS = {signal.SIGINT, signal.SIGQUIT, signal.SIGWINCH}  # what a terminal tells all processes in front
SI_USER = 0  # asm-generic/siginfo.h: sent by kill(2); what the kernel sends is above
NOT_FOUND, NOT_RUNNABLE = 127, 126  # a shell's exit codes


def tools() -> str:
    """The folder that our commands are in."""
    return str(Path(sys.argv[0]).resolve().parent)


def with_tools(environment: dict[str, str]) -> dict[str, str]:
    """The same environment, with our commands, and those of an administrator, in its PATH."""
    return {**environment, "PATH": f"{tools()}:{environment.get('PATH', os.defpath)}{SYSTEM}"}


def run(words: list[str], environment: dict[str, str], shell: bool = False) -> int:
    """Runs a command to its end; gives its status, as waitpid(2) does. It does not outlive us.

    shell: it gets the terminal for itself, if there is one. Shells want to give it back in the end to the process group that
    had it first, and ours has no number in a PID namespace.
    """
    shell = shell and os.isatty(0)
    environment = with_tools(environment)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # who ignores it has no children to wait for
    before = signal.pthread_sigmask(signal.SIG_BLOCK, PASSED_ON | {signal.SIGCHLD, signal.SIGTTOU})
    reading, writing = os.pipe()  # the parent holds an end as long as it lives
    child = fork()
    if not child:
        os.close(writing)
        if shell:
            os.setpgid(0, 0)
            os.tcsetpgrp(0, os.getpgrp())
        execute(words, environment, before, reading)
    os.close(reading)
    status = wait(child, shell)
    if shell and os.isatty(0):
        os.tcsetpgrp(0, os.getpgrp())
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return status


def end_as(status: int) -> int:
    """Ends by the signal that ended the command; gives its exit code, or, of other signals, what a shell makes of it."""
    if os.WIFEXITED(status):
        return os.WEXITSTATUS(status)
    number = os.WTERMSIG(status)
    return die(number) if number in DEADLY else 128 + number


def execute(words: list[str], environment: dict[str, str], mask: set, alive: int) -> None:
    """Becomes the command. Does not return."""
    code = NOT_RUNNABLE
    try:
        end_with_parent(signal.SIGKILL)
        if select.select([alive], [], [], 0)[0]:  # the parent ended before that
            os._exit(1)
        for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        os.execvpe(words[0], words, environment)
    except (FileNotFoundError, ValueError):  # the second for no name at all
        code = NOT_FOUND
        say(f"pkt-lab: {words[0]}: there is no such command")
    except OSError as error:
        say(f"pkt-lab: {words[0]}: {error.strerror}")
    finally:
        os._exit(code)


def wait(child: int, shell: bool = False) -> int:
    """Waits for the end of a child, and passes on the signals that are for us alone; gives its status.

    When it stops, so do we, for whoever started us waits for us; and it goes on with us. shell: the terminal is handed over.

    What comes from the kernel is from the terminal, which tells the command itself; but of its hanging up it tells one process.
    """
    while True:
        told = signal.sigwaitinfo(PASSED_ON | {signal.SIGCHLD})
        if told.si_signo == signal.SIGCHLD:
            done, status = os.waitpid(child, os.WNOHANG | os.WUNTRACED)
            if done and not os.WIFSTOPPED(status):
                return status
            if done:
                if shell:
                    os.tcsetpgrp(0, os.getpgrp())
                os.kill(os.getpid(), signal.SIGSTOP)
                if shell:
                    os.tcsetpgrp(0, child)
                os.kill(-child if shell else child, signal.SIGCONT)
        elif told.si_code <= SI_USER or told.si_signo not in KEYS:
            os.kill(child, told.si_signo)
