/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MEDIA_LOCAL_PROXY_H
#define MEDIA_LOCAL_PROXY_H

#include <xraytrace/segment.h>

#include "http_server.h"
#include "util.h"

/*
 * What goes between API Gateway and the functions of a REST API with proxy
 * integration: events one way, results the other.
 */

#define API_ID    "local1api2"
#define API_STAGE "prod"

struct proxy_request {
    const struct http_request *http;
    const char *region;
    const char *account;
    const char *resource; /* the route's path, such as "/webhook" */
    const char *request_id;
    xray_segment *stage;            /* NULL when it is not traced */
    const xray_trace_header *trace; /* of the stage, or what it passes on */
    int64_t received_ms;
};

/* The ARN of the method, for policies; malloc()ed. */
char *proxy_method_arn(const struct proxy_request *request);

/* The event of a REQUEST authorizer, and of the integration; JSON text, malloc()ed. */
char *proxy_authorizer_event(const struct proxy_request *request);
char *proxy_event(const struct proxy_request *request, const cJSON *authorizer_answer);

/* The function's result as a reply; false, with nothing in it, when it is malformed. */
bool proxy_result(const char *result, struct http_reply *reply);

#endif /* MEDIA_LOCAL_PROXY_H */
