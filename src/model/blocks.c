/* SPDX-License-Identifier: Apache-2.0 */
/* The blocks of what a segment talked to, and the other plain members of a document. */
#include "base/json.h"
#include "model/attributes.h"
#include "model/describe.h"
#include "model/sql_text.h"
#include "wire/hex.h"
#include "wire/ids.h"

#define STRING_MAX 250 /* characters, where the schema says nothing else */
#define SQL_MAX    16384
#define LINKS_MAX  20
#define CLEAN_MAX  ((size_t)4 * STRING_MAX)

/* Where the authority of a URL begins. */
static size_t authority_of(const char *url, size_t length)
{
    const char *end = url + length;

    if (url[0] == '/' && url[1] == '/')
        return strspn(url, "/");
    for (const char *p = url; (p = memchr(p, ':', (size_t)(end - p))) != NULL; p++)
        if (p[1] == '/' && p[2] == '/')
            return (size_t)(p - url) + 1 + strspn(p + 1, "/");
    return 0;
}

static size_t without_user(char clean[CLEAN_MAX], const char *url, size_t length)
{
    size_t authority = authority_of(url, length);
    size_t at = authority + strcspn(url + authority, "/?#");
    size_t kept;

    while (at > authority && url[at - 1] != '@')
        at--;
    kept = length - at < CLEAN_MAX - authority ? length - at : CLEAN_MAX - authority;
    if (authority > CLEAN_MAX / 2)
        return 0;
    memcpy(clean, url, authority);
    memcpy(clean + authority, url + at, kept);
    return authority + kept;
}

/* Shorter ones are not worth a second look. */
static bool is_bare(const char *url, size_t length)
{
    size_t at = 0;

    if (length < 16)
        return false;
    for (; length - at > 16; at += 16)
        if (!xr_sixteen_are_bare_url(xr_sixteen_load(url + at)))
            return false;
    return xr_sixteen_are_bare_url(xr_sixteen_load(url + length - 16));
}

static __attribute__((__noinline__)) struct xr_members put_cleaned_url(struct xr_members members,
                                                                       const char *url)
{
    size_t length = strcspn(url, "?#");
    char clean[CLEAN_MAX];

    if (memchr(url, '@', length)) {
        length = without_user(clean, url, length);
        if (length == 0) {
            members.truncated++;
            return members;
        }
        url = clean;
    }
    xr_members_text(&members, XR_REQUEST_URL, url, length, STRING_MAX);
    return members;
}

/* Writes a URL without what may be secret in it: user info, query and fragment. */
static inline __attribute__((__always_inline__)) void put_url(struct xr_members *members,
                                                              const char *url)
{
    size_t length;

    if (!url)
        return;
    length = strlen(url);
    if (__builtin_expect(is_bare(url, length), 1))
        xr_members_text(members, XR_REQUEST_URL, url, length, STRING_MAX);
    else
        *members = put_cleaned_url(*members, url);
}

unsigned xr_marks_of_status(int status)
{
    if (status == 429)
        return XRAY_THROTTLE | XRAY_ERROR;
    if (status >= 400 && status <= 499)
        return XRAY_ERROR;
    return status >= 500 && status <= 599 ? XRAY_FAULT : 0;
}

void xr_describe_marks(struct xr_segment *segment, unsigned marks)
{
    if (marks & XRAY_THROTTLE)
        marks |= XRAY_ERROR;
    segment->marks |= (uint8_t)(marks & (XRAY_ERROR | XRAY_THROTTLE | XRAY_FAULT));
}

void xr_describe_unmark(struct xr_segment *segment, unsigned marks)
{
    if (marks & XRAY_ERROR)
        marks |= XRAY_THROTTLE;
    segment->marks &= (uint8_t)~marks;
}

static unsigned put_request(struct xr_segment *segment, const xray_http *http)
{
    struct xr_members members;

    xr_members_begin(&members, segment, XR_SECTION_HTTP_REQUEST);
    xr_members_string(&members, XR_METHOD, http->method, STRING_MAX);
    put_url(&members, http->url);
    xr_members_string(&members, XR_USER_AGENT, http->user_agent, STRING_MAX);
    xr_members_string(&members, XR_CLIENT_IP, http->client_ip, STRING_MAX);
    return xr_members_end(&members);
}

static unsigned put_response(struct xr_segment *segment, const xray_http *http)
{
    struct xr_members members;

    xr_members_begin(&members, segment, XR_SECTION_HTTP_RESPONSE);
    if (http->status)
        xr_members_number(&members, XR_STATUS, http->status);
    if (http->content_length > 0)
        xr_members_number(&members, XR_CONTENT_LENGTH, http->content_length);
    return xr_members_end(&members);
}

unsigned xr_describe_http(struct xr_segment *segment, const xray_http *http)
{
    unsigned truncated = 0;

    if (http->method || http->url || http->user_agent || http->client_ip)
        truncated = put_request(segment, http);
    if (http->x_forwarded_for && !(segment->flags & XR_SUBSEGMENT))
        truncated += !xr_put_true(segment, XR_SECTION_HTTP_REQUEST, XR_X_FORWARDED_FOR);
    if (http->status || http->content_length > 0)
        truncated += put_response(segment, http);
    if (http->status >= 400)
        xr_describe_marks(segment, xr_marks_of_status(http->status));
    return truncated;
}

