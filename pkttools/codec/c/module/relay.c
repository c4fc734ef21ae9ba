/* Text through a filter, checksums and assignments, to text, for Python; and for kernel/c/turns.c, which calls no Python. */
#include "module.h"

#include "../../../kernel/c/step.h"
#include "../relay.h"

struct relaying {               /* a relay, and the programs that it lies in; step: the same as whoever reads and writes has it */
    struct step step;
    struct relay relay;
    struct loaded keep, guard, assignments;
};

static void free_relay(PyObject *capsule)
{
    struct relaying *r = ((struct step *)PyCapsule_GetPointer(capsule, STEP))->whose;
    unload(&r->keep);
    unload(&r->guard);
    unload(&r->assignments);
    bytes_free(&r->relay.out);
    PyMem_Free(r->relay.placed);
    PyMem_Free(r);
}

static bool take(void *whose, const uint8_t *piece, size_t size, int64_t now, const uint8_t **out, size_t *out_size)
{
    struct relaying *r = whose;
    bool done = relay_step(&r->relay, piece, size, now);
    *out = r->relay.out.at;
    *out_size = r->relay.out.size;
    return done;
}

/* Loads a program, if there is one; false with an exception. */
static bool load_some(PyObject *given, struct loaded *l, bool (*sound)(struct program *), const struct program **program)
{
    if (given == Py_None)
        return true;
    if (!PyTuple_Check(given)) {
        PyErr_SetString(PyExc_TypeError, "a program is a tuple or None");
        return false;
    }
    *program = &l->program;
    return load(given, l, sound);
}

static PyObject *py_text_relay(PyObject *self, PyObject *args)
{
    (void)self;
    PyObject *keep, *guard, *assignments;
    Py_ssize_t width;
    int data_only, corrects;
    long long linktype, said, number;
    if (!PyArg_ParseTuple(args, "OOOinpLLL", &keep, &guard, &assignments, &corrects, &width, &data_only, &linktype, &said, &number))
        return NULL;
    if (width < 1 || width > MAX_FRAME) {
        PyErr_SetString(PyExc_ValueError, "width out of range");
        return NULL;
    }
    if (corrects < -1 || corrects > TRANSPORT) {
        PyErr_SetString(PyExc_ValueError, "no such correction");
        return NULL;
    }
    struct relaying *r = PyMem_Calloc(1, sizeof *r);
    if (r == NULL)
        return PyErr_NoMemory();
    r->step = (struct step){take, r};
    r->relay = (struct relay){.style = {(size_t)width, data_only != 0}, .linktype = linktype, .said = said, .number = number,
                              .corrects = corrects};
    PyObject *capsule = PyCapsule_New(r, STEP, free_relay);
    if (capsule == NULL) {
        PyMem_Free(r);
        return NULL;
    }
    bool done = protocols_ready() && load_some(keep, &r->keep, tests_sound, &r->relay.keep)
                && load_some(guard, &r->guard, tests_sound, &r->relay.guard)
                && load_some(assignments, &r->assignments, assignments_sound, &r->relay.assignments);
    if (done && r->relay.assignments != NULL && series_count(r->relay.assignments) > 0) {
        PyErr_SetString(PyExc_ValueError, "assignments take values");
        done = false;
    }
    size_t all = done && r->relay.assignments != NULL ? assignment_count(r->relay.assignments) : 0;
    if (done && (r->relay.placed = PyMem_Calloc(4 * all + 1, sizeof *r->relay.placed)) == NULL) {
        PyErr_NoMemory();
        done = false;
    }
    if (!done)
        Py_CLEAR(capsule);
    return capsule;
}

static PyObject *py_relay_step(PyObject *self, PyObject *args)
{
    (void)self;
    PyObject *capsule, *result = NULL;
    Py_buffer text;
    long long now;
    if (!PyArg_ParseTuple(args, "Oy*L", &capsule, &text, &now))
        return NULL;
    const struct step *step = held_by(capsule, STEP, "no relay");
    const uint8_t *out;
    size_t size;
    if (step != NULL && step->take(step->whose, text.buf, (size_t)text.len, now, &out, &size))
        result = PyBytes_FromStringAndSize((const char *)out, (Py_ssize_t)size);
    else if (step != NULL)
        result = Py_NewRef(Py_None);
    PyBuffer_Release(&text);
    return result;
}

static PyObject *py_relayed(PyObject *self, PyObject *capsule)
{
    (void)self;
    const struct step *step = held_by(capsule, STEP, "no relay");
    if (step == NULL)
        return NULL;
    const struct relay *r = &((const struct relaying *)step->whose)->relay;
    Py_ssize_t all = r->assignments == NULL ? 0 : (Py_ssize_t)assignment_count(r->assignments);
    return Py_BuildValue("(LLLLLNN)", (long long)r->lines, (long long)r->came, (long long)r->passed, (long long)r->met,
                         (long long)r->wrong, numbers(r->placed, all), numbers(r->placed + all, all));
}

PyMethodDef relay_methods[] = {
    {"relay_step", py_relay_step, METH_VARARGS, NULL},
    {"relayed", py_relayed, METH_O, NULL},
    {"text_relay", py_text_relay, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};
