/* SPDX-License-Identifier: Apache-2.0 */
/* What each sentence of the filter language means, said of the facts of small traces. */
#include "local/filter/filter.h"

#include "support.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define A "000000000000000a"
#define B "000000000000000b"
#define C "000000000000000c"
#define D "000000000000000d"

static struct facts *facts_of(const char *const *texts)
{
    struct built b = build(texts);
    struct trace_id id = parsed_id(TRACE);
    struct facts *facts = NULL;
    cr_assert_eq(facts_new(&facts, &b.trace, &id), 0);
    free_built(&b);
    return facts;
}
#define FACTS(...) facts_of((const char *const[]){ __VA_ARGS__, NULL })

/* A shop that calls a stock, which fails on a table; the shop makes an error of it. */
static struct facts *shop(void)
{
    return FACTS(
        SEGMENT(
            A, "shop", "00",
            "02") ",'error':true,'user':'ann','origin':'AWS::EC2::Instance',"
                  "'http':{'request':{'url':'http://shop/order','method':'POST','user_agent':'curl/"
                  "8',"
                  "'client_ip':'10.0.0.1'},'response':{'status':404}},"
                  "'annotations':{'customer':'c7','count':3,'paid':true,'free':false,'odd "
                  "key':'x'},"
                  "'aws':{'account_id':'123456789012','ec2':{'instance_id':'i-1','availability_"
                  "zone':'z1'}},"
                  "'cause':{'exceptions':[{'id':'00000000000000e1','type':'NotFound','message':'no "
                  "such'}]},"
                  "'subsegments':[{'id':'" B "','name':'stock','start_time':1700000000.5,"
                  "'end_time':1700000001.5,'namespace':'remote','error':true,'http':{'response':"
                  "{'status':500}}}]}",
        SEGMENT(
            C, "stock", "00.6",
            "01.4") ",'parent_id':'" B "','fault':true,'origin':'AWS::ECS::Container','user':'bob',"
                    "'annotations':{'customer':'c8'},"
                    "'subsegments':[{'id':'" D "','name':'DynamoDB','namespace':'aws','fault':true,"
                    "'start_time':1700000000.7,'end_time':1700000001.3,'aws':{'table_name':'items',"
                    "'operation':'GetItem'},'cause':{'exceptions':[{'id':'00000000000000e2',"
                    "'type':'Throttled','message':'too fast','remote':true}]}}]}");
}

/* 1 or 0; an expression that is wrong is a failure. */
static int matches_with(const struct facts *facts, const char *text,
                        const struct filter_groups *groups)
{
    struct filter *filter = NULL;
    struct filter_error error;
    int r = filter_parse(&filter, text, strlen(text), groups, &error);
    cr_assert_eq(r, 0, "%s: %s", text, r == -EINVAL ? error.message : strerror(-r));
    bool matches = filter_matches(filter, facts);
    filter_free(filter);
    return matches;
}

static int shop_matches(const char *text)
{
    struct facts *facts = shop();
    int matches = matches_with(facts, text, NULL);
    facts_unref(facts);
    return matches;
}
#define TRUE(text)  cr_expect_eq(shop_matches(text), 1, "%s", text)
#define FALSE(text) cr_expect_eq(shop_matches(text), 0, "%s", text)

static int matches(struct facts *facts, const char *text)
{
    int result = matches_with(facts, text, NULL);
    facts_unref(facts);
    return result;
}

static void expect_error(const char *text, size_t position, const char *message)
{
    struct filter *filter = NULL;
    struct filter_error error = { 0 };
    int r = filter_parse(&filter, text, strlen(text), NULL, &error);
    cr_assert_eq(r, -EINVAL, "%s", text);
    cr_expect_eq(error.position, position, "%s: %zu", text, error.position);
    cr_expect_str_eq(error.message, message);
}

static void expect_print(const char *text, const char *wanted)
{
    struct filter *filter = NULL;
    struct filter_error error;
    struct buffer buffer = { 0 };
    int r = filter_parse(&filter, text, strlen(text), NULL, &error);
    cr_assert_eq(r, 0, "%s: %s", text, error.message);
    filter_print(filter, &buffer);
    char *printed = buffer_take(&buffer, NULL);
    cr_expect_str_eq(printed, wanted);
    free(printed);
    filter_free(filter);
}

/* ---- The whole trace ---- */

Test(filter, nothing_matches_every_trace)
{
    TRUE("");
    TRUE(" \t\r\n");
}

Test(filter, asks_the_root_for_error_and_fault)
{
    TRUE("error");
    FALSE("fault");
    FALSE("ok");
    FALSE("throttle");
}

Test(filter, calls_a_root_without_flags_ok_until_it_goes_on)
{
    cr_expect(matches(FACTS(SEGMENT(A, "a", "00", "01") "}"), "ok"));
    cr_expect(!matches(FACTS("{'trace_id':'" TRACE "','id':'" A
                             "','name':'a','start_time':1700000000,'in_progress':true}"),
                       "ok"));
}

Test(filter, finds_nothing_ok_or_failed_in_a_trace_without_a_segment)
{
    const char *orphan = SUBSEGMENT(A, B, "x", "00", "01") ",'fault':true}";
    cr_expect(!matches(FACTS(orphan), "ok"));
    cr_expect(!matches(FACTS(orphan), "fault"));
    cr_expect(!matches(FACTS(orphan), "responsetime >= 0"));
    cr_expect(matches(FACTS(orphan), "partial"));
}

