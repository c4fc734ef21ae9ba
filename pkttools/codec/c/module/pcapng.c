/* Blocks of pcapng. */
#include "module.h"

static PyObject *py_pcapng_decode(PyObject *self, PyObject *args)
{
    (void)self;
    Py_buffer in, interfaces, names;
    Py_ssize_t start, stop;
    int big_endian, keep = 0;
    PyObject *result = NULL;
    if (!PyArg_ParseTuple(args, "y*nnpy*y*|p", &in, &start, &stop, &big_endian, &interfaces, &names, &keep))
        return NULL;
    struct pcapng_decoder d = {0};
    struct pcapng_section section = {
        big_endian != 0, interfaces.buf, (size_t)interfaces.len / sizeof(struct interface), names.buf, (size_t)names.len,
        keep != 0,
    };
    if (interfaces.len % (Py_ssize_t)sizeof(struct interface) != 0 || (interfaces.len > 0 && !aligned(&interfaces))) {
        PyErr_SetString(PyExc_ValueError, "interfaces are not whole");
        goto exit;
    }
    if (!range_of(&in, start, stop))
        goto exit;
    pcapng_decode(&d, (const uint8_t *)in.buf + start, (size_t)(stop - start), &section);
    if (d.error == NO_MEMORY) {
        PyErr_NoMemory();
        goto exit;
    }
    if (d.error == BAD_INTERFACE) {
        PyErr_Format(PyExc_ValueError, "the name of interface %llu lies outside of the names", (unsigned long long)d.have);
        goto exit;
    }
    PyObject *error = format_error(d.error, d.have, d.want);
    result = Py_BuildValue("(nNNN(LLLLL))", start + (Py_ssize_t)d.consumed, bytearray_of(&d.data), bytearray_of(&d.packets), error,
                           (long long)d.capped, (long long)d.rounded, (long long)d.timeless, (long long)d.damaged,
                           (long long)d.options);
exit:
    bytes_free(&d.data);
    bytes_free(&d.packets);
    PyBuffer_Release(&in);
    PyBuffer_Release(&interfaces);
    PyBuffer_Release(&names);
    return result;
}

enum { MOST_KNOWN = 65 };       /* MOST_KNOWN of ../../../blocks.py */

/* Reads a list of interfaces that are described, as one of their packets' notes and link type, and how these are written. The notes
 * are held by it. Gives how many there are; -1 with an exception.
 */
static Py_ssize_t known_of(struct pcapng_known *known, PyObject *interfaces, bool big_endian)
{
    Py_ssize_t count = PyList_Size(interfaces);
    if (count > MOST_KNOWN) {
        PyErr_SetString(PyExc_ValueError, "too many interfaces");
        return -1;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *tuple = PyList_GetItem(interfaces, i), *notes;
        long long linktype, interface, snaplen, flags;
        int nano, keeps;
        if (!PyTuple_Check(tuple)) {
            PyErr_SetString(PyExc_TypeError, "an interface is a tuple");
            return -1;
        }
        if (!PyArg_ParseTuple(tuple, "SLLpLLi", &notes, &linktype, &interface, &nano, &snaplen, &flags, &keeps))
            return -1;
        if (interface < 0 || interface > UINT32_MAX) {
            PyErr_SetString(PyExc_ValueError, "interface out of range");
            return -1;
        }
        known[i] = (struct pcapng_known){(const uint8_t *)PyBytes_AsString(notes), (size_t)PyBytes_Size(notes), linktype, {
            big_endian, nano != 0, (uint32_t)interface, (uint64_t)snaplen, (uint32_t)flags, (enum keeps)keeps,
        }};
    }
    return count;
}

static PyObject *py_pcapng_encode(PyObject *self, PyObject *args)
{
    (void)self;
    struct batch b;
    Py_ssize_t first, stop, end;
    struct pcapng_counts counts = {0};
    int big_endian;
    PyObject *interfaces, *out = NULL, *result = NULL;
    if (!PyArg_ParseTuple(args, "y*y*npO!", &b.data, &b.rows, &first, &big_endian, &PyList_Type, &interfaces))
        return NULL;
    struct pcapng_known known[MOST_KNOWN];
    Py_ssize_t count;
    if (!batch_sound_from(&b, first, true, "first packet out of range") || (count = known_of(known, interfaces, big_endian != 0)) < 0)
        goto exit;
    const struct packet *p = b.packets;
    uint64_t room = 0;
    size_t taken = 0;
    for (end = first; end < b.count && taken < 2 * MAX_BATCH; end++) {
        room += pcapng_room(&p[end]);
        taken += 32 + (size_t)p[end].captured + (size_t)p[end].notes_size;
    }
    out = room > PY_SSIZE_T_MAX ? PyErr_NoMemory() : PyByteArray_FromStringAndSize(NULL, (Py_ssize_t)room);
    if (out == NULL)
        goto exit;
    uint8_t *begin = (uint8_t *)PyByteArray_AsString(out), *at = begin;
    const struct pcapng_known *k;
    for (stop = first; stop < end && (k = pcapng_known_of(b.data.buf, &p[stop], known, (size_t)count)) != NULL; stop++)
        at += pcapng_encode(at, b.data.buf, &p[stop], &k->format, &counts);
    if (PyByteArray_Resize(out, at - begin) == 0)
        result = Py_BuildValue("(OnLLL)", out, stop, (long long)counts.lost, (long long)counts.outdated, (long long)counts.timed);
exit:
    Py_XDECREF(out);
    batch_close(&b);
    return result;
}

PyMethodDef pcapng_methods[] = {
    {"pcapng_decode", py_pcapng_decode, METH_VARARGS, NULL},
    {"pcapng_encode", py_pcapng_encode, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};
