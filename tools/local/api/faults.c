/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that fail on purpose, as the service does it. */
#include "local/api/api.h"

bool api_fail(const struct api *api, const struct http_request *request, struct http_reply *reply)
{
    /* The page must be able to show what happens. */
    if (!api->faults || request->from_page)
        return false;
    enum fault_kind kind = faults_request(api->faults);
    switch (kind) {
    case FAULT_SKEW:
        /* With the header Date, which the server always sends, a client finds its way. */
        http_reply_error(reply, 403, "InvalidSignatureException",
                         "Signature expired: the clock of the client is wrong (--fail skew)");
        break;
    case FAULT_THROTTLE:
        http_reply_error(reply, 429, "ThrottledException", "Rate exceeded (--fail throttle)");
        break;
    case FAULT_ERROR:
        http_reply_error(reply, 500, "InternalFailure", "Internal failure (--fail error)");
        break;
    case FAULT_NONE:
        break;
    }
    reply->delay_ms = faults_latency_ms(api->faults);
    return kind != FAULT_NONE;
}