Test(filter, does_not_take_a_throttled_call_for_a_throttled_trace)
{
    const char *called = SEGMENT(B, "b", "00", "01") ",'parent_id':'" A
                                                     "','throttle':true,'error':true}";
    cr_expect(!matches(FACTS(SEGMENT(A, "a", "00", "01") "}", called), "throttle"));
    cr_expect(matches(FACTS(SEGMENT(A, "a", "00", "01") ",'throttle':true}"), "throttle"));
}

Test(filter, knows_the_response_time_of_the_root_and_the_duration_of_all)
{
    struct facts *facts = FACTS(SEGMENT(A, "a", "00", "01") "}",
                                SEGMENT(B, "b", "00", "03") ",'parent_id':'" A "'}");
    cr_expect(matches_with(facts, "responsetime = 1 duration = 3", NULL));
    facts_unref(facts);
}

Test(filter, compares_times_to_the_microsecond)
{
    /* In binary, 1700000000.9 - 1700000000.6 is not 0.3. */
    cr_expect(matches(FACTS(SEGMENT(A, "a", "00.6", "00.9") "}"), "duration = 0.3"));
    cr_expect(matches(FACTS(SEGMENT(A, "a", "00.6", "00.9") "}"), "responsetime <= 0.3"));
}

Test(filter, takes_an_end_before_the_start_for_no_time)
{
    cr_expect(matches(FACTS(SEGMENT(A, "a", "02", "01") "}"), "service(a) {duration = 0}"));
}

Test(filter, has_no_response_time_of_a_root_in_progress)
{
    const char *going = "{'trace_id':'" TRACE "','id':'" A
                        "','name':'a','start_time':1700000000,'in_progress':true}";
    cr_expect(!matches(FACTS(going), "responsetime < 10"));
    cr_expect(matches(FACTS(going), "!responsetime"));
}

Test(filter, compares_numbers_in_six_ways)
{
    TRUE("http.status = 404 AND http.status != 403 AND http.status > 403 AND http.status >= 404");
    TRUE("http.status < 405 AND http.status <= 404");
    FALSE("http.status = 403 OR http.status != 404 OR http.status > 404 OR http.status >= 405");
    FALSE("http.status < 404 OR http.status <= 403");
}

Test(filter, takes_http_of_the_root)
{
    TRUE("http.url = \"http://shop/order\"");
    TRUE("http.useragent BEGINSWITH curl");
    TRUE("http.clientip = 10.0.0.1");
    FALSE("http.status = 500");
}

Test(filter, compares_text_by_its_parts)
{
    TRUE("http.url CONTAINS \"/ord\" http.url BEGINSWITH \"http:\" http.url ENDSWITH \"order\"");
    FALSE("http.url CONTAINS \"/ORD\"");
    FALSE("http.url BEGINSWITH \"ttp\"");
    FALSE("http.url ENDSWITH \"orde\"");
    FALSE("user ENDSWITH \"longer than the user\"");
}

Test(filter, compares_methods_in_any_case)
{
    TRUE("http.method = post");
    TRUE("http.method BEGINSWITH \"po\" http.method ENDSWITH \"st\" http.method CONTAINS os");
    FALSE("http.method != \"post\"");
}

Test(filter, finds_users_and_names_of_any_segment)
{
    TRUE("user = ann user = bob");
    TRUE("name = stock name = shop name = items");
    TRUE("type = AWS::ECS::Container type = \"AWS::DynamoDB::Table\"");
    TRUE("account.id = 123456789012 instance.id = i-1 availabilityzone = z1");
    FALSE("user = carl");
}

Test(filter, finds_messages_of_any_exception)
{
    TRUE("message = \"no such\"");
    TRUE("message CONTAINS fast");
    FALSE("message = \"No such\"");
}

Test(filter, says_inferred_of_a_trace_with_a_service_that_sent_nothing)
{
    TRUE("inferred");
    cr_expect(!matches(FACTS(SEGMENT(A, "a", "00", "01") "}"), "inferred"));
}

Test(filter, takes_a_word_alone_for_being_there)
{
    TRUE("user http.status responsetime message");
    FALSE("resource.arn");
    TRUE("!resource.arn");
}

Test(filter, takes_contains_nothing_for_being_there)
{
    TRUE("user CONTAINS \"\"");
    FALSE("resource.arn CONTAINS \"\"");
}

Test(filter, finds_what_is_not_there_neither_equal_nor_unequal)
{
    FALSE("resource.arn = x");
    FALSE("resource.arn != x");
    FALSE("annotation.nothing != x");
    TRUE("!(resource.arn = x)");
}

Test(filter, compares_booleans_with_true_and_false)
{
    TRUE("error = true fault = FALSE fault != true");
    FALSE("error != true");
    FALSE("error = false");
}

/* ---- Annotations ---- */

Test(filter, compares_annotations_by_type)
{
    TRUE("annotation.customer = \"c7\" annotation.count = 3 annotation.paid = true");
    FALSE("annotation.count = \"3\"");
    FALSE("annotation.customer = 7");
    FALSE("annotation.paid = \"true\"");
}

Test(filter, compares_any_value_of_an_annotation)
{
    TRUE("annotation.customer = c7 annotation.customer = c8 annotation.customer != c7");
    FALSE("annotation.count != 3");
}

