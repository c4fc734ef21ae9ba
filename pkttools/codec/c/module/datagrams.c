/* Fragments and reassembly. */
#include "module.h"

static PyObject *py_fragment(PyObject *self, PyObject *args)
{
    (void)self;
    struct batch b;
    Py_ssize_t first, stop, mtu4, mtu6;
    long long id, kind, occurrence;
    int force;
    PyObject *counted, *result = NULL;
    struct gathered out = {0};
    struct beyond beyond;
    if (!PyArg_ParseTuple(args, "y*y*n(nn)pL(LL)O", &b.data, &b.rows, &first, &mtu4, &mtu6, &force, &id, &kind, &occurrence, &counted))
        return NULL;
    struct fragmentation how = {.mtu4 = (size_t)mtu4, .mtu6 = (size_t)mtu6, .force = force != 0, .id = (uint32_t)id,
                                .layer = {kind, occurrence}};
    bool ready = protocols_ready();
    bool in_range = ready && mtu4 > 0 && mtu6 > 0 && id >= 0 && id <= UINT32_MAX && layer_sound(&how.layer);
    if (!ready || !batch_sound_from(&b, first, in_range, "first packet, MTU, id or layer out of range") || !beyond_begin(&beyond, counted))
        goto exit;
    bool begun = false, memory = true;
    Py_BEGIN_ALLOW_THREADS
    for (stop = first; memory && stop < b.count && out.data.size < MAX_BATCH; stop++) {
        struct bare bare;
        struct packet_view view;
        view_of(&view, &bare, &b, stop);
        struct datagram d;
        walk_own(&view.walk, &view.frame, bare.packet->linktype);
        beyond_add(&beyond, view.walk.beyond);
        if (view.frame.size > least(how.mtu4, how.mtu6) && divisible(&how, &view, &d)) {
            memory = (begun || gather_until(&out, &b, first, stop));
            size_t before = out.rows.size;
            memory = memory && divide(&how, &view, &d, b.data.buf, bare.packet, &out);
            if (out.rows.size - before > sizeof *bare.packet)
                beyond_add(&beyond, signature_of(&view.frame, &view.walk, &(struct changed){.mutable_end = d.start + LENGTH_END}));
            begun = true;
        } else if (begun)
            memory = gather(&out, b.data.buf, &b.packets[stop]);
    }
    Py_END_ALLOW_THREADS
    if (!beyond_end(&beyond) || !memory) {
        if (!PyErr_Occurred())
            PyErr_NoMemory();
        goto exit;
    }
    result = made_of(stop, begun, &out, Py_BuildValue("(LN)", (long long)how.id, numbers(how.left, LEFT_WHOLE)));
exit:
    gathered_free(&out);
    batch_close(&b);
    return result;
}

static const char table_name[] = "pkttools.codec.datagrams";

static void free_datagrams(PyObject *capsule)
{
    struct datagrams *t = PyCapsule_GetPointer(capsule, table_name);
    reassembly_end(t);
    PyMem_Free(t);
}

static PyObject *py_datagrams(PyObject *self, PyObject *args)
{
    (void)self;
    Py_buffer apart;
    long long memory, kind, occurrence;
    PyObject *capsule = NULL;
    if (!PyArg_ParseTuple(args, "L(LL)y*", &memory, &kind, &occurrence, &apart))
        return NULL;
    struct datagrams *t = PyMem_Calloc(1, sizeof *t);
    struct datagrams made = {.memory = (uint64_t)memory, .layer = {kind, occurrence}};
    const struct apart *field = apart.buf;
    size_t count = (size_t)apart.len / sizeof *field;
    bool sound = (size_t)apart.len % sizeof *field == 0 && (count == 0 || aligned(&apart));
    for (size_t i = 0; sound && i < count; i++)
        sound = field[i].bit >= 0 && field[i].bit <= 8 * MAX_FRAME && field[i].width >= 1 && field[i].width <= 8 * MAX_FRAME
            && field[i].least >= 0;
    bool ready = protocols_ready();
    if (ready && (memory < 0 || !layer_sound(&made.layer)))
        PyErr_SetString(PyExc_ValueError, "memory or layer out of range");
    else if (ready && !sound)
        PyErr_SetString(PyExc_ValueError, "fields are not sound");
    else if (ready && (t == NULL || !reassembly_begin(&made, field, count)))
        PyErr_NoMemory();
    else if (ready && (capsule = PyCapsule_New(t, table_name, free_datagrams)) != NULL)
        *t = made;
    if (capsule == NULL) {
        reassembly_end(&made);
        PyMem_Free(t);
    }
    PyBuffer_Release(&apart);
    return capsule;
}

