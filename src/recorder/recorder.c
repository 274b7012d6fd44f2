/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/env.h"
#include "base/hook.h"
#include "emit/emit.h"
#include "recorder/capture.h"
#include "recorder/constants.h"
#include "recorder/poller.h"
#include "recorder/settings.h"
#include "sampling/adaptive.h"
#include "sampling/rate.h"
#include "sampling/rules.h"
#include "sampling/rules_file.h"

static void complain_of_address(const xray_recorder *recorder, int error)
{
    xr_log(&recorder->logger, XR_LOG_WARNING, "AWS_XRAY_DAEMON_ADDRESS is ignored: %s",
           strerror(-error));
}

static int make_emitter(xray_recorder *recorder, const struct xr_settings *settings)
{
    xray_emitter *emitter = &recorder->emitter;
    int r;

    emitter->size = sizeof(*emitter);
    if (settings->environment_address) {
        r = xr_emitter_udp(emitter, settings->environment_address);
        if (r >= 0)
            return 0;
        complain_of_address(recorder, r);
    }
    r = xr_emitter_udp(emitter, settings->daemon_address);
    if (r < 0)
        xr_log(&recorder->logger, XR_LOG_ERROR, "nothing can be sent to the daemon address: %s",
               strerror(-r));
    return r;
}

/* A document begins with a brace, and a path hardly ever. */
static int make_sampler_of_rules(xray_recorder *recorder, const char *rules)
{
    const char *name = xr_env_name(XR_ENV_SAMPLING_RULES);
    const struct xr_rules_source source = { .logger = &recorder->logger, .name = name };
    int r;

    if (rules[strspn(rules, " \t\r\n")] == '{')
        r = xr_sampler_rules(&recorder->sampler, rules, &source);
    else
        r = xr_sampler_rules_file(&recorder->sampler, rules, &recorder->logger);
    if (r < 0)
        xr_log(&recorder->logger, XR_LOG_WARNING,
               "%s is ignored: it should be a sampling document, or the path of one (%s)", name,
               strerror(-r));
    return r;
}

static int make_sampler(xray_recorder *recorder, const struct xr_settings *settings)
{
    recorder->sampler.size = sizeof(recorder->sampler);
    /* Who is disabled opens no file. */
    if (settings->sampling_rules && !recorder->disabled) {
        int r = make_sampler_of_rules(recorder, settings->sampling_rules);

        if (r >= 0 || r == -ENOMEM)
            return r;
    }
    if (settings->sampling_fraction >= 0)
        return xr_sampler_rate(&recorder->sampler, 0, settings->sampling_fraction);
    return xr_sampler_rate(&recorder->sampler, XR_RATE_PER_SECOND_DEFAULT,
                           XR_RATE_FRACTION_DEFAULT);
}

/* It is taken over, though it is of no use here. */
static void drop_transport(const xray_transport *transport)
{
    struct xr_hook_call call = xr_hook_enter();

    if (transport->destroy)
        transport->destroy(transport->data);
    xr_hook_leave(call);
}

/* The sampler that there is decides until there are rules. */
static int add_central_rules(xray_recorder *recorder, const xray_recorder_params *params,
                             const struct xr_settings *settings)
{
    xray_transport transport;
    xray_sampler fallback = recorder->sampler;
    struct xr_daemon_address ignored;
    struct xr_daemon_endpoint daemon;
    int r = xr_hook_copy(&transport, params->central, sizeof(transport));

    if (r >= 0 && (recorder->disabled || settings->in_lambda)) {
        drop_transport(&transport);
        return 0;
    }
    /* An emitter of ours has said so. */
    if (r >= 0 && params->emitter && settings->environment_address &&
        xr_daemon_address_parse(&ignored, settings->environment_address) < 0)
        complain_of_address(recorder, -EINVAL);
    if (r >= 0)
        r = xr_poller_find_daemon(&daemon, settings->environment_address, settings->daemon_address);
    if (r >= 0)
        r = xr_sampler_central(&recorder->sampler, &daemon, &transport, &fallback,
                               &recorder->logger);
    if (r < 0)
        xr_log(&recorder->logger, XR_LOG_ERROR,
               "central sampling cannot be had from the daemon address: %s", strerror(-r));
    return r;
}