Test(filter, orders_annotations_that_are_numbers)
{
    TRUE("annotation.count > 2 annotation.count <= 3");
    FALSE("annotation.customer > 2");
}

Test(filter, looks_into_annotations_that_are_text)
{
    TRUE("annotation.customer BEGINSWITH c annotation.customer ENDSWITH 8");
    FALSE("annotation.count CONTAINS 3");
}

Test(filter, takes_an_annotation_alone_for_being_there_and_not_false)
{
    TRUE("annotation.customer annotation.paid !annotation.free !annotation.nothing");
}

Test(filter, takes_the_key_of_an_annotation_in_brackets)
{
    TRUE("annotation[customer] = c7");
    TRUE("ANNOTATION [ \"odd key\" ] = x");
    TRUE("annotation[\"customer\"]");
}

Test(filter, keeps_the_case_of_annotations)
{
    FALSE("annotation.Customer");
    FALSE("annotation.customer = C7");
}

/* ---- AND, OR, NOT ---- */

Test(filter, takes_words_beside_each_other_for_and)
{
    struct facts *facts = FACTS(SEGMENT(A, "a", "00", "01") "}");
    cr_expect(matches_with(facts, "ok !partial duration <3", NULL));
    cr_expect(!matches_with(facts, "ok !partial duration <1", NULL));
    cr_expect(!matches_with(facts, "ok partial duration <3", NULL));
    facts_unref(facts);
}

Test(filter, binds_and_tighter_than_or)
{
    TRUE("error OR fault AND fault");
    TRUE("fault fault OR error");
    FALSE("(error OR fault) fault");
}

Test(filter, takes_keywords_in_any_case)
{
    TRUE("ERROR aNd Http.Status = 404 oR FAULT");
    TRUE("SERVICE(\"stock\") {FAULT}");
    TRUE("RootCause.Error.Service {NAME = shop}");
}

Test(filter, takes_the_signs_of_other_languages)
{
    TRUE("error && !fault");
    TRUE("fault || error");
    TRUE("NOT fault");
    TRUE("!!error");
}

/* ---- Services ---- */

Test(filter, asks_one_service_for_all_that_is_in_braces)
{
    TRUE("service(\"stock\") {fault}");
    FALSE("service(\"shop\") {fault}");
    TRUE("service() {fault inferred}");
    FALSE("service() {error inferred}");
    TRUE("service(stock) {user = bob responsetime = 0.8 !root}");
    FALSE("service(stock) {user = ann}");
    TRUE("service(shop) {root http.status = 404 message = \"no such\" name = shop}");
    FALSE("service(shop) {message = \"too fast\"}");
}

Test(filter, takes_a_service_without_braces_for_being_there)
{
    TRUE("service(stock)");
    TRUE("service(stock) {}");
    FALSE("service(Stock)");
    FALSE("!service()");
}

Test(filter, takes_a_service_by_name_type_and_account)
{
    TRUE("service(id(name: \"stock\", type: \"AWS::ECS::Container\"))");
    FALSE("service(id(name: \"stock\", type: \"AWS::EC2::Instance\"))");
    TRUE("service(id(TYPE: AWS::DynamoDB::Table))");
    TRUE("service(id(account.id: \"123456789012\")) {name = shop}");
    FALSE("service(id(account.id: \"123456789013\"))");
    FALSE("service(id(type: \"aws::ecs::container\"))");
}

Test(filter, asks_a_segment_for_its_own_annotations)
{
    TRUE("service(stock) {annotation.customer = c8}");
    FALSE("service(stock) {annotation.customer = c7}");
}

Test(filter, knows_the_client_before_the_root)
{
    TRUE("service(id(name: \"shop\", type: \"client\"))");
    FALSE("service(id(name: \"stock\", type: \"client\"))");
    TRUE("edge(id(name: \"shop\", type: \"client\"), \"shop\") {error}");
    FALSE("edge(id(type: client), stock)");
}

Test(filter, asks_the_whole_trace_for_a_service_in_the_braces_of_another)
{
    TRUE("service(shop) {service(stock) {fault}}");
    TRUE("service(shop) {edge(shop, stock) rootcause.error.service}");
}

Test(filter, can_tell_a_service_in_progress)
{
    const char *going = "{'trace_id':'" TRACE "','id':'" B "','parent_id':'" A
                        "','name':'b','start_time':1700000000,'in_progress':true}";
    const char *root = SEGMENT(A, "a", "00", "01") "}";
    cr_expect(matches(FACTS(root, going), "service(b) {partial !responsetime !duration}"));
    cr_expect(matches(FACTS(root, going), "service(a) {!partial}"));
}

/* ---- Calls ---- */

Test(filter, asks_the_caller_of_an_edge)
{
    TRUE("edge(shop, stock)");
    FALSE("edge(stock, shop)");
    /* The caller saw an error and waited 1 s; the called had a fault in 0.8 s. */
    TRUE("edge(shop, stock) {error http.status = 500 responsetime = 1 duration = 1 remote}");
    FALSE("edge(shop, stock) {fault}");
    TRUE("edge(stock, items) {fault inferred message = \"too fast\"}");
    FALSE("edge(shop, stock) {inferred}");
    TRUE("edge(shop, stock) {root} !edge(stock, items) {root}");
}

