/* SPDX-License-Identifier: Apache-2.0 */
/* What a segment talked to and what went wrong, as it arrives in documents. */
#include "support.h"

#include <stdlib.h>

TestSuite(http, .init = record);
TestSuite(aws, .init = record);
TestSuite(sql, .init = record);
TestSuite(mark, .init = record);
TestSuite(exception, .init = record);
TestSuite(other, .init = record);

static xray_segment *open_one(void)
{
    return xray_start_segment(recorder, xray_segment_params(.name = "a"));
}

static uint64_t truncated(void)
{
    return stats_of(recorder).truncated;
}

/* Ends a and b, which is a subsegment of a or NULL. */
static void end_and_settle(xray_segment *a, xray_segment *b)
{
    xray_end(b);
    xray_end(a);
    settle();
}

/* ---- HTTP -------------------------------------------------------------------- */

Test(http, has_request_and_response)
{
    xray_segment *a = open_one();

    xray_set_http(a, xray_http(.method = "GET", .url = "https://example.com/x", .user_agent = "u",
                               .client_ip = "::1", .status = 200, .content_length = 12,
                               .x_forwarded_for = 1));
    end_and_settle(a, NULL);
    cr_expect_str_eq(text_at(document(0), "http.request.method"), "GET");
    cr_expect_str_eq(text_at(document(0), "http.request.url"), "https://example.com/x");
    cr_expect_str_eq(text_at(document(0), "http.request.user_agent"), "u");
    cr_expect_str_eq(text_at(document(0), "http.request.client_ip"), "::1");
    cr_expect(true_at(document(0), "http.request.x_forwarded_for"));
    cr_expect_eq(number_at(document(0), "http.response.status"), 200);
    cr_expect_eq(number_at(document(0), "http.response.content_length"), 12);
}

Test(http, in_two_calls_keeps_what_the_second_one_leaves_zero)
{
    xray_segment *a = open_one();

    xray_set_http(a, xray_http(.method = "GET", .status = 404));
    xray_set_http(a, xray_http(.url = "http://h/", .status = 200));
    end_and_settle(a, NULL);
    cr_expect_str_eq(text_at(document(0), "http.request.method"), "GET");
    cr_expect_eq(number_at(document(0), "http.response.status"), 200);
}

Test(http, without_any_field_makes_no_block)
{
    xray_segment *a = open_one();

    xray_set_http(a, xray_http(.method = NULL));
    end_and_settle(a, NULL);
    cr_expect_null(member(document(0), "http"));
}

Test(http, with_a_status_alone_has_no_request)
{
    xray_segment *a = open_one();

    xray_set_http(a, xray_http(.status = 204));
    end_and_settle(a, NULL);
    cr_expect_null(member(document(0), "http.request"));
}

Test(http, of_a_subsegment_has_no_x_forwarded_for)
{
    xray_segment *a = open_one(), *b = xray_start_subsegment(a, "b");

    xray_set_http(b, xray_http(.method = "GET", .x_forwarded_for = 1));
    end_and_settle(a, b);
    cr_expect_null(member(embedded("b"), "http.request.x_forwarded_for"));
}

Test(http, has_strings_of_at_most_250_characters)
{
    char agent[2000] = "";
    xray_segment *a = open_one();

    for (int i = 0; i < 300; i++)
        strcat(agent, "\xC3\xA9");
    xray_set_http(a, xray_http(.user_agent = agent));
    cr_expect_eq(truncated(), 1);
    end_and_settle(a, NULL);
    cr_expect_eq(strlen(text_at(document(0), "http.request.user_agent")), 500);
}

static const char *url_sent_for(const char *url)
{
    xray_segment *a = open_one();

    forget_documents();
    xray_set_http(a, xray_http(.url = url));
    xray_end(a);
    return text_at(document(0), "http.request.url");
}

Test(http, has_a_url_without_user_info_query_and_fragment)
{
    cr_expect_str_eq(url_sent_for("https://u:pw@h:8443/p/a?q=1#f"), "https://h:8443/p/a");
    cr_expect_str_eq(url_sent_for("https://h/p#f?q"), "https://h/p");
    cr_expect_str_eq(url_sent_for("https://h?token=1"), "https://h");
    cr_expect_str_eq(url_sent_for("https://u@h"), "https://h");
    cr_expect_str_eq(url_sent_for("https://u:p@w@h/"), "https://h/");
    cr_expect_str_eq(url_sent_for("//u:pw@h/p"), "//h/p");
    cr_expect_str_eq(url_sent_for("u:pw@h/p"), "h/p");
    cr_expect_str_eq(url_sent_for("/p?q"), "/p");
    settle();
}

