/* What a stage does that filters, corrects and assigns, from text to text: decode, select, correct, assign, encode, packet by packet.
 * Twin of ../python/relay.py. All that asks for more, be it a message, a line or a number that is to be told, is left to these one by
 * one.
 */
#include "relay.h"

/* Whether all of a text was read, and nothing is to be said of it: neither of a line nor of bytes that only SIZE tells of. */
static bool is_plain(const struct text_decoder *d, const struct relay *r, size_t size)
{
    const struct packet *p = (const struct packet *)(const void *)d->packets.at;
    size_t count = d->packets.size / sizeof *p, captured = 0;
    bool plain = count > 0 && d->error == NO_ERROR && d->consumed == size && d->linktype == r->linktype
                 && (d->stray | d->shortened | d->filled | d->unplaced | d->cut) == 0;
    for (size_t i = 0; i < count && plain; i++) {
        captured += (size_t)p[i].captured;
        plain = p[i].linktype == r->linktype && captured <= size;
    }
    return plain;
}

/* Corrects a packet; false where that is not all that there is to say of it. */
static bool corrected(const struct relay *r, const struct writable_frame *f, const struct packet *p, int64_t *wrong)
{
    struct corrected found;
    if (correct(f, p->original, p->linktype, (enum correction)r->corrects, MAX_HEADERS, &found) != CORRECTED)
        return false;
    *wrong += found.wrong;
    return !found.unfinished && found.doubt == SURE && found.untold.beyond == 0 && found.untold.signature == 0;
}

/* Filters, corrects, assigns and writes packets; fresh: counts of these alone. */
static bool passed_on(struct relay *r, struct text_decoder *d, size_t *fresh, size_t all, int64_t *passed, int64_t *met, int64_t *wrong)
{
    const struct packet *p = (const struct packet *)(const void *)d->packets.at;
    int64_t count = (int64_t)(d->packets.size / sizeof *p);
    struct extra none = {NULL, 0};
    for (int64_t i = 0; i < count; i++) {
        struct packet own;
        const struct packet *bare = without_fcs(&p[i], &own);
        const struct writable_frame f = writable(d->data.at + bare->offset, (size_t)bare->captured);
        if (r->keep != NULL && !matches(r->keep, &f.view, bare, &p[i], d->data.at, r->came + i + 1, NULL))
            continue;
        if (r->corrects >= 0 && !corrected(r, &f, bare, wrong))
            return false;
        if (r->assignments != NULL
            && (r->guard == NULL || matches(r->guard, &f.view, bare, &p[i], d->data.at, r->passed + *passed + 1, NULL))) {
            struct untold untold = assign(r->assignments, &f, bare->linktype, fresh, fresh + all, NULL, 0);
            if (untold.beyond != 0 || untold.signature != 0)
                return false;
            ++*met;
        }
        if (!bytes_need(&r->out, (size_t)text_room(&p[i], &r->style, 0)))
            return false;
        r->out.size += text_encode(r->out.at + r->out.size, d->data.at, &p[i], r->number + *passed, &r->style, &none);
        ++*passed;
    }
    return *passed == 0 || r->said == r->linktype;
}

bool relay_step(struct relay *r, const uint8_t *text, size_t size, int64_t now)
{
    size_t all = r->assignments == NULL ? 0 : assignment_count(r->assignments), *fresh = r->placed + 2 * all;
    struct text_decoder d = {.linktype = r->linktype, .now = now};
    int64_t passed = 0, met = 0, wrong = 0;
    r->out.size = 0;
    memset(fresh, 0, 2 * all * sizeof *fresh);
    text_decode(&d, text, size, false);
    bool done = is_plain(&d, r, size) && passed_on(r, &d, fresh, all, &passed, &met, &wrong);
    if (done) {
        r->lines += d.line;
        r->came += (int64_t)(d.packets.size / sizeof(struct packet));
        r->passed += passed;
        r->number += passed;
        r->met += met;
        r->wrong += wrong;
        for (size_t i = 0; i < 2 * all; i++)
            r->placed[i] += fresh[i];
    }
    bytes_free(&d.data);
    bytes_free(&d.packets);
    return done;
}
