/* SPDX-License-Identifier: Apache-2.0 */
/* What a variable owns is released when it goes out of scope. */
#ifndef PIPELINE_RUNTIME_CLEANUP_H
#define PIPELINE_RUNTIME_CLEANUP_H

#include <stdlib.h>

#include <cjson/cJSON.h>

static inline void cleanup_json(cJSON **json)
{
    cJSON_Delete(*json);
}

static inline void cleanup_memory(void *memory)
{
    free(*(void **)memory);
}

#define AUTO_JSON __attribute__((__cleanup__(cleanup_json)))
#define AUTO_FREE __attribute__((__cleanup__(cleanup_memory)))

#endif /* PIPELINE_RUNTIME_CLEANUP_H */
