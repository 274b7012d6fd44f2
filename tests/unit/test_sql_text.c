/* SPDX-License-Identifier: Apache-2.0 */
/* Statements without their literals. */
#include <criterion/criterion.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "model/sql_text.h"

struct pair {
    const char *in, *out;
};

static const char *normalise_for(const char *statement, const char *type)
{
    static char text[2][65536];
    static int i;
    char *ret = text[i ^= 1];
    bool cut = false;
    size_t length = xr_sql_normalise(ret, sizeof(text[0]) - 1, statement, type, &cut);

    cr_assert_not(cut, "%s", statement);
    cr_assert_leq(length, strlen(statement), "%s", statement);
    ret[length] = '\0';
    return ret;
}

static const char *normalise(const char *statement)
{
    return normalise_for(statement, NULL);
}

static void check_for(const char *type, const struct pair *pairs, size_t count)
{
    const char *shown = type ? type : "no type";

    for (size_t i = 0; i < count; i++) {
        cr_expect_str_eq(normalise_for(pairs[i].in, type), pairs[i].out, "%s: %s gives %s", shown,
                         pairs[i].in, normalise_for(pairs[i].in, type));
        cr_expect_str_eq(normalise_for(pairs[i].out, type), pairs[i].out,
                         "%s: %s does not stay, but becomes %s", shown, pairs[i].out,
                         normalise_for(pairs[i].out, type));
    }
}

#define CHECK_FOR(type, ...)                                    \
    do {                                                        \
        static const struct pair pairs[] = { __VA_ARGS__ };     \
        check_for(type, pairs, sizeof(pairs) / sizeof(*pairs)); \
    } while (0)

/* ---- What is the same for all ------------------------------------------------ */

static const char *const types[] = { NULL,     "MySQL",      "MariaDB", "PostgreSQL",
                                     "SQLite", "SQL Server", "Oracle",  "DB2/LINUX" };
#define TYPES (sizeof(types) / sizeof(*types))

#define CHECK_ALL(...)                        \
    do {                                      \
        for (size_t i = 0; i < TYPES; i++)    \
            CHECK_FOR(types[i], __VA_ARGS__); \
    } while (0)

Test(sql_statement, has_a_mark_for_each_text)
{
    CHECK_ALL({ "SELECT 'a'", "SELECT ?" }, { "SELECT ''", "SELECT ?" },
              { "SELECT 'it''s'", "SELECT ?" }, { "SELECT 'a''' , 'b'", "SELECT ? , ?" },
              { "SELECT 'a'||'b'", "SELECT ?||?" }, { "SELECT '-- no', 'comment'", "SELECT ?, ?" },
              { "SELECT '/*', '*/'", "SELECT ?, ?" }, { "SELECT 'line\nbreak'", "SELECT ?" },
              { "SELECT 'a\"b', 'c`d'", "SELECT ?, ?" }, { "SELECT '\xC3\xA9'", "SELECT ?" });
}

Test(sql_statement, has_a_mark_for_texts_with_a_prefix)
{
    CHECK_ALL({ "SELECT N'a'", "SELECT ?" }, { "SELECT x'1F'", "SELECT ?" },
              { "SELECT B'01'", "SELECT ?" }, { "SELECT _utf8mb4'a'", "SELECT _utf8mb4?" },
              { "SELECT DATE '2020-01-01'", "SELECT DATE ?" });
}

Test(sql_statement, has_a_mark_for_each_number)
{
    CHECK_ALL({ "SELECT 1", "SELECT ?" }, { "SELECT 1.5, .5, 5.", "SELECT ?, ?, ?" },
              { "SELECT 1e10, 1E-10, 1.5e+3", "SELECT ?, ?, ?" },
              { "SELECT 0x1F, 0XFF, 0b01, 1_000", "SELECT ?, ?, ?, ?" },
              { "SELECT 0x1e-5", "SELECT ?-?" }, { "a=1", "a=?" }, { "a>=1.5;", "a>=?;" },
              { "1+1", "?+?" }, { "SELECT 12L", "SELECT ?" });
}

Test(sql_statement, keeps_the_sign_of_a_number)
{
    CHECK_ALL({ "SELECT -5, +5", "SELECT -?, +?" }, { "a = -1.5e-5", "a = -?" });
}

