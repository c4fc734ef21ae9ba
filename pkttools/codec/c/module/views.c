/* Packets as JSON, columns, listings and lines, and what messages say. */
#include "module.h"
#include "../line.h"
#include "../listing.h"

/* What packets are counted as: each, in a buffer, or one after the other from a number on. */
struct numbering {
    Py_buffer held;
    const int64_t *each;        /* NULL: one after the other */
    uint64_t next;
};

static bool numbering_open(struct numbering *n, PyObject *number, const struct batch *b)
{
    *n = (struct numbering){0};
    if (PyLong_Check(number)) {
        n->next = (uint64_t)PyLong_AsLongLong(number);
        return !PyErr_Occurred();
    }
    if (PyObject_GetBuffer(number, &n->held, PyBUF_SIMPLE) < 0)
        return false;
    n->each = n->held.buf;
    if (aligned(&n->held) && n->held.len == b->count * (Py_ssize_t)sizeof *n->each)
        return true;
    PyErr_SetString(PyExc_ValueError, "not a number a packet");
    return false;
}

static void numbering_close(struct numbering *n)
{
    if (n->held.obj != NULL)
        PyBuffer_Release(&n->held);
}

static int64_t number_of_packet(struct numbering *n, Py_ssize_t at)
{
    return n->each != NULL ? n->each[at] : (int64_t)n->next++;
}

static PyObject *py_json_encode(PyObject *self, PyObject *args)
{
    (void)self;
    struct batch b;
    Py_ssize_t first;
    struct numbering numbers = {0};
    struct json json = {0};
    PyObject *number, *result = NULL;
    if (!PyArg_ParseTuple(args, "y*y*nO", &b.data, &b.rows, &first, &number))
        return NULL;
    if (!batch_sound_from(&b, first, true, "first packet out of range") || !numbering_open(&numbers, number, &b) || !fields_ready())
        goto exit;
    for (; first < b.count && json.text.size < MAX_BATCH / 2; first++)
        if (!json_add(&json, b.data.buf, &b.packets[first], number_of_packet(&numbers, first))) {
            PyErr_NoMemory();
            goto exit;
        }
    result = Py_BuildValue("(Nn)", bytearray_of(&json.text), first);
exit:
    json_free(&json);
    numbering_close(&numbers);
    batch_close(&b);
    return result;
}

static PyObject *py_columns_encode(PyObject *self, PyObject *args)
{
    (void)self;
    struct batch b;
    Py_buffer columns, before;
    Py_ssize_t first;
    struct numbering numbers = {0};
    int style;
    struct columns c = {0};
    PyObject *number, *result = NULL;
    if (!PyArg_ParseTuple(args, "y*y*nOy*y*i", &b.data, &b.rows, &first, &number, &columns, &before, &style))
        return NULL;
    if (!batch_sound_from(&b, first, true, "first packet out of range") || !numbering_open(&numbers, number, &b) || !fields_ready())
        goto exit;
    c.columns = columns.buf;
    c.count = (size_t)columns.len / sizeof *c.columns;
    c.before = before.buf;
    c.before_size = (size_t)before.len;
    c.style = (enum cells)style;
    if (style < 0 || (size_t)columns.len % sizeof *c.columns != 0 || !aligned(&columns) || !columns_sound(&c)) {
        PyErr_SetString(PyExc_ValueError, "columns are not sound");
        goto exit;
    }
    bool done = columns_begin(&c);
    for (; done && first < b.count && c.text.size < MAX_BATCH / 2; first++)
        done = columns_add(&c, b.data.buf, &b.packets[first], number_of_packet(&numbers, first));
    result = done ? Py_BuildValue("(Nn)", bytearray_of(&c.text), first) : PyErr_NoMemory();
exit:
    columns_free(&c);
    numbering_close(&numbers);
    PyBuffer_Release(&columns);
    PyBuffer_Release(&before);
    batch_close(&b);
    return result;
}

