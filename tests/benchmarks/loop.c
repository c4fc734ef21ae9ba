/* What a program does at least that sets the type of ICMP packets over Ethernet and IPv4, from pcap to pcap: reads, lets the checksum
 * follow, which has to be right (RFC 1624), and writes. Little-endian captures on little-endian machines; nothing is checked.
 */
#include <stdint.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK = 264 << 10, HEADER = 24, RECORD = 16, SNAP_AT = 16, SNAP = 262144, TYPE = 8 };
enum { ETHERTYPE_AT = 12, IP_AT = 14, PROTOCOL_AT = 23, TYPE_AT = 34, CHECKSUM_AT = 36, LEAST = 42 };

static uint8_t buffer[BLOCK];

static void set_type(uint8_t *frame)
{
    uint32_t total = (~(uint32_t)(frame[CHECKSUM_AT] << 8 | frame[CHECKSUM_AT + 1]) & 0xFFFF) + (~(uint32_t)(frame[TYPE_AT] << 8) & 0xFFFF)
        + (TYPE << 8);
    total = (total & 0xFFFF) + (total >> 16);
    total = ~((total & 0xFFFF) + (total >> 16));
    frame[TYPE_AT] = TYPE;
    frame[CHECKSUM_AT] = (uint8_t)(total >> 8);
    frame[CHECKSUM_AT + 1] = (uint8_t)total;
}

int main(void)
{
    size_t used = 0, at = HEADER;
    ssize_t got;
    while ((got = read(STDIN_FILENO, buffer + used, BLOCK - used)) > 0) {
        used += (size_t)got;
        if (at == HEADER)
            memcpy(buffer + SNAP_AT, &(uint32_t){SNAP}, sizeof(uint32_t));      /* as pkt-pipe writes it */
        while (used >= at + RECORD) {
            uint32_t captured;
            memcpy(&captured, buffer + at + 8, sizeof captured);
            if (used - at - RECORD < captured)
                break;
            uint8_t *frame = buffer + at + RECORD;
            if (captured >= LEAST && frame[ETHERTYPE_AT] == 8 && frame[ETHERTYPE_AT + 1] == 0 && frame[IP_AT] == 0x45
                && frame[PROTOCOL_AT] == 1 && frame[TYPE_AT] != TYPE)
                set_type(frame);
            at += RECORD + captured;
        }
        for (size_t done = 0; done < at;) {
            ssize_t put = write(STDOUT_FILENO, buffer + done, at - done);
            if (put < 0)
                return 1;
            done += (size_t)put;
        }
        memmove(buffer, buffer + at, used -= at);
        at = 0;
    }
    return got < 0;
}
