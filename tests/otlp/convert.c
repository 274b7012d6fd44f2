/* SPDX-License-Identifier: Apache-2.0 */
/* Converts between segment documents, one a line, and requests: standard input to
   standard output, for the tests in Python. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "otlp.h"

static char *read_all(size_t *ret_length)
{
    char *data = NULL;
    size_t length = 0, n;

    do {
        data = realloc(data, length + 65536);
        if (!data)
            abort();
        n = fread(data + length, 1, 65536, stdin);
        length += n;
    } while (n > 0);
    *ret_length = length;
    return data;
}

static int put_document(void *data, const char *text, size_t length)
{
    (void)data;
    if (strlen(text) != length)
        return -1;
    puts(text);
    return 0;
}

static void put_rejected(void *data, const char *id, const char *reason)
{
    (void)data;
    printf("rejected \"%s\": %s\n", id, reason);
}

static int to_documents(enum xr_otlp_format format, bool index_all, bool unsampled)
{
    struct xr_otlp_read_params params = {
        .format = format,
        .index_all = index_all,
        .unsampled = unsampled,
        .document = put_document,
        .rejected = put_rejected,
    };
    struct xr_otlp_error error;
    uint64_t rejected;
    size_t length;
    char *body = read_all(&length);
    int r = xr_otlp_read(&params, body, length, &rejected, &error);

    free(body);
    if (r < 0)
        printf("error %d at %zu: %s\n", r, error.offset, error.message);
    return r < 0;
}

static int to_request(enum xr_otlp_format format, bool in_progress, const char *service)
{
    struct xr_otlp_write_params params = { format, "1.2.3", in_progress };
    struct xr_otlp_writer *writer;
    size_t length;
    char *body = read_all(&length), *request;

    body[length] = '\0';
    if (xr_otlp_writer_new(&writer, &params) < 0)
        abort();
    for (char *line = strtok(body, "\n"); line; line = strtok(NULL, "\n"))
        if (xr_otlp_write(writer, line, strlen(line), service) < 0)
            fprintf(stderr, "not a document: %s\n", line);
    if (xr_otlp_finish(writer, &request, &length) < 0)
        abort();
    fwrite(request, 1, length, stdout);
    free(request);
    xr_otlp_writer_free(writer);
    free(body);
    return 0;
}

/* convert read|write protobuf|json [index|unsampled|progress|SERVICE] */
int main(int argc, char **argv)
{
    const char *more = argc > 3 ? argv[3] : NULL;
    enum xr_otlp_format format;

    if (argc < 3)
        return 2;
    format = strcmp(argv[2], "json") == 0 ? XR_OTLP_JSON : XR_OTLP_PROTOBUF;
    if (strcmp(argv[1], "read") == 0)
        return to_documents(format, more && strcmp(more, "index") == 0,
                            more && strcmp(more, "unsampled") == 0);
    if (more && strcmp(more, "progress") == 0)
        return to_request(format, true, NULL);
    return to_request(format, false, more);
}
