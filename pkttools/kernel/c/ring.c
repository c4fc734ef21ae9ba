/* Blocks of a TPACKET_V3 ring (linux/if_packet.h). What stands in them is checked like any input. */
#include "kernel.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <linux/if_packet.h>

enum {
    HEAD = sizeof(struct tpacket_block_desc),
    PACKET = sizeof(struct tpacket3_hdr) + sizeof(struct sockaddr_ll),  /* in front of every packet */
    ADDRESSES = 12,             /* bytes of Ethernet's two addresses: the tag stands behind them */
    COOKED = 16,                /* bytes of the header of a cooked packet */
    COOKED_ADDRESS = 8,         /* of the sender's address in it */
    COOKED_TYPE = 14,           /* where in it the protocol stands: the tag stands there, in front of it */
    TAG = 4,
};
_Static_assert((int)HEAD == (int)RING_HEAD, "module.c asks for blocks of more than their head");

static bool has(size_t size, size_t at, size_t more)
{
    return at <= size && more <= size - at;
}

/* The head of a block that the kernel has handed over. */
static bool handed_over(const uint8_t *block, struct tpacket_block_desc *head)
{
    const uint32_t *status = (const uint32_t *)(const void *)(block + offsetof(struct tpacket_block_desc, hdr.bh1.block_status));
    /* Acquire: what the kernel wrote before it handed the block over is seen, and no earlier. */
    if (!(__atomic_load_n(status, __ATOMIC_ACQUIRE) & TP_STATUS_USER)) {
        errno = EAGAIN;
        return false;
    }
    memcpy(head, block, sizeof *head);
    return true;
}

ssize_t ring_used(const uint8_t *block, size_t size)
{
    struct tpacket_block_desc head;
    if (!handed_over(block, &head))
        return -1;
    if (head.hdr.bh1.blk_len <= HEAD || head.hdr.bh1.blk_len > size) {
        errno = EBADMSG;
        return -1;
    }
    return (ssize_t)head.hdr.bh1.blk_len;
}

ssize_t ring_count(const uint8_t *block, size_t size)
{
    struct tpacket_block_desc head;
    if (!handed_over(block, &head))
        return -1;
    if (head.hdr.bh1.num_pkts > (size - HEAD) / PACKET) {
        errno = EBADMSG;
        return -1;
    }
    return (ssize_t)head.hdr.bh1.num_pkts;
}

/* Puts a header in front of a packet that the kernel took off: LINKTYPE_LINUX_SLL. The kernel leaves 16 bytes there. */
static void put_header(uint8_t *header, const struct sockaddr_ll *from)
{
    const size_t length = from->sll_halen < COOKED_ADDRESS ? from->sll_halen : COOKED_ADDRESS;
    const uint8_t said[] = {
        0, from->sll_pkttype, (uint8_t)(from->sll_hatype >> 8), (uint8_t)from->sll_hatype, 0, from->sll_halen,
    };
    memset(header, 0, COOKED);
    memcpy(header, said, sizeof said);
    memcpy(header + sizeof said, from->sll_addr, length);
    memcpy(header + COOKED_TYPE, &from->sll_protocol, sizeof from->sll_protocol);
}

/* Puts a tag back, behind `moved` bytes of a frame: they move down, into the room that PACKET_RESERVE made. */
static void put_tag(uint8_t *frame, size_t moved, const struct tpacket3_hdr *h)
{
    unsigned type = h->tp_status & TP_STATUS_VLAN_TPID_VALID ? h->hv1.tp_vlan_tpid : 0x8100, tag = h->hv1.tp_vlan_tci;
    const uint8_t bytes[TAG] = {(uint8_t)(type >> 8), (uint8_t)type, (uint8_t)(tag >> 8), (uint8_t)tag};
    memmove(frame - TAG, frame, moved);
    memcpy(frame - TAG + moved, bytes, TAG);
}

int ring_read(uint8_t *block, size_t size, int64_t offset, size_t count, const struct ring_rules *rules,
              struct ring_rows *found)
{
    struct tpacket_block_desc head;
    memcpy(&head, block, sizeof head);
    size_t at = head.hdr.bh1.offset_to_first_pkt;
    for (size_t i = 0; i < count; i++) {
        struct tpacket3_hdr h;
        struct sockaddr_ll from;
        if (!has(size, at, PACKET))
            goto bad;
        memcpy(&h, block + at, sizeof h);
        memcpy(&from, block + at + sizeof h, sizeof from);
        size_t tag = h.tp_status & TP_STATUS_VLAN_VALID ? TAG : 0, header = rules->cooked ? COOKED : 0, start = at + h.tp_mac;
        if (h.tp_mac < PACKET + header + tag || !has(size, start, h.tp_snaplen))
            goto bad;
        int way = from.sll_pkttype == PACKET_OUTGOING;
        if (rules->wanted[way]) {
            uint8_t *frame = block + start - header;
            if (rules->cooked)
                put_header(frame, &from);
            if (tag)
                put_tag(frame, rules->cooked ? COOKED_TYPE : h.tp_snaplen < ADDRESSES ? h.tp_snaplen : ADDRESSES, &h);
            int64_t more = (int64_t)(header + tag), captured = (int64_t)h.tp_snaplen + more, original = (int64_t)h.tp_len + more;
            int64_t time = (int64_t)h.tp_sec * 1000000000 + h.tp_nsec;
            if (captured > rules->limit)
                captured = rules->limit;
            struct packet row = {
                .offset = offset + (int64_t)start - more, .captured = captured,
                .original = original > captured ? original : captured, .time = rules->nano ? time : time - time % 1000,
                .linktype = rules->linktype, .notes = offset + rules->notes[way],
                .notes_size = rules->notes_size[way],
            };
            found->rows[found->count++] = row;
            found->by_card += (h.tp_status & TP_STATUS_TS_RAW_HARDWARE) != 0;
            if (h.tp_status & TP_STATUS_CSUMNOTREADY)
                found->unfinished[found->unfinished_count++] = row;
        }
        if (i + 1 < count && h.tp_next_offset < PACKET)
            goto bad;
        at += h.tp_next_offset;
    }
    return 0;
bad:
    errno = EBADMSG;
    return -1;
}

void ring_give(uint8_t *block)
{
    uint32_t *status = (uint32_t *)(void *)(block + offsetof(struct tpacket_block_desc, hdr.bh1.block_status));
    __atomic_store_n(status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
}
