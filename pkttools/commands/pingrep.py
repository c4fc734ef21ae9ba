"""Answers ARP, neighbour solicitations and pings for any address.

pkt-recv -i veth0 -ro | pkt-pingrep --addr 192.0.2.0/24 | pkt-send -i veth0

Writes the answers alone. --addr limits the addresses that are there: one network, or several with commas.
"""

from ..command_line.options import FILTER, TEXT, Option, Values
from ..errors import UsageError, counted
from ..flow.stage import Stage, without_fcs
from ..work.answers import Network, Responder, network

OPTIONS = [Option("--addr", TEXT, "answer for CIDR,... only, such as 192.0.2.0/24", "CIDR"), *FILTER]


def stage(values: Values) -> Stage:
    """Answers, and says how often."""
    responder = Responder(networks(values.addr))

    def account() -> list[str]:
        told = values.verbose or responder.unanswered
        return [f"{counted(responder.answered, 'request')} answered, {responder.unanswered} not"] if told else []

    return Stage(values, [without_fcs, responder], account=account, beyond=responder.beyond, apart=True,
                 tallies=[responder])  # fmt: skip


def networks(text: str | None) -> list[Network]:
    """The networks of a list. Raises UsageError."""
    try:
        return [network(word) for word in text.split(",")] if text is not None else []
    except ValueError as error:
        raise UsageError(f"--addr: {error}") from None
