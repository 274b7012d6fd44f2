/* SPDX-License-Identifier: Apache-2.0 */
/* The blocks of what a segment talked to, and the other plain members of a document. */
#include "base/json.h"
#include "model/attributes.h"
#include "model/describe.h"
#include "wire/hex.h"
#include "wire/ids.h"

#define STRING_MAX 250 /* characters, where the schema says nothing else */
#define SQL_MAX    16384
#define LINKS_MAX  20

static unsigned put(struct xr_segment *segment, enum xr_section section, const struct xr_key *key,
                    const char *text)
{
    return text ? !xr_put_text(segment, section, key, text, strlen(text), STRING_MAX) : 0;
}

/* Where the authority of a URL begins: behind "://", which databases have a second scheme before.
 */
static size_t authority_of(const char *url, size_t length)
{
    const char *end = url + length;

    if (url[0] == '/' && url[1] == '/')
        return 2;
    for (const char *p = url; (p = memchr(p, ':', (size_t)(end - p))) != NULL; p++)
        if (p[1] == '/' && p[2] == '/')
            return (size_t)(p - url) + 3;
    return 0;
}

/*
 * A URL without what may be secret in it: user info, query and fragment. Those of databases are
 * less regular: some have parameters after ";", or a "/" between user and password.
 */
static unsigned put_url(struct xr_segment *segment, enum xr_section section, const char *url)
{
    char clean[4 * STRING_MAX];
    bool is_sql = section == XR_SECTION_SQL;
    size_t length, authority, at, kept;

    if (!url)
        return 0;
    length = strcspn(url, is_sql ? "?#;" : "?#");
    authority = authority_of(url, length);
    at = is_sql ? length : authority + strcspn(url + authority, "/?#");
    while (at > authority && url[at - 1] != '@')
        at--;
    kept = length - at < sizeof(clean) - authority ? length - at : sizeof(clean) - authority;
    if (authority > sizeof(clean) / 2)
        return 1;
    memcpy(clean, url, authority);
    memcpy(clean + authority, url + at, kept);
    return !xr_put_text(segment, section, XR_KEY("url"), clean, authority + kept, STRING_MAX);
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
    segment->marks |= marks & (XRAY_ERROR | XRAY_THROTTLE | XRAY_FAULT);
    if (marks & XRAY_THROTTLE)
        segment->marks |= XRAY_ERROR;
}

void xr_describe_unmark(struct xr_segment *segment, unsigned marks)
{
    segment->marks &= ~marks;
    if (marks & XRAY_ERROR)
        segment->marks &= ~XRAY_THROTTLE;
}

unsigned xr_describe_http(struct xr_segment *segment, const xray_http *http)
{
    unsigned truncated = 0;

    truncated += put(segment, XR_SECTION_HTTP_REQUEST, XR_KEY("method"), http->method);
    truncated += put_url(segment, XR_SECTION_HTTP_REQUEST, http->url);
    truncated += put(segment, XR_SECTION_HTTP_REQUEST, XR_KEY("user_agent"), http->user_agent);
    truncated += put(segment, XR_SECTION_HTTP_REQUEST, XR_KEY("client_ip"), http->client_ip);
    if (http->x_forwarded_for && !(segment->flags & XR_SUBSEGMENT))
        truncated += !xr_put_raw(segment, XR_SECTION_HTTP_REQUEST, XR_KEY("x_forwarded_for"),
                                 "true", 4);
    if (http->status)
        truncated += !xr_put_i64(segment, XR_SECTION_HTTP_RESPONSE, XR_KEY("status"), http->status);
    if (http->content_length > 0)
        truncated += !xr_put_i64(segment, XR_SECTION_HTTP_RESPONSE, XR_KEY("content_length"),
                                 http->content_length);
    xr_describe_marks(segment, xr_marks_of_status(http->status));
    return truncated;
}

