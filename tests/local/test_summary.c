/* SPDX-License-Identifier: Apache-2.0 */
/* What GetTraceSummaries says of a trace. */
#include "local/trace/summary.h"

#include "support.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define A "000000000000000a"
#define B "000000000000000b"
#define C "000000000000000c"

static void expect_members(cJSON *summary, const char *const *names, const char *wanted)
{
    cJSON *chosen = cJSON_CreateObject();
    for (; *names; names++) {
        cJSON *member = cJSON_GetObjectItemCaseSensitive(summary, *names);
        cr_assert_not_null(member, "%s", *names);
        cJSON_AddItemToObject(chosen, *names, cJSON_Duplicate(member, true));
    }
    char *text = cJSON_PrintUnformatted(chosen);
    char *json = quoted(wanted);
    cr_expect_str_eq(text, json);
    free(text);
    free(json);
    cJSON_Delete(chosen);
}

static cJSON *summary_of(const char *const *texts)
{
    struct built b = build(texts);
    struct trace_id id = parsed_id(TRACE);
    struct facts *facts;
    cr_assert_eq(facts_new(&facts, &b.trace, &id), 0);
    cJSON *summary = summary_new(facts, 1);
    facts_unref(facts);
    cr_assert_not_null(summary);
    free_built(&b);
    return summary;
}

#define EXPECT(members, wanted, ...)                                              \
    do {                                                                          \
        cJSON *summary_ = summary_of((const char *const[]){ __VA_ARGS__, NULL }); \
        expect_members(summary_, (const char *const[])members, wanted);           \
        cJSON_Delete(summary_);                                                   \
    } while (0)
#define MEMBERS(...)      \
    {                     \
        __VA_ARGS__, NULL \
    }

Test(summary, takes_response_time_from_the_root_and_duration_from_the_last_end)
{
    EXPECT(MEMBERS("Id", "StartTime", "Duration", "ResponseTime"),
           "{'Id':'" TRACE "','StartTime':1700000001.25,'Duration':3.75,'ResponseTime':1.5}",
           SEGMENT(A, "a", "01.25", "02.75") "}", SUBSEGMENT(B, A, "later", "02", "05") "}");
}

Test(summary, rounds_durations_to_the_microsecond)
{
    EXPECT(MEMBERS("Duration"), "{'Duration':0.153}", SEGMENT(A, "a", "01.1", "01.253") "}");
}

Test(summary, has_the_marks_of_the_root_and_any_segments_throttle)
{
    EXPECT(MEMBERS("HasFault", "HasError", "HasThrottle"),
           "{'HasFault':false,'HasError':true,'HasThrottle':true}",
           SEGMENT(A, "a", "01", "04") ",'error':true}",
           SEGMENT(B, "b", "02", "03") ",'parent_id':'" A "','throttle':true,'fault':true}");
}

Test(summary, is_not_partial_when_all_is_there)
{
    EXPECT(MEMBERS("IsPartial"), "{'IsPartial':false}", SEGMENT(A, "a", "01", "04") "}",
           SUBSEGMENT(B, A, "b", "02", "03") ",'traced':true}",
           SEGMENT(C, "c", "02", "03") ",'parent_id':'" B "'}");
}

Test(summary, is_partial_while_something_is_in_progress)
{
    EXPECT(MEMBERS("IsPartial", "Duration", "ResponseTime"),
           "{'IsPartial':true,'Duration':0,'ResponseTime':0}",
           "{'trace_id':'" TRACE "','id':'" A "','start_time':5,'in_progress':true}");
}

Test(summary, is_partial_when_a_parent_is_missing)
{
    EXPECT(MEMBERS("IsPartial"), "{'IsPartial':true}", SEGMENT(A, "a", "01", "04") "}",
           SUBSEGMENT(B, C, "b", "02", "03") "}");
}

Test(summary, is_partial_when_a_traced_call_has_no_segment)
{
    EXPECT(MEMBERS("IsPartial"), "{'IsPartial':true}", SEGMENT(A, "a", "01", "04") "}",
           SUBSEGMENT(B, A, "b", "02", "03") ",'traced':true}");
}

Test(summary, has_an_http_object_even_if_empty)
{
    EXPECT(MEMBERS("Http"), "{'Http':{}}", SEGMENT(A, "a", "01", "04") "}");
    EXPECT(MEMBERS("Http"), "{'Http':{}}", SUBSEGMENT(B, C, "b", "02", "03") "}");
}

Test(summary, has_the_roots_http)
{
    EXPECT(MEMBERS("Http"),
           "{'Http':{'HttpURL':'http://u','HttpStatus':404,'HttpMethod':'GET',"
           "'UserAgent':'curl','ClientIp':'127.0.0.1'}}",
           SEGMENT(A, "a", "01",
                   "04") ",'http':{'request':{'method':'GET','url':'http://u','user_agent':'curl',"
                         "'client_ip':'127.0.0.1'},'response':{'status':404}}}");
}

