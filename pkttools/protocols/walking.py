"""What the walk of both codecs runs: protocols as tables of integers, and what their columns mean.

The walk starts with a number, the link type, and a space that says which kind of header it announces. It looks at that header: is
it there, how long is it, where do it and its data end; and its rules say what comes next. A table is rows of integers of the same
number of columns, one behind the other. A run is two columns, the first row and how many; runs of terms, rules and entries stand
in the order of the rows that they are of. Tests are a run of comparisons, all of which must hold; none: it always holds.

    reads    base, bit, width, order
        A number in a header. base: FROM_START of it, or FROM_BEHIND, from where its size ends; bit: from there, in wire order;
        negative ones are bits in front of the header, and from behind its last ones. width: 1 to 32 bits. order: 0 as in
        networks, 1 little-endian.
        It is 0 where not all of it was captured.
    tests    read, mask, low, high, how
        Whether the bits of mask are from low to high, IS; IS_NOT: whether they are not. LEAVES: whether as many bytes are left of
        what the header lies in, from its start on and behind those that the number says; of rules only.
    terms    read, scale, bias, tests
        A part of a header's size, in bytes: read * scale + bias, where the tests hold. read -1: the bias alone.
    kinds    fixed, flags, data, claims, gives, terms, align, end, scale, bias, least, tests, trailer, whole, rules, exception,
             then, until
        A kind of header, its number is its row; 0 is what a frame is of which nothing is known.
        fixed: bytes that have to be there. terms: a run; its size is their sum, rounded up to a multiple of align; without terms
        it is fixed. A size below fixed, or beyond the end, is impossible: nothing follows.
        end: the read that says where the header and its data end, in bytes: read * scale + bias from its start, never beyond what
        it lies in. -1, less than least, or tests that do not hold: it ends with what it lies in. trailer: bytes that this end has
        that are none of it.
        whole: tests (two columns) that hold where what follows can be read: not of a fragment.
        data: where its DATA begin, from its start; -1: behind it. claims, gives: the DATA of what is in front of it give way to
        it, if that gives and this claims more: they begin where this ends. 1.16 knew 1 link layers, 2 networks, 3 transports.
        exception: what is done that tables cannot say; see codec/c/exceptions.c. then: the kind of what stands behind its end,
        within what it lies in: the walk goes on there when all that is in front of that end was looked at, of several such ends,
        one in the other, behind the outer one; -1: nothing.
        until: four bytes, as a number: its size goes on up to the first of them behind it, or to its end; -1: it does not.
    rules    how, what, read, flags, tests
        What comes behind a kind: the first one that holds and finds something. TO_KIND: the kind `what`; BY_SPACE: what the number
        read announces in space `what`; COUNTED: nothing that is followed; where there is something, that is
        counted as 0 of space number `what`. flags: QUOTED: of a packet that is quoted in an error message; PROMISED: a frame of
        which none of it is there is partial.
    spaces   number, counted, entries
        Numbers that announce kinds; the first one is link types. number: in SPACES of compile.py, of what is not followed; counted:
        values from here on that have no entry are counted; -1: none, the next rule is asked.
    sums     kind, at, bytes, over, read, scale, bias, nothing, gap at, gap, pseudo, also, whole, zero, card, tests
        The checksum of a header of a kind, or of the message that it begins; in the order of kinds.
        at: its first byte, from the header's start. bytes: 2, an Internet checksum (RFC 1071), which lies at an even byte; 4, a
        CRC32c; 0: whether there is one cannot be told. over: MESSAGE, the header and its data; HEADER_ALONE; SAID, read * scale +
        bias bytes, at least itself; HEADER_AND, so many behind it. nothing: a number read of 0 says that AS_SAID,
        ALL_FOR_0, all of the message, or JUMBO_FOR_0, the same, where it is too long for IPv4 to say, or in IPv6. gap: so many
        bytes are left out, from gap at on. pseudo: bits of the versions of IP whose pseudo-header is in it, FOR_4 and FOR_6. also:
        bits of those where some have one, too, or ALSO_MESSAGE: some cover the whole message. whole: the pseudo-header says the
        size of the whole message, otherwise what is covered. zero: A_SUM; NO_SUM, it says that there is none; NEVER: the same, and
        a sum of 0 is written as 0xFFFF; MISSING: as NEVER, but only IPv4 and what carries a tunnel may do without, and pkt-correct
        has none without that need not be; FORBIDDEN: it is wrong. card: CARD: kernels leave it to the network card, CARD_CUTS: and
        messages for it to cut. tests hold where there is one.
    entries  value, kind, tests
        In the order of values; of several of the same value the first one whose tests hold, which read from where the kind would
        begin. kind -1: nothing that has headers in it; -2: the same, and a tunnel.

    lists    type, length, scale, bias, align, head, items
        Items that lie one behind the other, each with a type and a length (TLV): options. type, length: reads, of an item.
        length * scale + bias: its bytes, with type and length; scale 0: each has as many. The next begins at a multiple of align
        from its start. head: bytes with type and length in them. items: a run. Reading ends at an item that is not wholly there, or
        has fewer bytes than its head; if it lies in an item of another list, that one goes on.
    items    type, kind, how, at, data, each, inside, list, passed, pieces, tests
        What is known of items of a type; ANY: of all, OTHER: of those that have no kind by their type. Several of a type are found
        one after the other. kind: what it is to fields, from FIRST_ITEM on; -1: nothing. how: SIZED by its length; ALONE: a type;
        LAST: the same, and reading ends. at: from its start, where fields count from. data: from there, where DATA begin. each: it
        is a row of pieces of so many bytes, from at on, each of which is one; 0: it is one as a whole. passed, pieces: reads, of
        the item: so many of them are passed over, and so many are there at most; -1: none, and all. inside: further items lie in
        it, from there on; 0: none do. list: of which they are; -1: of the same. tests are of the item, from its start: where they
        do not hold, or what they ask of is not in it, it is not of this kind.
    holds    kind, list, from, to, read, scale, bias, by, tests
        Where a list lies in a header of a kind; in the order of kinds. from: bytes from its start. to: TO_SIZE of the header,
        TO_END, where its data end, or TO_SAID: read * scale + bias bytes from its start, but no further than its data. by: the kind
        of an item: there is one where such an item is in a list of the header, of by -1, and the tests hold of it; -1: they are
        of the header itself.

    signatures    kind, code, covers, tests
        What authenticates more than itself: a header of a kind, or an item; in the order of kinds, those of items behind. code:
        in SPACES of compile.py, by which a packet is counted where it is changed. covers: from where on: HEADER, itself or what the
        item is in; CARRIER, what carries that; BEHIND, itself, also of an item. tests: of the header, or of the item.

Items are looked for where a field of them is asked for, or a signature, and never by the walk.

tabulate.py makes these tables of the descriptions. They are kept as bytes: integers of 64 bits, in the byte order of this machine.
Flags of kinds are below.
"""

