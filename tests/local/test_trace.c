/* SPDX-License-Identifier: Apache-2.0 */
/* How documents become one tree, and the documents that are made of it. */
#include "support.h"

#include "local/base/json_text.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define A "000000000000000a"
#define B "000000000000000b"
#define C "000000000000000c"
#define D "000000000000000d"

#define BUILD(...) build((const char *const[]){ __VA_ARGS__, NULL })

static const char *parent_name(const struct trace *trace, const char *name)
{
    size_t parent = trace->nodes[node_named(trace, name)].parent;
    return parent == TRACE_NONE ? NULL : trace_string(trace->nodes[parent].json, "name");
}

static void expect_document(const struct trace *trace, const char *name, const char *wanted)
{
    char *text = document_of(trace, name);
    char *json = quoted(wanted);
    cr_expect_str_eq(text, json);
    free(text);
    free(json);
}

Test(trace, hangs_a_subsegment_under_the_parent_it_names)
{
    struct built b = BUILD(SUBSEGMENT(C, B, "c", "02", "03") "}",
                           SUBSEGMENT(B, A, "b", "02", "03") "}", SEGMENT(A, "a", "01", "04") "}");
    cr_expect_str_eq(parent_name(&b.trace, "c"), "b");
    cr_expect_str_eq(parent_name(&b.trace, "b"), "a");
    cr_expect_null(parent_name(&b.trace, "a"));
    cr_expect_eq(b.trace.nodes[node_named(&b.trace, "c")].depth, 2);
    free_built(&b);
}

Test(trace, hangs_a_segment_under_the_call_that_led_to_it)
{
    struct built b = BUILD(
        SEGMENT(C, "callee", "02", "03") ",'parent_id':'000000000000000B'}",
        SEGMENT(A, "caller", "01", "04") ",'subsegments':[{'id':'" B
                                         "','name':'call','start_time':1700000002,"
                                         "'end_time':1700000003}]}");
    cr_expect_str_eq(parent_name(&b.trace, "callee"), "call");
    free_built(&b);
}

Test(trace, orders_siblings_by_time)
{
    struct built b = BUILD(SEGMENT(A, "a", "01", "09") "}",
                           SUBSEGMENT(B, A, "late", "05", "06") "}",
                           SUBSEGMENT(C, A, "early", "02", "03") "}");
    size_t first = b.trace.nodes[node_named(&b.trace, "a")].first_child;
    cr_expect_eq(first, node_named(&b.trace, "early"));
    cr_expect_eq(b.trace.nodes[first].next, node_named(&b.trace, "late"));
    free_built(&b);
}

Test(trace, says_which_parents_are_missing)
{
    struct built b = BUILD(SUBSEGMENT(B, A, "b", "02", "03") "}");
    const struct trace_node *node = &b.trace.nodes[node_named(&b.trace, "b")];
    cr_expect_eq(node->parent_state, PARENT_MISSING);
    cr_expect_eq(node->parent_id, 0xa);
    free_built(&b);
}

Test(trace, cuts_a_circle)
{
    struct built b = BUILD(
        SUBSEGMENT(A, B, "a", "02", "03") "}", SUBSEGMENT(B, C, "b", "02", "03") "}",
        SUBSEGMENT(C, A, "c", "02", "03") "}", SUBSEGMENT(D, C, "d", "02", "03") "}");
    size_t seen = 0;
    for (size_t i = b.trace.first_root; i != TRACE_NONE; i = trace_next(&b.trace, i))
        seen++;
    cr_expect_eq(seen, 4);
    cr_expect_eq(b.trace.nodes[b.trace.first_root].parent_state, PARENT_CIRCULAR);
    cr_expect_eq(b.trace.nodes[b.trace.first_root].next, TRACE_NONE);
    free_built(&b);
}

Test(trace, cuts_one_that_is_its_own_parent)
{
    struct built b = BUILD(SUBSEGMENT(A, A, "a", "02", "03") "}");
    cr_expect_eq(b.trace.nodes[b.trace.first_root].parent_state, PARENT_CIRCULAR);
    free_built(&b);
}

Test(trace, takes_the_complete_one_of_an_embedded_and_a_separate_subsegment)
{
    struct built b = BUILD(
        SEGMENT(A, "a", "01", "04") ",'subsegments':[{'id':'" B
                                    "','name':'running','start_time':1700000002}]}",
        SUBSEGMENT(B, A, "done", "02", "03") "}");
    cr_expect_str_eq(parent_name(&b.trace, "done"), "a");
    expect_document(&b.trace, "a",
                    SEGMENT(A, "a", "01", "04") ",'subsegments':[{'id':'" B
                                                "','name':'done','start_time':1700000002,"
                                                "'end_time':1700000003}]}");
    free_built(&b);
}

Test(trace, keeps_the_embedded_one_if_only_that_is_complete)
{
    struct built b = BUILD(SEGMENT(A, "a", "01", "04") ",'subsegments':[{'id':'" B
                                                       "','name':'done','start_time':1700000002,"
                                                       "'end_time':1700000003}]}",
                           "{'trace_id':'" TRACE "','id':'" B "','parent_id':'" A
                           "','type':'subsegment','name':'running','start_time':1700000002}");
    cr_expect_str_eq(parent_name(&b.trace, "done"), "a");
    for (size_t i = b.trace.first_root; i != TRACE_NONE; i = trace_next(&b.trace, i))
        cr_expect_str_neq(trace_string(b.trace.nodes[i].json, "name"), "running");
    free_built(&b);
}

Test(joined_document, of_one_segment_is_its_own_text)
{
    static const char text[] = SEGMENT(A, "a", "01.10", "02") ",'metadata':{'n':{'big':"
                                                              "18446744073709551615}},'new':1.50}";
    struct built b = BUILD(text);
    expect_document(&b.trace, "a", text);
    free_built(&b);
}