Test(filter, leaves_either_end_of_an_edge_open)
{
    TRUE("edge()");
    TRUE("edge(,) edge(shop,) edge(, items)");
    FALSE("edge(items,)");
    FALSE("edge(, shop)");
    TRUE("edge(id(type: \"AWS::ECS::Container\"), id(name: items))");
}

/* ---- Root causes ---- */

Test(filter, walks_root_causes_by_service_entity_and_exception)
{
    TRUE("rootcause.error.service");
    FALSE("rootcause.fault.service");
    TRUE("rootcause.error.service {name = shop first index = 0}");
    TRUE("rootcause.error.entity {name = stock remote}");
    TRUE("rootcause.error.entity {name = shop message = \"no such\"}");
    TRUE("rootcause.error.exception {name = NotFound message BEGINSWITH no}");
    FALSE("rootcause.error.exception {name = shop}");
}

static struct facts *chain(void)
{
    return FACTS(SEGMENT(A, "a", "00", "01") ",'fault':true,'subsegments':[{'id':'" B
                                             "','name':'call','start_time':1700000000,"
                                             "'end_time':1700000001,'namespace':'remote',"
                                             "'fault':true}]}",
                 SEGMENT(C, "c", "00", "01") ",'parent_id':'" B "','fault':true,'cause':{"
                                             "'exceptions':[{'id':'00000000000000e1','type':'T1',"
                                             "'message':'m1'},{'id':'00000000000000e2',"
                                             "'type':'T2','message':'m2','remote':true}]}}");
}

Test(filter, knows_the_place_in_a_list_of_a_root_cause)
{
    cr_expect(matches(chain(), "rootcause.fault.service {name = c last index = 1 !first}"));
    cr_expect(matches(chain(), "rootcause.fault.service {name = a first !last}"));
    cr_expect(matches(chain(), "rootcause.fault.entity {name = call last index = 1}"));
    cr_expect(matches(chain(), "rootcause.fault.entity {name = c first last}"));
    cr_expect(matches(chain(), "rootcause.fault.exception {name = T2 last remote index = 1}"));
    cr_expect(!matches(chain(), "rootcause.fault.exception {name = T1 remote}"));
    cr_expect(!matches(chain(), "rootcause.fault.service {coverage}"));
}

Test(filter, knows_coverages_of_response_times)
{
    const char *slow = SEGMENT(A, "a", "00", "04") ",'subsegments':[{'id':'" B
                                                   "','name':'half','start_time':1700000000,"
                                                   "'end_time':1700000003}]}";
    cr_expect(matches(FACTS(slow), "rootcause.responsetime.entity {name = half coverage = 0.75}"));
    cr_expect(matches(FACTS(slow), "rootcause.responsetime.service {coverage = 1}"));
    cr_expect(!matches(FACTS(slow), "rootcause.responsetime.entity {name = half coverage > 0.75}"));
    cr_expect(matches(FACTS(slow), "rootcause.json = #[{\"Services\": [{\"EntityPath\": ["
                                   "{\"Coverage\": 1}, {\"Coverage\": 0.75}]}]}]"));
}

Test(filter, takes_what_is_left_out_of_the_json_for_anything)
{
    cr_expect(matches(chain(), "rootcause.json = #[{\"Services\": [{}, {}]}]"));
    cr_expect(matches(chain(), "rootcause.fault.json = #[{\"Services\": [{\"Name\": \"a\"}, "
                               "{\"Name\": \"c\", \"Names\": [\"c\"], \"Inferred\": false}]}]"));
    cr_expect(matches(chain(), "rootcause.json = #[{}]"));
    cr_expect(matches(chain(), "rootcause.json = #[{\"ClientImpacting\": true}]"));
    cr_expect(!matches(chain(), "rootcause.error.json = #[{}]"));
    cr_expect(!matches(chain(), "rootcause.json = #[{\"Services\": [{\"Name\": \"b\"}, {}]}]"));
    cr_expect(matches(chain(), "rootcause.json != #[{\"Services\": [{\"Name\": \"b\"}, {}]}]"));
}

Test(filter, wants_lists_in_the_json_as_long_as_in_the_cause)
{
    cr_expect(!matches(chain(), "rootcause.json = #[{\"Services\": [{}]}]"));
    cr_expect(!matches(chain(), "rootcause.json = #[{\"Services\": [{}, {}, {}]}]"));
    cr_expect(matches(chain(), "rootcause.json = #[{\"Services\": [{\"EntityPath\": [{}, {}]}, "
                               "{\"EntityPath\": [{\"Exceptions\": [{\"Name\": \"T1\"}, "
                               "{\"Message\": \"m2\"}]}]}]}]"));
    cr_expect(
        !matches(chain(), "rootcause.json = #[{\"Services\": [{\"EntityPath\": [{}]}, {}]}]"));
    cr_expect(!matches(chain(), "rootcause.json = #[{\"Services\": [{}, {\"EntityPath\": ["
                                "{\"Exceptions\": []}]}]}]"));
}