/* Adds text that is not ASCII, made safe for a terminal: Python knows what is printable. */
static bool printable(const uint8_t *text, size_t size, struct bytes *out)
{
    PyObject *module = PyImport_ImportModule("pkttools.protocols.shown");
    PyObject *safe = module == NULL ? NULL : PyObject_CallMethod(module, "printable", "y#", (const char *)text, (Py_ssize_t)size);
    Py_ssize_t count = 0;
    const char *encoded = safe == NULL ? NULL : PyUnicode_AsUTF8AndSize(safe, &count);
    bool done = encoded != NULL && bytes_add(out, encoded, (size_t)count);
    Py_XDECREF(safe);
    Py_XDECREF(module);
    return done;
}

/* SGR parameters, one a layer. None: there are no colours. */
static bool colours_of(PyObject *tuple, struct name *colours, bool *coloured)
{
    *coloured = tuple != Py_None;
    for (Py_ssize_t i = CAPTURE_LAYER; *coloured && i <= APPLICATION_NAMES; i++) {
        Py_ssize_t size = 0;
        PyObject *colour = PyTuple_Check(tuple) && PyTuple_Size(tuple) == APPLICATION_NAMES ? PyTuple_GetItem(tuple, i - 1) : NULL;
        const char *text = colour != NULL && PyUnicode_Check(colour) ? PyUnicode_AsUTF8AndSize(colour, &size) : NULL;
        if (text == NULL) {
            PyErr_SetString(PyExc_TypeError, "colours are a tuple of texts, one a layer");
            return false;
        }
        colours[i] = (struct name){(const uint8_t *)text, (size_t)size};
    }
    return true;
}

static PyObject *py_listing_encode(PyObject *self, PyObject *args)
{
    (void)self;
    struct batch b;
    Py_ssize_t first, stop;
    long long number;
    int level, dump, more;
    struct listing l = {.printable = printable};
    PyObject *colours, *result = NULL;
    if (!PyArg_ParseTuple(args, "y*y*nLiiippO", &b.data, &b.rows, &first, &number, &level, &l.lowest, &l.highest, &dump, &more, &colours))
        return NULL;
    bool in_range = level >= NAMES_ALONE && level <= ALL_DATA;
    if (!batch_sound_from(&b, first, in_range, "first packet or level out of range") || !colours_of(colours, l.colours, &l.coloured)
        || !templates_ready())
        goto exit;
    l.level = (enum listing_level)level;
    l.dump = dump != 0;
    l.telling.more = more != 0;
    const struct packet *p = b.packets;
    for (stop = first; stop < b.count && p[stop].linktype == p[first].linktype && l.text.size < MAX_BATCH; stop++)
        if (!listing_add(&l, b.data.buf, &p[stop], number++)) {
            if (!PyErr_Occurred())
                PyErr_NoMemory();
            goto exit;
        }
    result = Py_BuildValue("(y#nKK)", l.text.at == NULL ? "" : (const char *)l.text.at, (Py_ssize_t)l.text.size, stop,
                           (unsigned long long)l.telling.wrong, (unsigned long long)l.telling.unfinished);
exit:
    listing_free(&l);
    batch_close(&b);
    return result;
}

static PyObject *py_tell(PyObject *self, PyObject *args)
{
    (void)self;
    Py_buffer data;
    int which;
    Py_ssize_t at, end;
    if (!PyArg_ParseTuple(args, "iy*nn", &which, &data, &at, &end))
        return NULL;
    PyObject *told = NULL;
    if (which < 0 || which >= READERS)
        PyErr_SetString(PyExc_ValueError, "no such reader");
    else if (range_of(&data, at, end)) {
        uint8_t out[MOST_TOLD];
        const struct frame f = {data.buf, (size_t)data.len};
        size_t size = tell((enum reader)which, &f, (size_t)at, (size_t)end, out);
        told = size > 0 ? PyBytes_FromStringAndSize((const char *)out, (Py_ssize_t)size) : Py_NewRef(Py_None);
    }
    PyBuffer_Release(&data);
    return told;
}

