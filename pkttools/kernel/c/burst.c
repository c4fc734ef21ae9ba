#define _GNU_SOURCE     /* sendmmsg */
#include "kernel.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

enum { CHUNK = 64 };            /* messages a system call: more gain nothing, and these fit on the stack */

size_t rows_within(const uint8_t *rows, size_t first, size_t count, size_t size, size_t headroom)
{
    for (size_t i = first; i < first + count; i++) {
        struct packet p = packet_at(rows, i);
        if (p.offset < 0 || (uint64_t)p.offset < headroom || p.captured < 0 || (uint64_t)p.captured > size
            || (uint64_t)p.offset > size - (uint64_t)p.captured)
            return i - first;
    }
    return count;
}

struct burst send_burst(int fd, const uint8_t *data, const uint8_t *rows, size_t first, size_t count, size_t headroom)
{
    struct burst done = {0, 0, 0};
    struct iovec frames[CHUNK];
    struct mmsghdr messages[CHUNK];
    size_t most = count < CHUNK ? count : CHUNK;
    memset(messages, 0, most * sizeof messages[0]);
    for (size_t i = 0; i < most; i++) {
        messages[i].msg_hdr.msg_iov = &frames[i];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    while (done.sent < count) {
        size_t wanted = count - done.sent < CHUNK ? count - done.sent : CHUNK;
        for (size_t i = 0; i < wanted; i++) {
            struct packet p = packet_at(rows, first + done.sent + i);
            frames[i] = (struct iovec){(void *)(uintptr_t)(data + p.offset - headroom), (size_t)p.captured + headroom};
        }
        int sent = sendmmsg(fd, messages, (unsigned)wanted, MSG_DONTWAIT);
        if (sent < 0) {
            done.error = errno;
            break;
        }
        /* Fewer than wanted: the next one fails. Why is not said before it is tried again, as the first one. */
        for (int i = 0; i < sent; i++)
            done.bytes += frames[i].iov_len - headroom;
        done.sent += (size_t)sent;
    }
    return done;
}
