/* Tables of descriptions and programs, as Python hands them over. */
#include "module.h"
#include "../templates.h"

/* The integers of a table, where they are: what bytes hold is aligned, behind a head of whole words. */
bool integers_of(PyObject *bytes, struct protocol_table *table)
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
bool protocols_ready(void)
{
    if (protocols_known())
        return true;
    PyObject *tables = attribute_of("pkttools.protocols", "walk"), *walk = tables == NULL ? NULL : PyObject_CallObject(tables, NULL);
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
    PyObject *tuple = attribute_of("pkttools.protocols._templates", "TEMPLATES");
    bool done = tuple != NULL && PyTuple_Check(tuple) && PyTuple_Size(tuple) == TEMPLATE_TABLES + 1;
    *sound = done || PyErr_Occurred();
    for (Py_ssize_t i = 0; done && i < TEMPLATE_TABLES; i++)
        done = integers_of(PyTuple_GetItem(tuple, i), &given[i]);
    char *text = NULL;
    Py_ssize_t size = 0;
    done = done && PyBytes_AsStringAndSize(PyTuple_GetItem(tuple, TEMPLATE_TABLES), &text, &size) == 0;
    done = done && templates_set(table, given, (struct name){(const uint8_t *)text, (size_t)size}, sound);
    Py_XDECREF(tuple);
    return done;
}

/* Whether there are templates: those of ours when the first one is told. */
bool templates_ready(void)
{
    return (templates_known() || with_fields(set_templates)) && protocols_ready();
}

/* Whether there is a table of fields, too: that of ours when the first one is asked for. */
bool fields_ready(void)
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
bool names_ready(void)
{
    return (names_known() || with_fields(set_names)) && protocols_ready();
}

static PyObject *py_set_protocols(PyObject *self, PyObject *tables)
{
    (void)self;
    return set_tables(tables) ? Py_NewRef(Py_None) : NULL;
}

void unload(struct loaded *l)
{
    PyBuffer_Release(&l->fields);
    PyBuffer_Release(&l->code);
    PyBuffer_Release(&l->constants);
}

/* Fields that were found sound last: all programs bring the same ones, with what all protocols have. Bytes do not change. */
static PyObject *sound_fields;

bool load(PyObject *tuple, struct loaded *l, bool (*sound)(struct program *))
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

PyMethodDef tables_methods[] = {
    {"set_protocols", py_set_protocols, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};
