/* SPDX-License-Identifier: Apache-2.0 */
/* What the trace says about an AWS call: the subsegment as the other X-Ray SDKs write it. */
#include "aws_client.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <xraytrace/describe.h>

xray_segment *xr_aws_record_begin(const xray_aws_client *client, const xray_aws_request *request)
{
    xray_segment *segment = xray_start_subsegment_with(
        xray_current(), xray_subsegment_params(.name = client->name, .name_space = "aws"));

    if (!xray_is_recording(segment))
        return segment;
    xray_set_aws(segment, xray_aws(.operation = request->operation, .region = client->region));
    for (const xray_aws_resource *at = request->resources; at && at->key; at++)
        if (at->value)
            xray_set_aws_field(segment, at->key, xray_string(at->value));
    return segment;
}

/* S3 says with these that a condition of the caller's was not met: that is an answer. */
static bool is_answer(const xray_aws_client *client, int32_t status)
{
    return xr_aws_service_is_s3(&client->service) && (status == 304 || status == 412);
}

/* What to call it where the service has no word for it. */
static void name_error(char *ret, size_t size, const struct xr_aws_outcome *outcome)
{
    switch (outcome->error) {
    case 0:
        snprintf(ret, size, "HTTP %d", (int)outcome->status);
        break;
    case -EACCES:
        snprintf(ret, size, "EACCES");
        break;
    case -EINVAL:
        snprintf(ret, size, "EINVAL");
        break;
    case -ENOMEM:
        snprintf(ret, size, "ENOMEM");
        break;
    case -EMSGSIZE:
        snprintf(ret, size, "EMSGSIZE");
        break;
    default:
        snprintf(ret, size, "CURLcode %d", (int)outcome->result);
    }
}

/* By the reply, not by the status alone: throttling comes as 400 and as 503 too. */
static int32_t marks_of(const struct xr_aws_outcome *outcome)
{
    if (outcome->throttled)
        return XRAY_THROTTLE | XRAY_ERROR;
    return outcome->status >= 400 && outcome->status < 500 ? XRAY_ERROR : XRAY_FAULT;
}

static void record_error(xray_segment *segment, const xray_aws_client *client,
                         const struct xr_aws_outcome *outcome)
{
    const struct xr_aws_answer *answer = &client->answer;
    char type[32], message[64];
    xray_exception exception = { .size = sizeof(exception) };

    name_error(type, sizeof(type), outcome);
    snprintf(message, sizeof(message), "HTTP status %d", (int)outcome->status);
    exception.type = answer->error_code[0] ? answer->error_code : type;
    exception.message = answer->error_message[0] ? answer->error_message : message;
    exception.remote = outcome->error == 0 || outcome->result != CURLE_OK;
    exception.flags = marks_of(outcome);
    xray_add_exception_with(segment, &exception);
}

void xr_aws_record_end(xray_segment *segment, const xray_aws_client *client,
                       const struct xr_aws_outcome *outcome)
{
    const struct xr_aws_answer *answer = &client->answer;

    if (xray_is_recording(segment)) {
        if (answer->request_id[0])
            xray_set_aws(segment, xray_aws(.request_id = answer->request_id));
        if (answer->id_2[0])
            xray_set_aws_field(segment, "id_2", xray_string(answer->id_2));
        xray_set_aws_field(segment, "retries", xray_int(outcome->retries));
        if (outcome->status > 0)
            xray_set_http(segment, xray_http(.status = outcome->status,
                                             .content_length = outcome->content_length));
        xray_unmark(segment, XRAY_ERROR | XRAY_THROTTLE | XRAY_FAULT);
        if (outcome->error < 0 || (outcome->failed && !is_answer(client, outcome->status)))
            record_error(segment, client, outcome);
    }
    xray_end(segment);
}
