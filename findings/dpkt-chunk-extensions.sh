#!/bin/sh
# dpkt 1.9.8 refuses HTTP messages whose chunks have an extension: their size is an invalid one for it.
# A recipient must ignore the extensions of chunks that it does not know (RFC 9112 section 7.1.1).
. "$(dirname "$0")/common"
packages dpkt==1.9.8
seen=$("$python" - << 'END'
import dpkt

head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
for extension in b"", b";name=value":
    try:
        print(dpkt.http.Response(head + b"5" + extension + b"\r\nhello\r\n0\r\n\r\n").body.decode(), end="; ")
    except dpkt.UnpackError as error:
        print(error, end="; ")
END
)
verdict "hello; hello; " "hello; invalid chunk size; " "$seen"
