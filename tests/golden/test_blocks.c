/* SPDX-License-Identifier: Apache-2.0 */
/* Each block of a document, byte for byte. */
#include "golden.h"

#include <float.h>
#include <math.h>

TestSuite(golden, .init = golden_record);

static xray_segment *a, *b;

static void begin(void)
{
    a = xray_begin_segment("orders");
    b = xray_begin_subsegment("part");
}

static void end_as(const char *name)
{
    golden_wait();
    xray_end(b);
    xray_end(a);
    expect_golden(name);
}

/* ---- What it talked to ------------------------------------------------------------ */

Test(golden, http_of_a_server)
{
    begin();
    xray_set_http(a, xray_http(.method = "POST", .url = "https://u:p@example.com/orders?token=1#f",
                               .user_agent = "curl/8 \"x\"", .client_ip = "203.0.113.7",
                               .x_forwarded_for = 1, .status = 201, .content_length = 17));
    end_as("http-of-a-server");
}

Test(golden, http_of_a_client)
{
    begin();
    xray_set_namespace(b, "remote");
    xray_set_http(b, xray_http(.method = "GET", .url = "http://[::1]:8080/stock/7", .status = 200,
                               .content_length = 4096));
    end_as("http-of-a-client");
}

Test(golden, http_request_without_a_response)
{
    begin();
    xray_set_http(b, xray_http(.method = "GET", .url = "http://localhost/"));
    end_as("http-request-alone");
}

Test(golden, http_response_without_a_request)
{
    begin();
    xray_set_http(a, xray_http(.status = 204));
    end_as("http-response-alone");
}

Test(golden, http_that_is_set_twice)
{
    begin();
    xray_set_http(a, xray_http(.method = "GET", .url = "http://h/a", .status = 200));
    xray_set_http(a, xray_http(.url = "http://h/b", .client_ip = "::1"));
    end_as("http-set-twice");
}

Test(golden, aws_call)
{
    begin();
    xray_set_namespace(b, "aws");
    xray_set_aws(b, xray_aws(.operation = "PutItem", .region = "eu-central-1",
                             .account_id = "123456789012", .request_id = "REQ1",
                             .queue_url = "https://sqs.example.com/q", .table_name = "orders",
                             .retries = 2));
    end_as("aws-call");
}

Test(golden, aws_call_that_succeeded_at_once)
{
    begin();
    xray_set_aws(b, xray_aws(.operation = "GetItem"));
    end_as("aws-call-without-retries");
}

Test(golden, aws_fields_of_each_type)
{
    begin();
    xray_set_aws_field(b, "bucket_name", xray_string("b"));
    xray_set_aws_field(b, "count", xray_int(-3));
    xray_set_aws_field(b, "consistent", xray_bool(true));
    xray_set_aws_field(b, "ratio", xray_double(0.5));
    xray_set_aws_field(b, "table_names", xray_json("[ \"a\", \"b\" ]"));
    end_as("aws-fields");
}

Test(golden, aws_of_a_segment)
{
    begin();
    xray_set_aws(a, xray_aws(.account_id = "123456789012"));
    xray_set_aws_field(a, "ec2", xray_json("{\"instance_id\": \"i-1\"}"));
    end_as("aws-of-a-segment");
}

Test(golden, sql_query)
{
    begin();
    xray_set_namespace(b, "remote");
    xray_set_sql(b,
                 xray_sql(.url = "postgresql://ann:secret@db:5432/orders?password=x",
                          .database_type = "PostgreSQL", .database_version = "15.4", .user = "ann",
                          .sanitized_query = "SELECT * FROM orders\nWHERE id = ?"));
    end_as("sql");
}

Test(golden, sql_with_a_connection_and_a_query_of_literals)
{
    begin();
    xray_set_sql(b, xray_sql(.connection_string = "host=db user=ann password=secret dbname=orders",
                             .driver_version = "libpq 15", .preparation = "statement",
                             .query = "SELECT * FROM orders WHERE id = 7 AND name = 'ann'"));
    end_as("sql-of-literals");
}