Test(summary, lists_each_annotation_value_once_with_its_services)
{
    EXPECT(MEMBERS("Annotations"),
           "{'Annotations':{'k':[{'AnnotationValue':{'StringValue':'v'},'ServiceIds':["
           "{'Name':'a','Names':['a']},{'Name':'b','Names':['b']}]}],"
           "'n':[{'AnnotationValue':{'NumberValue':1.5},'ServiceIds':[{'Name':'a','Names':['a']}]},"
           "{'AnnotationValue':{'BooleanValue':true},'ServiceIds':[{'Name':'a','Names':['a']}]}]}}",
           SEGMENT(A, "a", "01", "04") ",'annotations':{'k':'v','n':1.5,'bad':[1],'none':null},"
                                       "'subsegments':[{'annotations':{'n':true,'k':'v'}}]}",
           SEGMENT(B, "b", "02", "03") ",'parent_id':'" A "','annotations':{'k':'v'}}");
}

Test(summary, lists_users)
{
    EXPECT(MEMBERS("Users"),
           "{'Users':[{'UserName':'u','ServiceIds':[{'Name':'a','Names':['a']}]}]}",
           SEGMENT(A, "a", "01", "04") ",'user':'u'}");
}

Test(summary, lists_services_and_the_client_and_names_the_entry_point)
{
    EXPECT(MEMBERS("ServiceIds", "EntryPoint"),
           "{'ServiceIds':[{'Name':'a','Names':['a'],'AccountId':'1','Type':'AWS::X'},"
           "{'Name':'a','Names':['a'],'Type':'client'}],"
           "'EntryPoint':{'Name':'a','Names':['a'],'AccountId':'1','Type':'AWS::X'}}",
           SEGMENT(A, "a", "01", "04") ",'origin':'AWS::X','aws':{'account_id':'1'}}");
}

Test(summary, prefers_a_root_that_names_no_parent)
{
    EXPECT(MEMBERS("EntryPoint"), "{'EntryPoint':{'Name':'root','Names':['root']}}",
           SEGMENT(A, "stray", "01", "04") ",'parent_id':'" C "'}",
           SEGMENT(B, "root", "02", "04") "}");
}

Test(summary, lists_resources)
{
    EXPECT(MEMBERS("ResourceARNs", "InstanceIds", "AvailabilityZones"),
           "{'ResourceARNs':[{'ARN':'arn:a'}],'InstanceIds':[{'Id':'i-1'}],"
           "'AvailabilityZones':[{'Name':'z1'},{'Name':'z2'}]}",
           SEGMENT(A, "a", "01", "04") ",'resource_arn':'arn:a','aws':{'ec2':{'instance_id':'i-1','"
                                       "availability_zone':'z1'}}}",
           SEGMENT(B, "b", "02", "03") ",'aws':{'ecs':{'availability_zone':'z2'}}}");
}

/* If each were compared with each this would take minutes. */
Test(summary, has_a_thousand_services_of_a_trace_with_more, .timeout = 100)
{
    enum { SEGMENTS = 20000, TIMES = 20 };
    char **texts = calloc(SEGMENTS + 1, sizeof(char *));
    for (int i = 0; i < SEGMENTS; i++)
        cr_assert_gt(asprintf(&texts[i],
                              "{'trace_id':'" TRACE "','id':'%016x','name':'s%d','user':'u',"
                              "'start_time':1700000000,'end_time':1700000001}",
                              i + 1, i / 2),
                     0);
    struct built b = build((const char *const *)texts);
    struct trace_id id = parsed_id(TRACE);
    struct facts *facts;
    cr_assert_eq(facts_new(&facts, &b.trace, &id), 0);
    for (int i = 0; i < TIMES; i++) {
        cJSON *summary = summary_new(facts, 1);
        const cJSON *services = cJSON_GetObjectItemCaseSensitive(summary, "ServiceIds");
        const cJSON *user = cJSON_GetObjectItemCaseSensitive(summary, "Users")->child;
        cr_expect_eq(cJSON_GetArraySize(services), SUMMARY_ITEMS_MAX);
        cr_expect_str_eq(trace_string(cJSON_GetArrayItem(services, 999), "Name"), "s999");
        cr_expect_null(user->next);
        cr_expect_eq(cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(user, "ServiceIds")),
                     SUMMARY_ITEMS_MAX);
        cJSON_Delete(summary);
    }
    facts_unref(facts);
    free_built(&b);
    for (int i = 0; i < SEGMENTS; i++)
        free(texts[i]);
    free((void *)texts);
}
