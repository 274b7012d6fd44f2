/* SPDX-License-Identifier: Apache-2.0 */
/* The http and sql blocks of a document become attributes. What reading them would not
   give back is kept beside them. */
#include "otlp/mapping.h"

/* ---- http -------------------------------------------------------------------------- */

bool xr_split_authority(struct xr_slice authority, struct xr_slice *ret_host, int64_t *ret_port)
{
    struct xr_slice host = authority, port = XR_SLICE("");
    const char *end;

    if (host.length == 0 || memchr(host.text, '@', host.length))
        return false;
    *ret_port = 0;
    if (host.text[0] == '[') {
        end = memchr(host.text, ']', host.length);
        if (!end)
            return false;
        *ret_host = (struct xr_slice){ host.text + 1, (size_t)(end - host.text) - 1 };
        port = xr_slice_from(host, ret_host->length + 2);
        if (port.length == 0)
            return true;
        if (port.text[0] != ':')
            return false;
    } else {
        end = memchr(host.text, ':', host.length);
        *ret_host = host;
        if (!end)
            return true;
        ret_host->length = (size_t)(end - host.text);
        port = xr_slice_from(host, ret_host->length);
    }
    return ret_host->length > 0 && xr_number_int64(xr_slice_from(port, 1), ret_port) &&
           *ret_port > 0 && *ret_port < 65536;
}

static size_t length_until(struct xr_slice text, const char *ends)
{
    size_t length = 0;

    while (length < text.length && !memchr(ends, text.text[length], strlen(ends)))
        length++;
    return length;
}

struct url {
    struct xr_slice scheme, host, path, query;
    int64_t port;
};

static bool split_url(struct xr_slice url, struct url *ret)
{
    const char *mark = url.length ? memmem(url.text, url.length, "://", 3) : NULL;
    struct xr_slice rest, authority;

    *ret = (struct url){ 0 };
    if (!mark || mark == url.text)
        return false;
    ret->scheme = (struct xr_slice){ url.text, (size_t)(mark - url.text) };
    rest = xr_slice_from(url, ret->scheme.length + 3);
    authority = (struct xr_slice){ rest.text, length_until(rest, "/?#") };
    rest = xr_slice_from(rest, authority.length);
    ret->path = (struct xr_slice){ rest.text, length_until(rest, "?") };
    if (rest.length > ret->path.length)
        ret->query = xr_slice_from(rest, ret->path.length + 1);
    return xr_split_authority(authority, &ret->host, &ret->port);
}

static void set_address(struct xr_span_builder *builder, const struct url *url)
{
    xr_set_text(builder->arena, &builder->span->attributes, "server.address", url->host);
    if (url->port)
        xr_set_integer(builder->arena, &builder->span->attributes, "server.port", url->port);
}

static void set_url(struct xr_span_builder *builder, struct xr_slice text)
{
    struct xr_attributes *attributes = &builder->span->attributes;
    struct url url;
    bool simple = split_url(text, &url);

    if (!text.text)
        return;
    if (simple && builder->segment) {
        xr_set_text(builder->arena, attributes, "url.scheme", url.scheme);
        set_address(builder, &url);
        if (url.path.length)
            xr_set_text(builder->arena, attributes, "url.path", url.path);
        if (url.query.length)
            xr_set_text(builder->arena, attributes, "url.query", url.query);
        if (xr_slice_same(xr_derived_url(builder->arena, attributes), text))
            return;
    }
    xr_set_text(builder->arena, attributes, "url.full", text);
    if (simple && !builder->segment)
        set_address(builder, &url);
}

static void set_client(struct xr_span_builder *builder, const struct xr_tree *request)
{
    struct xr_attributes *attributes = &builder->span->attributes;
    struct xr_slice client = xr_tree_member_text(request, "client_ip");
    const struct xr_tree *forwarded = xr_tree_member(request, "x_forwarded_for");

    if (builder->segment && xr_is_address(client)) {
        xr_set_text(builder->arena, attributes, "client.address", client);
        if (!xr_tree_is_true(forwarded))
            xr_set_text(builder->arena, attributes, "network.peer.address", client);
    } else {
        xr_set_text(builder->arena, attributes, "http.client_ip", client);
    }
    if (forwarded && forwarded->type == XR_TREE_TRUTH)
        xr_set_truth(builder->arena, attributes, XR_KEY_FORWARDED, forwarded->truth);
}