static enum xr_decides decides(const xray_recorder *recorder)
{
    /* The short ways are for what is not recorded. */
    if (recorder->capture && xr_sampler_rate_kind(&recorder->sampler) != XR_RATE_ALWAYS)
        return XR_ASKS;
    switch (xr_sampler_rate_kind(&recorder->sampler)) {
    case XR_RATE_NEVER:
        return XR_DECIDES_NO;
    case XR_RATE_ALWAYS:
        return XR_DECIDES_YES;
    case XR_RATE_QUOTA:
        /* With a clock of the user's own it has to be asked with the time. */
        return recorder->clock.now_ns ? XR_ASKS : XR_DECIDES_BY_QUOTA;
    default:
        return XR_ASKS;
    }
}

/* The SDKs' sign for Lambda that one of them is there. */
static void touch_lambda_sign(void)
{
    int fd;

    (void)mkdir("/tmp/.aws-xray", 0755);
    fd = open("/tmp/.aws-xray/initialized", O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0)
        return;
    (void)futimens(fd, NULL);
    close(fd);
}

static void destroy_hooks(xray_recorder *recorder)
{
    struct xr_hook_call call = xr_hook_enter();

    if (recorder->emitter.destroy)
        recorder->emitter.destroy(recorder->emitter.data);
    if (recorder->sampler.destroy)
        recorder->sampler.destroy(recorder->sampler.data);
    xr_hook_leave(call);
}

/* Says why there is no recorder, and what to do about it. */
static int refuse(const struct xr_logger *logger, int error)
{
    xr_log(logger, XR_LOG_ERROR, "no recorder was made: %s",
           error == -EINVAL  ? "its params have a size of 0, a hook without its function, or a "
                               "value out of range; zero means the default"
           : error == -E2BIG ? "its params have members which this library does not know; zero "
                               "them, or install a newer one"
                             : strerror(-error));
    return error;
}

/* Copies the hooks that are given, and says which of the library's own are wanted. */
static int copy_hooks(xray_recorder *recorder, const xray_recorder_params *params)
{
    xray_transport central;
    int r = 0;

    if (params->emitter)
        r = xr_hook_copy(&recorder->emitter, params->emitter, sizeof(recorder->emitter));
    if (r >= 0 && params->sampler)
        r = xr_hook_copy(&recorder->sampler, params->sampler, sizeof(recorder->sampler));
    if (r >= 0 && params->clock)
        r = xr_hook_copy(&recorder->clock, params->clock, sizeof(recorder->clock));
    if (r >= 0 && params->central)
        r = xr_hook_copy(&central, params->central, sizeof(central));
    if (r < 0)
        return r;
    if ((params->emitter && !recorder->emitter.emit) ||
        (params->sampler && !recorder->sampler.decide) ||
        (params->clock && !recorder->clock.now_ns) || (params->central && !central.exchange))
        return -EINVAL;
    return 0;
}

/* What it says is to be captured is, within its own budget unless there is another. */
static void read_adaptive(xray_recorder *recorder, struct xr_settings *settings)
{
    char reason[XR_ADAPTIVE_REASON_SIZE];
    int r;

    if (!settings->adaptive_config || settings->disabled)
        return;
    r = xr_adaptive_read(&recorder->adaptive, settings->adaptive_config, reason, sizeof(reason));
    if (r < 0) {
        xr_log(&recorder->logger, XR_LOG_WARNING,
               "AWS_XRAY_ADAPTIVE_SAMPLING_CONFIG is ignored: %s",
               r == -ENOMEM ? strerror(ENOMEM) : reason);
        return;
    }
    if (settings->captures || settings->in_lambda)
        return;
    settings->captures = true;
    settings->capture_traces_per_second = xr_adaptive_traces_per_second(recorder->adaptive);
}

