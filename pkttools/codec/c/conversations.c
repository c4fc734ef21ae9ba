/* A table of conversations: of each, packets and bytes both ways, and times. A packet is of one conversation: of its innermost header
 * that has addresses, not of what an error message quotes; what is around that, such as tags and tunnels, belongs to the key. Later
 * fragments of a datagram have no ports: they go where the first one goes. What is bounded, and how, is said in
 * ../python/conversations.py, its twin.
 */
#include "conversations.h"
#include "fields.h"
#include "protocols.h"

#include <stdlib.h>

enum { FIRST_BITS = 6, MOST_ALIKE = 8, MOST_ROWS = 1 << 30 };
enum { WAITING = 1024, PLACES = 4 };    /* datagrams whose fragments are known of; places that one of them may have */
#define NONE_CAME UINT32_MAX

struct name {                   /* of a packet's conversation, as it was sent */
    uint8_t source[16], destination[16];
    uint32_t around, oneway;
    int32_t number, group;
    uint16_t source_port, destination_port, ports, kept;       /* kept: always 0 */
};

struct pending {                /* a datagram whose fragments come */
    struct name name;           /* with ports, once the first fragment has come */
    uint64_t number;            /* how many were before it */
    uint32_t id;
    bool used, known;           /* known: the first one has come */
    int64_t time, first, last;  /* of its last fragment; of those that wait */
    struct tallied waits;       /* for the first one */
};

/* ---- hashes ---- */

