/* Packets that are compared. */
#include "module.h"

#include "../alike.h"

void told_close(struct may_differ *t)
{
    PyBuffer_Release(&t->places);
    PyBuffer_Release(&t->first);
}

/* Whether it is sound; false with an exception, and nothing to close. */
bool told_open(struct may_differ *t, PyObject *tuple)
{
    long long within;
    int sizes, notes;
    if (!PyArg_ParseTuple(tuple, "Lppy*y*", &within, &sizes, &notes, &t->first, &t->places))
        return false;
    const size_t first = (size_t)t->first.len, places = (size_t)t->places.len;
    if (first > 0 && first % sizeof(int64_t) == 0 && places % sizeof(struct leeway) == 0 && aligned(&t->first) && aligned(&t->places)) {
        t->tolerance = (struct tolerance){
            .within = within, .sizes = sizes != 0, .notes = notes != 0, .first = t->first.buf, .kinds = first / sizeof(int64_t) - 1,
            .places = t->places.buf, .count = places / sizeof(struct leeway),
        };
        if (tolerance_sound(&t->tolerance))
            return true;
    }
    PyErr_SetString(PyExc_ValueError, "what may differ is no table of places");
    told_close(t);
    return false;
}

static PyObject *py_unlike(PyObject *self, PyObject *args)
{
    (void)self;
    struct batch a, b;
    struct may_differ t;
    Py_ssize_t first_a, first_b, count;
    PyObject *tuple, *list = NULL;
    if (!PyArg_ParseTuple(args, "y*y*ny*y*nnO!", &a.data, &a.rows, &first_a, &b.data, &b.rows, &first_b, &count, &PyTuple_Type, &tuple))
        return NULL;
    if (!told_open(&t, tuple))
        goto exit;
    if (batch_sound(&a) && batch_sound(&b) && protocols_ready()) {
        if (first_a < 0 || first_b < 0 || count < 0 || first_a > a.count || first_b > b.count || count > a.count - first_a
            || count > b.count - first_b)
            PyErr_SetString(PyExc_ValueError, "no such packets in both batches");
        else
            list = PyList_New(0);
        for (Py_ssize_t i = 0; list != NULL && i < count; i++) {
            Py_BEGIN_ALLOW_THREADS
            while (i < count && alike(&t.tolerance, a.data.buf, &a.packets[first_a + i], b.data.buf, &b.packets[first_b + i]))
                i++;
            Py_END_ALLOW_THREADS
            if (i == count)
                break;
            PyObject *number = PyLong_FromSsize_t(i);
            if (number == NULL || PyList_Append(list, number) < 0)
                Py_CLEAR(list);
            Py_XDECREF(number);
        }
    }
    told_close(&t);
exit:
    batch_close(&b);
    batch_close(&a);
    return list;
}

static PyObject *py_blank(PyObject *self, PyObject *args)
{
    (void)self;
    struct batch b;
    struct may_differ t;
    PyObject *tuple, *result = NULL;
    if (!PyArg_ParseTuple(args, "w*y*O!", &b.data, &b.rows, &PyTuple_Type, &tuple))
        return NULL;
    if (!told_open(&t, tuple))
        goto exit;
    if (batch_sound(&b) && protocols_ready()) {
        Py_BEGIN_ALLOW_THREADS
        for (Py_ssize_t i = 0; i < b.count; i++) {
            struct bare bare;
            bare_of(&bare, &b, i);
            struct writable_frame f = writable_of(&b, bare.packet);
            blank(&t.tolerance, &f, bare.packet->linktype);
        }
        Py_END_ALLOW_THREADS
        result = Py_NewRef(Py_None);
    }
    told_close(&t);
exit:
    batch_close(&b);
    return result;
}

PyMethodDef alike_methods[] = {
    {"unlike", py_unlike, METH_VARARGS, NULL},
    {"blank", py_blank, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};
