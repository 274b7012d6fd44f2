/* SPDX-License-Identifier: Apache-2.0 */
/* The aws block of a document, and what a segment has of its resource. */
#include "otlp/mapping.h"
#include "otlp/pairs.h"

static void build_pairs(struct xr_text *text, const char *block,
                        const struct xr_attributes *attributes, const struct pair *pairs,
                        size_t count)
{
    size_t mark = xr_text_open(text, block, '{');

    for (size_t i = 0; i < count; i++)
        xr_text_string(text, pairs[i].member, xr_take_text(attributes, pairs[i].key));
    xr_text_close(text, mark, '}', false);
}

#define BUILD_PAIRS(text, block, attributes, pairs) \
    build_pairs(text, block, attributes, pairs, sizeof(pairs) / sizeof(*(pairs)))

/* ---- A call ------------------------------------------------------------------------ */

static const char *const operation_keys[] = { "aws.operation", NULL };
static const char *const account_keys[] = { "aws.account_id", NULL };
static const char *const region_keys[] = { "aws.region", NULL };
static const char *const request_keys[] = { "aws.request_id", "aws.requestId", "aws.request.id",
                                            NULL };
static const char *const queue_keys[] = { "aws.queue_url", "aws.queue.url", NULL };
static const char *const table_keys[] = { "aws.table_name", "aws.table.name", NULL };

static const struct {
    const char *member;
    const char *const *keys;
} call_members[] = {
    { "operation", operation_keys }, { "account_id", account_keys }, { "region", region_keys },
    { "request_id", request_keys },  { "queue_url", queue_keys },    { "table_name", table_keys },
};

static void build_tables(struct xr_document_builder *builder, bool has_table)
{
    const char *key = "aws.dynamodb.table_names";
    struct xr_attribute *names = xr_attribute_find(&builder->span->attributes, key);

    if (!names || names->value.type != XR_VALUE_ARRAY)
        return;
    xr_take(&builder->span->attributes, key);
    if (names->value.items.first && !names->value.items.first->next && !has_table)
        xr_text_key(builder->text, XR_SLICE("table_name"));
    else
        xr_text_key(builder->text, XR_SLICE("table_names"));
    if (names->value.items.first && !names->value.items.first->next && !has_table)
        xr_value_write(builder->text, &names->value.items.first->value);
    else
        xr_value_write(builder->text, &names->value);
}

/* Members that only X-Ray's documents have, as JSON. */
static void build_others(struct xr_document_builder *builder)
{
    static const char *const own[] = {
        "operation",  "account_id",        "region",          "request_id", "queue_url",
        "table_name", "table_names",       "retries",         "ec2",        "ecs",
        "eks",        "elastic_beanstalk", "cloudwatch_logs", "xray"
    };
    struct xr_slice json = xr_find_text(&builder->span->attributes, XR_KEY_AWS);
    struct xr_otlp_error error;
    struct xr_tree *tree;

    if (!json.text || xr_tree_parse(&tree, builder->arena, json, XR_TREE_WHOLE, &error) < 0 ||
        tree->type != XR_TREE_OBJECT)
        return;
    xr_take(&builder->span->attributes, XR_KEY_AWS);
    for (const struct xr_tree *child = tree->children; child; child = child->next) {
        bool known = false;

        for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
            known |= xr_slice_is(child->key, own[i]);
        if (known)
            continue;
        xr_text_key(builder->text, child->key);
        xr_text_put(builder->text, child->raw.text, child->raw.length);
    }
}

static void build_call(struct xr_document_builder *builder)
{
    const struct xr_attributes *attributes = &builder->span->attributes;
    bool has_table = false;
    int64_t retries;

    for (size_t i = 0; i < sizeof(call_members) / sizeof(*call_members); i++) {
        struct xr_slice text = xr_take_first(attributes, call_members[i].keys);

        if (i == 0 && !text.text && builder->aws)
            text = xr_take_text(attributes, "rpc.method");
        else if (i == 0 && xr_slice_same(xr_find_text(attributes, "rpc.method"), text))
            xr_take(attributes, "rpc.method");
        has_table |= call_members[i].keys == table_keys && text.text;
        xr_text_string(builder->text, call_members[i].member, text);
    }
    build_tables(builder, has_table);
    if (xr_take_integer(attributes, XR_KEY_RETRIES, &retries))
        xr_text_integer(builder->text, "retries", retries);
    build_others(builder);
}

