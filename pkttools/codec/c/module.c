/* The Python face of the C backend. Shapes, limits and errors are those of ../python; ../__init__.py has the contract. */
#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include <Python.h>

#include "codec.h"
#include "conversations.h"
#include "line.h"
#include "listing.h"
#include "statistics.h"

#include <stdlib.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

static bool aligned(const Py_buffer *b)
{
    return (uintptr_t)b->buf % sizeof(int64_t) == 0;
}

/* A batch as Python hands it over. Both buffers are held until it is closed: while they are, a bytearray raises BufferError when it
 * is to be resized, so nothing that was checked here can lie outside of them later, though the GIL is released. What they contain is
 * the caller's: nobody writes to rows, and to data only what is called, until the call is over.
 */
struct batch {
    Py_buffer data, rows;
    const struct packet *packets;
    Py_ssize_t count;
};

/* Whether every packet lies within the data; false with an exception. The buffers are there already. */
static bool batch_sound(struct batch *b)
{
    /* An empty bytearray has no memory of its own, and what it points to instead need not be aligned. */
    if (b->rows.len % (Py_ssize_t)sizeof(struct packet) != 0 || (b->rows.len > 0 && !aligned(&b->rows))) {
        PyErr_SetString(PyExc_ValueError, "rows are not whole packets");
        return false;
    }
    const struct packet *p = b->packets = b->rows.buf;
    const uint64_t size = (uint64_t)b->data.len;    /* what is negative is larger than that, too */
    b->count = b->rows.len / (Py_ssize_t)sizeof(struct packet);
    for (Py_ssize_t i = 0; i < b->count; i++)
        if ((uint64_t)p[i].captured > MAX_FRAME || (uint64_t)p[i].offset > size || (uint64_t)p[i].captured > size - (uint64_t)p[i].offset
            || (uint64_t)p[i].notes > size || (uint64_t)p[i].notes_size > size - (uint64_t)p[i].notes) {
            PyErr_Format(PyExc_ValueError, "packet %zd lies outside of its batch", i);
            return false;
        }
    return true;
}

/* The same, and a number that its caller gives with it has to be a packet, or behind the last one, and another to be in range. */
static bool batch_sound_from(struct batch *b, Py_ssize_t first, bool in_range, const char *otherwise)
{
    if (!batch_sound(b))
        return false;
    if (first >= 0 && first <= b->count && in_range)
        return true;
    PyErr_SetString(PyExc_ValueError, otherwise);
    return false;
}

/* Whether it is one packet, as functions that look at one want it. */
static bool batch_of_one(struct batch *b, const char *otherwise)
{
    if (!batch_sound(b))
        return false;
    if (b->count == 1)
        return true;
    PyErr_SetString(PyExc_ValueError, otherwise);
    return false;
}

static void batch_close(struct batch *b)
{
    PyBuffer_Release(&b->data);
    PyBuffer_Release(&b->rows);
}

/* A packet of a batch without its frame check sequence. */
struct bare {
    struct packet own;
    const struct packet *packet;
    struct frame frame;
};

static void bare_of(struct bare *bare, const struct batch *b, Py_ssize_t i)
{
    const struct packet *p = bare->packet = without_fcs(&b->packets[i], &bare->own);
    bare->frame = (struct frame){(const uint8_t *)b->data.buf + p->offset, (size_t)p->captured};
}

/* The same, to be written: of a batch whose data was asked for with `w*`. */
static struct writable_frame writable_of(const struct batch *b, const struct packet *p)
{
    return writable((uint8_t *)b->data.buf + p->offset, (size_t)p->captured);
}

/* What is wrong with a capture, for Python; None: nothing is. */
static PyObject *format_error(enum error_kind error, uint64_t have, uint64_t want)
{
    if (error == NO_ERROR)
        return Py_NewRef(Py_None);
    return Py_BuildValue("(iKK)", (int)error, (unsigned long long)have, (unsigned long long)want);
}

static bool range_of(const Py_buffer *b, Py_ssize_t start, Py_ssize_t stop)
{
    if (start >= 0 && start <= stop && stop <= b->len)
        return true;
    PyErr_SetString(PyExc_ValueError, "range lies outside of the buffer");
    return false;
}

static PyObject *bytearray_of(const struct bytes *b)
{
    return PyByteArray_FromStringAndSize((const char *)b->at, (Py_ssize_t)b->size);
}

/* ---- text ---- */

static bool fields_ready(void), names_ready(void);

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
    result = Py_BuildValue("(nNNLLN(LLLL))", start + (Py_ssize_t)d.consumed, bytearray_of(&d.data), bytearray_of(&d.packets),
                           (long long)d.linktype, (long long)d.line, error,
                           (long long)d.stray, (long long)d.shortened, (long long)d.filled, (long long)d.unplaced);
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

static PyObject *py_json_encode(PyObject *self, PyObject *args)
{
    (void)self;
    struct batch b;
    Py_ssize_t first;
    long long number;
    struct json json = {0};
    PyObject *result = NULL;
    if (!PyArg_ParseTuple(args, "y*y*nL", &b.data, &b.rows, &first, &number))
        return NULL;
    if (!batch_sound_from(&b, first, true, "first packet out of range") || !fields_ready())
        goto exit;
    for (; first < b.count && json.text.size < MAX_BATCH / 2; first++)
        if (!json_add(&json, b.data.buf, &b.packets[first], number++)) {
            PyErr_NoMemory();
            goto exit;
        }
    result = Py_BuildValue("(Nn)", bytearray_of(&json.text), first);
exit:
    json_free(&json);
    batch_close(&b);
    return result;
}

static PyObject *py_columns_encode(PyObject *self, PyObject *args)
{
    (void)self;
    struct batch b;
    Py_buffer columns, before;
    Py_ssize_t first;
    long long number;
    int style;
    struct columns c = {0};
    PyObject *result = NULL;
    if (!PyArg_ParseTuple(args, "y*y*nLy*y*i", &b.data, &b.rows, &first, &number, &columns, &before, &style))
        return NULL;
    if (!batch_sound_from(&b, first, true, "first packet out of range") || !fields_ready())
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
        done = columns_add(&c, b.data.buf, &b.packets[first], number++);
    result = done ? Py_BuildValue("(Nn)", bytearray_of(&c.text), first) : PyErr_NoMemory();
exit:
    columns_free(&c);
    PyBuffer_Release(&columns);
    PyBuffer_Release(&before);
    batch_close(&b);
    return result;
}

/* ---- lane ---- */

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

/* ---- pcap ---- */

