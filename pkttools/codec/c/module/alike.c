/* Packets that are compared. */
#include "module.h"

#include "../alike.h"

/* Whether these are tables of what may differ: an exception is set where they are not. */
static bool tolerance_of(const Py_buffer *first, const Py_buffer *places, struct tolerance *t)
{
    *t = (struct tolerance){.within = t->within, .sizes = t->sizes, .notes = t->notes, .first = first->buf, .places = places->buf,
        .kinds = (size_t)first->len / sizeof(int64_t), .count = (size_t)places->len / sizeof(struct leeway)};
    bool sound = first->len > 0 && (size_t)first->len % sizeof(int64_t) == 0 && (size_t)places->len % sizeof(struct leeway) == 0
        && aligned(first) && aligned(places);
    t->kinds -= sound;
    if (sound && tolerance_sound(t))
        return true;
    PyErr_SetString(PyExc_ValueError, "what may differ is no table of places");
    return false;
}

static PyObject *py_unlike(PyObject *self, PyObject *args)
{
    (void)self;
    struct batch a, b;
    Py_buffer first, places;
    Py_ssize_t first_a, first_b, count;
    long long within;
    int sizes, notes;
    if (!PyArg_ParseTuple(args, "y*y*ny*y*nn(Lppy*y*)", &a.data, &a.rows, &first_a, &b.data, &b.rows, &first_b, &count, &within, &sizes,
                          &notes, &first, &places))
        return NULL;
    PyObject *list = NULL;
    struct tolerance t = {.within = within, .sizes = sizes != 0, .notes = notes != 0};
    if (tolerance_of(&first, &places, &t) && batch_sound(&a) && batch_sound(&b) && protocols_ready()) {
        if (first_a < 0 || first_b < 0 || count < 0 || first_a > a.count || first_b > b.count || count > a.count - first_a
            || count > b.count - first_b)
            PyErr_SetString(PyExc_ValueError, "no such packets in both batches");
        else
            list = PyList_New(0);
        for (Py_ssize_t i = 0; list != NULL && i < count; i++) {
            Py_BEGIN_ALLOW_THREADS
            while (i < count && alike(&t, a.data.buf, &a.packets[first_a + i], b.data.buf, &b.packets[first_b + i]))
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
    PyBuffer_Release(&places);
    PyBuffer_Release(&first);
    batch_close(&b);
    batch_close(&a);
    return list;
}

static PyObject *py_blank(PyObject *self, PyObject *args)
{
    (void)self;
    struct batch b;
    Py_buffer first, places;
    long long within;
    int sizes, notes;
    if (!PyArg_ParseTuple(args, "w*y*(Lppy*y*)", &b.data, &b.rows, &within, &sizes, &notes, &first, &places))
        return NULL;
    bool done = false;
    struct tolerance t = {.within = within, .sizes = sizes != 0, .notes = notes != 0};
    if (tolerance_of(&first, &places, &t) && batch_sound(&b) && protocols_ready()) {
        Py_BEGIN_ALLOW_THREADS
        for (Py_ssize_t i = 0; i < b.count; i++) {
            struct bare bare;
            bare_of(&bare, &b, i);
            struct writable_frame f = writable_of(&b, bare.packet);
            blank(&t, &f, bare.packet->linktype);
        }
        Py_END_ALLOW_THREADS
        done = true;
    }
    PyBuffer_Release(&places);
    PyBuffer_Release(&first);
    batch_close(&b);
    return done ? Py_NewRef(Py_None) : NULL;
}

PyMethodDef alike_methods[] = {
    {"unlike", py_unlike, METH_VARARGS, NULL},
    {"blank", py_blank, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};
