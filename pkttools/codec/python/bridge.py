"""Where a learning bridge sends frames, IEEE 802.1Q sections 8.6 and 8.7; twin of ../c/bridge.c."""

from __future__ import annotations

from ...batch import COLUMNS, MAX_FRAME, ROW_BYTES

RESERVED = bytes.fromhex("0180c20000")  # ...00 to ...0F: between two bridges, for none beyond them, IEEE 802.1Q table 8-1
NOBODY, ALL = -1, -2


def forward(data: bytearray, rows: bytes, stations: dict[bytes, int], room: int, source: int, now: int,
            ports: bytes) -> tuple[list[bytearray], bytearray, tuple[int, int, int, int, int, int]]:  # fmt: skip
    """Learns where the frames' sources are, and finds where each frame is to go.

    stations: addresses and where they were seen, `seconds << 8 | port`; it is changed. room: addresses that it may hold; those
    beyond are not learnt. source: number of the port that the frames came in by. now: in seconds. ports: the numbers of those
    that frames may go out by, up to 64, each below 255.
    Returns for each of `ports` the rows of frames that go out by it; the rows of all that go anywhere; and how many were flooded,
    came from where they were to go, were for bridges alone, shorter than an Ethernet header; how many stations moved, and how
    often one was not learnt. Raises ValueError for packets outside of their batch and for ports that cannot be.
    """
    if len(rows) % ROW_BYTES:
        raise ValueError("rows are not whole packets")
    columns = memoryview(rows).cast("B").cast("q").tolist() if rows else []
    size = len(data)
    for i in range(0, len(columns), COLUMNS):
        offset, captured, _, _, _, notes, notes_size = columns[i : i + COLUMNS]
        whole = 0 <= captured <= MAX_FRAME and 0 <= offset <= size - captured
        if not (whole and notes_size >= 0 and 0 <= notes <= size - notes_size):
            raise ValueError(f"packet {i // COLUMNS} lies outside of its batch")
    if not 0 <= source < 255 or len(ports) > 64 or 255 in ports or room < 0 or not 0 <= now < 1 << 50:
        raise ValueError("no such port, room or time")
    out = [bytearray() for _ in ports]
    sinks = {number: [out[i]] for i, number in enumerate(ports) if number != source}
    everywhere = [rows for found in sinks.values() for rows in found]
    passed = bytearray()
    flooded = filtered = reserved = short = moved = full = 0
    here, before = now << 8 | source, b""
    with memoryview(data) as view:
        for i in range(0, len(columns), COLUMNS):
            offset, captured = columns[i], columns[i + 1]
            if captured < 14:
                short += 1
                continue
            addresses = bytes(view[offset : offset + 12])
            to, by = addresses[:6], addresses[6:]
            if by != before:
                before = by
                if not by[0] & 1 and any(by):
                    known = stations.get(by)
                    if known is None and len(stations) >= room:
                        full += 1
                    elif known != here:
                        moved += known is not None and known & 255 != source
                        stations[by] = here
            if to[0] & 1:
                number = NOBODY if to[:5] == RESERVED and to[5] < 16 else ALL
            else:
                number = stations.get(to, ALL)
                number = number & 255 if number >= 0 else ALL
            if number == source:
                filtered += 1
            elif number == NOBODY:
                reserved += 1
            else:
                flooded += number == ALL
                row = rows[i * 8 : i * 8 + ROW_BYTES]
                chosen = everywhere if number == ALL else sinks.get(number, ())
                for found in chosen:
                    found += row
                if chosen:
                    passed += row
    return out, passed, (flooded, filtered, reserved, short, moved, full)
