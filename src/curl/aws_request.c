/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From what the caller gave to lines that can be sent. The trace header is on the
 * message from the start and in every try, and is never part of a signature.
 */
#include "aws_client.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/crypto.h>

static int refuse(xray_aws_client *client, int error, const char *format, ...)
    __attribute__((__format__(__printf__, 3, 4)));

static int refuse(xray_aws_client *client, int error, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(client->answer.error_message, sizeof(client->answer.error_message), format,
              arguments);
    va_end(arguments);
    return error;
}

/* ---- Checks -------------------------------------------------------------------------------- */

/* Only what a request line can carry, so that nothing can end it early. */
static bool is_uri_text(const char *text, const char *without)
{
    size_t length = strnlen(text, XR_AWS_URI_LIMIT + 1);

    if (length > XR_AWS_URI_LIMIT)
        return false;
    for (size_t i = 0; i < length; i++)
        if (text[i] <= ' ' || text[i] > '~' || strchr(without, text[i]))
            return false;
    return true;
}

static bool is_method(const char *method)
{
    size_t length = strnlen(method, 17);

    return length > 0 && length < 17 && strspn(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-") == length;
}

static bool is_name(const char *line, const char *name)
{
    return strncasecmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':';
}

static int check_header(xray_aws_client *client, const char *line)
{
    static const char *const OURS[] = {
        "Authorization",     "Content-Length", "Host",
        "Transfer-Encoding", "X-Amz-Date",     "X-Amz-Security-Token",
    };
    size_t length = strnlen(line, XR_AWS_HEADER_LIMIT + 1);
    size_t name = strcspn(line, ":");

    if (length > XR_AWS_HEADER_LIMIT)
        return refuse(client, -EINVAL, "a header is longer than %d bytes", XR_AWS_HEADER_LIMIT);
    if (name == 0 || name == length)
        return refuse(client, -EINVAL, "a header needs a name and a colon: \"Name: value\"");
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)line[i] < ' ' || line[i] == 0x7f || (i < name && line[i] == ' '))
            return refuse(client, -EINVAL, "header %.*s has a character that cannot be sent",
                          (int)(name < 64 ? name : 64), line);
    for (size_t i = 0; i < sizeof(OURS) / sizeof(*OURS); i++)
        if (is_name(line, OURS[i]))
            return refuse(client, -EINVAL, "header %s is made by the library: leave it out",
                          OURS[i]);
    return 0;
}

static int check(xray_aws_client *client, const struct xr_aws_message *message)
{
    size_t count = 0;
    int r = 0;

    if (!is_method(message->method))
        return refuse(client, -EINVAL, "the method is not one, such as \"POST\"");
    if (message->path[0] != '/' || !is_uri_text(message->path, "?#"))
        return refuse(client, -EINVAL,
                      "the path must begin with \"/\", be percent-encoded, and have at most %d "
                      "bytes",
                      XR_AWS_URI_LIMIT);
    if (!is_uri_text(message->query, "#"))
        return refuse(client, -EINVAL,
                      "the query must be percent-encoded, and have at most %d bytes",
                      XR_AWS_URI_LIMIT);
    if (!message->body && message->body_length > 0)
        return refuse(client, -EINVAL, "body_length is not 0, but there is no body");
    for (; r == 0 && message->caller_headers && message->caller_headers[count]; count++)
        r = count < XR_AWS_CALLER_HEADERS
                ? check_header(client, message->caller_headers[count])
                : refuse(client, -EINVAL, "more than %d headers", XR_AWS_CALLER_HEADERS);
    return r;
}

/* ---- The trace header ------------------------------------------------------------------------ */

/* The value that Lambda gave this invocation, as every SDK passes it on. */
static void encode_received_trace(char *ret, size_t size, const char *value)
{
    static const char HEX[] = "0123456789ABCDEF";
    size_t used = 0;

    for (; *value && used + 3 < size; value++) {
        unsigned char c = (unsigned char)*value;

        if ((c < 0x80 && isalnum(c)) || strchr("-_.~=;:+&[]{}\"',", c)) {
            ret[used++] = (char)c;
        } else {
            ret[used++] = '%';
            ret[used++] = HEX[c >> 4];
            ret[used++] = HEX[c & 15];
        }
    }
    /* Half a header would be another one. */
    ret[*value ? 0 : used] = '\0';
}

