/* SPDX-License-Identifier: Apache-2.0 */
/* Failures on purpose, so that who writes an SDK sees what it does about them. */
#ifndef LOCAL_FAULTS_H
#define LOCAL_FAULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FAULTS_LATENCY_MAX_MS 60000u
#define FAULTS_TEXT           256u

/* Of a request; the order in which they are drawn. */
enum fault_kind {
    FAULT_NONE,
    FAULT_SKEW,
    FAULT_THROTTLE,
    FAULT_ERROR,
};

struct faults_settings {
    double throttle; /* the share of requests, 0 to 1 */
    double error;
    double skew;
    double drop; /* the share of datagrams */
    unsigned latency_ms;
};

/* "throttle:0.1", "error:0.1", "skew", "skew:0.1", "drop:0.05", "latency:200ms" or
   "latency:2s", added to the settings. False if it is none of these. */
bool faults_parse(const char *text, struct faults_settings *settings);
bool faults_any(const struct faults_settings *settings);

struct faults;

/* 0 or -ENOMEM. */
int faults_new(struct faults **ret, const struct faults_settings *settings);
void faults_free(struct faults *faults);

/* What becomes of a request, and of a datagram; counted. From any thread. */
enum fault_kind faults_request(struct faults *faults);
bool faults_drop(struct faults *faults);
unsigned faults_latency_ms(const struct faults *faults);

/* "throttle 0.1 (3 so far), latency 200 ms" */
void faults_describe(struct faults *faults, char ret[FAULTS_TEXT]);

#endif