Test(sql_statement, keeps_true_false_and_null)
{
    CHECK_ALL({ "a IS NULL AND b = TRUE OR c = false", "a IS NULL AND b = TRUE OR c = false" });
}

Test(sql_statement, keeps_names_with_digits)
{
    CHECK_ALL({ "SELECT t1.c2 FROM s3.t1", "SELECT t1.c2 FROM s3.t1" },
              { "SELECT v$session, _1", "SELECT v$session, _1" },
              { "SELECT caf\xC3\xA9", "SELECT caf\xC3\xA9" });
}

Test(sql_statement, has_a_mark_for_a_digit_behind_what_may_be_a_blank)
{
    CHECK_ALL({ "a =\xC2\xA0"
                "42",
                "a =\xC2\xA0?" },
              { "caf\xC3\xA9"
                "2",
                "caf\xC3\xA9?" });
}

Test(sql_statement, has_a_mark_for_names_that_begin_like_a_number)
{
    CHECK_ALL({ "SELECT 2fa FROM t.5e", "SELECT ? FROM t.?" });
}

Test(sql_statement, has_lists_of_marks)
{
    CHECK_ALL({ "a IN (1,2,3)", "a IN (?,?,?)" }, { "a IN ('x', 'y')", "a IN (?, ?)" },
              { "VALUES (1,'a'),(2,'b')", "VALUES (?,?),(?,?)" });
}

Test(sql_statement, keeps_parameters)
{
    CHECK_ALL({ "a = ? AND b = ?", "a = ? AND b = ?" }, { "a = :name", "a = :name" },
              { "a = @name", "a = @name" }, { "a = %s, b = %(name)s", "a = %s, b = %(name)s" },
              { "a::int", "a::int" });
}

Test(sql_statement, has_a_mark_for_numbered_parameters_and_amounts_of_money)
{
    CHECK_ALL({ "a = $1 AND b = $23", "a = ? AND b = ?" }, { "a = ?1", "a = ?" },
              { "a = :1", "a = :?" }, { "a = $1.50", "a = ?" });
}

Test(sql_statement, has_no_comments)
{
    CHECK_ALL({ "SELECT a -- secret\nFROM b", "SELECT a FROM b" },
              { "SELECT a -- it's\r\nFROM b", "SELECT a FROM b" }, { "-- secret", "" },
              { "--", "" }, { "a --", "a" }, { "SELECT/* secret */a", "SELECT a" },
              { "/* it's */ a", "a" }, { "a /**/ b /* * / */", "a b" },
              { "SELECT a /*traceparent='00-abc-01'*/", "SELECT a" });
}

Test(sql_statement, has_one_blank_for_many)
{
    CHECK_ALL({ "  SELECT\t\n a ,  b\r\n\f", "SELECT a , b" }, { " ", "" }, { "", "" },
              { "a \x01 b", "a b" });
}

Test(sql_statement, has_a_mark_for_what_nothing_closes)
{
    CHECK_ALL({ "SELECT 'secret", "SELECT ?" }, { "a = 'x', b = 'it''s secret 42", "a = ?, b = ?" },
              { "SELECT \"secret", "SELECT ?" }, { "SELECT a /* secret", "SELECT a ?" },
              { "'", "?" });
}

Test(sql_statement, has_no_comment_that_holds_another_or_is_executed)
{
    CHECK_ALL({ "a /* x /* y */ secret */ b", "a ?" }, { "a /*!50000 'x' */ b", "a ?" },
              { "a /*M! 'x' */ b", "a ?" });
}

Test(sql_statement, ends_at_a_comment_whose_line_may_end_earlier)
{
    CHECK_ALL({ "a -- x\rb 'secret'\nc", "a ?" });
}

Test(sql_statement, has_no_password_without_quotes)
{
    CHECK_ALL({ "ALTER USER u IDENTIFIED BY hunter2 REPLACE old", "ALTER USER u IDENTIFIED BY ?" },
              { "ALTER USER u identified /**/ by hunter2", "ALTER USER u identified by ?" },
              { "SELECT identified FROM t ORDER BY a", "SELECT identified FROM t ORDER BY a" });
}

