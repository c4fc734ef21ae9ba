"""Programs that a backend runs over a batch: the numbers they consist of, for who compiles them and for the Python twin.

What they mean is told in ../language/program.py. codec.h and program.c have the same in C; a test compares.
"""

NUMBER, DATA, FAMILY, LITTLE, TEXT = range(5)  # kinds of fields
EQUAL, UNEQUAL, LESS, AT_MOST, MORE, AT_LEAST, PRESENT, LAYER, BPF = range(9)  # what a test compares
SET, ADD, SUBTRACT, SWAP = range(4)  # what an assignment does
ACCEPT, REJECT = -1, -2  # where tests end
FIELD_COLUMNS, TEST_COLUMNS, ASSIGNMENT_COLUMNS = 8, 11, 9  # of `struct field`, `struct test` and `struct assignment`
