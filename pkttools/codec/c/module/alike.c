/* Packets that are compared. */
#include "module.h"

#include "../alike.h"
#include "../spans.h"

void told_close(struct may_differ *t)
{
    PyBuffer_Release(&t->places);
    PyBuffer_Release(&t->first);
}

/* Whether it is sound; false with an exception, and nothing to close. */
bool told_open(struct may_differ *t, PyObject *tuple)
{
    long long within;
    int sizes, notes;
    if (!PyArg_ParseTuple(tuple, "Lppy*y*", &within, &sizes, &notes, &t->first, &t->places))
        return false;
    const size_t first = (size_t)t->first.len, places = (size_t)t->places.len;
    if (first > 0 && first % sizeof(int64_t) == 0 && places % sizeof(struct leeway) == 0 && aligned(&t->first) && aligned(&t->places)) {
        t->tolerance = (struct tolerance){
            .within = within, .sizes = sizes != 0, .notes = notes != 0, .first = t->first.buf, .kinds = first / sizeof(int64_t) - 1,
            .places = t->places.buf, .count = places / sizeof(struct leeway),
        };
        if (tolerance_sound(&t->tolerance))
            return true;
    }
    PyErr_SetString(PyExc_ValueError, "what may differ is no table of places");
    told_close(t);
    return false;
}

static PyObject *py_unlike(PyObject *self, PyObject *args)
{
    (void)self;
    struct batch a, b;
    struct may_differ t;
    Py_ssize_t first_a, first_b, count;
    PyObject *tuple, *list = NULL;
    if (!PyArg_ParseTuple(args, "y*y*ny*y*nnO!", &a.data, &a.rows, &first_a, &b.data, &b.rows, &first_b, &count, &PyTuple_Type, &tuple))
        return NULL;
    if (!told_open(&t, tuple))
        goto exit;
    if (batch_sound(&a) && batch_sound(&b) && protocols_ready()) {
        if (first_a < 0 || first_b < 0 || count < 0 || first_a > a.count || first_b > b.count || count > a.count - first_a
            || count > b.count - first_b)
            PyErr_SetString(PyExc_ValueError, "no such packets in both batches");
        else
            list = PyList_New(0);
        for (Py_ssize_t i = 0; list != NULL && i < count; i++) {
            Py_BEGIN_ALLOW_THREADS
            while (i < count && alike(&t.tolerance, a.data.buf, &a.packets[first_a + i], b.data.buf, &b.packets[first_b + i]))
                i++;
            Py_END_ALLOW_THREADS
            if (i == count)
                break;
            PyObject *number = PyLong_FromSsize_t(i);
            if (number == NULL || PyList_Append(list, number) < 0)
                Py_CLEAR(list);
            Py_XDECREF(number);
        }
    }
    told_close(&t);
exit:
    batch_close(&b);
    batch_close(&a);
    return list;
}

static PyObject *py_blank(PyObject *self, PyObject *args)
{
    (void)self;
    struct batch b;
    struct may_differ t;
    PyObject *tuple, *result = NULL;
    if (!PyArg_ParseTuple(args, "w*y*O!", &b.data, &b.rows, &PyTuple_Type, &tuple))
        return NULL;
    if (!told_open(&t, tuple))
        goto exit;
    if (batch_sound(&b) && protocols_ready()) {
        Py_BEGIN_ALLOW_THREADS
        for (Py_ssize_t i = 0; i < b.count; i++) {
            struct bare bare;
            bare_of(&bare, &b, i);
            struct writable_frame f = writable_of(&b, bare.packet);
            blank(&t.tolerance, &f, bare.packet->linktype);
        }
        Py_END_ALLOW_THREADS
        result = Py_NewRef(Py_None);
    }
    told_close(&t);
exit:
    batch_close(&b);
    return result;
}

/* Octets that are taken of each packet: what stands in front of them, where they are, and how many in all. */
struct taken {
    Py_buffer prefix, table;
    struct spans spans;
    size_t size;
};

