/* The text format, and what stands for it between commands. */
#include "module.h"

static PyObject *py_text_decode(PyObject *self, PyObject *args)
{
    (void)self;
    Py_buffer text;
    Py_ssize_t start, stop;
    int final;
    long long linktype, line, now;
    PyObject *result = NULL;
    if (!PyArg_ParseTuple(args, "y*nnpLLL", &text, &start, &stop, &final, &linktype, &line, &now))
        return NULL;
    struct text_decoder d = {.linktype = linktype, .line = line, .now = now, .ready = fields_ready, .names_ready = names_ready};
    if (!range_of(&text, start, stop))
        goto exit;
    text_decode(&d, (const uint8_t *)text.buf + start, (size_t)(stop - start), final != 0);
    if (PyErr_Occurred())       /* no table of fields, or no names */
        goto exit;
    if (d.error == NO_MEMORY) {
        PyErr_NoMemory();
        goto exit;
    }
    PyObject *error = Py_None;
    Py_INCREF(error);
    if (d.error != NO_ERROR) {
        Py_DECREF(error);
        Py_ssize_t word = d.error == NOT_ENDED ? (Py_ssize_t)d.word : d.word_size > 0 ? start + (Py_ssize_t)d.word : 0;
        error = Py_BuildValue("(iLnn)", (int)d.error, (long long)d.error_line, word, (Py_ssize_t)d.word_size);
    }
    result = Py_BuildValue("(nNNLLN(LLLLL))", start + (Py_ssize_t)d.consumed, bytearray_of(&d.data), bytearray_of(&d.packets),
                           (long long)d.linktype, (long long)d.line, error,
                           (long long)d.stray, (long long)d.shortened, (long long)d.filled, (long long)d.unplaced,
                           (long long)d.cut);
exit:
    bytes_free(&d.data);
    bytes_free(&d.packets);
    PyBuffer_Release(&text);
    return result;
}

static PyObject *py_text_encode(PyObject *self, PyObject *args)
{
    (void)self;
    struct batch b;
    Py_ssize_t first, width, stop;
    long long number;
    int data_only, fields;
    PyObject *out = NULL, *result = NULL;
    struct lines lines = {0};
    struct bytes ends = {0};    /* of each packet's lines */
    if (!PyArg_ParseTuple(args, "y*y*nLnpi", &b.data, &b.rows, &first, &number, &width, &data_only, &fields))
        return NULL;
    struct text_style style = {(size_t)width, data_only != 0};
    if (!batch_sound_from(&b, first, width >= 1 && width <= MAX_FRAME, "first packet or width out of range"))
        goto exit;
    lines.decimal = (fields & DECIMAL) != 0;
    fields &= ~DECIMAL;
    if (fields < NO_FIELDS || fields > ALL_FIELDS || (lines.decimal && fields == NO_FIELDS)) {
        PyErr_SetString(PyExc_ValueError, "no such choice of fields");
        goto exit;
    }
    if (fields != NO_FIELDS && !fields_ready())
        goto exit;
    const struct packet *p = b.packets;
    uint64_t room = 0;
    size_t taken = 0;
    for (stop = first; stop < b.count && p[stop].linktype == p[first].linktype && taken < MAX_BATCH / 2 && room < MAX_TEXT; stop++) {
        size_t before = lines.text.size;
        if (fields != NO_FIELDS) {
            struct bare bare;
            bare_of(&bare, &b, stop);
            if (!lines_add(&lines, &bare.frame, bare.packet->linktype, (enum which_fields)fields)
                || !bytes_add(&ends, &lines.text.size, sizeof lines.text.size)) {
                PyErr_NoMemory();
                goto exit;
            }
        }
        room += text_room(&p[stop], &style, lines.text.size - before);
        taken += 64 + (size_t)p[stop].captured + (size_t)p[stop].notes_size + lines.text.size - before;
    }
    out = room > PY_SSIZE_T_MAX ? PyErr_NoMemory() : PyByteArray_FromStringAndSize(NULL, (Py_ssize_t)room);
    if (out == NULL)
        goto exit;
    uint8_t *at = (uint8_t *)PyByteArray_AsString(out), *begin = at;
    const size_t *end = (const void *)ends.at;
    size_t from = 0;
    for (Py_ssize_t i = first; i < stop; i++) {
        struct extra extra = {NULL, 0};
        if (end != NULL) {
            extra = (struct extra){lines.text.at + from, *end - from};
            from = *end++;
        }
        at += text_encode(at, b.data.buf, &p[i], number++, &style, &extra);
    }
    if (PyByteArray_Resize(out, at - begin) == 0)
        result = Py_BuildValue("(On)", out, stop);
exit:
    lines_free(&lines);
    bytes_free(&ends);
    Py_XDECREF(out);
    batch_close(&b);
    return result;
}

static PyObject *py_lane_encode(PyObject *self, PyObject *args)
{
    (void)self;
    struct batch b;
    Py_buffer out;
    Py_ssize_t first, front;
    PyObject *result = NULL;
    if (!PyArg_ParseTuple(args, "y*y*nw*n", &b.data, &b.rows, &first, &out, &front))
        return NULL;
    if (!batch_sound_from(&b, first, front >= 0 && front <= MAX_FRAME && out.len >= front + MAX_LANE, "first packet or room out of range"))
        goto exit;
    const struct packet *p = b.packets + first;
    size_t size, start = 0, count = lane_count(b.data.buf, p, (size_t)(b.count - first), &size);
    if (out.buf != b.data.buf)
        lane_encode((uint8_t *)out.buf + front, b.data.buf, p, count);
    else if (lane_stands(p, count, (size_t)front)) {
        start = (size_t)p->offset - RECORD - count * sizeof *p - (size_t)front;
        lane_encode_rows((uint8_t *)out.buf + start + front, p, count);
    } else
        count = 0;
    result = Py_BuildValue("(nnn)", (Py_ssize_t)start, (Py_ssize_t)(count > 0 ? (size_t)front + size : 0), first + (Py_ssize_t)count);
exit:
    PyBuffer_Release(&out);
    batch_close(&b);
    return result;
}

static PyObject *py_lane_decode(PyObject *self, PyObject *args)
{
    (void)self;
    Py_buffer data, rows;
    Py_ssize_t start, stop;
    long long linktype;
    PyObject *result = NULL;
    if (!PyArg_ParseTuple(args, "y*nnw*L", &data, &start, &stop, &rows, &linktype))
        return NULL;
    if (rows.len % (Py_ssize_t)sizeof(struct packet) != 0 || (rows.len > 0 && !aligned(&rows)))
        PyErr_SetString(PyExc_ValueError, "rows are not whole packets");
    else if (range_of(&data, start, stop)) {
        int64_t lines = 0;
        size_t sound = lane_decode(rows.buf, (size_t)rows.len / sizeof(struct packet), data.buf, (size_t)start, (size_t)stop, linktype,
                                   &lines);
        result = Py_BuildValue("(nL)", (Py_ssize_t)sound, (long long)lines);
    }
    PyBuffer_Release(&data);
    PyBuffer_Release(&rows);
    return result;
}

PyMethodDef text_methods[] = {
    {"text_decode", py_text_decode, METH_VARARGS, NULL},
    {"text_encode", py_text_encode, METH_VARARGS, NULL},
    {"lane_encode", py_lane_encode, METH_VARARGS, NULL},
    {"lane_decode", py_lane_decode, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};
