/* Where a learning bridge sends frames, IEEE 802.1Q sections 8.6 and 8.7. */
#include "codec.h"

enum { MAC = 6, HEAD = 14 };     /* bytes of an address; of the Ethernet header */

static bool zero_or_group(const uint8_t *mac)
{
    static const uint8_t none[MAC];
    return mac[0] & 1 || memcmp(mac, none, MAC) == 0;
}

/* 01-80-C2-00-00-00 to -0F: between two bridges, for none beyond them, IEEE 802.1Q table 8-1. */
static bool reserved(const uint8_t *mac)
{
    static const uint8_t block[] = {0x01, 0x80, 0xC2, 0x00, 0x00};
    return memcmp(mac, block, sizeof block) == 0 && mac[5] < 16;
}

bool forward(const uint8_t *data, const struct packet *packets, size_t count, int source, const struct stations *stations,
             int *out, int64_t counts[FORWARD_COUNTS])
{
    const uint8_t *from = NULL, *to = NULL;     /* of the frame before: most often the next one's are the same */
    int found = TO_NOBODY;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *frame = data + packets[i].offset;
        if (packets[i].captured < HEAD) {
            counts[FORWARD_SHORT]++;
            out[i] = TO_NOBODY;
            continue;
        }
        if (from == NULL || memcmp(frame + MAC, from, MAC) != 0) {
            from = frame + MAC;
            if (!zero_or_group(from)) {
                enum learning learnt = stations->learn(stations->of, from);
                if (learnt == FAILED)
                    return false;
                counts[FORWARD_MOVED] += learnt == MOVED;
                counts[FORWARD_FULL] += learnt == FULL;
                if (learnt != KNOWN)
                    to = NULL;  /* it may be the one just found elsewhere, or not at all */
            }
        }
        if (to == NULL || memcmp(frame, to, MAC) != 0) {
            to = frame;
            found = to[0] & 1 ? (reserved(to) ? TO_NOBODY : TO_ALL) : stations->find(stations->of, to);
            if (found == TO_ERROR)
                return false;
        }
        out[i] = found == source ? TO_NOBODY : found;
        counts[FORWARD_FLOODED] += found == TO_ALL;
        counts[FORWARD_FILTERED] += found == source;
        counts[FORWARD_RESERVED] += found == TO_NOBODY;
    }
    return true;
}
