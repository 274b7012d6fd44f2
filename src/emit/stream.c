/* SPDX-License-Identifier: Apache-2.0 */
/* One line a document, for files and pipes. */
#include <errno.h>

#include "emit/emit.h"

static int emit(void *data, const xray_document *document)
{
    FILE *stream = data;
    int error = 0;

    flockfile(stream);
    if (fwrite(document->json, 1, document->length, stream) != document->length ||
        putc('\n', stream) == EOF || fflush(stream) == EOF)
        error = errno ? errno : EIO;
    funlockfile(stream);
    return -error;
}

int xr_emitter_stream(xray_emitter *ret, FILE *stream)
{
    if (!stream)
        return -EINVAL;
    return xr_emitter_return(ret, &(xray_emitter){ .data = stream, .emit = emit });
}
