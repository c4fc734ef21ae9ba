/* Packets in another order: by time, or by keys. Twin of ../python/order.py. */
#include "codec.h"

#include <stdlib.h>

enum { RUN = 16 };              /* packets that are put in order one by one */

struct turn {                   /* of a packet, when it comes */
    uint64_t first;             /* what it goes by; of a key its first octets */
    size_t index;
};

struct turns {                  /* what is sorted */
    const uint8_t *data;
    size_t size;
    const struct packet *packets;
    bool keyed;
};

struct sort_key sort_key_of(const uint8_t *data, size_t size, const struct packet *p)
{
    size_t at = (size_t)p->notes + (size_t)p->notes_size;
    uint32_t told;
    if (at > size || size - at < sizeof told)
        return (struct sort_key){data, 0};
    memcpy(&told, data + at, sizeof told);
    at += sizeof told;
    return (struct sort_key){data + at, told <= size - at ? told : 0};
}

int sort_key_order(struct sort_key a, struct sort_key b)
{
    size_t both = a.size < b.size ? a.size : b.size;
    int order = both > 0 ? memcmp(a.at, b.at, both) : 0;
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

bool bytes_add_key(struct bytes *b, struct sort_key key)
{
    const uint32_t told = (uint32_t)key.size;
    return bytes_add(b, &told, sizeof told) && bytes_add(b, key.at, key.size);
}

static struct turn turn_of(const struct turns *t, size_t index)
{
    const struct packet *p = &t->packets[index];
    if (!t->keyed)
        return (struct turn){(uint64_t)p->time ^ UINT64_C(1) << 63, index};     /* so that what is below zero is less */
    uint8_t front[8] = {0};
    struct sort_key key = sort_key_of(t->data, t->size, p);
    memcpy(front, key.at, key.size < sizeof front ? key.size : sizeof front);
    return (struct turn){(uint64_t)read32(front, true) << 32 | read32(front + 4, true), index};
}

static bool key_before(const struct turns *t, size_t one, size_t other)
{
    return sort_key_order(sort_key_of(t->data, t->size, &t->packets[one]), sort_key_of(t->data, t->size, &t->packets[other])) < 0;
}

/* Whether a packet belongs in front of another one, wherever they stand now. */
static inline bool before(const struct turns *t, struct turn one, struct turn other)
{
    return one.first != other.first ? one.first < other.first : t->keyed && key_before(t, one.index, other.index);
}

static void insert(const struct turns *t, struct turn *turn, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct turn one = turn[i];
        size_t at = i;
        for (; at > 0 && before(t, one, turn[at - 1]); at--)
            turn[at] = turn[at - 1];
        turn[at] = one;
    }
}

/* How many of those that are in order do not come behind another one; or, strictly, come before it. */
static size_t count_before(const struct turns *t, const struct turn *turn, size_t count, struct turn other, bool strictly)
{
    size_t low = 0;
    while (low < count) {
        size_t middle = low + (count - low) / 2;
        if (strictly ? before(t, turn[middle], other) : !before(t, other, turn[middle]))
            low = middle + 1;
        else
            count = middle;
    }
    return low;
}

/* Merges two runs, one behind the other, of which only what overlaps is moved: nearly nothing where they were nearly in order. */
static void join(const struct turns *t, struct turn *turn, size_t middle, size_t count, struct turn *room)
{
    if (!before(t, turn[middle], turn[middle - 1]))
        return;
    size_t at = count_before(t, turn, middle, turn[middle], false);
    size_t end = middle + count_before(t, turn + middle, count - middle, turn[middle - 1], true);
    size_t left = 0, lefts = middle - at, right = middle;
    memcpy(room, turn + at, lefts * sizeof *turn);
    while (left < lefts)
        turn[at++] = right < end && before(t, turn[right], room[left]) ? turn[right++] : room[left++];
}

/* Puts rows where their turns say, each row once. */
static void put_in_turn(struct packet *p, struct turn *turn, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct packet held = p[i];
        size_t at = i;
        for (size_t from = turn[i].index; from != i; from = turn[at].index) {
            p[at] = p[from];
            turn[at].index = at;
            at = from;
        }
        p[at] = held;
        turn[at].index = at;
    }
}

bool sort_rows(struct packet *p, size_t count, const uint8_t *data, size_t size, bool keyed, bool *sorted)
{
    *sorted = true;
    if (!keyed)                 /* mostly they are, and it takes no memory to see it */
        for (size_t i = 1; i < count && *sorted; i++)
            *sorted = p[i - 1].time <= p[i].time;
    if (count < 2 || (!keyed && *sorted))
        return true;
    struct turn *turn = malloc(count * sizeof *turn), *room = malloc(count * sizeof *room);
    bool done = turn != NULL && room != NULL;
    if (done) {
        const struct turns t = {data, size, p, keyed};
        for (size_t i = 0; i < count; i++)
            turn[i] = turn_of(&t, i);
        for (size_t i = 0; i < count; i += RUN)
            insert(&t, turn + i, count - i < RUN ? count - i : RUN);
        for (size_t width = RUN; width < count; width *= 2)
            for (size_t i = 0; count - i > width; i += 2 * width) {
                join(&t, turn + i, width, count - i < 2 * width ? count - i : 2 * width, room);
                if (count - i <= 2 * width)
                    break;
            }
        *sorted = true;
        for (size_t i = 0; i < count && *sorted; i++)
            *sorted = turn[i].index == i;
        put_in_turn(p, turn, count);
    }
    free(turn);
    free(room);
    return done;
}
