/* SPDX-License-Identifier: Apache-2.0 */
/* Each rule by a document that breaks just this one. */
#include "local/base/buffer.h"
#include "local/trace/lint.h"
#include "support.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FOUND_MAX 300

struct found {
    struct finding findings[FOUND_MAX];
    size_t count;
};

static void add(void *data, const struct finding *finding)
{
    struct found *found = data;
    cr_assert_lt(found->count, FOUND_MAX);
    found->findings[found->count++] = *finding;
}

static struct found *lint_bytes(const char *text, size_t bytes)
{
    struct found *found = calloc(1, sizeof *found);
    char *json = quoted(text);
    cJSON *document = cJSON_Parse(json);
    cr_assert_not_null(document, "%s", text);
    lint_document(document, bytes, add, found);
    cJSON_Delete(document);
    free(json);
    return found;
}

static struct found *lint(const char *text)
{
    return lint_bytes(text, strlen(text));
}

#define IDS             "'trace_id':'" TRACE "','id':'0000000000000001'"
#define TIMES           "'start_time':1,'end_time':2"
#define HEAD            "{" IDS "," TIMES ",'name':'n'"
#define CHILD           "{'id':'0000000000000002'," TIMES ",'name':'c'"
#define INNER           "subsegments[0]"
#define WITHIN(members) HEAD ",'subsegments':[" CHILD members "}]}"

struct rule {
    const char *document;
    const char *code;
    enum finding_level level;
    const char *path;
};

static void expect(const struct rule *rules, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct found *found = lint(rules[i].document);
        cr_assert_eq(found->count, 1, "%s: %zu findings, the first is %s at %s", rules[i].document,
                     found->count, found->findings[0].code, found->findings[0].path);
        cr_expect_str_eq(found->findings[0].code, rules[i].code, "%s", rules[i].document);
        cr_expect_eq(found->findings[0].level, rules[i].level, "%s", rules[i].document);
        cr_expect_str_eq(found->findings[0].path, rules[i].path, "%s", rules[i].document);
        cr_expect_gt(strlen(found->findings[0].message), 10);
        free(found);
    }
}

#define EXPECT(...)                                    \
    do {                                               \
        const struct rule rules[] = { __VA_ARGS__ };   \
        expect(rules, sizeof rules / sizeof rules[0]); \
    } while (0)

Test(lint, finds_nothing_in_a_document_with_all_that_is_allowed)
{
    struct found *found = lint(
        HEAD ",'parent_id':'0000000000000009','service':{'version':'1','runtime':'gc'},"
             "'user':'u','origin':'AWS::EC2::Instance','resource_arn':'arn:x','fault':true,"
             "'http':{'request':{'method':'GET','url':'http://x/','user_agent':'a','client_ip':"
             "'::1','x_forwarded_for':true},'response':{'status':500,'content_length':5}},"
             "'annotations':{'a_b.C9':'x','n':1.5,'b':false},'metadata':{'default':{'x':[1]}},"
             "'links':[{'trace_id':'" TRACE "','id':'0000000000000003','attributes':{'k':1}}],"
             "'aws':{'anything':{'at':'all'}},"
             "'cause':{'working_directory':'/','paths':['a'],'exceptions':[{'id':"
             "'0000000000000004','message':'m','type':'t','remote':true,'truncated':1,'skipped':2,"
             "'cause':'0000000000000005','stack':[{'path':'p','line':1,'label':'l'}]}]},"
             "'subsegments':[" CHILD
             ",'namespace':'remote','traced':true,'precursor_ids':['0000000000000001'],"
             "'error':true,'throttle':true,'http':{'response':{'status':429}},"
             "'cause':'0000000000000004','sql':{'url':'postgresql://h:5432/db','user':'u',"
             "'sanitized_query':'SELECT 1','database_type':'PostgreSQL'}},"
             "{'id':'0000000000000006','name':'\xc3\xa4 _.:/%&#=+-@','start_time':1,"
             "'in_progress':true}]}");
    cr_assert_eq(found->count, 0, "%s at %s", found->findings[0].code, found->findings[0].path);
    free(found);
}

