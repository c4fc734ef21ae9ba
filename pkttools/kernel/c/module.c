/* The Python face of the kernel's C functions. Shapes and errors are those of ../python; ../__init__.py has the contract. */
#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include <Python.h>

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

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

static PyObject *py_take_turns(PyObject *self, PyObject *args)
{
    (void)self;
    PyObject *capsule, *result = NULL;
    Py_buffer buffer;
    Py_ssize_t most;
    long long lock, now;
    struct turns_between between;
    if (!PyArg_ParseTuple(args, "Ow*niiiLL", &capsule, &buffer, &most, &between.reading, &between.writing, &between.wake, &lock, &now))
        return NULL;
    between.lock = lock;
    between.now = now;
    if (!PyCapsule_IsValid(capsule, STEP))
        PyErr_SetString(PyExc_TypeError, "no step");
    else if (most < 0 || buffer.len == 0)
        PyErr_SetString(PyExc_ValueError, "no room, or no such size");
    else {
        const struct step *step = PyCapsule_GetPointer(capsule, STEP);
        struct turns t;
        Py_BEGIN_ALLOW_THREADS
        t = take_turns(&between, step, buffer.buf, (size_t)buffer.len, (size_t)most);
        Py_END_ALLOW_THREADS
        result = Py_BuildValue("nny#", (Py_ssize_t)t.used, (Py_ssize_t)t.written, t.rest_size > 0 ? (const char *)t.rest : "",
                               (Py_ssize_t)t.rest_size);
    }
    PyBuffer_Release(&buffer);
    return result;
}

static PyObject *py_prctl(PyObject *self, PyObject *args)
{
    (void)self;
    int option;
    unsigned long second = 0, third = 0;
    if (!PyArg_ParseTuple(args, "i|kk", &option, &second, &third))
        return NULL;
    int given = process_control(option, second, third);
    return given < 0 ? PyErr_SetFromErrno(PyExc_OSError) : PyLong_FromLong(given);
}

static PyObject *py_death_signal(PyObject *self, PyObject *unused)
{
    (void)self;
    (void)unused;
    return PyLong_FromLong(death_signal());
}

static PyObject *py_capabilities(PyObject *self, PyObject *unused)
{
    (void)self;
    (void)unused;
    struct capabilities found;
    if (capabilities(&found) < 0)
        return PyErr_SetFromErrno(PyExc_OSError);
    return Py_BuildValue("KKK", (unsigned long long)found.effective, (unsigned long long)found.permitted,
                         (unsigned long long)found.inheritable);
}

static PyObject *py_keep_capabilities(PyObject *self, PyObject *args)
{
    (void)self;
    unsigned long long kept;
    if (!PyArg_ParseTuple(args, "K", &kept))
        return NULL;
    if (keep_capabilities(kept) < 0)
        return PyErr_SetFromErrno(PyExc_OSError);
    Py_RETURN_NONE;
}

/* The block at `at` of a ring; NULL with ValueError where there is none. */
static uint8_t *block_of(const Py_buffer *ring, Py_ssize_t at, Py_ssize_t size)
{
    if (at < 0 || size <= RING_HEAD || at > ring->len || size > ring->len - at || ((uintptr_t)ring->buf + (size_t)at) % 8) {
        PyErr_SetString(PyExc_ValueError, "block lies outside of the ring");
        return NULL;
    }
    return (uint8_t *)ring->buf + at;
}

