#define _GNU_SOURCE     /* clock_gettime */
#include "kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

/* The time in microseconds, as nanoseconds. */
static int64_t clock_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec / 1000 * 1000;
}

/* Sets a lock at a place, or takes it away; false where somebody else has it. */
static bool locked(int fd, int64_t place, short kind)
{
    struct flock lock = {.l_type = kind, .l_whence = SEEK_SET, .l_start = place, .l_len = 1};
    return fcntl(fd, F_SETLK, &lock) == 0 || (errno != EAGAIN && errno != EACCES);
}

/* Writes what the output takes at once. Where that is only a part, the lock stays until the rest is written, too: nobody is to write in
 * between. */
static size_t written(const struct turns_between *b, const uint8_t *at, size_t size)
{
    if (b->lock > 0 && !locked(b->writing, b->lock, F_WRLCK))
        return 0;
    ssize_t done = write(b->writing, at, size);
    if (b->lock > 0 && (done <= 0 || (size_t)done == size))
        locked(b->writing, b->lock, F_UNLCK);
    return done > 0 ? (size_t)done : 0;
}

struct turns take_turns(const struct turns_between *b, const struct step *step, uint8_t *buffer, size_t size, size_t most)
{
    struct turns t = {0};
    struct pollfd ends[] = {{b->reading, POLLIN, 0}, {b->wake, POLLIN, 0}};
    while (t.rest_size == 0 && poll(ends, 2, -1) > 0 && ends[1].revents == 0) {
        ssize_t came = read(b->reading, buffer, size);
        if (came <= 0)
            break;
        const uint8_t *out;
        size_t out_size;
        if ((size_t)came > most || !step->take(step->whose, buffer, (size_t)came, b->now > 0 ? b->now : clock_now(), &out, &out_size)) {
            t.used = (size_t)came;
            break;
        }
        size_t done = out_size > 0 ? written(b, out, out_size) : 0;
        t.written += done;
        t.rest = out + done;
        t.rest_size = out_size - done;
    }
    return t;
}
