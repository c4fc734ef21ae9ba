/* Corrects checksums, and lengths when asked. Twin of ../python/correction.py. */
#include "protocols.h"
#include "words.h"

/* Writes a checksum, if it is another one; and remembers what was there. */
static inline void correct_checksum(const struct writable_frame *f, const struct message *m, const struct checksum *c, struct corrected *corrected,
                                    struct changed *changed)
{
    if (c->size == 0 || checksum_read(&f->view, c) == c->value)
        return;
    if (m != NULL && message_judged(&f->view, m, c) == LEFT)
        corrected->unfinished = true;
    else
        corrected->wrong = true;
    checksum_write(f, c);
    if (changed->mutable_end < c->at + c->size)
        changed->mutable_end = c->at + c->size;
}

/* Finishes what the kernel left to the card: of the messages of a packet, the innermost first, those whose fields hold what it
 * leaves there, the sum of a pseudo-header; a CRC, which has no such thing; or a 0 where there is no pseudo-header. If there is none
 * such, what the innermost one holds is taken for it: the kernel knows better than the packet what is in the sum (RFC 791: an IPv4
 * route). `left` is that one, until one is finished.
 */
static enum outcome finish(const struct packet_edit *e, size_t index, struct checksum *left, struct corrected *corrected)
{
    const struct frame *f = &e->view.frame;
    struct message m;
    struct checksum c;
    enum outcome outcome = sum_of(&e->view, index, &m, &c);
    bool known = outcome == CORRECTED && c.size > 0;
    if (!known && outcome != OBSCURE)
        return outcome;
    enum verdict verdict = known ? message_judged(f, &m, &c) : BAD;
    bool card = verdict == BAD && (m.rule->card & CARD) != 0;
    if (verdict == LEFT || (card && (m.bytes == 4 || (!m.pseudo && get16(f, c.at) == 0)))) {
        checksum_write(&e->frame, &c);
        corrected->unfinished = true;
    } else if (card && m.pseudo && !is_missing(f, &m) && left->size == 0)
        *left = (struct checksum){.at = m.at + m.place, .size = 2, .value = card_value(f, &m)};
    return CORRECTED;
}

/* Corrects what a header has, and what it carries. sums: what is known of these. */
static enum outcome correct_sum(const struct packet_edit *e, size_t index, const struct plain_sums *sums, struct corrected *corrected,
                                struct changed *changed)
{
    struct message m;
    struct checksum c;
    enum outcome outcome = CORRECTED;
    if (!sums->header) {
        c = header_checksum(&e->view, index);
        correct_checksum(&e->frame, NULL, &c, corrected, changed);
    }
    if (sums->message)
        return CORRECTED;
    if (sums->rest != 0 && plain_message(&e->view, index, &m) && !m.other) {
        uint32_t value = written(&m, complement(in_order(sums->rest)));
        c = (struct checksum){m.at + m.place, m.bytes, value, value};
    } else
        outcome = sum_of(&e->view, index, &m, &c);
    correct_checksum(&e->frame, &m, &c, corrected, changed);
    return outcome;
}

/* outer: checksums are corrected of that many headers, the outermost ones. */
enum outcome correct(const struct writable_frame *f, int64_t original, int64_t linktype, enum correction what, size_t outer,
                     struct corrected *corrected)
{
    struct packet_edit e;                       /* not cleared: half a kilobyte a packet, of which `walk` fills what there is */
    struct packet_view *p = &e.view;
    uint8_t *at = f->at;                        /* in parts: to copy as a whole what was just written in parts has to wait for that */
    size_t size = f->view.size;
    e.frame = writable(at, size);
    e.linktype = linktype;
    e.resized = false;
    p->frame = (struct frame){at, size};
    p->original = original;
    walk_own(&p->walk, &f->view, linktype);
    *corrected = (struct corrected){.doubt = SURE, .untold.beyond = p->walk.beyond};
    struct changed changed = {0};
    if (what == LENGTHS && !correct_lengths(&e, &corrected->doubt))
        return MALFORMED;
    struct checksum left = {0};
    enum outcome worst = p->walk.partial ? missing(p) : CORRECTED;
    for (size_t i = least(p->walk.count, outer); i-- > 0;) {   /* the innermost first: outer sums cover inner ones */
        struct plain_sums sums;
        if (!has_sum(p, i))
            continue;
        if (!carries_message(&p->walk.header[i]))
            sums = (struct plain_sums){0};
        else if (right_plainly(p, i, &sums))
            continue;
        enum outcome outcome = what == TRANSPORT ? finish(&e, i, &left, corrected) : correct_sum(&e, i, &sums, corrected, &changed);
        if (outcome != CORRECTED)
            worst = outcome;
    }
    if (left.size > 0 && !corrected->unfinished) {
        checksum_write(f, &left);
        corrected->unfinished = true;
    }
    if (e.resized)
        changed.end = size;
    if (changed.end > 0 || changed.mutable_end > 0)     /* not of what was left to the card: no key of the kernel's knew more */
        corrected->untold.signature = signature_of(&p->frame, &p->walk, &changed);
    return worst;
}
