/* Addresses that keep their prefixes, for Python, which has the cipher. */
#include "module.h"

#include "../cryptopan.h"

struct asked {                  /* what both functions take */
    Py_buffer questions, sorts, exceptions;
    const struct question *first, *end;
    struct cryptopan by;
    size_t blocks;
};

static void asked_close(struct asked *a)
{
    PyBuffer_Release(&a->exceptions);
    PyBuffer_Release(&a->sorts);
    PyBuffer_Release(&a->questions);
}

/* Whether all of it is sound; an exception is set where it is not. */
static bool asked_sound(struct asked *a)
{
    a->first = a->questions.buf;
    a->end = a->first + (size_t)a->questions.len / sizeof *a->first;
    a->by = (struct cryptopan){
        a->sorts.buf, a->exceptions.buf, (size_t)a->sorts.len / sizeof(struct cryptopan_sort),
        (size_t)a->exceptions.len / sizeof(struct cryptopan_exception),
    };
    a->blocks = 0;
    bool sound = (size_t)a->questions.len % sizeof *a->first == 0 && (size_t)a->sorts.len % sizeof *a->by.sorts == 0
        && (size_t)a->exceptions.len % sizeof *a->by.exceptions == 0 && (a->questions.len == 0 || aligned(&a->questions))
        && (a->sorts.len == 0 || aligned(&a->sorts)) && (a->exceptions.len == 0 || aligned(&a->exceptions)) && cryptopan_sound(&a->by);
    for (const struct question *q = a->first; sound && q < a->end; q++) {
        size_t count = cryptopan_count(&a->by, q);
        a->blocks += count;
        sound = count > 0;
    }
    if (!sound)
        PyErr_SetString(PyExc_ValueError, "numbers, sorts or exceptions are not sound");
    return sound;
}

static PyObject *py_cryptopan_blocks(PyObject *self, PyObject *args)
{
    (void)self;
    struct asked a;
    PyObject *result = NULL;
    if (!PyArg_ParseTuple(args, "y*y*y*", &a.questions, &a.sorts, &a.exceptions))
        return NULL;
    if (asked_sound(&a) && (result = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)(a.blocks * CIPHER_BLOCK))) != NULL) {
        uint8_t *out = (uint8_t *)PyBytes_AsString(result);
        for (const struct question *q = a.first; q < a.end; q++) {
            cryptopan_blocks(&a.by, q, out);
            out += cryptopan_count(&a.by, q) * CIPHER_BLOCK;
        }
    }
    asked_close(&a);
    return result;
}

static PyObject *py_cryptopan_rules(PyObject *self, PyObject *args)
{
    (void)self;
    struct asked a;
    Py_buffer encrypted;
    PyObject *result = NULL;
    if (!PyArg_ParseTuple(args, "y*y*y*y*", &a.questions, &encrypted, &a.sorts, &a.exceptions))
        return NULL;
    if (asked_sound(&a) && (size_t)encrypted.len != a.blocks * CIPHER_BLOCK)
        PyErr_SetString(PyExc_ValueError, "these are not the blocks of the numbers");
    PyObject *rules = PyErr_Occurred() ? NULL
        : PyBytes_FromStringAndSize(NULL, (Py_ssize_t)((size_t)(a.end - a.first) * sizeof(struct address_rule)));
    if (rules != NULL) {
        Py_ssize_t collided = 0;
        char *out = PyBytes_AsString(rules);
        const uint8_t *block = encrypted.buf;
        for (const struct question *q = a.first; q < a.end; q++, out += sizeof(struct address_rule)) {
            bool met;
            struct address_rule rule = cryptopan_rule(&a.by, q, block, &met);
            memcpy(out, &rule, sizeof rule);
            block += cryptopan_count(&a.by, q) * CIPHER_BLOCK;
            collided += met;
        }
        result = Py_BuildValue("(Nn)", rules, collided);
    }
    PyBuffer_Release(&encrypted);
    asked_close(&a);
    return result;
}

PyMethodDef cryptopan_methods[] = {
    {"cryptopan_blocks", py_cryptopan_blocks, METH_VARARGS, NULL},
    {"cryptopan_rules", py_cryptopan_rules, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};
