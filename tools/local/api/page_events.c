/* SPDX-License-Identifier: Apache-2.0 */
/* Tells who listens that traces have come or changed, as server-sent events. The store
   wakes the streams after changes; each knows the last change that it has told of. */
#include "local/api/page_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CHANGED_MAX     100u
#define COMMENT_SECONDS 15

struct listener {
    struct store *store;
    uint64_t changes; /* the last number told */
    uint64_t traces;  /* how many there were: a clearing is a change too */
    time_t spoke;     /* monotonic */
    bool begun;
    struct buffer text; /* not yet sent, from `sent` */
    size_t sent;
};

static time_t monotonic_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

/* Adds an event if there is something to tell. */
static void tell(struct listener *listener)
{
    struct trace_id ids[CHANGED_MAX];
    struct store_counts counts;
    uint64_t changes = listener->changes;
    store_count(listener->store, &counts);
    if (listener->begun && counts.changes == listener->changes && counts.traces == listener->traces)
        return;
    size_t count = store_changed(listener->store, listener->changes, ids, CHANGED_MAX, &changes);
    /* Who begins to listen asks for the traces anyway. */
    if (!listener->begun)
        count = 0;
    buffer_printf(&listener->text,
                  "event: traces\ndata: {\"changes\":%" PRIu64 ",\"traces\":%" PRIu64
                  ",\"documents\":%" PRIu64 ",\"changed\":[",
                  changes, counts.traces, counts.documents);
    for (size_t i = 0; i < count; i++) {
        char id[TRACE_ID_LENGTH + 1];
        trace_id_format(&ids[i], id);
        buffer_printf(&listener->text, "%s\"%s\"", i ? "," : "", id);
    }
    buffer_puts(&listener->text, "]}\n\n");
    listener->begun = true;
    listener->changes = changes;
    listener->traces = counts.traces;
}

static ssize_t read_events(void *data, char *buffer, size_t size)
{
    struct listener *listener = data;
    time_t now = monotonic_seconds();
    if (listener->sent == listener->text.length) {
        buffer_free(&listener->text);
        listener->text = (struct buffer){ 0 };
        listener->sent = 0;
        tell(listener);
        if (!listener->text.length && now - listener->spoke >= COMMENT_SECONDS)
            buffer_puts(&listener->text, ": nothing new\n\n");
        if (listener->text.failed)
            return -1;
        if (!listener->text.length)
            return 0;
        listener->spoke = now;
    }
    size_t length = listener->text.length - listener->sent;
    if (length > size)
        length = size;
    memcpy(buffer, listener->text.text + listener->sent, length);
    listener->sent += length;
    return (ssize_t)length;
}

static void close_events(void *data)
{
    struct listener *listener = data;
    buffer_free(&listener->text);
    free(listener);
}

void page_events(const struct page_call *call)
{
    struct listener *listener = calloc(1, sizeof *listener);
    if (!listener) {
        api_reply(call->reply, NULL);
        return;
    }
    listener->store = call->api->store;
    listener->spoke = monotonic_seconds();
    *call->reply = (struct http_reply){
        .status = 200,
        .content_type = "text/event-stream",
        .stream = { read_events, close_events, listener },
    };
}