/* ---- What a segment runs on -------------------------------------------------------- */

static bool is_text(const struct xr_attributes *attributes, const char *key, const char *text)
{
    return xr_slice_is(xr_find_text(attributes, key), text);
}

static void build_ecs(struct xr_text *text, const struct xr_attributes *resource)
{
    struct xr_slice launch = xr_take_text(resource, "aws.ecs.launchtype");
    size_t mark = xr_text_open(text, "ecs", '{');

    for (size_t i = 0; i < sizeof(ecs_pairs) / sizeof(*ecs_pairs); i++)
        xr_text_string(text, ecs_pairs[i].member, xr_take_text(resource, ecs_pairs[i].key));
    if (xr_slice_is(launch, "ec2"))
        launch = XR_SLICE("EC2");
    else if (xr_slice_is(launch, "fargate"))
        launch = XR_SLICE("FARGATE");
    xr_text_string(text, "launch_type", launch);
    xr_text_close(text, mark, '}', false);
}

static void build_beanstalk(struct xr_text *text, const struct xr_attributes *resource)
{
    size_t mark = xr_text_open(text, "elastic_beanstalk", '{');
    int64_t deployment;

    xr_text_string(text, "environment_name", xr_take_text(resource, "service.namespace"));
    xr_text_string(text, "version_label", xr_find_text(resource, "service.version"));
    if (xr_take_integer(resource, "service.instance.id", &deployment))
        xr_text_integer(text, "deployment_id", deployment);
    xr_text_close(text, mark, '}', false);
}

static const struct xr_attribute *items_of(const struct xr_value *value)
{
    return value && value->type == XR_VALUE_ARRAY ? value->items.first : NULL;
}

static void build_log(struct xr_text *text, const char *key, const struct xr_attribute *item)
{
    if (item && item->value.type == XR_VALUE_STRING && item->value.text.length)
        xr_text_string(text, key, item->value.text);
}

static void build_logs(struct xr_text *text, const struct xr_attributes *resource)
{
    const struct xr_attribute *name = items_of(xr_take(resource, "aws.log.group.names"));
    const struct xr_attribute *arn = items_of(xr_take(resource, "aws.log.group.arns"));
    size_t mark = xr_text_open(text, "cloudwatch_logs", '[');

    while (name || arn) {
        size_t inner = xr_text_open(text, NULL, '{');

        build_log(text, "log_group", name);
        build_log(text, "arn", arn);
        xr_text_close(text, inner, '}', false);
        name = name ? name->next : NULL;
        arn = arn ? arn->next : NULL;
    }
    xr_text_close(text, mark, ']', false);
}

struct xr_slice xr_derived_sdk(struct xr_arena *arena, const struct xr_attributes *resource)
{
    struct xr_slice name = xr_find_text(resource, "telemetry.sdk.name");
    struct xr_slice language = xr_find_text(resource, "telemetry.sdk.language");

    if (xr_slice_is(name, XR_SCOPE_NAME) && xr_slice_is(language, "c"))
        return XR_SLICE("X-Ray for C");
    if (!name.text || !language.text)
        return name;
    return xr_joined(arena, (struct xr_slice[]){ name, XR_SLICE(" for "), language }, 3);
}

static void build_xray(struct xr_document_builder *builder)
{
    const struct xr_attributes *resource = builder->resource;
    struct xr_text *text = builder->text;
    struct xr_slice sdk = xr_take_text(resource, XR_KEY_SDK);
    size_t mark = xr_text_open(text, "xray", '{');

    xr_text_string(text, "sdk", sdk.text ? sdk : xr_derived_sdk(builder->arena, resource));
    xr_text_string(text, "sdk_version", xr_take_text(resource, "telemetry.sdk.version"));
    if (xr_take(resource, "telemetry.auto.version"))
        xr_text_truth(text, "auto_instrumentation", true);
    xr_text_string(text, "sampling_rule_name",
                   xr_take_text(&builder->span->attributes, XR_KEY_SAMPLING_RULE));
    xr_text_close(text, mark, '}', false);
}