static void make_trace_line(struct xr_aws_message *message, xray_segment *segment)
{
    static const char NAME[] = XRAY_TRACE_HEADER_NAME ": ";
    char *value = message->trace_line + sizeof(NAME) - 1;
    const char *received = getenv("_X_AMZN_TRACE_ID");
    const char *function = getenv("AWS_LAMBDA_FUNCTION_NAME");
    xray_trace_header header;

    for (size_t i = 0; message->caller_headers && message->caller_headers[i]; i++)
        if (is_name(message->caller_headers[i], XRAY_TRACE_HEADER_NAME))
            return;
    xray_get_header(segment ? segment : xray_current(), &header);
    if (xray_trace_header_format(&header, value, XR_AWS_TRACE_VALUE_SIZE) == 0 && received &&
        function && function[0])
        encode_received_trace(value, XR_AWS_TRACE_VALUE_SIZE, received);
    if (value[0])
        memcpy(message->trace_line, NAME, sizeof(NAME) - 1);
}

/* ---- The message ------------------------------------------------------------------------------
 */

/* Only S3 wants the hash in a header; a caller who streams may say UNSIGNED-PAYLOAD there. */
static int make_payload_hash(struct xr_aws_message *message, const xray_aws_client *client)
{
    static const char NAME[] = "X-Amz-Content-Sha256";
    const char *given;
    int r;

    for (size_t i = 0; message->caller_headers && message->caller_headers[i]; i++) {
        if (is_name(message->caller_headers[i], NAME)) {
            given = message->caller_headers[i] + sizeof(NAME);
            message->payload_hash = given + strspn(given, " ");
            return 0;
        }
    }
    r = xr_aws_hash(message->body ? message->body : "", message->body_length,
                    message->payload_hash_text);
    message->payload_hash = message->payload_hash_text;
    if (r == 0 && xr_aws_service_is_s3(&client->service))
        snprintf(message->hash_line, sizeof(message->hash_line), "%s: %s", NAME,
                 message->payload_hash_text);
    return r;
}

static int make_url(struct xr_aws_message *message, const xray_aws_client *client)
{
    struct xr_curl_buffer *url = &message->url, *path = &message->signed_path;

    path->limit = XR_AWS_URL_SIZE + XR_AWS_URI_LIMIT;
    url->limit = path->limit + XR_AWS_URL_SIZE + XR_AWS_URI_LIMIT;
    xr_curl_buffer_add_text(path, client->endpoint.path);
    xr_curl_buffer_add_text(path, message->path);
    xr_curl_buffer_add_text(url, client->endpoint.base);
    xr_curl_buffer_add_text(url, xr_curl_buffer_text(path));
    if (message->query[0]) {
        xr_curl_buffer_add_text(url, "?");
        xr_curl_buffer_add_text(url, message->query);
    }
    return path->error ? path->error : url->error;
}

int xr_aws_message_make(struct xr_aws_message *ret, xray_aws_client *client,
                        const xray_aws_request *request, xray_segment *segment)
{
    int r;

    *ret = (struct xr_aws_message){
        .method = request->method ? request->method : "POST",
        .path = request->path ? request->path : "/",
        .query = request->query ? request->query : "",
        .body = request->body,
        .body_length = request->body_length,
        .caller_headers = request->headers,
        .token_line.limit = (size_t)2 * XR_AWS_HEADER_LIMIT,
        .authorization_line.limit = (size_t)2 * XR_AWS_HEADER_LIMIT,
    };
    r = check(client, ret);
    if (r == 0)
        r = make_url(ret, client);
    if (r == 0)
        r = make_payload_hash(ret, client);
    if (r < 0)
        return r;
    snprintf(ret->host_line, sizeof(ret->host_line), "Host: %s", client->endpoint.host);
    make_trace_line(ret, segment);
    return 0;
}

