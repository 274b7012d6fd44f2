/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a service says about a call, in the three ways services have: headers, a
 * JSON object, or an XML document. A secret that the service repeats stays out.
 */
#include "aws_reply.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cjson/cJSON.h>

#include "aws_xml.h"

enum {
    ERROR_BODY_LIMIT = 256 * 1024, /* error documents are a few hundred bytes */
};

void xr_aws_copy_text(char *ret, size_t size, const char *text)
{
    size_t length = strlen(text);

    if (length > size - 1) {
        length = size - 1;
        while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
            length--;
    }
    memmove(ret, text, length);
    ret[length] = '\0';
}

/* "com.amazonaws.dynamodb.v20120810#NotFound:http://…" is NotFound. */
static void copy_code(char *ret, size_t size, const char *code)
{
    const char *hash = strchr(code, '#');

    xr_aws_copy_text(ret, size, hash ? hash + 1 : code);
    ret[strcspn(ret, ":")] = '\0';
}

/* ---- Secrets ----------------------------------------------------------------------------- */

/* A service that rejects a signature shows the text it expected, with the session token. */
static void remove_secret(char *text, const char *secret)
{
    size_t length = secret ? strlen(secret) : 0;
    char *found;

    while (length > 0 && (found = strstr(text, secret)))
        memmove(found, found + length, strlen(found + length) + 1);
}

/* The same without knowing it: what stands behind the name of a header or parameter. */
static void remove_named_secret(char *text, const char *name)
{
    char *at = text;

    while ((at = strcasestr(at, name))) {
        at += strlen(name);
        if (*at == ':' || *at == '=') {
            size_t length = strcspn(++at, "\r\n&;, '\"");

            memmove(at, at + length, strlen(at + length) + 1);
        }
    }
}

static void set_message(struct xr_aws_answer *ret, char *message, const char *secret)
{
    remove_secret(message, secret);
    remove_named_secret(message, "x-amz-security-token");
    remove_named_secret(message, "x-amz-signature");
    xr_aws_copy_text(ret->error_message, sizeof(ret->error_message), message);
}

/* ---- Bodies -------------------------------------------------------------------------------- */

static const char *first_character(const struct xr_aws_raw_reply *reply)
{
    const char *body = reply->body ? reply->body : "";

    if (strncmp(body, "\xef\xbb\xbf", 3) == 0)
        body += 3;
    return body + strspn(body, " \t\r\n");
}

static const char *json_text(const cJSON *object, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));

    return text && text[0] ? text : NULL;
}

static void read_json(struct xr_aws_answer *ret, const struct xr_aws_raw_reply *reply)
{
    static const char *const CODES[] = { "__type", "code", "Code" };
    static const char *const MESSAGES[] = { "message", "Message", "errorMessage" };
    cJSON *object = cJSON_ParseWithLength(reply->body, reply->body_length);
    const char *text = NULL;
    char *copy;

    for (size_t i = 0; !text && i < sizeof(CODES) / sizeof(*CODES); i++)
        text = json_text(object, CODES[i]);
    if (text && !ret->error_code[0])
        copy_code(ret->error_code, sizeof(ret->error_code), text);
    text = NULL;
    for (size_t i = 0; !text && i < sizeof(MESSAGES) / sizeof(*MESSAGES); i++)
        text = json_text(object, MESSAGES[i]);
    copy = text ? strdup(text) : NULL;
    if (copy)
        set_message(ret, copy, reply->secret);
    free(copy);
    cJSON_Delete(object);
}

static void read_xml(struct xr_aws_answer *ret, const struct xr_aws_raw_reply *reply)
{
    char *code = xr_aws_xml_text(reply->body, reply->body_length, "Code");
    char *message = xr_aws_xml_text(reply->body, reply->body_length, "Message");

    if (code && !ret->error_code[0])
        copy_code(ret->error_code, sizeof(ret->error_code), code);
    if (message)
        set_message(ret, message, reply->secret);
    free(code);
    free(message);
}

static void read_id(char *ret, size_t size, const struct xr_aws_raw_reply *reply,
                    const char *element)
{
    char *id = ret[0] ? NULL : xr_aws_xml_text(reply->body, reply->body_length, element);

    if (id)
        xr_aws_copy_text(ret, size, id);
    free(id);
}

/* ---- The reply ------------------------------------------------------------------------------ */

static void read_header(char *ret, size_t size, const struct xr_aws_raw_reply *reply,
                        const char *name)
{
    const char *value = ret[0] ? NULL : reply->header(reply->data, name);

    if (value)
        xr_aws_copy_text(ret, size, value);
}

bool xr_aws_answer_read(struct xr_aws_answer *ret, const struct xr_aws_raw_reply *reply)
{
    const char *start = first_character(reply);
    bool readable = reply->body_length <= ERROR_BODY_LIMIT;
    bool failed = reply->status >= 400;
    const char *code;

    *ret = (struct xr_aws_answer){ 0 };
    if (!failed && reply->body_may_be_error && readable)
        failed = xr_aws_xml_root_is(reply->body, reply->body_length, "Error");
    read_header(ret->request_id, sizeof(ret->request_id), reply, "x-amzn-RequestId");
    read_header(ret->request_id, sizeof(ret->request_id), reply, "x-amz-request-id");
    read_header(ret->id_2, sizeof(ret->id_2), reply, "x-amz-id-2");
    if (failed) {
        code = reply->header(reply->data, "x-amzn-ErrorType");
        if (code)
            copy_code(ret->error_code, sizeof(ret->error_code), code);
        if (readable && *start == '{')
            read_json(ret, reply);
    }
    if (readable && *start == '<' && (failed || !reply->body_is_data)) {
        if (failed)
            read_xml(ret, reply);
        read_id(ret->request_id, sizeof(ret->request_id), reply, "RequestId");
        read_id(ret->request_id, sizeof(ret->request_id), reply, "RequestID");
        read_id(ret->id_2, sizeof(ret->id_2), reply, "HostId");
    }
    return failed;
}