static PyObject *py_pcap_decode(PyObject *self, PyObject *args)
{
    (void)self;
    Py_buffer in;
    Py_ssize_t start, stop, header;
    int final, big_endian, nano, lengths;
    long long linktype;
    PyObject *result = NULL;
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
    Py_BEGIN_ALLOW_THREADS
    pcap_decode(&d, (const uint8_t *)in.buf + start, (size_t)(stop - start), final != 0, &format, linktype);
    Py_END_ALLOW_THREADS
    if (d.error == NO_MEMORY) {
        PyErr_NoMemory();
        goto exit;
    }
    struct packet *p = (struct packet *)d.packets.at;
    for (size_t i = 0; i < d.packets.size / sizeof *p; i++)
        p[i].offset += start;
    PyObject *error = format_error(d.error, d.have, d.want);
    result = Py_BuildValue("(nNN)", start + (Py_ssize_t)d.consumed, bytearray_of(&d.packets), error);
exit:
    bytes_free(&d.packets);
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

/* ---- pcapng ---- */

static PyObject *py_pcapng_decode(PyObject *self, PyObject *args)
{
    (void)self;
    Py_buffer in, interfaces, names;
    Py_ssize_t start, stop;
    int big_endian;
    PyObject *result = NULL;
    if (!PyArg_ParseTuple(args, "y*nnpy*y*", &in, &start, &stop, &big_endian, &interfaces, &names))
        return NULL;
    struct pcapng_decoder d = {0};
    struct pcapng_section section = {
        big_endian != 0, interfaces.buf, (size_t)interfaces.len / sizeof(struct interface), names.buf, (size_t)names.len,
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

static PyObject *py_pcapng_encode(PyObject *self, PyObject *args)
{
    (void)self;
    struct batch b;
    Py_ssize_t first, stop;
    long long interface;
    int64_t lost = 0;
    int big_endian, nano;
    PyObject *out = NULL, *result = NULL;
    if (!PyArg_ParseTuple(args, "y*y*npLp", &b.data, &b.rows, &first, &big_endian, &interface, &nano))
        return NULL;
    struct pcapng_format format = {big_endian != 0, nano != 0, (uint32_t)interface};
    if (!batch_sound_from(&b, first, interface >= 0 && interface <= UINT32_MAX, "first packet or interface out of range"))
        goto exit;
    const struct packet *p = b.packets;
    uint64_t room = 0;
    size_t taken = 0;
    for (stop = first; stop < b.count && taken < 2 * MAX_BATCH && pcapng_joins(b.data.buf, &p[first], &p[stop], format.nano); stop++) {
        room += pcapng_room(&p[stop]);
        taken += 32 + (size_t)p[stop].captured + (size_t)p[stop].notes_size;
    }
    out = room > PY_SSIZE_T_MAX ? PyErr_NoMemory() : PyByteArray_FromStringAndSize(NULL, (Py_ssize_t)room);
    if (out == NULL)
        goto exit;
    uint8_t *begin = (uint8_t *)PyByteArray_AsString(out), *at = begin;
    for (Py_ssize_t i = first; i < stop; i++)
        at += pcapng_encode(at, b.data.buf, &p[i], &format, &lost);
    if (PyByteArray_Resize(out, at - begin) == 0)
        result = Py_BuildValue("(OnL)", out, stop, (long long)lost);
exit:
    Py_XDECREF(out);
    batch_close(&b);
    return result;
}

/* ---- protocols ---- */

/* The integers of a table, where they are: what bytes hold is aligned, behind a head of whole words. */
static bool integers_of(PyObject *bytes, struct protocol_table *table)
{
    char *from;
    Py_ssize_t size = -1;
    if (!PyBytes_Check(bytes) || PyBytes_AsStringAndSize(bytes, &from, &size) != 0 || size % (Py_ssize_t)sizeof(int64_t) != 0
        || (uintptr_t)from % sizeof(int64_t) != 0) {
        PyErr_SetString(PyExc_TypeError, "a table is bytes: integers of 64 bits");
        return false;
    }
    *table = (struct protocol_table){(const int64_t *)(const void *)from, (size_t)size / sizeof(int64_t)};
    return true;
}

static bool set_tables(PyObject *tuple)
{
    struct protocol_table tables[TABLES] = {{NULL, 0}};
    struct fault fault = {-1, 0, 0};
    bool done = PyTuple_Check(tuple) && PyTuple_Size(tuple) == TABLES;
    if (!done)
        PyErr_Format(PyExc_TypeError, "protocols are a tuple of %d tables", (int)TABLES);
    for (Py_ssize_t i = 0; done && i < TABLES; i++)
        done = integers_of(PyTuple_GetItem(tuple, i), &tables[i]);
    if (done && !protocols_set(tables, &fault)) {
        done = false;
        if (fault.table < 0)
            PyErr_NoMemory();
        else
            PyErr_Format(PyExc_ValueError, "protocols are not sound: table %d, row %d, column %d", (int)fault.table, (int)fault.row,
                         (int)fault.column);
    }
    return done;
}

/* Whether the walk has tables to go by: those of ours, when the first packet is looked at and there are no others. */
static bool protocols_ready(void)
{
    if (protocols_known())
        return true;
    PyObject *tables = PyImport_ImportModule("pkttools.protocols._tables");
    PyObject *walk = tables == NULL ? NULL : PyObject_GetAttrString(tables, "WALK");
    bool done = walk != NULL && set_tables(walk);
    Py_XDECREF(walk);
    Py_XDECREF(tables);
    return done;
}

/* Gives the table of our fields to a function that knows it from then on. */
static bool with_fields(bool (*set)(const struct field_table *table, PyObject *tables, bool *sound))
{
    PyObject *tables = PyImport_ImportModule("pkttools.protocols._rows");
    PyObject *rows = tables == NULL ? NULL : PyObject_GetAttrString(tables, "ROWS");
    PyObject *traits = rows == NULL ? NULL : PyObject_GetAttrString(tables, "TRAITS");
    PyObject *names = traits == NULL ? NULL : PyObject_GetAttrString(tables, "FIELDS");
    bool done = false, sound = true;
    Py_ssize_t size;
    const char *text = names == NULL ? NULL : PyUnicode_AsUTF8AndSize(names, &size);
    if (text != NULL) {
        size_t count = (size_t)PyBytes_Size(rows) / sizeof(struct field);
        struct field_table table = {
            (const void *)PyBytes_AsString(rows), count, (const void *)PyBytes_AsString(traits), text, (size_t)size,
        };
        sound = PyBytes_Size(traits) == (Py_ssize_t)(count * sizeof(struct trait)) && table.fields != NULL;
        done = sound && set(&table, tables, &sound);
        if (!sound)
            PyErr_SetString(PyExc_ValueError, "fields are not sound");
        else if (!done && !PyErr_Occurred())
            PyErr_NoMemory();
    }
    Py_XDECREF(names);
    Py_XDECREF(traits);
    Py_XDECREF(rows);
    Py_XDECREF(tables);
    return done;
}

static bool set_rows(const struct field_table *table, PyObject *tables, bool *sound)
{
    (void)tables;
    return fields_set(table, sound);
}

static bool set_templates(const struct field_table *table, PyObject *tables, bool *sound)
{
    (void)tables;
    struct protocol_table given[TEMPLATE_TABLES];
    PyObject *module = PyImport_ImportModule("pkttools.protocols._templates");
    PyObject *tuple = module == NULL ? NULL : PyObject_GetAttrString(module, "TEMPLATES");
    bool done = tuple != NULL && PyTuple_Check(tuple) && PyTuple_Size(tuple) == TEMPLATE_TABLES + 1;
    *sound = done || PyErr_Occurred();
    for (Py_ssize_t i = 0; done && i < TEMPLATE_TABLES; i++)
        done = integers_of(PyTuple_GetItem(tuple, i), &given[i]);
    char *text = NULL;
    Py_ssize_t size = 0;
    done = done && PyBytes_AsStringAndSize(PyTuple_GetItem(tuple, TEMPLATE_TABLES), &text, &size) == 0;
    done = done && templates_set(table, given, (struct name){(const uint8_t *)text, (size_t)size}, sound);
    Py_XDECREF(tuple);
    Py_XDECREF(module);
    return done;
}

/* Whether there are templates: those of ours when the first one is told. */
static bool templates_ready(void)
{
    return (templates_known() || with_fields(set_templates)) && protocols_ready();
}

/* Whether there is a table of fields, too: that of ours when the first one is asked for. */
static bool fields_ready(void)
{
    return (fields_known() || with_fields(set_rows)) && protocols_ready();
}

/* The number that a word is, by the names of values of the descriptions. */
static bool named(unsigned names, const uint8_t *word, size_t size, uint64_t *number)
{
    PyObject *module = PyErr_Occurred() ? NULL : PyImport_ImportModule("pkttools.protocols.names");
    PyObject *text = module == NULL ? NULL : PyUnicode_DecodeLatin1((const char *)word, (Py_ssize_t)size, NULL);
    PyObject *found = text == NULL ? NULL : PyObject_CallMethod(module, "number_of", "IO", names, text);
    bool known = found != NULL && found != Py_None;
    if (known)
        *number = PyLong_AsUnsignedLongLong(found);
    Py_XDECREF(found);
    Py_XDECREF(text);
    Py_XDECREF(module);
    return known && !PyErr_Occurred();
}

static bool set_names(const struct field_table *table, PyObject *tables, bool *sound)
{
    PyObject *renamed = PyObject_GetAttrString(tables, "RENAMED"), *was, *now;
    Py_ssize_t at = 0, was_size, now_size;
    bool done = renamed != NULL && names_set(table, (size_t)PyDict_Size(renamed), named, sound);
    while (done && PyDict_Next(renamed, &at, &was, &now)) {
        const char *old = PyUnicode_AsUTF8AndSize(was, &was_size), *text = PyUnicode_AsUTF8AndSize(now, &now_size);
        done = old != NULL && text != NULL;
        if (done)
            name_add(old, (size_t)was_size, text, (size_t)now_size);
    }
    Py_XDECREF(renamed);
    return done;
}

/* Whether fields are known by name, too. */
static bool names_ready(void)
{
    return (names_known() || with_fields(set_names)) && protocols_ready();
}

static PyObject *py_set_protocols(PyObject *self, PyObject *tables)
{
    (void)self;
    return set_tables(tables) ? Py_NewRef(Py_None) : NULL;
}

/* ---- headers, programs, checksums ---- */

static PyObject *py_walk(PyObject *self, PyObject *args)
{
    (void)self;
    struct batch b;
    int own = 0;
    PyObject *list = NULL;
    if (!PyArg_ParseTuple(args, "y*y*|p", &b.data, &b.rows, &own))
        return NULL;
    if (batch_of_one(&b, "one row is walked at a time") && protocols_ready()) {
        struct bare bare;
        bare_of(&bare, &b, 0);
        struct walk w;
        walk(&w, &bare.frame, bare.packet->linktype);
        if (own)
            leave_out_quoted(&w);
        list = PyList_New((Py_ssize_t)w.count);
        for (size_t k = 0; list != NULL && k < w.count; k++) {
            struct header h = w.header[k];
            PyObject *item = Py_BuildValue("(innn)", (int)h.kind, (Py_ssize_t)h.start, (Py_ssize_t)h.data, (Py_ssize_t)h.end);
            if (item == NULL || PyList_SetItem(list, (Py_ssize_t)k, item) < 0)
                Py_CLEAR(list);
        }
    }
    batch_close(&b);
    return list;
}

/* A program as Python hands it over: fields, code, constants. */
struct loaded {
    Py_buffer fields, code, constants;
    struct program program;
};

static void unload(struct loaded *l)
{
    PyBuffer_Release(&l->fields);
    PyBuffer_Release(&l->code);
    PyBuffer_Release(&l->constants);
}

/* Fields that were found sound last: all programs bring the same ones, with what all protocols have. Bytes do not change. */
static PyObject *sound_fields;

static bool load(PyObject *tuple, struct loaded *l, bool (*sound)(struct program *))
{
    *l = (struct loaded){0};
    if (!PyArg_ParseTuple(tuple, "y*y*y*", &l->fields, &l->code, &l->constants))
        return false;
    l->program = (struct program){
        l->fields.buf, (size_t)l->fields.len / sizeof(struct field), l->code.buf, (size_t)l->code.len / sizeof(int64_t),
        l->constants.buf, (size_t)l->constants.len, false, l->fields.obj == sound_fields,
    };
    if (aligned(&l->fields) && (l->code.len == 0 || aligned(&l->code)) && sound(&l->program)) {
        if (!l->program.known && PyBytes_CheckExact(l->fields.obj)) {
            PyObject *before = sound_fields;
            sound_fields = Py_NewRef(l->fields.obj);
            Py_XDECREF(before);
        }
        return true;
    }
    PyErr_SetString(PyExc_ValueError, "program is not valid");
    unload(l);
    return false;
}

static PyObject *py_items(PyObject *self, PyObject *args)
{
    (void)self;
    struct batch b;
    PyObject *list = NULL;
    if (!PyArg_ParseTuple(args, "y*y*", &b.data, &b.rows))
        return NULL;
    if (batch_of_one(&b, "one row is walked at a time") && protocols_ready()) {
        struct bare bare;
        bare_of(&bare, &b, 0);
        struct walk w;
        struct header h;
        walk(&w, &bare.frame, bare.packet->linktype);
        list = PyList_New(0);
        for (struct items items = items_of(&bare.frame, &w); list != NULL && next_item(&items, &h);) {
            PyObject *item = Py_BuildValue("(ninnn)", (Py_ssize_t)items.index, (int)h.kind, (Py_ssize_t)h.start, (Py_ssize_t)h.data,
                                           (Py_ssize_t)h.end);
            if (item == NULL || PyList_Append(list, item) < 0)
                Py_CLEAR(list);
            Py_XDECREF(item);
        }
    }
    batch_close(&b);
    return list;
}

static PyObject *py_select(PyObject *self, PyObject *args)
{
    (void)self;
    struct batch b;
    PyObject *tests, *out = NULL;
    Py_ssize_t kept = 0;
    struct loaded l;
    if (!PyArg_ParseTuple(args, "y*y*O!", &b.data, &b.rows, &PyTuple_Type, &tests))
        return NULL;
    if (!batch_sound(&b) || !protocols_ready() || !load(tests, &l, tests_sound))
        goto exit;
    out = PyByteArray_FromStringAndSize(NULL, b.rows.len);
    if (out != NULL) {
        struct packet *to = (struct packet *)(void *)PyByteArray_AsString(out);
        Py_BEGIN_ALLOW_THREADS
        for (Py_ssize_t i = 0; i < b.count; i++) {
            struct bare bare;
            bare_of(&bare, &b, i);
            if (matches(&l.program, &bare.frame, bare.packet, &b.packets[i]))
                memcpy(&to[kept++], &b.packets[i], sizeof *to);
        }
        Py_END_ALLOW_THREADS
        if (PyByteArray_Resize(out, kept * (Py_ssize_t)sizeof(struct packet)) < 0)
            Py_CLEAR(out);
    }
    unload(&l);
exit:
    batch_close(&b);
    return out;
}

/* Numbers as a tuple; NULL with an exception. */
static PyObject *numbers(const size_t *number, Py_ssize_t count)
{
    PyObject *tuple = PyTuple_New(count);
    for (Py_ssize_t i = 0; tuple != NULL && i < count; i++) {
        PyObject *item = PyLong_FromSize_t(number[i]);
        if (item == NULL || PyTuple_SetItem(tuple, i, item) < 0)
            Py_CLEAR(tuple);
    }
    return tuple;
}

/* What the packets of a batch carry that is not followed, or does not follow: codes, counted in a dict at the end, if there is one. */
struct beyond {
    PyObject *counts;
    struct bytes codes;
    bool full;
};

static bool beyond_begin(struct beyond *b, PyObject *counts)
{
    *b = (struct beyond){.counts = counts == Py_None ? NULL : counts};
    if (b->counts == NULL || PyDict_Check(counts))
        return true;
    PyErr_SetString(PyExc_TypeError, "counts are a dict or None");
    return false;
}

static inline void beyond_add(struct beyond *b, uint64_t code)
{
    if (code != 0 && b->counts != NULL)         /* seldom */
        b->full |= !bytes_add(&b->codes, &code, sizeof code);
}

static inline void beyond_add_untold(struct beyond *b, struct untold untold)
{
    beyond_add(b, untold.beyond);
    beyond_add(b, untold.signature);
}

/* Adds what was found to the dict; false with an exception. */
static bool beyond_end(struct beyond *b)
{
    const uint64_t *code = (const uint64_t *)(const void *)b->codes.at;
    size_t count = b->codes.size / sizeof *code;
    bool done = !b->full;
    if (!done)
        PyErr_NoMemory();
    for (size_t i = 0, run; done && i < count; i = run) {
        for (run = i + 1; run < count && code[run] == code[i]; run++)
            ;
        PyObject *key = PyLong_FromUnsignedLongLong(code[i]), *known = key == NULL ? NULL : PyDict_GetItemWithError(b->counts, key);
        long long before = known == NULL ? 0 : PyLong_AsLongLong(known);
        PyObject *sum = PyErr_Occurred() ? NULL : PyLong_FromLongLong(before + (long long)(run - i));
        done = sum != NULL && PyDict_SetItem(b->counts, key, sum) == 0;
        Py_XDECREF(sum);
        Py_XDECREF(key);
    }
    bytes_free(&b->codes);
    return done;
}

static PyObject *py_beyond(PyObject *self, PyObject *args)
{
    (void)self;
    struct batch b;
    PyObject *counts, *result = NULL;
    struct beyond beyond;
    if (!PyArg_ParseTuple(args, "y*y*O", &b.data, &b.rows, &counts))
        return NULL;
    if (batch_sound(&b) && protocols_ready() && beyond_begin(&beyond, counts)) {
        for (Py_ssize_t i = 0; i < b.count; i++) {
            struct bare bare;
            bare_of(&bare, &b, i);
            struct walk w;
            walk_busy(&w, &bare.frame, bare.packet->linktype);
            beyond_add(&beyond, w.beyond);
        }
        if (beyond_end(&beyond))
            result = Py_NewRef(Py_None);
    }
    batch_close(&b);
    return result;
}

static PyObject *py_signed(PyObject *self, PyObject *args)
{
    (void)self;
    struct batch b;
    Py_ssize_t end, mutable_end;
    PyObject *counts, *result = NULL;
    struct beyond beyond;
    if (!PyArg_ParseTuple(args, "y*y*nnO", &b.data, &b.rows, &end, &mutable_end, &counts))
        return NULL;
    if (batch_sound(&b) && protocols_ready() && (end < 0 || mutable_end < 0))
        PyErr_SetString(PyExc_ValueError, "no such place");
    else if (!PyErr_Occurred() && beyond_begin(&beyond, counts)) {
        for (Py_ssize_t i = 0; i < b.count; i++) {
            struct bare bare;
            bare_of(&bare, &b, i);
            struct walk w;
            walk(&w, &bare.frame, bare.packet->linktype);
            beyond_add(&beyond, signature_of(&bare.frame, &w, &(struct changed){(size_t)end, (size_t)mutable_end}));
        }
        if (beyond_end(&beyond))
            result = Py_NewRef(Py_None);
    }
    batch_close(&b);
    return result;
}

static PyObject *py_assign(PyObject *self, PyObject *args)
{
    (void)self;
    struct batch b;
    PyObject *assignments, *guard, *counted = NULL, *result = NULL;
    int follow;
    struct loaded l, g = {0};
    struct bytes before = {0};
    struct beyond beyond;
    if (!PyArg_ParseTuple(args, "w*y*O!Op|O", &b.data, &b.rows, &PyTuple_Type, &assignments, &guard, &follow, &counted))
        return NULL;
    if (!batch_sound(&b) || !protocols_ready() || !load(assignments, &l, assignments_sound))
        goto exit;
    bool guarded = guard != Py_None;
    if (guarded && !PyTuple_Check(guard))
        PyErr_SetString(PyExc_TypeError, "guard is a program or None");
    else if (!guarded || load(guard, &g, tests_sound)) {
        size_t met = 0, stale = 0, unknown = 0, *placed = PyMem_Calloc(assignment_count(&l.program) + 1, sizeof *placed);
        bool memory = beyond_begin(&beyond, counted) && placed != NULL && (!follow || bytes_need(&before, MAX_FRAME));
        Py_BEGIN_ALLOW_THREADS
        for (Py_ssize_t i = 0; memory && i < b.count; i++) {
            struct bare bare;
            bare_of(&bare, &b, i);
            const struct packet *p = bare.packet;
            if (guarded && !matches(&g.program, &bare.frame, p, &b.packets[i]))
                continue;
            struct writable_frame f = writable_of(&b, p);
            struct frame old = {before.at, f.view.size};
            if (follow && old.size > 0)
                memcpy(before.at, f.at, old.size);
            met++;
            beyond_add_untold(&beyond, assign(&l.program, &f, p->linktype, placed));
            if (follow) {
                struct followed left = update(&old, &f, p->original, p->linktype);
                stale += left.stale;
                unknown += left.unknown;
            }
        }
        Py_END_ALLOW_THREADS
        if (guarded)
            unload(&g);
        memory = beyond_end(&beyond) && memory;
        PyObject *counts = memory ? numbers(placed, (Py_ssize_t)assignment_count(&l.program)) : PyErr_Occurred() ? NULL : PyErr_NoMemory();
        result = counts == NULL ? NULL
            : Py_BuildValue("(nNnn)", (Py_ssize_t)met, counts, (Py_ssize_t)stale, (Py_ssize_t)unknown);
        PyMem_Free(placed);
    }
    unload(&l);
exit:
    bytes_free(&before);
    batch_close(&b);
    return result;
}

static PyObject *py_spread(PyObject *self, PyObject *args)
{
    (void)self;
    struct batch b;
    Py_buffer values;
    Py_ssize_t first, step, bit, width;
    PyObject *result = NULL;
    if (!PyArg_ParseTuple(args, "w*y*nnnny*", &b.data, &b.rows, &first, &step, &bit, &width, &values))
        return NULL;
    bool sound = batch_sound(&b);
    if (sound && (values.len != b.count * (Py_ssize_t)sizeof(uint64_t) || (values.len > 0 && !aligned(&values))))
        PyErr_SetString(PyExc_ValueError, "values are not one a packet");
    else if (sound && (first < 0 || step < 1 || bit < 0 || bit > 8 * MAX_FRAME || width < 0 || width > 64))
        PyErr_SetString(PyExc_ValueError, "first packet, step or field out of range");
    else if (sound) {
        Py_ssize_t unplaced = 0;
        const uint64_t *value = values.buf;
        Py_BEGIN_ALLOW_THREADS
        for (Py_ssize_t i = first; i < b.count; i += step < b.count - i ? step : b.count - i) {
            struct writable_frame f = writable_of(&b, &b.packets[i]);
            unplaced += !place_value(&f, (size_t)bit, (size_t)width, value[i]);
        }
        Py_END_ALLOW_THREADS
        result = PyLong_FromSsize_t(unplaced);
    }
    batch_close(&b);
    PyBuffer_Release(&values);
    return result;
}

static PyObject *py_read_stamps(PyObject *self, PyObject *args)
{
    (void)self;
    struct batch b;
    Py_ssize_t at;
    unsigned long mark;
    PyObject *numbers = NULL, *delays = NULL, *result = NULL;
    if (!PyArg_ParseTuple(args, "y*y*kn", &b.data, &b.rows, &mark, &at))
        return NULL;
    if (!batch_sound_from(&b, 0, at >= 0 && mark <= UINT32_MAX, "mark or place out of range"))
        goto exit;
    numbers = PyByteArray_FromStringAndSize(NULL, b.count * (Py_ssize_t)sizeof(uint32_t));
    delays = PyByteArray_FromStringAndSize(NULL, b.count * (Py_ssize_t)sizeof(int64_t));
    if (numbers == NULL || delays == NULL)
        goto exit;
    uint32_t *number = (uint32_t *)(void *)PyByteArray_AsString(numbers);
    int64_t *delay = (int64_t *)(void *)PyByteArray_AsString(delays);
    size_t last = (size_t)at, found;
    Py_BEGIN_ALLOW_THREADS
    found = stamps_find(b.data.buf, b.packets, (size_t)b.count, (uint32_t)mark, &last, number, delay);
    Py_END_ALLOW_THREADS
    if (PyByteArray_Resize(numbers, (Py_ssize_t)(found * sizeof *number)) == 0
            && PyByteArray_Resize(delays, (Py_ssize_t)(found * sizeof *delay)) == 0)
        result = Py_BuildValue("OOn", numbers, delays, (Py_ssize_t)last);
exit:
    Py_XDECREF(numbers);
    Py_XDECREF(delays);
    batch_close(&b);
    return result;
}

static PyObject *py_follow_numbers(PyObject *self, PyObject *args)
{
    (void)self;
    Py_buffer numbers, seen, state;
    PyObject *result = NULL;
    if (!PyArg_ParseTuple(args, "y*w*w*", &numbers, &seen, &state))
        return NULL;
    struct arrivals arrivals;
    if (numbers.len % (Py_ssize_t)sizeof(uint32_t) || (numbers.len > 0 && (uintptr_t)numbers.buf % sizeof(uint32_t)) || seen.len == 0
            || state.len != (Py_ssize_t)sizeof arrivals) {
        PyErr_SetString(PyExc_ValueError, "numbers, window or state of another size");
    } else {
        memcpy(&arrivals, state.buf, sizeof arrivals);
        Py_BEGIN_ALLOW_THREADS
        arrivals_add(&arrivals, seen.buf, (size_t)seen.len, numbers.buf, (size_t)numbers.len / sizeof(uint32_t));
        Py_END_ALLOW_THREADS
        memcpy(state.buf, &arrivals, sizeof arrivals);
        result = Py_NewRef(Py_None);
    }
    PyBuffer_Release(&numbers);
    PyBuffer_Release(&seen);
    PyBuffer_Release(&state);
    return result;
}

static PyObject *py_count_durations(PyObject *self, PyObject *args)
{
    (void)self;
    Py_buffer values, state;
    PyObject *result = NULL;
    if (!PyArg_ParseTuple(args, "y*w*", &values, &state))
        return NULL;
    if (values.len % (Py_ssize_t)sizeof(int64_t) || (values.len > 0 && !aligned(&values)) || !aligned(&state)
            || state.len != (Py_ssize_t)sizeof(struct durations)) {
        PyErr_SetString(PyExc_ValueError, "durations or state of another size");
    } else {
        durations_add(state.buf, values.buf, (size_t)values.len / sizeof(int64_t));
        result = Py_NewRef(Py_None);
    }
    PyBuffer_Release(&values);
    PyBuffer_Release(&state);
    return result;
}

static PyObject *py_correct(PyObject *self, PyObject *args)
{
    (void)self;
    struct batch b;
    int what, outer = MAX_HEADERS;
    PyObject *counted = NULL, *result = NULL;
    struct beyond beyond;
    if (!PyArg_ParseTuple(args, "w*y*i|Oi", &b.data, &b.rows, &what, &counted, &outer))
        return NULL;
    bool sound = batch_sound(&b) && protocols_ready();
    if (sound && (what < ALL || what > TRANSPORT))
        PyErr_SetString(PyExc_ValueError, "no such correction");
    else if (sound && outer < 0)
        PyErr_SetString(PyExc_ValueError, "no such number of headers");
    else if (sound && beyond_begin(&beyond, counted)) {
        Py_ssize_t outcomes[OUTCOMES] = {0}, wrong = 0, unfinished = 0, doubts[3] = {0};
        Py_BEGIN_ALLOW_THREADS
        for (Py_ssize_t i = 0; i < b.count; i++) {
            struct bare bare;
            bare_of(&bare, &b, i);
            const struct packet *p = bare.packet;
            struct writable_frame f = writable_of(&b, p);
            struct corrected corrected;
            outcomes[correct(&f, p->original, p->linktype, (enum correction)what, (size_t)outer, &corrected)]++;
            wrong += corrected.wrong;
            unfinished += corrected.unfinished;
            doubts[corrected.doubt]++;
            beyond_add_untold(&beyond, corrected.untold);
        }
        Py_END_ALLOW_THREADS
        if (beyond_end(&beyond))
            result = Py_BuildValue("(nnnnnnnnn)", outcomes[CORRECTED], outcomes[TRUNCATED], outcomes[FRAGMENT], outcomes[MALFORMED],
                                   outcomes[OBSCURE], wrong, unfinished, doubts[SHORTER], doubts[LONGER]);
    }
    batch_close(&b);
    return result;
}

static PyObject *py_check(PyObject *self, PyObject *args)
{
    (void)self;
    struct batch b;
    PyObject *out = NULL, *counted = NULL;
    struct beyond beyond;
    if (!PyArg_ParseTuple(args, "y*y*|O", &b.data, &b.rows, &counted))
        return NULL;
    if (batch_sound(&b) && protocols_ready() && beyond_begin(&beyond, counted))
        out = PyBytes_FromStringAndSize(NULL, b.count);
    if (out != NULL) {
        char *outcomes = PyBytes_AsString(out);
        Py_BEGIN_ALLOW_THREADS
        for (Py_ssize_t i = 0; i < b.count; i++) {
            struct bare bare;
            bare_of(&bare, &b, i);
            uint64_t code;
            outcomes[i] = (char)check(&bare.frame, bare.packet->original, bare.packet->linktype, &code);
            beyond_add(&beyond, code);
        }
        Py_END_ALLOW_THREADS
        if (!beyond_end(&beyond))
            Py_CLEAR(out);
    }
    batch_close(&b);
    return out;
}

static PyObject *py_pick(PyObject *self, PyObject *args)
{
    (void)self;
    Py_buffer rows, outcomes, passes;
    PyObject *picked = NULL;
    if (!PyArg_ParseTuple(args, "y*y*y*", &rows, &outcomes, &passes))
        return NULL;
    if (passes.len != 256 || rows.len / (Py_ssize_t)sizeof(struct packet) != outcomes.len
            || rows.len % (Py_ssize_t)sizeof(struct packet) || (rows.len > 0 && !aligned(&rows)))
        PyErr_SetString(PyExc_ValueError, "outcomes are not one a packet, or passes not 256");
    else
        picked = PyByteArray_FromStringAndSize(NULL, rows.len);
    if (picked != NULL) {
        struct packet *out = (struct packet *)(void *)PyByteArray_AsString(picked);
        size_t count = pick(rows.buf, outcomes.buf, (size_t)outcomes.len, passes.buf, out);
        if (PyByteArray_Resize(picked, (Py_ssize_t)(count * sizeof *out)) < 0)
            Py_CLEAR(picked);
    }
    PyBuffer_Release(&rows);
    PyBuffer_Release(&outcomes);
    PyBuffer_Release(&passes);
    return picked;
}

static PyObject *py_verify(PyObject *self, PyObject *args)
{
    (void)self;
    struct batch b;
    PyObject *list = NULL;
    if (!PyArg_ParseTuple(args, "y*y*", &b.data, &b.rows))
        return NULL;
    if (batch_of_one(&b, "one row is verified at a time") && protocols_ready()) {
        struct bare bare;
        bare_of(&bare, &b, 0);
        struct packet_view view = {.frame = bare.frame, .original = bare.packet->original};
        enum verdict verdicts[MAX_HEADERS];
        walk(&view.walk, &view.frame, bare.packet->linktype);
        size_t count = view.walk.count, quoted = view.walk.quoted, resumed = view.walk.resumed;
        leave_out_quoted(&view.walk);
        verify(&view, verdicts);
        list = PyList_New((Py_ssize_t)count);
        for (size_t k = 0, own = 0; list != NULL && k < count; k++) {   /* what is quoted says nothing of this packet */
            enum verdict verdict = k >= quoted && k < resumed ? NONE : verdicts[own++];
            if (PyList_SetItem(list, (Py_ssize_t)k, PyLong_FromLong((long)verdict)) < 0)
                Py_CLEAR(list);
        }
    }
    batch_close(&b);
    return list;
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

static PyObject *py_use_rows(PyObject *self, PyObject *args)
{
    (void)self;
    int wanted;
    if (!PyArg_ParseTuple(args, "i", &wanted))
        return NULL;
    return PyLong_FromLong((long)rows_use((enum row_code)wanted));
}

static PyObject *py_use_words(PyObject *self, PyObject *args)
{
    (void)self;
    int widest;
    if (!PyArg_ParseTuple(args, "p", &widest))
        return NULL;
    return PyBool_FromLong(words_use(widest != 0));
}

/* ---- fragments ---- */

/* What was made of the packets from `first` up to `stop`: None twice where they pass as they are. */
static PyObject *made_of(Py_ssize_t stop, bool begun, const struct gathered *out, PyObject *rest)
{
    if (rest == NULL || !begun)
        return rest == NULL ? NULL : Py_BuildValue("(nOON)", stop, Py_None, Py_None, rest);
    return Py_BuildValue("(nNNN)", stop, bytearray_of(&out->data), bytearray_of(&out->rows), rest);
}

/* Copies packets in front of the first one that does not pass as it is. */
static bool gather_until(struct gathered *out, const struct batch *b, Py_ssize_t first, Py_ssize_t stop)
{
    for (Py_ssize_t i = first; i < stop; i++)
        if (!gather(out, b->data.buf, &b->packets[i]))
            return false;
    return true;
}

static PyObject *py_fragment(PyObject *self, PyObject *args)
{
    (void)self;
    struct batch b;
    Py_ssize_t first, stop, mtu4, mtu6;
    long long id, kind, occurrence;
    int force;
    PyObject *counted, *result = NULL;
    struct gathered out = {0};
    struct beyond beyond;
    if (!PyArg_ParseTuple(args, "y*y*n(nn)pL(LL)O", &b.data, &b.rows, &first, &mtu4, &mtu6, &force, &id, &kind, &occurrence, &counted))
        return NULL;
    struct fragmentation how = {.mtu4 = (size_t)mtu4, .mtu6 = (size_t)mtu6, .force = force != 0, .id = (uint32_t)id,
                                .layer = {kind, occurrence}};
    bool ready = protocols_ready();
    bool in_range = ready && mtu4 > 0 && mtu6 > 0 && id >= 0 && id <= UINT32_MAX && layer_sound(&how.layer);
    if (!ready || !batch_sound_from(&b, first, in_range, "first packet, MTU, id or layer out of range") || !beyond_begin(&beyond, counted))
        goto exit;
    bool begun = false, memory = true;
    Py_BEGIN_ALLOW_THREADS
    for (stop = first; memory && stop < b.count && out.data.size < MAX_BATCH; stop++) {
        struct bare bare;
        bare_of(&bare, &b, stop);
        struct packet_view view = {.frame = bare.frame, .original = bare.packet->original};
        struct datagram d;
        walk_own(&view.walk, &view.frame, bare.packet->linktype);
        beyond_add(&beyond, view.walk.beyond);
        if (view.frame.size > least(how.mtu4, how.mtu6) && divisible(&how, &view, &d)) {
            memory = (begun || gather_until(&out, &b, first, stop));
            size_t before = out.rows.size;
            memory = memory && divide(&how, &view, &d, b.data.buf, bare.packet, &out);
            if (out.rows.size - before > sizeof *bare.packet)
                beyond_add(&beyond, signature_of(&view.frame, &view.walk, &(struct changed){.mutable_end = d.start + LENGTH_END}));
            begun = true;
        } else if (begun)
            memory = gather(&out, b.data.buf, &b.packets[stop]);
    }
    Py_END_ALLOW_THREADS
    if (!beyond_end(&beyond) || !memory) {
        if (!PyErr_Occurred())
            PyErr_NoMemory();
        goto exit;
    }
    result = made_of(stop, begun, &out, Py_BuildValue("(LN)", (long long)how.id, numbers(how.left, LEFT_WHOLE)));
exit:
    gathered_free(&out);
    batch_close(&b);
    return result;
}

static const char table_name[] = "pkttools.codec.datagrams";

static void free_datagrams(PyObject *capsule)
{
    struct datagrams *t = PyCapsule_GetPointer(capsule, table_name);
    reassembly_end(t);
    PyMem_Free(t);
}

static PyObject *py_datagrams(PyObject *self, PyObject *args)
{
    (void)self;
    Py_buffer apart;
    long long memory, kind, occurrence;
    PyObject *capsule = NULL;
    if (!PyArg_ParseTuple(args, "L(LL)y*", &memory, &kind, &occurrence, &apart))
        return NULL;
    struct datagrams *t = PyMem_Calloc(1, sizeof *t);
    struct datagrams made = {.memory = (uint64_t)memory, .layer = {kind, occurrence}};
    const struct apart *field = apart.buf;
    size_t count = (size_t)apart.len / sizeof *field;
    bool sound = (size_t)apart.len % sizeof *field == 0 && (count == 0 || aligned(&apart));
    for (size_t i = 0; sound && i < count; i++)
        sound = field[i].bit >= 0 && field[i].bit <= 8 * MAX_FRAME && field[i].width >= 1 && field[i].width <= 8 * MAX_FRAME
            && field[i].least >= 0;
    bool ready = protocols_ready();
    if (ready && (memory < 0 || !layer_sound(&made.layer)))
        PyErr_SetString(PyExc_ValueError, "memory or layer out of range");
    else if (ready && !sound)
        PyErr_SetString(PyExc_ValueError, "fields are not sound");
    else if (ready && (t == NULL || !reassembly_begin(&made, field, count)))
        PyErr_NoMemory();
    else if (ready && (capsule = PyCapsule_New(t, table_name, free_datagrams)) != NULL)
        *t = made;
    if (capsule == NULL) {
        reassembly_end(&made);
        PyMem_Free(t);
    }
    PyBuffer_Release(&apart);
    return capsule;
}

/* The table that a capsule has; NULL with an exception. */
static struct datagrams *table_of(PyObject *capsule)
{
    if (PyCapsule_IsValid(capsule, table_name))
        return PyCapsule_GetPointer(capsule, table_name);
    PyErr_SetString(PyExc_TypeError, "no table of datagrams");
    return NULL;
}

static PyObject *totals_of(const struct datagrams *t)
{
    PyObject *tuple = PyTuple_New(3 + LEFT_APART);
    const uint64_t first[3] = {t->reassembled, t->repeated, t->held};
    for (Py_ssize_t i = 0; tuple != NULL && i < 3 + LEFT_APART; i++) {
        PyObject *item = PyLong_FromUnsignedLongLong(i < 3 ? first[i] : t->left[i - 3]);
        if (item == NULL || PyTuple_SetItem(tuple, i, item) < 0)
            Py_CLEAR(tuple);
    }
    return tuple;
}

static PyObject *py_reassemble(PyObject *self, PyObject *args)
{
    (void)self;
    struct batch b;
    Py_ssize_t first, stop;
    PyObject *capsule, *counted, *result = NULL;
    struct gathered out = {0};
    struct beyond beyond;
    if (!PyArg_ParseTuple(args, "Oy*y*nO", &capsule, &b.data, &b.rows, &first, &counted))
        return NULL;
    struct datagrams *t = table_of(capsule);
    if (t == NULL || !batch_sound_from(&b, first, true, "first packet out of range") || !protocols_ready()
        || !beyond_begin(&beyond, counted))
        goto exit;
    bool begun = false, memory = true;          /* with the interpreter's lock: nobody else changes the table meanwhile */
    for (stop = first; memory && stop < b.count && out.data.size < MAX_BATCH; stop++) {
        struct bare bare;
        bare_of(&bare, &b, stop);
        struct packet_view view = {.frame = bare.frame, .original = bare.packet->original};
        walk_own(&view.walk, &view.frame, bare.packet->linktype);
        beyond_add(&beyond, view.walk.beyond);
        if (!begun && reassembly_idle(t, &view, bare.packet->time))
            continue;
        memory = (begun || gather_until(&out, &b, first, stop)) && reassemble(t, &view, b.data.buf, bare.packet, &out);
        beyond_add(&beyond, t->signature);
        begun = true;
    }
    if (!beyond_end(&beyond) || !memory) {
        if (!PyErr_Occurred())
            PyErr_NoMemory();
        goto exit;
    }
    result = made_of(stop, begun, &out, totals_of(t));
exit:
    gathered_free(&out);
    batch_close(&b);
    return result;
}

static PyObject *py_reassemble_rest(PyObject *self, PyObject *capsule)
{
    (void)self;
    struct datagrams *t = table_of(capsule);
    struct gathered out = {0};
    PyObject *result = NULL;
    bool memory = true;
    if (t == NULL)
        return NULL;
    while (memory && t->oldest != NULL && out.data.size < MAX_BATCH)
        memory = reassemble_rest(t, &out);
    if (memory)
        result = Py_BuildValue("(NNN)", bytearray_of(&out.data), bytearray_of(&out.rows), totals_of(t));
    else
        PyErr_NoMemory();
    gathered_free(&out);
    return result;
}

/* ---- statistics ---- */

struct counting {               /* what is counted, and what its columns are held by */
    struct statistics statistics;
    struct loaded columns;
};

static const char statistics_name[] = "pkttools.codec.counters";

static void free_statistics(PyObject *capsule)
{
    struct counting *c = PyCapsule_GetPointer(capsule, statistics_name);
    statistics_end(&c->statistics);
    unload(&c->columns);
    PyMem_Free(c);
}

static PyObject *py_counters(PyObject *self, PyObject *args)
{
    (void)self;
    PyObject *columns, *capsule = NULL;
    long long memory;
    int wanted;
    if (!PyArg_ParseTuple(args, "iOL", &wanted, &columns, &memory))
        return NULL;
    if (wanted < 0 || wanted > (PATHS | TALKERS | BY_FIELDS) || memory < 0 || ((wanted & BY_FIELDS) != 0) != (columns != Py_None)) {
        PyErr_SetString(PyExc_ValueError, "what is wanted, or memory, out of range");
        return NULL;
    }
    struct counting *c = PyMem_Calloc(1, sizeof *c);
    if (c == NULL)
        return PyErr_NoMemory();
    bool done = protocols_ready() && (columns == Py_None || load(columns, &c->columns, grouping_sound));
    c->statistics.wanted = (unsigned)wanted;
    c->statistics.program = c->columns.program;
    if (done && !statistics_begin(&c->statistics, (uint64_t)memory))
        PyErr_NoMemory();
    else if (done && (capsule = PyCapsule_New(c, statistics_name, free_statistics)) != NULL)
        return capsule;
    statistics_end(&c->statistics);
    unload(&c->columns);
    PyMem_Free(c);
    return NULL;
}

/* What a capsule counts; NULL with an exception. */
static struct statistics *statistics_of(PyObject *capsule)
{
    if (PyCapsule_IsValid(capsule, statistics_name))
        return &((struct counting *)PyCapsule_GetPointer(capsule, statistics_name))->statistics;
    PyErr_SetString(PyExc_TypeError, "no counters");
    return NULL;
}

static PyObject *py_count(PyObject *self, PyObject *args)
{
    (void)self;
    struct batch b;
    PyObject *capsule, *result = NULL;
    if (!PyArg_ParseTuple(args, "Oy*y*", &capsule, &b.data, &b.rows))
        return NULL;
    struct statistics *s = statistics_of(capsule);
    if (s != NULL && batch_sound(&b)) {
        bool memory = true;     /* with the interpreter's lock: nobody else counts meanwhile */
        for (Py_ssize_t i = 0; memory && i < b.count; i++) {
            struct bare bare;
            bare_of(&bare, &b, i);
            memory = statistics_add(s, &b.packets[i], bare.packet, &bare.frame);
        }
        result = memory ? Py_NewRef(Py_None) : PyErr_NoMemory();
    }
    batch_close(&b);
    return result;
}

static PyObject *bytes_at(const void *at, size_t size)
{
    return PyBytes_FromStringAndSize(at, (Py_ssize_t)size);
}

static PyObject *py_figures(PyObject *self, PyObject *capsule)
{
    (void)self;
    struct statistics *s = statistics_of(capsule);
    if (s == NULL)
        return NULL;
    const struct series *t = &s->series;
    bool any = s->totals[PACKETS] > 0;
    size_t count = any ? (size_t)(t->highest - t->lowest) + 1 : 0, longest = least((size_t)s->totals[LONGEST], SIZES);
    PyObject *bins = bytes_at(NULL, count * sizeof *t->bin);
    if (bins == NULL)
        return NULL;
    char *at = PyBytes_AsString(bins);
    for (size_t i = 0; i < count; i++)
        memcpy(at + i * sizeof *t->bin, t->bin[((uint64_t)t->lowest + i) % BINS], sizeof *t->bin);
    return Py_BuildValue("(NNN(LLN))", bytes_at(s->totals, sizeof s->totals),
                         bytes_at(s->sizes, any ? (longest + 1) * sizeof *s->sizes : 0), bytes_at(&s->gaps, sizeof s->gaps),
                         (long long)t->width, (long long)(any ? t->lowest : 0), bins);
}

static PyObject *py_largest(PyObject *self, PyObject *args)
{
    (void)self;
    PyObject *capsule, *list = NULL;
    Py_ssize_t most;
    int which, by_bytes;
    struct bytes sorted = {0};
    if (!PyArg_ParseTuple(args, "Oinp", &capsule, &which, &most, &by_bytes))
        return NULL;
    struct statistics *s = statistics_of(capsule);
    if (s == NULL)
        return NULL;
    const struct groups *g = which == PATHS ? &s->paths : which == TALKERS ? &s->talkers : which == BY_FIELDS ? &s->fields : NULL;
    if (g == NULL || most < 0) {
        PyErr_SetString(PyExc_ValueError, "no such groups");
        return NULL;
    }
    if (!groups_sorted(g, (size_t)most, by_bytes != 0, &sorted))
        PyErr_NoMemory();
    else
        list = PyList_New(0);
    for (size_t i = 0; list != NULL && i < sorted.size / sizeof(struct group *); i++) {
        const struct group *group = ((const struct group **)(void *)sorted.at)[i];
        const int64_t *n = group->counts;
        PyObject *one = Py_BuildValue("(y#LLLL)", (const char *)group->key, (Py_ssize_t)group->size, (long long)n[0], (long long)n[1],
                                      (long long)n[2], (long long)n[3]);
        if (one == NULL || PyList_Append(list, one) < 0)
            Py_CLEAR(list);
        Py_XDECREF(one);
    }
    bytes_free(&sorted);
    const int64_t *n = g->others;
    return list == NULL ? NULL : Py_BuildValue("(Nn(LLLL))", list, (Py_ssize_t)g->count, (long long)n[0], (long long)n[1],
                                               (long long)n[2], (long long)n[3]);
}

/* ---- conversations ---- */

static const char conversations_name[] = "pkttools.codec.conversations";

static void free_conversations(PyObject *capsule)
{
    struct conversations *t = PyCapsule_GetPointer(capsule, conversations_name);
    conversations_end(t);
    PyMem_Free(t);
}

static bool bits_sound(int64_t bit, int64_t width, int64_t most)
{
    return bit >= 0 && bit <= 8 * MAX_FRAME && width >= 1 && width <= most;
}

/* Whether fields of addresses and ports, and what tells networks apart, are of kinds that there are, those of a kind together. */
static bool ends_sound(const struct conversation_rules *r)
{
    int64_t kinds = (int64_t)protocols_kinds();
    for (const struct ends *e = r->ends; e < r->ends + r->ends_count; e++)
        if (e->header < 0 || e->header >= kinds || e->group < 0 || e->group >= kinds || e->level < BY_LINK || e->level > BY_PORTS
            || (e->level == BY_PORTS ? e->width > 16 : e->source % 8 != 0 || e->destination % 8 != 0 || e->width % 8 != 0)
            || !bits_sound(e->source, e->width, 128) || !bits_sound(e->destination, e->width, 128) || (e > r->ends && e[-1].header >= e->header))
            return false;
    for (const struct keeping_apart *a = r->apart; a < r->apart + r->apart_count; a++)
        if (a->header < 0 || a->header >= kinds || a->group < kinds || !bits_sound(a->bit, a->width, 63) || a->least < 0
            || (a > r->apart && a[-1].header > a->header))
            return false;
    return r->ends_count <= UINT16_MAX && r->apart_count <= UINT16_MAX;
}

static PyObject *py_conversations(PyObject *self, PyObject *args)
{
    (void)self;
    Py_buffer ends, apart;
    int level, forget;
    long long most, memory;
    unsigned long long seed;
    PyObject *capsule = NULL;
    if (!PyArg_ParseTuple(args, "iLLpKy*y*", &level, &most, &memory, &forget, &seed, &ends, &apart))
        return NULL;
    struct conversations *t = PyMem_Calloc(1, sizeof *t);
    struct conversation_rules rules = {
        .level = (enum level)level, .most = (uint64_t)most, .memory = (uint64_t)memory, .forget = forget != 0, .seed = seed, .ends = ends.buf,
        .apart = apart.buf, .ends_count = (size_t)ends.len / sizeof(struct ends), .apart_count = (size_t)apart.len / sizeof(struct keeping_apart),
    };
    bool whole = (size_t)ends.len % sizeof(struct ends) == 0 && (ends.len == 0 || aligned(&ends))
        && (size_t)apart.len % sizeof(struct keeping_apart) == 0 && (apart.len == 0 || aligned(&apart));
    bool ready = protocols_ready();
    if (ready && (level < BY_LINK || level > BY_PORTS || most < 1 || memory < 0))
        PyErr_SetString(PyExc_ValueError, "level, most or memory out of range");
    else if (ready && (!whole || !ends_sound(&rules)))
        PyErr_SetString(PyExc_ValueError, "fields are not sound");
    else if (ready && (t == NULL || !conversations_begin(t, &rules)))
        PyErr_NoMemory();
    else if (ready)
        capsule = PyCapsule_New(t, conversations_name, free_conversations);
    if (capsule == NULL && t != NULL) {
        conversations_end(t);
        PyMem_Free(t);
    }
    PyBuffer_Release(&ends);
    PyBuffer_Release(&apart);
    return capsule;
}

static struct conversations *conversations_of(PyObject *capsule)
{
    if (PyCapsule_IsValid(capsule, conversations_name))
        return PyCapsule_GetPointer(capsule, conversations_name);
    PyErr_SetString(PyExc_TypeError, "no table of conversations");
    return NULL;
}

static PyObject *told_tuple(const struct told *t)
{
    const struct segment *s = &t->segment;
    return Py_BuildValue("(LIIIIIIIIIK)", (long long)t->conversation, t->way, s->what, s->base, s->ack_base, s->octets, s->repeated, s->filled,
                         s->gap, s->unseen, (unsigned long long)s->window);
}

static PyObject *py_follow(PyObject *self, PyObject *args)
{
    (void)self;
    struct batch b;
    int tell;
    PyObject *capsule, *list = NULL;
    if (!PyArg_ParseTuple(args, "Oy*y*p", &capsule, &b.data, &b.rows, &tell))
        return NULL;
    struct conversations *t = conversations_of(capsule);
    bool done = t != NULL && batch_sound(&b) && protocols_ready();
    if (done && tell)
        done = (list = PyList_New(0)) != NULL;
    for (Py_ssize_t i = 0; done && i < b.count; i++) {  /* with the interpreter's lock: nobody else changes the table meanwhile */
        struct bare bare;
        struct packet_view view;
        struct told told;
        bare_of(&bare, &b, i);
        view.frame = bare.frame;
        view.original = bare.packet->original;
        walk_own(&view.walk, &view.frame, bare.packet->linktype);
        if (!converse(t, &view, &b.packets[i], &told)) {
            PyErr_NoMemory();
            done = false;
        } else if (tell) {
            PyObject *one = told_tuple(&told);
            done = one != NULL && PyList_Append(list, one) == 0;
            Py_XDECREF(one);
        }
    }
    batch_close(&b);
    if (!done)
        Py_CLEAR(list);
    return done && list == NULL ? Py_NewRef(Py_None) : list;
}

/* What came of the connections of a conversation, each way; NULL with an exception. */
static PyObject *way_tuple(const struct way *w)
{
    return Py_BuildValue("(IIIIIIIKKKK)", w->repeated, w->filled, w->gaps, w->needless, w->duplicates, w->kept_alive, w->probes,
                         (unsigned long long)w->repeated_octets, (unsigned long long)w->filled_octets, (unsigned long long)way_missing(w),
                         (unsigned long long)w->unseen);
}

static PyObject *connection_tuple(const struct connection *c)
{
    if (c == NULL)
        return Py_NewRef(Py_None);
    PyObject *handshake = c->timed ? Py_BuildValue("(LL)", (long long)c->least, (long long)c->most) : Py_NewRef(Py_None);
    return Py_BuildValue("(INIINN)", c->count, handshake, c->resets, connection_state(c), way_tuple(&c->way[0]), way_tuple(&c->way[1]));
}

static PyObject *name_bytes(const struct conversations *t, uint32_t number)
{
    size_t size = 0;
    const uint8_t *at = number != UINT32_MAX ? around_name(t, number, &size) : NULL;
    return PyBytes_FromStringAndSize((const char *)at, (Py_ssize_t)size);
}

static PyObject *conversation_tuple(const struct conversations *t, const struct conversation *c)
{
    const struct key *k = &c->key;
    const uint8_t *from = c->turned ? k->high : k->low, *to = c->turned ? k->low : k->high;
    int from_port = k->ports ? (c->turned ? k->high_port : k->low_port) : -1, to_port = k->ports ? (c->turned ? k->low_port : k->high_port) : -1;
    return Py_BuildValue("(Liiy#y#iiNNNKKKKLLN)", (long long)c->number, (int)k->group, (int)k->number, from, (Py_ssize_t)16, to, (Py_ssize_t)16,
                         from_port, to_port, name_bytes(t, k->around), name_bytes(t, c->oneway[c->turned]), name_bytes(t, c->oneway[!c->turned]),
                         (unsigned long long)c->packets[0], (unsigned long long)c->packets[1], (unsigned long long)c->octets[0],
                         (unsigned long long)c->octets[1], (long long)c->first, (long long)c->last, connection_tuple(connection_of(t, c)));
}

static PyObject *py_conversation_rows(PyObject *self, PyObject *args)
{
    (void)self;
    PyObject *capsule, *list = NULL;
    int by;
    Py_ssize_t most;
    if (!PyArg_ParseTuple(args, "Oin", &capsule, &by, &most))
        return NULL;
    struct conversations *t = conversations_of(capsule);
    if (t == NULL)
        return NULL;
    if (by < 0 || by >= ORDERS || most < 0) {
        PyErr_SetString(PyExc_ValueError, "order out of range");
        return NULL;
    }
    uint32_t *places = NULL;
    size_t count;
    if (!conversations_settle(t) || !conversations_order(t, (enum order)by, (size_t)most, &places, &count)) {
        free(places);
        return PyErr_NoMemory();
    }
    list = PyList_New(0);
    for (size_t i = 0; list != NULL && i < count; i++) {
        PyObject *one = conversation_tuple(t, conversation_at(t, places[i]));
        if (one == NULL || PyList_Append(list, one) < 0)
            Py_CLEAR(list);
        Py_XDECREF(one);
    }
    free(places);
    return list;
}

static PyObject *py_conversation_totals(PyObject *self, PyObject *capsule)
{
    (void)self;
    struct conversations *t = conversations_of(capsule);
    if (t == NULL)
        return NULL;
    if (!conversations_settle(t))
        return PyErr_NoMemory();
    return Py_BuildValue("(KKKKKKK)", (unsigned long long)t->count, (unsigned long long)t->others.packets, (unsigned long long)t->others.octets,
                         (unsigned long long)t->without.packets, (unsigned long long)t->without.octets, (unsigned long long)t->forgotten,
                         (unsigned long long)t->held);
}

/* ---- answers ---- */

struct loaded_rule {            /* a rule as Python hands it over */
    struct loaded tests;
    Py_buffer edits, unlike;
};

static bool load_edits(const Py_buffer *b, const struct edit **edits, size_t *count)
{
    *edits = b->buf;
    *count = (size_t)b->len / sizeof **edits;
    if ((size_t)b->len % sizeof **edits == 0 && (b->len == 0 || aligned(b)) && edits_sound(*edits, *count))
        return true;
    PyErr_SetString(PyExc_ValueError, "edits are not sound");
    return false;
}

static bool load_rule(PyObject *tuple, struct loaded_rule *l, struct answer_rule *rule)
{
    long long kind, end;
    PyObject *tests;
    if (!PyTuple_Check(tuple)) {
        PyErr_SetString(PyExc_TypeError, "a rule is a tuple");
        return false;
    }
    if (!PyArg_ParseTuple(tuple, "LO!y*y*L", &kind, &PyTuple_Type, &tests, &l->edits, &l->unlike, &end))
        return false;
    *rule = (struct answer_rule){.kind = kind, .end = end};
    if (end < 0 || end > MAX_FRAME) {
        PyErr_SetString(PyExc_ValueError, "end out of range");
        return false;
    }
    if (!load_edits(&l->edits, &rule->edits, &rule->edits_count) || !load_edits(&l->unlike, &rule->unlike, &rule->unlike_count)
        || !load(tests, &l->tests, tests_sound))
        return false;
    rule->tests = l->tests.program;
    return true;
}

static PyObject *py_answer(PyObject *self, PyObject *args)
{
    (void)self;
    struct batch b;
    PyObject *tuple, *counted, *result = NULL;
    struct beyond beyond;
    if (!PyArg_ParseTuple(args, "y*y*O!O", &b.data, &b.rows, &PyTuple_Type, &tuple, &counted))
        return NULL;
    Py_ssize_t count = PyTuple_Size(tuple);
    struct loaded_rule *loaded = PyMem_Calloc((size_t)count + 1, sizeof *loaded);
    struct answering a = {PyMem_Calloc((size_t)count + 1, sizeof *a.rules), (size_t)count};
    struct gathered out = {0};
    bool sound = batch_sound(&b) && protocols_ready(), memory = loaded != NULL && a.rules != NULL;
    if (sound && !memory)
        PyErr_NoMemory();
    for (Py_ssize_t i = 0; sound && memory && i < count; i++)
        sound = load_rule(PyTuple_GetItem(tuple, i), &loaded[i], &a.rules[i]);
    if (sound && memory && beyond_begin(&beyond, counted)) {
        Py_BEGIN_ALLOW_THREADS
        for (Py_ssize_t i = 0; memory && i < b.count; i++) {
            struct bare bare;
            uint64_t code;
            size_t before = out.rows.size;
            bare_of(&bare, &b, i);
            struct packet_view view = {.frame = bare.frame, .original = bare.packet->original};
            if (check(&view.frame, view.original, bare.packet->linktype, &code) != CORRECTED)
                continue;
            walk_own(&view.walk, &view.frame, bare.packet->linktype);
            memory = answer(&a, &view, b.data.buf, bare.packet, &out);
            if (out.rows.size > before)
                beyond_add(&beyond, signature_of(&view.frame, &view.walk, &(struct changed){.end = view.frame.size}));
        }
        Py_END_ALLOW_THREADS
        result = !beyond_end(&beyond) ? NULL : memory ? Py_BuildValue("(NN)", bytearray_of(&out.data), bytearray_of(&out.rows)) : PyErr_NoMemory();
    }
    for (Py_ssize_t i = 0; loaded != NULL && i < count; i++) {
        unload(&loaded[i].tests);
        PyBuffer_Release(&loaded[i].edits);
        PyBuffer_Release(&loaded[i].unlike);
    }
    PyMem_Free(loaded);
    PyMem_Free(a.rules);
    gathered_free(&out);
    batch_close(&b);
    return result;
}

/* ---- forwarding ---- */

struct table {                  /* a dict of addresses; values are seconds << 8 | port */
    PyObject *stations, *here;  /* here: the value of those that send now */
    Py_ssize_t room;
    long long value;
};

static enum learning learn(void *of, const uint8_t *mac)
{
    struct table *t = of;
    enum learning learnt = FAILED;
    PyObject *key = PyBytes_FromStringAndSize((const char *)mac, 6);
    PyObject *known = key == NULL ? NULL : PyDict_GetItemWithError(t->stations, key);
    long long value = known == NULL ? 0 : PyLong_AsLongLong(known);
    if (!PyErr_Occurred()) {
        if (known == NULL)
            learnt = PyDict_Size(t->stations) < t->room ? LEARNT : FULL;
        else
            learnt = (value & 255) == (t->value & 255) ? KNOWN : MOVED;
        if (learnt != FULL && (known == NULL || value != t->value) && PyDict_SetItem(t->stations, key, t->here) < 0)
            learnt = FAILED;
    }
    Py_XDECREF(key);
    return learnt;
}

static int find(void *of, const uint8_t *mac)
{
    struct table *t = of;
    PyObject *key = PyBytes_FromStringAndSize((const char *)mac, 6);
    PyObject *known = key == NULL ? NULL : PyDict_GetItemWithError(t->stations, key);
    long long value = known == NULL ? -1 : PyLong_AsLongLong(known);
    Py_XDECREF(key);
    return PyErr_Occurred() ? TO_ERROR : value < 0 ? TO_ALL : (int)(value & 255);
}

/* The frames that go out by a port, or with `any` by one of several. */
static PyObject *rows_to(const struct packet *p, const int *out, Py_ssize_t count, const bool goes[], bool any, int port)
{
    PyObject *packets = PyByteArray_FromStringAndSize(NULL, count * (Py_ssize_t)sizeof *p);
    if (packets == NULL)
        return NULL;
    char *at = PyByteArray_AsString(packets), *start = at;
    for (Py_ssize_t i = 0; i < count; i++)
        if (out[i] == TO_ALL || (out[i] >= 0 && (any ? goes[out[i]] : out[i] == port))) {
            memcpy(at, &p[i], sizeof *p);
            at += sizeof *p;
        }
    if (PyByteArray_Resize(packets, at - start) < 0)
        Py_CLEAR(packets);
    return packets;
}

static PyObject *py_forward(PyObject *self, PyObject *args)
{
    (void)self;
    struct batch b;
    Py_buffer ports;
    Py_ssize_t room;
    int source, *out = NULL;
    long long now;
    PyObject *stations, *lists = NULL, *passed = NULL, *result = NULL;
    if (!PyArg_ParseTuple(args, "y*y*O!niLy*", &b.data, &b.rows, &PyDict_Type, &stations, &room, &source, &now, &ports))
        return NULL;
    struct table table = {.stations = stations, .room = room, .value = (long long)((unsigned long long)now << 8) | source};
    if (!batch_sound(&b))
        goto exit;
    const struct packet *p = b.packets;
    Py_ssize_t count = b.count;
    bool goes[256] = {false};
    const uint8_t *numbers = ports.buf;
    bool sound = source >= 0 && source < 255 && ports.len <= 64 && room >= 0 && now >= 0 && now < INT64_C(1) << 50, others = false;
    for (Py_ssize_t i = 0; sound && i < ports.len; i++) {
        goes[numbers[i]] = numbers[i] != source;
        others |= numbers[i] != source;
        sound = numbers[i] < 255;
    }
    if (!sound) {
        PyErr_SetString(PyExc_ValueError, "no such port, room or time");
        goto exit;
    }
    int64_t c[FORWARD_COUNTS] = {0};
    out = PyMem_Malloc((size_t)(count ? count : 1) * sizeof *out);
    table.here = PyLong_FromLongLong(table.value);
    if (out == NULL || table.here == NULL) {
        PyErr_NoMemory();
        goto exit;
    }
    const struct stations known = {.of = &table, .find = find, .learn = learn};
    lists = forward(b.data.buf, p, (size_t)count, source, &known, out, c) ? PyList_New(ports.len) : NULL;
    for (Py_ssize_t i = 0; lists != NULL && i < ports.len; i++) {
        PyObject *one = rows_to(p, out, numbers[i] == source ? 0 : count, goes, false, numbers[i]);
        if (one == NULL || PyList_SetItem(lists, i, one) < 0)
            Py_CLEAR(lists);
    }
    if (lists != NULL)
        passed = rows_to(p, out, others ? count : 0, goes, true, 0);
    if (passed != NULL)
        result = Py_BuildValue("OO(LLLLLL)", lists, passed, (long long)c[0], (long long)c[1], (long long)c[2], (long long)c[3],
                               (long long)c[4], (long long)c[5]);
exit:
    PyMem_Free(out);
    Py_XDECREF(table.here);
    Py_XDECREF(lists);
    Py_XDECREF(passed);
    batch_close(&b);
    PyBuffer_Release(&ports);
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

/* ---- lines of packets ---- */

/* Whether there are tables of what packets say as lines: ours when the first line is asked for. */
static bool line_ready(void)
{
    if (line_known())
        return templates_ready();
    PyObject *module = PyImport_ImportModule("pkttools.protocols._lines");
    PyObject *lines = module == NULL ? NULL : PyObject_GetAttrString(module, "LINES");
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
    Py_XDECREF(module);
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
    PyObject *colours, *offset, *table, *result = NULL;
    struct bytes out = {0}, whole = {0};
    struct telling told = {0};
    if (!PyArg_ParseTuple(args, "y*y*nw*iOOO", &b.data, &b.rows, &first, &state, &time, &colours, &offset, &table))
        return NULL;
    struct line_style style = {.time = (enum line_time)time, .offset = offset == Py_None ? NULL : local_offset, .of = offset};
    bool fits = time >= 0 && time < LINE_TIMES && state.len == (Py_ssize_t)sizeof(struct line_state) && aligned(&state)
        && PyTuple_Check(colours) && PyTuple_Size(colours) <= COLOURS;
    if (!batch_sound_from(&b, first, fits, "first packet, state, time or colours out of range") || !line_ready())
        goto exit;
    if (table != Py_None && (style.conversations = conversations_of(table)) == NULL)
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
    PyBuffer_Release(&state);
    batch_close(&b);
    return result;
}

/* Buffers of a megabyte come and go with every batch. By default each of them is fetched from the kernel, cleared page by page and
 * given back: a good part of the time of a text pipe. Memory is kept instead. For the whole process: its main function asks for it.
 */
static PyObject *py_keep_memory(PyObject *self, PyObject *args)
{
    (void)self;
    (void)args;
#ifdef __GLIBC__
    mallopt(M_MMAP_THRESHOLD, 16 << 20);
    mallopt(M_TRIM_THRESHOLD, 16 << 20);
#endif
    return Py_NewRef(Py_None);
}

static PyMethodDef methods[] = {
    {"text_decode", py_text_decode, METH_VARARGS, NULL},
    {"text_encode", py_text_encode, METH_VARARGS, NULL},
    {"json_encode", py_json_encode, METH_VARARGS, NULL},
    {"columns_encode", py_columns_encode, METH_VARARGS, NULL},
    {"lane_encode", py_lane_encode, METH_VARARGS, NULL},
    {"lane_decode", py_lane_decode, METH_VARARGS, NULL},
    {"pcap_decode", py_pcap_decode, METH_VARARGS, NULL},
    {"pcap_encode", py_pcap_encode, METH_VARARGS, NULL},
    {"pcapng_decode", py_pcapng_decode, METH_VARARGS, NULL},
    {"pcapng_encode", py_pcapng_encode, METH_VARARGS, NULL},
    {"set_protocols", py_set_protocols, METH_O, NULL},
    {"walk", py_walk, METH_VARARGS, NULL},
    {"items", py_items, METH_VARARGS, NULL},
    {"select", py_select, METH_VARARGS, NULL},
    {"assign", py_assign, METH_VARARGS, NULL},
    {"spread", py_spread, METH_VARARGS, NULL},
    {"read_stamps", py_read_stamps, METH_VARARGS, NULL},
    {"follow_numbers", py_follow_numbers, METH_VARARGS, NULL},
    {"count_durations", py_count_durations, METH_VARARGS, NULL},
    {"correct", py_correct, METH_VARARGS, NULL},
    {"check", py_check, METH_VARARGS, NULL},
    {"pick", py_pick, METH_VARARGS, NULL},
    {"beyond", py_beyond, METH_VARARGS, NULL},
    {"signed", py_signed, METH_VARARGS, NULL},
    {"answer", py_answer, METH_VARARGS, NULL},
    {"fragment", py_fragment, METH_VARARGS, NULL},
    {"datagrams", py_datagrams, METH_VARARGS, NULL},
    {"reassemble", py_reassemble, METH_VARARGS, NULL},
    {"reassemble_rest", py_reassemble_rest, METH_O, NULL},
    {"conversation_table", py_conversations, METH_VARARGS, NULL},
    {"follow", py_follow, METH_VARARGS, NULL},
    {"conversation_rows", py_conversation_rows, METH_VARARGS, NULL},
    {"conversation_totals", py_conversation_totals, METH_O, NULL},
    {"forward", py_forward, METH_VARARGS, NULL},
    {"counters", py_counters, METH_VARARGS, NULL},
    {"count", py_count, METH_VARARGS, NULL},
    {"figures", py_figures, METH_O, NULL},
    {"largest", py_largest, METH_VARARGS, NULL},
    {"verify", py_verify, METH_VARARGS, NULL},
    {"tell", py_tell, METH_VARARGS, NULL},
    {"line_encode", py_line_encode, METH_VARARGS, NULL},
    {"listing_encode", py_listing_encode, METH_VARARGS, NULL},
    {"keep_memory", py_keep_memory, METH_NOARGS, "See pkttools/codec/python/__init__.py."},
    {"use_rows", py_use_rows, METH_VARARGS, "Chooses which code reads and writes rows, 0 the portable one; gives what is used; for tests."},
    {"use_words", py_use_words, METH_VARARGS, "Chooses whether sums use the widest vectors; gives whether they do; for tests."},
    {NULL, NULL, 0, NULL},
};

static int execute(PyObject *module)
{
    rows_prepare();
    checksum_prepare();
    (void)module;
    return 0;
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, execute}, {0, NULL}};

static struct PyModuleDef definition = {
    .m_base = PyModuleDef_HEAD_INIT, .m_name = "pkttools.codec._c", .m_methods = methods, .m_slots = slots,
};

PyMODINIT_FUNC PyInit__c(void)
{
    return PyModuleDef_Init(&definition);
}
