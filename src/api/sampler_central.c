/* SPDX-License-Identifier: Apache-2.0 */
/* xray_sampler_central(): what it is given, before it is made. */
#include <xraytrace/sampler.h>

#include <errno.h>
#include <string.h>

#include "base/env.h"
#include "base/hook.h"
#include "base/log.h"
#include "recorder/poller.h"
#include "sampling/rate.h"

/* As a recorder says it. */
static const char *address_of_environment(void)
{
    const char *address = xr_env_get(XR_ENV_DAEMON_ADDRESS);
    struct xr_daemon_address ignored;

    if (!address || xr_daemon_address_parse(&ignored, address) == 0)
        return address;
    xr_log(&xr_log_stderr, XR_LOG_WARNING, "%s is ignored: %s", xr_env_name(XR_ENV_DAEMON_ADDRESS),
           strerror(EINVAL));
    return NULL;
}

/* A fallback is copied, or made; *ret_made says which. */
static int take_fallback(xray_sampler *ret, const xray_sampler *given, bool *ret_made)
{
    int r;

    *ret_made = !given;
    if (!given) {
        ret->size = sizeof(*ret);
        return xr_sampler_rate(ret, XR_RATE_PER_SECOND_DEFAULT, XR_RATE_FRACTION_DEFAULT);
    }
    r = xr_hook_copy(ret, given, sizeof(*ret));
    return r >= 0 && !ret->decide ? -EINVAL : r;
}

static int take_transport(xray_transport *ret, const xray_transport *given)
{
    int r = given ? xr_hook_copy(ret, given, sizeof(*ret)) : -EINVAL;

    return r >= 0 && !ret->exchange ? -EINVAL : r;
}

static int make(xray_sampler *ret, const char *daemon_address, const xray_transport *transport,
                const xray_sampler *fallback)
{
    const char *environment = daemon_address ? NULL : address_of_environment();
    struct xr_daemon_endpoint daemon;
    xray_transport transport_copy;
    xray_sampler fallback_copy;
    bool made;
    int r = take_transport(&transport_copy, transport);

    if (r < 0)
        return r;
    r = xr_poller_find_daemon(&daemon, environment, daemon_address);
    if (r < 0)
        return r;
    r = take_fallback(&fallback_copy, fallback, &made);
    if (r < 0)
        return r;
    r = xr_sampler_central(ret, &daemon, &transport_copy, &fallback_copy, &xr_log_stderr);
    if (r < 0 && made && fallback_copy.destroy)
        fallback_copy.destroy(fallback_copy.data);
    return r;
}

int xray_sampler_central(xray_sampler *ret, const char *daemon_address,
                         const xray_transport *transport, const xray_sampler *fallback)
{
    int r = make(ret, daemon_address, transport, fallback);

    if (r == -EINVAL || r == -E2BIG)
        xr_log(&xr_log_stderr, XR_LOG_ERROR,
               "xray_sampler_central: give a sampler with its size set, a daemon address as "
               "xray_emitter_udp() takes it, a transport with exchange, and a fallback with "
               "decide, or none");
    return r;
}