Test(http, has_a_url_whose_path_may_hold_an_at_sign)
{
    cr_expect_str_eq(url_sent_for("https://h/@scope/package"), "https://h/@scope/package");
    cr_expect_str_eq(url_sent_for("/users/a@b"), "/users/a@b");
    settle();
}

Test(http, survives_any_odd_url)
{
    static const char *const odd[] = { "",      ":",      "://",        "//",         "@",   "?",
                                       "http:", "http:/", "http://",    "http://@",   "a:b", "::::",
                                       "#",     "a://b?", "a://b@c@d@", "\xFF://\xFE" };

    for (size_t i = 0; i < sizeof(odd) / sizeof(*odd); i++)
        url_sent_for(odd[i]);
    settle();
}

Test(http, has_a_long_url_cut)
{
    char *url = calloc(1, 100001);

    memset(url, 'x', 100000);
    memcpy(url, "https://h/", 10);
    cr_expect_eq(strlen(url_sent_for(url)), 250);
    memcpy(url, "https://u:pw@", 13);
    url_sent_for(url);
    cr_expect_not(emitted_text("pw"));
    free(url);
    settle();
}

/* ---- AWS and SQL ------------------------------------------------------------------- */

Test(aws, has_its_fields)
{
    xray_segment *a = open_one(), *b = xray_start_subsegment(a, "b");

    xray_set_namespace(b, "aws");
    xray_set_aws(b, xray_aws(.operation = "GetItem", .region = "eu-west-1", .account_id = "1",
                             .request_id = "r", .queue_url = "q", .table_name = "t", .retries = 3));
    xray_set_aws_field(b, "bucket_name", xray_string("bucket"));
    xray_set_aws_field(b, "count", xray_int(7));
    end_and_settle(a, b);
    cr_expect_str_eq(text_at(embedded("b"), "namespace"), "aws");
    cr_expect_str_eq(text_at(embedded("b"), "aws.operation"), "GetItem");
    cr_expect_str_eq(text_at(embedded("b"), "aws.region"), "eu-west-1");
    cr_expect_str_eq(text_at(embedded("b"), "aws.table_name"), "t");
    cr_expect_str_eq(text_at(embedded("b"), "aws.queue_url"), "q");
    cr_expect_str_eq(text_at(embedded("b"), "aws.request_id"), "r");
    cr_expect_str_eq(text_at(embedded("b"), "aws.account_id"), "1");
    cr_expect_eq(number_at(embedded("b"), "aws.retries"), 3);
    cr_expect_str_eq(text_at(embedded("b"), "aws.bucket_name"), "bucket");
    cr_expect_eq(number_at(embedded("b"), "aws.count"), 7);
}

Test(aws, takes_lists_as_json)
{
    xray_segment *a = open_one(), *b = xray_start_subsegment(a, "b");

    xray_set_aws_field(b, "resource_names", xray_json(" [ \"one\", \"two\" ] "));
    end_and_settle(a, b);
    cr_expect(emitted_text("\"aws\":{\"resource_names\":[\"one\",\"two\"]}"));
}

Test(aws, says_that_a_call_needed_no_retries)
{
    xray_segment *a = open_one(), *b = xray_start_subsegment(a, "b");

    xray_set_aws(b, xray_aws(.operation = "GetItem"));
    end_and_settle(a, b);
    cr_expect_eq(number_at(embedded("b"), "aws.retries"), 0);
}

Test(aws, keeps_retries_when_a_second_call_does_not_say_any)
{
    xray_segment *a = open_one(), *b = xray_start_subsegment(a, "b");

    xray_set_aws(b, xray_aws(.operation = "GetItem", .retries = 2));
    xray_set_aws(b, xray_aws(.operation = "GetItem", .region = "x"));
    end_and_settle(a, b);
    cr_expect_eq(number_at(embedded("b"), "aws.retries"), 2);
}

