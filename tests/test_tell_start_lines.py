"""What is told of HTTP and SIP, which are known by the form of their first line.

What is said of judges was noted from tshark 4.0.17, tcpdump 4.99.3.
"""

from __future__ import annotations

import pytest
from told import tell

HEAD = b"HTTP/1.1 200 OK\r\n"
NEXT = b"HTTP/1.1 204 No Content\r\n\r\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.1"),
        # RFC 9110 section 9.1: any token, and case counts. tcpdump knows no PATCH, neither of them PURGE
        (b"PATCH /a HTTP/1.1\r\n\r\n", "PATCH /a HTTP/1.1"),
        (b"PURGE /a HTTP/1.1\r\n\r\n", "PURGE /a HTTP/1.1"),
        (b"get /a HTTP/1.1\r\n\r\n", "get /a HTTP/1.1"),
        (b"M-SEARCH * HTTP/1.1\r\n\r\n", "M-SEARCH * HTTP/1.1"),
        # RFC 9112 section 2.2: an empty line in front, LF alone
        (b"\r\nGET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1"),
        (b"\nGET / HTTP/1.0\n\n", "GET / HTTP/1.0"),
        # section 4: a reason may be empty, its space missing
        (b"HTTP/1.1 200 \r\n\r\n", "HTTP/1.1 200 "),
        (b"HTTP/1.1 200\r\n\r\n", "HTTP/1.1 200"),
        (b"HTTP/1.1 404 Not Found\r\n\r\n", "HTTP/1.1 404 Not Found"),
        (b"GET /\xc3\xa9\x1b[2J\\ HTTP/1.1\r\n\r\n", r"GET /\xc3\xa9\x1b[2J\\ HTTP/1.1"),
    ],
)  # fmt: skip
def test_first_lines(text, told):
    """By form: on any port, too."""
    assert tell("http", text) == told
    assert tell("stream", text) == told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"GET /long", "GET /long [|]"),
        (b"GET /long HTTP/1", "GET /long HTTP/1 [|]"),
        (b"HTTP/1.1 20", "HTTP/1.1 20 [|]"),
        (b"GET /old\r\n", "GET /old"),  # HTTP 0.9
        (b"ICY 200 OK\r\n\r\n", None),  # no HTTP
        (b"HTTP/1.1 2xx\r\n\r\n", None),
        (b"HTTP/11 200\r\n\r\n", None),
        (b"hello, world\r\n", None),
        (b"G\xc3\xa9T / HTTP/1.1\r\n\r\n", None),
        (b"\r\n\r\n", None),
        (b" / HTTP/1.1\r\n", None),
    ],
)  # fmt: skip
def test_where_it_is_expected(text, told):
    """What the segment cuts is told where HTTP is expected, and marked; elsewhere it is not enough to go by."""
    assert tell("http", text) == told
    assert tell("stream", text) is None


@pytest.mark.parametrize(
    ("text", "more"),
    [
        (HEAD + b"Content-Length: 2\r\n\r\nhi" + NEXT, 1),
        (HEAD + b"content-LENGTH:2  \n\nhi" + NEXT * 2, 2),
        (HEAD + b"Content-Length: 99\r\n\r\n" + b"x" * 20 + NEXT, 0),
        (HEAD + b"Content-Length: x\r\n\r\n" + b"x" * 20 + NEXT, 0),
        (HEAD + b"Content-Length: 99999999999999999999999999\r\n\r\nhi" + NEXT, 0),
        (HEAD + b"Content-Length: 500\r\n\r\n" + NEXT, 1),  # of HEAD: tshark waits for a body that never comes
        (HEAD + b"\r\nuntil the end " + NEXT, 0),  # neither length nor chunks: to the end
        (HEAD + b"Transfer-Encoding: gzip, chunked\r\nContent-Length: 1\r\n\r\n4;a=b\r\nwiki\r\n0\r\nT: x\r\n\r\n"
         + NEXT, 1),
        (HEAD + b"Transfer-Encoding: chunked, gzip\r\n\r\n4\r\nwiki\r\n0\r\n\r\n" + NEXT, 0),
        (HEAD + b"Transfer-Encoding: unchunked\r\n\r\n4\r\nwiki\r\n0\r\n\r\n" + NEXT, 0),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n6\r\nwiki\r\n0\r\n\r\n" + NEXT, 0),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFFF\r\nwiki\r\n0\r\n\r\n" + NEXT, 0),
        (b"HTTP/1.1 304 x\r\nContent-Length: 5\r\n\r\n" + NEXT, 1),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + HEAD + b"Content-Length: 0\r\n\r\n", 1),
        (b"GET / HTTP/1.1\r\nContent-Type: a\r\n\r\nGET /b HTTP/1.1\r\n\r\n", 1),
        (b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcGET /b HTTP/1.1\r\n\r\nGET /c HT", 1),
        (b"GET / HTTP/1.1\r\n\r\n" * 1000, 999),
    ],
)  # fmt: skip
def test_several(text, more):
    """The first, and how many follow, by where bodies end: RFC 9112 section 6."""
    line = tell("http", text)
    assert line is not None
    assert line.partition(" (")[2] == (f"+{more} more)" if more else "")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"INVITE sip:bob@example.com SIP/2.0\r\nCall-ID: 7@a\r\n\r\n", "INVITE sip:bob@example.com SIP/2.0 call-id 7@a"),
        # RFC 3261 sections 7.3.1 and 7.3.3: compact names, folded lines, blanks in front of the colon, methods that nobody knows
        (b"WAVE sip:b SIP/2.0\r\ni: 7@a\r\n\r\n", "WAVE sip:b SIP/2.0 call-id 7@a"),
        (b"SIP/2.0 180 Ringing\r\nCSeq\t : 1\r\n INVITE\r\nI:\r\n\t7@a\r\n\r\n", "SIP/2.0 180 Ringing cseq 1 INVITE call-id 7@a"),
        (b"SIP/2.0 200 OK\r\nl: 2\r\n\r\nhiBYE sip:b SIP/2.0\r\nl: 0\r\n\r\n\r\n\r\nACK sip:b SIP/2.0\r\n\r\n",
         "SIP/2.0 200 OK (+2 more)"),
        (b"SIP/2.0 200 OK\r\nContent-Length : 2\r\n\r\nhiBYE sip:b SIP/2.0\r\n\r\n", "SIP/2.0 200 OK (+1 more)"),
        (b"\r\n\r\n", "keep-alive"),  # RFC 5626 section 3.5.1
        (b"\r\n", "keep-alive answer"),
        (b"SIP/2.0 200 OK\r\nCall-ID: \x1b\xe2\x80\xae\r\n\r\n", r"SIP/2.0 200 OK call-id \x1b\xe2\x80\xae"),
        (b"INVITE sip:b", "INVITE sip:b [|]"),
        (b"GET / HTTP/1.1\r\n\r\n", None),
    ],
)  # fmt: skip
def test_sip(text, told):
    assert tell("sip", text) == told
    if told is not None and "[|]" not in told and "keep" not in told:
        assert tell("stream", text) == told
