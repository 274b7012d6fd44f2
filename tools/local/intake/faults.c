/* SPDX-License-Identifier: Apache-2.0 */
#include "local/intake/faults.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct faults {
    struct faults_settings settings;
    pthread_mutex_t lock;
    uint64_t random;
    uint64_t counts[FAULT_ERROR + 1];
    uint64_t dropped;
};

/* A share without a sign or an exponent. */
static bool read_share(const char *text, double *ret)
{
    char *end;
    if (!*text || strspn(text, "0123456789.") != strlen(text))
        return false;
    *ret = strtod(text, &end);
    return !*end && *ret >= 0 && *ret <= 1;
}

static bool read_latency(const char *text, unsigned *ret_ms)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || value > FAULTS_LATENCY_MAX_MS)
        return false;
    if (strcmp(end, "s") == 0)
        value *= 1000;
    else if (strcmp(end, "ms") != 0)
        return false;
    *ret_ms = (unsigned)value;
    return value <= FAULTS_LATENCY_MAX_MS;
}

bool faults_parse(const char *text, struct faults_settings *settings)
{
    if (strcmp(text, "skew") == 0) {
        settings->skew = 1;
        return true;
    }
    if (strncmp(text, "skew:", 5) == 0)
        return read_share(text + 5, &settings->skew);
    if (strncmp(text, "throttle:", 9) == 0)
        return read_share(text + 9, &settings->throttle);
    if (strncmp(text, "error:", 6) == 0)
        return read_share(text + 6, &settings->error);
    if (strncmp(text, "drop:", 5) == 0)
        return read_share(text + 5, &settings->drop);
    if (strncmp(text, "latency:", 8) == 0)
        return read_latency(text + 8, &settings->latency_ms);
    return false;
}

bool faults_any(const struct faults_settings *settings)
{
    return settings->throttle > 0 || settings->error > 0 || settings->skew > 0 ||
           settings->drop > 0 || settings->latency_ms;
}

int faults_new(struct faults **ret, const struct faults_settings *settings)
{
    struct faults *faults = calloc(1, sizeof *faults);
    if (!faults)
        return -ENOMEM;
    faults->settings = *settings;
    if (getrandom(&faults->random, sizeof faults->random, 0) < 0)
        faults->random = 1;
    pthread_mutex_init(&faults->lock, NULL);
    *ret = faults;
    return 0;
}

void faults_free(struct faults *faults)
{
    if (!faults)
        return;
    pthread_mutex_destroy(&faults->lock);
    free(faults);
}

/* From 0 up to, but without, 1. With the lock held. */
static double draw(struct faults *faults)
{
    uint64_t mixed = faults->random += 0x9e3779b97f4a7c15u;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
    return (double)((mixed ^ (mixed >> 31)) >> 11) / 9007199254740992.0;
}

enum fault_kind faults_request(struct faults *faults)
{
    const struct faults_settings *settings = &faults->settings;
    enum fault_kind kind = FAULT_NONE;
    pthread_mutex_lock(&faults->lock);
    if (draw(faults) < settings->skew)
        kind = FAULT_SKEW;
    else if (draw(faults) < settings->throttle)
        kind = FAULT_THROTTLE;
    else if (draw(faults) < settings->error)
        kind = FAULT_ERROR;
    faults->counts[kind]++;
    pthread_mutex_unlock(&faults->lock);
    return kind;
}

bool faults_drop(struct faults *faults)
{
    pthread_mutex_lock(&faults->lock);
    bool drop = draw(faults) < faults->settings.drop;
    faults->dropped += drop;
    pthread_mutex_unlock(&faults->lock);
    return drop;
}

unsigned faults_latency_ms(const struct faults *faults)
{
    return faults->settings.latency_ms;
}

static void describe_share(char *ret, const char *name, double share, uint64_t count)
{
    size_t at = strlen(ret);
    if (share > 0)
        snprintf(ret + at, FAULTS_TEXT - at, "%s%s %g (%" PRIu64 " so far)", at ? ", " : "", name,
                 share, count);
}

void faults_describe(struct faults *faults, char ret[FAULTS_TEXT])
{
    const struct faults_settings *settings = &faults->settings;
    *ret = '\0';
    pthread_mutex_lock(&faults->lock);
    describe_share(ret, "throttle", settings->throttle, faults->counts[FAULT_THROTTLE]);
    describe_share(ret, "error", settings->error, faults->counts[FAULT_ERROR]);
    describe_share(ret, "skew", settings->skew, faults->counts[FAULT_SKEW]);
    describe_share(ret, "drop", settings->drop, faults->dropped);
    pthread_mutex_unlock(&faults->lock);
    size_t at = strlen(ret);
    if (settings->latency_ms)
        snprintf(ret + at, FAULTS_TEXT - at, "%slatency %u ms", at ? ", " : "",
                 settings->latency_ms);
}
