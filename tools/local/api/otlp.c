/* SPDX-License-Identifier: Apache-2.0 */
/* POST /v1/traces, as OTLP/HTTP has it: the reply has the type of the request. */
#include "local/intake/otlp.h"
#include "local/api/api.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>

static const char *const types[] = {
    [XR_OTLP_PROTOBUF] = "application/x-protobuf",
    [XR_OTLP_JSON] = "application/json",
};

/* Without what follows a semicolon, such as a charset. */
static bool read_type(const char *header, enum xr_otlp_format *ret)
{
    size_t length = strcspn(header, "; \t");
    for (int i = 0; i < 2; i++) {
        if (strlen(types[i]) == length && strncasecmp(types[i], header, length) == 0) {
            *ret = (enum xr_otlp_format)i;
            return true;
        }
    }
    return false;
}

static void reply_error(struct http_reply *reply, enum xr_otlp_format format, unsigned status,
                        const char *message)
{
    *reply = (struct http_reply){ .status = status, .content_type = types[format] };
    if (xr_otlp_write_status(format, message, &reply->body, &reply->length) < 0)
        reply->body = NULL;
}

static void reply_result(struct http_reply *reply, enum xr_otlp_format format,
                         const struct otlp_result *result)
{
    char message[sizeof result->message + 64];
    snprintf(message, sizeof message, "not kept: %" PRIu64 ". The first one: %s", result->rejected,
             result->message);
    *reply = (struct http_reply){ .status = 200, .content_type = types[format] };
    if (xr_otlp_write_response(format, result->rejected, result->rejected ? message : NULL,
                               &reply->body, &reply->length) < 0)
        reply->body = NULL;
}

void api_otlp(const struct api *api, const struct http_request *request, struct http_reply *reply)
{
    enum xr_otlp_format format = XR_OTLP_JSON;
    struct otlp_result result;
    if (strcmp(request->method, "POST") != 0) {
        reply_error(reply, format, 405, "spans are sent with POST");
        reply->allow = "POST";
        return;
    }
    if (!read_type(request->content_type, &format)) {
        reply_error(reply, format, 415,
                    "the Content-Type must be application/x-protobuf or application/json");
        return;
    }
    int r = ingest_otlp(api->ingest, format, request->body, request->length, &result);
    if (r == 0)
        reply_result(reply, format, &result);
    else if (r == -ENOMEM)
        *reply = (struct http_reply){ .status = 500 };
    else
        reply_error(reply, format, r == -E2BIG ? 413 : 400, result.message);
}

void api_otlp_handle(void *data, const struct http_request *request, struct http_reply *reply)
{
    const struct api *api = data;
    if (strcmp(request->path, API_OTLP_PATH) == 0) {
        if (api_fail(api, request, reply))
            return;
        unsigned delay_ms = reply->delay_ms;
        api_otlp(api, request, reply);
        reply->delay_ms = delay_ms;
    } else {
        reply_error(reply, XR_OTLP_JSON, 404,
                    "only traces are taken here, at /v1/traces; metrics and logs are not");
    }
}
