/* Packets of which pieces become others. */
#include "module.h"
#include "../splice.h"

enum { PACKET, AT, REMOVED, OCTETS, SIZE, PIECE };      /* columns of a piece */

static int64_t column(const Py_buffer *pieces, Py_ssize_t i, int which)
{
    return ((const int64_t *)pieces->buf)[i * PIECE + which];
}

/* Whether pieces are in order, and what is put in lies in `octets`. */
static bool pieces_in_order(const Py_buffer *pieces, const Py_buffer *octets, Py_ssize_t packets)
{
    if ((size_t)pieces->len % (PIECE * sizeof(int64_t)) != 0 || (pieces->len > 0 && !aligned(pieces)))
        return false;
    Py_ssize_t count = pieces->len / (Py_ssize_t)(PIECE * sizeof(int64_t));
    for (Py_ssize_t i = 0; i < count; i++) {
        int64_t at = column(pieces, i, AT), removed = column(pieces, i, REMOVED), from = column(pieces, i, OCTETS), size = column(pieces, i, SIZE);
        int64_t packet = column(pieces, i, PACKET), before = i > 0 ? column(pieces, i - 1, PACKET) : 0;
        if (packet < before || packet >= packets || at < 0 || at > MAX_FRAME || removed < 0 || removed > MAX_FRAME || size < 0 || size > MAX_FRAME
            || from < 0 || from > octets->len - size)
            return false;
    }
    return true;
}

/* The pieces of a packet, from `*next` on; false: no memory. */
static bool pieces_of(const Py_buffer *pieces, const Py_buffer *octets, Py_ssize_t packet, Py_ssize_t *next, struct bytes *out)
{
    Py_ssize_t count = pieces->len / (Py_ssize_t)(PIECE * sizeof(int64_t));
    out->size = 0;
    for (; *next < count && column(pieces, *next, PACKET) <= packet; ++*next) {
        struct piece piece = {
            (size_t)column(pieces, *next, AT), (size_t)column(pieces, *next, REMOVED), (size_t)column(pieces, *next, SIZE),
            (const uint8_t *)octets->buf + column(pieces, *next, OCTETS),
        };
        if (column(pieces, *next, PACKET) == packet && !bytes_add(out, &piece, sizeof piece))
            return false;
    }
    return true;
}

/* Adds what becomes of a packet, with its lines; the packet itself where it is left as it is. */
static bool add_spliced(struct gathered *out, const struct batch *b, Py_ssize_t i, struct splice *s, int64_t linktype, struct beyond *beyond,
                        uint8_t *outcome)
{
    struct bare bare;
    struct spliced made;
    struct packet_view view;
    view_of(&view, &bare, b, i);
    walk(&view.walk, &view.frame, bare.packet->linktype);
    s->linktype = linktype >= 0 ? linktype : bare.packet->linktype;
    if (!splice_packet(out, b->data.buf, &view, bare.packet, s, &made))
        return false;
    *outcome = (uint8_t)(made.stale ? NOT_FOLLOWED : made.why);
    if (made.why != SPLICED)
        return gather(out, b->data.buf, &b->packets[i]);
    const struct piece *last = &s->pieces[s->count - 1];
    beyond_add(beyond, view.walk.beyond);
    beyond_add(beyond, signature_of(&view.frame, &view.walk, &(struct changed){.end = last->at + last->removed}));
    return true;
}