static PyObject *py_ring_read(PyObject *self, PyObject *args)
{
    (void)self;
    Py_buffer ring;
    Py_ssize_t at, size;
    int came, went, cooked, nano;
    long long linktype, limit, notes[4];
    PyObject *rows = NULL, *unfinished = NULL, *result = NULL;
    if (!PyArg_ParseTuple(args, "w*nn(pp)LpLp(LLLL)", &ring, &at, &size, &came, &went, &linktype, &cooked, &limit, &nano,
                          &notes[0], &notes[1], &notes[2], &notes[3]))
        return NULL;
    uint8_t *block = block_of(&ring, at, size);
    ssize_t count = -1;
    if (block == NULL)
        goto exit;
    count = ring_count(block, (size_t)size);
    if (count < 0) {
        PyErr_SetFromErrno(PyExc_OSError);
        goto exit;
    }
    const struct ring_rules rules = {
        .wanted = {came != 0, went != 0}, .cooked = cooked != 0, .nano = nano != 0, .linktype = linktype, .limit = limit,
        .notes = {notes[0], notes[2]}, .notes_size = {notes[1], notes[3]},
    };
    rows = PyByteArray_FromStringAndSize(NULL, count * (ssize_t)sizeof(struct packet));
    unfinished = PyByteArray_FromStringAndSize(NULL, count * (ssize_t)sizeof(struct packet));
    if (rows == NULL || unfinished == NULL)
        goto exit;
    struct ring_rows found = {
        .rows = (struct packet *)(void *)PyByteArray_AsString(rows),
        .unfinished = (struct packet *)(void *)PyByteArray_AsString(unfinished),
    };
    int failed;
    Py_BEGIN_ALLOW_THREADS
    failed = ring_read(block, (size_t)size, at, (size_t)count, &rules, &found);
    Py_END_ALLOW_THREADS
    if (failed)
        PyErr_SetFromErrno(PyExc_OSError);
    else if (PyByteArray_Resize(rows, (Py_ssize_t)(found.count * sizeof(struct packet))) == 0
             && PyByteArray_Resize(unfinished, (Py_ssize_t)(found.unfinished_count * sizeof(struct packet))) == 0)
        result = Py_BuildValue("OOnn", rows, unfinished, (Py_ssize_t)count, (Py_ssize_t)found.by_card);
exit:
    Py_XDECREF(rows);
    Py_XDECREF(unfinished);
    PyBuffer_Release(&ring);
    return result;
}

