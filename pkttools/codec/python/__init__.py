"""The codec in plain Python, on dpkt: the reference for what the C backend does, and the fallback where C is missing.

What needs dpkt is imported when it is first used: dpkt loads 75 modules.
"""

from __future__ import annotations

from ...batch import Program
from .pcap import pcap_border, pcap_decode, pcap_encode
from .text import text_decode, text_encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .pcapng import Known
    from .relay import Relay
    from .rows import Buffer

__all__ = [
    "address_ends", "address_rules", "address_table", "answer", "assign", "beyond", "blank", "carried", "check",
    "columns_encode", "conversation_numbers", "conversation_rows", "conversation_table", "conversation_totals", "correct",
    "count", "count_durations", "counters", "cryptopan_blocks", "cryptopan_rules", "datagrams", "doubles_table", "ends", "feed",
    "figures", "find_doubles", "follow", "follow_numbers", "forward", "fragment", "gather_rows", "group_rows", "handshakes",
    "items", "json_encode", "keep_memory", "key_rows", "lane_decode", "lane_encode", "largest", "line_encode", "listing_encode",
    "map_addresses", "merge", "merge_runs", "octets_alike", "pcap_border", "pcap_decode", "pcap_encode", "pcapng_decode",
    "pcapng_encode", "pick", "read_stamps", "reassemble", "reassemble_rest", "relay_step", "relayed", "run_table", "segment",
    "select", "set_protocols", "signed", "sort_rows", "splice", "spread", "tell", "text_decode", "text_encode", "text_relay",
    "unlike", "verify", "walk", "wipe", "wrap",
]  # fmt: skip


def json_encode(data: bytearray, rows: bytes, first: int, number: int | Buffer) -> tuple[bytes, int]:
    """See json.json_encode."""
    from . import json  # late: few ask for it

    return json.json_encode(data, rows, first, number)


def columns_encode(data: bytearray, rows: bytes, first: int, number: int | Buffer, columns: bytes, before: bytes,
                   style: int) -> tuple[bytes, int]:  # fmt: skip
    """See columns.columns_encode."""
    from . import columns as twin

    return twin.columns_encode(data, rows, first, number, columns, before, style)


def text_relay(keep: Program | None, guard: Program | None, assignments: Program | None, corrects: int, width: int,
               data_only: bool, linktype: int, said: int, number: int) -> Relay:  # fmt: skip
    """See relay.Relay."""
    from . import relay as twin  # late: only where packets come one by one

    return twin.Relay(keep, guard, assignments, corrects, width, data_only, linktype, said, number)


def relay_step(relay: Relay, text: Buffer, now: int) -> bytes | None:
    """See relay.relay_step."""
    from . import relay as twin

    return twin.relay_step(relay, text, now)


def relayed(relay: Relay) -> tuple[int, int, int, int, int, tuple[int, ...], tuple[int, ...]]:
    """See relay.relayed."""
    from . import relay as twin

    return twin.relayed(relay)


def lane_encode(data: bytearray, rows: bytes, first: int, out: bytearray, front: int) -> tuple[int, int, int]:
    """See lane.lane_encode."""
    from . import lane  # late: only between two of our own

    return lane.lane_encode(data, rows, first, out, front)


def lane_decode(data: bytearray, start: int, stop: int, rows: bytearray, linktype: int) -> tuple[int, int]:
    """See lane.lane_decode."""
    from . import lane

    return lane.lane_decode(data, start, stop, rows, linktype)


def pcapng_decode(buffer: bytearray, start: int, stop: int, big_endian: bool, interfaces: bytes, names: bytes,
                  keep: bool = False) -> tuple[
        int, bytearray, bytearray, tuple[int, int, int] | None, tuple[int, int, int, int, int]]:  # fmt: skip
    """See pcapng.pcapng_decode."""
    from . import pcapng  # late: few streams are pcapng

    return pcapng.pcapng_decode(buffer, start, stop, big_endian, interfaces, names, keep)


