/* Whether packets are sound. */
#include "module.h"

static PyObject *py_check(PyObject *self, PyObject *args)
{
    (void)self;
    struct batch b;
    PyObject *out = NULL, *counted = NULL;
    struct beyond beyond;
    if (!PyArg_ParseTuple(args, "y*y*|O", &b.data, &b.rows, &counted))
        return NULL;
    if (batch_sound(&b) && protocols_ready() && beyond_begin(&beyond, counted))
        out = PyBytes_FromStringAndSize(NULL, b.count);
    if (out != NULL) {
        char *outcomes = PyBytes_AsString(out);
        Py_BEGIN_ALLOW_THREADS
        for (Py_ssize_t i = 0; i < b.count; i++) {
            struct bare bare;
            bare_of(&bare, &b, i);
            uint64_t code;
            outcomes[i] = (char)check(&bare.frame, bare.packet->original, bare.packet->linktype, &code);
            beyond_add(&beyond, code);
        }
        Py_END_ALLOW_THREADS
        if (!beyond_end(&beyond))
            Py_CLEAR(out);
    }
    batch_close(&b);
    return out;
}

static PyObject *py_pick(PyObject *self, PyObject *args)
{
    (void)self;
    Py_buffer rows, outcomes, passes;
    PyObject *picked = NULL;
    if (!PyArg_ParseTuple(args, "y*y*y*", &rows, &outcomes, &passes))
        return NULL;
    if (passes.len != 256 || rows.len / (Py_ssize_t)sizeof(struct packet) != outcomes.len
            || rows.len % (Py_ssize_t)sizeof(struct packet) || (rows.len > 0 && !aligned(&rows)))
        PyErr_SetString(PyExc_ValueError, "outcomes are not one a packet, or passes not 256");
    else
        picked = PyByteArray_FromStringAndSize(NULL, rows.len);
    if (picked != NULL) {
        struct packet *out = (struct packet *)(void *)PyByteArray_AsString(picked);
        size_t count = pick(rows.buf, outcomes.buf, (size_t)outcomes.len, passes.buf, out);
        if (PyByteArray_Resize(picked, (Py_ssize_t)(count * sizeof *out)) < 0)
            Py_CLEAR(picked);
    }
    PyBuffer_Release(&rows);
    PyBuffer_Release(&outcomes);
    PyBuffer_Release(&passes);
    return picked;
}

static PyObject *py_verify(PyObject *self, PyObject *args)
{
    (void)self;
    struct batch b;
    PyObject *list = NULL;
    if (!PyArg_ParseTuple(args, "y*y*", &b.data, &b.rows))
        return NULL;
    if (batch_of_one(&b, "one row is verified at a time") && protocols_ready()) {
        struct bare bare;
        struct packet_view view;
        view_of(&view, &bare, &b, 0);
        enum verdict verdicts[MAX_HEADERS];
        walk(&view.walk, &view.frame, bare.packet->linktype);
        size_t count = view.walk.count, quoted = view.walk.quoted, resumed = view.walk.resumed;
        leave_out_quoted(&view.walk);
        verify(&view, verdicts);
        list = PyList_New((Py_ssize_t)count);
        for (size_t k = 0, own = 0; list != NULL && k < count; k++) {   /* what is quoted says nothing of this packet */
            enum verdict verdict = k >= quoted && k < resumed ? NONE : verdicts[own++];
            if (PyList_SetItem(list, (Py_ssize_t)k, PyLong_FromLong((long)verdict)) < 0)
                Py_CLEAR(list);
        }
    }
    batch_close(&b);
    return list;
}

PyMethodDef soundness_methods[] = {
    {"check", py_check, METH_VARARGS, NULL},
    {"pick", py_pick, METH_VARARGS, NULL},
    {"verify", py_verify, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};