static uint64_t spread(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

/* Of words, by numbers that nobody knows who sends packets: two keys have the same one by chance only (NH, RFC 4418 section 5.2). */
static uint64_t hash_words(const struct conversations *t, const void *from, size_t words, uint64_t hash)
{
    const uint8_t *at = from;
    for (size_t i = 0; i < words; i++) {
        uint64_t word;
        memcpy(&word, at + 8 * i, sizeof word);
        const uint64_t *secret = &t->secret[2 * (i % HASH_WORDS)];
        hash += (uint32_t)(word + secret[0]) * (uint64_t)(uint32_t)((word >> 32) + secret[1]);
        if (i % HASH_WORDS == HASH_WORDS - 1)
            hash = (hash ^ hash >> 32) * t->secret[2 * HASH_WORDS];
    }
    hash = (hash ^ hash >> 32) * t->secret[2 * HASH_WORDS];
    return hash ^ hash >> 29;
}

/* ---- memory ---- */

struct conversation *conversation_at(const struct conversations *t, uint64_t place)
{
    return (struct conversation *)t->rows[place / PIECES] + place % PIECES;
}

/* By one more than its place. */
static struct connection *connection_at(const struct conversations *t, uint32_t number)
{
    return (struct connection *)t->connections[(number - 1) / PIECES] + (number - 1) % PIECES;
}

struct connection *connection_of(const struct conversations *t, const struct conversation *c)
{
    return c->connects ? connection_at(t, c->connection) : NULL;
}

bool conversations_begin(struct conversations *t, const struct conversation_rules *rules)
{
    *t = (struct conversations){.rules = *rules, .kinds = protocols->count, .bits = FIRST_BITS, .budget = {.memory = rules->memory}};
    uint64_t state = rules->seed;
    for (size_t i = 0; i < sizeof t->secret / sizeof *t->secret; i++)
        t->secret[i] = spread(&state) | 1;
    struct ends *ends = malloc((rules->ends_count + 1) * sizeof *ends);
    struct keeping_apart *apart = malloc((rules->apart_count + 1) * sizeof *apart);
    t->rules.ends = ends;
    t->rules.apart = apart;
    t->by_kind = calloc(t->kinds, sizeof *t->by_kind);
    t->found = calloc((size_t)1 << t->bits, sizeof *t->found);
    if (ends == NULL || apart == NULL || t->by_kind == NULL || t->found == NULL)
        return false;
    if (rules->ends_count > 0)
        memcpy(ends, rules->ends, rules->ends_count * sizeof *ends);
    if (rules->apart_count > 0)
        memcpy(apart, rules->apart, rules->apart_count * sizeof *apart);
    for (size_t i = 0; i < rules->ends_count; i++)
        t->by_kind[ends[i].header].ends = (uint16_t)(i + 1);
    for (size_t i = rules->apart_count; i-- > 0;) {     /* those of a kind stand together */
        t->by_kind[apart[i].header].apart = (uint16_t)(i + 1);
        t->by_kind[apart[i].header].count++;
    }
    return true;
}

void conversations_end(struct conversations *t)
{
    for (uint32_t i = 1; i <= t->connected; i++)
        connection_end(connection_at(t, i), &t->budget);
    for (uint64_t i = 0; i < t->rooms; i++)
        free(t->rows[i]);
    for (uint64_t i = 0; i < t->connection_rooms; i++)
        free(t->connections[i]);
    free(t->rows);
    free(t->connections);
    free(t->found);
    free(t->by_kind);
    free(t->pending);
    free(t->around.found);
    bytes_free(&t->around.text);
    bytes_free(&t->around.ends);
    bytes_free(&t->both);
    bytes_free(&t->oneway);
    free((void *)(uintptr_t)t->rules.ends);
    free((void *)(uintptr_t)t->rules.apart);
}

/* Room for one more of what lies in pieces of PIECES each. */
static bool piece_more(void ***pieces, uint64_t *room, size_t size, struct budget *budget)
{
    void **more = realloc(*pieces, (size_t)(*room + 1) * sizeof *more);
    if (more == NULL)
        return false;
    *pieces = more;
    if ((more[*room] = malloc(size * PIECES)) == NULL)
        return false;
    ++*room;
    budget->held += size * PIECES + sizeof *more;
    return true;
}

/* ---- what is around ---- */

const uint8_t *around_name(const struct conversations *t, uint32_t number, size_t *size)
{
    const uint64_t *ends = (const uint64_t *)(const void *)t->around.ends.at;
    size_t start = number > 1 ? (size_t)ends[number - 2] : 0;
    *size = number > 0 ? (size_t)ends[number - 1] - start : 0;
    return number > 0 ? t->around.text.at + start : NULL;
}

static bool is_name(const struct conversations *t, uint32_t number, const struct bytes *name)
{
    size_t size;
    const uint8_t *at = around_name(t, number, &size);
    return size == name->size && memcmp(at, name->at, size) == 0;
}

static uint32_t *name_slot(const struct conversations *t, const struct bytes *name)
{
    const struct around_names *a = &t->around;
    size_t mask = ((size_t)1 << a->bits) - 1, at = (size_t)(hash_words(t, name->at, name->size / 8, name->size) >> 32) & mask;
    while (a->found[at] != 0 && !is_name(t, a->found[at], name))
        at = (at + 1) & mask;
    return &a->found[at];
}

static bool names_widen(struct conversations *t)
{
    struct around_names *a = &t->around;
    uint32_t *before = a->found, count = (uint32_t)(a->ends.size / sizeof(uint64_t));
    unsigned bits = before == NULL ? FIRST_BITS : a->bits + 1;
    uint32_t *found = calloc((size_t)1 << bits, sizeof *found);
    if (found == NULL)
        return false;
    a->found = found;
    a->bits = bits;
    t->budget.held += sizeof *found << (bits - 1);
    for (uint32_t i = 1; i <= count; i++) {
        size_t size;
        const uint8_t *at = around_name(t, i, &size);
        struct bytes name = {.at = (uint8_t *)(uintptr_t)at, .size = size, .room = size, .held = true};
        *name_slot(t, &name) = i;
    }
    free(before);
    return true;
}

/* The number of a name, which is a new one if it was not met; 0 of an empty one; NONE_CAME: there is no more room. False: no memory. */
static bool number_of_name(struct conversations *t, const struct bytes *name, uint32_t *number)
{
    struct around_names *a = &t->around;
    uint32_t count = (uint32_t)(a->ends.size / sizeof(uint64_t));
    *number = 0;
    if (name->size == 0)
        return true;
    if (a->last != 0 && is_name(t, a->last, name)) {
        *number = a->last;
        return true;
    }
    if ((a->found == NULL || (uint64_t)count * 2 >= (uint64_t)1 << a->bits) && !names_widen(t))
        return false;
    uint32_t *slot = name_slot(t, name);
    if (*slot == 0 && !affords(&t->budget, name->size + 2 * sizeof(uint64_t))) {
        *number = NONE_CAME;
        return true;
    }
    if (*slot == 0) {
        uint64_t end = a->text.size + name->size;
        if (!bytes_need(&a->ends, sizeof end) || !bytes_add(&a->text, name->at, name->size) || !bytes_add(&a->ends, &end, sizeof end))
            return false;
        t->budget.held += name->size + 2 * sizeof end;
        *slot = count + 1;
    }
    *number = a->last = *slot;
    return true;
}

static const struct ends *ends_of(const struct conversations *t, const struct header *h)
{
    size_t at = h->kind < t->kinds ? t->by_kind[h->kind].ends : 0;
    return at > 0 ? &t->rules.ends[at - 1] : NULL;
}

static bool add_words(struct bytes *to, const int64_t *words, size_t count)
{
    return bytes_add(to, words, count * sizeof *words);
}

/* The bytes of a field, at the front of 16. */
static void copy_end(uint8_t out[16], const struct frame *f, const struct header *h, int64_t bit, int64_t width)
{
    memcpy(out, frame_range(f, h->start + (size_t)bit / 8, (size_t)width / 8), (size_t)width / 8);
}

static bool ends_there(const struct ends *e, const struct header *h)
{
    int64_t last = e->source > e->destination ? e->source : e->destination;
    return h->start + (size_t)(last + e->width) / 8 <= h->end;
}

/* The number that a header asks first, such as a protocol, if that can announce something; -1: none. */
static int32_t number_asked(const struct frame *f, const struct header *h)
{
    const struct kind *k = &protocols->kinds[h->kind];
    for (const struct rule *r = k->rules; r < k->rules + k->rules_count; r++)
        if (r->how == BY_SPACE) {
            uint32_t value = read_number(&r->read, f, h->start, h->end);
            return value <= INT32_MAX && (value >= r->space->counted || entry_of(r->space, value) != NULL) ? (int32_t)value : -1;
        }
    return -1;
}

/* What a header in front tells networks apart by. */
static bool add_around(struct conversations *t, const struct frame *f, const struct header *h)
{
    const struct ends *e = ends_of(t, h);
    if (e != NULL && e->level == BY_NETWORK && ends_there(e, h)) {     /* both ways alike */
        uint8_t pair[32] = {0};
        copy_end(pair, f, h, e->source, e->width);
        copy_end(pair + 16, f, h, e->destination, e->width);
        bool turned = memcmp(pair, pair + 16, 16) > 0;
        int64_t front[2] = {e->group, number_asked(f, h)};
        if (!add_words(&t->both, front, 2) || !bytes_add(&t->both, pair + 16 * turned, 16) || !bytes_add(&t->both, pair + 16 * !turned, 16))
            return false;
    }
    const struct by_kind *known = &t->by_kind[h->kind];
    for (const struct keeping_apart *a = &t->rules.apart[known->apart - (known->apart > 0)], *last = a + known->count; a < last; a++) {
        size_t bit = (size_t)h->start * 8 + (size_t)a->bit, width = (size_t)a->width;
        int64_t said[2] = {a->group, bit + width <= (size_t)h->end * 8 ? (int64_t)read_bits(f, bit, width) : -1};
        if (said[1] >= a->least && !add_words(a->oneway ? &t->oneway : &t->both, said, 2))
            return false;
    }
    return true;
}

/* ---- conversations ---- */

static size_t place_of_hash(const struct conversations *t, uint32_t hash)
{
    return hash >> (32 - t->bits);
}

static void found_add(struct conversations *t, uint32_t hash, uint32_t row)
{
    size_t mask = ((size_t)1 << t->bits) - 1, at = place_of_hash(t, hash);
    while (t->found[at].place != 0)
        at = (at + 1) & mask;
    t->found[at] = (struct found_at){hash, row};
}

static uint32_t hash_of_key(const struct conversations *t, const struct key *k)
{
    return (uint32_t)(hash_words(t, k, sizeof *k / 8, 0) >> 32);
}

/* Twice as many places to be found at. */
static bool found_widen(struct conversations *t)
{
    struct found_at *before = t->found, *found = calloc((size_t)2 << t->bits, sizeof *found);
    if (found == NULL)
        return false;
    t->budget.held += sizeof *found << t->bits;
    t->found = found;
    t->bits++;
    for (const struct found_at *at = before, *end = before + ((size_t)1 << (t->bits - 1)); at < end; at++)
        if (at->place != 0)
            found_add(t, at->hash, at->place);
    free(before);
    return true;
}

/* Takes a conversation out of the places where it is found; those behind it that had to give way to it come nearer to their own. */
static void found_remove(struct conversations *t, uint32_t hash, uint32_t row)
{
    size_t mask = ((size_t)1 << t->bits) - 1, at = place_of_hash(t, hash);
    while (t->found[at].place != row)
        at = (at + 1) & mask;
    for (size_t next = (at + 1) & mask; t->found[next].place != 0; next = (next + 1) & mask) {
        size_t home = place_of_hash(t, t->found[next].hash);
        if (((next - home) & mask) >= ((next - at) & mask)) {
            t->found[at] = t->found[next];
            at = next;
        }
    }
    t->found[at].place = 0;
}

/* The list of those that may be forgotten, by when they were seen last. */
static void list_remove(struct conversations *t, const struct conversation *c)
{
    *(c->older != 0 ? &conversation_at(t, c->older - 1)->newer : &t->oldest) = c->newer;
    *(c->newer != 0 ? &conversation_at(t, c->newer - 1)->older : &t->newest) = c->older;
}

static void list_add(struct conversations *t, struct conversation *c, uint32_t row)
{
    c->older = t->newest;
    c->newer = 0;
    *(t->newest != 0 ? &conversation_at(t, t->newest - 1)->newer : &t->oldest) = row;
    t->newest = row;
}

/* A row for a new conversation, one more than its place; 0: there is no room for one. False: no memory. */
static bool row_make(struct conversations *t, bool connects, uint32_t *row)
{
    bool widens = t->count * 2 >= (uint64_t)1 << t->bits, more_rows = t->count == t->rooms * PIECES;
    bool more_connections = connects && t->connected == t->connection_rooms * PIECES;
    /* The table that is widened is there until the wider one is. */
    uint64_t more = (widens ? 2 * sizeof *t->found << t->bits : 0) + more_rows * sizeof(struct conversation) * PIECES
        + more_connections * sizeof(struct connection) * PIECES;
    bool is_more = t->count < t->rules.most && t->count < MOST_ROWS && affords(&t->budget, more), forgets = !is_more && t->rules.forget && t->oldest != 0;
    *row = is_more ? (uint32_t)t->count + 1 : forgets ? t->oldest : 0;
    if (*row == 0)
        return true;
    uint32_t connection = forgets ? conversation_at(t, *row - 1)->connection : 0;
    if ((is_more && widens && !found_widen(t))
        || (is_more && more_rows && !piece_more(&t->rows, &t->rooms, sizeof(struct conversation), &t->budget))
        || (connection == 0 && more_connections && !piece_more(&t->connections, &t->connection_rooms, sizeof(struct connection), &t->budget)))
        return false;                           /* and the table is as it was */
    struct conversation *c = conversation_at(t, *row - 1);
    if (forgets) {
        found_remove(t, hash_of_key(t, &c->key), *row);
        list_remove(t, c);
        t->forgotten++;
    } else
        t->count++;
    if (connects && connection != 0)
        connection_end(connection_at(t, connection), &t->budget);
    else if (connects)
        connection = (uint32_t)++t->connected;
    if (connects)
        connection_begin(connection_at(t, connection));
    *c = (struct conversation){.number = t->numbered++, .connection = connection, .connects = connects};
    return true;
}

/* The key of a name, which is the same both ways; whether the name is that of the way down. */
static unsigned key_of(const struct name *n, struct key *k)
{
    int order = memcmp(n->source, n->destination, 16);
    bool down = order > 0 || (order == 0 && n->source_port > n->destination_port);
    *k = (struct key){.around = n->around, .number = n->number, .group = n->group, .ports = n->ports,
                      .low_port = down ? n->destination_port : n->source_port, .high_port = down ? n->source_port : n->destination_port};
    memcpy(k->low, down ? n->destination : n->source, 16);
    memcpy(k->high, down ? n->source : n->destination, 16);
    return down;
}

/* The conversation of a key; with what is around this way, or where nothing came that way yet. 0: there is none. */
static uint32_t find(const struct conversations *t, const struct key *k, uint32_t hash, uint32_t oneway, unsigned down, unsigned *alike)
{
    size_t mask = ((size_t)1 << t->bits) - 1;
    uint32_t waiting = 0;
    *alike = 0;
    for (size_t at = place_of_hash(t, hash); t->found[at].place != 0; at = (at + 1) & mask) {
        if (t->found[at].hash != hash)
            continue;
        struct conversation *c = conversation_at(t, t->found[at].place - 1);
        if (memcmp(&c->key, k, sizeof *k) != 0)
            continue;
        if (c->oneway[down] == oneway)
            return t->found[at].place;
        if (c->oneway[down] == NONE_CAME && (waiting == 0 || c->number < conversation_at(t, waiting - 1)->number))
            waiting = t->found[at].place;
        if (++*alike == MOST_ALIKE)
            break;
    }
    if (waiting != 0)
        conversation_at(t, waiting - 1)->oneway[down] = oneway;
    return waiting;
}

/* The row of a name, one more than its place, and the way of the packet; 0: there is no room for it. False: no memory. */
static bool row_of(struct conversations *t, const struct name *n, bool connects, uint32_t *row, unsigned *way)
{
    struct key k;
    unsigned down = key_of(n, &k), alike;
    uint32_t hash = hash_of_key(t, &k);
    *row = find(t, &k, hash, n->oneway, down, &alike);
    if (*row == 0 && alike == MOST_ALIKE) {     /* tunnels of this name, so many that each way is by itself */
        k.oneway = n->oneway;
        hash = hash_of_key(t, &k);
        *row = find(t, &k, hash, n->oneway, down, &alike);
    }
    if (*row == 0) {
        if (!row_make(t, connects, row))
            return false;
        if (*row == 0)
            return true;
        struct conversation *c = conversation_at(t, *row - 1);
        c->key = k;
        c->turned = (uint8_t)down;
        c->oneway[down] = n->oneway;
        c->oneway[!down] = n->oneway == 0 ? 0 : NONE_CAME;
        c->first = INT64_MAX;
        c->last = INT64_MIN;
        found_add(t, hash, *row);
        if (t->rules.forget)
            list_add(t, c, *row);
    } else if (t->rules.forget && t->newest != *row) {
        list_remove(t, conversation_at(t, *row - 1));
        list_add(t, conversation_at(t, *row - 1), *row);
    }
    *way = down ^ conversation_at(t, *row - 1)->turned;
    return true;
}

static void tally(struct tallied *to, const struct tallied *more)
{
    to->packets += more->packets;
    to->octets += more->octets;
}

/* Counts packets of a row; 0: of those that there is no room for. */
static void count(struct conversations *t, uint32_t row, unsigned way, const struct tallied *what, int64_t first, int64_t last)
{
    if (row == 0) {
        tally(&t->others, what);
        return;
    }
    struct conversation *c = conversation_at(t, row - 1);
    c->packets[way] += what->packets;
    c->octets[way] += what->octets;
    c->first = first < c->first ? first : c->first;
    c->last = last > c->last ? last : c->last;
}

/* ---- fragments ---- */

/* Counts what waited for the first fragment. Where that did not come, the ports stay unknown. */
static bool settle(struct conversations *t, struct pending *d)
{
    uint32_t row;
    unsigned way;
    if (d->waits.packets == 0)
        return true;
    if (!row_of(t, &d->name, false, &row, &way))
        return false;
    count(t, row, way, &d->waits, d->first, d->last);
    d->waits = (struct tallied){0};
    return true;
}

static int by_number(const void *a, const void *b)
{
    uint64_t one = (*(struct pending *const *)a)->number, other = (*(struct pending *const *)b)->number;
    return one < other ? -1 : one > other;
}

bool conversations_settle(struct conversations *t)
{
    struct pending *waiting[WAITING];
    size_t count = 0;
    for (size_t i = 0; t->pending != NULL && i < WAITING; i++)
        if (t->pending[i].waits.packets > 0)
            waiting[count++] = &t->pending[i];
    qsort(waiting, count, sizeof *waiting, by_number);
    bool done = true;
    for (size_t i = 0; i < count && done; i++)
        done = settle(t, waiting[i]);
    return done;
}

/* Whether fragments are those of a datagram. */
static bool is_of(const struct pending *d, const struct name *bare, uint32_t id)
{
    struct name known = d->name;
    known.source_port = known.destination_port = known.ports = 0;
    return d->used && d->id == id && memcmp(&known, bare, sizeof known) == 0;
}

static bool near_in_time(int64_t a, int64_t b)
{
    return (a > b ? (uint64_t)a - (uint64_t)b : (uint64_t)b - (uint64_t)a) <= TIMEOUT;
}

/* A fragment comes. Its ports are those of the first one of its datagram; while that has not come, it waits, and is of no row yet. At
 * once, where no room for who waits is given, it goes by what is known: it has no ports.
 */
static bool fragment_comes(struct conversations *t, struct name *n, uint32_t id, bool is_first, const struct tallied *one, int64_t time, bool *waits)
{
    if (t->pending == NULL) {
        if ((t->pending = calloc(WAITING, sizeof *t->pending)) == NULL)
            return false;
        t->budget.held += WAITING * sizeof *t->pending;
    }
    struct name bare = *n;
    bare.source_port = bare.destination_port = bare.ports = 0;
    uint64_t words[sizeof bare / 8 + 1] = {0};
    memcpy(words, &bare, sizeof bare);
    words[sizeof bare / 8] = id;
    struct pending *d = &t->pending[hash_words(t, words, sizeof words / 8, 0) >> 32 & (WAITING - PLACES)], *last = d + PLACES;
    struct pending *oldest = d;
    while (d < last && !is_of(d, &bare, id)) {
        if (!d->used || (oldest->used && d->time < oldest->time))
            oldest = d;
        d++;
    }
    d = d < last ? d : oldest;
    if (!is_of(d, &bare, id) || !near_in_time(time, d->time)) {
        if (!settle(t, d))
            return false;
        *d = (struct pending){.name = bare, .number = t->pending_numbered++, .id = id, .used = true};
    }
    d->time = time;
    if (is_first) {
        d->name = *n;
        d->known = true;
        return settle(t, d);
    }
    *n = d->name;
    if (waits != NULL && !d->known) {
        *waits = true;
        d->first = d->waits.packets == 0 || time < d->first ? time : d->first;
        d->last = d->waits.packets == 0 || time > d->last ? time : d->last;
        tally(&d->waits, one);
    }
    return true;
}

/* ---- in order ---- */

struct ranked {
    uint64_t rank;
    int64_t number;
    uint32_t place;
};

static uint64_t rank_of(const struct conversations *t, const struct conversation *c, enum order order)
{
    const struct connection *made = order == BY_HANDSHAKE ? connection_of(t, c) : NULL;
    switch (order) {
    case BY_PACKETS: return c->packets[0] + c->packets[1];
    case BY_OCTETS: return c->octets[0] + c->octets[1];
    case BY_DURATION: return (uint64_t)c->last - (uint64_t)c->first;
    case BY_HANDSHAKE: return made == NULL || !made->timed ? 0 : made->most < 0 ? 1 : 1 + (uint64_t)made->most;
    default: return 0;
    }
}

/* The most first; of those that are equal, the one that came first. */
static int compare(const void *a, const void *b)
{
    const struct ranked *one = a, *other = b;
    if (one->rank != other->rank)
        return one->rank > other->rank ? -1 : 1;
    return one->number < other->number ? -1 : one->number > other->number;
}

/* A heap, of which the last in order is the first: puts one at its end, or in place of the first. */
static void rise(struct ranked *heap, size_t at, struct ranked one)
{
    for (; at > 0 && compare(&heap[(at - 1) / 2], &one) < 0; at = (at - 1) / 2)
        heap[at] = heap[(at - 1) / 2];
    heap[at] = one;
}

static void sink(struct ranked *heap, size_t count, struct ranked one)
{
    size_t at = 0;
    for (size_t child; (child = 2 * at + 1) < count; at = child) {
        child += child + 1 < count && compare(&heap[child + 1], &heap[child]) > 0;
        if (compare(&heap[child], &one) <= 0)
            break;
        heap[at] = heap[child];
    }
    heap[at] = one;
}

bool conversations_order(const struct conversations *t, enum order order, size_t most, uint32_t **places, size_t *count)
{
    *count = least(most, (size_t)t->count);
    struct ranked *heap = malloc((*count + 1) * sizeof *heap);
    *places = malloc((*count + 1) * sizeof **places);
    if (heap == NULL || *places == NULL) {
        free(heap);
        return false;
    }
    for (uint32_t i = 0; i < t->count && *count > 0; i++) {
        const struct conversation *c = conversation_at(t, i);
        struct ranked one = {rank_of(t, c, order), c->number, i};
        if (i < *count)
            rise(heap, i, one);
        else if (compare(&one, heap) < 0)
            sink(heap, *count, one);
    }
    qsort(heap, *count, sizeof *heap, compare);
    for (size_t i = 0; i < *count; i++)
        (*places)[i] = heap[i].place;
    free(heap);
    return true;
}

/* ---- packets ---- */

/* The innermost header with addresses, of those that conversations are told by; NULL: there is none. */
static const struct ends *carrier_of(const struct conversations *t, const struct walk *w, size_t *index)
{
    for (*index = w->count; (*index)-- > 0;) {
        const struct ends *e = ends_of(t, &w->header[*index]);
        if (e != NULL && e->level != BY_PORTS && e->level <= (int64_t)t->rules.level && ends_there(e, &w->header[*index]))
            return e;
    }
    return NULL;
}

/* What is around the header at `carrier`, and tags behind it up to `last`. False: no memory. */
static bool name_around(struct conversations *t, const struct packet_view *p, size_t carrier, size_t last, struct name *n)
{
    t->both.size = t->oneway.size = 0;
    for (size_t i = 0; i <= last; i++)
        if ((i < carrier || is_tag_header(p->walk.header[i].kind)) && !add_around(t, &p->frame, &p->walk.header[i]))
            return false;
    return number_of_name(t, &t->both, &n->around) && number_of_name(t, &t->oneway, &n->oneway);
}

/* Ports of a header of a kind, which may be cut. */
static void read_ports(const struct conversations *t, const struct frame *f, const struct kind *k, size_t at, struct name *n)
{
    const struct header h = {k->number, k->exception, (uint32_t)at, (uint32_t)at, (uint32_t)f->size};
    const struct ends *e = ends_of(t, &h);
    if (e == NULL || e->level != BY_PORTS || !ends_there(e, &h))
        return;
    n->source_port = (uint16_t)read_bits(f, at * 8 + (size_t)e->source, (size_t)e->width);
    n->destination_port = (uint16_t)read_bits(f, at * 8 + (size_t)e->destination, (size_t)e->width);
    n->ports = 1;
}

/* follow: segments of its connection are followed, and fragments wait for their first one; else only whose the packet is is found out. */
static bool converse_own(struct conversations *t, const struct packet_view *p, const struct packet *row, bool follow, struct told *told)
{
    const struct tallied one = {1, (uint64_t)(row->original > row->captured ? row->original : row->captured)};
    const struct frame *f = &p->frame;
    const struct walk *w = &p->walk;
    size_t carrier, last;
    const struct ends *e = carrier_of(t, w, &carrier);
    if (e == NULL) {
        tally(&t->without, &one);
        return true;
    }
    const struct header *h = &w->header[carrier];
    for (last = carrier; last + 1 < w->count && (protocols->kinds[w->header[last + 1].kind].flags & (TAG | EXTENSION)) != 0;)
        last++;
    struct name n = {.number = -1, .group = (int32_t)e->group};
    copy_end(n.source, f, h, e->source, e->width);
    copy_end(n.destination, f, h, e->destination, e->width);
    if (!name_around(t, p, carrier, last, &n))
        return false;
    bool full = n.around == NONE_CAME || n.oneway == NONE_CAME, connects = false, followed = false, waits = false;
    const struct header *next = last + 1 < w->count ? &w->header[last + 1] : NULL;
    struct message m = {0};
    if (t->rules.level == BY_PORTS || (t->rules.level == BY_NETWORK && e->level == BY_LINK))
        n.number = number_asked(f, &w->header[last]);
    if (t->rules.level == BY_PORTS && carries_message(h)) {
        const struct entry *entry = n.number >= 0 ? protocols->carried[h->exception == DATAGRAM_6][n.number & 0xFF].entry : NULL;
        const struct kind *carried = next != NULL ? &protocols->kinds[next->kind] : entry != NULL ? entry->kind : NULL;
        connects = carried != NULL && carried->exception == SEGMENTS;
        enum outcome outcome = next == NULL || connects ? message_of(p, carrier, &m) : CORRECTED;
        struct datagram d;
        if (next != NULL)
            read_ports(t, f, carried, next->start, &n);
        else if (outcome == FRAGMENT && (datagram_of(p, carrier, &d), d.is_fragment) && !full) {
            if (d.offset == 0 && carried != NULL)
                read_ports(t, f, carried, d.payload, &n);
            if (!fragment_comes(t, &n, d.id, d.offset == 0, &one, row->time, follow ? &waits : NULL))
                return false;
        } else if (carried != NULL && outcome == CORRECTED)
            read_ports(t, f, carried, m.at, &n);
        connects = follow && connects && n.ports;
        followed = connects && next != NULL && outcome == CORRECTED && m.at == next->start;
    }
    if (waits)
        return true;
    uint32_t place = 0;
    unsigned way = 0;
    if (!full && !row_of(t, &n, connects, &place, &way))
        return false;
    count(t, place, way, &one, row->time, row->time);
    if (place == 0)
        return true;
    struct conversation *c = conversation_at(t, place - 1);
    told->conversation = c->number;
    told->way = way;
    if (!c->connects || !followed)
        return true;
    size_t end = least(m.at + m.size, wire_end(p, carrier));
    struct arrival a = {f, m.at, end > m.at ? end - m.at : 0, row->time};
    return connection_follow(connection_of(t, c), way, &a, &told->segment, &t->budget);
}

/* A packet comes. What it quotes is not counted: that did not travel here. */
bool converse(struct conversations *t, const struct packet_view *p, const struct packet *row, bool follow, struct told *told)
{
    *told = (struct told){.conversation = -1};
    if (p->walk.quoted == MAX_HEADERS)
        return converse_own(t, p, row, follow, told);
    struct packet_view own = *p;
    leave_out_quoted(&own.walk);
    return converse_own(t, &own, row, follow, told);
}
