/* SPDX-License-Identifier: Apache-2.0 */
/* The http and sql blocks of a document, from attributes under their new and old names. */
#include <arpa/inet.h>
#include <stdio.h>

#include "otlp/mapping.h"

static struct xr_slice first_text(const struct xr_attributes *attributes, const char *const *keys)
{
    struct xr_slice text = { 0 };

    for (; !text.text && *keys; keys++)
        text = xr_find_text(attributes, *keys);
    return text;
}

/* ---- URLs -------------------------------------------------------------------------- */

static const char *const scheme_keys[] = { "url.scheme", "http.scheme", NULL };
static const char *const host_keys[] = { "server.address", "http.host",     "http.server_name",
                                         "net.host.name",  "net.peer.name", NULL };
static const char *const path_keys[] = { "url.path", "http.target", NULL };
static const char *const port_keys[] = { "server.port", "net.host.port", "net.peer.port", NULL };

static struct xr_slice first_port(const struct xr_attributes *attributes, struct xr_arena *arena)
{
    for (const char *const *key = port_keys; *key; key++) {
        struct xr_attribute *attribute = xr_attribute_find(attributes, *key);
        char text[8];
        int64_t port;

        if (attribute && xr_value_integer(&attribute->value, &port) && port > 0 && port < 65536)
            return xr_arena_copy(arena, text,
                                 (size_t)snprintf(text, sizeof(text), ":%d", (int)port));
    }
    return XR_SLICE("");
}

struct xr_slice xr_derived_url(struct xr_arena *arena, const struct xr_attributes *attributes)
{
    struct xr_slice scheme = first_text(attributes, scheme_keys);
    struct xr_slice host = first_text(attributes, host_keys);
    struct xr_slice path = first_text(attributes, path_keys);
    struct xr_slice query = xr_find_text(attributes, "url.query"), port = XR_SLICE("");
    bool address = host.text && memchr(host.text, ':', host.length) && host.text[0] != '[' &&
                   xr_find_text(attributes, "server.address").text;

    if (!path.text && !(scheme.text && host.text))
        return (struct xr_slice){ 0 };
    /* The header Host has the port in it. */
    if (address || !host.text || !memchr(host.text, ':', host.length) || host.text[0] == '[')
        port = first_port(attributes, arena);
    if (!scheme.text || !host.text)
        return xr_joined(
            arena, (struct xr_slice[]){ path, query.text ? XR_SLICE("?") : XR_SLICE(""), query },
            3);
    return xr_joined(arena,
                     (struct xr_slice[]){ scheme, XR_SLICE("://"),
                                          address ? XR_SLICE("[") : XR_SLICE(""), host,
                                          address ? XR_SLICE("]") : XR_SLICE(""), port, path,
                                          query.text ? XR_SLICE("?") : XR_SLICE(""), query },
                     9);
}

static struct xr_slice take_url(struct xr_document_builder *builder)
{
    static const char *const keys[] = { "url.full", "http.url", NULL };
    const struct xr_attributes *attributes = &builder->span->attributes;
    struct xr_slice url = xr_take_first(attributes, keys);

    if (!url.text)
        url = xr_derived_url(builder->arena, attributes);
    /* They are in the URL. The old names of the peer may tell more than it does. */
    xr_take_first(attributes, scheme_keys);
    xr_take_first(attributes, path_keys);
    xr_take(attributes, "url.query");
    xr_take(attributes, "server.address");
    xr_take(attributes, "server.port");
    xr_take(attributes, "http.host");
    return url;
}

/* ---- http -------------------------------------------------------------------------- */

static const char *const method_keys[] = { "http.request.method", "http.method", NULL };
static const char *const status_keys[] = { "http.response.status_code", "http.status_code" };
static const char *const agent_keys[] = { "user_agent.original", "http.user_agent", NULL };
static const char *const size_keys[] = { "http.response.body.size",
                                         "http.response_content_length" };
static const char *const peer_keys[] = { "network.peer.address", "net.sock.peer.addr",
                                         "net.peer.ip", NULL };

bool xr_is_address(struct xr_slice text)
{
    char copy[64];
    struct in6_addr address;

    if (!text.text || text.length >= sizeof(copy) || memchr(text.text, '\0', text.length))
        return false;
    memcpy(copy, text.text, text.length);
    copy[text.length] = '\0';
    return inet_pton(AF_INET, copy, &address) == 1 || inet_pton(AF_INET6, copy, &address) == 1;
}

