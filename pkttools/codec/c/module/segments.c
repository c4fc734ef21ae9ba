/* Super-frames. */
#include "module.h"

#include "../segments.h"

static const char handshakes_name[] = "pkttools.codec.handshakes";

static void free_handshakes(PyObject *capsule)
{
    struct handshakes *t = PyCapsule_GetPointer(capsule, handshakes_name);
    handshakes_end(t);
    PyMem_Free(t);
}

static PyObject *py_handshakes(PyObject *self, PyObject *args)
{
    (void)self;
    (void)args;
    struct handshakes *t = PyMem_Calloc(1, sizeof *t);
    if (t == NULL || !handshakes_begin(t)) {
        PyMem_Free(t);
        return PyErr_NoMemory();
    }
    PyObject *capsule = PyCapsule_New(t, handshakes_name, free_handshakes);
    if (capsule == NULL) {
        handshakes_end(t);
        PyMem_Free(t);
    }
    return capsule;
}

/* What a guard said of each packet, if it was asked; false with an exception. */
static bool verdicts_of(PyObject *given, const struct batch *b, Py_buffer *chosen)
{
    if (given == Py_None)
        return true;
    if (PyObject_GetBuffer(given, chosen, PyBUF_SIMPLE) < 0)
        return false;
    if (chosen->len != b->count)
        PyErr_SetString(PyExc_ValueError, "verdicts are not one a packet");
    return chosen->len == b->count;
}

static PyObject *py_segment(PyObject *self, PyObject *args)
{
    (void)self;
    struct batch b;
    Py_ssize_t first, stop, mtu, size;
    int same_ids, keep, apart;
    long long id;
    PyObject *table, *given, *counted, *result = NULL;
    struct gathered out = {0};
    struct beyond beyond;
    Py_buffer chosen = {0};
    if (!PyArg_ParseTuple(args, "Oy*y*n(nnppp)LOO", &table, &b.data, &b.rows, &first, &mtu, &size, &same_ids, &keep, &apart, &id, &given, &counted))
        return NULL;
    struct segmentation how = {.mtu = (size_t)mtu, .size = (size_t)size, .same_ids = same_ids != 0, .keep = keep != 0, .apart = apart != 0,
                               .id = (uint32_t)id};
    bool ready = protocols_ready();
    bool in_range = ready && mtu >= 0 && size >= 0 && id >= 0 && id <= UINT32_MAX;
    how.seen = held_by(table, handshakes_name, "no table of handshakes");
    if (how.seen == NULL || !ready || !batch_sound_from(&b, first, in_range, "first packet, MTU, size or id out of range"))
        goto exit;
    if (!verdicts_of(given, &b, &chosen) || !beyond_begin(&beyond, counted))
        goto exit;
    bool begun = false, memory = true;
    Py_BEGIN_ALLOW_THREADS
    for (stop = first; memory && stop < b.count && out.data.size < MAX_BATCH; stop++) {
        struct bare bare;
        bare_of(&bare, &b, stop);
        struct packet_view view;
        struct super s;
        view.frame = bare.frame;
        view.original = bare.packet->original;
        walk_own(&view.walk, &view.frame, bare.packet->linktype);
        bool wanted = chosen.obj == NULL || ((const uint8_t *)chosen.buf)[stop] != 0;
        if (is_super(&how, &view, wanted, &s, &memory)) {
            beyond_add(&beyond, view.walk.beyond);
            memory = memory && (begun || gather_until(&out, &b, first, stop));
            size_t before = out.rows.size;
            memory = memory && cut(&how, &view, &s, b.data.buf, bare.packet, &out);
            if (out.rows.size - before > sizeof *bare.packet)
                beyond_add(&beyond, signature_of(&view.frame, &view.walk, &(struct changed){.end = s.end, .mutable_end = s.end}));
            begun = true;
        } else if (memory && begun)
            memory = gather(&out, b.data.buf, &b.packets[stop]);
    }
    Py_END_ALLOW_THREADS
    if (!beyond_end(&beyond) || !memory) {
        if (!PyErr_Occurred())
            PyErr_NoMemory();
        goto exit;
    }
    result = made_of(stop, begun, &out, Py_BuildValue("(LnN)", (long long)how.id, (Py_ssize_t)how.urgent, numbers(how.left, LEFT_UNCUT)));
exit:
    if (chosen.obj != NULL)
        PyBuffer_Release(&chosen);
    gathered_free(&out);
    batch_close(&b);
    return result;
}

static PyObject *py_merge(PyObject *self, PyObject *args)
{
    (void)self;
    struct batch b;
    int final, datagrams;
    PyObject *given, *absent, *result = NULL;
    struct gathered out = {0};
    struct bytes rest = {0};
    Py_buffer chosen = {0}, gone = {0};
    size_t merged = 0;
    if (!PyArg_ParseTuple(args, "y*y*pOOp", &b.data, &b.rows, &final, &given, &absent, &datagrams))
        return NULL;
    if (!protocols_ready() || !batch_sound(&b) || !verdicts_of(given, &b, &chosen) || !verdicts_of(absent, &b, &gone))
        goto exit;
    bool memory;
    Py_BEGIN_ALLOW_THREADS
    memory = merge(b.data.buf, b.packets, (size_t)b.count, chosen.obj != NULL ? chosen.buf : NULL, gone.obj != NULL ? gone.buf : NULL,
                   datagrams != 0, final != 0, &out, &rest, &merged);
    Py_END_ALLOW_THREADS
    result = memory ? Py_BuildValue("(NNNn)", bytearray_of(&out.data), bytearray_of(&out.rows), bytearray_of(&rest), (Py_ssize_t)merged)
        : PyErr_NoMemory();
exit:
    PyBuffer_Release(&chosen);
    PyBuffer_Release(&gone);
    bytes_free(&rest);
    gathered_free(&out);
    batch_close(&b);
    return result;
}

PyMethodDef segments_methods[] = {
    {"handshakes", py_handshakes, METH_NOARGS, NULL},
    {"segment", py_segment, METH_VARARGS, NULL},
    {"merge", py_merge, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};
