#!/bin/sh
# sdp-transform 3.0.0 (npm) cannot read a media description with a number of ports, says nothing, and writes "m=undefined NaN undefined" for
# it. For @webex/ts-sdp 1.8.2 (npm) there is no media then, and what follows is of the session: its address becomes the session's.
# "m=audio 49170/2 RTP/AVP 0" is two sessions of RTP at successive ports (RFC 8866 section 5.14).
. "$(dirname "$0")/common"
node_packages sdp-transform@3.0.0 @webex/ts-sdp@1.8.2
seen=$(cd "$folder" && node - << 'END'
const transform = require('sdp-transform')
const { parse } = require('@webex/ts-sdp')
const lines = ['v=0', 'o=- 1 1 IN IP4 192.0.2.1', 's=-', 'c=IN IP4 192.0.2.1', 't=0 0', 'm=audio 49170/2 RTP/AVP 0', 'c=IN IP4 198.51.100.1', '']
const read = parse(lines.join('\r\n'))
console.log(transform.write(transform.parse(lines.join('\r\n'))).split('\r\n').find(line => line.startsWith('m=')))
console.log(read.media.length, 'media, session at', read.session.connection.ipAddr)
END
)
verdict "m=audio 49170/2 RTP/AVP 0
1 media, session at 192.0.2.1" "m=undefined NaN undefined 
0 media, session at 198.51.100.1" "$seen"
