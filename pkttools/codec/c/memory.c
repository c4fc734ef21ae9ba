/* Memory for what may become large. */
#define _DEFAULT_SOURCE         /* madvise */
#include "codec.h"

#include <stdlib.h>
#include <sys/mman.h>

enum { LARGE_PAGE = 2 << 20, WORTH = LARGE_PAGE / 4 };     /* WORTH: from so many bytes on one pays */

void *memory_for(size_t size)
{
    size_t unit = size < WORTH ? CACHE_LINE : LARGE_PAGE;
    if (size > SIZE_MAX / 2)
        return NULL;
    size = (size + unit - 1) / unit * unit;
    void *at = aligned_alloc(unit, size);
#ifdef MADV_HUGEPAGE
    /* Where the kernel has none it gives the others: a fault for each 4 KiB, and more of them than the processor knows at once. */
    if (at != NULL && unit == LARGE_PAGE)
        (void)madvise(at, size, MADV_HUGEPAGE);
#endif
    return at;
}
