/* SPDX-License-Identifier: Apache-2.0 */
/* What `show` and `list` have in common: the question to the running instance, and
   the look of their output. */
#include "local/cli/cells.h"
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

#define MESSAGE_WIDTH ((size_t)1000)

#define PRINTABLE                        \
    " !\"#$%&'()*+,-./0123456789:;<=>?@" \
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`"  \
    "abcdefghijklmnopqrstuvwxyz{|}~"

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

/* What the instance says against the question, such as where a filter is wrong. */
static int refused(const struct options *options, unsigned status, const cJSON *json)
{
    const cJSON *message = cJSON_GetObjectItemCaseSensitive(json, "Message");
    struct buffer out = { 0 };
    if (status < 400 || !cJSON_IsString(message))
        return unreachable(options, -EPROTO);
    buffer_puts(&out, "xraytrace-local: ");
    cells_put(&out, message->valuestring, MESSAGE_WIDTH, false);
    char *text = buffer_take(&out, NULL);
    fprintf(stderr, "%s\n", text ? text : "out of memory");
    free(text);
    return status == 400 ? EXIT_USAGE : EXIT_NOT_FOUND;
}

int ask_for(const struct options *options, const struct http_question *question,
            struct http_answer *ret)
{
    int r = http_ask(options->address, options->port, question, ret);
    if (r < 0)
        return unreachable(options, r);
    if (ret->status == 200)
        return 0;
    cJSON *json = cJSON_ParseWithLength(ret->body, ret->length);
    r = refused(options, ret->status, json);
    cJSON_Delete(json);
    free(ret->body);
    return r;
}

int ask(const struct options *options, const char *path, const char *request, cJSON **ret)
{
    const struct http_question question = { "POST", path, "application/json", request,
                                            strlen(request) };
    struct http_answer answer;
    int r = ask_for(options, &question, &answer);
    if (r != 0)
        return r;
    cJSON *json = cJSON_ParseWithLength(answer.body, answer.length);
    free(answer.body);
    if (!cJSON_IsObject(json)) {
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

int print_cannot_write(const char *path, int error)
{
    fprintf(stderr, "xraytrace-local: cannot write %s: %s\n", path, strerror(error));
    return EXIT_NOT_FOUND;
}

int print_filter_error(const char *what, const char *filter, const struct filter_error *error)
{
    struct buffer out = { 0 };
    buffer_printf(&out, "xraytrace-local: %s: %s\n", what, error->message);
    /* A mark below only where a byte is a column. */
    if (strlen(filter) < WATERFALL_WIDTH_DEFAULT && strspn(filter, PRINTABLE) == strlen(filter)) {
        buffer_printf(&out, "  %s\n  ", filter);
        buffer_repeat(&out, " ", error->position);
        buffer_puts(&out, "^\n");
    }
    char *text = buffer_take(&out, NULL);
    fputs(text ? text : "xraytrace-local: out of memory\n", stderr);
    free(text);
    return EXIT_USAGE;
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