static bool is_http(const struct xr_span *span)
{
    static const char *const keys[] = { "http.request.method",
                                        "http.method",
                                        "url.full",
                                        "http.url",
                                        "url.path",
                                        "http.target",
                                        "user_agent.original",
                                        "http.client_ip",
                                        "http.user_agent",
                                        XR_KEY_HTTP_TRACED };

    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
        if (xr_attribute_find(&span->attributes, keys[i]))
            return true;
    for (size_t i = 0; i < 2; i++)
        if (xr_attribute_find(&span->attributes, status_keys[i]) ||
            xr_attribute_find(&span->attributes, size_keys[i]))
            return true;
    return xr_is_server(span) && (xr_attribute_find(&span->attributes, "client.address") ||
                                  xr_attribute_find(&span->attributes, XR_KEY_FORWARDED) ||
                                  xr_attribute_find(&span->attributes, "url.scheme"));
}

/* Of a client, the peer is the server. */
static void build_client(struct xr_document_builder *builder)
{
    const struct xr_attributes *attributes = &builder->span->attributes;
    bool calls = builder->span->kind == XR_KIND_CLIENT || builder->span->kind == XR_KIND_PRODUCER;
    bool server = builder->segment && !calls;
    struct xr_slice peer = server ? xr_take_first(attributes, peer_keys) : (struct xr_slice){ 0 };
    struct xr_slice client = xr_take_text(attributes, "http.client_ip");
    const struct xr_value *told = xr_take(attributes, XR_KEY_FORWARDED);
    bool forwarded;

    if (!client.text && server && xr_is_address(xr_find_text(attributes, "client.address")))
        client = xr_take_text(attributes, "client.address");
    /* Through a proxy the peer is not known to be the client. */
    forwarded = client.text && !peer.text && server;
    if (!client.text)
        client = peer;
    xr_text_string(builder->text, "client_ip", client);
    if (told && told->type == XR_VALUE_TRUTH)
        xr_text_truth(builder->text, "x_forwarded_for", told->truth);
    else if (forwarded)
        xr_text_truth(builder->text, "x_forwarded_for", true);
}

/* Numbers stay numbers, and strings strings. */
static void build_number(struct xr_document_builder *builder, const char *name,
                         const char *const *keys)
{
    const struct xr_attributes *attributes = &builder->span->attributes;

    for (size_t i = 0; i < 2; i++) {
        struct xr_attribute *attribute = xr_attribute_find(attributes, keys[i]);
        int64_t number;

        if (!attribute || !xr_value_integer(&attribute->value, &number))
            continue;
        xr_text_integer(builder->text, name, number);
        xr_take(attributes, keys[0]);
        xr_take(attributes, keys[1]);
        return;
    }
}

void xr_build_http(struct xr_document_builder *builder)
{
    const struct xr_attributes *attributes = &builder->span->attributes;
    struct xr_text *text = builder->text;
    const struct xr_value *traced;
    size_t mark, inner;

    if (!is_http(builder->span))
        return;
    mark = xr_text_open(text, "http", '{');
    inner = xr_text_open(text, "request", '{');
    xr_text_string(text, "method", xr_take_first(attributes, method_keys));
    xr_text_string(text, "url", take_url(builder));
    xr_text_string(text, "user_agent", xr_take_first(attributes, agent_keys));
    build_client(builder);
    traced = xr_take(attributes, XR_KEY_HTTP_TRACED);
    if (traced && traced->type == XR_VALUE_TRUTH)
        xr_text_truth(text, "traced", traced->truth);
    xr_text_close(text, inner, '}', false);
    inner = xr_text_open(text, "response", '{');
    build_number(builder, "status", status_keys);
    build_number(builder, "content_length", size_keys);
    xr_text_close(text, inner, '}', false);
    xr_text_close(text, mark, '}', false);
}

/* ---- sql --------------------------------------------------------------------------- */

struct xr_slice xr_database_system(struct xr_arena *arena, struct xr_slice type)
{
    static const char *const systems[] = { "db2",    "derby",    "hive",     "mariadb",
                                           "mssql",  "mysql",    "oracle",   "postgresql",
                                           "sqlite", "teradata", "other_sql" };
    static const char *const others[][2] = { { "microsoft.sql_server", "mssql" },
                                             { "oracle.db", "oracle" },
                                             { "ibm.db2", "db2" } };
    struct xr_slice lower = xr_arena_copy(arena, type.text, type.length);