Test(filter, compares_every_member_of_the_json)
{
    struct facts *facts = shop();
    const char *const like[] = {
        "{\"AccountId\": \"123456789012\", \"Type\": \"AWS::EC2::Instance\"}",
        "{\"Inferred\": false}",
        "{\"EntityPath\": [{\"Remote\": false}, {\"Remote\": true}]}",
    };
    const char *const unlike[] = {
        "{\"AccountId\": \"123456789013\"}",
        "{\"Type\": \"AWS::ECS::Container\"}",
        "{\"Inferred\": true}",
        "{\"Names\": []}",
        "{\"Names\": [\"stock\"]}",
        "{\"EntityPath\": [{\"Remote\": false}, {\"Remote\": false}]}",
        "{\"EntityPath\": [{\"Coverage\": 1}, {}]}",
    };
    char text[256];
    for (size_t i = 0; i < sizeof like / sizeof like[0]; i++) {
        snprintf(text, sizeof text, "rootcause.error.json = #[{\"Services\": [%s]}]", like[i]);
        cr_expect(matches_with(facts, text, NULL), "%s", text);
    }
    for (size_t i = 0; i < sizeof unlike / sizeof unlike[0]; i++) {
        snprintf(text, sizeof text, "rootcause.error.json = #[{\"Services\": [%s]}]", unlike[i]);
        cr_expect(!matches_with(facts, text, NULL), "%s", text);
    }
    facts_unref(facts);
    cr_expect(!matches(chain(), "rootcause.json = #[{\"Services\": [{}, {\"EntityPath\": ["
                                "{\"Exceptions\": [{}, {\"Message\": \"m3\"}]}]}]}]"));
    cr_expect(!matches(chain(), "rootcause.json = #[{\"ClientImpacting\": false}]"));
}

Test(filter, finds_every_cause_that_the_json_lists)
{
    cr_expect(matches(chain(), "rootcause.json = #[{}, {\"Services\": [{}, {}]}]"));
    cr_expect(!matches(chain(), "rootcause.json = #[{}, {\"Services\": []}]"));
}

/* ---- Groups ---- */

static const char *find_group(void *data, const char *name, bool is_arn)
{
    (void)data;
    if (strcmp(name, is_arn ? "arn:bad" : "bad") == 0)
        return is_arn ? "error" : "error error2";
    if (strcmp(name, "loop") == 0)
        return "group.name = loop";
    if (strcmp(name, "deep") == 0)
        return "!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!ok";
    if (strcmp(name, "missing") == 0)
        return "http.status = 404";
    return strcmp(name, "failed") == 0 ? "fault OR error" : NULL;
}
static const struct filter_groups groups = { find_group, NULL };

static int group_matches(const char *text)
{
    struct facts *facts = shop();
    int result = matches_with(facts, text, &groups);
    facts_unref(facts);
    return result;
}

static void expect_group_error(const char *text, const char *message)
{
    struct filter *filter = NULL;
    struct filter_error error = { 0 };
    cr_assert_eq(filter_parse(&filter, text, strlen(text), &groups, &error), -EINVAL);
    cr_expect_str_eq(error.message, message);
}

Test(filter, asks_the_expression_of_a_group)
{
    cr_expect(group_matches("group.name = \"failed\""));
    cr_expect(!group_matches("group.name != failed"));
    cr_expect(!group_matches("!group.name = failed"));
    cr_expect(group_matches("group.arn = \"arn:bad\""));
    /* Braces do not reach into it. */
    cr_expect(group_matches("service(items) {group.name = missing}"));
    cr_expect(!group_matches("service(items) {http.status = 404}"));
}

Test(filter, tells_of_groups_that_are_not_there_or_wrong)
{
    expect_error("group.name = x", 13, "there is no such group at 13");
    expect_group_error("group.name = x", "there is no such group at 13");
    expect_group_error("fault group.name = bad",
                       "in the group's expression, at 19: unknown word 'error2' at 6; did you mean "
                       "error?");
    expect_group_error("group.name > x", "a group is followed by = or != and its name, at 11");
}

Test(filter, ends_with_a_group_that_names_itself)
{
    struct filter *filter = NULL;
    struct filter_error error = { 0 };
    const char *text = "group.name = loop";
    cr_assert_eq(filter_parse(&filter, text, strlen(text), &groups, &error), -EINVAL);
    cr_expect(strstr(error.message, "groups that name groups, more than 4 deep"));
}

Test(filter, counts_the_depth_of_groups_too)
{
    struct filter *filter = NULL;
    struct filter_error error = { 0 };
    char text[64 + 32];
    /* The group "deep" is 40 deep. */
    memset(text, '!', 30);
    snprintf(text + 30, sizeof text - 30, "group.name = deep");
    cr_assert_eq(filter_parse(&filter, text, strlen(text), &groups, &error), -EINVAL);
    cr_expect(strstr(error.message, "nested more than 64 deep"), "%s", error.message);
    cr_assert_eq(filter_parse(&filter, text + 20, strlen(text + 20), &groups, &error), 0);
    filter_free(filter);
}

/* ---- Errors ---- */

Test(filter, tells_where_an_error_is)
{
    expect_error("service(\"api\"){}}", 16, "unexpected '}' at 16, expected AND, OR or the end");
    expect_error("service(\"x\"", 11, "unexpected end at 11, expected ')'");
    expect_error("fault AND", 9,
                 "unexpected end at 9, expected a condition such as fault or service(\"x\")");
    expect_error("fault ) ok", 6, "unexpected ')' at 6, expected AND, OR or the end");
    expect_error("user = ", 7, "unexpected end at 7, expected a value");
    expect_error("user = and fault", 7, "unexpected 'and' at 7, expected a value");
    expect_error("user = \"ann", 7, "the text that begins at 7 has no closing '\"'");
    expect_error("edge(a b)", 7, "unexpected 'b' at 7, expected ','");
    expect_error("annotation.", 11, "unexpected end at 11, expected the key of an annotation");
    expect_error("annotation[x", 12, "unexpected end at 12, expected ']'");
    expect_error("()", 1,
                 "unexpected ')' at 1, expected a condition such as fault or service(\"x\")");
    expect_error("\001", 0,
                 "unexpected byte 0x01 at 0, expected a condition such as fault or service(\"x\")");
    expect_error("5", 0,
                 "unexpected '5' at 0, expected a condition such as fault or service(\"x\")");
}

