/* The Python face of the kernel's C functions. Shapes and errors are those of ../python; ../__init__.py has the contract. */
#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include <Python.h>

#include <errno.h>

#include "kernel.h"

static PyObject *py_pipe_lend(PyObject *self, PyObject *args)
{
    (void)self;
    Py_buffer data;
    int fd;
    ssize_t sent;
    if (!PyArg_ParseTuple(args, "iy*", &fd, &data))
        return NULL;
    do {
        Py_BEGIN_ALLOW_THREADS
        sent = pipe_lend(fd, data.buf, (size_t)data.len);
        Py_END_ALLOW_THREADS
    } while (sent < 0 && errno == EINTR && PyErr_CheckSignals() == 0);
    PyBuffer_Release(&data);
    if (sent >= 0)
        return PyLong_FromSsize_t(sent);
    return PyErr_Occurred() ? NULL : PyErr_SetFromErrno(PyExc_OSError);
}

static PyMethodDef methods[] = {
    {"pipe_lend", py_pipe_lend, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {{0, NULL}};

static struct PyModuleDef definition = {
    .m_base = PyModuleDef_HEAD_INIT, .m_name = "pkttools.kernel._c", .m_methods = methods, .m_slots = slots,
};

PyMODINIT_FUNC PyInit__c(void)
{
    return PyModuleDef_Init(&definition);
}