/* Whether there are tables of what packets say as lines: ours when the first line is asked for. */
static bool line_ready(void)
{
    if (line_known())
        return templates_ready();
    PyObject *lines = attribute_of("pkttools.protocols._lines", "LINES");
    struct protocol_table tables[LINE_TABLES];
    bool done = lines != NULL, sound = true;
    for (Py_ssize_t i = 0; done && i < LINE_TABLES; i++) {
        PyObject *table = PyTuple_GetItem(lines, i);
        done = table != NULL && integers_of(table, &tables[i]);
    }
    if (done && !line_set(tables, &sound)) {
        done = false;
        if (!sound)
            PyErr_SetString(PyExc_ValueError, "what packets say as lines is not sound");
        else
            PyErr_NoMemory();
    }
    Py_XDECREF(lines);
    return done && templates_ready();
}

static bool local_offset(void *of, int64_t seconds, int64_t *offset)
{
    PyObject *found = PyObject_CallFunction(of, "L", (long long)seconds);
    *offset = found == NULL ? -1 : PyLong_AsLongLong(found);
    Py_XDECREF(found);
    return !PyErr_Occurred();
}

static PyObject *py_line_encode(PyObject *self, PyObject *args)
{
    (void)self;
    struct batch b;
    Py_buffer state;
    Py_ssize_t first, stop;
    int time;
    PyObject *colours, *offset, *table, *number = Py_None, *result = NULL;
    struct numbering numbers = {0};
    struct bytes out = {0}, whole = {0};
    struct telling told = {0};
    if (!PyArg_ParseTuple(args, "y*y*nw*iOOO|O", &b.data, &b.rows, &first, &state, &time, &colours, &offset, &table, &number))
        return NULL;
    struct line_style style = {.time = (enum line_time)time, .offset = offset == Py_None ? NULL : local_offset, .of = offset};
    bool fits = time >= 0 && time < LINE_TIMES && state.len == (Py_ssize_t)sizeof(struct line_state) && aligned(&state)
        && PyTuple_Check(colours) && PyTuple_Size(colours) <= COLOURS;
    if (!batch_sound_from(&b, first, fits, "first packet, state, time or colours out of range") || !line_ready())
        goto exit;
    if (table != Py_None && (style.conversations = conversations_of(table)) == NULL)
        goto exit;
    if (number != Py_None && !numbering_open(&numbers, number, &b))
        goto exit;
    for (Py_ssize_t i = 0; i < PyTuple_Size(colours); i++) {
        style.colour[i] = PyBytes_AsString(PyTuple_GetItem(colours, i));
        if (style.colour[i] == NULL)
            goto exit;
        if (style.colour[i][0] == 0)
            style.colour[i] = NULL;
    }
    for (stop = first; stop < b.count && out.size < MAX_BATCH / 2; stop++) {
        struct bare bare;
        bare_of(&bare, &b, stop);
        if (number != Py_None)  /* behind the one before it */
            ((struct line_state *)state.buf)->number = (uint64_t)number_of_packet(&numbers, stop) - 1;
        enum line_end end = line_add(&out, &told, &whole, &bare.frame, bare.packet, &style, state.buf);
        if (end == LINE_NO_MEMORY)
            PyErr_NoMemory();
        if (end != LINE_DONE)
            goto exit;
    }
    result = Py_BuildValue("(Nn)", bytearray_of(&out), stop);
exit:
    telling_free(&told);
    bytes_free(&whole);
    bytes_free(&out);
    numbering_close(&numbers);
    PyBuffer_Release(&state);
    batch_close(&b);
    return result;
}

PyMethodDef views_methods[] = {
    {"json_encode", py_json_encode, METH_VARARGS, NULL},
    {"columns_encode", py_columns_encode, METH_VARARGS, NULL},
    {"tell", py_tell, METH_VARARGS, NULL},
    {"line_encode", py_line_encode, METH_VARARGS, NULL},
    {"listing_encode", py_listing_encode, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};