Test(aws, of_a_segment_says_which_library_made_it)
{
    xray_segment *a = open_one();

    xray_set_aws(a, xray_aws(.account_id = "123"));
    end_and_settle(a, NULL);
    cr_expect_str_eq(text_at(document(0), "aws.account_id"), "123");
    cr_expect_str_eq(text_at(document(0), "aws.xray.sdk"), "X-Ray for C");
    cr_expect_str_eq(text_at(document(0), "aws.xray.sdk_version"), xray_version());
}

Test(aws, of_a_subsegment_does_not)
{
    xray_segment *a = open_one(), *b = xray_start_subsegment(a, "b");

    end_and_settle(a, b);
    cr_expect_null(member(embedded("b"), "aws"));
}

Test(aws, keeps_the_member_that_is_the_librarys_own)
{
    xray_segment *a = open_one();

    xray_set_aws_field(a, "xray", xray_string("mine"));
    cr_expect_eq(truncated(), 1);
    end_and_settle(a, NULL); /* no member is there twice */
    cr_expect_str_eq(text_at(document(0), "aws.xray.sdk"), "X-Ray for C");
}

Test(aws, field_that_a_struct_has_too_has_the_last_value)
{
    xray_segment *a = open_one();

    xray_set_aws(a, xray_aws(.region = "one"));
    xray_set_aws_field(a, "region", xray_string("two"));
    end_and_settle(a, NULL);
    cr_expect_str_eq(text_at(document(0), "aws.region"), "two");
}

Test(sql, has_its_fields)
{
    xray_segment *a = open_one(), *b = xray_start_subsegment(a, "b");

    xray_set_sql(b, xray_sql(.url = "postgresql://h/d", .database_type = "PostgreSQL",
                             .database_version = "15", .user = "u", .sanitized_query = "SELECT ?"));
    end_and_settle(a, b);
    cr_expect_str_eq(text_at(embedded("b"), "sql.url"), "postgresql://h/d");
    cr_expect_str_eq(text_at(embedded("b"), "sql.database_type"), "PostgreSQL");
    cr_expect_str_eq(text_at(embedded("b"), "sql.database_version"), "15");
    cr_expect_str_eq(text_at(embedded("b"), "sql.user"), "u");
    cr_expect_str_eq(text_at(embedded("b"), "sql.sanitized_query"), "SELECT ?");
}

Test(sql, has_no_secret_of_its_url)
{
    static const char *const urls[] = {
        "postgresql://user:hunter2@h/d",
        "postgresql://h/d?user=u&password=hunter2",
        "jdbc:postgresql://user:hunter2@h/d",
        "jdbc:sqlserver://h:1433;databaseName=d;password=hunter2",
        "jdbc:oracle:thin:scott/hunter2@//h:1521/x",
        "jdbc:oracle:thin:scott/hunter2@h:1521:x",
        "mysql://u:hun/hunter2@h/d",
        "mongodb+srv://u:hunter2@a,b,c/d",
        "u:hunter2@h/d",
    };

    for (size_t i = 0; i < sizeof(urls) / sizeof(*urls); i++) {
        xray_segment *a = open_one(), *b = xray_start_subsegment(a, "b");

        forget_documents();
        xray_set_sql(b, xray_sql(.url = urls[i]));
        xray_end(b);
        xray_end(a);
        cr_expect_not(emitted_text("hunter2"), "%s", urls[i]);
        cr_expect(strchr(text_at(embedded("b"), "sql.url"), 'h') ||
                      strchr(text_at(embedded("b"), "sql.url"), 'a'),
                  "the host stays");
    }
    settle();
}

Test(sql, keeps_a_long_query)
{
    char query[10001] = "";
    xray_segment *a = open_one(), *b = xray_start_subsegment(a, "b");

    memset(query, 'q', 10000);
    xray_set_sql(b, xray_sql(.sanitized_query = query));
    cr_expect_eq(truncated(), 0);
    end_and_settle(a, b);
    cr_expect_eq(strlen(text_at(embedded("b"), "sql.sanitized_query")), 10000);
}

/* ---- Marks ------------------------------------------------------------------------------ */

