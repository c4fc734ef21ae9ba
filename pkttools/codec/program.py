"""Programs that a backend runs over a batch: the numbers they consist of, for who compiles them and for the Python twin.

What they mean is told in ../language/program.py. codec.h and program.c have the same in C; a test compares.
"""

NUMBER, DATA, FAMILY, LITTLE, TEXT = range(5)  # kinds of fields
# What a test compares:
EQUAL, UNEQUAL, LESS, AT_MOST, MORE, AT_LEAST, PRESENT, LAYER, BPF, WITHIN, CONTAINS, EVERY, SAMPLE = range(13)
SET, ADD, SUBTRACT, SWAP, COPY, NEXT = range(6)  # what an assignment does
OF_TIME, OF_SIZE, OF_CAPTURED, OF_NUMBER, OF_IFACE, OF_WAY, OF_NOTE, NOTHING = range(-8, 0)  # asked in the place of a field
ANY = 0  # in the place of an occurrence: one of them is enough
ACCEPT, REJECT = -1, -2  # where tests end
TEST_COLUMNS, ASSIGNMENT_COLUMNS = 13, 10  # of `struct test` and `struct assignment`


def said_by(notes: bytes, fact: int) -> list[bytes]:
    """What each line of a packet's notes says that begins with the word of OF_IFACE, OF_WAY or OF_NOTE; no blanks around it."""
    word = {OF_IFACE: b"IFACE:", OF_WAY: b"WAY:", OF_NOTE: b"NOTE:"}[fact]
    return [line[len(word) :].strip(b" \t\r") for line in notes.split(b"\n") if line.startswith(word)]
