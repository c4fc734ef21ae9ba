/* The Python face of the C backend: what its files share. Shapes, limits and errors are those of ../../python; ../../__init__.py has
 * the contract. A file has the functions of a subject, and their table; module.c joins these.
 */
#ifndef MODULE_H
#define MODULE_H

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include <Python.h>

#include "../alike.h"

/* ---- batches.c ---- */

bool aligned(const Py_buffer *b);

/* A batch as Python hands it over. Both buffers are held until it is closed: while they are, a bytearray raises BufferError when it
 * is to be resized, so nothing that was checked here can lie outside of them later, though the GIL is released. What they contain is
 * the caller's: nobody writes to rows, and to data only what is called, until the call is over.
 */
struct batch {
    Py_buffer data, rows;
    const struct packet *packets;
    Py_ssize_t count;
};

/* A packet of a batch without its frame check sequence. */
struct bare {
    struct packet own;
    const struct packet *packet;
    struct frame frame;
};

/* What the packets of a batch carry that is not followed, or does not follow: codes, counted in a dict at the end, if there is one. */
struct beyond {
    PyObject *counts;
    struct bytes codes;
    bool full;
};

bool batch_sound(struct batch *b);
bool batch_sound_from(struct batch *b, Py_ssize_t first, bool in_range, const char *otherwise);
bool batch_of_one(struct batch *b, const char *otherwise);
void batch_close(struct batch *b);
void view_of(struct packet_view *view, struct bare *bare, const struct batch *b, Py_ssize_t i);
struct writable_frame writable_of(const struct batch *b, const struct packet *p);
PyObject *format_error(enum error_kind error, uint64_t have, uint64_t want);
bool range_of(const Py_buffer *b, Py_ssize_t start, Py_ssize_t stop);
PyObject *bytearray_of(const struct bytes *b);
PyObject *memory_of(struct bytes *b, size_t room);
bool memory_more(PyObject *memory, struct bytes *b);
bool memory_used(PyObject *memory, const struct bytes *b);
void put_item(PyObject **tuple, Py_ssize_t i, PyObject *item);
PyObject *numbers(const size_t *number, Py_ssize_t count);
void *held_by(PyObject *capsule, const char *name, const char *otherwise);
PyObject *attribute_of(const char *module, const char *name);
bool beyond_begin(struct beyond *b, PyObject *counts);
bool beyond_end(struct beyond *b);
PyObject *made_of(Py_ssize_t stop, bool begun, const struct gathered *out, PyObject *rest);
bool gather_until(struct gathered *out, const struct batch *b, Py_ssize_t first, Py_ssize_t stop);

/* Lets the processor fetch what stands in front of a packet, and its headers, while those before it are worked on: what another process
 * has written or changed, on another core, is far. */
static inline void fetch_ahead(const struct batch *b, Py_ssize_t i)
{
    enum { AHEAD = 6, BEHIND = 40 };            /* packets; bytes, with which what headers mostly take is met */
    if (i + AHEAD >= b->count)
        return;
    const struct packet *p = &b->packets[i + AHEAD];
    const uint8_t *at = (const uint8_t *)b->data.buf + p->offset;
    __builtin_prefetch(at - least((size_t)p->offset, RECORD));
    __builtin_prefetch(at + least((size_t)p->captured, BEHIND));
}

/* A packet without its frame check sequence. */
static inline void bare_of(struct bare *bare, const struct batch *b, Py_ssize_t i)
{
    fetch_ahead(b, i);
    const struct packet *p = bare->packet = without_fcs(&b->packets[i], &bare->own);
    bare->frame = (struct frame){(const uint8_t *)b->data.buf + p->offset, (size_t)p->captured};
}

static inline void beyond_add(struct beyond *b, uint64_t code)
{
    if (code != 0 && b->counts != NULL)         /* seldom */
        b->full |= !bytes_add(&b->codes, &code, sizeof code);
}

static inline void beyond_add_untold(struct beyond *b, struct untold untold)
{
    beyond_add(b, untold.beyond);
    beyond_add(b, untold.signature);
}

/* ---- tables.c ---- */

/* A program as Python hands it over: fields, code, constants. */
struct loaded {
    Py_buffer fields, code, constants;
    struct program program;
};

bool integers_of(PyObject *bytes, struct protocol_table *table);
bool protocols_ready(void);
bool templates_ready(void);
bool fields_ready(void);
bool names_ready(void);
void unload(struct loaded *l);
bool load(PyObject *tuple, struct loaded *l, bool (*sound)(struct program *));

/* ---- alike.c ---- */

struct may_differ {             /* what a caller tells of what may differ, and the tables that this lies in */
    struct tolerance tolerance;
    Py_buffer first, places;
};

bool told_open(struct may_differ *t, PyObject *tuple);
void told_close(struct may_differ *t);

/* ---- conversations.c ---- */

struct conversations *conversations_of(PyObject *capsule);

/* ---- the functions of each file ---- */

extern PyMethodDef addresses_methods[];
extern PyMethodDef alike_methods[];
extern PyMethodDef answers_methods[];
extern PyMethodDef conversations_methods[];
extern PyMethodDef counting_methods[];
extern PyMethodDef cryptopan_methods[];
extern PyMethodDef datagrams_methods[];
extern PyMethodDef grouping_methods[];
extern PyMethodDef order_methods[];
extern PyMethodDef doubles_methods[];
extern PyMethodDef headers_methods[];
extern PyMethodDef packets_methods[];
extern PyMethodDef pcap_methods[];
extern PyMethodDef pcapng_methods[];
extern PyMethodDef relay_methods[];
extern PyMethodDef soundness_methods[];
extern PyMethodDef runs_methods[];
extern PyMethodDef segments_methods[];
extern PyMethodDef splicing_methods[];
extern PyMethodDef payloads_methods[];
extern PyMethodDef stamps_methods[];
extern PyMethodDef tables_methods[];
extern PyMethodDef text_methods[];
extern PyMethodDef views_methods[];
extern PyMethodDef wrapping_methods[];

#endif
