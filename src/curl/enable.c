/* SPDX-License-Identifier: Apache-2.0 */
/* Central sampling in one line. */
#include <xraytrace/curl.h>

#include <errno.h>
#include <pthread.h>

#include <xraytrace/recorder.h>

#include "log.h"

static int result;

static int make(xray_recorder **ret)
{
    xray_transport transport = { .size = sizeof(transport) };
    int r = xray_transport_curl(&transport);

    if (r < 0)
        return r;
    r = xray_recorder_new(ret, xray_recorder_params(.central = &transport));
    if (r < 0)
        transport.destroy(transport.data);
    return r;
}

static void enable(void)
{
    xray_recorder *recorder;

    result = make(&recorder);
    if (result < 0)
        return;
    result = xray_recorder_give_default(recorder);
    if (result == 0)
        return;
    xr_curl_log_error("xray_curl_enable: the default recorder is in use already; call it before "
                      "anything is recorded, and before xray_recorder_set_default()");
    xray_recorder_free(recorder);
}

/* A child of a fork in the middle of it begins it anew, which no lock of ours could. */
int xray_curl_enable(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, enable);
    return result;
}
