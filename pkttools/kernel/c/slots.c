/* Slots of a TPACKET_V2 ring (linux/if_packet.h) of a socket with PACKET_VNET_HDR. What stands in them is checked like any input.
 * Who has no ring fills slots from the socket's queue. */
#define _GNU_SOURCE     /* recvmmsg */
#include "kernel.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <time.h>
#include <sys/socket.h>
#include <linux/if_packet.h>

enum {
    VIRTIO = 10,                /* bytes of struct virtio_net_hdr, which stands in front of the frame */
    NEEDS_CSUM = 1,             /* its flag: the checksum is still to be finished */
    HEADERS = 2, START = 6,     /* where in it the size of the headers stands, and where the checksum begins */
    ADDRESSES = 12,             /* bytes of Ethernet's two addresses: the tag stands behind them */
    TAG = 4,
    FROM = TPACKET_ALIGN(sizeof(struct tpacket2_hdr)),          /* where in a slot struct sockaddr_ll stands */
    HEAD = FROM + sizeof(struct sockaddr_ll),                   /* in front of every packet */
    FRAME = TPACKET_ALIGN(HEAD + VIRTIO + TAG),                 /* where the kernel lets frames begin, with room for a tag */
    STAMPS = 3,                 /* struct timespec in what SO_TIMESTAMPING says; the first one is the kernel's own */
};
_Static_assert((int)HEAD == (int)SLOT_HEAD, "module.c asks for slots of more than their head");
_Static_assert((int)FRAME == (int)SLOT_FRAME, "module.c asks for slots that have room for a frame");

static uint32_t *status_of(uint8_t *slot)
{
    return (uint32_t *)(void *)(slot + offsetof(struct tpacket2_hdr, tp_status));
}

/* Adds the size of a tag to a number of the virtio header, in this machine's order. */
static void add_tag(uint8_t *at)
{
    uint16_t number;
    memcpy(&number, at, sizeof number);
    number = (uint16_t)(number + TAG);
    memcpy(at, &number, sizeof number);
}

/* Puts a tag back into a frame: virtio header and addresses move down, into the room that PACKET_RESERVE made. */
static void put_tag(uint8_t *frame, size_t size, const struct tpacket2_hdr *h)
{
    unsigned type = h->tp_status & TP_STATUS_VLAN_TPID_VALID ? h->tp_vlan_tpid : 0x8100, tag = h->tp_vlan_tci;
    const uint8_t bytes[TAG] = {(uint8_t)(type >> 8), (uint8_t)type, (uint8_t)(tag >> 8), (uint8_t)tag};
    size_t moved = size < ADDRESSES ? size : ADDRESSES;
    uint8_t *virtio = frame - TAG - VIRTIO;
    memmove(virtio, frame - VIRTIO, VIRTIO + moved);
    memcpy(frame - TAG + moved, bytes, TAG);
    if (virtio[HEADERS] || virtio[HEADERS + 1])
        add_tag(virtio + HEADERS);
    if (virtio[0] & NEEDS_CSUM)
        add_tag(virtio + START);
}

int slots_read(uint8_t *ring, size_t size, size_t first, size_t most, int64_t linktype, struct slots *found)
{
    for (size_t i = first; i < first + most && !found->aside; i++, found->met++) {
        uint8_t *slot = ring + i * size;
        /* Acquire: what the kernel wrote before it handed the slot over is seen, and no earlier. */
        if (!(__atomic_load_n(status_of(slot), __ATOMIC_ACQUIRE) & TP_STATUS_USER))
            break;
        struct tpacket2_hdr h;
        memcpy(&h, slot, sizeof h);
        found->aside = (h.tp_status & TP_STATUS_COPY) != 0;
        if (!found->aside && h.tp_snaplen < h.tp_len) {
            found->cut++;
            continue;
        }
        size_t tag = h.tp_status & TP_STATUS_VLAN_VALID && !found->aside ? TAG : 0;
        if (h.tp_mac < HEAD + VIRTIO + tag || h.tp_mac > size || h.tp_snaplen > size - h.tp_mac) {
            errno = EBADMSG;
            return -1;
        }
        if (tag)
            put_tag(slot + h.tp_mac, h.tp_snaplen, &h);
        found->rows[found->count++] = (struct packet){
            .offset = (int64_t)(i * size + h.tp_mac - tag), .captured = (int64_t)(h.tp_snaplen + tag),
            .original = (int64_t)h.tp_len + (int64_t)tag, .time = (int64_t)h.tp_sec * 1000000000 + h.tp_nsec,
            .linktype = linktype,
        };
    }
    return 0;
}

