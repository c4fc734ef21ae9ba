/* Stamps of generated packets. */
#include "module.h"

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

PyMethodDef stamps_methods[] = {
    {"read_stamps", py_read_stamps, METH_VARARGS, NULL},
    {"follow_numbers", py_follow_numbers, METH_VARARGS, NULL},
    {"count_durations", py_count_durations, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};
