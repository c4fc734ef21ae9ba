"""What came of expectations, as a report: for people, as JSON, as TAP, and as JUnit's XML.

TAP: https://testanything.org/tap-version-14-specification.html. JUnit: the elements and attributes that Jenkins and Maven's
surefire agree on.
"""

from __future__ import annotations

import json

from ..errors import counted, visible
from .expectation import Expectation
from .judging import SHOWN, Judge
from .nearest import came, nearest, nearest_to

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"


class Result:
    """What came of one expectation. facts: for programs. details: lines behind the message, where it failed."""

    def __init__(self, name: str, outcome: str, message: str, details: list[str], **facts: object) -> None:
        self.name, self.outcome, self.message, self.details = name, outcome, message, details
        self.facts: dict[str, Any] = facts


def results(judge: Judge) -> list[Result]:
    """What came of each expectation, and of nothing else being there, where that was asked for."""
    early = judge.settled and not judge.passed
    found = [result(judge, one, early) for one in judge.expectations]
    if judge.only:
        numbers = numbers_of([number for number, _ in judge.instead], judge.others)
        message = f"{counted(judge.others, 'packet')} not expected, {numbers}" if judge.others else "nothing else came"
        details = [f"it is {line}" for line in came(judge)]
        if near := nearest_to(judge, [number for number, _ in judge.instead]):
            expectation, number, misses = near
            details += [f"nearest to '{expectation.name}': packet {number}", *(f"  {miss}" for miss in misses)]
        found.append(Result("nothing else", FAILED if judge.others else PASSED, message, details, matched=judge.others))
    return found


def result(judge: Judge, one: Expectation, early: bool) -> Result:
    """What came of one. early: the outcome was known before the end."""
    facts = {"wanted": str(one.count), "matched": one.matched, "numbers": one.numbers}
    numbers = f", {numbers_of(one.numbers, one.matched)}" if one.matched else ""
    message = f"{counted(one.matched, 'packet') if one.matched else 'no packet'}{numbers}"
    if one.passed:
        return Result(one.name, PASSED, message, [], **facts)
    if one.exceeded:
        return Result(one.name, FAILED, f"{message}; wanted: {one.count}", [], **facts)
    message = f"{message}; wanted: {one.count}"
    if early:
        return Result(one.name, SKIPPED, f"{message}; not waited for", [], **facts)
    details = []
    if one.early:
        number, waited = one.early
        facts["early"] = number
        details.append(f"packet {number} matches, and came too early, while '{waited}' was waited for")
    elif one.taken:
        number, taker = one.taken
        details.append(f"packet {number} matches, and counts for '{taker}', which takes all that match: with COUNT 1 it takes one")
    elif found := nearest(judge, one):
        number, misses = found
        details.append(f"nearest: packet {number}")
        details += [f"  {miss}" for miss in misses]
        facts["nearest"] = {"number": number, "misses": [
            {"field": miss.field, "expected": miss.expected, "value": miss.value} for miss in misses]}  # fmt: skip
    if judge.others:
        details.append(f"{counted(judge.others, 'packet')} came that nobody expects:")
        details += [f"  {line}" for line in came(judge)]
        details += [f"  and {judge.others - SHOWN} more"] if judge.others > SHOWN else []
    else:
        details.append(f"{counted(judge.seen, 'packet')} came, all expected by others" if judge.seen else "no packet came at all")
    return Result(one.name, FAILED, message, details, **facts)


def numbers_of(numbers: list[int], count: int) -> str:
    """Which packets: `number 3`, `numbers 3, 4...`."""
    more = "..." if count > len(numbers) else ""
    return f"number{'s' if count > 1 else ''} {', '.join(map(str, numbers))}{more}"


def as_text(found: list[Result], facts: dict[str, Any]) -> str:
    """For people."""
    words = {PASSED: "ok", FAILED: "FAILED", SKIPPED: "skipped"}
    lines = []
    for one in found:
        lines.append(f"{words[one.outcome]}: {one.name}: {one.message}")
        lines += [f"    {line}" for line in one.details]
    return "".join(f"{visible(line)}\n" for line in lines)


def as_failures(found: list[Result], facts: dict[str, Any]) -> str:
    """The same, of what is not as it was expected."""
    return as_text([one for one in found if one.outcome != PASSED], facts)


def as_json(found: list[Result], facts: dict[str, Any]) -> str:
    """An object on a line."""
    made = [{"name": one.name, "outcome": one.outcome, "message": one.message, **one.facts} for one in found]
    return json.dumps({"passed": all(one.outcome == PASSED for one in found), **facts, "expectations": made}) + "\n"


def as_tap(found: list[Result], facts: dict[str, Any]) -> str:
    """The Test Anything Protocol, version 14; details in YAML, each value as JSON, which is YAML, too."""
    lines = ["TAP version 14", f"1..{len(found)}"]
    for number, one in enumerate(found, 1):
        name = visible(one.name).replace("\\", "\\\\").replace("#", "\\#")
        skip = f" # SKIP {visible(one.message)}" if one.outcome == SKIPPED else ""
        lines.append(f"{'not ok' if one.outcome == FAILED else 'ok'} {number} - {name}{skip}")
        if one.outcome == FAILED:
            lines += ["  ---", f"  message: {json.dumps(one.message)}", "  severity: fail"]
            lines += [f"  {key}: {json.dumps(fact)}" for key, fact in one.facts.items()]
            lines += ["  details:", *(f"    - {json.dumps(line)}" for line in one.details)] if one.details else []
            lines.append("  ...")
    return "".join(f"{line}\n" for line in lines)


def as_junit(found: list[Result], facts: dict[str, Any]) -> str:
    """A test suite of JUnit, a case an expectation."""
    from xml.sax.saxutils import escape, quoteattr  # late: seldom

    def attributes(**values: object) -> str:
        return "".join(f" {name}={quoteattr(visible(str(value)))}" for name, value in values.items())

    count = {outcome: sum(one.outcome == outcome for one in found) for outcome in (PASSED, FAILED, SKIPPED)}
    seconds = f"{facts['seconds']:.3f}"
    totals = {"tests": len(found), "failures": count[FAILED], "errors": 0}
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f"<testsuites{attributes(name='pkt-expect', **totals, time=seconds)}>",
        f"<testsuite{attributes(name='pkt-expect', **totals, skipped=count[SKIPPED], time=seconds, timestamp=facts['began'])}>",
    ]
    for one in found:
        case = attributes(classname="pkt-expect", name=one.name, time=seconds)
        if one.outcome == PASSED:
            lines.append(f"<testcase{case}/>")
            continue
        kind = {FAILED: "failure", SKIPPED: "skipped"}[one.outcome]
        typed = {"type": "expectation"} if one.outcome == FAILED else {}
        text = escape("".join(f"{visible(line)}\n" for line in one.details))
        inside = f">{text}</{kind}>" if text and kind == "failure" else "/>"
        lines += [f"<testcase{case}>", f"<{kind}{attributes(message=one.message, **typed)}{inside}", "</testcase>"]
    return "\n".join([*lines, "</testsuite>", "</testsuites>", ""])
