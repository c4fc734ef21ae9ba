/* Rows in groups, and packets of many batches in one place. */
#include "module.h"

static PyObject *py_group_rows(PyObject *self, PyObject *args)
{
    (void)self;
    Py_buffer rows, numbers;
    struct bytes groups = {0};
    PyObject *out = NULL, *result = NULL;
    if (!PyArg_ParseTuple(args, "y*y*", &rows, &numbers))
        return NULL;
    size_t count = (size_t)rows.len / sizeof(struct packet);
    bool whole = (size_t)rows.len % sizeof(struct packet) == 0 && count <= UINT32_MAX && (rows.len == 0 || aligned(&rows));
    if (!whole || (size_t)numbers.len != count * sizeof(int64_t) || (numbers.len > 0 && !aligned(&numbers)))
        PyErr_SetString(PyExc_ValueError, whole ? "not one number a packet" : "rows are not whole packets");
    else
        out = PyByteArray_FromStringAndSize(NULL, rows.len);
    if (out != NULL && !group_rows(rows.buf, numbers.buf, count, (struct packet *)(void *)PyByteArray_AsString(out), &groups))
        PyErr_NoMemory();
    else if (out != NULL)
        result = Py_BuildValue("(ON)", out, bytearray_of(&groups));
    Py_XDECREF(out);
    bytes_free(&groups);
    PyBuffer_Release(&numbers);
    PyBuffer_Release(&rows);
    return result;
}

static PyObject *py_gather_rows(PyObject *self, PyObject *args)
{
    (void)self;
    struct batch b;
    Py_buffer room;
    Py_ssize_t first, used;
    int keyed = 0;
    PyObject *result = NULL;
    if (!PyArg_ParseTuple(args, "y*y*nw*n|p", &b.data, &b.rows, &first, &room, &used, &keyed))
        return NULL;
    if (batch_sound_from(&b, first, used >= 0 && used <= room.len, "first packet, or room, out of range")) {
        struct gathered g = {.data = {.at = room.buf, .size = (size_t)used, .room = (size_t)room.len, .held = true}};
        PyObject *rows = memory_of(&g.rows, (size_t)(b.count - first) * sizeof(struct packet));
        size_t stop = rows != NULL ? gather_rows(b.data.buf, (size_t)b.data.len, b.packets, (size_t)first, (size_t)b.count, keyed != 0, &g) : 0;
        if (rows != NULL && memory_used(rows, &g.rows))
            result = Py_BuildValue("(nnO)", (Py_ssize_t)stop, (Py_ssize_t)g.data.size, rows);
        Py_XDECREF(rows);
    }
    PyBuffer_Release(&room);
    batch_close(&b);
    return result;
}

PyMethodDef grouping_methods[] = {
    {"group_rows", py_group_rows, METH_VARARGS, NULL},
    {"gather_rows", py_gather_rows, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};