def pcapng_encode(data: bytearray, rows: bytes, first: int, big_endian: bool,
                  interfaces: list[Known]) -> tuple[bytes, int, int, int, int]:  # fmt: skip
    """See pcapng.pcapng_encode."""
    from . import pcapng

    return pcapng.pcapng_encode(data, rows, first, big_endian, interfaces)


def set_protocols(tables: tuple[bytes, ...]) -> None:
    """See protocols.set_protocols."""
    from . import protocols

    protocols.set_protocols(tables)


def walk(data: bytearray, row: bytes, own: bool = False) -> list[tuple[int, int, int, int]]:
    """See headers.walk."""
    from . import headers

    return headers.walk(data, row, own)


def items(data: bytearray, row: bytes) -> list[tuple[int, int, int, int, int]]:
    """See lists.items."""
    from . import lists

    return lists.items(data, row)


def select(data: bytearray, rows: bytes, tests: Program, first: int = 1, counts: dict[int, int] | None = None) -> bytearray:
    """See program.select."""
    from . import program

    return program.select(data, rows, tests, first, counts)


def assign(data: bytearray, rows: bytes, assignments: Program,
           values: bytes | None, follow: bool,
           counts: dict[int, int] | None = None) -> tuple[int, tuple[int, ...], tuple[int, ...], int, int]:  # fmt: skip
    """See program.assign."""
    from . import program

    return program.assign(data, rows, assignments, values, follow, counts)


def spread(data: bytearray, rows: bytes, first: int, step: int, bit: int, width: int, values: bytes) -> int:
    """See program.spread."""
    from . import program

    return program.spread(data, rows, first, step, bit, width, values)


def read_stamps(data: bytearray, rows: bytes, mark: int, at: int) -> tuple[bytearray, bytearray, int]:
    """See stamps.read_stamps."""
    from . import stamps

    return stamps.read_stamps(data, rows, mark, at)


def follow_numbers(numbers: bytes, seen: bytearray, state: bytearray) -> None:
    """See stamps.follow_numbers."""
    from . import stamps

    stamps.follow_numbers(numbers, seen, state)


def count_durations(values: bytes, state: bytearray) -> None:
    """See durations.count_durations."""
    from . import durations

    durations.count_durations(values, state)


def correct(data: bytearray, rows: bytes, what: int, counts: dict[int, int] | None = None, outer: int = 32) -> tuple[int, ...]:
    """See correction.correct."""
    from . import correction

    return correction.correct(data, rows, what, counts, outer)


def check(data: bytearray, rows: bytes, counts: dict[int, int] | None = None) -> bytes:
    """See soundness.check."""
    from . import soundness

    return soundness.check(data, rows, counts)


def wipe(data: bytearray, rows: bytes, headers: bytes, items: bytes, how: int,
         counts: dict[int, int] | None = None) -> tuple[tuple[int, ...], int, int]:  # fmt: skip
    """See payloads.wipe."""
    from . import payloads  # late: few look at them

    return payloads.wipe(data, rows, headers, items, how, counts)


def cryptopan_blocks(asked: bytes, sorts: bytes, exceptions: bytes) -> bytes:
    """See cryptopan.cryptopan_blocks."""
    from . import cryptopan  # late: only who anonymises asks

    return cryptopan.cryptopan_blocks(asked, sorts, exceptions)


def cryptopan_rules(asked: bytes, encrypted: bytes, sorts: bytes, exceptions: bytes) -> tuple[bytes, int]:
    """See cryptopan.cryptopan_rules."""
    from . import cryptopan

    return cryptopan.cryptopan_rules(asked, encrypted, sorts, exceptions)


def pick(rows: bytes, outcomes: bytes, passes: bytes) -> bytearray:
    """See soundness.pick."""
    from . import soundness

    return soundness.pick(rows, outcomes, passes)