void xr_aws_message_free(struct xr_aws_message *message)
{
    xr_curl_buffer_free(&message->url);
    xr_curl_buffer_free(&message->signed_path);
    xr_curl_buffer_free(&message->token_line);
    xr_curl_buffer_free(&message->authorization_line);
}

/* ---- The signature ------------------------------------------------------------------------------
 */

/* A pair of them, readable as header values; the environment may hold anything. */
static bool is_credential(const char *text, bool may_be_missing)
{
    if (!text || !text[0])
        return may_be_missing;
    if (strnlen(text, XR_AWS_HEADER_LIMIT) == XR_AWS_HEADER_LIMIT)
        return false;
    for (; *text; text++)
        if (*text <= ' ' || *text > '~')
            return false;
    return true;
}

static int find_credentials(xray_aws_client *client, struct xr_aws_credentials *ret)
{
    *ret = (struct xr_aws_credentials){
        .access_key_id = getenv("AWS_ACCESS_KEY_ID"),
        .secret_access_key = getenv("AWS_SECRET_ACCESS_KEY"),
        .session_token = getenv("AWS_SESSION_TOKEN"),
    };
    if (!ret->access_key_id || !ret->access_key_id[0] || !ret->secret_access_key ||
        !ret->secret_access_key[0])
        return refuse(client, -EACCES,
                      "no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and "
                      "AWS_SESSION_TOKEN for temporary ones)");
    if (!is_credential(ret->access_key_id, false) ||
        !is_credential(ret->secret_access_key, false) || !is_credential(ret->session_token, true))
        return refuse(client, -EACCES,
                      "the AWS credentials in the environment have blanks, control characters or "
                      "no end: set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and "
                      "AWS_SESSION_TOKEN again");
    if (ret->session_token && !ret->session_token[0])
        ret->session_token = NULL;
    return 0;
}

/* In the order in which they are sent; lines without a value are left out. */
static void list_lines(struct xr_aws_message *message)
{
    const char *const own[] = {
        message->host_line,  message->date_line,
        message->hash_line,  xr_curl_buffer_text(&message->token_line),
        message->trace_line, xr_curl_buffer_text(&message->authorization_line),
    };
    size_t count = 0;

    for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
        if (own[i][0])
            message->lines[count++] = own[i];
    for (size_t i = 0; message->caller_headers && message->caller_headers[i]; i++)
        message->lines[count++] = message->caller_headers[i];
    message->lines[count] = NULL;
}

int xr_aws_message_sign(struct xr_aws_message *message, xray_aws_client *client, int64_t time_s)
{
    struct xr_aws_credentials credentials;
    struct xr_aws_signing signing = {
        .method = message->method,
        .path = xr_curl_buffer_text(&message->signed_path),
        .query = message->query,
        .headers = message->lines,
        .payload_hash = message->payload_hash,
        .region = client->region,
        .service = client->service.signing,
        .path_is_encoded_once = xr_aws_service_is_s3(&client->service),
        .time_s = time_s,
    };
    char date[XR_AWS_DATE_SIZE];
    int r = find_credentials(client, &credentials);

    if (r < 0)
        return r;
    xr_aws_date(time_s, date);
    snprintf(message->date_line, sizeof(message->date_line), "X-Amz-Date: %s", date);
    xr_curl_buffer_reset(&message->token_line);
    xr_curl_buffer_reset(&message->authorization_line);
    if (credentials.session_token) {
        xr_curl_buffer_add_text(&message->token_line, "X-Amz-Security-Token: ");
        xr_curl_buffer_add_text(&message->token_line, credentials.session_token);
    }
    if (message->token_line.error)
        return message->token_line.error;
    list_lines(message);
    xr_curl_buffer_add_text(&message->authorization_line, "Authorization: ");
    r = xr_aws_sign(&message->authorization_line, &signing, &credentials);
    list_lines(message);
    return r;
}
