/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests of OTLP: a "p" and protobuf, or a "j" and JSON; in capitals all attributes are
 * annotations. Whatever they are, the documents are JSON with an id and a time, and as
 * spans again they are as many documents.
 */
#include "fuzz.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdbool.h>

#include "otlp/otlp.h"

#define SPAN                                                                             \
    "{\"traceId\":\"5759e988bd862e3fe1be46a994272793\",\"spanId\":\"53995c3f42cd8ad8\"," \
    "\"startTimeUnixNano\":\"1\",\"endTimeUnixNano\":\"2\""
#define SPANS(spans) "J{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[" spans

const struct fuzz_large fuzz_large[] = {
    { "deep arrays", "j", "[", 1 << 20, "" },
    { "deep objects", "j", "{\"a\":", 1 << 18, "" },
    { "deep values", SPANS(SPAN ",\"attributes\":[{\"key\":\"a\",\"value\":"),
      "{\"arrayValue\":{\"values\":[", 100, "" },
    { "many spans", SPANS(), "{},", 20000, "{}]}]}]}" },
    { "many values", "j[", "0,", 1 << 20, "0]" },
    { "many attributes", SPANS(SPAN ",\"attributes\":["), "{},", 300000, "{}]}]}]}]}" },
    { "many annotations", SPANS(SPAN ",\"attributes\":["),
      "{\"key\":\"a-b\",\"value\":{\"intValue\":1}},", 20000, "{}]}]}]}]}" },
    { "a long list of annotations",
      SPANS(SPAN ",\"attributes\":[{\"key\":\"aws.xray.annotations\",\"value\":{\"arrayValue\":"
                 "{\"values\":["),
      "{\"stringValue\":\"\"},", 40000, "{}]}}}]}]}]}]}" },
    { "many exceptions", SPANS(SPAN ",\"events\":["), "{\"name\":\"exception\"},", 40000,
      "{}]}]}]}]}" },
    { "a long stack",
      SPANS(SPAN ",\"events\":[{\"name\":\"exception\",\"attributes\":[{\"key\":"
                 "\"exception.stacktrace\",\"value\":{\"stringValue\":\""),
      "\\tat a(b:1)\\n", 50000, "\"}}]}]}]}]}]}" },
    { "a large span", SPANS(SPAN ",\"name\":\""), "n", 1 << 20, "\"}]}]}]}" },
    { "groups within groups", "p", "\x0b", 1 << 20, "" },
    { "empty fields", "p", "\x0a", 1 << 20, "" },
    { 0 },
};

struct state {
    struct xr_otlp_writer *writer;
    size_t documents;
};

static int take_document(void *data, const char *text, size_t length)
{
    struct state *state = data;
    cJSON *json = cJSON_ParseWithLength(text, length);

    CHECK(text[length] == '\0' && strlen(text) == length);
    CHECK(cJSON_IsObject(json));
    CHECK(strlen(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "id"))) == 16);
    CHECK(strlen(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "trace_id"))) == 35);
    CHECK(cJSON_IsNumber(cJSON_GetObjectItemCaseSensitive(json, "start_time")));
    CHECK(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "name"))[0] != '\0');
    cJSON_Delete(json);
    if (state->writer)
        CHECK(xr_otlp_write(state->writer, text, length, NULL) == 0);
    state->documents++;
    return 0;
}

static int read_request(struct state *state, enum xr_otlp_format format, bool index_all,
                        const void *body, size_t length)
{
    const struct xr_otlp_read_params params = {
        .format = format,
        .index_all = index_all,
        .document = take_document,
        .data = state,
    };
    struct xr_otlp_error error;
    uint64_t rejected;
    int r = xr_otlp_read(&params, body, length, &rejected, &error);

    CHECK(r == 0 || r == -EBADMSG || r == -E2BIG);
    CHECK(r == 0 || error.message[0] != '\0');
    CHECK(error.offset <= length);
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum xr_otlp_format format;
    struct state first = { 0 }, second = { 0 };
    struct xr_otlp_write_params params = { XR_OTLP_PROTOBUF, "1", true };
    size_t length;
    char *body;

    if (size == 0)
        return 0;
    format = (data[0] | 0x20) == 'j' ? XR_OTLP_JSON : XR_OTLP_PROTOBUF;
    params.format = data[0] & 1 ? XR_OTLP_JSON : XR_OTLP_PROTOBUF;
    CHECK(xr_otlp_writer_new(&first.writer, &params) == 0);
    read_request(&first, format, data[0] < 'a', data + 1, size - 1);
    CHECK(xr_otlp_finish(first.writer, &body, &length) == 0);
    xr_otlp_writer_free(first.writer);
    /* What is large in one format may be too large in the other. */
    CHECK(read_request(&second, params.format, false, body, length) == 0 || length > (1 << 16));
    CHECK(second.documents == first.documents || length > (1 << 16));
    free(body);
    return 0;
}
