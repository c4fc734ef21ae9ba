"""How headers are shown, as tables: templates as flat programs, for codec/c/templates.c and its twin. What their columns mean:

    shown    title, size, layer, tag, first, count, brief, lines, lines count, data, data size, payload, payload at
        A kind of header, its number is its row. title, size: in text; no title: it goes on under the header before. layer: one of
        those below. tag: the kind that is shown in its line, where it stands directly behind it; -1: none. first, count: templates
        of its lines, one below the other. brief: the template that stands for them, -1: none. lines, lines count: templates of what
        it says in a line for the whole packet. data, data size: in text, what stands in front of its payload. payload: where that
        is, one of NO_PAYLOAD, DATA_ALONE, BEHIND: payload at bytes from its start.
    templates    first, count
        A run of pieces. Of a header where one of them is not there nothing is told.
    pieces    what, first, count, form, width, text, size
        what: one of those below. first, count: a run of places. form, width: of a number. text, size: in text.
    places    field
        A row of the field table. Of a run of them all are of items, and the first item of the header is meant that is of the kind
        of one of them; or each is of another kind of header, and it is that one.
    items    lines, lines count
        Of each kind of an item: templates of what it says in a line for the whole packet.
    words    first, count
        Names of values, a table for each of NAMES, in its order; and behind them those of pieces. first, count: of numbers.
    numbers    number, text, size
        In the order of numbers, of each table.

The last table is text, as bytes of UTF-8.
"""

from __future__ import annotations

LITERAL, FIELD, NAMED, ALSO, FLAG, VERDICT, SIZE, TAGS, RANGE, ACKED = range(10)
# LITERAL: text. FIELD: its value. NAMED: the name of its value, or that where it has none. ALSO: by form, a table of words, what is
# added where its value is in it. FLAG: text, where it is not 0. VERDICT: what there is to say of the checksum, which is the place.
# SIZE: bytes of the header, and of all that it carries. TAGS: the template `first`, of each tag that is shown in its line;
# `count` where more is to be said than 1.16 did.
# RANGE: a number of octets, from where its connection began, and where some are sent, behind a colon, the one behind them.
# ACKED: one of the other side. With ~ in front they count from what was seen first. Where no connections are followed they are as
# they stand.
OF_TAG = 32  # added to what: the place is looked for in the last of the tags; in the header itself where there are none
PLAIN, DECIMAL, HEXADECIMAL = range(3)  # form: as the field is written, numbers in decimal; a number
PREFIX, ZEROS = 4, 8  # added to form: 0x in front; filled with zeros, not with blanks
MOST_WIDTH = 64
NO_PAYLOAD, DATA_ALONE, BEHIND = range(3)

CAPTURE, LINK, NETWORK, TRANSPORT, APPLICATION = range(1, 6)  # layers; the first is what the capture itself says of a packet
# By what a header is; others are transports, or carried as these are.
LAYERS = {"link": LINK, "tag": LINK, "network": NETWORK, "extension": NETWORK, "application": APPLICATION}

NAMES = (
    "shown",
    "templates",
    "pieces",
    "places",
    "items",
    "words",
    "numbers",
)  # of the tables, in their order; text is the last one
COLUMNS = (13, 2, 7, 1, 2, 2, 3)
