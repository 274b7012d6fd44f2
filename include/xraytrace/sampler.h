/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XRAYTRACE_SAMPLER_H
#define XRAYTRACE_SAMPLER_H

#include <xraytrace/trace.h>
#include <xraytrace/transport.h>

XRAY_BEGIN_DECLS

/* A property of what a request is for, as the Attributes of central rules name them. */
typedef struct xray_sampling_attribute {
    const char *key;
    const char *value;
} xray_sampling_attribute;

/* What is known of a request when its trace begins. NULL: not known. Valid during the call. */
typedef struct xray_sampling_request {
    size_t size;
    const char *service;      /* the segment's name */
    const char *service_type; /* the recorder's origin, such as "AWS::EC2::Instance" */
    const char *host;
    const char *http_method;
    const char *url_path;
    int64_t now_ns; /* Unix time, by the recorder's clock; 0: ask when you need it */
    const char *resource_arn;
    const xray_sampling_attribute *attributes;
    size_t attribute_count;
} xray_sampling_request;

/* What was decided: 64 bytes for good. Says no, by no rule, when decide() gets it. */
typedef struct xray_sampling_decision {
    int32_t sampled;   /* 0 or 1 */
    char rule[33];     /* the rule that decided, at most 32 bytes as X-Ray has it, or "" */
    char report;       /* 1: report() is to hear how it ends, sampled or not */
    char reserved[26]; /* zero, or left alone */
} xray_sampling_decision;

/*
 * How a segment ended, for a sampler that adapts. Anomalies are what the
 * configuration of adaptive sampling says; else what is a fault.
 */
typedef struct xray_sampling_outcome {
    size_t size;
    const char *rule;     /* that decided here, or "" */
    const char *upstream; /* the xrsr of the caller's header: the hash of its rule; or "" */
    const char *service;  /* the segment's name */
    xray_trace_id trace_id;
    int32_t sampled;
    int32_t anomaly; /* 0; 1: by a condition of the configuration; 2: by the default one */
    int64_t now_ns;  /* Unix time of the end */
} xray_sampling_outcome;

/*
 * Decides whether a new trace is recorded. Called by many threads at once, on
 * the thread that starts the segment, which waits. What it begins itself is not
 * recorded.
 */
typedef struct xray_sampler {
    size_t size;
    void *data; /* given to each function */
    void (*decide)(void *data, const xray_sampling_request *request, xray_sampling_decision *ret);
    void (*after_fork)(void *data); /* optional: in a forked child, before first use there */
    void (*destroy)(void *data);    /* optional */

    /* Optional: for decisions that ask for it, on the thread that ends the segment. */
    void (*report)(void *data, const xray_sampling_outcome *outcome);
} xray_sampler;

/*
 * The constructors fill ret->size bytes of *ret: set it first. They return 0,
 * -EINVAL for arguments out of range, or -ENOMEM. Give the sampler to a
 * recorder, which destroys it with itself, or call its destroy(data).
 */

/*
 * The first per_second traces of each second (0 or more; what is behind the
 * point is left out), then that fraction (0 to 1) of the rest. 0 and 0 never
 * samples, and a fraction of 1 always does; neither needs the time.
 */
XRAY_CHECKED XRAY_API int xray_sampler_rate(xray_sampler *ret, double per_second, double fraction);

/*
 * Rules from a sampling document, the JSON file of the other X-Ray SDKs, version
 * 1 or 2. The first rule whose host (service_name in version 1), http_method and
 * url_path all match decides, else the default: the first fixed_target traces of
 * each second, then the fraction rate of the rest. Patterns have * and ?, and
 * ignore case; what is not known of a request matches only "*"; of each text
 * 4096 bytes are looked at. -EINVAL, with the place and the reason logged, if the
 * text is not such a document or has more than 1 MiB. It is not needed later.
 */
XRAY_CHECKED XRAY_API int xray_sampler_local(xray_sampler *ret, const char *rules_json);

/*
 * The same from a file, which is read again when it has changed: a decision looks
 * at it, at most once a second, while others go by the former rules. A content
 * that is refused is logged, and the former rules stay; so they do while there is
 * no file. Changed rules begin with full reservoirs; a file that is written anew
 * as it was changes nothing. -errno, logged, when it cannot be read at first:
 * -EFBIG when it has more than 1 MiB, -EINVAL when it is no such document.
 */
XRAY_CHECKED XRAY_API int xray_sampler_file(xray_sampler *ret, const char *path);

/*
 * Rules kept in X-Ray, fetched through the daemon's TCP port by a thread that the
 * first decision in each process starts. fallback decides until rules are there,
 * and when they are over an hour old; NULL is one a second and 5 %. What is not
 * known of a request matches only "*", so that rules about HTTP are not for jobs
 * and queue consumers. Without a daemon it tries again, quietly, less and less
 * often. A NULL daemon_address is AWS_XRAY_DAEMON_ADDRESS, else 127.0.0.1:2000.
 *
 * Takes over transport and fallback on success. Nothing that the thread does is
 * traced, and all signals are blocked on it. Decisions never wait for it, nor
 * does exit(), and destroy() at most 100 ms: a thread whose exchange takes longer
 * destroys transport and fallback itself when that is over. A forked child is
 * another client, with the rules that its parent had.
 *
 * -EINVAL for an address that cannot be read, a transport without exchange or a
 * fallback without decide; -E2BIG for one with members that are not known here.
 */
XRAY_CHECKED XRAY_API int xray_sampler_central(xray_sampler *ret, const char *daemon_address,
                                               const xray_transport *transport,
                                               const xray_sampler *fallback);

XRAY_END_DECLS

#endif /* XRAYTRACE_SAMPLER_H */