static void expect_marks(int status, bool error, bool throttle, bool fault)
{
    xray_segment *a = open_one();

    forget_documents();
    xray_set_http(a, xray_http(.status = status));
    xray_end(a);
    cr_expect_eq(true_at(document(0), "error"), error, "%d", status);
    cr_expect_eq(true_at(document(0), "throttle"), throttle, "%d", status);
    cr_expect_eq(true_at(document(0), "fault"), fault, "%d", status);
}

Test(mark, follows_from_every_http_status)
{
    for (int status = 100; status < 700; status++)
        expect_marks(status, status >= 400 && status < 500, status == 429,
                     status >= 500 && status < 600);
    settle();
}

Test(mark, of_throttling_is_an_error_too)
{
    xray_segment *a = open_one();

    xray_mark(a, XRAY_THROTTLE);
    end_and_settle(a, NULL);
    cr_expect(true_at(document(0), "error"));
    cr_expect(true_at(document(0), "throttle"));
    cr_expect_not(true_at(document(0), "fault"));
}

Test(mark, that_is_taken_away_is_gone)
{
    xray_segment *a = open_one();

    xray_set_http(a, xray_http(.status = 412));
    xray_unmark(a, XRAY_ERROR);
    end_and_settle(a, NULL);
    cr_expect_not(true_at(document(0), "error"));
    cr_expect_eq(number_at(document(0), "http.response.status"), 412);
}

Test(mark, of_error_taken_away_takes_throttling_along)
{
    xray_segment *a = open_one();

    xray_mark(a, XRAY_THROTTLE);
    xray_unmark(a, XRAY_ERROR);
    end_and_settle(a, NULL); /* throttle without error is refused in there */
}

Test(mark, that_does_not_exist_is_ignored)
{
    xray_segment *a = open_one();

    xray_mark(a, 0xFFF0);
    end_and_settle(a, NULL);
    cr_expect_null(member(document(0), "error"));
    cr_expect_null(member(document(0), "fault"));
}

Test(mark, does_not_travel_to_the_parent)
{
    xray_segment *a = open_one(), *b = xray_start_subsegment(a, "b");

    xray_mark(b, XRAY_FAULT);
    xray_add_exception(b, "E", "x");
    end_and_settle(a, b);
    cr_expect(true_at(embedded("b"), "fault"));
    cr_expect_not(true_at(document(0), "fault"));
    cr_expect_null(member(document(0), "cause"));
}

Test(mark, of_a_fault_without_a_status_gets_a_cause)
{
    xray_segment *a = open_one();

    xray_mark(a, XRAY_FAULT);
    end_and_settle(a, NULL);
    cr_expect_eq(cJSON_GetArraySize(member(document(0), "cause.exceptions")), 1);
}

Test(mark, of_a_fault_with_a_status_needs_none)
{
    xray_segment *a = open_one();

    xray_set_http(a, xray_http(.status = 500));
    end_and_settle(a, NULL);
    cr_expect_null(member(document(0), "cause"));
}

/* ---- Exceptions ---------------------------------------------------------------------------- */

static const cJSON *exception_of(const cJSON *one, int i)
{
    const cJSON *found = cJSON_GetArrayItem(member(one, "cause.exceptions"), i);

    cr_assert(found);
    return found;
}

Test(exception, has_type_message_and_where)
{
    xray_segment *a = open_one();
    const cJSON *frame;

    xray_add_exception(a, "EIO", "reading %s: %d", "file", 5);
    end_and_settle(a, NULL);
    cr_expect(true_at(document(0), "fault"));
    cr_expect_str_eq(text_at(exception_of(document(0), 0), "type"), "EIO");
    cr_expect_str_eq(text_at(exception_of(document(0), 0), "message"), "reading file: 5");
    frame = cJSON_GetArrayItem(member(exception_of(document(0), 0), "stack"), 0);
    cr_expect(strstr(text_at(frame, "path"), "test_blocks.c"));
    cr_expect(strstr(text_at(frame, "label"), "has_type_message_and_where"));
    cr_expect_gt(number_at(frame, "line"), 0);
}

Test(exception, may_be_without_any_text)
{
    xray_segment *a = open_one();

    xray_add_exception_at(a, NULL, 0, NULL, NULL, "%s", "");
    end_and_settle(a, NULL);
    cr_expect_eq(cJSON_GetArraySize(member(document(0), "cause.exceptions")), 1);
}

