/* Records of pcap. */
#include "module.h"

enum { USUAL_RECORD = 192 };    /* bytes; where records are smaller there has to be more room for their rows than is made at first */

static PyObject *py_pcap_decode(PyObject *self, PyObject *args)
{
    (void)self;
    Py_buffer in;
    Py_ssize_t start, stop, header;
    int final, big_endian, nano, lengths;
    long long linktype;
    PyObject *rows = NULL, *result = NULL;
    if (!PyArg_ParseTuple(args, "y*nnpppniL", &in, &start, &stop, &final, &big_endian, &nano, &header, &lengths, &linktype))
        return NULL;
    struct pcap_decoder d = {0};
    struct pcap_format format = {big_endian != 0, nano != 0, (size_t)header, (enum lengths)lengths};
    if (header < 16 || header > 64 || lengths < IN_ORDER || lengths > SWAPPED) {
        PyErr_SetString(PyExc_ValueError, "record header or order of lengths out of range");
        goto exit;
    }
    if (!range_of(&in, start, stop))
        goto exit;
    rows = memory_of(&d.packets, ((size_t)(stop - start) / USUAL_RECORD + 1) * sizeof(struct packet));
    if (rows == NULL)
        goto exit;
    d.consumed = (size_t)start;
    do {
        Py_BEGIN_ALLOW_THREADS
        pcap_decode(&d, in.buf, (size_t)stop, final != 0, &format, linktype);
        Py_END_ALLOW_THREADS
    } while (d.error == NO_MEMORY && memory_more(rows, &d.packets));
    if (d.error != NO_MEMORY && memory_used(rows, &d.packets))
        result = Py_BuildValue("(nON)", (Py_ssize_t)d.consumed, rows, format_error(d.error, d.have, d.want));
exit:
    Py_XDECREF(rows);
    PyBuffer_Release(&in);
    return result;
}

static PyObject *py_pcap_border(PyObject *self, PyObject *args)
{
    (void)self;
    Py_buffer in;
    Py_ssize_t start, stop, header, most;
    int big_endian, nano, lengths;
    long long since;
    PyObject *result = NULL;
    if (!PyArg_ParseTuple(args, "y*nnppninL", &in, &start, &stop, &big_endian, &nano, &header, &lengths, &most, &since))
        return NULL;
    struct pcap_format format = {big_endian != 0, nano != 0, (size_t)header, (enum lengths)lengths};
    if (header < 16 || header > 64 || lengths < IN_ORDER || lengths > SWAPPED || most < 0) {
        PyErr_SetString(PyExc_ValueError, "record header, order of lengths or size out of range");
        goto exit;
    }
    if (!range_of(&in, start, stop))
        goto exit;
    size_t found;
    Py_BEGIN_ALLOW_THREADS
    found = pcap_border((const uint8_t *)in.buf + start, (size_t)(stop - start), &format, (size_t)most, since);
    Py_END_ALLOW_THREADS
    result = PyLong_FromSsize_t(found == SIZE_MAX ? -1 : start + (Py_ssize_t)found);
exit:
    PyBuffer_Release(&in);
    return result;
}

/* A memoryview of bytes of a buffer. */
static PyObject *part_of(const Py_buffer *b, Py_ssize_t at, Py_ssize_t size)
{
    PyObject *whole = PyMemoryView_FromObject(b->obj);
    PyObject *part = whole == NULL ? NULL : PySequence_GetSlice(whole, at, at + size);
    Py_XDECREF(whole);
    return part;
}

static PyObject *py_pcap_encode(PyObject *self, PyObject *args)
{
    (void)self;
    struct batch b;
    Py_ssize_t first, stop, lost = 0;
    int big_endian, nano;
    PyObject *out = NULL, *result = NULL;
    if (!PyArg_ParseTuple(args, "y*y*npp", &b.data, &b.rows, &first, &big_endian, &nano))
        return NULL;
    struct pcap_format format = {.big_endian = big_endian != 0, .nano = nano != 0, .header = RECORD};
    if (!batch_sound_from(&b, first, true, "first packet out of range"))
        goto exit;
    const struct packet *p = b.packets;
    size_t room = 0;
    bool stand = true;          /* whether all records stand in the data already, one behind the other */
    for (stop = first; stop < b.count && p[stop].linktype == p[first].linktype && room < 2 * MAX_BATCH; stop++) {
        fetch_ahead(&b, stop);
        stand = stand && p[stop].offset - p[first].offset == (int64_t)room && pcap_stands(b.data.buf, &p[stop], &format);
        if (!stand && !pcap_fits(&p[stop]))
            break;
        lost += !stand && !nano && p[stop].time % 1000 != 0;
        room += RECORD + (size_t)p[stop].captured;
    }
    if (stand && stop > first) {
        out = part_of(&b.data, (Py_ssize_t)p[first].offset - RECORD, (Py_ssize_t)room);
        if (out == NULL)
            goto exit;
    } else {
        out = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)room);
        if (out == NULL)
            goto exit;
        uint8_t *at = (uint8_t *)PyBytes_AsString(out);
        Py_BEGIN_ALLOW_THREADS
        for (Py_ssize_t i = first; i < stop; i++)
            at += pcap_encode(at, b.data.buf, &p[i], &format);
        Py_END_ALLOW_THREADS
    }
    result = Py_BuildValue("(Onn)", out, stop, lost);
exit:
    Py_XDECREF(out);
    batch_close(&b);
    return result;
}

PyMethodDef pcap_methods[] = {
    {"pcap_decode", py_pcap_decode, METH_VARARGS, NULL},
    {"pcap_border", py_pcap_border, METH_VARARGS, NULL},
    {"pcap_encode", py_pcap_encode, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};
