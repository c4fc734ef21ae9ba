"""The codec: everything that is done to many packets at once, in C, or in Python where C is missing.

Both backends have the same functions with the same results and the same errors. They do no I/O and know no names of
fields. `PKTTOOLS_CODEC=c` or `python` chooses one; unset, C is used where it was built, and no source is newer than it.

    text_decode(buffer, start, stop, final, linktype, line, now)
        -> (consumed, data, rows, linktype, line, error, (stray, shortened, filled, unplaced))
    text_encode(data, rows, first, number, width, data_only, fields) -> (text, stop)
    json_encode(data, rows, first, number) -> (text, stop)
    columns_encode(data, rows, first, number, columns, before, style) -> (text, stop)
    text_relay(keep, guard, assignments, corrects, width, data_only, linktype, said, number) -> a relay
    relay_step(relay, text, now) -> text, or None
    relayed(relay) -> (lines, came, passed, met, wrong, (placed, ...), (cut, ...))
    lane_encode(data, rows, first, out, front) -> (start, size, stop)
    lane_decode(data, start, stop, rows, linktype) -> (sound, lines)
    pcap_decode(buffer, start, stop, final, big_endian, nano, header, lengths, linktype) -> (consumed, rows, error)
    pcap_border(buffer, start, stop, big_endian, nano, header, lengths, most, since) -> offset
    pcap_encode(data, rows, first, big_endian, nano) -> (records, stop, lost)
    pcapng_decode(buffer, start, stop, big_endian, interfaces, names, keep)
        -> (consumed, data, rows, error, (capped, rounded, timeless, damaged, options))
    pcapng_encode(data, rows, first, big_endian, interface, nano, snaplen, flags, keeps, others)
        -> (blocks, stop, lost, outdated, timed)
    line_encode(data, rows, first, state, time, colours, offset, table, numbers=None) -> (text, stop)
    set_protocols(tables)
    walk(data, row) -> [(kind, start, data, end), ...]
    items(data, row) -> [(index of a header, kind, start, data, end), ...]
    select(data, rows, tests, first=1) -> rows
    assign(data, rows, assignments, values, follow) -> (met, (placed, ...), stale, unknown)
    spread(data, rows, first, step, bit, width, values) -> packets too short for it
    read_stamps(data, rows, mark, at) -> (numbers, 4 bytes each, delays, 8 bytes each, where the last stamp was)
    follow_numbers(numbers, seen, state)
    count_durations(values, state)
    correct(data, rows, what) -> (corrected, truncated, fragments, malformed, obscure, wrong, unfinished, shorter, longer)
    check(data, rows) -> an outcome a packet, as bytes
    wipe(data, rows, headers, items, how, counts) -> ((packets a kind of header, ...), stale, unknown)
    cryptopan_blocks(asked, sorts, exceptions) -> blocks to encrypt
    cryptopan_rules(asked, encrypted, sorts, exceptions) -> (rules, how many became an exception)
    pick(rows, outcomes, passes) -> rows of those whose outcome passes
    beyond(data, rows, counts)
    signed(data, rows, end, mutable_end, counts)
    verify(data, row) -> a verdict a header
    listing_encode(data, rows, first, number, level, lowest, highest, dump, more, colours) -> (text, stop, wrong, unfinished)
    octets_alike(data, rows, first, same, ((prefix, places), ...)) -> [(octets, ...), ...] of packets that are shaped alike
    unlike(data, rows, first, other data, other rows, first, count, told) -> numbers of the pairs that are not the same
    blank(data, rows, told)
    doubles_table(window, within, memory, told, padding, interfaces) -> a table
    find_doubles(table, data, rows) -> what was found of each packet, as bytes
    answer(data, rows, rules, counts) -> (data, rows)
    wrap(data, rows, first, shapes, octets, ports, number, keep)
        -> (stop, data, rows, (number, (changed, left by reason...), headers of the packet that has no shape))
    fragment(data, rows, first, (mtu of IPv4, of IPv6), force, id, layer, counts)
        -> (stop, data or None, rows or None, (id, (unusable, without header, Don't Fragment, without room)))
    handshakes() -> a table
    segment(table, data, rows, first, (MTU, size, same ids, keep, UDP to fragments), id, verdicts, counts)
        -> (stop, data or None, rows or None, (id, urgent, (unusable, fragments, neither TCP nor UDP, without room, without a sum)))
    splice(data, rows, first, pieces, octets, linktype, keep, anew, counts) -> (stop, data, rows, an outcome a packet, as bytes)
    merge(data, rows, final, chosen, gone, datagrams)
        -> (data, rows, numbers of packets that are left, 4 bytes each, merged)
    carried(data, rows, layer) -> five numbers a packet, 8 bytes each: the kind of a header, where it, its data, and what it carries
        begin, and where that ends
    ends(data, rows) -> a number a packet, 8 bytes each
    datagrams(memory, layer, apart) -> a table
    reassemble(table, data, rows, first, counts) -> (stop, data or None, rows or None, (reassembled, repeated, held,
        incomplete, without memory, overlapping, malformed, of other headers))
    reassemble_rest(table) -> (data, rows, the same)
    conversation_table(level, most, memory, forget, seed, ends, apart) -> a table
    follow(table, data, rows, tell) -> None, or what is told of each packet
    conversation_numbers(table, data, rows) -> a number a packet, 8 bytes each
    conversation_rows(table, order, most) -> a tuple a conversation
    conversation_totals(table) -> (conversations, packets and octets beyond these, and of no addresses, forgotten, bytes held)
    group_rows(rows, numbers) -> (rows, a number and how many packets have it, 8 bytes each)
    gather_rows(data, rows, first, room, used, keyed=False) -> (stop, used, rows)
    forward(data, rows, stations, room, source, now, ports)
        -> (rows a port, rows of all that go on, (flooded, filtered, reserved, short, moved, full))
    address_table(places) -> a table
    address_rules(table, rules)
    address_ends(data, rows, table, sorts) -> between whom each packet goes, ENDS of python/addresses.py
    map_addresses(data, rows, table, keep, counts)
        -> (mapped, refused, stale, unknown, headers counted, what is asked for, rows that wait)
    sort_rows(data, rows, keyed) -> whether they were in order
    key_rows(data, rows, first, number, columns) -> (data, rows, stop)
    run_table(lines, keyed=False) -> a table
    feed(table, run, data, rows) -> (how many go back in time, the first of them)
    merge_runs(table, out, used) -> (rows, used, the run that waits)
    tell(reader, data, at, end) -> a line, as bytes, or None
    counters(wanted, (fields, columns, nothing) or None, memory) -> what counts
    count(counters, data, rows)
    figures(counters)
        -> (totals, packets of each size, gaps, (nanoseconds a bin, the number of the first one, packets and bytes of each))
    largest(counters, which, most, by_bytes) -> ([(key, packets, bytes, packets to it, bytes to it), ...], how many there are,
        (the same four numbers of what had no room))
    keep_memory()

assign, correct, check and select take `counts` as well, select behind `first`: a dict to which they add what packets carry that is
not followed, and the first two what does not follow, being a signature. correct
takes `outer` behind it: of how many headers, the outermost ones, checksums are corrected.
The Python twins in codec/python document them. Where decoded packets lie in `data` is the codec's own matter. Decoders
stop after about two megabytes and are called again. The records of pcap_encode may be a memoryview of `data`.
"""

