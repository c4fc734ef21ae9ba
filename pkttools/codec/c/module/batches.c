/* What functions of the module have in common: batches, ranges, errors, what they give back. */
#include "module.h"

bool aligned(const Py_buffer *b)
{
    return (uintptr_t)b->buf % sizeof(int64_t) == 0;
}

/* Whether every packet lies within the data; false with an exception. The buffers are there already. */
bool batch_sound(struct batch *b)
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
bool batch_sound_from(struct batch *b, Py_ssize_t first, bool in_range, const char *otherwise)
{
    if (!batch_sound(b))
        return false;
    if (first >= 0 && first <= b->count && in_range)
        return true;
    PyErr_SetString(PyExc_ValueError, otherwise);
    return false;
}

/* Whether it is one packet, as functions that look at one want it. */
bool batch_of_one(struct batch *b, const char *otherwise)
{
    if (!batch_sound(b))
        return false;
    if (b->count == 1)
        return true;
    PyErr_SetString(PyExc_ValueError, otherwise);
    return false;
}

void batch_close(struct batch *b)
{
    PyBuffer_Release(&b->data);
    PyBuffer_Release(&b->rows);
}

/* The same as what is looked at; its headers are yet to be walked, which takes less time than to clear the room for them. */
void view_of(struct packet_view *view, struct bare *bare, const struct batch *b, Py_ssize_t i)
{
    bare_of(bare, b, i);
    view->frame = bare->frame;
    view->original = bare->packet->original;
}

/* The same, to be written: of a batch whose data was asked for with `w*`. */
struct writable_frame writable_of(const struct batch *b, const struct packet *p)
{
    return writable((uint8_t *)b->data.buf + p->offset, (size_t)p->captured);
}

/* What is wrong with a capture, for Python; None: nothing is. */
PyObject *format_error(enum error_kind error, uint64_t have, uint64_t want)
{
    if (error == NO_ERROR)
        return Py_NewRef(Py_None);
    return Py_BuildValue("(iKK)", (int)error, (unsigned long long)have, (unsigned long long)want);
}

bool range_of(const Py_buffer *b, Py_ssize_t start, Py_ssize_t stop)
{
    if (start >= 0 && start <= stop && stop <= b->len)
        return true;
    PyErr_SetString(PyExc_ValueError, "range lies outside of the buffer");
    return false;
}

PyObject *bytearray_of(const struct bytes *b)
{
    return PyByteArray_FromStringAndSize((const char *)b->at, (Py_ssize_t)b->size);
}

/* Memory of Python's to write into what is made, for so many bytes at most: then it need not be copied. NULL with an exception. */
PyObject *memory_of(struct bytes *b, size_t room)
{
    PyObject *memory = PyByteArray_FromStringAndSize(NULL, (Py_ssize_t)room);
    if (memory != NULL)
        *b = (struct bytes){.at = (uint8_t *)PyByteArray_AsString(memory), .room = room, .held = true};
    return memory;
}

/* Twice as much of it, with what was written; false with an exception. */
bool memory_more(PyObject *memory, struct bytes *b)
{
    if (PyByteArray_Resize(memory, (Py_ssize_t)b->room * 2) < 0)
        return false;
    b->at = (uint8_t *)PyByteArray_AsString(memory);
    b->room *= 2;
    return true;
}

/* Gives back what was not written. */
bool memory_used(PyObject *memory, const struct bytes *b)
{
    return PyByteArray_Resize(memory, (Py_ssize_t)b->size) == 0;
}

/* Puts an item into a tuple that is being made; what could not be made is none. */
void put_item(PyObject **tuple, Py_ssize_t i, PyObject *item)
{
    if (item == NULL || *tuple == NULL)
        Py_XDECREF(item);
    else if (PyTuple_SetItem(*tuple, i, item) == 0)
        return;
    Py_CLEAR(*tuple);
}

/* Numbers as a tuple; NULL with an exception. */
PyObject *numbers(const size_t *number, Py_ssize_t count)
{
    PyObject *tuple = PyTuple_New(count);
    for (Py_ssize_t i = 0; tuple != NULL && i < count; i++)
        put_item(&tuple, i, PyLong_FromSize_t(number[i]));
    return tuple;
}

/* What a capsule of a name holds; NULL with an exception: it is something else. */
void *held_by(PyObject *capsule, const char *name, const char *otherwise)
{
    if (PyCapsule_IsValid(capsule, name))
        return PyCapsule_GetPointer(capsule, name);
    PyErr_SetString(PyExc_TypeError, otherwise);
    return NULL;
}

/* A name of one of our modules; NULL with an exception. */
PyObject *attribute_of(const char *module, const char *name)
{
    PyObject *imported = PyImport_ImportModule(module), *found = imported == NULL ? NULL : PyObject_GetAttrString(imported, name);
    Py_XDECREF(imported);
    return found;
}

bool beyond_begin(struct beyond *b, PyObject *counts)
{
    *b = (struct beyond){.counts = counts == Py_None ? NULL : counts};
    if (b->counts == NULL || PyDict_Check(counts))
        return true;
    PyErr_SetString(PyExc_TypeError, "counts are a dict or None");
    return false;
}

/* Adds what was found to the dict; false with an exception. */
bool beyond_end(struct beyond *b)
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

/* What was made of the packets from `first` up to `stop`: None twice where they pass as they are. */
PyObject *made_of(Py_ssize_t stop, bool begun, const struct gathered *out, PyObject *rest)
{
    if (rest == NULL || !begun)
        return rest == NULL ? NULL : Py_BuildValue("(nOON)", stop, Py_None, Py_None, rest);
    return Py_BuildValue("(nNNN)", stop, bytearray_of(&out->data), bytearray_of(&out->rows), rest);
}

/* Copies packets in front of the first one that does not pass as it is. */
bool gather_until(struct gathered *out, const struct batch *b, Py_ssize_t first, Py_ssize_t stop)
{
    for (Py_ssize_t i = first; i < stop; i++)
        if (!gather(out, b->data.buf, &b->packets[i]))
            return false;
    return true;
}
