#!/bin/sh
# pcap-ng-parser 1.0.0 (npm) takes an option's length for eight times as many octets: the name of an interface goes on with the options
# behind it, which are then not there, the resolution of times as well.
# An option's length is in octets, without the padding (draft-ietf-opsawg-pcapng section 3.5).
. "$(dirname "$0")/common"
node_packages pcap-ng-parser@1.0.0
cd "$folder"
python3 - << 'END'
from frames import *
open("file.pcapng", "wb").write(section() + interface((2, b"eth0"), (9, b"\x09")) + enhanced(SECOND * 10**9))
END
seen=$(node - << 'END'
const Parser = require('pcap-ng-parser')
const parser = new Parser()
parser.on('interface', of => console.log(`name ${JSON.stringify(of.name)}, resolution ${'code_9' in of ? 'there' : 'not there'}`))
parser.on('data', () => {})
require('fs').createReadStream('file.pcapng').pipe(parser)
END
)
verdict 'name "eth0", resolution there' 'name "eth0\t\u0001\t(", resolution not there' "$seen"
