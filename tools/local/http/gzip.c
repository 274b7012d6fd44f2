/* SPDX-License-Identifier: Apache-2.0 */
#include "local/http/gzip.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

#define FIRST_BYTES    ((size_t)64 * 1024)
#define WINDOW_OF_GZIP (16 + MAX_WBITS)

/* Makes the room twice as large, up to one byte more than may come out: that one shows
   that it is too much. And one for the NUL. */
static int make_room(char **text, size_t *size, size_t most)
{
    size_t wanted = *size ? *size * 2 : FIRST_BYTES;
    if (wanted > most + 1)
        wanted = most + 1;
    char *larger = realloc(*text, wanted + 1);
    if (!larger)
        return -ENOMEM;
    *text = larger;
    *size = wanted;
    return 0;
}

static int inflate_all(z_stream *stream, size_t most, char **text, size_t *ret_length)
{
    size_t size = 0;
    int state = Z_OK;
    while (state == Z_OK) {
        int r = stream->total_out == size ? make_room(text, &size, most) : 0;
        if (r < 0)
            return r;
        stream->next_out = (Bytef *)*text + stream->total_out;
        stream->avail_out = (uInt)(size - stream->total_out);
        state = inflate(stream, Z_NO_FLUSH);
        if (stream->total_out > most)
            return -EFBIG;
    }
    if (state == Z_MEM_ERROR)
        return -ENOMEM;
    /* Bytes behind the end are of nobody: several members are not joined. */
    if (state != Z_STREAM_END || stream->avail_in)
        return -EBADMSG;
    *ret_length = stream->total_out;
    (*text)[*ret_length] = '\0';
    return 0;
}

int gzip_inflate(const void *data, size_t length, size_t most, char **ret, size_t *ret_length)
{
    z_stream stream = { 0 };
    char *text = NULL;
    if (length > UINT_MAX || most > UINT_MAX / 2)
        return -EFBIG;
    stream.next_in = (z_const Bytef *)data;
    stream.avail_in = (uInt)length;
    if (inflateInit2(&stream, WINDOW_OF_GZIP) != Z_OK)
        return -ENOMEM;
    int r = inflate_all(&stream, most, &text, ret_length);
    inflateEnd(&stream);
    if (r < 0)
        free(text);
    else
        *ret = text;
    return r;
}
