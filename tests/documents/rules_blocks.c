/* SPDX-License-Identifier: Apache-2.0 */
/* What a segment says of itself beyond its place and time. */
#include <stdlib.h>
#include <string.h>

#include "rules_inside.h"

#define MESSAGE_MAX    1000 /* this library's own, as are the others without a word in the schema */
#define FRAME_PATH_MAX 500

static bool is_key(const struct node *node)
{
    static const char characters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                     "0123456789_";

    return node->key_length > 0 && strspn(node->key, characters) == node->key_length;
}

bool check_service(struct check *check, const struct node *node, unsigned where)
{
    static const struct member_rule members[] = {
        { "version", check_text, 0 },
        { "name", check_text, 0 },
        { "runtime", check_text, 0 },
        { "runtime_version", check_text, 0 },
        { "compiler", check_text, 0 },
        { "compiler_version", check_text, 0 },
        { NULL, NULL, 0 },
    };

    return check_object(check, node, where, members);
}

/* ---- HTTP, AWS, SQL ------------------------------------------------------------------ */

static bool check_request(struct check *check, const struct node *node, unsigned where)
{
    static const struct member_rule members[] = {
        { "method", check_text, 0 },
        { "url", check_url, 0 },
        { "user_agent", check_text, 0 },
        { "client_ip", check_text, 0 },
        { "x_forwarded_for", check_mark, SEGMENT },
        { NULL, NULL, 0 },
    };

    return check_object(check, node, where, members);
}

static bool check_response(struct check *check, const struct node *node, unsigned where)
{
    static const struct member_rule members[] = {
        { "status", check_whole, 0 },
        { "content_length", check_count, 0 },
        { NULL, NULL, 0 },
    };

    return check_object(check, node, where, members);
}

bool check_http(struct check *check, const struct node *node, unsigned where)
{
    static const struct member_rule members[] = {
        { "request", check_request, 0 },
        { "response", check_response, 0 },
        { NULL, NULL, 0 },
    };

    return check_object(check, node, where, members);
}

static bool check_xray(struct check *check, const struct node *node, unsigned where)
{
    static const struct member_rule members[] = {
        { "sdk", check_text, 0 },
        { "sdk_version", check_text, 0 },
        { "sampling_rule_name", check_text, 0 },
        { "auto_instrumentation", check_truth, 0 },
        { NULL, NULL, 0 },
    };

    return check_object(check, node, where, members);
}

/* Any value but null; its texts are not longer than others. */
static bool check_aws_value(struct check *check, const struct node *node, unsigned where)
{
    switch (node->type) {
    case NODE_NULL:
        return broken(check, RULE_NULL_VALUE, node);
    case NODE_STRING:
        return check_text(check, node, where);
    case NODE_NUMBER:
        return check_finite(check, node, where);
    default:
        for (const struct node *one = node->child; one; one = one->next)
            if (!check_aws_value(check, one, where))
                return false;
        return true;
    }
}

static bool check_texts(struct check *check, const struct node *node, unsigned where)
{
    return check_array(check, node, where, check_text);
}

static bool check_aws_object(struct check *check, const struct node *node, unsigned where)
{
    return check_type(check, node, NODE_OBJECT) && check_aws_value(check, node, where);
}

static bool check_log_group(struct check *check, const struct node *node, unsigned where)
{
    static const struct member_rule members[] = {
        { "log_group", check_text, 0 },
        { "arn", check_text, 0 },
        { NULL, NULL, 0 },
    };

    return check_object(check, node, where, members);
}

static bool check_log_groups(struct check *check, const struct node *node, unsigned where)
{
    return check_array(check, node, where, check_log_group);
}

/* Those with a type of their own; of the others there are as many as AWS has parameters. */
static const struct member_rule aws_members[] = {
    { "operation", check_text, 0 },
    { "account_id", check_text, 0 },
    { "region", check_text, 0 },
    { "request_id", check_text, 0 },
    { "queue_url", check_text, 0 },
    { "table_name", check_text, 0 },
    { "id_2", check_text, 0 },
    { "table_names", check_texts, 0 },
    { "resource_names", check_texts, 0 },
    { "retries", check_count, 0 },
    { "xray", check_xray, SEGMENT },
    { "ec2", check_aws_object, SEGMENT },
    { "ecs", check_aws_object, SEGMENT },
    { "eks", check_aws_object, SEGMENT },
    { "elastic_beanstalk", check_aws_object, SEGMENT },
    { "cloudwatch_logs", check_log_groups, SEGMENT },
    { NULL, NULL, 0 },
};

bool check_aws(struct check *check, const struct node *node, unsigned where)
{
    if (!check_type(check, node, NODE_OBJECT))
        return false;
    if (!node->child)
        return broken(check, RULE_EMPTY, node);
    for (const struct node *one = node->child; one; one = one->next) {
        const struct member_rule *rule = aws_members;

        if (!is_key(one))
            return broken(check, RULE_AWS_KEY, one);
        while (rule->name && strcmp(rule->name, one->key) != 0)
            rule++;
        if (rule->where && !(rule->where & where))
            return broken(check, RULE_NOT_IN_A_SUBSEGMENT, one);
        if (!(rule->name ? rule->check : check_aws_value)(check, one, where))
            return false;
    }
    return true;
}

static bool check_preparation(struct check *check, const struct node *node, unsigned where)
{
    (void)where;
    return check_type(check, node, NODE_STRING) &&
           (strcmp(node->text, "statement") == 0 || strcmp(node->text, "call") == 0 ||
            broken(check, RULE_PREPARATION, node));
}

