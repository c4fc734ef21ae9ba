"""What Python has open, in place of descriptors: files that were unpacked, memory, sockets' files."""

from __future__ import annotations

import os

from ..errors import OutputError, PktError
from ..formats.files import Input, Output

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Given(Input):
    """What is read from an object with `read`, of bytes or of text."""

    def __init__(self, file: Any, name: str) -> None:  # noqa: ANN401  whatever reads
        super().__init__([os.devnull])
        self.close()
        self.fd, self.file, self.name, self.rest = -1, file, name, b""

    is_file = is_pipe = False  # as far as we know
    now: int | None = None  # packets without a time get that of when they are read

    def read_raw(self, pieces: list[memoryview]) -> int:
        """Reads what there is; gives how many bytes."""
        try:
            some = getattr(self.file, "read1", self.file.read)
            data = self.rest or some(len(pieces[0]))
        except OSError as error:
            raise PktError(f"{self.name}: {error.strerror or error}") from None
        except EOFError as error:  # of what unpacks
            raise PktError(f"{self.name}: {error}") from None
        data = data.encode() if isinstance(data, str) else data or b""
        self.rest = data[len(pieces[0]) :]
        pieces[0][: len(data)] = data[: len(pieces[0])]
        return min(len(data), len(pieces[0]))


class Taken(Output):
    """What is written to an object with `write`, of bytes, or of text where it says that it is. It stays open."""

    def __init__(self, file: Any, name: str, compress: str | None = None) -> None:  # noqa: ANN401  whatever writes
        super().__init__(os.devnull, compress=compress)
        self.file, self.name, self.prompt = file, name, False
        self.is_text = hasattr(file, "encoding")

    def put(self, data: bytes | bytearray | memoryview) -> None:
        """Writes all of it. Raises OutputError."""
        try:
            self.file.write(bytes(data).decode() if self.is_text else bytes(data))
        except UnicodeDecodeError:
            raise OutputError(f"{self.name}: a capture is no text: open it with mode 'wb'") from None
        except OSError as error:
            raise OutputError(f"{self.name}: {error.strerror or error}") from None
