/* Stands in front of the C library: one allocation of the codec's own is refused when its turn has come; no other program's, and none
 * that Python makes for it. test_codec_memory.py builds it, and loads it with LD_PRELOAD.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <string.h>

static long left = -1;          /* allocations until then; -1: none is refused */

void refuse(long after);
long refuses(void);
void *realloc(void *at, size_t size);

void refuse(long after)
{
    left = after;
}

/* Whether it has yet to come. */
long refuses(void)
{
    return left >= 0;
}

void *realloc(void *at, size_t size)
{
    static void *(*real)(void *, size_t);
    Dl_info caller;
    if (real == NULL)
        *(void **)&real = dlsym(RTLD_NEXT, "realloc");
    if (left >= 0 && dladdr(__builtin_return_address(0), &caller) != 0 && strstr(caller.dli_fname, "codec/_c.") != NULL && left-- == 0)
        return NULL;
    return real(at, size);
}