/* The table that a capsule has; NULL with an exception. */
static struct datagrams *table_of(PyObject *capsule)
{
    return held_by(capsule, table_name, "no table of datagrams");
}

static PyObject *totals_of(const struct datagrams *t)
{
    PyObject *tuple = PyTuple_New(3 + LEFT_APART);
    const uint64_t first[3] = {t->reassembled, t->repeated, t->held};
    for (Py_ssize_t i = 0; tuple != NULL && i < 3 + LEFT_APART; i++)
        put_item(&tuple, i, PyLong_FromUnsignedLongLong(i < 3 ? first[i] : t->left[i - 3]));
    return tuple;
}

static PyObject *py_reassemble(PyObject *self, PyObject *args)
{
    (void)self;
    struct batch b;
    Py_ssize_t first, stop;
    PyObject *capsule, *counted, *result = NULL;
    struct gathered out = {0};
    struct beyond beyond;
    if (!PyArg_ParseTuple(args, "Oy*y*nO", &capsule, &b.data, &b.rows, &first, &counted))
        return NULL;
    struct datagrams *t = table_of(capsule);
    if (t == NULL || !batch_sound_from(&b, first, true, "first packet out of range") || !protocols_ready()
        || !beyond_begin(&beyond, counted))
        goto exit;
    bool begun = false, memory = true;          /* with the interpreter's lock: nobody else changes the table meanwhile */
    for (stop = first; memory && stop < b.count && out.data.size < MAX_BATCH; stop++) {
        struct bare bare;
        struct packet_view view;
        view_of(&view, &bare, &b, stop);
        walk_own(&view.walk, &view.frame, bare.packet->linktype);
        beyond_add(&beyond, view.walk.beyond);
        if (!begun && reassembly_idle(t, &view, bare.packet->time))
            continue;
        memory = (begun || gather_until(&out, &b, first, stop)) && reassemble(t, &view, b.data.buf, bare.packet, &out);
        beyond_add(&beyond, t->signature);
        begun = true;
    }
    if (!beyond_end(&beyond) || !memory) {
        if (!PyErr_Occurred())
            PyErr_NoMemory();
        goto exit;
    }
    result = made_of(stop, begun, &out, totals_of(t));
exit:
    gathered_free(&out);
    batch_close(&b);
    return result;
}

static PyObject *py_reassemble_rest(PyObject *self, PyObject *capsule)
{
    (void)self;
    struct datagrams *t = table_of(capsule);
    struct gathered out = {0};
    PyObject *result = NULL;
    bool memory = true;
    if (t == NULL)
        return NULL;
    while (memory && t->oldest != NULL && out.data.size < MAX_BATCH)
        memory = reassemble_rest(t, &out);
    if (memory)
        result = Py_BuildValue("(NNN)", bytearray_of(&out.data), bytearray_of(&out.rows), totals_of(t));
    else
        PyErr_NoMemory();
    gathered_free(&out);
    return result;
}

PyMethodDef datagrams_methods[] = {
    {"fragment", py_fragment, METH_VARARGS, NULL},
    {"datagrams", py_datagrams, METH_VARARGS, NULL},
    {"reassemble", py_reassemble, METH_VARARGS, NULL},
    {"reassemble_rest", py_reassemble_rest, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};
