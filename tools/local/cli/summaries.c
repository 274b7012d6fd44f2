/* SPDX-License-Identifier: Apache-2.0 */
/* GetTraceSummaries, page by page. */
#include "local/cli/commands.h"
#include "local/trace/trace.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TOKEN_MAX 1024u

double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* NULL without memory. */
static char *make_request(const struct options *options, double since, const char *token)
{
    cJSON *request = cJSON_CreateObject();
    cJSON_AddNumberToObject(request, "StartTime", fmax(floor(since), 0));
    cJSON_AddNumberToObject(request, "EndTime", DOCUMENT_TIME_MAX);
    cJSON_AddStringToObject(request, "TimeRangeType", "Event");
    if (options->filter)
        cJSON_AddStringToObject(request, "FilterExpression", options->filter);
    if (token)
        cJSON_AddStringToObject(request, "NextToken", token);
    char *text = cJSON_PrintUnformatted(request);
    cJSON_Delete(request);
    return text;
}

/* *token is the one to ask with, and becomes the next, NULL at the end. */
static int visit_page(const struct options *options, double since, char **token,
                      summary_visitor *visitor, void *data)
{
    char *request = make_request(options, since, *token);
    cJSON *answer;
    free(*token);
    *token = NULL;
    if (!request)
        return print_no_memory();
    int r = ask(options, "/TraceSummaries", request, &answer);
    free(request);
    if (r != 0)
        return r;
    const cJSON *summary;
    bool more = true;
    cJSON_ArrayForEach(summary, cJSON_GetObjectItemCaseSensitive(answer, "TraceSummaries"))
    {
        if (!more)
            break;
        more = visitor(data, summary);
    }
    const char *next = trace_string(answer, "NextToken");
    if (more && next && strlen(next) < TOKEN_MAX) {
        *token = strdup(next);
        if (!*token)
            r = print_no_memory();
    }
    cJSON_Delete(answer);
    return r;
}

int ask_summaries(const struct options *options, double since, summary_visitor *visitor, void *data)
{
    char *token = NULL;
    int r;
    do {
        r = visit_page(options, since, &token, visitor, data);
    } while (r == 0 && token);
    free(token);
    return r;
}
