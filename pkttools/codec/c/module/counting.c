/* Statistics. */
#include "module.h"
#include "../statistics.h"

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
    struct counting *c = held_by(capsule, statistics_name, "no counters");
    return c == NULL ? NULL : &c->statistics;
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
            const struct frame notes = {(const uint8_t *)b.data.buf + b.packets[i].notes, (size_t)b.packets[i].notes_size};
            memory = statistics_add(s, &b.packets[i], bare.packet, &bare.frame, &notes);
        }
        memory = memory && groups_add_waiting(&s->talkers);
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

PyMethodDef counting_methods[] = {
    {"counters", py_counters, METH_VARARGS, NULL},
    {"count", py_count, METH_VARARGS, NULL},
    {"figures", py_figures, METH_O, NULL},
    {"largest", py_largest, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};