import os

from ..errors import outdated

# Numbers that the functions take and give, as in codec.h; in front of the backends, since the twin has them from here.
ALL, LENGTHS, TRANSPORT = range(3)  # what `correct` corrects: checksums; lengths too; what the kernel leaves to the card
CORRECTED, TRUNCATED, FRAGMENT, MALFORMED, OBSCURE, WRONG, UNFINISHED = range(7)  # what comes out of `correct` and `check`
IN_ORDER, IN_ORDER_OR_SWAPPED, SWAPPED = range(3)  # a pcap record's lengths; captured, then original: before 2.3 the other way
LOOK, FOLLOW, KEEP = range(3)  # of `wipe`: no zeros are made; checksums follow; they stay
NONE, RIGHT, BAD, UNCERTAIN, LEFT = range(5)  # what `verify` says of a header's checksum
MOST_TOLD = 1024  # bytes of what `tell` gives
DECIMAL = 4  # with 1 or 2, which fields `text_encode` writes: their numbers are decimal
STEPS = 1024  # of `count_durations`, for those of zero and more, and for those below; what stands behind, eight bytes each:
ABOVE, BELOW, LEAST, WORST, LAST, JITTER = range(2 * STEPS, 2 * STEPS + 6)
PATHS, TALKERS, BY_FIELDS = 1, 2, 4  # groups of `counters`
PACKETS, BYTES, CAPTURED, EARLIEST, LATEST, PREVIOUS, BACKWARDS, CUT_SHORT, SHORTEST, LONGEST = range(10)  # its totals
SIZES = 65536  # sizes above are counted together
ALL_ENDED, OUTPUT_FULL = -1, -2  # instead of the run for which `merge_runs` waits
NO_DOUBLE, A_DOUBLE, FORGOTTEN, OUT_OF_ORDER = range(4)  # what `find_doubles` finds
MOST_WITHIN = 1 << 61  # nanoseconds between doubles, for `doubles_table`: 73 years
ABSENT, SHORT_NUMBER, LONG_NUMBER, OCTETS = range(4)  # what stands in the key of a group by fields

_choice = os.environ.get("PKTTOOLS_CODEC", "")
if _choice not in ("", "c", "python"):
    raise ImportError(f"PKTTOOLS_CODEC is '{_choice}': it is c or python")
REASON = ""  # why it is not C
try:
    if _choice == "python":
        raise ImportError
    from . import _c as _backend

    if outdated(_backend.__file__):
        REASON = "the C codec is older than its sources: make ready builds it anew"
        raise ImportError(path=_backend.__file__)
    BACKEND = "c"
