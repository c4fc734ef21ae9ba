"""How packets are shown: a module a view, each with `view(values, output)`, the sink that writes it.

What a view says of protocols comes from their descriptions; a view is a way to draw it, and no list of protocols of its own.
"""

from __future__ import annotations

from ..errors import judged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..command_line.options import Values
    from ..formats.files import Output, Sink


def checksums_shown(wrong: int, unfinished: int) -> list[str]:
    """What there is to say in the end of checksums that look wrong, and are not."""
    return [f"checksums shown: {judged(wrong, unfinished)}"] if unfinished else []


def view(name: str, values: Values, output: Output) -> Sink:
    """The sink of a view, which is the name of its module. Raises UsageError where options of it are wrong."""
    made: Sink = __import__(f"{__name__}.{name}", fromlist=["view"]).view(values, output)
    return made