Test(filter, proposes_the_word_that_was_meant)
{
    expect_error("ok fualt", 3, "unknown word 'fualt' at 3; did you mean fault?");
    expect_error("http.stauts = 3", 0,
                 "unknown word 'http.stauts' at 0; did you mean http.status?");
    expect_error("servce(\"x\")", 0, "unknown word 'servce' at 0; did you mean service(?");
    expect_error("something", 0, "unknown word 'something' at 0");
}

Test(filter, tells_what_can_be_compared_how)
{
    expect_error("fault > true", 6, "'>' at 6: fault is true or false and takes = and !=");
    expect_error("fault = 1", 8, "fault is compared with true or false, at 8");
    expect_error("http.status = \"404\"", 14,
                 "http.status is compared with a number without quotes, at 14");
    expect_error("http.status contains 4", 12,
                 "'CONTAINS' at 12: http.status is a number and takes = != < <= > >=");
    expect_error("user < 5", 5,
                 "'<' at 5: user is text and takes = != CONTAINS BEGINSWITH ENDSWITH");
    expect_error("annotation.a < b", 13, "'<' at 13 is followed by a number without quotes");
}

Test(filter, tells_that_words_of_root_causes_mean_nothing_elsewhere)
{
    expect_error("index = 1", 0, "'index' at 0 means something only in the braces of rootcause.…");
    expect_error("service() {remote}", 11,
                 "'remote' at 11 means something only in the braces of edge(…) and rootcause.…");
    expect_error("rootcause.fault.service {service() {first}}", 36,
                 "'first' at 36 means something only in the braces of rootcause.…");
}

Test(filter, tells_what_is_wrong_with_a_reference_to_a_service)
{
    expect_error("service(id())", 11, "unexpected ')' at 11, expected name:, type: or account.id:");
    expect_error("service(id(nam: x))", 11,
                 "unexpected 'nam:' at 11, expected name:, type: or account.id:");
    expect_error("service(id(name: x, name: y))", 20, "'name' at 20 is there twice");
    expect_error("service(id(name x))", 16, "unexpected 'x' at 16, expected ':'");
}

Test(filter, tells_what_is_wrong_with_a_root_cause)
{
    const char *words = ": it is rootcause, fault, error or responsetime, and service, entity, "
                        "exception or json, with points between";
    char message[192];
    snprintf(message, sizeof message, "'rootcause.fault' at 0%s", words);
    expect_error("rootcause.fault", 0, message);
    snprintf(message, sizeof message, "'rootcause.service' at 0%s", words);
    expect_error("rootcause.service", 0, message);
    snprintf(message, sizeof message, "'rootcause.x.service' at 0%s", words);
    expect_error("rootcause.x.service", 0, message);
    expect_error("rootcause.json", 14, "rootcause.json is followed by = #[…] or != #[…], at 14");
    expect_error("rootcause.json = [{}]", 17, "unexpected '[' at 17, expected '#'");
    expect_error("rootcause.json = #[{]", 20, "wrong JSON at 20: a member name is missing");
    expect_error("rootcause.json = #[]", 18,
                 "rootcause.json at 18: it needs at least one root cause: #[{\"Services\": []}]");
    expect_error("rootcause.json = #[{\"Service\": []}]", 18,
                 "rootcause.json at 18: there is no member 'Service' beside 'Services'");
    expect_error("rootcause.json = #[{\"Services\": [{\"Name\": 1}]}]", 18,
                 "rootcause.json at 18: Name is a text");
    expect_error(
        "rootcause.json = #[1]", 18,
        "rootcause.json at 18: the list around 'Services' has something that is no object");
}

Test(filter, takes_text_only)
{
    struct filter *filter;
    struct filter_error error;
    cr_expect_eq(filter_parse(&filter, "user = \"\0\"", 10, NULL, &error), -EINVAL);
    cr_expect_eq(error.position, 8);
    expect_error("user = \"\xff\"", 8, "byte 0xff at 8 is not text in UTF-8");
    expect_error("user = \"\xc3\"", 8, "byte 0xc3 at 8 is not text in UTF-8");
}

Test(filter, quotes_no_half_characters)
{
    /* Of what is quoted, the 40th byte is inside of the last character. */
    char text[64] = "ok )";
    char wanted[128];
    for (int i = 0; i < 14; i++)
        strcat(text, "\xe2\x82\xac");
    snprintf(wanted, sizeof wanted,
             "unexpected '%.39s' at 0, expected a condition such as fault "
             "or service(\"x\")",
             text + 4);
    expect_error(text + 4, 0, wanted);
}

Test(filter, quotes_no_control_characters)
{
    expect_error("rootcause.json = #[{\"Serv\177\\u001bices\": []}]", 18,
                 "rootcause.json at 18: there is no member 'Services' beside 'Services'");
}