static PyObject *py_splice(PyObject *self, PyObject *args)
{
    (void)self;
    struct batch b;
    Py_buffer pieces, octets;
    Py_ssize_t first, stop, next = 0;
    long long linktype;
    int keep, anew;
    PyObject *counted, *result = NULL;
    struct gathered out = {0};
    struct bytes outcomes = {0}, own = {0};
    struct beyond beyond;
    if (!PyArg_ParseTuple(args, "y*y*ny*y*LppO", &b.data, &b.rows, &first, &pieces, &octets, &linktype, &keep, &anew, &counted))
        return NULL;
    bool ready = protocols_ready();
    bool in_range = ready && linktype >= -1 && linktype <= UINT32_MAX
        && pieces_in_order(&pieces, &octets, b.rows.len / (Py_ssize_t)sizeof(struct packet));
    if (!ready || !batch_sound_from(&b, first, in_range, "first packet, pieces or link type out of range") || !beyond_begin(&beyond, counted))
        goto exit;
    struct splice s = {.keep = keep != 0, .anew = anew != 0};
    bool memory = true;
    Py_BEGIN_ALLOW_THREADS
    for (stop = first; memory && stop < b.count && out.data.size < MAX_BATCH; stop++) {
        uint8_t outcome = SPLICED;
        memory = pieces_of(&pieces, &octets, stop, &next, &own);
        s.pieces = (const struct piece *)own.at;
        s.count = own.size / sizeof(struct piece);
        memory = memory && (s.count == 0 ? gather(&out, b.data.buf, &b.packets[stop])
                                         : add_spliced(&out, &b, stop, &s, linktype, &beyond, &outcome)) && bytes_add(&outcomes, &outcome, 1);
    }
    Py_END_ALLOW_THREADS
    if (!beyond_end(&beyond) || !memory) {
        if (!PyErr_Occurred())
            PyErr_NoMemory();
        goto exit;
    }
    result = Py_BuildValue("(nNNN)", stop, bytearray_of(&out.data), bytearray_of(&out.rows),
                           PyBytes_FromStringAndSize((const char *)outcomes.at, (Py_ssize_t)outcomes.size));
exit:
    bytes_free(&outcomes);
    bytes_free(&own);
    gathered_free(&out);
    PyBuffer_Release(&pieces);
    PyBuffer_Release(&octets);
    batch_close(&b);
    return result;
}

static PyObject *py_carried(PyObject *self, PyObject *args)
{
    (void)self;
    struct batch b;
    struct layer layer;
    long long kind, occurrence;
    PyObject *out = NULL;
    if (!PyArg_ParseTuple(args, "y*y*(LL)", &b.data, &b.rows, &kind, &occurrence))
        return NULL;
    layer = (struct layer){kind, occurrence};
    bool ready = protocols_ready();
    bool in_range = ready && kind >= 0 && (uint64_t)kind < protocols_kinds() && occurrence > -((int64_t)1 << 62) && occurrence < (int64_t)1 << 62;
    if (ready && batch_sound_from(&b, 0, in_range, "no such kind of header"))
        out = PyBytes_FromStringAndSize(NULL, b.count * (Py_ssize_t)sizeof(struct carried_octets));
    char *to = out != NULL ? PyBytes_AsString(out) : NULL;
    Py_BEGIN_ALLOW_THREADS
    for (Py_ssize_t i = 0; to != NULL && i < b.count; i++, to += sizeof(struct carried_octets)) {
        struct bare bare;
        struct packet_view view;
        view_of(&view, &bare, &b, i);
        walk(&view.walk, &view.frame, bare.packet->linktype);
        struct carried_octets c = carried_octets(&view, bare.packet->linktype, &layer);
        memcpy(to, &c, sizeof c);
    }
    Py_END_ALLOW_THREADS
    batch_close(&b);
    return out;
}

static PyObject *py_ends(PyObject *self, PyObject *args)
{
    (void)self;
    struct batch b;
    PyObject *out = NULL;
    if (!PyArg_ParseTuple(args, "y*y*", &b.data, &b.rows))
        return NULL;
    if (protocols_ready() && batch_sound(&b))
        out = PyBytes_FromStringAndSize(NULL, b.count * (Py_ssize_t)sizeof(int64_t));
    char *to = out != NULL ? PyBytes_AsString(out) : NULL;
    Py_BEGIN_ALLOW_THREADS
    for (Py_ssize_t i = 0; to != NULL && i < b.count; i++, to += sizeof(int64_t)) {
        struct bare bare;
        struct packet_view view;
        view_of(&view, &bare, &b, i);
        walk(&view.walk, &view.frame, bare.packet->linktype);
        int64_t end = (int64_t)packet_end(&view);
        memcpy(to, &end, sizeof end);
    }
    Py_END_ALLOW_THREADS
    batch_close(&b);
    return out;
}

PyMethodDef splicing_methods[] = {
    {"splice", py_splice, METH_VARARGS, NULL},
    {"carried", py_carried, METH_VARARGS, NULL},
    {"ends", py_ends, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};
