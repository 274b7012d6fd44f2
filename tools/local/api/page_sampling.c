/* SPDX-License-Identifier: Apache-2.0 */
#include "local/api/page_internal.h"

void page_sampling(const struct page_call *call)
{
    api_sampling(call->api, sampling_inspect, call->body, call->reply);
}

void page_sampling_try(const struct page_call *call)
{
    api_sampling(call->api, sampling_try, call->body, call->reply);
}

void page_sampling_boost(const struct page_call *call)
{
    api_sampling(call->api, sampling_boost, call->body, call->reply);
}