/* ---- What is not ---------------------------------------------------------------- */

Test(sql_statement, in_double_quotes_is_a_name_for_some_and_text_for_others)
{
    static const char *const text[] = { NULL, "MySQL", "MariaDB", "SQLite", "Snowflake" };
    static const char *const name[] = { "PostgreSQL", "postgres", "Oracle", "Microsoft SQL Server",
                                        "DB2/LINUX" };

    for (size_t i = 0; i < sizeof(text) / sizeof(*text); i++)
        CHECK_FOR(text[i], { "SELECT \"col 1\" = \"a\"\"b\"", "SELECT ? = ?" });
    for (size_t i = 0; i < sizeof(name) / sizeof(*name); i++)
        CHECK_FOR(name[i], { "SELECT  \"col  1\" = \"a\"\"b\"", "SELECT \"col  1\" = \"a\"\"b\"" });
}

Test(sql_statement, keeps_names_in_backticks)
{
    CHECK_FOR("MySQL", { "SELECT `col  1`.`a``b`", "SELECT `col  1`.`a``b`" });
    CHECK_FOR("SQLite", { "SELECT `col 1`", "SELECT `col 1`" });
    CHECK_FOR(NULL, { "SELECT `col 1`", "SELECT `col 1`" }, { "SELECT `col", "SELECT ?" });
}

Test(sql_statement, keeps_names_in_brackets)
{
    CHECK_FOR("SQL Server", { "SELECT [col  1], [a]]b]", "SELECT [col  1], [a]]b]" },
              { "[it's] = 'secret'", "? = ?" });
    CHECK_FOR("PostgreSQL", { "a[1:2]", "a[?:?]" }, { "ARRAY['a]b', 'c']", "ARRAY[?, ?]" });
    CHECK_FOR(NULL, { "SELECT [a b]", "SELECT [a b]" }, { "a[1]", "a[?]" },
              { "[it's] = 'secret'", "?" }, { "[a[it's] = 'secret'", "[a?" });
}

Test(sql_statement, takes_long_names_and_names_with_a_quote_for_text)
{
    char statement[600] = "\"";

    memset(statement + 1, 'a', 500);
    strcat(statement, "\"");
    cr_expect_str_eq(normalise_for(statement, "PostgreSQL"), "?");
    CHECK_FOR("PostgreSQL", { "SELECT \"it's\", a", "SELECT ?, a" });
    CHECK_FOR("MySQL", { "SELECT `it's`, a", "SELECT ?, a" });
}

Test(sql_statement, has_backslashes_in_texts_of_mysql)
{
    CHECK_FOR("MySQL", { "a = 'it\\'s secret' AND b", "a = ? AND b" },
              { "a = 'x\\\\' AND b = 'y'", "a = ? AND b = ?" },
              { "a = \"it\\\"s secret\" AND b", "a = ? AND b" },
              { "a = '\\'''' AND b", "a = ? AND b" });
}

Test(sql_statement, has_no_backslashes_in_texts_of_the_standard)
{
    static const char *const standard[] = { "PostgreSQL", "SQLite", "SQL Server", "Oracle", "DB2" };

    for (size_t i = 0; i < sizeof(standard) / sizeof(*standard); i++)
        CHECK_FOR(standard[i], { "a = 'C:\\' AND b = 'secret'", "a = ? AND b = ?" });
}

Test(sql_statement, has_backslashes_in_e_strings_of_postgres)
{
    CHECK_FOR("PostgreSQL", { "a = E'it\\'s secret' AND b", "a = ? AND b" },
              { "a = e'x\\\\' AND b", "a = ? AND b" }, { "a = E'it''s' AND b", "a = ? AND b" });
}

Test(sql_statement, ends_where_two_databases_would_read_on_differently)
{
    CHECK_FOR(NULL, { "a = 'C:\\' AND b = 'secret'", "a = ?" }, { "a = 'it\\'s secret'", "a = ?" },
              { "a = 'x\\\\' AND b = 'y'", "a = ? AND b = ?" },
              { "a = '\\n' AND b", "a = ? AND b" }, { "a # it's\nb 'secret'", "a ?" },
              { "a --1, 'secret'", "a ?" }, { "a // it's\nb 'secret'", "a ?" },
              { "a = '''it's secret''' AND b", "a = ?" }, { "a = \"\"\"secret\"\"\"", "a = ?" });
}

