/* Runs of packets that are merged. */
#include "module.h"

static const char table_name[] = "pkttools.codec.runs";

/* Runs, and what Python holds for them: the buffers of each one that has packets left. */
struct held_runs {
    struct runs runs;
    struct batch *batch;
};

static void held_runs_end(struct held_runs *h)
{
    for (size_t i = 0; h->batch != NULL && i < h->runs.count; i++)
        batch_close(&h->batch[i]);          /* does nothing where none is open */
    PyMem_Free(h->batch);
    runs_end(&h->runs);
    PyMem_Free(h);
}

static void free_runs(PyObject *capsule)
{
    held_runs_end(PyCapsule_GetPointer(capsule, table_name));
}

static PyObject *py_run_table(PyObject *self, PyObject *args)
{
    (void)self;
    PyObject *lines;
    int keyed = 0;
    if (!PyArg_ParseTuple(args, "O|p", &lines, &keyed))
        return NULL;
    if (!PyList_Check(lines)) {
        PyErr_SetString(PyExc_TypeError, "lines are a list of bytes");
        return NULL;
    }
    Py_ssize_t count = PyList_Size(lines);
    struct held_runs *h = PyMem_Calloc(1, sizeof *h);
    bool memory = h != NULL && runs_begin(&h->runs, (size_t)count), sound = true;
    if (h != NULL)
        memory = (h->batch = PyMem_Calloc((size_t)count + 1, sizeof *h->batch)) != NULL && memory;
    if (memory)
        h->runs.keyed = keyed != 0;
    for (Py_ssize_t i = 0; memory && sound && i < count; i++) {
        char *line;
        Py_ssize_t size;
        sound = PyBytes_AsStringAndSize(PyList_GetItem(lines, i), &line, &size) == 0;
        memory = !sound || size == 0 || bytes_add(&h->runs.run[i].line, line, (size_t)size);
    }
    PyObject *capsule = NULL;
    if (!sound)
        PyErr_SetString(PyExc_TypeError, "lines are a list of bytes");
    else if (!memory)
        PyErr_NoMemory();
    else
        capsule = PyCapsule_New(h, table_name, free_runs);
    if (capsule == NULL && h != NULL)
        held_runs_end(h);
    return capsule;
}

static PyObject *py_feed(PyObject *self, PyObject *args)
{
    (void)self;
    PyObject *capsule;
    Py_ssize_t which;
    struct batch b;
    if (!PyArg_ParseTuple(args, "Ony*y*", &capsule, &which, &b.data, &b.rows))
        return NULL;
    struct held_runs *h = held_by(capsule, table_name, "no table of runs");
    if (h == NULL || !batch_sound(&b))
        goto error;
    struct sequence *run = which >= 0 && (size_t)which < h->runs.count ? &h->runs.run[which] : NULL;
    if (run == NULL || run->ended || run->at < run->size) {
        PyErr_SetString(PyExc_ValueError, "no such run waits");
        goto error;
    }
    size_t first = 0, backwards = runs_feed(&h->runs, (size_t)which, b.data.buf, (size_t)b.data.len, b.packets, (size_t)b.count, &first);
    if (b.count > 0)
        h->batch[which] = b;
    else
        batch_close(&b);
    return Py_BuildValue("(nn)", (Py_ssize_t)backwards, (Py_ssize_t)first);
error:
    batch_close(&b);
    return NULL;
}

static PyObject *py_merge_runs(PyObject *self, PyObject *args)
{
    (void)self;
    PyObject *capsule, *result = NULL;
    Py_buffer memory;
    Py_ssize_t used;
    struct bytes rows = {0};
    if (!PyArg_ParseTuple(args, "Ow*n", &capsule, &memory, &used))
        return NULL;
    struct held_runs *h = held_by(capsule, table_name, "no table of runs");
    if (h == NULL || !range_of(&memory, used, memory.len))
        goto exit;
    if (h->runs.waiting > 0) {
        PyErr_SetString(PyExc_ValueError, "a run waits");
        goto exit;
    }
    struct bytes out = {.at = memory.buf, .size = (size_t)used, .room = (size_t)memory.len, .held = true};
    size_t empty = 0;
    enum merged outcome = runs_merge(&h->runs, &out, &rows, &empty);
    if (outcome == MERGED_EMPTY)
        batch_close(&h->batch[empty]);
    if (outcome == MERGED_NO_MEMORY)
        PyErr_NoMemory();
    else
        result = Py_BuildValue("(Nnn)", bytearray_of(&rows), (Py_ssize_t)out.size,
                               outcome == MERGED_EMPTY ? (Py_ssize_t)empty : outcome == MERGED_ENDED ? (Py_ssize_t)-1 : (Py_ssize_t)-2);
exit:
    bytes_free(&rows);
    PyBuffer_Release(&memory);
    return result;
}

PyMethodDef runs_methods[] = {
    {"run_table", py_run_table, METH_VARARGS, NULL},
    {"feed", py_feed, METH_VARARGS, NULL},
    {"merge_runs", py_merge_runs, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};