void xr_span_http(struct xr_span_builder *builder)
{
    const struct xr_tree *http = xr_tree_member(builder->entity, "http");
    const struct xr_tree *request = xr_tree_member(http, "request");
    const struct xr_tree *response = xr_tree_member(http, "response");
    const struct xr_tree *traced = xr_tree_member(request, "traced");
    struct xr_attributes *attributes = &builder->span->attributes;
    int64_t number;

    xr_span_set(builder, "http.request.method", request, "method");
    set_url(builder, xr_tree_member_text(request, "url"));
    xr_span_set(builder, "user_agent.original", request, "user_agent");
    set_client(builder, request);
    if (traced && traced->type == XR_TREE_TRUTH)
        xr_set_truth(builder->arena, attributes, XR_KEY_HTTP_TRACED, traced->truth);
    if (xr_tree_int64(xr_tree_member(response, "status"), &number))
        xr_set_integer(builder->arena, attributes, "http.response.status_code", number);
    if (xr_tree_int64(xr_tree_member(response, "content_length"), &number))
        xr_set_integer(builder->arena, attributes, "http.response.body.size", number);
}

/* ---- sql --------------------------------------------------------------------------- */

/* scheme://host[:port]/name */
static void set_database(struct xr_span_builder *builder, struct xr_slice text)
{
    struct xr_attributes *attributes = &builder->span->attributes;
    struct xr_slice name;
    struct url url;
    bool simple = split_url(text, &url);
    size_t length;

    if (!simple) {
        xr_set_text(builder->arena, attributes, "db.connection_string", text);
        return;
    }
    length = (size_t)(url.path.text - text.text);
    name = url.path.length > 1 ? xr_slice_from(url.path, 1) : (struct xr_slice){ 0 };
    xr_set_text(builder->arena, attributes, "db.connection_string",
                (struct xr_slice){ text.text, length });
    xr_set_text(builder->arena, attributes, "db.name", name);
    set_address(builder, &url);
}

static void keep(struct xr_text *text, const char *name, struct xr_slice value,
                 struct xr_slice derived)
{
    if (value.text && !xr_slice_same(value, derived))
        xr_text_string(text, name, value);
}

static void set_others(struct xr_span_builder *builder, const struct xr_tree *sql,
                       struct xr_slice system)
{
    struct xr_attributes *attributes = &builder->span->attributes;
    struct xr_slice derived = xr_derived_sql_url(builder->arena, attributes);
    struct xr_slice url = xr_tree_member_text(sql, "url");
    struct xr_slice type = xr_tree_member_text(sql, "database_type");
    struct xr_slice connection = xr_tree_member_text(sql, "connection_string"), none = { 0 };
    struct xr_text text = { 0 };
    size_t mark = xr_text_open(&text, NULL, '{');

    /* What is kept of the two makes the reader forget what it would derive. */
    keep(&text, "url", url.text || connection.text ? url : XR_SLICE(""),
         connection.text ? none : derived);
    keep(&text, "connection_string", connection,
         derived.text ? none : xr_find_text(attributes, "db.connection_string"));
    /* One without a type gets none: OpenTelemetry has to have one. */
    keep(&text, "database_type", type.text ? type : XR_SLICE(""), system);
    keep(&text, "database_version", xr_tree_member_text(sql, "database_version"), none);
    keep(&text, "driver_version", xr_tree_member_text(sql, "driver_version"), none);
    keep(&text, "preparation", xr_tree_member_text(sql, "preparation"), none);
    xr_text_close(&text, mark, '}', false);
    xr_set_text(builder->arena, attributes, XR_KEY_METADATA XR_NAMESPACE_SQL,
                xr_text_moved(builder->arena, &text));
}

void xr_span_sql(struct xr_span_builder *builder)
{
    const struct xr_tree *sql = xr_tree_member(builder->entity, "sql");
    struct xr_attributes *attributes = &builder->span->attributes;
    struct xr_slice url = xr_tree_member_text(sql, "url"), system;

    if (!sql || sql->type != XR_TREE_OBJECT)
        return;
    system = xr_database_system(builder->arena, xr_tree_member_text(sql, "database_type"));
    if (!system.text)
        system = XR_SLICE("other_sql");
    xr_set_text(builder->arena, attributes, "db.system", system);
    /* The name of the database must not become that of the entity. */
    if (builder->span->name.length)
        xr_set_text(builder->arena, attributes, "peer.service", builder->span->name);
    if (url.text)
        set_database(builder, url);
    else
        xr_span_set(builder, "db.connection_string", sql, "connection_string");
    xr_span_set(builder, "db.user", sql, "user");
    xr_span_set(builder, "db.statement", sql, "sanitized_query");
    xr_span_set(builder, "db.query.text", sql, "sanitized_query");
    set_others(builder, sql, system);
}
