/* SPDX-License-Identifier: Apache-2.0 */
/* The service map in a terminal, character by character. */
#include "local/cli/map.h"

#include "local/cli/cells.h"

#include <criterion/criterion.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NODES_MAX 200

static void use_utf8(void)
{
    cr_assert_not_null(setlocale(LC_CTYPE, "C.UTF-8"), "the locale C.UTF-8 is missing");
}

TestSuite(map, .init = use_utf8);

/* So many calls; a name that begins with @ is a client's. */
struct call {
    const char *from;
    const char *to;
    int count;
    int faults;
    bool link;
};

static void put_statistics(struct buffer *out, int count, int faults)
{
    buffer_printf(out,
                  "\"SummaryStatistics\":{\"OkCount\":%d,\"ErrorStatistics\":{\"ThrottleCount\":0,"
                  "\"OtherCount\":0,\"TotalCount\":0},\"FaultStatistics\":{\"OtherCount\":%d,"
                  "\"TotalCount\":%d},\"TotalCount\":%d}",
                  count - faults, faults, faults, count);
}

static size_t number_of(const char *names[NODES_MAX], size_t *count, const char *name)
{
    for (size_t i = 0; i < *count; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    cr_assert_lt(*count, NODES_MAX);
    names[*count] = name;
    return (*count)++;
}

static void put_service(struct buffer *out, const struct call *calls, const char *names[NODES_MAX],
                        size_t *count, size_t index)
{
    const char *name = names[index];
    int total = 0;
    int faults = 0;
    const char *comma = "";
    buffer_printf(out, "%s{\"ReferenceId\":%zu,\"Name\":\"%s\",\"Type\":\"%s\",\"Edges\":[",
                  index ? "," : "", index, name + (*name == '@'),
                  *name == '@' ? "client" : "AWS::EC2::Instance");
    for (const struct call *call = calls; call->from; call++) {
        if (strcmp(call->to, name) == 0) {
            total += call->count;
            faults += call->faults;
        }
        if (strcmp(call->from, name) != 0)
            continue;
        buffer_printf(
            out, "%s{\"ReferenceId\":%zu,%s\"%sHistogram\":[{\"Value\":0.1,\"Count\":%d}],", comma,
            number_of(names, count, call->to), call->link ? "\"EdgeType\":\"link\"," : "",
            call->link ? "ReceivedEventAge" : "ResponseTime", call->count);
        put_statistics(out, call->count, call->faults);
        buffer_puts(out, "}");
        comma = ",";
    }
    buffer_puts(out, "]");
    if (*name != '@') {
        buffer_puts(out, ",");
        put_statistics(out, total, faults);
        buffer_printf(out, ",\"ResponseTimeHistogram\":[{\"Value\":0.25,\"Count\":%d}]", total);
    }
    buffer_puts(out, "}");
}

/* A map of these calls; one from nobody ends the list. To be freed. */
static char *draw(const struct call *calls, struct map_style style)
{
    struct buffer json = { 0 };
    struct buffer text = { 0 };
    struct map map;
    const char *names[NODES_MAX];
    size_t count = 0;
    for (const struct call *call = calls; call->from; call++) {
        number_of(names, &count, call->from);
        number_of(names, &count, call->to);
    }
    buffer_puts(&json, "[");
    for (size_t i = 0; i < count; i++)
        put_service(&json, calls, names, &count, i);
    buffer_puts(&json, "]");
    cr_assert_not(json.failed);
    cJSON *services = cJSON_Parse(json.text);
    cr_assert_not_null(services);
    cr_assert_eq(map_read(&map, services), 0);
    map_write(&text, &map, &style);
    map_free(&map);
    cJSON_Delete(services);
    buffer_free(&json);
    char *taken = buffer_take(&text, NULL);
    cr_assert_not_null(taken);
    return taken;
}

static void expect_text(const struct call *calls, struct map_style style, const char *wanted)
{
    char *text = draw(calls, style);
    cr_expect_str_eq(text, wanted, "\n%s\nnot\n%s", text, wanted);
    free(text);
}

/* The lines above the tables only. */
static void expect_drawing(const struct call *calls, struct map_style style, const char *wanted)
{
    char *text = draw(calls, style);
    char *end = strstr(text, "services ");
    cr_assert_not_null(end);
    while (end[-1] != '\n')
        end--;
    end[-1] = '\0'; /* of the empty line between them */
    cr_expect_str_eq(text, wanted, "\n%s\nnot\n%s", text, wanted);
    free(text);
}

/* clang-format off */
static const struct call shop[] = {
    { "@shop", "shop", 12, 0, false },   { "shop", "orders", 12, 3, false },
    { "shop", "stock", 8, 0, false },    { "stock", "items", 8, 0, false },
    { "stock", "orders", 2, 0, false },  { 0 },
};

Test(map, is_drawn_from_the_client_to_the_right)
{
    expect_text(shop, (struct map_style){ 130, true, false, 60 },
        "                                                                                                         ╭────────────────────╮\n"
        "                                                                                                         │ items              │\n"
        "                                                                 ╭────────────────────╮ ╭── 8, 100 ms ──▶│ AWS::EC2::Instance │\n"
        "                                                                 │ stock              │ │                │ 8 ok               │\n"
        "╭────────╮                ╭────────────────────╮ ╭── 8, 100 ms ─▶│ AWS::EC2::Instance ├─┤                ╰────────────────────╯\n"
        "│ shop   │                │ shop               │ │               │ 8 ok               │ │\n"
        "│ client ├── 12, 100 ms ─▶│ AWS::EC2::Instance ├─┤               ╰────────────────────╯ │                ╭────────────────────╮\n"
        "│ 12 ok  │                │ 12 ok              │ │                                      ╰── 2, 100 ms ──▶│ orders             │\n"
        "╰────────╯                ╰────────────────────╯ ╰───────────────────────────────────────── 12, 100 ms ─▶│ AWS::EC2::Instance │\n"
        "                                                                                                         │ 14, 21% fault      │\n"
        "                                                                                                         ╰────────────────────╯\n"
        "\n"
        "services                                                                 count   /min error throt fault      p50      p90      p99\n"
        "shop  AWS::EC2::Instance                                                    12    0.2     -     -     -   250 ms   250 ms   250 ms\n"
        "orders  AWS::EC2::Instance                                                  14    0.2     -     -   21%   250 ms   250 ms   250 ms\n"
        "stock  AWS::EC2::Instance                                                    8    0.1     -     -     -   250 ms   250 ms   250 ms\n"
        "items  AWS::EC2::Instance                                                    8    0.1     -     -     -   250 ms   250 ms   250 ms\n"
        "\n"
        "calls                                                                    count   /min error throt fault      p50      p90      p99\n"
        "client → shop                                                               12    0.2     -     -     -   100 ms   100 ms   100 ms\n"
        "shop → orders                                                               12    0.2     -     -   25%   100 ms   100 ms   100 ms\n"
        "shop → stock                                                                 8    0.1     -     -     -   100 ms   100 ms   100 ms\n"
        "stock → items                                                                8    0.1     -     -     -   100 ms   100 ms   100 ms\n"
        "stock → orders                                                               2   <0.1     -     -     -   100 ms   100 ms   100 ms\n");
}

Test(map, says_less_on_arrows_where_it_is_narrow)
{
    expect_drawing(shop, (struct map_style){ 80, true, false, 0 },
        "                                                                 ╭────────────╮\n"
        "                                                                 │ items      │\n"
        "                                         ╭────────────╮ ╭── 8 ──▶│ AWS::EC2:… │\n"
        "                                         │ stock      │ │        │ 8 ok       │\n"
        "╭────────╮        ╭────────────╮ ╭── 8 ─▶│ AWS::EC2:… ├─┤        ╰────────────╯\n"
        "│ shop   │        │ shop       │ │       │ 8 ok       │ │\n"
        "│ client ├── 12 ─▶│ AWS::EC2:… ├─┤       ╰────────────╯ │        ╭────────────╮\n"
        "│ 12 ok  │        │ 12 ok      │ │                      ╰── 2 ──▶│ orders     │\n"
        "╰────────╯        ╰────────────╯ ╰───────────────────────── 12 ─▶│ AWS::EC2:… │\n"
        "                                                                 │ 14, 21% f… │\n"
        "                                                                 ╰────────────╯\n");
}

Test(map, is_drawn_in_ascii_where_there_is_no_unicode)
{
    expect_drawing(shop, (struct map_style){ 100, false, false, 0 },
        "                                                                               +-------------------+\n"
        "                                                                               | items             |\n"
        "                                                +-------------------+ +-- 8 -->| AWS::EC2::Instan~ |\n"
        "                                                | stock             | |        | 8 ok              |\n"
        "+--------+        +-------------------+ +-- 8 ->| AWS::EC2::Instan~ +-+        +-------------------+\n"
        "| shop   |        | shop              | |       | 8 ok              | |\n"
        "| client +-- 12 ->| AWS::EC2::Instan~ +-+       +-------------------+ |        +-------------------+\n"
        "| 12 ok  |        | 12 ok             | |                             +-- 2 -->| orders            |\n"
        "+--------+        +-------------------+ +-------------------------------- 12 ->| AWS::EC2::Instan~ |\n"
        "                                                                               | 14, 21% fault     |\n"
        "                                                                               +-------------------+\n");
}

Test(map, is_a_tree_where_boxes_do_not_fit)
{
    expect_text(shop, (struct map_style){ 60, true, false, 60 },
        "shop  client\n"
        "╰╴shop  AWS::EC2::Instance\n"
        "  ├╴orders  AWS::EC2::Instance\n"
        "  ╰╴stock  AWS::EC2::Instance\n"
        "    ├╴items  AWS::EC2::Instance\n"
        "    ╰╴orders  AWS::EC2::Instance  (above)\n"
        "\n"
        "services           count error throt fault      p50      p99\n"
        "shop  AWS::EC2::…     12     -     -     -   250 ms   250 ms\n"
        "orders  AWS::EC2…     14     -     -   21%   250 ms   250 ms\n"
        "stock  AWS::EC2:…      8     -     -     -   250 ms   250 ms\n"
        "items  AWS::EC2:…      8     -     -     -   250 ms   250 ms\n"
        "\n"
        "calls              count error throt fault      p50      p99\n"
        "client → shop         12     -     -     -   100 ms   100 ms\n"
        "shop → orders         12     -     -   25%   100 ms   100 ms\n"
        "shop → stock           8     -     -     -   100 ms   100 ms\n"
        "stock → items          8     -     -     -   100 ms   100 ms\n"
        "stock → orders         2     -     -     -   100 ms   100 ms\n");
}

static const struct call circle[] = {
    { "@a", "a", 3, 0, false }, { "a", "b", 3, 0, false }, { "b", "c", 3, 0, false },
    { "c", "a", 3, 0, false },  { "a", "a", 1, 0, false }, { 0 },
};

Test(map, has_an_arrow_back_where_calls_go_in_a_circle)
{
    expect_drawing(circle, (struct map_style){ 120, true, false, 0 },
        "                                                              ╭──────────────────╮\n"
        "                                                              │ b                │\n"
        "╭────────╮               ╭──────────────────╮ ╭── 3, 100 ms ─▶│ AWS::EC2::Insta… ├─╮               ╭──────────────────╮\n"
        "│ a      │               │ a                ├─╯               │ 3 ok             │ ╰── 3, 100 ms ─▶│ c                │\n"
        "│ client ├── 3, 100 ms ─▶│ AWS::EC2::Insta… ├◀╮               ╰──────────────────╯ ╭── 3, 100 ms ──┤ AWS::EC2::Insta… │\n"
        "│ 3 ok   │               │ 7 ok             │ │                                    │               │ 3 ok             │\n"
        "╰────────╯               ╰──────────────────╯ ╰────────────────────────────────────╯               ╰──────────────────╯\n");
}

Test(map, lists_calls_of_a_service_to_itself)
{
    char *text = draw(circle, (struct map_style){ 120, true, false, 0 });
    cr_expect_not_null(strstr(text, "\na → a "));
    free(text);
}

static const struct call queue[] = {
    { "@api", "api", 5, 0, false }, { "api", "jobs", 5, 0, false }, { "jobs", "worker", 4, 0, true }, { 0 },
};

Test(map, has_dashed_lines_for_links_between_traces)
{
    expect_drawing(queue, (struct map_style){ 120, true, false, 0 },
        "╭────────╮               ╭───────────────────╮               ╭───────────────────╮               ╭───────────────────╮\n"
        "│ api    │               │ api               │               │ jobs              │               │ worker            │\n"
        "│ client ├── 5, 100 ms ─▶│ AWS::EC2::Instan… ├── 5, 100 ms ─▶│ AWS::EC2::Instan… ├┄┄ 4, 100 ms ┄▶│ AWS::EC2::Instan… │\n"
        "│ 5 ok   │               │ 5 ok              │               │ 5 ok              │               │ 4 ok              │\n"
        "╰────────╯               ╰───────────────────╯               ╰───────────────────╯               ╰───────────────────╯\n");
}

static const struct call crossing[] = {
    { "@a", "a", 1, 0, false },  { "@b", "b", 1, 0, false }, { "a", "x", 1, 0, false },
    { "a", "y", 1, 0, false },   { "b", "x", 1, 0, false },  { "b", "y", 1, 0, false },
    { 0 },
};

Test(map, interrupts_a_line_where_another_crosses_it)
{
    expect_drawing(crossing, (struct map_style){ 120, true, false, 0 },
        "╭────────╮                  ╭────────────────────╮                      ╭────────────────────╮\n"
        "│ a      │                  │ a                  │ ╭──── 1 ok, 100 ms ─▶│ x                  │\n"
        "│ client ├── 1 ok, 100 ms ─▶│ AWS::EC2::Instance ├─┤ ╭── 1 ok, 100 ms ─▶│ AWS::EC2::Instance │\n"
        "│ 1 ok   │                  │ 1 ok               │ │ │                  │ 2 ok               │\n"
        "╰────────╯                  ╰────────────────────╯ │ │                  ╰────────────────────╯\n"
        "                                                   │ │\n"
        "╭────────╮                  ╭────────────────────╮ │ │                  ╭────────────────────╮\n"
        "│ b      │                  │ b                  │ ╰─│── 1 ok, 100 ms ─▶│ y                  │\n"
        "│ client ├── 1 ok, 100 ms ─▶│ AWS::EC2::Instance ├───┴── 1 ok, 100 ms ─▶│ AWS::EC2::Instance │\n"
        "│ 1 ok   │                  │ 1 ok               │                      │ 2 ok               │\n"
        "╰────────╯                  ╰────────────────────╯                      ╰────────────────────╯\n");
}

Test(map, marks_health_by_colour_where_asked_to)
{
    static const struct call calls[] = { { "@a", "a", 2, 1, false }, { 0 } };
    expect_drawing(calls, (struct map_style){ 100, false, true, 0 },
        "\033[31m+--------------+                          +--------------------+\033[0m\n"
        "\033[31m| \033[0m\033[1ma            \033[0m\033[31m|                          | \033[0m\033[1ma                  \033[0m\033[31m|\033[0m\n"
        "\033[31m| \033[0m\033[2mclient       \033[0m\033[31m+\033[0m\033[2m--\033[0m\033[31m 2, 50% fault, 100 ms \033[0m\033[2m-\033[0m\033[31m>| \033[0m\033[2mAWS::EC2::Instance \033[0m\033[31m|\033[0m\n"
        "\033[31m| 2, 50% fault |                          | 2, 50% fault       |\033[0m\n"
        "\033[31m+--------------+                          +--------------------+\033[0m\n");
}
/* clang-format on */

static size_t widest_line(const char *text)
{
    size_t widest = 0;
    while (*text) {
        size_t length = strcspn(text, "\n");
        char *line = strndup(text, length);
        size_t width = cells_width(line, true);
        widest = width > widest ? width : widest;
        free(line);
        text += length + (text[length] != '\0');
    }
    return widest;
}

/* A chain of services, each called by the one before, and all by the first. */
static void make_many(struct call *calls, char (*names)[32], size_t count)
{
    for (size_t i = 0; i < count; i++)
        snprintf(names[i], sizeof names[i], "service%zu", i);
    for (size_t i = 1; i < count; i++) {
        calls[2 * i - 2] = (struct call){ names[i - 1], names[i], (int)i, 0, false };
        calls[2 * i - 1] = (struct call){ names[0], names[i], 1, 1, false };
    }
    calls[2 * count - 2] = (struct call){ 0 };
}

Test(map, is_never_wider_than_it_may_be)
{
    static const size_t sizes[] = { 2, 5, 20, 60, 61, 150 };
    static const size_t widths[] = { 60, 80, 100, 200, 1000 };
    struct call calls[2 * NODES_MAX];
    char names[NODES_MAX][32];
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (size_t k = 0; k < sizeof widths / sizeof *widths; k++) {
            make_many(calls, names, sizes[i]);
            char *text = draw(calls, (struct map_style){ widths[k], true, false, 1 });
            cr_expect_leq(widest_line(text), widths[k], "%zu services", sizes[i]);
            free(text);
        }
    }
}

