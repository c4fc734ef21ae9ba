/* A growing buffer. */
#include "codec.h"

#include <stdlib.h>

bool bytes_need(struct bytes *b, size_t more)
{
    if (more <= b->room - b->size)
        return true;
    if (b->room > SIZE_MAX / 4 || more > SIZE_MAX / 4)     /* before any sum of these wraps around */
        return false;
    size_t room = b->room * 2 > b->size + more ? b->room * 2 : b->size + more + 256;
    uint8_t *at = realloc(b->at, room);
    if (at == NULL)
        return false;
    b->at = at;
    b->room = room;
    return true;
}

bool bytes_add(struct bytes *b, const void *from, size_t size)
{
    if (!bytes_need(b, size))
        return false;
    if (size > 0)
        memcpy(b->at + b->size, from, size);
    b->size += size;
    return true;
}

void bytes_free(struct bytes *b)
{
    free(b->at);
    *b = (struct bytes){0};
}