unsigned xr_describe_aws(struct xr_segment *segment, const xray_aws *aws)
{
    unsigned truncated = 0;

    truncated += put(segment, XR_SECTION_AWS, XR_KEY("operation"), aws->operation);
    truncated += put(segment, XR_SECTION_AWS, XR_KEY("region"), aws->region);
    truncated += put(segment, XR_SECTION_AWS, XR_KEY("account_id"), aws->account_id);
    truncated += put(segment, XR_SECTION_AWS, XR_KEY("request_id"), aws->request_id);
    truncated += put(segment, XR_SECTION_AWS, XR_KEY("queue_url"), aws->queue_url);
    truncated += put(segment, XR_SECTION_AWS, XR_KEY("table_name"), aws->table_name);
    /* A call that succeeds at once has 0 retries, which is worth saying. */
    if (aws->retries ||
        (aws->operation && !xr_attribute_exists(segment, XR_SECTION_AWS, XR_KEY("retries"))))
        truncated += !xr_put_i64(segment, XR_SECTION_AWS, XR_KEY("retries"), aws->retries);
    return truncated;
}

unsigned xr_describe_sql(struct xr_segment *segment, const xray_sql *sql)
{
    unsigned truncated = 0;

    truncated += put_url(segment, XR_SECTION_SQL, sql->url);
    truncated += put(segment, XR_SECTION_SQL, XR_KEY("database_type"), sql->database_type);
    truncated += put(segment, XR_SECTION_SQL, XR_KEY("database_version"), sql->database_version);
    truncated += put(segment, XR_SECTION_SQL, XR_KEY("user"), sql->user);
    if (sql->sanitized_query)
        truncated += !xr_put_text(segment, XR_SECTION_SQL, XR_KEY("sanitized_query"),
                                  sql->sanitized_query, strlen(sql->sanitized_query), SQL_MAX);
    return truncated;
}

unsigned xr_describe_user(struct xr_segment *segment, const char *user)
{
    if (segment->flags & XR_SUBSEGMENT)
        return 0;
    return put(segment, XR_SECTION_TOP, XR_KEY("user"), user);
}

unsigned xr_describe_namespace(struct xr_segment *segment, const char *name_space)
{
    if (!(segment->flags & XR_SUBSEGMENT))
        return 0;
    if (name_space)
        return put(segment, XR_SECTION_TOP, XR_KEY("namespace"), name_space);
    xr_attribute_remove(segment, XR_SECTION_TOP, XR_KEY("namespace"));
    return 0;
}

unsigned xr_describe_precursor(struct xr_segment *segment, xray_segment_id sibling)
{
    char hex[16];

    if (sibling == 0 || !(segment->flags & XR_SUBSEGMENT))
        return 0;
    xr_hex64(hex, sibling);
    return !xr_put_raw(segment, XR_SECTION_PRECURSOR,
                       &(const struct xr_key){ .text = hex, .length = sizeof(hex) }, "", 0);
}

unsigned xr_describe_link(struct xr_segment *segment, const xray_trace_header *to)
{
    char json[96];
    char *p = json;
    struct xr_key key = { .text = (const char *)to->trace_id.bytes, .length = 16 };

    if ((segment->flags & XR_SUBSEGMENT) || xr_trace_id_is_zero(&to->trace_id))
        return 0;
    if (segment->links == LINKS_MAX)
        return 1;
    p = XR_JSON_LITERAL(p, "{\"trace_id\":\"");
    p = xr_trace_id_write(p, &to->trace_id);
    if (to->parent_id) {
        p = XR_JSON_LITERAL(p, "\",\"id\":\"");
        p = xr_hex64(p, to->parent_id);
    }
    p = XR_JSON_LITERAL(p, "\"}");
    /* Several links to one trace are several links: the count keeps them apart. */
    key.split = ++segment->links;
    return !xr_put_raw(segment, XR_SECTION_LINK, &key, json, (size_t)(p - json));
}

unsigned xr_describe_rule(struct xr_segment *segment, const char *rule)
{
    return put(segment, XR_SECTION_XRAY, XR_KEY("sampling_rule_name"), rule);
}
