/* SPDX-License-Identifier: Apache-2.0 */
/* What `show` and `list` have in common: the question to the running instance, and
   the look of their output. */
#include "local/cli/commands.h"
#include "local/cli/waterfall.h"
#include "local/http/client.h"

#include <errno.h>
#include <langinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int unreachable(const struct options *options, int error)
{
    if (error == -EPROTO)
        fprintf(stderr, "xraytrace-local: what answers at %s port %u is not xraytrace-local\n",
                options->address, options->port);
    else
        fprintf(stderr,
                "xraytrace-local: no xraytrace-local can be reached at %s port %u: %s; "
                "start one with `xraytrace-local --port %u`, or name its port with --port\n",
                options->address, options->port, strerror(-error), options->port);
    return EXIT_UNREACHABLE;
}

int ask(const struct options *options, const char *path, const char *request, cJSON **ret)
{
    struct http_answer answer;
    int r = http_post(options->address, options->port, path, request, &answer);
    if (r < 0)
        return unreachable(options, r);
    cJSON *json = cJSON_ParseWithLength(answer.body, answer.length);
    free(answer.body);
    if (answer.status != 200 || !cJSON_IsObject(json)) {
        cJSON_Delete(json);
        return unreachable(options, -EPROTO);
    }
    *ret = json;
    return 0;
}

int print_no_memory(void)
{
    fputs("xraytrace-local: out of memory\n", stderr);
    return EXIT_NOT_FOUND;
}

int print_buffer(struct buffer *buffer)
{
    size_t length;
    char *text = buffer_take(buffer, &length);
    if (!text)
        return print_no_memory();
    size_t written = fwrite(text, 1, length, stdout);
    free(text);
    if (written != length || fflush(stdout) != 0) {
        fprintf(stderr, "xraytrace-local: cannot write: %s\n", strerror(errno));
        return EXIT_NOT_FOUND;
    }
    return EXIT_DONE;
}

struct output_style output_style(const struct options *options)
{
    bool terminal = isatty(STDOUT_FILENO);
    const char *no_colour = getenv("NO_COLOR");
    const char *kind = getenv("TERM");
    bool dumb = kind && strcmp(kind, "dumb") == 0;
    struct output_style style = {
        .width = options->width ? options->width : WATERFALL_WIDTH_DEFAULT,
        .unicode = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
        .colour = options->colour == COLOUR_ALWAYS || (options->colour == COLOUR_AUTO && terminal &&
                                                       !dumb && !(no_colour && *no_colour)),
    };
    struct winsize size;
    if (!options->width && terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col)
        style.width = size.ws_col;
    if (style.width < WATERFALL_WIDTH_MIN)
        style.width = WATERFALL_WIDTH_MIN;
    if (style.width > WATERFALL_WIDTH_MAX)
        style.width = WATERFALL_WIDTH_MAX;
    return style;
}