void slots_give(uint8_t *ring, size_t size, size_t first, size_t count)
{
    for (size_t i = first; i < first + count; i++)
        __atomic_store_n(status_of(ring + i * size), TP_STATUS_KERNEL, __ATOMIC_RELEASE);
}

/* What is said beside a message, as a slot's head says it. */
static void heed(struct msghdr *message, struct tpacket2_hdr *h)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
        struct tpacket_auxdata beside;
        struct timespec stamps[STAMPS];
        if (c->cmsg_level == SOL_PACKET && c->cmsg_type == PACKET_AUXDATA && c->cmsg_len >= CMSG_LEN(sizeof beside)) {
            memcpy(&beside, CMSG_DATA(c), sizeof beside);
            h->tp_status |= beside.tp_status & (TP_STATUS_VLAN_VALID | TP_STATUS_VLAN_TPID_VALID);
            h->tp_vlan_tci = beside.tp_vlan_tci;
            h->tp_vlan_tpid = beside.tp_vlan_tpid;
        } else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_TIMESTAMPING && c->cmsg_len >= CMSG_LEN(sizeof stamps)) {
            memcpy(stamps, CMSG_DATA(c), sizeof stamps);
            h->tp_sec = (uint32_t)stamps[0].tv_sec;
            h->tp_nsec = (uint32_t)stamps[0].tv_nsec;
        }
    }
}

ssize_t slots_fill(int fd, uint8_t *ring, size_t size, size_t count)
{
    struct mmsghdr messages[SLOT_MOST];
    struct iovec rooms[SLOT_MOST];
    struct sockaddr_ll from[SLOT_MOST];
    _Alignas(struct cmsghdr) uint8_t beside[SLOT_MOST][CMSG_SPACE(sizeof(struct tpacket_auxdata))
                                                       + CMSG_SPACE(STAMPS * sizeof(struct timespec))];
    if (count > SLOT_MOST)
        count = SLOT_MOST;
    for (size_t i = 0; i < count; i++) {
        uint8_t *slot = ring + i * size;
        rooms[i] = (struct iovec){slot + FRAME - VIRTIO, size - (FRAME - VIRTIO)};
        messages[i].msg_hdr = (struct msghdr){
            .msg_name = &from[i], .msg_namelen = sizeof from[i], .msg_iov = &rooms[i], .msg_iovlen = 1,
            .msg_control = beside[i], .msg_controllen = sizeof beside[i],
        };
    }
    /* One call: an error behind some that came is kept for the next one. */
    int came = count ? recvmmsg(fd, messages, (unsigned)count, MSG_DONTWAIT | MSG_TRUNC, NULL) : 0;
    if (came < 0 && errno == EINVAL) {
        const struct tpacket2_hdr gone = {.tp_status = TP_STATUS_USER, .tp_mac = FRAME, .tp_len = 1};
        memset(ring, 0, HEAD);
        memcpy(ring, &gone, sizeof gone);
        return 1;
    }
    if (came < 0)
        return errno == EAGAIN ? 0 : -1;
    for (size_t i = 0; i < (size_t)came; i++) {
        size_t got = messages[i].msg_len, kept = got < rooms[i].iov_len ? got : rooms[i].iov_len;
        struct tpacket2_hdr h = {
            .tp_status = TP_STATUS_USER, .tp_mac = FRAME, .tp_len = got > VIRTIO ? (uint32_t)(got - VIRTIO) : 0,
            .tp_snaplen = kept > VIRTIO ? (uint32_t)(kept - VIRTIO) : 0,
        };
        heed(&messages[i].msg_hdr, &h);
        struct sockaddr_ll way = {0};
        if (messages[i].msg_hdr.msg_namelen >= sizeof way - sizeof way.sll_addr)
            way.sll_pkttype = from[i].sll_pkttype;
        memcpy(ring + i * size, &h, sizeof h);
        memcpy(ring + i * size + FROM, &way, sizeof way);
    }
    return came;
}