Test(sql_statement, has_the_comments_of_mysql)
{
    CHECK_FOR("MySQL", { "a # it's\nb", "a b" }, { "5--3, 'x'", "?--?, ?" },
              { "a -- it's\nb", "a b" });
}

Test(sql_statement, has_no_comments_of_mysql_elsewhere)
{
    CHECK_FOR("PostgreSQL", { "a #> '{b}' --x 'y'", "a #> ?" });
    CHECK_FOR("SQL Server", { "FROM #tmp1 AS a#b", "FROM #tmp1 AS a#b" });
}

Test(sql_statement, has_dollar_quotes_of_postgres)
{
    CHECK_FOR("PostgreSQL", { "SELECT $$it's$$, a", "SELECT ?, a" },
              { "SELECT $tag$ a $$ b $tag$ , 'c'", "SELECT ? , ?" },
              { "SELECT $a$secret$b$ secret", "SELECT ?" }, { "a$b$c", "a$b$c" },
              { "$_1$x$_1$", "?" });
    CHECK_FOR(NULL, { "SELECT $$it's$$, a", "SELECT ?, a" });
    CHECK_FOR("MySQL", { "SELECT $a$ FROM b$", "SELECT $a$ FROM b$" });
}

Test(sql_statement, has_q_strings_of_oracle)
{
    CHECK_FOR("Oracle", { "a = q'[it's]' AND b", "a = ? AND b" },
              { "a = nq'!it's!' AND b", "a = ? AND b" }, { "a = Q'{x}y}' AND b", "a = ? AND b" },
              { "a = q'(secret)", "a = ?" }, { "a = q'", "a = ?" });
    CHECK_FOR(NULL, { "a = q'<it's>' AND b", "a = ? AND b" });
}

/* ---- Bounds and properties ---------------------------------------------------------- */

Test(sql_statement, is_cut_at_the_room_there_is_at_a_whole_character)
{
    static const char statement[] = "SELECT a\xC3\xA9z";
    char text[16];
    bool cut = false;

    memset(text, 'x', sizeof(text));
    cr_expect_eq(xr_sql_normalise(text, 9, statement, NULL, &cut), 8);
    cr_expect(cut);
    cr_expect_eq(text[9], 'x');
    cut = false;
    cr_expect_eq(xr_sql_normalise(text, 11, statement, NULL, &cut), 11);
    cr_expect_not(cut);
    cr_expect_eq(xr_sql_normalise(text, 0, statement, NULL, &cut), 0);
    cr_expect(cut);
}

Test(sql_statement, is_not_cut_when_only_blanks_are_missing)
{
    char text[8];
    bool cut = false;

    cr_expect_eq(xr_sql_normalise(text, 1, "a  \n", NULL, &cut), 1);
    cr_expect_not(cut);
}

/* Whatever is quadratic would take hours. */
Test(sql_statement, of_a_megabyte_takes_no_time)
{
    static const char *const parts[] = { "[", "'a' ", "$a", "$",   "$a$ ",   "/*", "--\n",
                                         "-", "''",   "\"", "`a ", "q'",     "0x", "1e-",
                                         "é", "[a]",  "\\", "(",   "E'a\\'", "?1" };
    char *statement = malloc(2 * 1024 * 1024 + 1), *text = malloc(2 * 1024 * 1024);

    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
        size_t length = strlen(parts[i]), at = 0;
        bool cut = false;

        while (at + length < 2 * 1024 * 1024)
            at += (size_t)(stpcpy(statement + at, parts[i]) - (statement + at));
        for (size_t j = 0; j < TYPES; j++) {
            cut = false;
            cr_expect_leq(xr_sql_normalise(text, 2 * 1024 * 1024, statement, types[j], &cut),
                          XR_SQL_STATEMENT_MAX);
            cr_expect(cut, "more than is read: %s", parts[i]);
        }
    }
    free(statement);
    free(text);
}

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 16;
}

/*
 * Statements put together from names without an S and a digit, and literals in
 * which nothing but S and digits is said: none of these may come out.
 */