except ImportError as _error:
    _built = _error.path is not None and not _error.path.endswith("__init__.py")  # it is there, but of no use
    REASON = REASON or (f"the C codec does not load: {_error}" if _built else "the C codec was not built")
    if _choice == "c":
        raise ImportError(f"PKTTOOLS_CODEC is 'c', but {REASON}") from None
    REASON += "" if _built else ": that takes a C compiler and Python's headers when it is installed"
    REASON = "PKTTOOLS_CODEC=python" if _choice else REASON
    from . import python as _backend  # type: ignore[no-redef]  # the same functions

    BACKEND = "python"

text_decode, text_encode = _backend.text_decode, _backend.text_encode
relay_step, relayed, text_relay = _backend.relay_step, _backend.relayed, _backend.text_relay
json_encode, columns_encode = _backend.json_encode, _backend.columns_encode
lane_decode, lane_encode = _backend.lane_decode, _backend.lane_encode
line_encode = _backend.line_encode
pcap_decode, pcap_border, pcap_encode = _backend.pcap_decode, _backend.pcap_border, _backend.pcap_encode
pcapng_decode, pcapng_encode = _backend.pcapng_decode, _backend.pcapng_encode
walk, items, select, assign, spread = _backend.walk, _backend.items, _backend.select, _backend.assign, _backend.spread
read_stamps, follow_numbers, count_durations = _backend.read_stamps, _backend.follow_numbers, _backend.count_durations
correct, check, verify, beyond = _backend.correct, _backend.check, _backend.verify, _backend.beyond
unlike, blank, octets_alike = _backend.unlike, _backend.blank, _backend.octets_alike
sort_rows, key_rows = _backend.sort_rows, _backend.key_rows
doubles_table, find_doubles = _backend.doubles_table, _backend.find_doubles
answer, forward, fragment, keep_memory = _backend.answer, _backend.forward, _backend.fragment, _backend.keep_memory
handshakes, segment, merge = _backend.handshakes, _backend.segment, _backend.merge
datagrams, reassemble, reassemble_rest = _backend.datagrams, _backend.reassemble, _backend.reassemble_rest
conversation_table, follow = _backend.conversation_table, _backend.follow
conversation_numbers = _backend.conversation_numbers
group_rows, gather_rows = _backend.group_rows, _backend.gather_rows
conversation_rows, conversation_totals = _backend.conversation_rows, _backend.conversation_totals
set_protocols, listing_encode = _backend.set_protocols, _backend.listing_encode
splice, carried, ends = _backend.splice, _backend.carried, _backend.ends
address_table, address_rules, address_ends = _backend.address_table, _backend.address_rules, _backend.address_ends
map_addresses = _backend.map_addresses
run_table, feed, merge_runs = _backend.run_table, _backend.feed, _backend.merge_runs
signed, pick, tell = _backend.signed, _backend.pick, _backend.tell
wipe = _backend.wipe
cryptopan_blocks, cryptopan_rules = _backend.cryptopan_blocks, _backend.cryptopan_rules
wrap = _backend.wrap
counters, count, figures, largest = _backend.counters, _backend.count, _backend.figures, _backend.largest

__all__ = [
    "ALL",
    "ALL_ENDED",
    "BACKEND",
    "BAD",
    "BY_FIELDS",
    "CORRECTED",
    "DECIMAL",
    "FRAGMENT",
    "IN_ORDER",
    "IN_ORDER_OR_SWAPPED",
    "LEFT",
    "LENGTHS",
    "MALFORMED",
    "MOST_TOLD",
    "NONE",
    "OBSCURE",
    "OUTPUT_FULL",
    "PATHS",
    "RIGHT",
    "SWAPPED",
    "TALKERS",
    "TRANSPORT",
    "TRUNCATED",
    "UNCERTAIN",
    "UNFINISHED",
    "WRONG",
    "address_ends",
    "address_rules",
    "address_table",
    "answer",
    "assign",
    "beyond",
    "blank",
    "carried",
    "check",
    "columns_encode",
    "conversation_numbers",
    "conversation_rows",
    "conversation_table",
    "conversation_totals",
    "correct",
    "count",
    "count_durations",
    "counters",
    "datagrams",
    "doubles_table",
    "ends",
    "feed",
    "figures",
    "find_doubles",
    "follow",
    "follow_numbers",
    "forward",
    "fragment",
    "gather_rows",
    "group_rows",
    "handshakes",
    "items",
    "json_encode",
    "keep_memory",
    "key_rows",
    "lane_decode",
    "lane_encode",
    "largest",
    "line_encode",
    "listing_encode",
    "map_addresses",
    "merge",
    "merge_runs",
    "octets_alike",
    "pcap_border",
    "pcap_decode",
    "pcap_encode",
    "pcapng_decode",
    "pcapng_encode",
    "pick",
    "read_stamps",
    "reassemble",
    "reassemble_rest",
    "relay_step",
    "relayed",
    "run_table",
    "segment",
    "select",
    "set_protocols",
    "signed",
    "sort_rows",
    "splice",
    "spread",
    "tell",
    "text_decode",
    "text_encode",
    "text_relay",
    "unlike",
    "verify",
    "walk",
    "wrap",
]  # fmt: skip