def beyond(data: bytearray, rows: bytes, counts: dict[int, int]) -> None:
    """See headers.count_beyond."""
    from . import headers

    headers.count_beyond(data, rows, counts)


def signed(data: bytearray, rows: bytes, end: int, mutable_end: int, counts: dict[int, int]) -> None:
    """See signatures.count_signed."""
    from . import signatures

    signatures.count_signed(data, rows, end, mutable_end, counts)


def line_encode(data: bytearray, rows: bytes, first: int, state: bytearray, time: int, colours: tuple[bytes, ...],
                offset: Callable[[int], int] | None, table: object | None,
                numbers: Buffer | None = None) -> tuple[bytearray, int]:  # fmt: skip
    """See line.line_encode."""
    from . import line  # late: one view

    return line.line_encode(data, rows, first, state, time, colours, offset, table, numbers)


def verify(data: bytearray, row: bytes) -> list[int]:
    """See soundness.verify."""
    from . import soundness

    return soundness.verify(data, row)


def listing_encode(data: bytearray, rows: bytes, first: int, number: int, level: int, lowest: int, highest: int, dump: bool,
                   more: bool, colours: tuple[str, ...] | None) -> tuple[bytes, int, int, int]:  # fmt: skip
    """See listing.listing_encode."""
    from . import listing  # late: it is for people

    return listing.listing_encode(data, rows, first, number, level, lowest, highest, dump, more, colours)


def octets_alike(data: bytearray, rows: bytes, first: int, same: bytes,
                 wanted: Sequence[tuple[bytes, bytes]]) -> list[tuple[bytes, ...]]:  # fmt: skip
    """See alike.octets_alike."""
    from . import alike

    return alike.octets_alike(data, rows, first, same, wanted)


def unlike(data: bytearray, rows: bytes, first: int, other_data: bytearray, other_rows: bytes, other_first: int, count: int,
           told: tuple[int, bool, bool, bytes, bytes]) -> list[int]:  # fmt: skip
    """See alike.unlike."""
    from . import alike  # late: few compare

    return alike.unlike(data, rows, first, other_data, other_rows, other_first, count, told)


def blank(data: bytearray, rows: bytes, told: tuple[int, bool, bool, bytes, bytes]) -> None:
    """See alike.blank."""
    from . import alike

    alike.blank(data, rows, told)


def doubles_table(window: int, within: int, memory: int, told: tuple[int, bool, bool, bytes, bytes], padding: bool,
                  interfaces: bool) -> object:  # fmt: skip
    """See doubles.Doubles."""
    from . import doubles

    return doubles.Doubles(window, within, memory, told, padding, interfaces)


def find_doubles(table: object, data: bytearray, rows: bytes) -> bytearray:
    """See doubles.find_doubles."""
    from . import doubles

    return doubles.find_doubles(table, data, rows)


def answer(data: bytearray, rows: bytes, rules: tuple[tuple[int, Program, bytes, bytes, int], ...],
           counts: dict[int, int] | None) -> tuple[bytearray, bytearray]:  # fmt: skip
    """See answers.answer."""
    from . import answers  # late: one command answers

    return answers.answer(data, rows, rules, counts)


def wrap(data: bytearray, rows: bytes, first: int, shapes: bytes, octets: bytes, ports: bytes, number: int, keep: bool,
         ) -> tuple[int, bytearray, bytearray, tuple[int, tuple[int, ...], int]]:  # fmt: skip
    """See wrapping.wrap."""
    from . import wrapping  # late: few commands put headers in

    return wrapping.wrap(data, rows, first, shapes, octets, ports, number, keep)


def fragment(data: bytearray, rows: bytes, first: int, mtus: tuple[int, int], force: bool, number: int, layer: tuple[int, int],
             counts: dict[int, int] | None) -> tuple[
                 int, bytearray | None, bytearray | None, tuple[int, tuple[int, ...]]]:  # fmt: skip
    """See fragments.fragment."""
    from . import fragments  # late: few commands divide

    return fragments.fragment(data, rows, first, mtus, force, number, layer, counts)


