#define _GNU_SOURCE     /* ppoll */
#include "kernel.h"

#include <errno.h>
#include <poll.h>
#include <sys/prctl.h>
#include <time.h>

enum {
    AT_ONCE = 16,               /* frames that are sent after one look at the clock: the last of them leaves some 10 us after it */
    SLICE = 20000000,           /* nanoseconds after which a call ends behind what it has just sent: for signals, progress, carrier */
    SECOND = 1000000000,
    CLOSE = 2000,               /* nanoseconds between frames that are sent together when both are due: to send one takes as long */
    APART = 10000,              /* nanoseconds at least between others, or half of the gap, where the one before was late */
    HURRY = 50000000,           /* who is later than that sends what is due as fast as it can */
};

/* ---- deadlines ---- */

static int64_t added(int64_t a, int64_t b)
{
    int64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? (b < 0 ? INT64_MIN : INT64_MAX) : sum;
}

static int64_t less(int64_t a, int64_t b)
{
    int64_t difference;
    return __builtin_sub_overflow(a, b, &difference) ? (b < 0 ? INT64_MAX : INT64_MIN) : difference;
}

static int64_t times(int64_t a, int64_t b)      /* neither is below zero */
{
    int64_t product;
    return __builtin_mul_overflow(a, b, &product) ? INT64_MAX : product;
}

/* To the nearest integer, to an even one from the middle: as Python rounds. */
static int64_t rounded(double x)
{
    if (x >= 0x1p63)
        return INT64_MAX;
    if (x < -0x1p63)
        return INT64_MIN;
    int64_t whole = (int64_t)x;         /* towards zero */
    double rest = x - (double)whole;
    bool odd = whole % 2 != 0;
    return whole + (rest > 0.5 || (odd && rest == 0.5)) - (rest < -0.5 || (odd && rest == -0.5));
}

size_t sizes_sound(const uint8_t *rows, size_t first, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if ((uint64_t)packet_at(rows, first + i).captured > INT32_MAX)
            return i;
    return count;
}

void deadlines(const struct pace_rules *r, struct pace *p, const uint8_t *rows, size_t first, size_t count, int64_t *due)
{
    for (size_t i = 0; i < count; i++) {
        const struct packet packet = packet_at(rows, first + i);
        int64_t steps = p->count, bits = p->bits, since = p->first;
        if (r->after_previous) {
            steps = steps > 0;
            bits = p->last_bits;
            since = packet.time < p->last_stamp ? packet.time : p->last_stamp;
        }
        double gap = r->pps > 0 ? (double)steps * 1e9 / r->pps
            : r->mbps > 0 ? (double)bits * 1e3 / r->mbps
            : r->fast ? 0 : (double)less(packet.time, since) / r->speed;
        int64_t wanted = added(rounded(gap), times(steps, r->wait));
        if (!r->after_previous) {
            wanted = added(p->start, wanted);
            wanted = p->last_due = wanted > p->last_due ? wanted : p->last_due; /* a time that goes back is not late, it is due at once */
        }
        due[i] = wanted;
        p->count++;
        p->last_bits = packet.captured * 8;
        p->bits = added(p->bits, p->last_bits);
        p->last_stamp = packet.time;
    }
}

/* ---- the loop ---- */

static int64_t clock_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * SECOND + t.tv_nsec;
}

/* Waits until `due`, looking at the clock all the time for the last `busy` nanoseconds; false when something woke it before. */
static bool wait_until(int64_t due, int wake, int64_t busy, int64_t *now)
{
    for (;;) {
        *now = clock_now();
        int64_t left = due - *now;
        if (left <= 0)
            return true;
        if (left <= busy)
            continue;
        struct pollfd waker = {.fd = wake, .events = POLLIN};
        struct timespec nap = {(time_t)((left - busy) / SECOND % 3600), (long)((left - busy) % SECOND)};
        if (ppoll(&waker, 1, &nap, NULL) != 0)
            return false;
    }
}

/* When to send a packet: when it is due; or, where the one before was late, not at once behind that one. Who was held up makes up for
 * it, but not by a burst: gaps of up to twice APART are wrong by half of what they should be, and not by all of it.
 */
static int64_t spaced(int64_t due, int64_t due_before, int64_t sent_before)
{
    const int64_t gap = less(due, due_before);
    const int64_t soon = added(sent_before, gap / 2 < APART ? gap / 2 : APART);
    return gap > CLOSE && less(sent_before, due_before) < HURRY && soon > due ? soon : due;
}

/* Sends packets by their sockets, those in a row that go by the same one together, up to the first that fails. */
static struct burst send_by(const struct paced_to *to, const uint8_t *ways, const uint8_t *data, const uint8_t *rows, size_t first,
                            size_t count, struct paced_by *by)
{
    struct burst all = {0, 0, 0};
    while (all.sent < count && all.error == 0) {
        const uint8_t way = ways ? ways[all.sent] : 0;
        size_t run = ways ? 1 : count;
        while (all.sent + run < count && ways[all.sent + run] == way)
            run++;
        struct burst burst = {run, 0, 0};
        if (to->fds[way] >= 0)
            burst = send_burst(to->fds[way], data, rows, first + all.sent, run, 0);
        by[way].sent += (int64_t)burst.sent;
        by[way].bytes += (int64_t)burst.bytes;
        all.sent += burst.sent;
        all.error = burst.error;
    }
    return all;
}

struct paced send_paced(const struct paced_to *to, const uint8_t *data, const uint8_t *rows, size_t first, size_t count,
                        const int64_t *due, int64_t previous, int64_t *late, struct paced_by *by)
{
    struct paced done = {.last = previous};
    const int64_t end = clock_now() + SLICE;
    prctl(PR_SET_TIMERSLACK, 1UL);      /* nanoseconds: else the kernel lets sleep(2) take 50 us more */
    const bool gaps = previous >= 0;
    int64_t now = 0;
    do {
        const size_t at = done.sent;
        int64_t deadline = gaps ? added(done.last, due[at]) : due[at];
        if (!wait_until(gaps || at == 0 ? deadline : spaced(deadline, due[at - 1], now), to->wake, to->busy, &now))
            break;
        size_t together = 1;
        const bool hurry = less(now, deadline) >= HURRY;
        while (!gaps && together < AT_ONCE && at + together < count && due[at + together] <= now
                && (hurry || less(due[at + together], due[at + together - 1]) <= CLOSE))
            together++;
        struct burst burst = send_by(to, to->ways ? to->ways + at : NULL, data, rows, first + at, together, by);
        done.error = burst.error == EINTR ? 0 : burst.error;
        done.sent += burst.sent;
        size_t tried = burst.sent + (done.error != 0);
        for (size_t i = 0; i < tried; i++)
            late[at + i] = now - (gaps ? deadline : due[at + i]);
        done.tried += tried;
        if (gaps && tried)
            done.last = now;
        if (burst.error)
            break;
    } while (done.sent < count && now < end);
    return done;
}
