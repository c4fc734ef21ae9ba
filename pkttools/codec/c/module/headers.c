/* Which headers packets have. */
#include "../fields.h"
#include "module.h"

static PyObject *py_walk(PyObject *self, PyObject *args)
{
    (void)self;
    struct batch b;
    int own = 0;
    PyObject *list = NULL;
    if (!PyArg_ParseTuple(args, "y*y*|p", &b.data, &b.rows, &own))
        return NULL;
    if (batch_of_one(&b, "one row is walked at a time") && protocols_ready()) {
        struct bare bare;
        bare_of(&bare, &b, 0);
        struct walk w;
        walk(&w, &bare.frame, bare.packet->linktype);
        if (own)
            leave_out_quoted(&w);
        list = PyList_New((Py_ssize_t)w.count);
        for (size_t k = 0; list != NULL && k < w.count; k++) {
            struct header h = w.header[k];
            PyObject *item = Py_BuildValue("(innn)", (int)h.kind, (Py_ssize_t)h.start, (Py_ssize_t)h.data, (Py_ssize_t)h.end);
            if (item == NULL || PyList_SetItem(list, (Py_ssize_t)k, item) < 0)
                Py_CLEAR(list);
        }
    }
    batch_close(&b);
    return list;
}

static PyObject *py_items(PyObject *self, PyObject *args)
{
    (void)self;
    struct batch b;
    PyObject *list = NULL;
    if (!PyArg_ParseTuple(args, "y*y*", &b.data, &b.rows))
        return NULL;
    if (batch_of_one(&b, "one row is walked at a time") && protocols_ready()) {
        struct bare bare;
        bare_of(&bare, &b, 0);
        struct walk w;
        struct header h;
        walk(&w, &bare.frame, bare.packet->linktype);
        list = PyList_New(0);
        for (struct items items = items_of(&bare.frame, &w); list != NULL && next_item(&items, &h);) {
            PyObject *item = Py_BuildValue("(ninnn)", (Py_ssize_t)items.index, (int)h.kind, (Py_ssize_t)h.start, (Py_ssize_t)h.data,
                                           (Py_ssize_t)h.end);
            if (item == NULL || PyList_Append(list, item) < 0)
                Py_CLEAR(list);
            Py_XDECREF(item);
        }
    }
    batch_close(&b);
    return list;
}

static PyObject *py_signed(PyObject *self, PyObject *args)
{
    (void)self;
    struct batch b;
    Py_ssize_t end, mutable_end;
    PyObject *counts, *result = NULL;
    struct beyond beyond;
    if (!PyArg_ParseTuple(args, "y*y*nnO", &b.data, &b.rows, &end, &mutable_end, &counts))
        return NULL;
    if (batch_sound(&b) && protocols_ready() && (end < 0 || mutable_end < 0))
        PyErr_SetString(PyExc_ValueError, "no such place");
    else if (!PyErr_Occurred() && beyond_begin(&beyond, counts)) {
        for (Py_ssize_t i = 0; i < b.count; i++) {
            struct bare bare;
            bare_of(&bare, &b, i);
            struct walk w;
            walk(&w, &bare.frame, bare.packet->linktype);
            beyond_add(&beyond, signature_of(&bare.frame, &w, &(struct changed){.end = (size_t)end, .mutable_end = (size_t)mutable_end}));
        }
        if (beyond_end(&beyond))
            result = Py_NewRef(Py_None);
    }
    batch_close(&b);
    return result;
}

PyMethodDef headers_methods[] = {
    {"walk", py_walk, METH_VARARGS, NULL},
    {"items", py_items, METH_VARARGS, NULL},
    {"signed", py_signed, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};