def handshakes() -> object:
    """See segments.handshakes."""
    from . import segments  # late: few commands cut

    return segments.handshakes()


def segment(table: object, data: bytearray, rows: bytes, first: int, how: tuple[int, int, bool, bool, bool], number: int,
            chosen: bytes | bytearray | None, counts: dict[int, int] | None) -> tuple[
                int, bytearray | None, bytearray | None, tuple[int, int, tuple[int, ...]]]:  # fmt: skip
    """See segments.segment."""
    from . import segments

    return segments.segment(table, data, rows, first, how, number, chosen, counts)


def splice(data: bytearray, rows: bytes, first: int, pieces: bytes, octets: bytes, linktype: int, keep: bool, anew: bool,
           counts: dict[int, int] | None) -> tuple[int, bytearray, bytearray, bytes]:  # fmt: skip
    """See splicing.splice."""
    from . import splicing  # late: few commands change what is how long

    return splicing.splice(data, rows, first, pieces, octets, linktype, keep, anew, counts)


def merge(data: bytearray, rows: bytes, final: bool, chosen: bytes | bytearray | None, gone: bytes | bytearray | None,
          datagrams: bool) -> tuple[bytearray, bytearray, bytearray, int]:  # fmt: skip
    """See merging.merge."""
    from . import merging  # late: few merge

    return merging.merge(data, rows, final, chosen, gone, datagrams)


def carried(data: bytearray, rows: bytes, layer: tuple[int, int]) -> bytes:
    """See contents.carried."""
    from . import contents

    return contents.carried(data, rows, layer)


def ends(data: bytearray, rows: bytes) -> bytes:
    """See contents.ends."""
    from . import contents

    return contents.ends(data, rows)


def run_table(lines: list[bytes], keyed: bool = False) -> object:
    """See runs.run_table."""
    from . import runs as twin  # late: only what merges

    return twin.run_table(lines, keyed)


def feed(table: object, run: int, data: bytearray, rows: bytes) -> tuple[int, int]:
    """See runs.feed."""
    from . import runs as twin

    return twin.feed(table, run, data, rows)


def merge_runs(table: object, out: bytearray, used: int) -> tuple[bytearray, int, int]:
    """See runs.merge_runs."""
    from . import runs as twin

    return twin.merge_runs(table, out, used)


def datagrams(memory: int, layer: tuple[int, int], apart: bytes) -> object:
    """See reassembly.datagrams."""
    from . import reassembly  # late: few commands put together

    return reassembly.datagrams(memory, layer, apart)


def reassemble(table: object, data: bytearray, rows: bytes, first: int, counts: dict[int, int] | None) -> tuple[
        int, bytearray | None, bytearray | None, tuple[int, ...]]:  # fmt: skip
    """See reassembly.reassemble."""
    from . import reassembly

    return reassembly.reassemble(table, data, rows, first, counts)


def reassemble_rest(table: object) -> tuple[bytearray, bytearray, tuple[int, ...]]:
    """See reassembly.reassemble_rest."""
    from . import reassembly

    return reassembly.reassemble_rest(table)


def conversation_table(level: int, most: int, memory: int, forget: bool, seed: int, ends: bytes, apart: bytes) -> object:
    """See conversations.conversation_table."""
    from . import conversations  # late: few commands tell of them

    return conversations.conversation_table(level, most, memory, forget, seed, ends, apart)


def follow(table: object, data: bytearray, rows: bytes, tell: bool) -> list[tuple[int, ...]] | None:
    """See conversations.follow."""
    from . import conversations

    return conversations.follow(table, data, rows, tell)


def conversation_numbers(table: object, data: bytearray, rows: bytes) -> bytearray:
    """See conversations.conversation_numbers."""
    from . import conversations

    return conversations.conversation_numbers(table, data, rows)