struct grammar {
    const char *type;
    const char *literals[12];
};

static const struct grammar grammars[] = {
    { "MySQL",
      { "'S'", "'S''S'", "'S\\'S'", "\"S'S\"", "'S\\\\'", "0x5A", "5.5e-5", "-- S'S\n", "# S'\"S\n",
        "/* S'S */", "'S-- S'", "\"S\\\"S\"" } },
    { "PostgreSQL",
      { "'S'", "'S''S'", "'S\\'", "E'S\\'S'", "$$S'S$$", "$t$S$$S$t$", "5.5e-5", "-- S'S\n",
        "/* S'S */", "U&'S\\0055'", "--S'S\n", "'S\"S'" } },
    { "SQL Server",
      { "'S'", "'S''S'", "'S\\'", "N'S'", "$5.50", "0x5A", "5.5e-5", "-- S'S\n", "/* S'S */",
        "--S'S\n", "'S[S'", "'S]S'" } },
    { "Oracle",
      { "'S'", "'S''S'", "'S\\'", "q'[S'S]'", "Nq'!S'S!'", "5.5e-5", "-- S'S\n", "/* S'S */",
        "--S'S\n", "'S\"S'", ":5", "DATE 'S'" } },
    { "SQLite",
      { "'S'", "'S''S'", "'S\\'", "\"S'S\"", "x'55'", "0x5A", "5.5e-5", "-- S'S\n", "/* S'S */",
        "--S'S\n", "?5", "'S`S'" } },
};

static size_t put_together(char *ret, const struct grammar *grammar, uint32_t *state)
{
    static const char *const words[] = { "select", "a",   "from", "t.b",  "(", ")", ",",  "=",
                                         "<>",     "and", "||",   "null", "*", "-", "::", ";" };
    char *p = ret;

    for (uint32_t count = 1 + next_random(state) % 12; count > 0; count--) {
        const char *word = words[next_random(state) % (sizeof(words) / sizeof(*words))];

        if (next_random(state) % 2)
            word = grammar->literals[next_random(state) % 12];
        p = stpcpy(p, word);
        p = stpcpy(p, " ");
    }
    return (size_t)(p - ret);
}

Test(sql_statement, put_together_at_random_has_no_literal_when_the_database_is_known)
{
    uint32_t state = 1;
    char statement[1024];

    for (int i = 0; i < 20000; i++) {
        const struct grammar *grammar = &grammars[i % 5];
        const char *text;

        put_together(statement, grammar, &state);
        text = normalise_for(statement, grammar->type);
        cr_assert_null(strpbrk(text, "S0123456789'"), "%s: %s gives %s", grammar->type, statement,
                       text);
        cr_assert_str_eq(normalise_for(text, grammar->type), text, "%s: %s", grammar->type, text);
    }
}

Test(sql_statement, put_together_at_random_has_no_literal_when_the_database_is_not_known)
{
    uint32_t state = 2;
    char statement[1024];

    for (int i = 0; i < 20000; i++) {
        const char *text;

        put_together(statement, &grammars[i % 5], &state);
        text = normalise(statement);
        cr_assert_null(strpbrk(text, "S0123456789'\""), "%s: %s gives %s", grammars[i % 5].type,
                       statement, text);
        cr_assert_str_eq(normalise(text), text, "%s", text);
    }
}

Test(sql_statement, of_random_bytes_stays_as_it_becomes)
{
    static const char alphabet[] = "aE'q\"`\\$#-/*[]{}?.,0x1e+ \n\r\xC3\xA9;:@N_!M";
    uint32_t state = 3;
    char statement[64];

    for (int i = 0; i < 200000; i++) {
        const char *type = types[next_random(&state) % TYPES];
        size_t length = next_random(&state) % (sizeof(statement) - 1);
        const char *text;

        for (size_t j = 0; j < length; j++)
            statement[j] = alphabet[next_random(&state) % (sizeof(alphabet) - 1)];
        statement[length] = '\0';
        text = normalise_for(statement, type);
        cr_assert_null(strchr(text, '\''), "%s: %s gives %s", type, statement, text);
        cr_assert_str_eq(normalise_for(text, type), text, "%s: %s gives %s", type, statement, text);
    }
}
