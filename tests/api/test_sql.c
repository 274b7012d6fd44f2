/* SPDX-License-Identifier: Apache-2.0 */
/* Queries and connections, as they arrive: without what may be secret in them. */
#include "support.h"

#include <stdlib.h>

TestSuite(query, .init = record);
TestSuite(connection, .init = record);
TestSuite(sql_field, .init = record);

static xray_segment *a, *b;

static void begin(void)
{
    a = xray_start_segment(recorder, xray_segment_params(.name = "a"));
    b = xray_start_subsegment(a, "b");
}

static uint64_t truncated(void)
{
    return stats_of(recorder).truncated;
}

/* A field of b's sql block, after all has ended. */
static const char *sent(const char *path)
{
    xray_end(b);
    xray_end(a);
    settle();
    return text_at(embedded("b"), path);
}

Test(query, has_a_mark_for_each_literal)
{
    begin();
    xray_set_sql(b, xray_sql(.query = "SELECT a FROM t WHERE b = 'secret' AND c = 42"));
    cr_expect_eq(truncated(), 0);
    cr_expect_str_eq(sent("sql.sanitized_query"), "SELECT a FROM t WHERE b = ? AND c = ?");
    cr_expect_null(member(embedded("b"), "sql.query"));
    cr_expect_not(emitted_text("secret"));
}

Test(query, is_read_as_its_database_reads_it)
{
    begin();
    xray_set_sql(b, xray_sql(.database_type = "PostgreSQL", .query = "SELECT \"a\" = 'C:\\', 'x'"));
    cr_expect_str_eq(sent("sql.sanitized_query"), "SELECT \"a\" = ?, ?");
}

Test(query, that_is_sanitized_already_wins_and_stays_as_it_is)
{
    begin();
    xray_set_sql(b, xray_sql(.query = "SELECT 1", .sanitized_query = "SELECT  'constant'"));
    cr_expect_str_eq(sent("sql.sanitized_query"), "SELECT  'constant'");
}

Test(query, that_is_set_again_is_the_last_one)
{
    begin();
    xray_set_sql(b, xray_sql(.query = "SELECT 1"));
    xray_set_sql(b, xray_sql(.query = "DELETE 1"));
    cr_expect_str_eq(sent("sql.sanitized_query"), "DELETE ?");
    cr_expect_not(emitted_text("SELECT"));
}

Test(query, has_at_most_16384_characters)
{
    char *query = malloc(40001);
    const char *text;

    memset(query, 'q', 40000);
    query[40000] = '\0';
    begin();
    xray_set_sql(b, xray_sql(.query = query));
    cr_expect_eq(truncated(), 1);
    text = sent("sql.sanitized_query");
    cr_expect_eq(strlen(text), 16384);
    free(query);
}

Test(query, with_a_long_literal_is_not_cut)
{
    char *query = malloc(200001);

    memset(query, 'q', 200000);
    memcpy(query, "SELECT '", 8);
    memcpy(query + 200000 - 8, "' FROM t", 9);
    begin();
    xray_set_sql(b, xray_sql(.query = query));
    cr_expect_eq(truncated(), 0);
    cr_expect_str_eq(sent("sql.sanitized_query"), "SELECT ? FROM t");
    free(query);
}

Test(query, that_is_not_valid_utf8_makes_a_valid_document)
{
    begin();
    xray_set_sql(b, xray_sql(.query = "SELECT \xFF\"a\" FROM\x01 t\\"));
    cr_expect_str_eq(sent("sql.sanitized_query"), "SELECT \xEF\xBF\xBD? FROM t\\");
}

Test(query, is_not_recorded_when_the_environment_says_so)
{
    xray_segment *c;

    setenv("AWS_XRAY_COLLECT_SQL_QUERIES", "false", 1);
    record_from_environment((xray_recorder_params){ .sampler = &sampler_yes });
    begin();
    c = xray_start_subsegment(b, "c");
    xray_set_sql(b, xray_sql(.user = "u", .query = "SELECT a"));
    xray_set_sql(c, xray_sql(.sanitized_query = "SELECT a"));
    xray_end(c);
    cr_expect_str_eq(sent("sql.user"), "u");
    cr_expect_not(emitted_text("SELECT"));
    cr_expect_not(emitted_text("\"sql\":{}"));
    cr_expect_eq(stats_of(recorder).truncated, 0);
}