Test(lint, names_what_the_service_rejects)
{
    EXPECT({ "{" IDS "," TIMES "}", "name-missing", FINDING_ERROR, "name" },
           { "{" IDS "," TIMES ",'name':''}", "name-missing", FINDING_ERROR, "name" },
           { "{" IDS "," TIMES ",'name':5}", "name-missing", FINDING_ERROR, "name" },
           { "{" IDS "," TIMES ",'name':'a?b'}", "name-characters", FINDING_ERROR, "name" },
           { "{" IDS "," TIMES ",'name':'a\\tb'}", "name-characters", FINDING_ERROR, "name" },
           { "{" IDS ",'name':'n','end_time':2}", "start-time-missing", FINDING_ERROR, "" },
           { "{" IDS ",'name':'n','start_time':1}", "end-time-missing", FINDING_ERROR, "" },
           { "{" TIMES ",'name':'n'}", "id", FINDING_ERROR, "id" },
           { HEAD ",'subsegments':[5]}", "subsegment", FINDING_ERROR, INNER },
           { HEAD ",'subsegments':[{'id':'xyz'," TIMES ",'name':'c'}]}", "id", FINDING_ERROR,
             INNER ".id" });
}

Test(lint, counts_the_characters_of_a_name_and_not_its_bytes)
{
    for (size_t length = 200; length <= 201; length++) {
        struct buffer text = { 0 };
        buffer_puts(&text, "{" IDS "," TIMES ",'name':'");
        buffer_repeat(&text, "\xc3\xa4", length);
        buffer_puts(&text, "'}");
        struct found *found = lint(text.text);
        cr_assert_eq(found->count, length - 200);
        cr_assert(!found->count || strcmp(found->findings[0].code, "name-length") == 0);
        free(found);
        buffer_free(&text);
    }
}

Test(lint, takes_documents_of_64_kilobytes)
{
    struct found *found = lint_bytes(HEAD "}", 65536);
    cr_assert_eq(found->count, 0);
    free(found);
    found = lint_bytes(HEAD "}", 65537);
    cr_assert_eq(found->count, 1);
    cr_assert_str_eq(found->findings[0].code, "document-size");
    cr_assert_eq(found->findings[0].level, FINDING_ERROR);
    free(found);
}

Test(lint, names_times_that_contradict_each_other)
{
    EXPECT({ HEAD ",'in_progress':true}", "end-time-in-progress", FINDING_WARNING, "" },
           { "{" IDS ",'name':'n','start_time':2,'end_time':1}", "end-before-start",
             FINDING_WARNING, "" });
}

Test(lint, names_annotations_that_are_not_indexed)
{
    EXPECT(
        { HEAD ",'annotations':{'a-b':1}}", "annotation-key", FINDING_WARNING, "annotations.a-b" },
        { HEAD ",'annotations':{'\xc3\xa4':1}}", "annotation-key", FINDING_WARNING,
          "annotations.\xc3\xa4" },
        { HEAD ",'annotations':{'':1}}", "annotation-key", FINDING_WARNING, "annotations." },
        { HEAD ",'annotations':{'a':null}}", "annotation-value", FINDING_WARNING, "annotations.a" },
        { HEAD ",'annotations':{'a':{}}}", "annotation-value", FINDING_WARNING, "annotations.a" },
        { WITHIN(",'annotations':{'a':[]}"), "annotation-value", FINDING_WARNING,
          INNER ".annotations.a" });
}

