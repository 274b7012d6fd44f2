/* SPDX-License-Identifier: Apache-2.0 */
/* The truth table of the tracing variables. */

#include "tracing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "functions.h"
#include "util.h"

static const char *const mode_names[] = {
    [TRACING_FULL] = "full",
    [TRACING_SELECTIVE] = "selective",
    [TRACING_PASSIVE] = "passive",
    [TRACING_ON_DEMAND] = "on_demand",
};

int tracing_read_mode(struct tracing *tracing, const char *text)
{
    for (size_t i = 0; i < sizeof(mode_names) / sizeof(mode_names[0]); i++) {
        if (strcmp(mode_names[i], text) == 0) {
            tracing->mode = (enum tracing_mode)i;
            return 0;
        }
    }
    log_error("--tracing takes full, selective, passive or on_demand, not \"%s\"", text);
    return -EINVAL;
}

int tracing_read_enabled(struct tracing *tracing, const char *text)
{
    bool is_true = strcmp(text, "true") == 0;

    if (!is_true && strcmp(text, "false") != 0) {
        log_error("--enable-xray-tracing takes true or false, not \"%s\"", text);
        return -EINVAL;
    }
    tracing->is_enabled = is_true;
    return 0;
}

/* Whether the list has this name among those between its commas. */
static bool has_name(const char *list, const char *name, size_t length)
{
    for (;; list++) {
        size_t entry = strcspn(list, ",");
        if (entry == length && strncmp(list, name, length) == 0)
            return true;
        list += entry;
        if (!*list)
            return false;
    }
}

int tracing_read_functions(struct tracing *tracing, const char *text)
{
    for (const char *name = text;; name++) {
        size_t length = strcspn(name, ",");
        if (!functions_has(name, length)) {
            char *known = functions_list();
            log_error("--traced-functions \"%s\": there is no function \"%.*s\"; there are %s",
                      text, (int)length, name, known);
            free(known);
            return -EINVAL;
        }
        name += length;
        if (!*name)
            break;
    }
    tracing->functions = text;
    return 0;
}

bool tracing_of_stage(const struct tracing *tracing)
{
    return tracing->mode != TRACING_ON_DEMAND || tracing->is_enabled;
}

bool tracing_is_active(const struct tracing *tracing, const char *function)
{
    switch (tracing->mode) {
    case TRACING_SELECTIVE:
        return has_name(tracing->functions ? tracing->functions : TRACING_DEFAULT_FUNCTIONS,
                        function, strlen(function));
    case TRACING_PASSIVE:
        return false;
    case TRACING_ON_DEMAND:
        return tracing->is_enabled;
    default:
        return true;
    }
}

static void new_trace(xray_trace_header *ret)
{
    char random[25];

    random_hex(random, 12);
    char *text = text_format("Root=1-%08llx-%s", (long long)(now_ms() / 1000), random);
    xray_trace_header_parse(ret, text);
    free(text);
}

void tracing_pass_through(const xray_trace_header *caller, xray_trace_header *ret)
{
    static const xray_trace_id none;
    xray_trace_header header = { 0 };

    if (caller)
        header = *caller;
    if (memcmp(&header.trace_id, &none, sizeof(none)) == 0) {
        xray_trace_header fresh = { 0 };
        new_trace(&fresh);
        header.trace_id = fresh.trace_id;
    }
    header.parent_id = 0;
    header.sampled = XRAY_SAMPLED_UNKNOWN;
    *ret = header;
}
