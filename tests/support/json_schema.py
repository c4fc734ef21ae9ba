"""The JSON schema of what `pkt-analyze --json` writes, from the descriptions of protocols.

python -m tests.support.json_schema > examples/packet.schema.json
"""

from __future__ import annotations

import json
from typing import Any

from pkttools.batch import MAX_FCS, MAX_FRAME
from pkttools.protocols.fields import DATA, FIELDS, IPV4, IPV6, MAC, TABLE, TEXT
from pkttools.protocols.values import largest

BYTES = r"^([0-9a-f]{2})*$"
PATTERNS = {
    MAC: ("mac", r"^([0-9a-f]{2}:){5}[0-9a-f]{2}$"),
    IPV4: ("ipv4", r"^[0-9]{1,3}(\.[0-9]{1,3}){3}$"),
    IPV6: ("ipv6", r"^[0-9a-f:.]{2,45}$"),
    DATA: ("bytes", BYTES),
    TEXT: ("text", r"^([ !#-\[\]-~]|\\x[0-9a-f]{2})*$"),
}


def integer(most: int) -> dict[str, Any]:
    return {"type": "integer", "minimum": 0, "maximum": most}


def one_or_several(of: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [of, {"type": "array", "items": of, "minItems": 2}]}


def type_of(name: str) -> tuple[str, dict[str, Any]]:
    """What a field's values are: a name of that, and the schema of one value."""
    rows = [TABLE[index] for index in FIELDS[name]]
    if rows[0].kind in PATTERNS:
        called, pattern = PATTERNS[rows[0].kind]
        return called, {"type": "string", "pattern": pattern}
    most = max(map(largest, rows))
    return f"to{most}", integer(most)


def schema() -> dict[str, Any]:
    """The whole of it."""
    defs: dict[str, Any] = {}
    layers: dict[str, dict[str, Any]] = {}
    for name in FIELDS:
        layer, _, field = name.partition(".")
        called, of = type_of(name)
        defs[called] = one_or_several(of)
        layers.setdefault(layer, {})[field] = {"$ref": f"#/$defs/{called}"}
    headers = {
        name: {"type": "object", "properties": fields, "additionalProperties": False, "minProperties": 1}
        for name, fields in layers.items()
    }
    value = {"anyOf": [integer((1 << 128) - 1), {"type": "string"}, {"type": "array"}]}
    own = {"type": "object", "description": "of a protocol of one's own (--protocols)", "additionalProperties": value}
    date = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.([0-9]{6}|[0-9]{9})Z$"
    facts = {
        "number": {"type": "integer", "minimum": 1, "description": "of the packet"},
        "time": {"type": "integer", "description": "nanoseconds since 1970"},
        "time_utc": {"type": "string", "pattern": date, "description": "the same time"},
        "captured": {**integer(MAX_FRAME), "description": "bytes that are there"},
        "original": {**integer((1 << 32) - 1), "description": "bytes on the wire"},
        "linktype": {**integer((1 << 32) - 1), "description": "what the frame begins with, as in pcap"},
        "fcs": {**integer(MAX_FCS), "description": "octets of the frame check sequence at its end, where known"},
        "fcs_count": {**integer(15), "description": "what a pcap header wrongly counts of them"},
        "notes": {"type": "array", "items": {"type": "string", "pattern": "^(IFACE|WAY|NOTE|LOST):"}, "minItems": 1},
        "frame": {"type": "string", "pattern": BYTES, "description": "all captured bytes"},
        "check": {"type": "string", "pattern": "^[0-9a-f]{8}$", "description": "CRC-32 of the frame, from the link type on"},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A packet, as pkt-analyze --json writes it",
        "type": "object",
        "required": [name for name in facts if name not in ("fcs", "fcs_count", "notes")],
        "properties": {**facts, **{name: one_or_several({"$ref": f"#/$defs/{name}"}) for name in headers}},
        "additionalProperties": one_or_several({"$ref": "#/$defs/own"}),
        "$defs": {"own": own, **dict(sorted(defs.items())), **headers},
    }


def text() -> str:
    """The schema, a line a property and a definition."""
    parts = []
    for key, value in schema().items():
        if key in ("properties", "$defs"):
            lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(one)}" for name, one in value.items())
            parts.append(f" {json.dumps(key)}: {{\n{lines}\n }}")
        else:
            parts.append(f" {json.dumps(key)}: {json.dumps(value)}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


if __name__ == "__main__":
    print(text(), end="")
