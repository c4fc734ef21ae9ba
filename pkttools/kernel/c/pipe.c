#define _GNU_SOURCE     /* vmsplice */
#include "kernel.h"

#include <fcntl.h>
#include <sys/uio.h>

ssize_t pipe_lend(int fd, const void *at, size_t size)
{
    struct iovec piece = {(void *)(uintptr_t)at, size};
    return vmsplice(fd, &piece, 1, SPLICE_F_NONBLOCK);
}