def group_rows(rows: bytes, numbers: bytes) -> tuple[bytearray, bytearray]:
    """See grouping.group_rows."""
    from . import grouping  # late: for few commands

    return grouping.group_rows(rows, numbers)


def gather_rows(data: bytearray, rows: bytes, first: int, room: bytearray, used: int,
                keyed: bool = False) -> tuple[int, int, bytearray]:  # fmt: skip
    """See grouping.gather_rows."""
    from . import grouping

    return grouping.gather_rows(data, rows, first, room, used, keyed)


def conversation_rows(table: object, order: int, most: int) -> list[tuple[object, ...]]:
    """See conversations.conversation_rows."""
    from . import conversations

    return conversations.conversation_rows(table, order, most)


def conversation_totals(table: object) -> tuple[int, ...]:
    """See conversations.conversation_totals."""
    from . import conversations

    return conversations.conversation_totals(table)


def forward(data: bytearray, rows: bytes, stations: dict[bytes, int], room: int, source: int, now: int,
            ports: bytes) -> tuple[list[bytearray], bytearray, tuple[int, int, int, int, int, int]]:  # fmt: skip
    """See bridge.forward."""
    from . import bridge  # late: only a switch forwards

    return bridge.forward(data, rows, stations, room, source, now, ports)


def address_table(places: bytes) -> object:
    """See addresses.address_table."""
    from . import addresses  # late: few commands map

    return addresses.address_table(places)


def address_ends(data: bytearray, rows: bytes, table: object, sorts: int) -> bytearray:
    """See addresses.address_ends."""
    from . import addresses

    return addresses.address_ends(data, rows, table, sorts)


def address_rules(table: object, rules: bytes) -> None:
    """See addresses.address_rules."""
    from . import addresses

    addresses.address_rules(table, rules)


def map_addresses(data: bytearray, rows: bytes, table: object, keep: bool, counts: dict[int, int] | None = None) -> tuple[
        int, int, int, int, tuple[int, ...], bytes, bytearray]:  # fmt: skip
    """See addresses.map_addresses."""
    from . import addresses

    return addresses.map_addresses(data, rows, table, keep, counts)


def sort_rows(data: bytearray, rows: bytearray, keyed: bool) -> bool:
    """See order.sort_rows."""
    from . import order  # late: few sort

    return order.sort_rows(data, rows, keyed)


def key_rows(data: bytearray, rows: bytes, first: int, number: int, columns: bytes) -> tuple[bytearray, bytearray, int]:
    """See order.key_rows."""
    from . import order

    return order.key_rows(data, rows, first, number, columns)


def tell(reader: int, data: bytes | bytearray, at: int, end: int) -> bytes | None:
    """See messages.tell."""
    from . import messages  # late: few views tell what messages say

    return messages.tell(reader, data, at, end)


def counters(wanted: int, columns: Program | None, memory: int) -> object:
    """See statistics.counters."""
    from . import statistics  # late: one command counts

    return statistics.counters(wanted, columns, memory)


def count(counters: object, data: bytearray, rows: bytes) -> None:
    """See statistics.count."""
    from . import statistics

    statistics.count(counters, data, rows)


def figures(counters: object) -> tuple[bytes, bytes, bytes, tuple[int, int, bytes]]:
    """See statistics.figures."""
    from . import statistics

    return statistics.figures(counters)


def largest(counters: object, which: int, most: int, by_bytes: bool) -> tuple[
        list[tuple[bytes, int, int, int, int]], int, tuple[int, int, int, int]]:  # fmt: skip
    """See statistics.largest."""
    from . import statistics

    return statistics.largest(counters, which, most, by_bytes)


def keep_memory() -> None:
    """Lets this process keep freed memory of up to 16 MiB, for the next batch. In C with glibc; here there is nothing to do.

    It is for programs, at their start: a library leaves the settings of a process alone.
    """
