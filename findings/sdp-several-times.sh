#!/bin/sh
# sdp-transform 3.0.0 and @webex/ts-sdp 1.8.2 (npm) keep the last one of a session's times alone; for @webex/ts-sdp the repetitions of all
# others are repetitions of that.
# A session that is active at several times has several lines of times, each followed by its own repetitions (RFC 8866 sections 5.9 and 5.10).
. "$(dirname "$0")/common"
node_packages sdp-transform@3.0.0 @webex/ts-sdp@1.8.2
seen=$(cd "$folder" && node - << 'END'
const transform = require('sdp-transform')
const { parse } = require('@webex/ts-sdp')
const times = ['t=3724394400 3724398000', 'r=604800 3600 0', 't=3724484400 3724488000', 'r=86400 1800 0']
const text = ['v=0', 'o=- 1 1 IN IP4 192.0.2.1', 's=-', 'c=IN IP4 192.0.2.1', ...times, 'm=audio 49170 RTP/AVP 0', ''].join('\r\n')
for (const written of [transform.write(transform.parse(text)), parse(text).toString()])
  console.log(written.split('\r\n').filter(line => /^[tr]=/.test(line)).join(' '))
END
)
all="t=3724394400 3724398000 r=604800 3600 0 t=3724484400 3724488000 r=86400 1800 0"
verdict "$all
$all" "t=3724484400 3724488000 r=86400 1800 0
t=3724484400 3724488000 r=604800 3600 0 r=86400 1800 0" "$seen"