Test(joined_document, has_its_subsegments_without_their_travel_members)
{
    struct built b = BUILD(SEGMENT(A, "a", "01", "04") "}",
                           SUBSEGMENT(B, A, "b", "02", "03") ",'x':1}");
    expect_document(&b.trace, "a",
                    SEGMENT(A, "a", "01", "04") ",'subsegments':[{'id':'" B
                                                "','name':'b','start_time':1700000002,"
                                                "'end_time':1700000003,'x':1}]}");
    free_built(&b);
}

Test(joined_document, adds_to_what_is_embedded_in_the_order_of_time)
{
    struct built b = BUILD(
        SEGMENT(A, "a", "01",
                "09") ",'subsegments' : [ 5, {'name':'e2','start_time':1700000004},"
                      " {'id':'" C
                      "','name':'e1','start_time':1700000002,'subsegments':[]} ],'z':0}",
        SUBSEGMENT(B, A, "s", "03", "04") "}", SUBSEGMENT(D, C, "deep", "02", "03") "}");
    expect_document(
        &b.trace, "a",
        SEGMENT(A, "a", "01",
                "09") ",'subsegments':[{'id':'" C
                      "','name':'e1','start_time':1700000002,'subsegments':[{'id':'" D
                      "','name':'deep','start_time':1700000002,'end_time':1700000003}]},"
                      "{'id':'" B "','name':'s','start_time':1700000003,'end_time':1700000004},"
                      "{'name':'e2','start_time':1700000004}],'z':0}");
    free_built(&b);
}

Test(joined_document, does_not_swallow_the_segment_of_another_service)
{
    struct built b = BUILD(SEGMENT(A, "a", "01", "04") "}",
                           SEGMENT(B, "b", "02", "03") ",'parent_id':'" A "'}");
    expect_document(&b.trace, "a", SEGMENT(A, "a", "01", "04") "}");
    expect_document(&b.trace, "b", SEGMENT(B, "b", "02", "03") ",'parent_id':'" A "'}");
    free_built(&b);
}

Test(joined_document, of_a_subsegment_without_parent_stands_alone_with_its_children)
{
    struct built b = BUILD(SUBSEGMENT(B, A, "b", "02", "03") "}",
                           SUBSEGMENT(C, B, "c", "02", "03") "}");
    expect_document(&b.trace, "b",
                    SUBSEGMENT(B, A, "b", "02", "03") ",'subsegments':[{'id':'" C
                                                      "','name':'c','start_time':1700000002,"
                                                      "'end_time':1700000003}]}");
    cr_expect_not(trace_is_entry(&b.trace, node_named(&b.trace, "c")));
    free_built(&b);
}

/* A chain of subsegments sent one by one, deeper than JSON parsers go. */
static struct built build_chain(size_t length)
{
    const char **texts = calloc(length + 1, sizeof *texts);
    for (size_t i = 0; i < length; i++) {
        char text[256];
        snprintf(text, sizeof text,
                 "{'trace_id':'" TRACE "','id':'%016zx','name':'n%zu','start_time':1,'end_time':2,"
                 "'type':'subsegment','parent_id':'%016zx'}",
                 i + 1, i, i ? i : 999999);
        texts[i] = strdup(text);
    }
    struct built built = build(texts);
    for (size_t i = 0; i < length; i++)
        free((void *)texts[i]);
    free((void *)texts);
    return built;
}

Test(joined_document, ends_before_it_is_too_deep_to_be_read)
{
    struct built b = build_chain(1000);
    size_t entries = 0;
    for (size_t i = 0; i < b.trace.count; i++) {
        struct buffer text = { 0 };
        struct json_error error;
        if (!trace_is_entry(&b.trace, i))
            continue;
        entries++;
        trace_write_document(&b.trace, i, &text);
        cr_expect(json_text_check(text.text, text.length, &error), "%s", error.reason);
        buffer_free(&text);
    }
    cr_expect_eq(entries, 3);
    free_built(&b);
}

/* Many say the same parent, whose id many embedded subsegments have that do not count:
   without an order among them this would look at each for each. */
Test(trace, finds_parents_among_many_that_do_not_count, .timeout = 60)
{
    enum { LISTS = 40, EMBEDDED = 10000, CHILDREN = 20000 };
    size_t count = 0;
    char **texts = calloc(LISTS + CHILDREN + 2, sizeof(char *));
    struct buffer list = { 0 };
    for (int i = 0; i < EMBEDDED; i++)
        buffer_printf(&list, "%s{'id':'ffffffffffffff00'}", i ? "," : "");
    buffer_append(&list, "", 1);
    for (size_t i = 0; i < LISTS; i++)
        asprintf(&texts[count++],
                 "{'trace_id':'" TRACE "','id':'%016zx','start_time':1,'subsegments':[%s]}", i + 1,
                 list.text);
    asprintf(&texts[count++], "%s", SUBSEGMENT("ffffffffffffff00", A, "own", "01", "02") "}");
    for (size_t i = 0; i < CHILDREN; i++)
        asprintf(&texts[count++],
                 "{'trace_id':'" TRACE
                 "','id':'%016zx','start_time':1,'parent_id':'ffffffffffffff00'}",
                 0x100000 + i);
    struct built b = build((const char *const *)texts);
    size_t own = node_named(&b.trace, "own");
    size_t children = 0;
    for (size_t i = b.trace.nodes[own].first_child; i != TRACE_NONE; i = b.trace.nodes[i].next)
        children++;
    cr_expect_eq(children, CHILDREN);
    free_built(&b);
    for (size_t i = 0; i < count; i++)
        free(texts[i]);
    free((void *)texts);
    buffer_free(&list);
}
