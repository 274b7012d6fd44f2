/* SPDX-License-Identifier: Apache-2.0 */
/* Requests and documents as texts, for tests that look for parts of them. */
#ifndef TESTS_OTLP_SUPPORT_H
#define TESTS_OTLP_SUPPORT_H

#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>

#include "otlp.h"

#define DOCUMENTS_MAX 16

struct documents {
    size_t count;
    char *texts[DOCUMENTS_MAX];
    uint64_t rejected;
    char reason[160]; /* of the last that was rejected */
    char rejected_id[32];
    struct xr_otlp_error error;
    int result;
};

/* Forgets what was read before it. */
struct documents *documents_read(const struct xr_otlp_read_params *params, const void *body,
                                 size_t length);
/* Of a text of the daemon's protocol. */
struct documents *documents_of_text(const char *text);
/* Of JSON, without options. */
struct documents *documents_of(const char *body);
/* The only document of a JSON request; the test fails if there is not exactly one. */
const char *document_of(const char *body);

/* The request that a document becomes, as JSON; freed with the next one. */
const char *request_of(const char *document);
const char *request_with(const struct xr_otlp_write_params *params, const char *document,
                         const char *service_name);

#define TRACE_ID "5759e988bd862e3fe1be46a994272793"
#define SPAN_ID  "53995c3f42cd8ad8"

/* A request of one resource and one span. */
#define REQUEST(resource, span)                                    \
    "{\"resourceSpans\":[{\"resource\":{\"attributes\":[" resource \
    "]},\"scopeSpans\":[{\"spans\":[" span "]}]}]}"
#define IDS_AND_TIMES                                    \
    "\"traceId\":\"" TRACE_ID "\",\"spanId\":\"" SPAN_ID \
    "\",\"startTimeUnixNano\":\"1700000000123456789\",\"endTimeUnixNano\":\"1700000001000000001\""
#define SPAN(members)          "{" IDS_AND_TIMES "," members "}"
#define PARENT                 "\"parentSpanId\":\"00000000000000aa\""
#define ATTRIBUTES(attributes) "\"attributes\":[" attributes "]"
#define TEXT(key, value)       "{\"key\":\"" key "\",\"value\":{\"stringValue\":\"" value "\"}}"
#define NUMBER(key, value)     "{\"key\":\"" key "\",\"value\":{\"intValue\":\"" value "\"}}"
#define TRUTH(key, value)      "{\"key\":\"" key "\",\"value\":{\"boolValue\":" value "}}"
#define TEXTS(key, values) \
    "{\"key\":\"" key "\",\"value\":{\"arrayValue\":{\"values\":[" values "]}}}"
#define ITEM(value) "{\"stringValue\":\"" value "\"}"
#define SERVER      "\"kind\":2"
#define CLIENT      "\"kind\":3"
#define PRODUCER    "\"kind\":4"
#define INTERNAL    "\"kind\":1"

#define DOCUMENT(members)                                                                          \
    "{\"id\":\"" SPAN_ID "\",\"trace_id\":\"1-5759e988-bd862e3fe1be46a994272793\",\"name\":\"s\"," \
    "\"start_time\":1700000000.123456789,\"end_time\":1700000001.5" members "}"
#define CALL(members) \
    DOCUMENT(",\"type\":\"subsegment\",\"parent_id\":\"00000000000000aa\"" members)

#define HAS(text, part) cr_expect(strstr(text, part), "there should be %s in\n%s", part, text)
#define HAS_NOT(text, part) \
    cr_expect_not(strstr(text, part), "there should be no %s in\n%s", part, text)

#endif
