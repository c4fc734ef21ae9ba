"""What a text without packets looks like, for those who took the wrong file."""

from __future__ import annotations

import re

KINDS = (
    (rb"\s*\Z", "only blank lines"),
    (rb"<(!doctype html|html)\b", "HTML"),
    (rb"<\?xml\b", "XML"),
    (rb"[\[{][\s\"{\[]", "JSON, which pkt-json2txt reads"),
    (rb"(0x)?[0-9a-f]{4,8}:?[ \t]+[0-9a-f]{2,4}[ \t]+[0-9a-f]{2}", "a dump, which pkt-hex2txt reads"),
    (rb"(\d\d:\d\d:\d\d\.\d+[ ,]|\d+\s+\d+\.\d{6}\s)", "what tcpdump or tshark print: both write a capture with -w"),
    (rb"(TIME|SIZE):[ \t]*\d", "lines of packets, of which each begins with '--' and ends with '=='"),
)


def looks_like(head: bytes) -> str:
    """What a text without packets is, by its first bytes."""
    start = head.lstrip()
    what = next((what for pattern, what in KINDS if re.match(pattern, start, re.IGNORECASE)), "")
    return f"not packet text but {what}" if what else "not packet text"