static int fill_in(xray_recorder *recorder, const xray_recorder_params *params)
{
    struct xr_settings settings;
    bool changed = false;
    int r = copy_hooks(recorder, params);

    if (r >= 0)
        r = xr_settings_read(&settings, params);
    if (r < 0)
        return refuse(&recorder->logger, r);
    recorder->disabled = settings.disabled;
    recorder->collects_queries = settings.collects_queries;
    recorder->makes_no_ids = settings.makes_no_ids;
    recorder->passes_rule = settings.passes_rule;
    recorder->context_missing = settings.context_missing;
    recorder->stream_bytes = settings.stream_bytes;
    recorder->logger = settings.logger;
    recorder->service_length = (uint16_t)xr_name_write(recorder->service, settings.service,
                                                       &changed);
    read_adaptive(recorder, &settings);
    r = xr_constants_write(recorder, &settings);
    if (r >= 0)
        r = xr_capture_new(&recorder->capture, &settings);
    if (r < 0)
        return r;
    if (!params->sampler)
        r = make_sampler(recorder, &settings);
    /* Who is disabled resolves no names and opens no socket. */
    if (r >= 0 && !params->emitter && !recorder->disabled)
        r = make_emitter(recorder, &settings);
    if (r >= 0 && params->central)
        r = add_central_rules(recorder, params, &settings);
    /* Who is disabled begins nothing, and who asks finds out. */
    if (r >= 0 && !recorder->disabled)
        recorder->decides = decides(recorder);
    if (r < 0 && !params->sampler && recorder->sampler.destroy)
        recorder->sampler.destroy(recorder->sampler.data);
    if (r < 0 && !params->emitter && recorder->emitter.destroy)
        recorder->emitter.destroy(recorder->emitter.data);
    if (r >= 0 && settings.in_lambda)
        touch_lambda_sign();
    return r;
}

int xr_recorder_new(xray_recorder **ret, const xray_recorder_params *params)
{
    xray_recorder_params copy = { .size = sizeof(copy) };
    struct xr_logger heard = xr_log_stderr;
    xray_logger logger;
    xray_recorder *recorder;
    int r = 0;

    if (params)
        r = xr_hook_copy(&copy, params, sizeof(copy));
    if (r >= 0 && copy.logger) {
        r = xr_hook_copy(&logger, copy.logger, sizeof(logger));
        if (r >= 0 && !logger.log)
            r = -EINVAL;
        else if (r >= 0)
            heard = (struct xr_logger){ logger.data, logger.level, logger.log };
        copy.logger = &logger;
    }
    if (r < 0)
        return refuse(&heard, r);
    recorder = xr_alloc_zero(sizeof(*recorder));
    if (!recorder)
        return refuse(&heard, -ENOMEM);
    recorder->logger = heard;
    atomic_store(&recorder->fork_generation, xr_fork_generation);
    atomic_store(&recorder->fork_prepared, xr_fork_generation);
    r = fill_in(recorder, &copy);
    if (r < 0) {
        xr_capture_free(recorder->capture);
        xr_adaptive_free(recorder->adaptive);
        xr_free(recorder->text, recorder->text_bytes);
        xr_free(recorder, sizeof(*recorder));
        return r;
    }
    xr_counters_begin(&recorder->counters);
    *ret = recorder;
    return 0;
}

xray_recorder *xr_recorder_new_disabled(void)
{
    xray_recorder *recorder = xr_alloc_zero(sizeof(*recorder));

    if (!recorder)
        return NULL;
    recorder->disabled = true;
    recorder->logger = xr_log_stderr;
    xr_counters_begin(&recorder->counters);
    return recorder;
}

void xr_recorder_free(xray_recorder *recorder)
{
    if (!recorder || recorder->is_librarys_own)
        return;
    xr_recorder_check_fork(recorder);
    destroy_hooks(recorder);
    xr_counters_end(&recorder->counters);
    xr_capture_free(recorder->capture);
    xr_adaptive_free(recorder->adaptive);
    xr_free(recorder->text, recorder->text_bytes);
    xr_free(recorder, sizeof(*recorder));
}

bool xr_recorder_may_complain(xray_recorder *recorder, enum xr_complaint complaint)
{
    return xr_log_due(&recorder->complained_ns[complaint]);
}

int64_t xr_recorder_ask_clock(const xray_recorder *recorder)
{
    int64_t now_ns = 0;

    if (__builtin_expect(recorder->clock.now_ns != NULL, 0)) {
        struct xr_hook_call call = xr_hook_enter();

        now_ns = recorder->clock.now_ns(recorder->clock.data);
        xr_hook_leave(call);
    }
    return now_ns;
}
