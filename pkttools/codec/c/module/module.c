/* The Python face of the C backend, put together. */
#include "module.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

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
    {"keep_memory", py_keep_memory, METH_NOARGS, "See pkttools/codec/python/__init__.py."},
    {"use_rows", py_use_rows, METH_VARARGS, "Chooses which code reads and writes rows, 0 the portable one; gives what is used; for tests."},
    {"use_words", py_use_words, METH_VARARGS, "Chooses whether sums use the widest vectors; gives whether they do; for tests."},
    {NULL, NULL, 0, NULL},
};

static PyMethodDef *const tables[] = {
    addresses_methods,
    alike_methods,
    answers_methods,
    conversations_methods,
    counting_methods,
    cryptopan_methods,
    datagrams_methods,
    grouping_methods,
    order_methods,
    doubles_methods,
    headers_methods,
    packets_methods,
    pcap_methods,
    pcapng_methods,
    relay_methods,
    soundness_methods,
    runs_methods,
    segments_methods,
    splicing_methods,
    payloads_methods,
    stamps_methods,
    tables_methods,
    text_methods,
    views_methods,
    wrapping_methods,
};

static int execute(PyObject *module)
{
    rows_prepare();
    checksum_prepare();
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        if (PyModule_AddFunctions(module, tables[i]) < 0)
            return -1;
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
