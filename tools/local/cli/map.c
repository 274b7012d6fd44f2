/* SPDX-License-Identifier: Apache-2.0 */
/* The command `map`. */
#include "local/cli/map.h"

#include "local/cli/cells.h"
#include "local/cli/commands.h"
#include "local/cli/options_internal.h"
#include "local/cli/waterfall.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SINCE_DEFAULT 3600u
#define SINCE_MAX     21600u /* what GetServiceGraph looks back */

static unsigned since(const struct options *options)
{
    return options->since_seconds ? options->since_seconds : SINCE_DEFAULT;
}

/* The question: of one trace, or of all that happened in the time asked for. */
static char *new_request(const struct options *options, const char **ret_path)
{
    cJSON *request = cJSON_CreateObject();
    char *text = NULL;
    bool whole = request != NULL;
    if (options->word_count) {
        char id[TRACE_ID_LENGTH + 1];
        trace_id_format(&options->trace_id, id);
        cJSON *ids = cJSON_AddArrayToObject(request, "TraceIds");
        cJSON *item = cJSON_CreateString(id);
        whole = ids && cJSON_AddItemToArray(ids, item);
        if (!whole)
            cJSON_Delete(item);
        *ret_path = "/TraceGraph";
    } else {
        double now = (double)time(NULL);
        whole = cJSON_AddNumberToObject(request, "StartTime", now - since(options)) &&
                cJSON_AddNumberToObject(request, "EndTime", now) &&
                (!options->filter ||
                 cJSON_AddStringToObject(request, "FilterExpression", options->filter));
        *ret_path = "/ServiceGraph";
    }
    if (whole)
        text = cJSON_PrintUnformatted(request);
    cJSON_Delete(request);
    return text;
}

static void describe_time(unsigned seconds, char *ret, size_t size)
{
    if (seconds % 3600 == 0)
        snprintf(ret, size, "%u h", seconds / 3600);
    else if (seconds % 60 == 0)
        snprintf(ret, size, "%u min", seconds / 60);
    else
        snprintf(ret, size, "%u s", seconds);
}

static int print_nothing(const struct options *options)
{
    char time[32];
    if (options->word_count) {
        fprintf(stderr,
                "xraytrace-local: nothing of this trace has been received at %s port %u; "
                "`xraytrace-local list --port %u` shows what has\n",
                options->address, options->port, options->port);
        return EXIT_NOT_FOUND;
    }
    describe_time(since(options), time, sizeof time);
    printf("no traces%s in the last %s at %s port %u; --since 6h looks further back\n",
           options->filter ? " that match" : "", time, options->address, options->port);
    return fflush(stdout) == 0 ? EXIT_DONE : EXIT_NOT_FOUND;
}

static void put_header(struct buffer *out, const struct options *options, const struct map *map)
{
    char what[64];
    size_t services = 0;
    for (size_t i = 0; i < map->node_count; i++)
        services += !map->nodes[i].client;
    if (options->word_count) {
        snprintf(what, sizeof what, "Trace ");
        trace_id_format(&options->trace_id, what + strlen(what));
    } else {
        memcpy(what, "Last ", sizeof "Last ");
        describe_time(since(options), what + strlen(what), sizeof what - strlen(what));
    }
    buffer_printf(out, "%s  %zu service%s, %zu kind%s of calls\n\n", what, services,
                  services == 1 ? "" : "s", map->edge_count, map->edge_count == 1 ? "" : "s");
}

static int print_map(const struct options *options, const cJSON *services)
{
    struct output_style look = output_style(options);
    struct map_style style = { look.width, look.unicode, look.colour, 0 };
    struct buffer out = { 0 };
    struct map map;
    if (!options->word_count)
        style.minutes = since(options) / 60.0;
    if (map_read(&map, services) < 0)
        return print_no_memory();
    put_header(&out, options, &map);
    map_write(&out, &map, &style);
    map_free(&map);
    return print_buffer(&out);
}

static int print_json(const cJSON *services)
{
    struct buffer out = { 0 };
    char *text = cJSON_PrintUnformatted(services);
    if (!text)
        return print_no_memory();
    cells_put_json(&out, text);
    buffer_puts(&out, "\n");
    free(text);
    return print_buffer(&out);
}

int command_map(const struct options *options)
{
    const char *path;
    cJSON *answer;
    if (since(options) > SINCE_MAX)
        return usage("a map looks back at most 6h");
    if (options->word_count && (options->filter || options->since_seconds))
        return usage("the map of one trace takes neither --filter nor --since");
    char *request = new_request(options, &path);
    if (!request)
        return print_no_memory();
    int r = ask(options, path, request, &answer);
    free(request);
    if (r != 0)
        return r;
    const cJSON *services = cJSON_GetObjectItemCaseSensitive(answer, "Services");
    if (options->json && cJSON_IsArray(services))
        r = print_json(services);
    else if (cJSON_GetArraySize(services) == 0)
        r = print_nothing(options);
    else
        r = print_map(options, services);
    cJSON_Delete(answer);
    return r;
}