static PyObject *py_ring_give(PyObject *self, PyObject *args)
{
    (void)self;
    Py_buffer ring;
    Py_ssize_t at;
    if (!PyArg_ParseTuple(args, "w*n", &ring, &at))
        return NULL;
    uint8_t *block = block_of(&ring, at, RING_HEAD + 1);
    if (block != NULL)
        ring_give(block);
    PyBuffer_Release(&ring);
    if (block == NULL)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *py_ring_take(PyObject *self, PyObject *args)
{
    (void)self;
    Py_buffer ring;
    Py_ssize_t at, size;
    PyObject *taken = NULL;
    if (!PyArg_ParseTuple(args, "w*nn", &ring, &at, &size))
        return NULL;
    uint8_t *block = block_of(&ring, at, size);
    if (block != NULL) {
        ssize_t used = ring_used(block, (size_t)size);
        if (used < 0)
            PyErr_SetFromErrno(PyExc_OSError);
        else if ((taken = PyByteArray_FromStringAndSize((const char *)block, used)) != NULL)
            ring_give(block);
    }
    PyBuffer_Release(&ring);
    return taken;
}

/* What a reader of samples gives: bytes, with the notes first, and rows. NULL with an exception where there is no memory. */
static bool samples_room(struct samples *found, const Py_buffer *notes, size_t size, Py_ssize_t room, PyObject **data, PyObject **rows)
{
    size_t most = (size_t)room < size ? (size_t)room : size;    /* bytes of records: more are not there, or not wanted */
    *data = PyByteArray_FromStringAndSize(NULL, notes->len + (Py_ssize_t)most);
    *rows = PyByteArray_FromStringAndSize(NULL, (Py_ssize_t)(most / SAMPLE_LEAST * sizeof(struct packet)));
    if (*data == NULL || *rows == NULL)
        return false;
    *found = (struct samples){
        .data = (uint8_t *)PyByteArray_AsString(*data), .rows = (struct packet *)(void *)PyByteArray_AsString(*rows),
        .used = (size_t)notes->len, .room = (size_t)room,
    };
    if (notes->len)
        memcpy(found->data, notes->buf, (size_t)notes->len);
    return true;
}

static PyObject *samples_result(int failed, const struct samples *found, PyObject *data, PyObject *rows)
{
    if (failed)
        return PyErr_SetFromErrno(PyExc_OSError);
    if (PyByteArray_Resize(data, found->count ? (Py_ssize_t)found->used : 0)
            || PyByteArray_Resize(rows, (Py_ssize_t)(found->count * sizeof(struct packet))))
        return NULL;
    return Py_BuildValue("OO", data, rows);
}

static bool power_of_two(size_t size)
{
    return size >= 8 && (size & (size - 1)) == 0;
}

static PyObject *py_ringbuf_read(PyObject *self, PyObject *args)
{
    (void)self;
    Py_buffer consumer, producer, notes;
    Py_ssize_t room;
    long long linktype, clock;
    int nano;
    PyObject *data = NULL, *rows = NULL, *result = NULL;
    if (!PyArg_ParseTuple(args, "w*y*LLpny*", &consumer, &producer, &linktype, &clock, &nano, &room, &notes))
        return NULL;
    size_t page = (size_t)consumer.len, size = producer.len > consumer.len ? (size_t)(producer.len - consumer.len) / 2 : 0;
    if (page < sizeof(unsigned long) || page % 8 || !power_of_two(size) || (size_t)producer.len != page + 2 * size || room < 0
            || (uintptr_t)consumer.buf % 8 || (uintptr_t)producer.buf % 8) {
        PyErr_SetString(PyExc_ValueError, "no ring buffer");
        goto exit;
    }
    const struct sample_rules rules = {.linktype = linktype, .clock = clock, .nano = nano != 0, .notes_size = notes.len};
    struct samples found;
    if (samples_room(&found, &notes, size, room, &data, &rows)) {
        int failed;
        Py_BEGIN_ALLOW_THREADS
        failed = ringbuf_read(consumer.buf, producer.buf, (const uint8_t *)producer.buf + page, size, &rules, &found);
        Py_END_ALLOW_THREADS
        result = samples_result(failed, &found, data, rows);
    }
exit:
    Py_XDECREF(data);
    Py_XDECREF(rows);
    PyBuffer_Release(&consumer);
    PyBuffer_Release(&producer);
    PyBuffer_Release(&notes);
    return result;
}

static PyObject *py_perf_read(PyObject *self, PyObject *args)
{
    (void)self;
    Py_buffer buffer, notes;
    Py_ssize_t page, limit, room;
    long long linktype, clock;
    int nano;
    PyObject *data = NULL, *rows = NULL, *result = NULL;
    if (!PyArg_ParseTuple(args, "w*nnLLpny*", &buffer, &page, &limit, &linktype, &clock, &nano, &room, &notes))
        return NULL;
    size_t size = page >= PERF_PAGE && buffer.len > page ? (size_t)(buffer.len - page) : 0;
    if (!power_of_two(size) || page % 8 || (uintptr_t)buffer.buf % 8 || room < 0 || limit < 0) {
        PyErr_SetString(PyExc_ValueError, "no perf buffer");
        goto exit;
    }
    const struct sample_rules rules = {.linktype = linktype, .clock = clock, .nano = nano != 0, .notes_size = notes.len};
    struct samples found;
    if (samples_room(&found, &notes, size, room, &data, &rows)) {
        int failed;
        Py_BEGIN_ALLOW_THREADS
        failed = perf_read(buffer.buf, (const uint8_t *)buffer.buf + page, size, (size_t)limit, &rules, &found);
        Py_END_ALLOW_THREADS
        result = samples_result(failed, &found, data, rows);
    }
exit:
    Py_XDECREF(data);
    Py_XDECREF(rows);
    PyBuffer_Release(&buffer);
    PyBuffer_Release(&notes);
    return result;
}

/* Whether all of `count` packets from `first` on lie in their batch, as so many of them do; else an exception. */
static bool all_inside(Py_ssize_t first, Py_ssize_t count, size_t inside)
{
    if (inside < (size_t)count)
        PyErr_Format(PyExc_ValueError, "packet %zd lies outside of its batch", first + (Py_ssize_t)inside);
    return inside >= (size_t)count;
}

static PyObject *py_send_burst(PyObject *self, PyObject *args)
{
    (void)self;
    Py_buffer data, rows;
    PyObject *result = NULL;
    int fd;
    Py_ssize_t first, count, headroom = 0;
    if (!PyArg_ParseTuple(args, "iy*y*nn|n", &fd, &data, &rows, &first, &count, &headroom))
        return NULL;
    if (rows.len % (Py_ssize_t)sizeof(struct packet) != 0) {
        PyErr_SetString(PyExc_ValueError, "rows are not whole packets");
        goto exit;
    }
    Py_ssize_t all = rows.len / (Py_ssize_t)sizeof(struct packet);
    if (fd < 0 || first < 0 || count < 0 || headroom < 0 || first > all || count > all - first) {
        PyErr_SetString(PyExc_ValueError, "descriptor, first packet, count or headroom out of range");
        goto exit;
    }
    if (!all_inside(first, count, rows_within(rows.buf, (size_t)first, (size_t)count, (size_t)data.len, (size_t)headroom)))
        goto exit;
    struct burst done;
    do {
        Py_BEGIN_ALLOW_THREADS
        done = send_burst(fd, data.buf, rows.buf, (size_t)first, (size_t)count, (size_t)headroom);
        Py_END_ALLOW_THREADS
        /* What was sent is said before anything else: an exception of a signal's handler would lose it. */
    } while (done.error == EINTR && done.sent == 0 && PyErr_CheckSignals() == 0);
    if (!PyErr_Occurred())
        result = Py_BuildValue("(nni)", (Py_ssize_t)done.sent, (Py_ssize_t)done.bytes, done.error == EINTR ? 0 : done.error);
exit:
    PyBuffer_Release(&data);
    PyBuffer_Release(&rows);
    return result;
}

/* Whether rows are whole packets, and there are `count` of them from `first` on; else an exception. */
static bool rows_there(const Py_buffer *rows, Py_ssize_t first, Py_ssize_t count)
{
    Py_ssize_t all = rows->len / (Py_ssize_t)sizeof(struct packet);
    if (rows->len % (Py_ssize_t)sizeof(struct packet) != 0)
        PyErr_SetString(PyExc_ValueError, "rows are not whole packets");
    else if (first < 0 || count < 0 || first > all || count > all - first)
        PyErr_SetString(PyExc_ValueError, "first packet or count out of range");
    else
        return true;
    return false;
}

static PyObject *py_deadlines(PyObject *self, PyObject *args)
{
    (void)self;
    Py_buffer rows, state;
    Py_ssize_t first, count;
    struct pace_rules rules;
    struct pace pace;
    int fast, after_previous;
    long long wait;
    PyObject *due = NULL;
    if (!PyArg_ParseTuple(args, "y*nn(dddppL)w*", &rows, &first, &count, &rules.speed, &rules.pps, &rules.mbps, &fast,
                          &after_previous, &wait, &state))
        return NULL;
    rules.fast = fast != 0;
    rules.after_previous = after_previous != 0;
    rules.wait = wait;
    if (!rows_there(&rows, first, count))
        goto exit;
    if (state.len != (Py_ssize_t)sizeof pace || !(rules.speed > 0) || !(rules.pps >= 0) || !(rules.mbps >= 0) || wait < 0) {
        PyErr_SetString(PyExc_ValueError, "no such pace");
        goto exit;
    }
    if (!all_inside(first, count, sizes_sound(rows.buf, (size_t)first, (size_t)count)))
        goto exit;
    due = PyByteArray_FromStringAndSize(NULL, count * (Py_ssize_t)sizeof(int64_t));
    if (due != NULL) {
        memcpy(&pace, state.buf, sizeof pace);
        deadlines(&rules, &pace, rows.buf, (size_t)first, (size_t)count, (int64_t *)(void *)PyByteArray_AsString(due));
        memcpy(state.buf, &pace, sizeof pace);
    }
exit:
    PyBuffer_Release(&rows);
    PyBuffer_Release(&state);
    return due;
}

/* Whether there are sockets, each packet has one of them, and what wakes can be watched. */
static bool paced_to_sound(const struct paced_to *to, Py_ssize_t sockets, Py_ssize_t size, Py_ssize_t ways, Py_ssize_t count)
{
    if (sockets == 0 || size % (Py_ssize_t)sizeof(int) || (uintptr_t)to->fds % sizeof(int) || to->wake < -1
            || (to->ways ? ways != count : sockets != 1))
        return false;
    for (Py_ssize_t i = 0; i < sockets; i++)
        if (to->fds[i] < -1)
            return false;
    for (Py_ssize_t i = 0; i < ways; i++)
        if (to->ways[i] >= sockets)
            return false;
    return true;
}

static PyObject *py_send_paced(PyObject *self, PyObject *args)
{
    (void)self;
    struct paced_to to;
    Py_buffer fds, ways, data, rows, due;
    Py_ssize_t first;
    long long busy, previous;
    PyObject *late = NULL, *by = NULL, *result = NULL;
    if (!PyArg_ParseTuple(args, "y*y*iLy*y*ny*L", &fds, &ways, &to.wake, &busy, &data, &rows, &first, &due, &previous))
        return NULL;
    to.busy = busy;
    to.fds = fds.buf;
    to.ways = ways.len ? ways.buf : NULL;
    Py_ssize_t count = due.len / (Py_ssize_t)sizeof(int64_t), sockets = fds.len / (Py_ssize_t)sizeof(int);
    if (!rows_there(&rows, first, count))
        goto exit;
    if (count == 0 || due.len % (Py_ssize_t)sizeof(int64_t) || (uintptr_t)due.buf % sizeof(int64_t)) {
        PyErr_SetString(PyExc_ValueError, "times are not one a packet");
        goto exit;
    }
    if (!paced_to_sound(&to, sockets, fds.len, ways.len, count) || busy < 0 || previous < -1) {
        PyErr_SetString(PyExc_ValueError, "descriptor or time out of range");
        goto exit;
    }
    if (!all_inside(first, count, rows_within(rows.buf, (size_t)first, (size_t)count, (size_t)data.len, 0)))
        goto exit;
    late = PyByteArray_FromStringAndSize(NULL, due.len);
    by = late ? PyByteArray_FromStringAndSize(NULL, sockets * (Py_ssize_t)sizeof(struct paced_by)) : NULL;
    if (by == NULL)
        goto exit;
    int64_t *lateness = (int64_t *)(void *)PyByteArray_AsString(late);
    struct paced_by *went = (struct paced_by *)(void *)PyByteArray_AsString(by);
    memset(went, 0, (size_t)sockets * sizeof *went);
    struct paced done;
    Py_BEGIN_ALLOW_THREADS
    done = send_paced(&to, data.buf, rows.buf, (size_t)first, (size_t)count, due.buf, previous, lateness, went);
    Py_END_ALLOW_THREADS
    if (PyByteArray_Resize(late, (Py_ssize_t)(done.tried * sizeof(int64_t))) == 0)
        result = Py_BuildValue("nOiOL", (Py_ssize_t)done.sent, by, done.error, late, (long long)done.last);
exit:
    Py_XDECREF(late);
    Py_XDECREF(by);
    PyBuffer_Release(&fds);
    PyBuffer_Release(&ways);
    PyBuffer_Release(&data);
    PyBuffer_Release(&rows);
    PyBuffer_Release(&due);
    return result;
}

/* Whether a ring has slots of `size` bytes from number `first` on; gives how many. What lies in them is read as the kernel wrote
 * it, by aligned words; an empty buffer may stand anywhere (it does in Python 3.13). */
static bool slots_of(const Py_buffer *ring, Py_ssize_t size, Py_ssize_t first, Py_ssize_t count, Py_ssize_t *there)
{
    if (size <= SLOT_HEAD || size % 16 || first < 0 || count < 0 || first > ring->len / size
            || (ring->len > 0 && (uintptr_t)ring->buf % 8)) {
        PyErr_SetString(PyExc_ValueError, "slots lie outside of the ring");
        return false;
    }
    *there = ring->len / size - first;
    return true;
}

static PyObject *py_slots_read(PyObject *self, PyObject *args)
{
    (void)self;
    Py_buffer ring;
    Py_ssize_t size, first, most, there;
    long long linktype;
    PyObject *rows = NULL, *result = NULL;
    if (!PyArg_ParseTuple(args, "w*nnnL", &ring, &size, &first, &most, &linktype))
        return NULL;
    if (!slots_of(&ring, size, first, most, &there))
        goto exit;
    most = most < there ? most : there;
    rows = PyByteArray_FromStringAndSize(NULL, most * (Py_ssize_t)sizeof(struct packet));
    if (rows == NULL)
        goto exit;
    struct slots found = {.rows = (struct packet *)(void *)PyByteArray_AsString(rows)};
    if (slots_read(ring.buf, (size_t)size, (size_t)first, (size_t)most, linktype, &found))
        PyErr_SetFromErrno(PyExc_OSError);
    else if (PyByteArray_Resize(rows, (Py_ssize_t)(found.count * sizeof(struct packet))) == 0)
        result = Py_BuildValue("OnnO", rows, (Py_ssize_t)found.met, (Py_ssize_t)found.cut, found.aside ? Py_True : Py_False);
exit:
    Py_XDECREF(rows);
    PyBuffer_Release(&ring);
    return result;
}

static PyObject *py_slots_give(PyObject *self, PyObject *args)
{
    (void)self;
    Py_buffer ring;
    Py_ssize_t size, first, count, there;
    if (!PyArg_ParseTuple(args, "w*nnn", &ring, &size, &first, &count))
        return NULL;
    bool sound = slots_of(&ring, size, first, count, &there);
    if (sound && count > there) {
        PyErr_SetString(PyExc_ValueError, "slots lie outside of the ring");
        sound = false;
    }
    if (sound)
        slots_give(ring.buf, (size_t)size, (size_t)first, (size_t)count);
    PyBuffer_Release(&ring);
    if (!sound)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *py_slots_fill(PyObject *self, PyObject *args)
{
    (void)self;
    Py_buffer ring;
    Py_ssize_t size, there;
    int fd;
    if (!PyArg_ParseTuple(args, "iw*n", &fd, &ring, &size))
        return NULL;
    bool sound = slots_of(&ring, size, 0, 0, &there);
    if (sound && size <= SLOT_FRAME) {
        PyErr_SetString(PyExc_ValueError, "slots have no room for a frame");
        sound = false;
    }
    ssize_t filled = sound ? slots_fill(fd, ring.buf, (size_t)size, (size_t)there) : 0;
    PyBuffer_Release(&ring);
    if (!sound)
        return NULL;
    return filled < 0 ? PyErr_SetFromErrno(PyExc_OSError) : PyLong_FromSsize_t(filled);
}

static PyMethodDef methods[] = {
    {"deadlines", py_deadlines, METH_VARARGS, NULL},
    {"perf_read", py_perf_read, METH_VARARGS, NULL},
    {"pipe_lend", py_pipe_lend, METH_VARARGS, NULL},
    {"ring_read", py_ring_read, METH_VARARGS, NULL},
    {"ring_give", py_ring_give, METH_VARARGS, NULL},
    {"ring_take", py_ring_take, METH_VARARGS, NULL},
    {"ringbuf_read", py_ringbuf_read, METH_VARARGS, NULL},
    {"send_burst", py_send_burst, METH_VARARGS, NULL},
    {"send_paced", py_send_paced, METH_VARARGS, NULL},
    {"prctl", py_prctl, METH_VARARGS, NULL},
    {"death_signal", py_death_signal, METH_NOARGS, NULL},
    {"capabilities", py_capabilities, METH_NOARGS, NULL},
    {"keep_capabilities", py_keep_capabilities, METH_VARARGS, NULL},
    {"slots_fill", py_slots_fill, METH_VARARGS, NULL},
    {"slots_give", py_slots_give, METH_VARARGS, NULL},
    {"slots_read", py_slots_read, METH_VARARGS, NULL},
    {"take_turns", py_take_turns, METH_VARARGS, NULL},
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