static char *written(const char *json)
{
    struct map map;
    struct buffer text = { 0 };
    cJSON *services = cJSON_Parse(json);
    cr_assert_eq(map_read(&map, services), 0);
    map_write(&text, &map, &(struct map_style){ 100, true, false, 0 });
    map_free(&map);
    cJSON_Delete(services);
    char *taken = buffer_take(&text, NULL);
    cr_assert_not_null(taken);
    return taken;
}

Test(map, lets_no_control_character_through)
{
    char *text = written("[{\"ReferenceId\":0,\"Name\":\"a\\u001b[31m\\u202e\\r\\nb\",\"Type\":"
                         "\"t\\u0007\\u009b\",\"Edges\":[{\"ReferenceId\":0}]}]");
    for (const char *c = text; *c; c++)
        cr_expect((unsigned char)*c >= 0x20 || *c == '\n', "%d", *c);
    cr_expect_null(strstr(text, "\u202e"));
    cr_expect_null(strstr(text, "\xc2\x9b"));
    free(text);
}

Test(map, stands_answers_that_make_no_sense)
{
    static const char *const answers[] = {
        "[5,{},[],null]",
        "[{\"Edges\":5},{\"Edges\":[5,{},{\"ReferenceId\":-1},{\"ReferenceId\":1e300}]}]",
        "[{\"Edges\":[{\"ReferenceId\":2}]}]",
        "[{\"Name\":5,\"Type\":{},\"SummaryStatistics\":{\"TotalCount\":1e300}}]",
        "[{\"SummaryStatistics\":{\"TotalCount\":-1},\"ResponseTimeHistogram\":{\"a\":5}}]",
        "{}",
    };
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
        free(written(answers[i]));
}

Test(map, finds_percentiles_in_a_histogram)
{
    struct map map;
    cJSON *services = cJSON_Parse("[{\"ResponseTimeHistogram\":[{\"Value\":1,\"Count\":50},"
                                  "{\"Value\":2,\"Count\":40},{\"Value\":3,\"Count\":10}]}]");
    cr_assert_eq(map_read(&map, services), 0);
    cr_expect_float_eq(map.nodes[0].measure.p50, 1, 0);
    cr_expect_float_eq(map.nodes[0].measure.p90, 2, 0);
    cr_expect_float_eq(map.nodes[0].measure.p99, 3, 0);
    map_free(&map);
    cJSON_Delete(services);
}
