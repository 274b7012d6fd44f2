/* SPDX-License-Identifier: Apache-2.0 */
/* The aws block of a document becomes attributes, and what a segment says of the machine
   and the program that it ran on the resource. */
#include "otlp/mapping.h"
#include "otlp/pairs.h"

static void set_pairs(struct xr_arena *arena, struct xr_attributes *attributes,
                      const struct xr_tree *object, const struct pair *pairs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct xr_slice text = xr_tree_member_text(object, pairs[i].member);

        if (text.length)
            xr_set_text(arena, attributes, pairs[i].key, text);
    }
}

#define SET_PAIRS(arena, attributes, object, pairs) \
    set_pairs(arena, attributes, object, pairs, sizeof(pairs) / sizeof(*(pairs)))

/* ---- A call ------------------------------------------------------------------------ */

static const struct pair call_pairs[] = {
    { "operation", "aws.operation" },   { "region", "aws.region" },
    { "request_id", "aws.request_id" }, { "queue_url", "aws.queue_url" },
    { "table_name", "aws.table_name" },
};

static bool is_known(struct xr_slice key)
{
    static const char *const others[] = {
        "account_id", "table_names",       "retries",        "ec2", "ecs", "eks",
        "xray",       "elastic_beanstalk", "cloudwatch_logs"
    };

    for (size_t i = 0; i < sizeof(call_pairs) / sizeof(*call_pairs); i++)
        if (xr_slice_is(key, call_pairs[i].member))
            return true;
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
        if (xr_slice_is(key, others[i]))
            return true;
    return false;
}

static void set_others(struct xr_span_builder *builder, const struct xr_tree *aws)
{
    struct xr_text text = { 0 };
    size_t mark = xr_text_open(&text, NULL, '{');

    for (const struct xr_tree *child = aws->children; child; child = child->next) {
        if (is_known(child->key))
            continue;
        xr_text_key(&text, child->key);
        xr_text_put(&text, child->raw.text, child->raw.length);
    }
    xr_text_close(&text, mark, '}', false);
    xr_set_text(builder->arena, &builder->span->attributes, XR_KEY_AWS,
                xr_text_moved(builder->arena, &text));
}

static void set_names(struct xr_span_builder *builder)
{
    struct xr_attributes *attributes = &builder->span->attributes;
    struct xr_slice name = builder->span->name;
    struct xr_slice namespace = xr_tree_member_text(builder->entity, "namespace");

    if (builder->segment || name.length == 0)
        return;
    if (xr_slice_is(namespace, "remote"))
        xr_set_text(builder->arena, attributes, "peer.service", name);
    if (!xr_slice_is(namespace, "aws"))
        return;
    xr_set_text(builder->arena, attributes, "rpc.system", XR_SLICE("aws-api"));
    xr_set_text(builder->arena, attributes, "rpc.service", name);
    xr_set_text(builder->arena, attributes, "aws.service", name);
    xr_span_set(builder, "rpc.method", xr_tree_member(builder->entity, "aws"), "operation");
}

void xr_span_aws(struct xr_span_builder *builder)
{
    const struct xr_tree *aws = xr_tree_member(builder->entity, "aws");
    const struct xr_tree *tables = xr_tree_member(aws, "table_names");
    struct xr_attributes *attributes = &builder->span->attributes;
    int64_t retries;

    set_names(builder);
    if (!aws || aws->type != XR_TREE_OBJECT)
        return;
    SET_PAIRS(builder->arena, attributes, aws, call_pairs);
    if (!builder->segment)
        xr_span_set(builder, "aws.account_id", aws, "account_id");
    if (tables && tables->type == XR_TREE_ARRAY)
        for (const struct xr_tree *name = tables->children; name; name = name->next)
            if (name->type == XR_TREE_STRING)
                xr_set_item(builder->arena, attributes, "aws.dynamodb.table_names", name->text);
    if (xr_tree_int64(xr_tree_member(aws, "retries"), &retries))
        xr_set_integer(builder->arena, attributes, XR_KEY_RETRIES, retries);
    if (builder->segment) {
        const struct xr_tree *xray = xr_tree_member(aws, "xray");

        xr_span_set(builder, XR_KEY_SAMPLING_RULE, xray, "sampling_rule_name");
        xr_span_set(builder, XR_KEY_SAMPLING_RULE, xray, "rule_name");
    }
    set_others(builder, aws);
}

/* ---- The resource ------------------------------------------------------------------ */

static const struct pair service_pairs[] = {
    { "version", "service.version" },
    { "runtime", "process.runtime.name" },
    { "runtime_version", "process.runtime.version" },
    { "compiler", "process.runtime.name" },
    { "compiler_version", "process.runtime.version" },
};
static const struct pair beanstalk_pairs[] = {
    { "environment_name", "service.namespace" },
    { "version_label", "service.version" },
};

static const char *platform_of(struct xr_slice origin)
{
    static const char *const platforms[][2] = {
        { "AWS::EC2::Instance", "aws_ec2" },
        { "AWS::ECS::Container", "aws_ecs" },
        { "AWS::ECS::EC2", "aws_ecs" },
        { "AWS::ECS::Fargate", "aws_ecs" },
        { "AWS::EKS::Container", "aws_eks" },
        { "AWS::ElasticBeanstalk::Environment", "aws_elastic_beanstalk" },
        { "AWS::AppRunner::Service", "aws_app_runner" },
        { "AWS::Lambda::Function", "aws_lambda" },
    };

    for (size_t i = 0; i < sizeof(platforms) / sizeof(*platforms); i++)
        if (xr_slice_is(origin, platforms[i][0]))
            return platforms[i][1];
    return NULL;
}

