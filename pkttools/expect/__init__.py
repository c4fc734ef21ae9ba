"""Packets that are expected: what has to come, how often, in which order, and what is said where it does not.

expectation  one: conditions, perhaps all bytes, and how many packets are to match
written      those of a command line, and of a file
judging      counts what matches, until the outcome is known
nearest      which packet came nearest to what did not come, and what it misses
saying       the report: for people, as JSON, TAP and JUnit's XML
report       the end of the flow: the clock, and the report
beside       a command that runs meanwhile
"""