Test(filter, bounds_length_and_depth)
{
    struct filter *filter;
    struct filter_error error;
    char *text = malloc(FILTER_LENGTH_MAX + 2);
    memset(text, ' ', FILTER_LENGTH_MAX + 2);
    cr_expect_eq(filter_parse(&filter, text, FILTER_LENGTH_MAX, NULL, &error), 0);
    filter_free(filter);
    cr_expect_eq(filter_parse(&filter, text, FILTER_LENGTH_MAX + 1, NULL, &error), -EINVAL);
    cr_expect_eq(error.position, FILTER_LENGTH_MAX);
    memset(text, '!', FILTER_DEPTH_MAX);
    memcpy(text + FILTER_DEPTH_MAX - 1, "ok", 2);
    cr_expect_eq(filter_parse(&filter, text, FILTER_DEPTH_MAX + 1, NULL, &error), 0);
    filter_free(filter);
    memset(text, '(', FILTER_LENGTH_MAX);
    cr_expect_eq(filter_parse(&filter, text, FILTER_LENGTH_MAX, NULL, &error), -EINVAL);
    cr_expect_str_eq(error.message, "nested more than 64 deep at 64");
    free(text);
}

Test(filter, takes_as_many_conditions_as_fit)
{
    struct buffer text = { 0 };
    buffer_repeat(&text, "!ok ", FILTER_LENGTH_MAX / 4);
    char *taken = buffer_take(&text, NULL);
    TRUE(taken);
    free(taken);
}

/* ---- Writing ---- */

Test(filter, takes_any_character_behind_a_backslash)
{
    struct facts *facts = FACTS(
        "{'trace_id':'" TRACE "','id':'" A
        "','name':'a\\\\b\\u0022','start_time':1700000000,'end_time':1700000001}");
    cr_expect(matches_with(facts, "name = \"a\\\\b\\\"\"", NULL));
    cr_expect(matches_with(facts, "name = \"\\a\\\\\\b\\\"\"", NULL));
    facts_unref(facts);
}

Test(filter, reads_numbers_in_any_locale)
{
    cr_assert(setlocale(LC_ALL, "C"));
    /* Where the machine has one with a comma, all the better. */
    setlocale(LC_NUMERIC, "de_DE.UTF-8");
    TRUE("responsetime = 2.0");
    TRUE("responsetime < 2.5 responsetime > 1.5 responsetime = 20e-1 responsetime = +.2E+1");
    expect_print("duration < 0.1", "duration < 0.1");
}

Test(filter, tells_of_numbers_out_of_range)
{
    expect_error("duration < 1e999", 11, "the number at 11 is too large");
    expect_error("duration < "
                 "1111111111111111111111111111111111111111111111111111111111111111",
                 11, "the number at 11 has more than 63 characters");
}

Test(filter, takes_what_only_begins_like_a_number_for_text)
{
    expect_print("name = 1-2", "name = \"1-2\"");
    expect_print("user = 42", "user = \"42\"");
    expect_print("annotation.a = 42", "annotation.a = 42");
    expect_print("annotation.a = 42x", "annotation.a = \"42x\"");
    expect_print("annotation.a CONTAINS 42", "annotation.a CONTAINS \"42\"");
    expect_print("name = true", "name = \"true\"");
}

Test(filter, writes_one_spelling)
{
    expect_print("", "");
    expect_print("OK ! PARTIAL duration<3", "ok AND !partial AND duration < 3");
    expect_print("(fault||error)&&NOT(ok)", "(fault OR error) AND !ok");
    expect_print("!(http.status=500)", "!(http.status = 500)");
    expect_print("(ok (fault (error)))or(partial or ok)",
                 "ok AND fault AND error OR partial OR ok");
    expect_print("service(x){fault}", "service(\"x\") {fault}");
    expect_print("service(id(type:\"t\",name:n))", "service(id(name: \"n\", type: \"t\"))");
    expect_print("service(id)", "service(\"id\")");
    expect_print("edge(a,){}", "edge(\"a\",)");
    expect_print("edge(,b)", "edge(, \"b\")");
    expect_print("edge(,)", "edge()");
    expect_print("annotation[a.b]=\"\\\"\\\\\"", "annotation[a.b] = \"\\\"\\\\\"");
    expect_print("annotation[\"and\"]", "annotation.and");
    expect_print("annotation[\"x y\"]", "annotation[\"x y\"]");
    expect_print("RootCause.ResponseTime.Entity{coverage>.5}",
                 "rootcause.responsetime.entity {coverage > 0.5}");
    expect_print("rootcause.json=#[ { \"Services\" : [] } ]",
                 "rootcause.json = #[{\"Services\":[]}]");
    expect_print("responsetime > 0.1234567890123456", "responsetime > 0.1234567890123456");
}

/* ---- What the cloud does not take ---- */

struct collected {
    size_t count;
    size_t position;
    const char *sentence;
};

static void collect(void *data, size_t position, const char *sentence)
{
    struct collected *collected = data;
    collected->count++;
    collected->position = position;
    collected->sentence = sentence;
}

static struct collected notes_of(const char *text)
{
    struct collected collected = { 0 };
    struct filter *filter;
    struct filter_error error;
    cr_assert_eq(filter_parse(&filter, text, strlen(text), NULL, &error), 0, "%s", text);
    filter_notes(filter, collect, &collected);
    filter_free(filter);
    return collected;
}

