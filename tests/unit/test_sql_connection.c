/* SPDX-License-Identifier: Apache-2.0 */
/* Connection strings without passwords. */
#include <criterion/criterion.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "model/sql_text.h"

struct pair {
    const char *in, *out;
};

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 16;
}

/* form with secret in the place of its "%". */
static const char *with_secret(const char *form, const char *secret)
{
    static char text[1024];
    char *p = stpncpy(text, form, strcspn(form, "%"));

    strcpy(stpcpy(p, secret), strchr(form, '%') + 1);
    return text;
}

static const char *connection(const char *text)
{
    static char ret[4096];
    size_t length = xr_sql_connection(ret, sizeof(ret) - 1, text);

    cr_assert_leq(length, strlen(text), "%s", text);
    ret[length] = '\0';
    return ret;
}

#define CHECK_CONNECTIONS(...)                                                                  \
    do {                                                                                        \
        static const struct pair pairs[] = { __VA_ARGS__ };                                     \
        for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++)                             \
            cr_expect_str_eq(connection(pairs[i].in), pairs[i].out, "%s gives %s", pairs[i].in, \
                             connection(pairs[i].in));                                          \
    } while (0)

Test(sql_connection, of_a_url_has_no_user_info_and_no_parameters)
{
    CHECK_CONNECTIONS({ "postgresql://u:pw@h:5432/d", "postgresql://h:5432/d" },
                      { "postgres://u:p@w@h/d?sslmode=require&password=pw", "postgres://h/d" },
                      { "mysql://u:p/w@h/d", "mysql://h/d" }, { "mysql://h/d#pw", "mysql://h/d" },
                      { "mongodb+srv://u:pw@a:1,b:2,[::1]:3/d?authSource=admin",
                        "mongodb+srv://a:1,b:2,[::1]:3/d" },
                      { "redis://:pw@h:6379/0", "redis://h:6379/0" },
                      { "sqlite:///data/x.db", "sqlite:///data/x.db" }, { "//u:pw@h/d", "//h/d" },
                      { "  postgres://h/d password=pw ", "postgres://h/d" });
}

Test(sql_connection, of_jdbc_has_no_parameters_of_any_form)
{
    CHECK_CONNECTIONS({ "jdbc:postgresql://h/d?user=u&password=pw", "jdbc:postgresql://h/d" },
                      { "jdbc:sqlserver://h:1433;databaseName=d;user=u@h;password=pw",
                        "jdbc:sqlserver://h:1433" },
                      { "jdbc:db2://h:50000/d:user=u;password=pw;", "jdbc:db2://h:50000/d:user" },
                      { "jdbc:teradata://h/DATABASE=d,PASSWORD=pw", "jdbc:teradata://h/DATABASE" },
                      { "jdbc:mysql://(host=h,user=u,password=pw)/d", "jdbc:mysql://" },
                      { "jdbc:mysql://address=(host=h)(password=pw)/d", "jdbc:mysql://address" },
                      { "jdbc:oracle:thin:u/pw@//h:1521/s", "//h:1521/s" },
                      { "jdbc:oracle:thin:u/pw@h:1521:s", "h:1521:s" },
                      { "jdbc:h2:mem:x;PASSWORD=pw", "" });
}

Test(sql_connection, of_a_url_keeps_the_scheme_alone_when_its_password_may_end_anywhere)
{
    CHECK_CONNECTIONS(
        { "postgres://u:p?w@h/d", "postgres://" }, { "postgres://u:p;w@h/d", "postgres://" },
        { "postgres://u:p#w@h/d", "postgres://" }, { "postgres://u:p w@h/d", "postgres://" },
        { "postgres://u:p=w@h/d", "postgres://" }, { "postgres://u:p(w@h/d", "postgres://" },
        { "postgres://u:a@p?w@h/d", "postgres://" });
}

