/* What most commands ask of packets, and do to them: programs, corrections, what is not followed. */
#include "../fields.h"
#include "module.h"

static PyObject *py_select(PyObject *self, PyObject *args)
{
    (void)self;
    struct batch b;
    PyObject *tests, *counted = NULL, *out = NULL;
    Py_ssize_t kept = 0;
    long long first = 1;
    struct loaded l;
    struct beyond beyond;
    if (!PyArg_ParseTuple(args, "y*y*O!|LO", &b.data, &b.rows, &PyTuple_Type, &tests, &first, &counted))
        return NULL;
    if (!batch_sound(&b) || !protocols_ready() || !load(tests, &l, tests_sound))
        goto exit;
    if (beyond_begin(&beyond, counted))
        out = PyByteArray_FromStringAndSize(NULL, b.rows.len);
    if (out != NULL) {
        struct packet *to = (struct packet *)(void *)PyByteArray_AsString(out);
        Py_BEGIN_ALLOW_THREADS
        for (Py_ssize_t i = 0; i < b.count; i++) {
            struct bare bare;
            bare_of(&bare, &b, i);
            struct walk w;
            if (beyond.counts != NULL) {
                walk_busy(&w, &bare.frame, bare.packet->linktype);
                beyond_add(&beyond, w.beyond);
            }
            if (matches(&l.program, &bare.frame, bare.packet, &b.packets[i], b.data.buf, (int64_t)((uint64_t)first + (uint64_t)i),
                        beyond.counts != NULL ? &w : NULL))
                memcpy(&to[kept++], &b.packets[i], sizeof *to);
        }
        Py_END_ALLOW_THREADS
        if (!beyond_end(&beyond) || PyByteArray_Resize(out, kept * (Py_ssize_t)sizeof(struct packet)) < 0)
            Py_CLEAR(out);
    }
    unload(&l);
exit:
    batch_close(&b);
    return out;
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

/* Values that assignments take, `count` of them; whether there are as many. */
static bool series_of(PyObject *given, Py_buffer *series, size_t count)
{
    if (given != Py_None && PyObject_GetBuffer(given, series, PyBUF_SIMPLE) < 0)
        return false;
    if ((size_t)series->len == count * sizeof(struct value) && (count == 0 || aligned(series)))
        return true;
    PyErr_SetString(PyExc_ValueError, "values are not one a packet of each that takes some");
    return false;
}

static PyObject *py_assign(PyObject *self, PyObject *args)
{
    (void)self;
    struct batch b;
    PyObject *assignments, *given, *counted = NULL, *result = NULL;
    int follow;
    struct loaded l;
    Py_buffer series = {0};
    struct bytes before = {0};
    struct beyond beyond;
    if (!PyArg_ParseTuple(args, "w*y*O!Op|O", &b.data, &b.rows, &PyTuple_Type, &assignments, &given, &follow, &counted))
        return NULL;
    if (!batch_sound(&b) || !protocols_ready() || !load(assignments, &l, assignments_sound))
        goto exit;
    if (series_of(given, &series, series_count(&l.program) * (size_t)b.count)) {
        size_t met = 0, stale = 0, unknown = 0, all = assignment_count(&l.program);
        size_t *placed = PyMem_Calloc(2 * all + 1, sizeof *placed);     /* and behind them, those that were cut */
        bool memory = beyond_begin(&beyond, counted) && placed != NULL && (!follow || bytes_need(&before, MAX_FRAME));
        Py_BEGIN_ALLOW_THREADS
        for (Py_ssize_t i = 0; memory && i < b.count; i++) {
            struct bare bare;
            bare_of(&bare, &b, i);
            const struct packet *p = bare.packet;
            struct writable_frame f = writable_of(&b, p);
            struct frame old = {before.at, f.view.size};
            if (follow && old.size > 0)
                memcpy(before.at, f.at, old.size);
            met++;
            beyond_add_untold(&beyond, assign(&l.program, &f, p->linktype, placed, placed + all, series.buf, (size_t)b.count));
            if (follow) {
                struct followed left = update(&old, &f, p->original, p->linktype);
                stale += left.stale;
                unknown += left.unknown;
            }
        }
        Py_END_ALLOW_THREADS
        memory = beyond_end(&beyond) && memory;
        if (memory)
            result = Py_BuildValue("(nNNnn)", (Py_ssize_t)met, numbers(placed, (Py_ssize_t)all), numbers(placed + all, (Py_ssize_t)all),
                                   (Py_ssize_t)stale, (Py_ssize_t)unknown);
        else if (!PyErr_Occurred())
            PyErr_NoMemory();
        PyMem_Free(placed);
    }
    if (series.obj != NULL)
        PyBuffer_Release(&series);
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

PyMethodDef packets_methods[] = {
    {"select", py_select, METH_VARARGS, NULL},
    {"beyond", py_beyond, METH_VARARGS, NULL},
    {"assign", py_assign, METH_VARARGS, NULL},
    {"spread", py_spread, METH_VARARGS, NULL},
    {"correct", py_correct, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};