Test(exception, may_name_the_one_behind_it)
{
    xray_segment *a = open_one();
    xray_exception inner = { .size = sizeof(inner), .type = "inner", .message = "m", .remote = 1 };
    xray_exception outer = { .size = sizeof(outer), .type = "outer", .message = "m" };
    char id[17];

    outer.cause = xray_add_exception_with(a, &inner);
    cr_assert_neq(outer.cause, 0);
    xray_add_exception_with(a, &outer);
    end_and_settle(a, NULL);
    id_text(id, outer.cause);
    cr_expect_str_eq(text_at(exception_of(document(0), 0), "id"), id);
    cr_expect_str_eq(text_at(exception_of(document(0), 1), "cause"), id);
    cr_expect(true_at(exception_of(document(0), 0), "remote"));
    cr_expect_null(member(exception_of(document(0), 1), "remote"));
}

Test(exception, marks_as_its_flags_say)
{
    xray_segment *a = open_one();
    xray_exception one = { .size = sizeof(one), .type = "t", .flags = XRAY_ERROR };

    xray_add_exception_with(a, &one);
    end_and_settle(a, NULL);
    cr_expect(true_at(document(0), "error"));
    cr_expect_not(true_at(document(0), "fault"));
}

Test(exception, keeps_32_frames_and_the_number_of_the_others)
{
    xray_frame frames[100];
    xray_segment *a = open_one();
    xray_exception one = { .size = sizeof(one), .type = "t", .frames = frames, .frame_count = 100 };

    for (int i = 0; i < 100; i++)
        frames[i] = (xray_frame){ .path = "path.c", .label = "function", .line = i };
    xray_add_exception_with(a, &one);
    end_and_settle(a, NULL);
    cr_expect_eq(cJSON_GetArraySize(member(exception_of(document(0), 0), "stack")), 32);
    cr_expect_eq(number_at(exception_of(document(0), 0), "truncated"), 68);
}

Test(exception, with_long_frames_is_kept)
{
    xray_frame frames[32];
    char path[501] = "", label[251] = "";
    xray_segment *a = open_one();
    xray_exception one = { .size = sizeof(one), .type = "t", .frames = frames, .frame_count = 32 };

    memset(path, 'p', 500);
    memset(label, 'l', 250);
    for (int i = 0; i < 32; i++)
        frames[i] = (xray_frame){ .path = path, .label = label, .line = i };
    xray_add_exception_with(a, &one);
    cr_expect_eq(truncated(), 0);
    end_and_settle(a, NULL);
    cr_expect_eq(cJSON_GetArraySize(member(exception_of(document(0), 0), "stack")), 32);
}

Test(exception, has_a_message_of_at_most_1000_bytes)
{
    char message[2001] = "";
    xray_segment *a = open_one();

    memset(message, 'm', 2000);
    xray_add_exception(a, "t", "%s", message);
    cr_expect_eq(truncated(), 1);
    end_and_settle(a, NULL);
    cr_expect_eq(strlen(text_at(exception_of(document(0), 0), "message")), 1000);
}

Test(exception, has_a_message_that_is_cut_between_characters)
{
    char message[2001] = "";
    xray_segment *a = open_one();

    for (int i = 0; i < 600; i++)
        strcat(message, "\xE6\x97\xA5");
    xray_add_exception(a, "t", "%s", message);
    cr_expect_eq(truncated(), 1);
    end_and_settle(a, NULL);
    cr_expect_eq(strlen(text_at(exception_of(document(0), 0), "message")), 999);
    cr_expect_not(emitted_text("\xEF\xBF\xBD"));
}

Test(exception, of_a_struct_from_the_future_keeps_what_is_known)
{
    struct {
        xray_exception known;
        uint64_t unknown;
    } future = { { .size = sizeof(future), .type = "t", .message = "m" }, 42 };
    xray_segment *a = open_one();

    cr_expect_neq(xray_add_exception_with(a, &future.known), 0);
    end_and_settle(a, NULL);
    cr_expect_str_eq(text_at(exception_of(document(0), 0), "message"), "m");
}