Test(sql_connection, of_key_and_value_keeps_what_is_known_to_be_harmless)
{
    CHECK_CONNECTIONS(
        { "host=h port=5432 dbname=d user=u password=pw", "host=h port=5432 dbname=d user=u" },
        { "host=h password='p w' dbname=d", "host=h dbname=d" },
        { "host=h password = 'it\\'s pw' dbname=d", "host=h dbname=d" },
        { "host=h password=p\\ w dbname=d", "host=h dbname=d" }, { "password=pw", "" },
        { "user = u  password = pw", "user = u" },
        { "Server=h;Database=d;User Id=u;Password=pw;", "Server=h;Database=d;User Id=u" },
        { "Server=tcp:h,1433;Initial Catalog=d;UID=u@h;PWD=pw",
          "Server=tcp:h,1433;Initial Catalog=d;UID=u@h" },
        { "Driver={ODBC Driver 17};Server=h;PWD={p;w}}x};Database=d",
          "Driver={ODBC Driver 17};Server=h;Database=d" },
        { "Server=h;Password=\"p;\"\"w\";Database=d", "Server=h;Database=d" },
        { "Server=h;Password = 'p;''w' ; Database = d", "Server=h;Database = d" },
        { "Data Source=u/pw@//h:1521/s;Password=pw", "Data Source=//h:1521/s" },
        { "DSN=x;UID=D\\u", "DSN=x;UID=D\\u" });
}

Test(sql_connection, of_key_and_value_has_no_secret_by_another_name)
{
    static const char *const keys[] = { "password",
                                        "Password",
                                        "PASSWORD",
                                        "pwd",
                                        "Pwd",
                                        "pass",
                                        "passwd",
                                        "passphrase",
                                        "secret",
                                        "token",
                                        "AccessToken",
                                        "access_key",
                                        "sslkey",
                                        "sslpassword",
                                        "passfile",
                                        "key",
                                        "X-Amz-Security-Token",
                                        "Proxy Password",
                                        "auth",
                                        "Jet OLEDB:Database Password",
                                        "options",
                                        "" };

    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
        const char *text = with_secret("Server=h;%=hunter2;Database=d", keys[i]);

        cr_expect_str_eq(connection(text), "Server=h;Database=d", "%s", text);
        text = with_secret("host=h %=hunter2 dbname=d", keys[i]);
        cr_expect_null(strstr(connection(text), "hunter2"), "%s", text);
    }
}

Test(sql_connection, of_key_and_value_has_no_secret_within_a_harmless_value)
{
    CHECK_CONNECTIONS({ "dbname=postgresql://u:pw@h/d", "dbname=h/d" },
                      { "dbname=postgresql://h/d?password=pw host=h", "host=h" },
                      { "host=h&password=pw", "" },
                      { "Server=(HOST=h)(PASSWORD=pw);Port=1", "Port=1" }, { "user=scott/pw", "" },
                      { "user=u:pw host=h", "host=h" }, { "server='u:pw@h' port=1", "port=1" });
}

Test(sql_connection, with_quotes_that_nobody_can_read_ends_before_them)
{
    CHECK_CONNECTIONS(
        { "Server=h;Password='p;Database=d", "Server=h" },
        { "Server=h;Password={p};w;Port=1", "Server=h;Port=1" },
        { "Server=h;Password={p}w;Database=d", "Server=h" },
        { "host=h password='p dbname=d", "host=h" }, { "host=h password='p'w dbname=d", "host=h" },
        { "host=h password='p;w' dbname=d", "" }, { "host=h user=u password=p;w", "" });
}

Test(sql_connection, of_go_has_what_is_behind_the_password)
{
    CHECK_CONNECTIONS(
        { "u:pw@tcp(h:3306)/d", "tcp(h:3306)/d" }, { "u:p@w@tcp(h:3306)/d?x=a@b", "tcp(h:3306)/d" },
        { "u:p/w?x@tcp([::1]:3306)/d?password=pw", "tcp([::1]:3306)/d" },
        { "u:p=w@unix(/run/x.sock)/d", "unix(/run/x.sock)/d" }, { "u:p(w)@tcp(h)/d", "tcp(h)/d" },
        { "tcp(h)/d", "tcp(h)/d" }, { "u:pw@/d", "/d" }, { "u@tcp(h)", "tcp(h)" });
}

