"""The JSON schema in examples/: it is that of the descriptions, and what is written keeps to it."""

from __future__ import annotations

import json

import pytest
from conftest import ROOT, shell
from json_schema import text
from samples import batch, frames

from pkttools import codec
from pkttools.batch import Packet, gathered, link_of

SCHEMA = ROOT / "examples" / "packet.schema.json"


def test_it_is_made_of_the_descriptions() -> None:
    assert SCHEMA.read_text() == text(), "python -m tests.support.json_schema > examples/packet.schema.json"


def test_what_is_written_keeps_to_it() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    b = batch(frames())
    lines = bytes(codec.json_encode(b.data, b.rows, 0, 1)[0]).splitlines()
    noted = gathered([Packet(b"\0" * 60, 60, 1, link_of(1, 4, 3), b"NOTE: \x1b\xff\n")])
    lines += bytes(codec.json_encode(noted.data, noted.rows, 0, 1)[0]).splitlines()
    words = f"--protocols {ROOT}/examples/protocols/chat.protocol --in {ROOT}/examples/protocols/chat.txt"
    lines += shell(f"pkt-analyze --json {words}").stdout.splitlines()
    assert len(lines) > 60
    for line in lines:
        validator.validate(json.loads(line))


@pytest.mark.parametrize(
    "change",
    [{"IP": {"TTL": 256}}, {"IP": {"TTL": "1"}}, {"IP": {"NO": 1}}, {"fram": "00"}, {"frame": "0"}, {"frame": None}, {"time": 1.5}],
)
def test_what_is_wrong_does_not(change: dict) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    validator = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text()))
    good = json.loads(shell(f"pkt-analyze --json -l 1 --in {ROOT}/examples/ping.txt").stdout)
    assert validator.is_valid(good) and not validator.is_valid({**good, **change})