Test(exception, of_a_struct_from_the_past_reads_no_further)
{
    xray_segment *a = open_one();
    size_t size = offsetof(xray_exception, frames);
    xray_exception now = { .size = size, .type = "t", .message = "m" };
    void *old = malloc(size);

    memcpy(old, &now, size);
    xray_add_exception_with(a, old);
    free(old);
    end_and_settle(a, NULL);
    cr_expect_null(member(exception_of(document(0), 0), "stack"));
}

/* ---- The others ------------------------------------------------------------------------------ */

Test(other, user_is_for_segments_only)
{
    xray_segment *a = open_one(), *b = xray_start_subsegment(a, "b");

    xray_set_user(a, "first");
    xray_set_user(a, "somebody");
    xray_set_user(b, "nobody");
    end_and_settle(a, b);
    cr_expect_str_eq(text_at(document(0), "user"), "somebody");
    cr_expect_not(emitted_text("nobody"));
}

Test(other, namespace_is_for_subsegments_only)
{
    xray_segment *a = open_one(), *b = xray_start_subsegment(a, "b");

    xray_set_namespace(a, "remote");
    xray_set_namespace(b, "aws");
    end_and_settle(a, b);
    cr_expect_null(member(document(0), "namespace"));
    cr_expect_str_eq(text_at(embedded("b"), "namespace"), "aws");
}

Test(other, namespace_can_be_taken_away)
{
    xray_segment *a = open_one(), *b = xray_start_subsegment(a, "b");

    xray_set_namespace(b, "aws");
    xray_set_namespace(b, NULL);
    end_and_settle(a, b);
    cr_expect_null(member(embedded("b"), "namespace"));
}

Test(other, precursors_are_for_subsegments_only)
{
    xray_segment *a = open_one(), *b = xray_start_subsegment(a, "b");

    xray_add_precursor(a, 7);
    xray_add_precursor(b, 8);
    xray_add_precursor(b, 9);
    xray_add_precursor(b, 8);
    xray_add_precursor(b, 0);
    end_and_settle(a, b);
    cr_expect_null(member(document(0), "precursor_ids"));
    cr_expect_eq(cJSON_GetArraySize(member(embedded("b"), "precursor_ids")), 2);
    cr_expect(emitted_text("\"0000000000000008\""));
}

Test(other, links_are_at_most_20_and_for_segments_only)
{
    xray_segment *a = open_one(), *b = xray_start_subsegment(a, "b");
    xray_trace_header to = { .trace_id = { { 1 } } };

    for (uint64_t i = 1; i <= 22; i++) {
        to.parent_id = i;
        xray_add_link(a, &to);
    }
    xray_add_link(b, &to);
    cr_expect_eq(truncated(), 2);
    end_and_settle(a, b);
    cr_expect_eq(cJSON_GetArraySize(member(document(0), "links")), 20);
    cr_expect_str_eq(text_at(cJSON_GetArrayItem(member(document(0), "links"), 19), "id"),
                     "0000000000000014");
    cr_expect_null(member(embedded("b"), "links"));
}

Test(other, link_to_no_trace_is_left_out)
{
    xray_segment *a = open_one();
    xray_trace_header to = { .parent_id = 1 };

    xray_add_link(a, &to);
    end_and_settle(a, NULL);
    cr_expect_null(member(document(0), "links"));
}

Test(other, struct_from_the_future_is_counted)
{
    struct {
        xray_http known;
        uint64_t unknown;
    } future = { { .size = sizeof(future), .method = "GET" }, 42 };
    xray_segment *a = open_one();

    xray_set_http(a, &future.known);
    cr_expect_eq(truncated(), 1, "what is not known was left out");
    end_and_settle(a, NULL);
    cr_expect_str_eq(text_at(document(0), "http.request.method"), "GET");
}

Test(other, secret_is_in_no_byte_that_is_sent)
{
    xray_segment *a = open_one(), *b = xray_start_subsegment(a, "b");

    xray_set_http(a, xray_http(.url = "https://admin:hunter2@h/p?X-Amz-Security-Token=hunter2",
                               .status = 500));
    xray_set_http(b, xray_http(.url = "http://hunter2@h/?sig=hunter2#hunter2"));
    xray_set_sql(b, xray_sql(.url = "pg://u:hunter2@h/d?password=hunter2"));
    xray_send_in_progress(a);
    end_and_settle(a, b);
    cr_expect_not(emitted_text("hunter2"));
}