Test(lint, counts_annotations_over_all_of_the_document)
{
    struct buffer text = { 0 };
    buffer_puts(&text, HEAD ",'annotations':{'k':1");
    for (int i = 1; i < 30; i++)
        buffer_printf(&text, ",'k%d':1", i);
    buffer_puts(&text, "},'subsegments':[" CHILD ",'annotations':{'k':1");
    for (int i = 1; i < 25; i++)
        buffer_printf(&text, ",'k%d':1", i);
    buffer_puts(&text, "}}]}");
    struct found *found = lint(text.text);
    cr_assert_eq(found->count, 1);
    cr_assert_str_eq(found->findings[0].code, "annotation-count");
    cr_assert_str_eq(found->findings[0].path, INNER ".annotations.k20");
    free(found);
    buffer_free(&text);
}

Test(lint, names_texts_that_are_too_long)
{
    static const struct {
        const char *before;
        const char *after;
        size_t most;
        const char *code;
    } cases[] = {
        { HEAD ",'user':'", "'}", 250, "string-length" },
        { HEAD ",'http':{'request':{'url':'", "'}}}", 250, "string-length" },
        { HEAD ",'annotations':{'a':'", "'}}", 1000, "annotation-length" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t more = 0; more < 2; more++) {
            struct buffer text = { 0 };
            buffer_puts(&text, cases[i].before);
            buffer_repeat(&text, "x", cases[i].most + more);
            buffer_puts(&text, cases[i].after);
            struct found *found = lint(text.text);
            cr_assert_eq(found->count, more, "%s", cases[i].before);
            cr_assert(!more || strcmp(found->findings[0].code, cases[i].code) == 0);
            free(found);
            buffer_free(&text);
        }
    }
}

Test(lint, names_fields_that_will_be_dropped)
{
    EXPECT(
        { HEAD ",'Dummy':false}", "unknown-field", FINDING_WARNING, "Dummy" },
        { HEAD ",'http':{'request':{'path':'/'}}}", "unknown-field", FINDING_WARNING,
          "http.request.path" },
        { HEAD ",'http':{'response':{'size':1}}}", "unknown-field", FINDING_WARNING,
          "http.response.size" },
        { HEAD ",'cause':{'exceptions':[{'id':'0000000000000001','kind':1}]}}", "unknown-field",
          FINDING_WARNING, "cause.exceptions[0].kind" },
        { HEAD ",'cause':{'exceptions':[{'id':'0000000000000001','stack':[{},{'file':1}]}]}}",
          "unknown-field", FINDING_WARNING, "cause.exceptions[0].stack[1].file" },
        { HEAD ",'sql':{'query':'x'}}", "unknown-field", FINDING_WARNING, "sql.query" },
        { HEAD ",'links':[{'span':1}]}", "unknown-field", FINDING_WARNING, "links[0].span" },
        { WITHIN(",'notTraced':true"), "unknown-field", FINDING_WARNING, INNER ".notTraced" },
        { WITHIN(",'user':'u'"), "segment-only", FINDING_WARNING, INNER ".user" },
        { WITHIN(",'http':{'request':{'x_forwarded_for':true}}"), "segment-only", FINDING_WARNING,
          INNER ".http.request.x_forwarded_for" },
        { HEAD ",'type':'subsegment','origin':'x'}", "segment-only", FINDING_WARNING, "origin" });
}

Test(lint, names_values_of_another_type)
{
    EXPECT({ HEAD ",'fault':1,'cause':{}}", "type", FINDING_WARNING, "fault" },
           { HEAD ",'http':[]}", "type", FINDING_WARNING, "http" },
           { HEAD ",'user':5}", "type", FINDING_WARNING, "user" },
           { HEAD ",'http':{'response':{'status':'200'}}}", "type", FINDING_WARNING,
             "http.response.status" },
           { HEAD ",'http':{'response':{'content_length':1.5}}}", "type", FINDING_WARNING,
             "http.response.content_length" },
           { HEAD ",'annotations':[]}", "type", FINDING_WARNING, "annotations" },
           { HEAD ",'metadata':'x'}", "type", FINDING_WARNING, "metadata" },
           { HEAD ",'subsegments':{}}", "type", FINDING_WARNING, "subsegments" });
}

