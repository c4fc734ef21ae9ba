"""Durations counted in little memory, however many they are."""

from __future__ import annotations

from .. import ABOVE, BELOW, JITTER, LAST, LEAST, STEPS, WORST


def count_durations(values: bytes, state: bytearray) -> None:
    """Counts durations, 64 bits each in native order, in a state; in the beginning that is all 0.

    It has how many there are of each step, 16 to each doubling, how many of zero and more and below zero, the shortest, the
    longest and the last, and as a double their jitter as if they were delays of packets, RFC 3550 section 6.4.1. Raises
    ValueError.
    """
    if memoryview(values).nbytes % 8 or len(state) != 8 * (JITTER + 1):
        raise ValueError("durations or state of another size")
    with memoryview(state) as view, view.cast("q") as whole, view.cast("d") as real:
        least, worst, last, jitter = whole[LEAST], whole[WORST], whole[LAST], real[JITTER]
        for value in memoryview(values).cast("B").cast("q"):
            if whole[ABOVE] + whole[BELOW]:
                jitter += (float(abs(value - last)) - jitter) / 16
                least, worst = min(least, value), max(worst, value)
            else:
                least = worst = value
            last, size = value, abs(value)
            bits = max(size, 1).bit_length()
            step = min(bits * 16 + (size << 4 >> bits - 1 & 15), STEPS - 1)
            whole[ABOVE if value >= 0 else BELOW] += 1
            whole[step if value >= 0 else STEPS + step] += 1
        whole[LEAST], whole[WORST], whole[LAST], real[JITTER] = least, worst, last, jitter
