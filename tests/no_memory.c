/* Stands in front of the C library: one allocation of the codec's own is refused when its turn has come; no other program's, and none
 * that Python makes for it. test_codec_memory.py builds it, and loads it with LD_PRELOAD.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdbool.h>
#include <string.h>

static long left = -1;          /* allocations until then; -1: none is refused */

void refuse(long after);
long refuses(void);
void *malloc(size_t size);
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

static bool refused(void *from)
{
    Dl_info caller;
    return left >= 0 && dladdr(from, &caller) != 0 && strstr(caller.dli_fname, "codec/_c.") != NULL && left-- == 0;
}

void *realloc(void *at, size_t size)
{
    static void *(*real)(void *, size_t);
    if (real == NULL)
        *(void **)&real = dlsym(RTLD_NEXT, "realloc");
    return refused(__builtin_return_address(0)) ? NULL : real(at, size);
}

/* What a compiler makes of realloc where it sees that there was nothing before. */
void *malloc(size_t size)
{
    static void *(*real)(size_t);
    if (real == NULL)
        *(void **)&real = dlsym(RTLD_NEXT, "malloc");
    return refused(__builtin_return_address(0)) ? NULL : real(size);
}
