/* Packets that came before, for Python. */
#include "module.h"

#include "../doubles.h"

struct looking {                /* what doubles are looked for by, and the tables that this lies in */
    struct doubles doubles;
    struct may_differ told;
};

static const char doubles_name[] = "pkttools.codec.doubles";

static void free_doubles(PyObject *capsule)
{
    struct looking *l = PyCapsule_GetPointer(capsule, doubles_name);
    doubles_end(&l->doubles);
    told_close(&l->told);
    PyMem_Free(l);
}

static PyObject *py_doubles_table(PyObject *self, PyObject *args)
{
    (void)self;
    long long window, within, memory;
    int padding, interfaces;
    PyObject *tuple, *capsule = NULL;
    if (!PyArg_ParseTuple(args, "LLLO!pp", &window, &within, &memory, &PyTuple_Type, &tuple, &padding, &interfaces))
        return NULL;
    if (memory < 0 || within > MOST_WITHIN) {
        PyErr_SetString(PyExc_ValueError, "memory or time out of range");
        return NULL;
    }
    struct looking *l = PyMem_Calloc(1, sizeof *l);
    if (l == NULL)
        return PyErr_NoMemory();
    if (told_open(&l->told, tuple)) {
        l->doubles = (struct doubles){.window = window, .within = within, .memory = memory, .tolerance = l->told.tolerance,
                                      .padding = padding != 0, .interfaces = interfaces != 0};
        if (protocols_ready() && (capsule = PyCapsule_New(l, doubles_name, free_doubles)) != NULL)
            return capsule;
        told_close(&l->told);
    }
    PyMem_Free(l);
    return NULL;
}

static PyObject *py_find_doubles(PyObject *self, PyObject *args)
{
    (void)self;
    struct batch b;
    PyObject *capsule, *result = NULL;
    if (!PyArg_ParseTuple(args, "Oy*y*", &capsule, &b.data, &b.rows))
        return NULL;
    struct looking *l = held_by(capsule, doubles_name, "no table of doubles");
    if (l != NULL && batch_sound(&b))
        result = PyByteArray_FromStringAndSize(NULL, b.count);
    uint8_t *found = result != NULL ? (uint8_t *)PyByteArray_AsString(result) : NULL;
    /* With the interpreter's lock: nobody else changes the table meanwhile. */
    if (found != NULL && !doubles_find(&l->doubles, b.data.buf, b.packets, (size_t)b.count, found)) {
        PyErr_NoMemory();
        Py_CLEAR(result);
    }
    batch_close(&b);
    return result;
}

PyMethodDef doubles_methods[] = {
    {"doubles_table", py_doubles_table, METH_VARARGS, NULL},
    {"find_doubles", py_find_doubles, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};
