/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/capture.h"

#include <errno.h>
#include <pthread.h>

#include <xraytrace/describe.h>

#include "base/alloc.h"
#include "model/attributes.h"
#include "sampling/budget.h"

struct xr_capture {
    uint32_t marks; /* XRAY_FAULT… */
    bool across;
    int64_t slower_than_ns;
    pthread_mutex_t lock;
    struct xr_budget budget;
};

int xr_capture_new(struct xr_capture **ret, const struct xr_settings *settings)
{
    struct xr_capture *capture;

    *ret = NULL;
    if (!settings->captures)
        return 0;
    capture = xr_alloc_zero(sizeof(*capture));
    if (!capture)
        return -ENOMEM;
    capture->marks = settings->capture_marks;
    capture->across = settings->capture_across;
    capture->slower_than_ns = settings->capture_slower_than_ns;
    pthread_mutex_init(&capture->lock, NULL);
    xr_budget_init(&capture->budget, settings->capture_traces_per_second,
                   settings->capture_bytes_per_second);
    *ret = capture;
    return 0;
}

void xr_capture_free(struct xr_capture *capture)
{
    if (!capture)
        return;
    pthread_mutex_destroy(&capture->lock);
    xr_free(capture, sizeof(*capture));
}

void xr_capture_after_fork(struct xr_capture *capture)
{
    if (capture)
        pthread_mutex_init(&capture->lock, NULL);
}

bool xr_capture_goes_across(const struct xr_capture *capture)
{
    return capture && capture->across;
}

bool xr_capture_wants(const struct xr_capture *capture, const struct xr_segment *segment,
                      int64_t end_ns)
{
    if (!capture)
        return false;
    if ((segment->state & XR_WORTH_KEEPING) || (segment->marks & capture->marks))
        return true;
    return capture->slower_than_ns > 0 && end_ns - segment->start_ns >= capture->slower_than_ns;
}

/* FNV-1a. */
static uint32_t add(uint32_t hash, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)bytes[i]) * 16777619;
    return hash;
}

uint32_t xr_capture_kind(const struct xr_segment *segment)
{
    uint32_t hash = add(2166136261, segment->text, segment->name_length);
    struct xr_key type, frame;

    hash = add(hash, (const char *)&segment->marks, sizeof(segment->marks));
    hash = add(hash, (const char *)&segment->kind, sizeof(segment->kind));
    if (xr_attributes_first_exception(segment, &type, &frame)) {
        hash = add(hash, type.text, type.length);
        hash = add(hash, frame.text, frame.length);
    }
    return hash | 1;
}

bool xr_capture_admits(struct xr_capture *capture, uint32_t kind, int64_t now_ns)
{
    bool admits;

    pthread_mutex_lock(&capture->lock);
    admits = xr_budget_take(&capture->budget, kind, now_ns);
    pthread_mutex_unlock(&capture->lock);
    return admits;
}

void xr_capture_spend(struct xr_capture *capture, size_t bytes)
{
    pthread_mutex_lock(&capture->lock);
    xr_budget_spend_bytes(&capture->budget, bytes);
    pthread_mutex_unlock(&capture->lock);
}
