"""How fast the commands are, beside other programs: python -m tests.benchmarks

__main__    options, the order of things, exit code
capture     the reference capture, and our own checksums
work        what is run: stages, pipes, other programs
processes   runs them, and says what they used
checks      whether what they wrote is right; nothing is timed before
timing      the measurements, each a list of rows
sending     the measurement of pkt-send, on a wire of its own
report      the rows as a table
"""
