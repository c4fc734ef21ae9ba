/* A growing buffer. */
#include "codec.h"

#include <stdlib.h>

bool bytes_grow(struct bytes *b, size_t more)
{
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

void bytes_free(struct bytes *b)
{
    free(b->at);
    *b = (struct bytes){0};
}