static void set_launch_type(struct xr_arena *arena, struct xr_attributes *resource,
                            struct xr_slice type)
{
    if (xr_slice_is(type, "EC2"))
        type = XR_SLICE("ec2");
    else if (xr_slice_is(type, "FARGATE"))
        type = XR_SLICE("fargate");
    xr_set_text(arena, resource, "aws.ecs.launchtype", type);
}

static void set_platform(struct xr_arena *arena, struct xr_attributes *resource,
                         const struct xr_tree *aws, struct xr_slice origin)
{
    const struct xr_tree *ec2 = xr_tree_member(aws, "ec2"), *ecs = xr_tree_member(aws, "ecs");
    const struct xr_tree *beanstalk = xr_tree_member(aws, "elastic_beanstalk");
    const struct xr_tree *logs = xr_tree_member(aws, "cloudwatch_logs");
    const char *platform = platform_of(origin);
    int64_t deployment;
    size_t count = 0;

    if (xr_slice_begins(origin, "AWS::") || ec2)
        xr_set_text(arena, resource, "cloud.provider", XR_SLICE("aws"));
    if (platform)
        xr_set_text(arena, resource, "cloud.platform",
                    (struct xr_slice){ platform, strlen(platform) });
    xr_set_text(arena, resource, "cloud.account.id", xr_tree_member_text(aws, "account_id"));
    SET_PAIRS(arena, resource, ec2, ec2_pairs);
    set_launch_type(arena, resource, xr_tree_member_text(ecs, "launch_type"));
    SET_PAIRS(arena, resource, ecs, ecs_pairs);
    SET_PAIRS(arena, resource, xr_tree_member(aws, "eks"), eks_pairs);
    SET_PAIRS(arena, resource, beanstalk, beanstalk_pairs);
    if (xr_tree_int64(xr_tree_member(beanstalk, "deployment_id"), &deployment))
        xr_set_text(arena, resource, "service.instance.id",
                    xr_tree_member(beanstalk, "deployment_id")->raw);
    if (logs && logs->type == XR_TREE_ARRAY)
        for (const struct xr_tree *log = logs->children; log && count < XR_LISTED_MAX;
             log = log->next, count++) {
            struct xr_slice name = xr_tree_member_text(log, "log_group");
            struct xr_slice arn = xr_tree_member_text(log, "arn");

            xr_set_item(arena, resource, "aws.log.group.names", name.text ? name : XR_SLICE(""));
            xr_set_item(arena, resource, "aws.log.group.arns", arn.text ? arn : XR_SLICE(""));
        }
}

/* X-Ray SDK for Java: the language is behind the last "for". */
static void set_sdk(struct xr_arena *arena, struct xr_attributes *resource,
                    const struct xr_tree *xray, struct xr_slice default_version)
{
    struct xr_slice sdk = xr_tree_member_text(xray, "sdk");
    struct xr_slice version = xr_tree_member_text(xray, "sdk_version");
    const char *mark = sdk.text ? memmem(sdk.text, sdk.length, " for ", 5) : NULL;

    if (!version.length && xr_slice_is(sdk, "X-Ray for C"))
        version = default_version;
    if (xr_slice_is(sdk, "X-Ray for C")) {
        xr_set_text(arena, resource, "telemetry.sdk.name", XR_SLICE(XR_SCOPE_NAME));
        xr_set_text(arena, resource, "telemetry.sdk.language", XR_SLICE("c"));
    } else if (mark && mark > sdk.text) {
        size_t length = (size_t)(mark - sdk.text);
        struct xr_slice language = xr_arena_copy(arena, mark + 5, sdk.length - length - 5);

        /* Readers of stack traces compare it with java and so on. */
        for (size_t i = 0; language.text && i < language.length; i++)
            if (language.text[i] >= 'A' && language.text[i] <= 'Z')
                ((char *)language.text)[i] |= 0x20;
        xr_set_text(arena, resource, "telemetry.sdk.name", (struct xr_slice){ sdk.text, length });
        xr_set_text(arena, resource, "telemetry.sdk.language", language);
    } else {
        xr_set_text(arena, resource, "telemetry.sdk.name", sdk);
    }
    xr_set_text(arena, resource, "telemetry.sdk.version", version);
    if (sdk.length && !xr_slice_same(xr_derived_sdk(arena, resource), sdk))
        xr_set_text(arena, resource, XR_KEY_SDK, sdk);
    if (xr_tree_is_true(xr_tree_member(xray, "auto_instrumentation")))
        xr_set_text(arena, resource, "telemetry.auto.version",
                    version.length ? version : XR_SLICE("unknown"));
}

void xr_span_resource(struct xr_span_builder *builder, struct xr_slice default_version)
{
    const struct xr_tree *entity = builder->entity, *aws = xr_tree_member(entity, "aws");
    struct xr_slice origin = xr_tree_member_text(entity, "origin");
    struct xr_slice name = xr_tree_member_text(entity, "name");
    struct xr_attributes *resource = builder->resource;

    xr_set_text(builder->arena, resource, "service.name",
                name.length ? name : XR_SLICE("unknown_service"));
    SET_PAIRS(builder->arena, resource, xr_tree_member(entity, "service"), service_pairs);
    set_platform(builder->arena, resource, aws, origin);
    set_sdk(builder->arena, resource, xr_tree_member(aws, "xray"), default_version);
    xr_set_text(builder->arena, resource, XR_KEY_RESOURCE_ARN,
                xr_tree_member_text(entity, "resource_arn"));
    if (!xr_slice_same(xr_derived_origin(resource), origin))
        xr_set_text(builder->arena, resource, XR_KEY_ORIGIN, origin.text ? origin : XR_SLICE(""));
}
