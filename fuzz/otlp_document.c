/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Documents, of this library or of anybody: both formats say the same of them, and once
 * they have been spans they do not change any more.
 */
#include "fuzz.h"

#include <errno.h>
#include <stdbool.h>

#include "otlp/otlp.h"

#define DOCUMENT                                                                         \
    "{\"id\":\"53995c3f42cd8ad8\",\"trace_id\":\"1-5759e988-bd862e3fe1be46a994272793\"," \
    "\"name\":\"s\",\"start_time\":1,\"end_time\":2,"

const struct fuzz_large fuzz_large[] = {
    { "deep arrays", "", "[", 1 << 20, "" },
    { "deep subsegments", "", DOCUMENT "\"subsegments\":[", 400, "" },
    { "many subsegments", DOCUMENT "\"subsegments\":[", DOCUMENT "\"a\":0},", 5000, "0]}" },
    { "many annotations", DOCUMENT "\"annotations\":{", "\"a\":1,", 100000, "\"b\":1}}" },
    { "many namespaces", DOCUMENT "\"metadata\":{", "\"a\":{},", 100000, "\"b\":{}}}" },
    { "many exceptions", DOCUMENT "\"cause\":{\"exceptions\":[",
      "{\"id\":\"53995c3f42cd8ad8\",\"cause\":\"53995c3f42cd8ad8\"},", 20000, "0]}}" },
    { "many links", DOCUMENT "\"precursor_ids\":[", "\"53995c3f42cd8ad8\",", 50000, "0]}" },
    { "many logs", DOCUMENT "\"aws\":{\"cloudwatch_logs\":[", "{},", 100000, "0]}}" },
    { "many digits",
      "{\"id\":\"53995c3f42cd8ad8\",\"trace_id\":"
      "\"1-5759e988-bd862e3fe1be46a994272793\",\"start_time\":0.",
      "9", 1 << 20, "}" },
    { 0 },
};

/* All documents, a line each. */
struct lines {
    char *text;
    size_t length, count;
};

static int add_line(void *data, const char *text, size_t length)
{
    struct lines *lines = data;

    lines->text = realloc(lines->text, lines->length + length + 1);
    CHECK(lines->text);
    memcpy(lines->text + lines->length, text, length);
    lines->text[lines->length + length] = '\n';
    lines->length += length + 1;
    lines->count++;
    return 0;
}

static void read_back(enum xr_otlp_format format, const char *body, size_t length,
                      struct lines *ret)
{
    const struct xr_otlp_read_params params = {
        .format = format,
        .document = add_line,
        .data = ret,
    };
    struct xr_otlp_error error;
    uint64_t rejected;
    int r;

    *ret = (struct lines){ 0 };
    r = xr_otlp_read(&params, body, length, &rejected, &error);
    /* What is large in a document may be too large in a request. */
    CHECK(r == 0 || length > (1 << 16));
}

/* False if there was nothing to write. */
static bool convert(enum xr_otlp_format format, const char *text, size_t length, struct lines *ret)
{
    const struct xr_otlp_write_params params = { format, NULL, true };
    struct xr_otlp_writer *writer;
    const char *end = text + length, *newline;
    size_t request_length;
    char *request;
    int r = 0;

    CHECK(xr_otlp_writer_new(&writer, &params) == 0);
    for (; text < end; text = newline + 1) {
        newline = memchr(text, '\n', (size_t)(end - text));
        if (!newline)
            newline = end;
        r = xr_otlp_write(writer, text, (size_t)(newline - text), NULL);
        CHECK(r == 0 || r == -EINVAL);
    }
    CHECK(xr_otlp_finish(writer, &request, &request_length) == 0);
    xr_otlp_writer_free(writer);
    read_back(format, request, request_length, ret);
    free(request);
    return ret->count > 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    struct lines protobuf, json, again;

    if (convert(XR_OTLP_PROTOBUF, text, size, &protobuf)) {
        CHECK(convert(XR_OTLP_JSON, text, size, &json));
        CHECK(json.length == protobuf.length);
        CHECK(memcmp(json.text, protobuf.text, json.length) == 0);
        free(json.text);
        CHECK(convert(XR_OTLP_PROTOBUF, protobuf.text, protobuf.length, &again));
        CHECK(again.count == protobuf.count);
        free(again.text);
    }
    free(protobuf.text);
    free(text);
    return 0;
}