static void build_platform(struct xr_document_builder *builder)
{
    const struct xr_attributes *resource = builder->resource;
    struct xr_text *text = builder->text;
    bool eks = is_text(resource, "cloud.platform", "aws_eks") ||
               xr_attribute_find(resource, "k8s.cluster.name");
    bool ecs = is_text(resource, "cloud.platform", "aws_ecs") ||
               xr_attribute_find(resource, "aws.ecs.task.arn") ||
               xr_attribute_find(resource, "aws.ecs.container.arn") ||
               xr_attribute_find(resource, "aws.ecs.cluster.arn");

    if (!xr_attribute_find(&builder->span->attributes, "aws.account_id") ||
        builder->role == XR_ROLE_SERVICE)
        xr_text_string(text, "account_id", xr_take_text(resource, "cloud.account.id"));
    /* Machines of others have such ids too. */
    if (is_text(resource, "cloud.provider", "aws"))
        BUILD_PAIRS(text, "ec2", resource, ec2_pairs);
    if (ecs)
        build_ecs(text, resource);
    if (eks)
        BUILD_PAIRS(text, "eks", resource, eks_pairs);
    if (is_text(resource, "cloud.platform", "aws_elastic_beanstalk"))
        build_beanstalk(text, resource);
    build_logs(text, resource);
    build_xray(builder);
}

void xr_build_aws(struct xr_document_builder *builder)
{
    size_t mark = xr_text_open(builder->text, "aws", '{');

    if (builder->segment)
        build_platform(builder);
    if (builder->role != XR_ROLE_SERVICE)
        build_call(builder);
    xr_text_close(builder->text, mark, '}', false);
}

/* ---- What is beside the block ------------------------------------------------------ */

struct xr_slice xr_derived_origin(const struct xr_attributes *resource)
{
    static const char *const platforms[][2] = {
        { "aws_ec2", "AWS::EC2::Instance" },
        { "aws_ecs", "AWS::ECS::Container" },
        { "aws_eks", "AWS::EKS::Container" },
        { "aws_elastic_beanstalk", "AWS::ElasticBeanstalk::Environment" },
        { "aws_app_runner", "AWS::AppRunner::Service" },
        { "aws_lambda", "AWS::Lambda::Function" },
    };
    struct xr_slice provider = xr_find_text(resource, "cloud.provider");
    struct xr_slice platform = xr_find_text(resource, "cloud.platform");

    if (provider.text && !xr_slice_is(provider, "aws"))
        return (struct xr_slice){ 0 };
    if (xr_slice_is(platform, "aws_ecs") && is_text(resource, "aws.ecs.launchtype", "ec2"))
        return XR_SLICE("AWS::ECS::EC2");
    if (xr_slice_is(platform, "aws_ecs") && is_text(resource, "aws.ecs.launchtype", "fargate"))
        return XR_SLICE("AWS::ECS::Fargate");
    for (size_t i = 0; i < sizeof(platforms) / sizeof(*platforms); i++)
        if (xr_slice_is(platform, platforms[i][0]))
            return (struct xr_slice){ platforms[i][1], strlen(platforms[i][1]) };
    return provider.text && !platform.text ? XR_SLICE("AWS::EC2::Instance")
                                           : (struct xr_slice){ 0 };
}

void xr_build_resource(struct xr_document_builder *builder)
{
    static const struct pair runtime[] = { { "version", "service.version" },
                                           { "runtime", "process.runtime.name" },
                                           { "runtime_version", "process.runtime.version" } };
    static const struct pair compiler[] = { { "version", "service.version" },
                                            { "compiler", "process.runtime.name" },
                                            { "compiler_version", "process.runtime.version" } };
    const struct xr_attributes *resource = builder->resource;
    const struct xr_value *told = xr_take(resource, XR_KEY_ORIGIN);
    struct xr_slice origin = xr_derived_origin(resource);

    if (told && told->type == XR_VALUE_STRING)
        origin = told->text;
    if (origin.length)
        xr_text_string(builder->text, "origin", origin);
    xr_text_string(builder->text, "resource_arn", xr_take_text(resource, XR_KEY_RESOURCE_ARN));
    if (is_text(resource, "telemetry.sdk.language", "c"))
        BUILD_PAIRS(builder->text, "service", resource, compiler);
    else
        BUILD_PAIRS(builder->text, "service", resource, runtime);
    xr_take(resource, "cloud.provider");
    xr_take(resource, "cloud.platform");
    xr_take(resource, "telemetry.sdk.name");
    xr_take(resource, "telemetry.sdk.language");
    if (xr_slice_same(xr_find_text(resource, "service.name"), builder->name))
        xr_take(resource, "service.name");
}