Test(sql_connection, of_another_form_has_what_is_no_password_or_nothing)
{
    CHECK_CONNECTIONS({ "scott/pw@h:1521/s", "h:1521/s" }, { "u:pw@h", "h" }, { "scott/pw", "" },
                      { "u:pw", "" }, { "pw", "" }, { "", "" }, { "  ", "" }, { "@", "" },
                      { "u:p?w@h", "" }, { "u:pw@h?a=b@c", "" }, { "-u root -ppw -h h", "" },
                      { "h:6379,password=pw,ssl=True", "" }, { "/data/x.db?key=pw", "/data/x.db" },
                      { "./x.db", "./x.db" }, { "file:x.db?key=pw", "file:x.db" },
                      { ":memory:", ":memory:" });
}

Test(sql_connection, has_no_token_for_a_password)
{
    static const char token[] = "h:3306/?Action=connect&DBUser=u&X-Amz-Security-Token=hunter2"
                                "&X-Amz-Signature=hunter2";
    static const char *const forms[] = {
        "mysql://u:%@h/d",       "u:%@tcp(h)/d", "u:%@h", "host=h password=% dbname=d",
        "Server=h;Pwd=%;Port=1", "u %s",         "%s"
    };

    for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
        const char *text = with_secret(forms[i], token);

        cr_expect_null(strstr(connection(text), "hunter2"), "%s gives %s", text, connection(text));
        cr_expect_null(strstr(connection(text), "Amz"), "%s gives %s", text, connection(text));
    }
}

/* The password is all there is of S, in each form and with each character of trouble. */
Test(sql_connection, with_a_quoted_or_escaped_password_has_none_of_it)
{
    static const char *const forms[] = { "postgres://u:%@h:1/d",
                                         "postgres://u:%@h:1/d?x=y@z",
                                         "//u:%@h",
                                         "u:%@tcp(h:1)/d?x=y",
                                         "u:%@tcp(h)/d",
                                         "host=h password=% port=1",
                                         "password=% host=h",
                                         "Server=h;Password=%;Port=1",
                                         "Password=%;Server=h" };
    static const char alphabet[] = "SSSS@/:?#&=()[]{}.,%+-_*!~^|\\";
    uint32_t state = 4;
    char password[16];

    for (int i = 0; i < 200000; i++) {
        size_t length = 1 + next_random(&state) % (sizeof(password) - 1);
        const char *text, *kept;

        for (size_t j = 0; j < length; j++)
            password[j] = alphabet[next_random(&state) % (sizeof(alphabet) - 1)];
        password[0] = 'S';
        password[length - (length > 1)] = length > 1 ? 'S' : password[0];
        password[length] = '\0';
        text = with_secret(forms[i % (sizeof(forms) / sizeof(*forms))], password);
        kept = connection(text);
        /* The keys have a capital, too. */
        if (strncmp(kept, "Server", 6) == 0)
            kept++;
        cr_assert_null(strchr(kept, 'S'), "%s gives %s", text, connection(text));
    }
}

Test(sql_connection, is_written_as_far_as_there_is_room)
{
    char text[16];

    memset(text, 'x', sizeof(text));
    cr_expect_eq(xr_sql_connection(text, 10, "host=h port=1 dbname=d"), 6);
    cr_expect_eq(text[10], 'x');
    cr_expect_eq(xr_sql_connection(text, 3, "postgres://h"), 0);
    cr_expect_eq(xr_sql_connection(text, 0, "host=h"), 0);
}

Test(sql_connection, that_is_endless_is_nothing)
{
    char *text = malloc(100001);

    memset(text, 'a', 100000);
    memcpy(text, "postgres://h/", 13);
    text[100000] = '\0';
    cr_expect_str_eq(connection(text), "");
    free(text);
}

Test(sql_connection, of_64_kilobytes_takes_no_time)
{
    static const char *const parts[] = {
        "a ", "a=b ", "@tcp(", "@a", "a@b(", "a=;", "[", "=", "'"
    };
    char text[65000], out[65000];

    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
        size_t at = 0;

        while (at + strlen(parts[i]) < sizeof(text))
            at += (size_t)(stpcpy(text + at, parts[i]) - (text + at));
        cr_expect_leq(xr_sql_connection(out, sizeof(out), text), at);
    }
}
