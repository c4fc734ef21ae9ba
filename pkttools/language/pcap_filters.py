"""--bpf and --bpf-file: an expression of libpcap's, and a program that is given."""

from __future__ import annotations

from ..errors import PktError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..bpf.classic import Instruction
    from ..command_line.options import Values


class Expression:
    """A pcap-filter expression, --bpf: compiled for the link types that come."""

    def __init__(self, text: str, linktype: int | None) -> None:
        """linktype: of all packets, if that is known. Raises UsageError for what means nothing for any link type, PktError.

        That is found by compiling for one. Where the reason is that its packets do not have what is asked for, others may.
        """
        self.text = text
        self.known: dict[int, list[Instruction]] = {}
        try:
            self.instructions(1 if linktype is None else linktype)
        except UsageError as error:
            if linktype is not None or "support" not in str(error):  # "supported only on", "not supported on", "no ... support"
                raise

    def instructions(self, linktype: int) -> list[Instruction]:
        """The program for a link type. Raises UsageError with libpcap's reason, PktError."""
        if linktype not in self.known:
            from ..bpf.classic import unsound
            from ..libpcap import compile_filter

            try:
                program = compile_filter(self.text, linktype)
            except UsageError as error:
                raise UsageError(f"--bpf {error}") from None
            reason = unsound(program)
            if reason:
                raise UsageError(f"--bpf '{self.text}': {reason}")
            self.known[linktype] = program
        return self.known[linktype]


class Fixed:
    """A program that is given, --bpf-file: the same for all packets."""

    def __init__(self, name: str) -> None:
        """Reads a file, in the form of tcpdump -ddd. Raises PktError where it cannot be read, or is not sound."""
        from ..bpf.classic import asks_kernel, parsed, unsound

        try:
            with open(name, encoding="ascii", errors="replace") as file:  # noqa: PTH123  pathlib is slow to import
                self.program = parsed(file.read(1 << 22), name)
        except OSError as error:
            raise PktError(f"{name}: {error.strerror}") from None
        reason = unsound(self.program)
        if reason:
            raise PktError(f"{name}: {reason}")
        i = asks_kernel(self.program)
        if i is not None:
            raise PktError(f"{name}: instruction {i} asks the kernel ({self.program[i][3]:#x}): packets alone have no answer")

    def instructions(self, _linktype: int) -> list[Instruction]:
        """The program."""
        return self.program


def bpf_of(values: Values) -> Expression | Fixed:
    """What --bpf or --bpf-file say; one of them is there. Raises UsageError, PktError."""
    if values.bpf is None:
        return Fixed(values.bpf_file)
    if values.bpf_file is not None:
        raise UsageError("only one of --bpf and --bpf-file")
    return Expression(values.bpf, values.link_type)