Test(query, is_recorded_when_the_environment_says_so_or_nothing)
{
    static const char *const values[] = { "true", "", "perhaps" };

    for (size_t i = 0; i < 3; i++) {
        setenv("AWS_XRAY_COLLECT_SQL_QUERIES", values[i], 1);
        record_from_environment((xray_recorder_params){ .sampler = &sampler_yes });
        forget_documents();
        begin();
        xray_set_sql(b, xray_sql(.query = "SELECT a"));
        cr_expect_str_eq(sent("sql.sanitized_query"), "SELECT a", "%s", values[i]);
    }
    cr_expect(logged_text("AWS_XRAY_COLLECT_SQL_QUERIES"));
}

/* ---- Connections -------------------------------------------------------------------- */

Test(connection, has_no_password_in_any_form)
{
    static const char *const connections[] = {
        "postgresql://u:hunter2@h/d",
        "postgresql://h/d?user=u&password=hunter2",
        "host=h user=u password=hunter2",
        "host=h password='hun''hunter2'",
        "Server=h;User Id=u;Password=hunter2;",
        "Driver={x};Server=h;PWD={hunter2;};",
        "u:hunter2@tcp(h:3306)/d",
        "scott/hunter2@h:1521/x",
        "Server=h;X-Amz-Security-Token=hunter2",
        "https://h/d?X-Amz-Security-Token=hunter2&X-Amz-Signature=hunter2",
    };

    for (size_t i = 0; i < sizeof(connections) / sizeof(*connections); i++) {
        begin();
        forget_documents();
        xray_set_sql(b, xray_sql(.connection_string = connections[i]));
        xray_end(b);
        xray_end(a);
        cr_expect_not(emitted_text("hunter2"), "%s", connections[i]);
        cr_expect(strchr(text_at(embedded("b"), "sql.connection_string"), 'h'), "%s",
                  connections[i]);
    }
    settle();
}

Test(connection, that_may_be_nothing_but_a_password_is_left_out_and_counted)
{
    begin();
    xray_set_sql(b, xray_sql(.connection_string = "hunter2", .user = "u"));
    cr_expect_eq(truncated(), 1);
    cr_expect_str_eq(sent("sql.user"), "u");
    cr_expect_null(member(embedded("b"), "sql.connection_string"));
}

Test(connection, given_as_a_url_has_no_password_either)
{
    begin();
    xray_set_sql(b, xray_sql(.url = "host=h password=hunter2 port=5432"));
    cr_expect_str_eq(sent("sql.url"), "host=h port=5432");
    cr_expect_not(emitted_text("hunter2"));
}

Test(connection, given_as_a_url_may_be_a_host_alone)
{
    begin();
    xray_set_sql(b, xray_sql(.url = "localhost:5432/d?sslmode"));
    cr_expect_str_eq(sent("sql.url"), "localhost:5432/d");
}

Test(connection, has_at_most_250_characters)
{
    char text[601] = "postgres://";

    memset(text + 11, 'h', 500);
    begin();
    xray_set_sql(b, xray_sql(.connection_string = text));
    cr_expect_eq(truncated(), 1);
    cr_expect_eq(strlen(sent("sql.connection_string")), 250);
}

/* ---- The others ------------------------------------------------------------------------ */

Test(sql_field, is_sent_under_its_name)
{
    begin();
    xray_set_sql(b, xray_sql(.driver_version = "libpq 15", .preparation = "call",
                             .connection_string = "host=h", .query = "CALL p()"));
    cr_expect_str_eq(sent("sql.driver_version"), "libpq 15");
    cr_expect_str_eq(text_at(embedded("b"), "sql.preparation"), "call");
    cr_expect_str_eq(text_at(embedded("b"), "sql.connection_string"), "host=h");
    cr_expect_str_eq(text_at(embedded("b"), "sql.sanitized_query"), "CALL p()");
}

Test(sql_field, of_preparation_is_one_of_two_words)
{
    begin();
    xray_set_sql(b, xray_sql(.preparation = "statement"));
    xray_set_sql(b, xray_sql(.preparation = "prepared"));
    cr_expect_eq(truncated(), 1);
    cr_expect_str_eq(sent("sql.preparation"), "statement");
}

Test(sql_field, of_an_older_program_is_not_read)
{
    xray_sql sql = { .size = offsetof(xray_sql, query), .user = "u", .query = "SELECT a" };

    begin();
    xray_set_sql(b, &sql);
    cr_expect_str_eq(sent("sql.user"), "u");
    cr_expect_not(emitted_text("SELECT"));
}
