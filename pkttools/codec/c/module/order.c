/* Packets in another order. */
#include "module.h"

static PyObject *py_sort_rows(PyObject *self, PyObject *args)
{
    (void)self;
    struct batch b;
    int keyed;
    bool sorted, done;
    PyObject *result = NULL;
    if (!PyArg_ParseTuple(args, "y*w*p", &b.data, &b.rows, &keyed))
        return NULL;
    if (!batch_sound(&b))
        goto exit;
    Py_BEGIN_ALLOW_THREADS
    done = sort_rows(b.rows.buf, (size_t)b.count, b.data.buf, (size_t)b.data.len, keyed != 0, &sorted);
    Py_END_ALLOW_THREADS
    result = done ? PyBool_FromLong(sorted) : PyErr_NoMemory();
exit:
    batch_close(&b);
    return result;
}

static PyObject *py_key_rows(PyObject *self, PyObject *args)
{
    (void)self;
    struct batch b;
    Py_buffer columns;
    Py_ssize_t first;
    long long number;
    struct columns c = {0};
    struct gathered out = {0};
    PyObject *result = NULL;
    if (!PyArg_ParseTuple(args, "y*y*nLy*", &b.data, &b.rows, &first, &number, &columns))
        return NULL;
    if (!batch_sound_from(&b, first, true, "first packet out of range") || !fields_ready())
        goto exit;
    c.columns = columns.buf;
    c.count = (size_t)columns.len / sizeof *c.columns;
    if ((size_t)columns.len % sizeof *c.columns != 0 || !aligned(&columns) || !columns_known(&c)) {
        PyErr_SetString(PyExc_ValueError, "columns are not sound");
        goto exit;
    }
    bool done = columns_begin(&c);
    for (; done && first < b.count && out.data.size < MAX_BATCH; first++) {
        done = gather(&out, b.data.buf, &b.packets[first]) && columns_key(&c, b.data.buf, &b.packets[first], number++);
        done = done && bytes_add_key(&out.data, (struct sort_key){c.text.at, c.text.size});
    }
    result = done ? Py_BuildValue("(NNn)", bytearray_of(&out.data), bytearray_of(&out.rows), first) : PyErr_NoMemory();
exit:
    columns_free(&c);
    gathered_free(&out);
    PyBuffer_Release(&columns);
    batch_close(&b);
    return result;
}

PyMethodDef order_methods[] = {
    {"sort_rows", py_sort_rows, METH_VARARGS, NULL},
    {"key_rows", py_key_rows, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};
