/* What packets carry; payloads.c. */
#ifndef PKTTOOLS_PAYLOADS_H
#define PKTTOOLS_PAYLOADS_H

#include "codec.h"

/* Bytes that are kept of each kind of header, twice, and one more where it is kept as far as it says to go, too; and of each kind of
 * item. Below 0: none. */
struct kept {
    const int32_t *headers, *items;
    size_t headers_count, items_count;
};

struct wiped {                /* whether there is anything but zeros in it; behind which header it begins; what authenticates it */
    bool any;
    unsigned kind;
    uint64_t signature;
};

/* `out` has the same bytes as `f`, and not in the same place. */
struct wiped wipe(const struct frame *f, int64_t linktype, const struct kept *kept, const struct writable_frame *out);

#endif