Test(filter, notes_what_the_cloud_does_not_take)
{
    struct collected notes = notes_of("ok && fault");
    cr_expect_eq(notes.count, 1);
    cr_expect_eq(notes.position, 3);
    cr_expect_str_eq(notes.sentence, "The cloud writes AND in the place of &&.");
    cr_expect_eq(notes_of("ok || NOT fault").count, 2);
    cr_expect_eq(notes_of("service(x) {annotation.a = 1}").position, 12);
    cr_expect_eq(notes_of("service(x) {service(y)}").position, 12);
}

Test(filter, notes_nothing_of_what_the_cloud_takes)
{
    cr_expect_eq(notes_of("ok AND !(fault OR error) annotation.a service(x) {fault} edge(a, b) "
                          "rootcause.fault.service {name = x} rootcause.json = #[{}]")
                     .count,
                 0);
}

Test(filter, notes_at_most_32_things)
{
    struct buffer text = { 0 };
    buffer_puts(&text, "ok");
    buffer_repeat(&text, "&&ok", 40);
    char *taken = buffer_take(&text, NULL);
    cr_expect_eq(notes_of(taken).count, 32);
    free(taken);
}

/* ---- Words ---- */

Test(filter, knows_its_words)
{
    size_t count;
    const struct filter_word *words = filter_words(&count);
    size_t keys = 0;
    for (size_t i = 0; i < count; i++) {
        cr_expect(words[i].text[0] && words[i].help[0]);
        char text[64];
        struct filter *filter;
        struct filter_error error;
        if (words[i].kind > WORD_STRING)
            continue;
        keys++;
        /* Each is one that an expression may be made of. */
        snprintf(text, sizeof text, "rootcause.fault.entity {%s}", words[i].text);
        cr_expect_eq(filter_parse(&filter, text, strlen(text), NULL, &error), 0, "%s", text);
        filter_free(filter);
    }
    cr_expect_eq(keys, 27);
}

/* ---- Selectors ---- */

static struct filter_selector *selector(const char *text)
{
    struct filter_selector *found = NULL;
    struct filter_error error;
    cr_assert_eq(filter_selector_parse(&found, text, strlen(text), &error), 0, "%s", text);
    return found;
}

/* How many segments, and how many calls. */
static void expect_selected(const char *text, enum filter_selected kind, unsigned segments,
                            unsigned calls)
{
    struct filter_selector *found = selector(text);
    struct facts *facts = shop();
    for (uint32_t i = 0; i < facts->segment_count; i++)
        segments -= filter_selector_takes_segment(found, &facts->segments[i]);
    for (uint32_t i = 0; i < facts->call_count; i++)
        calls -= filter_selector_takes_call(found, facts, &facts->calls[i]);
    cr_expect_eq(filter_selector_kind(found), kind, "%s", text);
    cr_expect_eq(segments, 0, "%s", text);
    cr_expect_eq(calls, 0, "%s", text);
    facts_unref(facts);
    filter_selector_free(found);
}

Test(filter, selects_for_time_series)
{
    expect_selected("", SELECTED_EDGES, 0, 2);
    expect_selected("  ", SELECTED_EDGES, 0, 2);
    expect_selected("service(id(name:\"stock\",type:\"AWS::ECS::Container\"))", SELECTED_SERVICE, 1,
                    0);
    expect_selected("service()", SELECTED_SERVICE, 3, 0);
    expect_selected("edge(shop, stock)", SELECTED_EDGE, 0, 1);
    expect_selected("edge(stock, shop)", SELECTED_EDGE, 0, 0);
}

static void expect_selector_error(const char *text, size_t position)
{
    struct filter_selector *found;
    struct filter_error error;
    cr_assert_eq(filter_selector_parse(&found, text, strlen(text), &error), -EINVAL, "%s", text);
    cr_expect_eq(error.position, position, "%s: %zu", text, error.position);
}

Test(filter, tells_where_a_selector_is_wrong)
{
    expect_selector_error("fault", 0);
    expect_selector_error("service(x) {fault}", 0);
    expect_selector_error("service(x) service(y)", 11);
    expect_selector_error("edge(x", 6);
    expect_selector_error("\xff", 0);
}

/* What is asked of the whole trace in braces is the same each time: 30 segments, asked of
   each other ten deep, would not end. */
Test(filter, asks_the_whole_trace_once_however_deep_in_braces)
{
    enum { SEGMENTS = 30, LEVELS = 10 };
    char *texts[SEGMENTS + 1] = { NULL };
    char text[LEVELS * 20 + 20] = "";
    for (int i = 0; i < SEGMENTS; i++)
        cr_assert_gt(asprintf(&texts[i],
                              "{'trace_id':'" TRACE
                              "','id':'%016x','name':'s','start_time':1700000000}",
                              i + 1),
                     0);
    for (int i = 0; i < LEVELS; i++)
        strcat(text, "service() {");
    strcat(text, "fault");
    for (int i = 0; i < LEVELS; i++)
        strcat(text, "}");
    struct facts *facts = facts_of((const char *const *)texts);
    cr_expect_eq(matches_with(facts, text, NULL), 0);
    facts_unref(facts);
    for (int i = 0; i < SEGMENTS; i++)
        free(texts[i]);
}