    if (!type.text || !lower.text)
        return (struct xr_slice){ 0 };
    for (size_t i = 0; i < lower.length; i++)
        if (lower.text[i] >= 'A' && lower.text[i] <= 'Z')
            ((char *)lower.text)[i] |= 0x20;
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
        if (xr_slice_is(lower, others[i][0]))
            return (struct xr_slice){ others[i][1], strlen(others[i][1]) };
    for (size_t i = 0; i < sizeof(systems) / sizeof(*systems); i++)
        if (xr_slice_is(lower, systems[i]))
            return lower;
    return (struct xr_slice){ 0 };
}

/* scheme://host[:port], without the names and passwords that some put there. */
static struct xr_slice base_of(struct xr_arena *arena, struct xr_slice connection)
{
    const char *mark = memmem(connection.text, connection.length, "://", 3);
    struct xr_slice scheme, host;
    const char *at;
    size_t length = 0;

    if (!mark)
        return (struct xr_slice){ 0 };
    scheme = (struct xr_slice){ connection.text, (size_t)(mark - connection.text) + 3 };
    host = xr_slice_from(connection, scheme.length);
    while (length < host.length && !memchr("/?#;", host.text[length], 4))
        length++;
    host.length = length;
    at = host.length ? memrchr(host.text, '@', host.length) : NULL;
    if (at)
        host = xr_slice_from(host, (size_t)(at - host.text) + 1);
    if (xr_slice_begins(scheme, "jdbc:"))
        scheme = xr_slice_from(scheme, 5);
    return xr_joined(arena, (struct xr_slice[]){ scheme, host }, 2);
}

struct xr_slice xr_derived_sql_url(struct xr_arena *arena, const struct xr_attributes *attributes)
{
    static const char *const names[] = { "db.name", "db.namespace", NULL };
    static const char *const systems[] = { "db.system", "db.system.name", NULL };
    static const char *const hosts[] = { "server.address", "net.peer.name", NULL };
    struct xr_slice connection = xr_find_text(attributes, "db.connection_string");
    struct xr_slice name = first_text(attributes, names), host = first_text(attributes, hosts);
    struct xr_slice base = { 0 };

    if (connection.text)
        base = base_of(arena, connection);
    else if (host.text)
        base = xr_joined(
            arena,
            (struct xr_slice[]){ xr_database_system(arena, first_text(attributes, systems)),
                                 XR_SLICE("://"), host, first_port(attributes, arena) },
            4);
    if (!base.text || !name.text)
        return base;
    return xr_joined(arena, (struct xr_slice[]){ base, XR_SLICE("/"), name }, 3);
}

static void build_sql_member(struct xr_document_builder *builder, const char *name,
                             struct xr_slice derived)
{
    struct xr_slice told = xr_tree_member_text(builder->sql, name);

    if (!told.text)
        told = derived;
    if (told.length)
        xr_text_string(builder->text, name, told);
}

void xr_build_sql(struct xr_document_builder *builder)
{
    static const char *const systems[] = { "db.system", "db.system.name", NULL };
    static const char *const queries[] = { "db.statement", "db.query.text", NULL };
    static const char *const places[] = { "db.connection_string", "db.name", "db.namespace",
                                          "server.address", NULL };
    const struct xr_attributes *attributes = &builder->span->attributes;
    struct xr_slice system = xr_database_system(builder->arena, first_text(attributes, systems));
    struct xr_slice connection = xr_find_text(attributes, "db.connection_string"), url;
    bool told_url = xr_tree_member(builder->sql, "url") ||
                    xr_tree_member(builder->sql, "connection_string");
    size_t mark;

    if (!system.text)
        return;
    url = xr_derived_sql_url(builder->arena, attributes);
    xr_take_first(attributes, systems);
    xr_take_first(attributes, places);
    xr_take(attributes, "server.port");
    mark = xr_text_open(builder->text, "sql", '{');
    build_sql_member(builder, "url", told_url ? (struct xr_slice){ 0 } : url);
    build_sql_member(builder, "connection_string",
                     told_url || url.text ? (struct xr_slice){ 0 } : connection);
    build_sql_member(builder, "database_type", system);
    build_sql_member(builder, "database_version", (struct xr_slice){ 0 });
    build_sql_member(builder, "driver_version", (struct xr_slice){ 0 });
    build_sql_member(builder, "preparation", (struct xr_slice){ 0 });
    build_sql_member(builder, "user", xr_take_text(attributes, "db.user"));
    build_sql_member(builder, "sanitized_query", xr_take_first(attributes, queries));
    xr_text_close(builder->text, mark, '}', false);
}
