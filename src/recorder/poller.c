/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/poller.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/random.h"
#include "recorder/library.h"
#include "sampling/sampler.h"
#include "wire/hex.h"

#define HERE "127.0.0.1:2000"

/* ---- The sampler -------------------------------------------------------------------- */

static void decide(void *data, const xray_sampling_request *request, xray_sampling_decision *ret)
{
    struct xr_poller *poller = data;
    int64_t now_ns = XR_REQUEST_HAS(request, now_ns) ? request->now_ns : 0;

    if (__builtin_expect(atomic_load_explicit(&poller->start_ns, memory_order_relaxed) != INT64_MAX,
                         0))
        xr_poller_start(poller);
    if (poller->central && xr_central_decide(poller->central, request,
                                             now_ns != 0 ? now_ns : xr_clock_coarse_ns(), ret))
        return;
    poller->fallback.decide(poller->fallback.data, request, ret);
    if (__builtin_expect(ret->report && ret->rule[0], 0))
        atomic_store_explicit(&poller->fallback_has_rules, true, memory_order_relaxed);
}

/* A decision that names no rule was not made here, as each rule of X-Ray's has a name. */
static void report(void *data, const xray_sampling_outcome *outcome)
{
    struct xr_poller *poller = data;

    if (poller->central)
        xr_central_report(poller->central, outcome);
    if (poller->fallback.report &&
        (!outcome->rule || !outcome->rule[0] ||
         atomic_load_explicit(&poller->fallback_has_rules, memory_order_relaxed)))
        poller->fallback.report(poller->fallback.data, outcome);
}

/* 12 bytes: X-Ray tells clients apart by them. */
static void make_client_id(char ret[XR_CLIENT_ID_LENGTH + 1])
{
    uint32_t words[3];

    if (getrandom(words, sizeof(words), GRND_NONBLOCK) != sizeof(words))
        for (size_t i = 0; i < 3; i++)
            words[i] = (uint32_t)(xr_random_u64() >> 32);
    for (size_t i = 0; i < 3; i++)
        ret = xr_hex32(ret, words[i]);
    *ret = '\0';
}

static void after_fork(void *data)
{
    struct xr_poller *poller = data;
    char client_id[XR_CLIENT_ID_LENGTH + 1];

    make_client_id(client_id);
    if (poller->interrupted || !poller->central) {
        /* The former one cannot even be freed: nobody knows what it points to. */
        poller->central = NULL;
        poller->interrupted = false;
        (void)xr_central_new(&poller->central, client_id, &poller->logger);
    } else {
        xr_central_after_fork(poller->central, client_id);
    }
    if (poller->transport.after_fork)
        poller->transport.after_fork(poller->transport.data);
    if (poller->fallback.after_fork)
        poller->fallback.after_fork(poller->fallback.data);
}

void xr_poller_release(struct xr_poller *poller)
{
    if (atomic_fetch_sub(&poller->references, 1) > 1)
        return;
    if (poller->transport.destroy)
        poller->transport.destroy(poller->transport.data);
    if (poller->fallback.destroy)
        poller->fallback.destroy(poller->fallback.data);
    if (poller->central)
        xr_central_free(poller->central);
    pthread_mutex_destroy(&poller->working);
    pthread_mutex_destroy(&poller->lock);
    pthread_cond_destroy(&poller->wake);
    pthread_cond_destroy(&poller->over);
    xr_free(poller, sizeof(*poller));
}

static void destroy(void *data)
{
    struct xr_poller *poller = data;

    xr_poller_delist(poller);
    xr_poller_stop(poller);
    xr_poller_release(poller);
}

/* ---- Making one ----------------------------------------------------------------------- */

int xr_poller_find_daemon(struct xr_daemon_endpoint *ret, const char *environment,
                          const char *given)
{
    struct xr_daemon_address address;
    int r = environment ? xr_daemon_address_parse(&address, environment) : -EINVAL;

    if (r < 0)
        r = xr_daemon_address_parse(&address, given ? given : HERE);
    if (r >= 0)
        *ret = address.tcp;
    return r;
}

/* Of IPv6 addresses those with a zone, "fe80::1%eth0", need more than brackets. */
static void write_url(char ret[XR_POLLER_URL_SIZE], const struct xr_daemon_endpoint *daemon)
{
    bool brackets = strchr(daemon->host, ':');
    char *end = stpcpy(ret, brackets ? "http://[" : "http://");

    for (const char *c = daemon->host; *c; c++) {
        *end++ = *c;
        if (*c == '%') {
            *end++ = '2';
            *end++ = '5';
        }
    }
    end = stpcpy(end, brackets ? "]:" : ":");
    *xr_json_u64(end, daemon->port) = '\0';
}

int xr_sampler_central(xray_sampler *ret, const struct xr_daemon_endpoint *daemon,
                       const xray_transport *transport, const xray_sampler *fallback,
                       const struct xr_logger *logger)
{
    char client_id[XR_CLIENT_ID_LENGTH + 1];
    struct xr_poller *poller;
    int r = xr_sampler_check(ret);

    if (r < 0)
        return r;
    xr_library_enter();
    poller = xr_alloc_zero(sizeof(*poller));
    if (!poller)
        return -ENOMEM;
    poller->transport = *transport;
    poller->fallback = *fallback;
    poller->logger = *logger;
    write_url(poller->url, daemon);
    make_client_id(client_id);
    r = xr_central_new(&poller->central, client_id, &poller->logger);
    if (r < 0) {
        xr_free(poller, sizeof(*poller));
        return r;
    }
    xr_poller_begin(poller);
    xr_poller_enlist(poller);
    xr_sampler_fill(ret, &(xray_sampler){
                             .size = sizeof(*ret),
                             .data = poller,
                             .decide = decide,
                             .after_fork = after_fork,
                             .destroy = destroy,
                             .report = report,
                         });
    return 0;
}