enum { MOST_TAKEN = 16 };

/* Spans as Python hands them over: pairs of numbers. */
static bool spans_of(const Py_buffer *table, struct spans *found)
{
    *found = (struct spans){table->buf, (size_t)table->len / sizeof(struct span)};
    return (size_t)table->len % sizeof(struct span) == 0 && aligned(table) && spans_sound(found);
}

/* The octets that are to be taken of a packet, as a tuple. */
static PyObject *octets_of(const struct taken *taken, Py_ssize_t count, const struct frame *f)
{
    PyObject *all = PyTuple_New(count);
    for (Py_ssize_t k = 0; all != NULL && k < count; k++) {
        PyObject *octets = PyBytes_FromStringAndSize(NULL, taken[k].prefix.len + (Py_ssize_t)taken[k].size);
        if (octets != NULL) {
            uint8_t *to = (uint8_t *)PyBytes_AsString(octets);
            memcpy(to, taken[k].prefix.buf, (size_t)taken[k].prefix.len);
            spans_copy(to + taken[k].prefix.len, &taken[k].spans, f);
        }
        put_item(&all, k, octets);
    }
    return all;
}

static PyObject *py_octets_alike(PyObject *self, PyObject *args)
{
    (void)self;
    struct batch b;
    struct taken taken[MOST_TAKEN];
    Py_buffer table;
    struct spans same;
    Py_ssize_t first, count = 0;
    PyObject *wanted, *list = NULL;
    if (!PyArg_ParseTuple(args, "y*y*ny*O!", &b.data, &b.rows, &first, &table, &PyTuple_Type, &wanted))
        return NULL;
    bool there = first < b.rows.len / (Py_ssize_t)sizeof(struct packet);
    bool sound = batch_sound_from(&b, first, there, "there is no such packet") && protocols_ready();
    struct bare model, other;
    struct walk w, v;
    if (sound) {
        bare_of(&model, &b, first);
        walk(&w, &model.frame, model.packet->linktype);
        sound = spans_of(&table, &same) && PyTuple_Size(wanted) <= MOST_TAKEN;
        for (; sound && count < PyTuple_Size(wanted); count++) {
            PyObject *pair = PyTuple_GetItem(wanted, count);
            if (!PyTuple_Check(pair)) {
                sound = false;
                break;
            }
            if (!PyArg_ParseTuple(pair, "y*y*", &taken[count].prefix, &taken[count].table))
                goto exit;
            sound = spans_of(&taken[count].table, &taken[count].spans);
            if (sound)
                taken[count].size = spans_size(&taken[count].spans, model.frame.size);
        }
        if (!sound)
            PyErr_SetString(PyExc_ValueError, "what is to be taken is no table of places");
    }
    if (!sound)
        goto exit;
    list = PyList_New(0);
    for (Py_ssize_t i = first; list != NULL && i < b.count; i++) {
        bare_of(&other, &b, i);
        if (other.packet->linktype != model.packet->linktype || other.frame.size != model.frame.size
            || !spans_same(&same, &model.frame, &other.frame))
            break;
        walk(&v, &other.frame, other.packet->linktype);
        if (!same_headers(&w, &v))
            break;
        PyObject *octets = octets_of(taken, count, &other.frame);
        if (octets == NULL || PyList_Append(list, octets) < 0)
            Py_CLEAR(list);
        Py_XDECREF(octets);
    }
exit:
    while (count-- > 0) {
        PyBuffer_Release(&taken[count].prefix);
        PyBuffer_Release(&taken[count].table);
    }
    PyBuffer_Release(&table);
    batch_close(&b);
    return list;
}

PyMethodDef alike_methods[] = {
    {"octets_alike", py_octets_alike, METH_VARARGS, NULL},
    {"unlike", py_unlike, METH_VARARGS, NULL},
    {"blank", py_blank, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};
