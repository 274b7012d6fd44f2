/* SPDX-License-Identifier: Apache-2.0 */
/* Members of a document's aws block, and the resource attributes that say the same: read
   from left to right for a span, from right to left for a document. */
#ifndef XR_OTLP_PAIRS_H
#define XR_OTLP_PAIRS_H

struct pair {
    const char *member;
    const char *key;
};

static const struct pair ec2_pairs[] = {
    { "instance_id", "host.id" },
    { "instance_size", "host.type" },
    { "ami_id", "host.image.id" },
    { "availability_zone", "cloud.availability_zone" },
};
static const struct pair ecs_pairs[] = {
    { "container", "container.name" },
    { "container_id", "container.id" },
    { "container_arn", "aws.ecs.container.arn" },
    { "task_arn", "aws.ecs.task.arn" },
    { "task_family", "aws.ecs.task.family" },
    { "cluster_arn", "aws.ecs.cluster.arn" },
};
static const struct pair eks_pairs[] = {
    { "cluster_name", "k8s.cluster.name" },
    { "pod", "k8s.pod.name" },
    { "container_id", "container.id" },
};

#endif /* XR_OTLP_PAIRS_H */
