/* Answers, and where a switch sends frames. */
#include "module.h"

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
            size_t before = out.rows.size;
            struct packet_view view;
            view_of(&view, &bare, &b, i);
            walk_busy(&view.walk, &view.frame, bare.packet->linktype);
            bool quotes = view.walk.quoted != MAX_HEADERS;
            leave_out_quoted(&view.walk);
            if (check_view(&view, bare.packet->linktype) != CORRECTED)
                continue;
            memory = answer(&a, &view, quotes ? NULL : &view.walk, b.data.buf, bare.packet, &out);
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

PyMethodDef answers_methods[] = {
    {"answer", py_answer, METH_VARARGS, NULL},
    {"forward", py_forward, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};