Test(golden, aws_call_with_the_second_id_of_s3)
{
    begin();
    xray_set_aws(b, xray_aws(.operation = "GetObject", .request_id = "REQ1", .id_2 = "abc+/="));
    end_as("aws-call-of-s3");
}

/* ---- Annotations and metadata ------------------------------------------------------ */

Test(golden, annotations_of_each_type)
{
    bool truth = true;

    begin();
    xray_annotate(a, "text", "a \"quoted\" \\ line\n\ttab \x01 \xC3\xA9 \xF0\x9F\x98\x80");
    xray_annotate(a, "empty", "");
    xray_annotate(a, "smallest", INT64_MIN);
    xray_annotate(a, "largest", INT64_MAX);
    xray_annotate(a, "natural", UINT64_MAX);
    xray_annotate(a, "zero", 0);
    xray_annotate(a, "half", 0.5);
    xray_annotate(a, "tenth", 0.1);
    xray_annotate(a, "third", 1.0 / 3);
    xray_annotate(a, "huge", DBL_MAX);
    xray_annotate(a, "tiny", DBL_MIN);
    xray_annotate(a, "minus_zero", -0.0);
    xray_annotate(a, "true", truth);
    xray_annotate(a, "false", xray_bool(false));
    end_as("annotations");
}

Test(golden, annotations_that_were_repaired)
{
    begin();
    xray_annotate(b, "bad key!", 1);
    xray_annotate(b, "broken", "a\xFF\xC3");
    xray_annotate(b, "surrogate", "\xED\xA0\x80");
    xray_annotate(b, "nul", xray_stringn("a\0b", 3));
    xray_annotate(b, "nothing", (const char *)NULL);
    xray_annotate(b, "no_number", (double)NAN);
    xray_annotate(b, "twice", 1);
    xray_annotate(b, "between", 2);
    xray_annotate(b, "twice", "second");
    end_as("annotations-repaired");
}

Test(golden, metadata_of_each_namespace_and_type)
{
    begin();
    xray_add_metadata(a, NULL, "text", "x");
    xray_add_metadata(a, "second", "number", -1.5);
    xray_add_metadata(a, "", "nothing", (const char *)NULL);
    xray_add_metadata(a, "second", "object", xray_json(" { \"a\" : [ 1 , null , { } ] } "));
    xray_add_metadata(a, NULL, "truth", xray_bool(true));
    xray_add_metadata(a, "AWS.reserved", "lost", 1);
    xray_add_metadata(a, "__proto__", "", 7);
    xray_add_metadata(a, "quo\"te", "key \"\n\xC3\xA9", 8);
    end_as("metadata");
}

/* ---- The rest ---------------------------------------------------------------------- */

Test(golden, links_to_other_traces)
{
    xray_trace_header one = { .trace_id = { { 0x57, 0x59, 0xe9, 0x88, 0, 0, 0, 0, 1 } },
                              .parent_id = 0xab };
    xray_trace_header two = { .trace_id = { { 0x57, 0x59, 0xe9, 0x89, 0, 0, 0, 0, 2 } },
                              .parent_id = 0xcd };

    begin();
    xray_add_link(a, &one);
    xray_add_link(a, &two);
    xray_add_link(a, &one);
    end_as("links");
}

Test(golden, names_of_any_script_and_of_none)
{
    begin();
    xray_end(xray_start_subsegment(b, "gr\xC3\xBC\xC3\x9F"
                                      "e \xE6\x97\xA5\xE6\x9C\xAC 1"));
    xray_end(xray_start_subsegment(b, "a_b.c:d/e%f&g#h+i=j-k@l"));
    xray_end(xray_start_subsegment(b, "\"quoted\"\n\\back\xFF!"));
    xray_end(xray_start_subsegment(b, ""));
    end_as("names");
}

Test(golden, namespace_that_was_taken_away)
{
    begin();
    xray_set_namespace(b, "aws");
    xray_set_namespace(b, NULL);
    end_as("namespace-taken-away");
}
