/* Conversations. */
#include "module.h"
#include "../conversations.h"

#include <stdlib.h>

static const char conversations_name[] = "pkttools.codec.conversations";

static void free_conversations(PyObject *capsule)
{
    struct conversations *t = PyCapsule_GetPointer(capsule, conversations_name);
    conversations_end(t);
    PyMem_Free(t);
}

static bool bits_sound(int64_t bit, int64_t width, int64_t most)
{
    return bit >= 0 && bit <= 8 * MAX_FRAME && width >= 1 && width <= most;
}

/* Whether fields of addresses and ports, and what tells networks apart, are of kinds that there are, those of a kind together. */
static bool ends_sound(const struct conversation_rules *r)
{
    int64_t kinds = (int64_t)protocols_kinds();
    for (const struct ends *e = r->ends; e < r->ends + r->ends_count; e++)
        if (e->header < 0 || e->header >= kinds || e->group < 0 || e->group >= kinds || e->level < BY_LINK || e->level > BY_PORTS
            || (e->level == BY_PORTS ? e->width > 16 : e->source % 8 != 0 || e->destination % 8 != 0 || e->width % 8 != 0)
            || !bits_sound(e->source, e->width, 128) || !bits_sound(e->destination, e->width, 128) || (e > r->ends && e[-1].header >= e->header))
            return false;
    for (const struct keeping_apart *a = r->apart; a < r->apart + r->apart_count; a++)
        if (a->header < 0 || a->header >= kinds || a->group < kinds || !bits_sound(a->bit, a->width, 63) || a->least < 0
            || (a > r->apart && a[-1].header > a->header))
            return false;
    return r->ends_count <= UINT16_MAX && r->apart_count <= UINT16_MAX;
}

static PyObject *py_conversations(PyObject *self, PyObject *args)
{
    (void)self;
    Py_buffer ends, apart;
    int level, forget;
    long long most, memory;
    unsigned long long seed;
    PyObject *capsule = NULL;
    if (!PyArg_ParseTuple(args, "iLLpKy*y*", &level, &most, &memory, &forget, &seed, &ends, &apart))
        return NULL;
    struct conversations *t = PyMem_Calloc(1, sizeof *t);
    struct conversation_rules rules = {
        .level = (enum level)level, .most = (uint64_t)most, .memory = (uint64_t)memory, .forget = forget != 0, .seed = seed, .ends = ends.buf,
        .apart = apart.buf, .ends_count = (size_t)ends.len / sizeof(struct ends), .apart_count = (size_t)apart.len / sizeof(struct keeping_apart),
    };
    bool whole = (size_t)ends.len % sizeof(struct ends) == 0 && (ends.len == 0 || aligned(&ends))
        && (size_t)apart.len % sizeof(struct keeping_apart) == 0 && (apart.len == 0 || aligned(&apart));
    bool ready = protocols_ready();
    if (ready && (level < BY_LINK || level > BY_PORTS || most < 1 || memory < 0))
        PyErr_SetString(PyExc_ValueError, "level, most or memory out of range");
    else if (ready && (!whole || !ends_sound(&rules)))
        PyErr_SetString(PyExc_ValueError, "fields are not sound");
    else if (ready && (t == NULL || !conversations_begin(t, &rules)))
        PyErr_NoMemory();
    else if (ready)
        capsule = PyCapsule_New(t, conversations_name, free_conversations);
    if (capsule == NULL && t != NULL) {
        conversations_end(t);
        PyMem_Free(t);
    }
    PyBuffer_Release(&ends);
    PyBuffer_Release(&apart);
    return capsule;
}

struct conversations *conversations_of(PyObject *capsule)
{
    return held_by(capsule, conversations_name, "no table of conversations");
}

static PyObject *told_tuple(const struct told *t)
{
    const struct segment *s = &t->segment;
    return Py_BuildValue("(LIIIIIIIIIK)", (long long)t->conversation, t->way, s->what, s->base, s->ack_base, s->octets, s->repeated, s->filled,
                         s->gap, s->unseen, (unsigned long long)s->window);
}

/* A packet of a batch comes; false with an exception. With the interpreter's lock: nobody else changes the table meanwhile. */
static bool comes(struct conversations *t, const struct batch *b, Py_ssize_t i, bool follow, struct told *told)
{
    struct bare bare;
    struct packet_view view;
    view_of(&view, &bare, b, i);
    walk_own(&view.walk, &view.frame, bare.packet->linktype);
    if (converse(t, &view, &b->packets[i], follow, told))
        return true;
    PyErr_NoMemory();
    return false;
}

static PyObject *py_follow(PyObject *self, PyObject *args)
{
    (void)self;
    struct batch b;
    int tell;
    PyObject *capsule, *list = NULL;
    if (!PyArg_ParseTuple(args, "Oy*y*p", &capsule, &b.data, &b.rows, &tell))
        return NULL;
    struct conversations *t = conversations_of(capsule);
    bool done = t != NULL && batch_sound(&b) && protocols_ready();
    if (done && tell)
        done = (list = PyList_New(0)) != NULL;
    for (Py_ssize_t i = 0; done && i < b.count; i++) {
        struct told told;
        done = comes(t, &b, i, true, &told);
        if (done && tell) {
            PyObject *one = told_tuple(&told);
            done = one != NULL && PyList_Append(list, one) == 0;
            Py_XDECREF(one);
        }
    }
    batch_close(&b);
    if (!done)
        Py_CLEAR(list);
    return done && list == NULL ? Py_NewRef(Py_None) : list;
}

