"""The Python twin of the kernel's C functions: the same results, with more system calls or copies."""

from .pipe import pipe_lend

__all__ = ["pipe_lend"]
