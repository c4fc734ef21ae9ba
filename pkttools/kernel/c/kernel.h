/* What the kernel offers beyond Python's os and socket modules; twins of the same names under ../python.
 *
 * Only module.c knows Python. The functions give a count, or -1 with errno set, as system calls do.
 */
#ifndef PKTTOOLS_KERNEL_H
#define PKTTOOLS_KERNEL_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* pipe.c */

/* Puts pages into a pipe without copying them, vmsplice(2): they must stay as they are until they have been read. */
ssize_t pipe_lend(int fd, const void *at, size_t size);

#endif