unsigned xr_describe_aws(struct xr_segment *segment, const xray_aws *aws)
{
    struct xr_members members;

    xr_members_begin(&members, segment, XR_SECTION_AWS);
    xr_members_string(&members, XR_OPERATION, aws->operation, STRING_MAX);
    xr_members_string(&members, XR_REGION, aws->region, STRING_MAX);
    xr_members_string(&members, XR_ACCOUNT_ID, aws->account_id, STRING_MAX);
    xr_members_string(&members, XR_REQUEST_ID, aws->request_id, STRING_MAX);
    xr_members_string(&members, XR_QUEUE_URL, aws->queue_url, STRING_MAX);
    xr_members_string(&members, XR_TABLE_NAME, aws->table_name, STRING_MAX);
    xr_members_string(&members, XR_ID_2, aws->id_2, STRING_MAX);
    /* A call that succeeds at once has 0 retries, which is worth saying. */
    if (aws->retries < 0)
        members.truncated++;
    else if (aws->retries || (aws->operation && !xr_attributes_have_known(segment, XR_RETRIES)))
        xr_members_number(&members, XR_RETRIES, aws->retries);
    return xr_members_end(&members);
}

/* Apart, since it needs much of the stack. */
static __attribute__((__noinline__)) void put_query(struct xr_members *members, const xray_sql *sql)
{
    char text[SQL_MAX];
    bool cut = false;
    size_t length = xr_sql_normalise(text, sizeof(text), sql->query, sql->database_type, &cut);

    members->truncated += cut;
    xr_members_text(members, XR_SANITIZED_QUERY, text, length, SQL_MAX);
}

static void put_connection(struct xr_members *members, enum xr_known known,
                           const char *connection_string)
{
    char text[CLEAN_MAX];
    size_t length = xr_sql_connection(text, sizeof(text), connection_string);

    if (length > 0)
        xr_members_text(members, known, text, length, STRING_MAX);
    else
        members->truncated++;
}

/* What is no URL is read as what else a driver takes, if it may have a secret in it. */
static void put_sql_url(struct xr_members *members, const char *url)
{
    if (strpbrk(url, "@="))
        put_connection(members, XR_SQL_URL, url);
    else
        xr_members_text(members, XR_SQL_URL, url, strcspn(url, "?#;"), STRING_MAX);
}

static void put_preparation(struct xr_members *members, const char *preparation)
{
    if (strcmp(preparation, "statement") == 0 || strcmp(preparation, "call") == 0)
        xr_members_string(members, XR_PREPARATION, preparation, STRING_MAX);
    else
        members->truncated++;
}

unsigned xr_describe_sql(struct xr_segment *segment, const xray_sql *sql)
{
    struct xr_members members;

    if (!(segment->flags & XR_SUBSEGMENT))
        return 0;
    xr_members_begin(&members, segment, XR_SECTION_SQL);
    if (sql->url)
        put_sql_url(&members, sql->url);
    xr_members_string(&members, XR_DATABASE_TYPE, sql->database_type, STRING_MAX);
    xr_members_string(&members, XR_DATABASE_VERSION, sql->database_version, STRING_MAX);
    xr_members_string(&members, XR_SQL_USER, sql->user, STRING_MAX);
    if (sql->sanitized_query)
        xr_members_string(&members, XR_SANITIZED_QUERY, sql->sanitized_query, SQL_MAX);
    else if (sql->query)
        put_query(&members, sql);
    if (sql->connection_string)
        put_connection(&members, XR_CONNECTION_STRING, sql->connection_string);
    xr_members_string(&members, XR_DRIVER_VERSION, sql->driver_version, STRING_MAX);
    if (sql->preparation)
        put_preparation(&members, sql->preparation);
    return xr_members_end(&members);
}

unsigned xr_describe_user(struct xr_segment *segment, const char *user)
{
    if (segment->flags & XR_SUBSEGMENT)
        return 0;
    return xr_put_text(segment, XR_SECTION_TOP, XR_USER, user, STRING_MAX);
}

unsigned xr_describe_namespace(struct xr_segment *segment, const char *name_space)
{
    if (!(segment->flags & XR_SUBSEGMENT))
        return 0;
    /* X-Ray knows two. */
    if (!name_space)
        segment->name_space = 0;
    else if (strcmp(name_space, "aws") == 0)
        segment->name_space = XR_NAMESPACE_AWS;
    else if (strcmp(name_space, "remote") == 0)
        segment->name_space = XR_NAMESPACE_REMOTE;
    else
        return 1;
    return 0;
}

unsigned xr_describe_precursor(struct xr_segment *segment, xray_segment_id sibling)
{
    char json[18] = "\"";

    if (sibling == 0 || !(segment->flags & XR_SUBSEGMENT))
        return 0;
    *xr_hex64(json + 1, sibling) = '"';
    if (xr_attributes_contain(segment, XR_SECTION_PRECURSOR, json, sizeof(json)))
        return 0;
    return !xr_put_element(segment, XR_SECTION_PRECURSOR, json, sizeof(json));
}

unsigned xr_describe_link(struct xr_segment *segment, const xray_trace_header *to)
{
    char json[96];
    char *p = json;

    if ((segment->flags & XR_SUBSEGMENT) || xr_trace_id_is_zero(&to->trace_id))
        return 0;
    if (segment->links == LINKS_MAX || to->parent_id == 0)
        return 1;
    p = XR_JSON_LITERAL(p, "{\"trace_id\":\"");
    p = xr_trace_id_write(p, &to->trace_id);
    p = XR_JSON_LITERAL(p, "\",\"id\":\"");
    p = xr_hex64(p, to->parent_id);
    p = XR_JSON_LITERAL(p, "\"}");
    segment->links++;
    return !xr_put_element(segment, XR_SECTION_LINK, json, (size_t)(p - json));
}

unsigned xr_describe_rule(struct xr_segment *segment, const char *rule)
{
    return xr_put_text(segment, XR_SECTION_XRAY, XR_SAMPLING_RULE_NAME, rule, STRING_MAX);
}
