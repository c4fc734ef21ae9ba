/* Headers in front of others. */
#include "module.h"
#include "../wrapping.h"

static PyObject *py_wrap(PyObject *self, PyObject *args)
{
    (void)self;
    struct batch b;
    Py_buffer shapes, octets, ports;
    Py_ssize_t first, stop;
    long long number;
    int keep;
    PyObject *result = NULL, *data = NULL, *rows = NULL;
    struct gathered out = {0};
    if (!PyArg_ParseTuple(args, "y*y*ny*y*y*Lp", &b.data, &b.rows, &first, &shapes, &octets, &ports, &number, &keep))
        return NULL;
    struct wrapping how = {
        .shapes = shapes.buf, .size = (size_t)shapes.len / 8, .octets = octets.buf, .octets_size = (size_t)octets.len,
        .ports = ports.buf, .ports_count = (size_t)ports.len / 8, .keep = keep != 0, .number = (uint16_t)number,
    };
    bool ready = protocols_ready();
    bool sound = ready && aligned(&shapes) && aligned(&ports) && shapes.len % 8 == 0 && ports.len % 8 == 0 && number >= 0 && number <= UINT16_MAX
        && shapes_sound(&how);
    if (!ready || !batch_sound_from(&b, first, sound, "first packet, shapes or number out of range"))
        goto exit;
    size_t unknown = 0, room;
    Py_ssize_t last = first + (Py_ssize_t)wrap_room(&how, &b.packets[first], (size_t)(b.count - first), &room);
    data = memory_of(&out.data, room);
    rows = memory_of(&out.rows, (size_t)(last - first) * sizeof *b.packets);
    bool memory = data != NULL && rows != NULL;
    if (!memory)
        goto exit;
    Py_BEGIN_ALLOW_THREADS
    for (stop = first; memory && stop < last; stop++) {
        struct bare bare;
        struct packet_view view;
        view_of(&view, &bare, &b, stop);
        if (wrap_surely(&how, &view.frame, b.data.buf, bare.packet, &out, &memory))
            continue;
        if (how.last != NULL && how.last->plain != 0) {
            walk_front(&view.walk, &view.frame, bare.packet->linktype, (size_t)how.last->count);
            if (wrap_plainly(&how, &view, b.data.buf, bare.packet, &out, &memory))
                continue;
        }
        walk(&view.walk, &view.frame, bare.packet->linktype);
        const struct reshape *shape = shape_of(&how, &view, bare.packet->linktype);
        if (shape == NULL) {
            unknown = least(view.walk.count, view.walk.quoted);
            break;
        }
        memory = wrap(&how, shape, &view, b.data.buf, bare.packet, &out);
    }
    Py_END_ALLOW_THREADS
    if (!memory)
        PyErr_NoMemory();
    else if (memory_used(data, &out.data) && memory_used(rows, &out.rows))
        result = Py_BuildValue("(nOO(iNn))", stop, data, rows, (int)how.number, numbers(how.counts, LEFT_UNWRAPPED), (Py_ssize_t)unknown);
exit:
    Py_XDECREF(data);
    Py_XDECREF(rows);
    PyBuffer_Release(&shapes);
    PyBuffer_Release(&octets);
    PyBuffer_Release(&ports);
    batch_close(&b);
    return result;
}

PyMethodDef wrapping_methods[] = {
    {"wrap", py_wrap, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};