static PyObject *py_conversation_numbers(PyObject *self, PyObject *args)
{
    (void)self;
    struct batch b;
    PyObject *capsule, *out = NULL;
    if (!PyArg_ParseTuple(args, "Oy*y*", &capsule, &b.data, &b.rows))
        return NULL;
    struct conversations *t = conversations_of(capsule);
    if (t != NULL && batch_sound(&b) && protocols_ready())
        out = PyByteArray_FromStringAndSize(NULL, b.count * (Py_ssize_t)sizeof(int64_t));
    char *to = out != NULL ? PyByteArray_AsString(out) : NULL;
    for (Py_ssize_t i = 0; to != NULL && i < b.count; i++, to += sizeof(int64_t)) {
        struct told told;
        if (!comes(t, &b, i, false, &told)) {
            Py_CLEAR(out);
            break;
        }
        memcpy(to, &told.conversation, sizeof told.conversation);
    }
    batch_close(&b);
    return out;
}

/* What came of the connections of a conversation, each way; NULL with an exception. */
static PyObject *way_tuple(const struct way *w)
{
    return Py_BuildValue("(IIIIIIIKKKK)", w->repeated, w->filled, w->gaps, w->needless, w->duplicates, w->kept_alive, w->probes,
                         (unsigned long long)w->repeated_octets, (unsigned long long)w->filled_octets, (unsigned long long)way_missing(w),
                         (unsigned long long)w->unseen);
}

static PyObject *connection_tuple(const struct connection *c)
{
    if (c == NULL)
        return Py_NewRef(Py_None);
    PyObject *handshake = c->timed ? Py_BuildValue("(LL)", (long long)c->least, (long long)c->most) : Py_NewRef(Py_None);
    return Py_BuildValue("(INIINN)", c->count, handshake, c->resets, connection_state(c), way_tuple(&c->way[0]), way_tuple(&c->way[1]));
}

static PyObject *name_bytes(const struct conversations *t, uint32_t number)
{
    size_t size = 0;
    const uint8_t *at = number != UINT32_MAX ? around_name(t, number, &size) : NULL;
    return PyBytes_FromStringAndSize((const char *)at, (Py_ssize_t)size);
}

static PyObject *conversation_tuple(const struct conversations *t, const struct conversation *c)
{
    const struct key *k = &c->key;
    const uint8_t *from = c->turned ? k->high : k->low, *to = c->turned ? k->low : k->high;
    int from_port = k->ports ? (c->turned ? k->high_port : k->low_port) : -1, to_port = k->ports ? (c->turned ? k->low_port : k->high_port) : -1;
    return Py_BuildValue("(Liiy#y#iiNNNKKKKLLN)", (long long)c->number, (int)k->group, (int)k->number, from, (Py_ssize_t)16, to, (Py_ssize_t)16,
                         from_port, to_port, name_bytes(t, k->around), name_bytes(t, c->oneway[c->turned]), name_bytes(t, c->oneway[!c->turned]),
                         (unsigned long long)c->packets[0], (unsigned long long)c->packets[1], (unsigned long long)c->octets[0],
                         (unsigned long long)c->octets[1], (long long)c->first, (long long)c->last, connection_tuple(connection_of(t, c)));
}

static PyObject *py_conversation_rows(PyObject *self, PyObject *args)
{
    (void)self;
    PyObject *capsule, *list = NULL;
    int by;
    Py_ssize_t most;
    if (!PyArg_ParseTuple(args, "Oin", &capsule, &by, &most))
        return NULL;
    struct conversations *t = conversations_of(capsule);
    if (t == NULL)
        return NULL;
    if (by < 0 || by >= ORDERS || most < 0) {
        PyErr_SetString(PyExc_ValueError, "order out of range");
        return NULL;
    }
    uint32_t *places = NULL;
    size_t count;
    if (!conversations_settle(t) || !conversations_order(t, (enum order)by, (size_t)most, &places, &count)) {
        free(places);
        return PyErr_NoMemory();
    }
    list = PyList_New(0);
    for (size_t i = 0; list != NULL && i < count; i++) {
        PyObject *one = conversation_tuple(t, conversation_at(t, places[i]));
        if (one == NULL || PyList_Append(list, one) < 0)
            Py_CLEAR(list);
        Py_XDECREF(one);
    }
    free(places);
    return list;
}

static PyObject *py_conversation_totals(PyObject *self, PyObject *capsule)
{
    (void)self;
    struct conversations *t = conversations_of(capsule);
    if (t == NULL)
        return NULL;
    if (!conversations_settle(t))
        return PyErr_NoMemory();
    return Py_BuildValue("(KKKKKKK)", (unsigned long long)t->count, (unsigned long long)t->others.packets, (unsigned long long)t->others.octets,
                         (unsigned long long)t->without.packets, (unsigned long long)t->without.octets, (unsigned long long)t->forgotten,
                         (unsigned long long)t->budget.held);
}

PyMethodDef conversations_methods[] = {
    {"conversation_table", py_conversations, METH_VARARGS, NULL},
    {"follow", py_follow, METH_VARARGS, NULL},
    {"conversation_numbers", py_conversation_numbers, METH_VARARGS, NULL},
    {"conversation_rows", py_conversation_rows, METH_VARARGS, NULL},
    {"conversation_totals", py_conversation_totals, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};