from __future__ import annotations

FROM_START, FROM_BEHIND = range(2)
BIG_ENDIAN, LITTLE_ENDIAN = range(2)
TO_KIND, BY_SPACE, COUNTED = range(3)
QUOTED, PROMISED = 1, 2
IS, IS_NOT, LEAVES = range(3)
LEAF, TUNNEL_LEAF = -1, -2
MESSAGE, HEADER_ALONE, SAID, HEADER_AND = range(4)
AS_SAID, ALL_FOR_0, JUMBO_FOR_0 = range(3)
FOR_4, FOR_6, ALSO_MESSAGE = 1, 2, 4
A_SUM, NO_SUM, NEVER, MISSING, FORBIDDEN = range(5)
CARD, CARD_CUTS = 1, 2
NO_EXCEPTION, COOKED_TAGS, PADDED, ROUTE, FRAGMENT_HEADER, SEAL, SEGMENTS, DATAGRAM_4, DATAGRAM_6 = range(9)
SIZED, ALONE, LAST = range(3)
ANY, OTHER = -1, -2
TO_SIZE, TO_END, TO_SAID = range(3)
HEADER, CARRIER, BEHIND = range(3)
FIRST_ITEM = 16384  # kinds of items: more than kinds of headers can be

HIDDEN = 1  # no header, only a way to one
UNFOLLOWED = 2  # not followed: where it stands, all its bytes there, it is counted
PASSES = 4  # a tag or an extension: what follows is carried by what is in front of it
OWN_END = 8  # it ends with itself, if its size can be; what follows goes on in what it lies in
NEEDS_SIZE = 16  # it is there only where all of it is, not only its fixed bytes
LONG_DATA = 32  # where it is longer than what there is, its DATA are at the end, and so none
CUT = 64  # where it was announced and is not there, the packet is partial
CUT_INSIDE = 128  # the same, but not where it is the first header
DEEP = 256  # the same, where there are too many headers in front of it
MISSIZED = 512  # the packet is partial where its size is impossible
END_BEHIND = 1024  # its end is that of what follows; itself it ends with what it lies in
TUNNEL, LINK_LAYER, TAG, EXTENSION = 2048, 4096, 8192, 16384  # what it is
IDLE = 32768  # neither in it nor behind it is a checksum, or what is counted: who does not ask for its fields goes without

NAMES = (
    "reads",
    "tests",
    "terms",
    "kinds",
    "rules",
    "spaces",
    "entries",
    "sums",
    "lists",
    "items",
    "holds",
    "signatures",
)  # of the tables, in their order
KIND = (
    "fixed", "flags", "data", "claims", "gives", "term", "terms", "align", "end", "scale", "bias", "least", "test", "tests",
    "trailer", "whole", "wholes", "rule", "rules", "exception", "then", "until",
)  # fmt: skip  # the columns of kinds; of a run the first row, and how many
COLUMNS = (4, 5, 5, len(KIND), 6, 4, 4, 17, 8, 12, 10, 5)
