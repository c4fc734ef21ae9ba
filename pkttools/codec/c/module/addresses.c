/* Tables of addresses, and packets in which these are replaced, for Python. */
#include "module.h"

#include "../addresses.h"

static const char addresses_name[] = "pkttools.codec.addresses";

static void free_addresses(PyObject *capsule)
{
    struct addresses *a = PyCapsule_GetPointer(capsule, addresses_name);
    addresses_end(a);
    PyMem_Free(a);
}

static struct addresses *addresses_of(PyObject *capsule)
{
    return held_by(capsule, addresses_name, "no table of addresses");
}

static PyObject *py_address_table(PyObject *self, PyObject *args)
{
    (void)self;
    Py_buffer places;
    if (!PyArg_ParseTuple(args, "y*", &places))
        return NULL;
    PyObject *capsule = NULL;
    struct addresses *a = protocols_ready() ? PyMem_Calloc(1, sizeof *a) : NULL;
    bool sound = (size_t)places.len % sizeof(struct address_place) == 0 && (places.len == 0 || aligned(&places));
    if (a == NULL)
        PyErr_Occurred() ? NULL : PyErr_NoMemory();
    else if (sound && addresses_begin(a, places.buf, (size_t)places.len / sizeof(struct address_place), &sound))
        capsule = PyCapsule_New(a, addresses_name, free_addresses);
    else if (sound)
        PyErr_NoMemory();
    else
        PyErr_SetString(PyExc_ValueError, "places are not sound");
    if (capsule == NULL && a != NULL) {
        addresses_end(a);
        PyMem_Free(a);
    }
    PyBuffer_Release(&places);
    return capsule;
}

static PyObject *py_address_rules(PyObject *self, PyObject *args)
{
    (void)self;
    PyObject *capsule;
    Py_buffer buffer;
    if (!PyArg_ParseTuple(args, "Oy*", &capsule, &buffer))
        return NULL;
    struct addresses *a = addresses_of(capsule);
    const struct address_rule *rule = buffer.buf, *end = rule + (size_t)buffer.len / sizeof *rule;
    bool sound = (size_t)buffer.len % sizeof *rule == 0 && (buffer.len == 0 || aligned(&buffer)), done = true;
    for (const struct address_rule *r = rule; a != NULL && sound && r < end; r++)
        sound = addresses_rule_sound(a, r);
    if (a != NULL && !sound)
        PyErr_SetString(PyExc_ValueError, "rules are not sound");
    for (; a != NULL && sound && done && rule < end; rule++)
        done = addresses_add(a, rule);
    if (!done)
        PyErr_NoMemory();
    PyBuffer_Release(&buffer);
    return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
}

static PyObject *py_map_addresses(PyObject *self, PyObject *args)
{
    (void)self;
    struct batch b;
    PyObject *capsule, *counts = NULL, *result = NULL;
    int keep;
    struct beyond beyond;
    if (!PyArg_ParseTuple(args, "w*y*Op|O", &b.data, &b.rows, &capsule, &keep, &counts))
        return NULL;
    struct addresses *a = addresses_of(capsule);
    if (a != NULL && batch_sound(&b) && protocols_ready() && beyond_begin(&beyond, counts)) {
        struct bytes waiting = {0};
        size_t mapped = 0, refused = 0, stale = 0, unknown = 0;
        bool memory = true;
        a->asked.size = 0;
        memset(a->counted, 0, (a->counts + 1) * sizeof *a->counted);
        for (Py_ssize_t i = 0; memory && i < b.count; i++) {    /* with the interpreter's lock: nobody else changes the table meanwhile */
            struct writable_frame f = writable_of(&b, &b.packets[i]);
            struct left left = {0};
            enum mapping mapping = addresses_map(a, &f, &b.packets[i], !keep, &left);
            mapped += mapping == MAPPED;
            refused += mapping == REFUSED;
            stale += left.sums.stale;
            unknown += left.sums.unknown;
            beyond_add_untold(&beyond, left.untold);
            memory = mapping != WITHOUT_MEMORY && (mapping != WAITING || bytes_add(&waiting, &b.packets[i], sizeof *b.packets));
        }
        memory = beyond_end(&beyond) && memory;
        PyObject *counted = memory ? PyTuple_New((Py_ssize_t)a->counts) : PyErr_Occurred() ? NULL : PyErr_NoMemory();
        for (size_t i = 0; counted != NULL && i < a->counts; i++)
            put_item(&counted, (Py_ssize_t)i, PyLong_FromLongLong(a->counted[i]));
        if (counted != NULL)
            result = Py_BuildValue("(nnnnNNN)", (Py_ssize_t)mapped, (Py_ssize_t)refused, (Py_ssize_t)stale, (Py_ssize_t)unknown, counted,
                                   PyBytes_FromStringAndSize((const char *)a->asked.at, (Py_ssize_t)a->asked.size), bytearray_of(&waiting));
        bytes_free(&waiting);
    }
    batch_close(&b);
    return result;
}

static PyObject *py_address_ends(PyObject *self, PyObject *args)
{
    (void)self;
    struct batch b;
    PyObject *capsule, *result = NULL;
    unsigned sorts;
    if (!PyArg_ParseTuple(args, "y*y*OI", &b.data, &b.rows, &capsule, &sorts))
        return NULL;
    struct addresses *a = addresses_of(capsule);
    if (a != NULL && batch_sound(&b) && protocols_ready())
        result = PyByteArray_FromStringAndSize(NULL, b.count * (Py_ssize_t)sizeof(struct address_ends));
    struct address_ends *ends = result != NULL ? (struct address_ends *)(void *)PyByteArray_AsString(result) : NULL;
    for (Py_ssize_t i = 0; ends != NULL && i < b.count; i++) {
        struct bare bare;
        bare_of(&bare, &b, i);
        addresses_between(a, &bare.frame, bare.packet->linktype, sorts, &ends[i]);
    }
    batch_close(&b);
    return result;
}

PyMethodDef addresses_methods[] = {
    {"address_table", py_address_table, METH_VARARGS, NULL},
    {"address_rules", py_address_rules, METH_VARARGS, NULL},
    {"address_ends", py_address_ends, METH_VARARGS, NULL},
    {"map_addresses", py_map_addresses, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};
