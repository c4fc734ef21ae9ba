/* What packets carry, and making zeros of it. */
#include "module.h"

#include "../payloads.h"

enum { LOOK, FOLLOW, KEEP };     /* zeros are not made; checksums follow; they stay */

/* Whether these are tables of what is kept: an exception is set where they are not. */
static bool kept_sound(const Py_buffer *headers, const Py_buffer *items, struct kept *kept)
{
    if (headers->len % (Py_ssize_t)sizeof(int32_t) != 0 || items->len % (Py_ssize_t)sizeof(int32_t) != 0
        || (uintptr_t)headers->buf % sizeof(int32_t) != 0 || (uintptr_t)items->buf % sizeof(int32_t) != 0) {
        PyErr_SetString(PyExc_ValueError, "what is kept is no table of numbers");
        return false;
    }
    *kept = (struct kept){headers->buf, items->buf, (size_t)headers->len / sizeof(int32_t), (size_t)items->len / sizeof(int32_t)};
    return true;
}

static PyObject *py_wipe(PyObject *self, PyObject *args)
{
    (void)self;
    struct batch b;
    Py_buffer headers, items;
    PyObject *counted = NULL, *result = NULL;
    int how;
    if (!PyArg_ParseTuple(args, "w*y*y*y*i|O", &b.data, &b.rows, &headers, &items, &how, &counted))
        return NULL;
    struct kept kept;
    struct beyond beyond;
    if (batch_sound(&b) && kept_sound(&headers, &items, &kept) && protocols_ready() && beyond_begin(&beyond, counted)) {
        struct bytes copy = {0};
        size_t kinds = protocols_kinds(), stale = 0, unknown = 0, *carrying = PyMem_Calloc(kinds, sizeof *carrying);
        bool memory = carrying != NULL && bytes_need(&copy, MAX_FRAME);
        Py_BEGIN_ALLOW_THREADS
        for (Py_ssize_t i = 0; memory && i < b.count; i++) {
            struct bare bare;
            bare_of(&bare, &b, i);
            struct writable_frame f = writable_of(&b, bare.packet), other = writable(copy.at, f.view.size);
            if (f.view.size > 0)
                memcpy(other.at, f.at, f.view.size);
            struct wiped found = how == LOOK ? wipe(&f.view, bare.packet->linktype, &kept, &other)
                                                 : wipe(&other.view, bare.packet->linktype, &kept, &f);
            carrying[found.kind] += found.any;
            if (how == LOOK || !found.any)
                continue;
            beyond_add(&beyond, found.signature);
            if (how == KEEP)
                continue;
            struct followed left = update(&other.view, &f, bare.packet->original, bare.packet->linktype);
            stale += left.stale;
            unknown += left.unknown;
        }
        Py_END_ALLOW_THREADS
        memory = beyond_end(&beyond) && memory;
        PyObject *counts = memory ? numbers(carrying, (Py_ssize_t)kinds) : PyErr_Occurred() ? NULL : PyErr_NoMemory();
        result = counts == NULL ? NULL : Py_BuildValue("(Nnn)", counts, (Py_ssize_t)stale, (Py_ssize_t)unknown);
        PyMem_Free(carrying);
        bytes_free(&copy);
    }
    PyBuffer_Release(&items);
    PyBuffer_Release(&headers);
    batch_close(&b);
    return result;
}

PyMethodDef payloads_methods[] = {
    {"wipe", py_wipe, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};