bool check_sql(struct check *check, const struct node *node, unsigned where)
{
    static const struct member_rule members[] = {
        { "url", check_url, 0 },
        { "connection_string", check_text, 0 },
        { "sanitized_query", check_long_text, 0 },
        { "database_type", check_text, 0 },
        { "database_version", check_text, 0 },
        { "driver_version", check_text, 0 },
        { "user", check_text, 0 },
        { "preparation", check_preparation, 0 },
        { NULL, NULL, 0 },
    };

    return check_object(check, node, where, members);
}

/* ---- Annotations and metadata ----------------------------------------------------------- */

bool check_annotations(struct check *check, const struct node *node, unsigned where)
{
    if (!check_type(check, node, NODE_OBJECT))
        return false;
    if (!node->child)
        return broken(check, RULE_EMPTY, node);
    for (const struct node *one = node->child; one; one = one->next) {
        if (!is_key(one) || one->key_length > 500)
            return broken(check, RULE_ANNOTATION_KEY, one);
        if (one->type == NODE_STRING ? !check_text_of(check, one, 1000)
                                     : one->type == NODE_NUMBER && !check_finite(check, one, where))
            return false;
        if (one->type == NODE_NULL || one->type == NODE_ARRAY || one->type == NODE_OBJECT)
            return broken(check, RULE_ANNOTATION_VALUE, one);
    }
    return true;
}

/* What is in there is the program's own; that it is JSON has been seen. */
bool check_metadata(struct check *check, const struct node *node, unsigned where)
{
    (void)where;
    if (!check_type(check, node, NODE_OBJECT))
        return false;
    if (!node->child)
        return broken(check, RULE_EMPTY, node);
    for (const struct node *one = node->child; one; one = one->next) {
        if (strncmp(one->key, "AWS.", 4) == 0)
            return broken(check, RULE_RESERVED_NAMESPACE, one);
        if (!check_type(check, one, NODE_OBJECT))
            return false;
        if (!one->child)
            return broken(check, RULE_EMPTY, one);
    }
    return true;
}

/* ---- Causes ----------------------------------------------------------------------------- */

static bool check_message(struct check *check, const struct node *node, unsigned where)
{
    (void)where;
    return check_text_of(check, node, MESSAGE_MAX);
}

static bool check_path(struct check *check, const struct node *node, unsigned where)
{
    (void)where;
    return check_text_of(check, node, FRAME_PATH_MAX);
}

static bool check_paths(struct check *check, const struct node *node, unsigned where)
{
    return check_array(check, node, where, check_path);
}

static bool check_frame(struct check *check, const struct node *node, unsigned where)
{
    static const struct member_rule members[] = {
        { "path", check_path, 0 },
        { "line", check_whole, 0 },
        { "label", check_text, 0 },
        { NULL, NULL, 0 },
    };

    return check_object(check, node, where, members);
}

static bool check_stack(struct check *check, const struct node *node, unsigned where)
{
    return check_array(check, node, where, check_frame);
}

static bool check_exception_id(struct check *check, const struct node *node, unsigned where)
{
    uint64_t id = 0;

    if (!check_id(check, node, where))
        return false;
    read_id(node, &id);
    return id_set_add(&check->exceptions, id) || broken(check, RULE_EXCEPTION_TWICE, node);
}

static bool check_reference(struct check *check, const struct node *node, unsigned where)
{
    uint64_t id = 0;

    if (!check_id(check, node, where))
        return false;
    read_id(node, &id);
    id_set_add(&check->causes, id);
    return true;
}

static bool check_exception(struct check *check, const struct node *node, unsigned where)
{
    static const struct member_rule members[] = {
        { "id", check_exception_id, 0 },
        { "message", check_message, 0 },
        { "type", check_text, 0 },
        { "remote", check_mark, 0 },
        { "truncated", check_count, 0 },
        { "skipped", check_count, 0 },
        { "cause", check_reference, 0 },
        { "stack", check_stack, 0 },
        { NULL, NULL, 0 },
    };

    return check_object(check, node, where, members) && check_required(check, node, "id");
}

static bool check_exceptions(struct check *check, const struct node *node, unsigned where)
{
    return check_array(check, node, where, check_exception);
}

bool check_cause(struct check *check, const struct node *node, unsigned where)
{
    static const struct member_rule members[] = {
        { "working_directory", check_path, 0 },
        { "paths", check_paths, 0 },
        { "exceptions", check_exceptions, 0 },
        { NULL, NULL, 0 },
    };

    if (node->type == NODE_STRING)
        return check_reference(check, node, where);
    return check_object(check, node, where, members);
}

/* ---- Others ------------------------------------------------------------------------------ */

bool check_precursors(struct check *check, const struct node *node, unsigned where)
{
    if (!check_array(check, node, where, check_id))
        return false;
    for (const struct node *one = node->child; one; one = one->next)
        for (const struct node *other = one->next; other; other = other->next)
            if (strcmp(one->text, other->text) == 0)
                return broken(check, RULE_PRECURSOR_TWICE, other);
    return true;
}

static bool check_any_object(struct check *check, const struct node *node, unsigned where)
{
    (void)where;
    return check_type(check, node, NODE_OBJECT);
}

static bool check_link(struct check *check, const struct node *node, unsigned where)
{
    static const struct member_rule members[] = {
        { "trace_id", check_trace_id, 0 },
        { "id", check_id, 0 },
        { "attributes", check_any_object, 0 },
        { NULL, NULL, 0 },
    };

    return check_object(check, node, where, members) && check_required(check, node, "trace_id") &&
           check_required(check, node, "id");
}

bool check_links(struct check *check, const struct node *node, unsigned where)
{
    size_t count = 0;

    if (!check_array(check, node, where, check_link))
        return false;
    for (const struct node *one = node->child; one; one = one->next)
        count++;
    return count <= 20 || broken(check, RULE_LINKS, node);
}