Test(lint, names_causes_that_are_none)
{
    EXPECT({ HEAD ",'cause':5}", "cause", FINDING_WARNING, "cause" },
           { HEAD ",'cause':'x'}", "cause", FINDING_WARNING, "cause" },
           { HEAD ",'cause':{'exceptions':[{'message':'m'}]}}", "exception-id", FINDING_WARNING,
             "cause.exceptions[0]" });
}

Test(lint, notes_outcomes_that_are_counted_otherwise)
{
    EXPECT(
        { HEAD ",'fault':true}", "fault-without-cause", FINDING_NOTE, "" },
        { HEAD ",'fault':true,'http':{'response':{'status':200}}}", "fault-without-cause",
          FINDING_NOTE, "" },
        { HEAD ",'http':{'response':{'status':500}}}", "status-without-fault", FINDING_NOTE, "" },
        { HEAD ",'http':{'response':{'status':404}}}", "status-without-error", FINDING_NOTE, "" },
        { HEAD ",'error':true,'http':{'response':{'status':429}}}", "status-without-throttle",
          FINDING_NOTE, "" });
}

Test(lint, takes_a_status_for_the_cause_of_a_fault)
{
    struct found *found = lint(HEAD ",'fault':true,'http':{'response':{'status':503}}}");
    cr_assert_eq(found->count, 0);
    free(found);
}

Test(lint, notes_what_other_readers_trip_over)
{
    EXPECT({ WITHIN(",'namespace':'mine'"), "namespace", FINDING_NOTE, INNER ".namespace" },
           { WITHIN(",'sql':{'url':'db.example'}"), "sql-url", FINDING_NOTE, INNER ".sql.url" },
           { WITHIN(",'sql':{'url':'sqlite:///x'}"), "sql-url", FINDING_NOTE, INNER ".sql.url" },
           { WITHIN(",'sql':{'url':'a://host/'}"), "sql-url", FINDING_NOTE, INNER ".sql.url" },
           { WITHIN(",'sql':{'url':'a://host?x'}"), "sql-url", FINDING_NOTE, INNER ".sql.url" },
           { HEAD ",'metadata':{'x':5}}", "metadata-namespace", FINDING_NOTE, "metadata.x" },
           { HEAD ",'metadata':{'AWS.x':{}}}", "metadata-reserved", FINDING_WARNING,
             "metadata.AWS.x" });
}

Test(lint, takes_twenty_links)
{
    for (int count = 20; count <= 21; count++) {
        struct buffer text = { 0 };
        buffer_puts(&text, HEAD ",'links':[{}");
        for (int i = 1; i < count; i++)
            buffer_puts(&text, ",{}");
        buffer_puts(&text, "]}");
        struct found *found = lint(text.text);
        cr_assert_eq(found->count, (size_t)count - 20);
        free(found);
        buffer_free(&text);
    }
}

Test(lint, leaves_findings_out_beyond_its_limit)
{
    struct buffer text = { 0 };
    buffer_puts(&text, HEAD);
    for (int i = 0; i < 1000; i++)
        buffer_printf(&text, ",'x%d':1", i);
    buffer_puts(&text, "}");
    struct found *found = lint(text.text);
    cr_assert_eq(found->count, LINT_FINDINGS_MAX);
    free(found);
    buffer_free(&text);
}

Test(lint, cuts_a_long_path_between_characters)
{
    for (size_t shift = 0; shift < 2; shift++) {
        struct buffer text = { 0 };
        buffer_puts(&text, HEAD ",'");
        buffer_repeat(&text, "x", shift);
        buffer_repeat(&text, "\xc3\xa4", 200);
        buffer_puts(&text, "':1}");
        struct found *found = lint(text.text);
        const char *path = found->findings[0].path;
        cr_assert_eq((strlen(path) - shift) % 2, 0);
        cr_assert_gt(strlen(path), 150);
        free(found);
        buffer_free(&text);
    }
}
