/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP by libcurl, as a hook. Each thread has a connection of its own, found by a
 * number under a thread-specific key: a pointer there could outlive what it points to
 * when a thread ends while the transport is destroyed.
 */
#include <xraytrace/curl.h>

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "connection.h"
#include "params.h"

enum {
    DEFAULT_TIMEOUT_MS = 10000,
    CONNECT_TIMEOUT_MS = 3000,
};

struct transport {
    pthread_key_t key; /* of this thread's lane, as a number */
};

/* One thread's connection for one transport. */
struct lane {
    struct lane *next;
    uintptr_t number; /* never used twice */
    const struct transport *transport;
    struct xr_curl_connection connection;
};

/* Of all transports. The lock is held for a walk along the list, never during an exchange. */
static pthread_mutex_t lanes_lock = PTHREAD_MUTEX_INITIALIZER;
static struct lane *lanes;
static uintptr_t last_number;

static void lock_lanes(void)
{
    pthread_mutex_lock(&lanes_lock);
}

static void unlock_lanes(void)
{
    pthread_mutex_unlock(&lanes_lock);
}

/* A fork while another thread walks along the list must not leave it locked in the child. */
static void guard_forks(void)
{
    pthread_atfork(lock_lanes, unlock_lanes, unlock_lanes);
}

/* ---- Lanes ------------------------------------------------------------------------------------
 */

static struct lane *find_lane(uintptr_t number)
{
    struct lane *lane;

    lock_lanes();
    for (lane = lanes; lane && lane->number != number; lane = lane->next)
        ;
    unlock_lanes();
    return lane;
}

static struct lane *new_lane(const struct transport *transport)
{
    struct lane *lane = calloc(1, sizeof(*lane));

    if (!lane)
        return NULL;
    lane->transport = transport;
    xr_curl_connection_init(&lane->connection);
    lock_lanes();
    lane->number = ++last_number;
    lane->next = lanes;
    lanes = lane;
    unlock_lanes();
    return lane;
}

/* Takes lanes off the list: the one of that number, or all of a transport. */
static struct lane *remove_lanes(uintptr_t number, const struct transport *transport)
{
    struct lane *removed = NULL;

    lock_lanes();
    for (struct lane **at = &lanes; *at;) {
        struct lane *lane = *at;

        if (lane->number == number || lane->transport == transport) {
            *at = lane->next;
            lane->next = removed;
            removed = lane;
        } else {
            at = &lane->next;
        }
    }
    unlock_lanes();
    return removed;
}

static void free_lanes(struct lane *lane)
{
    while (lane) {
        struct lane *next = lane->next;

        xr_curl_connection_close(&lane->connection);
        free(lane);
        lane = next;
    }
}

/* At a thread's end. A lane that went with its transport is not found any more. */
static void end_thread(void *number)
{
    free_lanes(remove_lanes((uintptr_t)number, NULL));
}

static struct lane *own_lane(struct transport *transport)
{
    uintptr_t number = (uintptr_t)pthread_getspecific(transport->key);
    struct lane *lane = number ? find_lane(number) : NULL;

    if (lane)
        return lane;
    lane = new_lane(transport);
    /* NOLINTNEXTLINE(performance-no-int-to-ptr): a key holds a number as well as a pointer */
    if (lane && pthread_setspecific(transport->key, (void *)lane->number) != 0) {
        free_lanes(remove_lanes(lane->number, NULL));
        lane = NULL;
    }
    return lane;
}

/* ---- The hook ---------------------------------------------------------------------------------
 */

static int exchange_by_curl(void *data, xray_http_exchange *exchange)
{
    struct lane *lane;
    struct xr_curl_call call = { .connect_timeout_ms = CONNECT_TIMEOUT_MS };
    int r;

    if (!exchange || exchange->size < sizeof(*exchange) || !exchange->url ||
        (exchange->body_length > 0 && !exchange->body))
        return -EINVAL;
    lane = own_lane(data);
    if (!lane)
        return -ENOMEM;
    call.method = exchange->method ? exchange->method : "GET";
    call.url = exchange->url;
    call.headers = exchange->headers;
    call.body = exchange->body;
    call.body_length = exchange->body_length;
    call.timeout_ms = exchange->timeout_ms > 0 ? exchange->timeout_ms : DEFAULT_TIMEOUT_MS;
    r = xr_curl_connection_call(&lane->connection, &call);
    if (r < 0)
        return r;
    exchange->status = call.status;
    exchange->reply = xr_curl_buffer_text(&lane->connection.body);
    exchange->reply_length = lane->connection.body.length;
    return 0;
}

/* The parent's connections are let go, without a word to their peers. */
static void forget_inherited(void *data)
{
    free_lanes(remove_lanes(0, data));
}

static void destroy(void *data)
{
    struct transport *transport = data;

    pthread_key_delete(transport->key);
    free_lanes(remove_lanes(0, transport));
    free(transport);
}

int xray_transport_curl(xray_transport *ret)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct transport *transport;
    xray_transport hook = {
        .size = sizeof(hook),
        .exchange = exchange_by_curl,
        .after_fork = forget_inherited,
        .destroy = destroy,
    };

    if (!ret || ret->size < sizeof(hook))
        return -EINVAL;
    pthread_once(&once, guard_forks);
    transport = calloc(1, sizeof(*transport));
    if (!transport)
        return -ENOMEM;
    if (pthread_key_create(&transport->key, end_thread) != 0) {
        free(transport);
        return -ENOMEM;
    }
    xr_curl_initialise();
    hook.data = transport;
    /* Members of a newer struct are hooks too, which must not be there by chance. */
    memset((char *)ret + sizeof(ret->size), 0, ret->size - sizeof(ret->size));
    xr_curl_params_write(ret, &hook, sizeof(hook));
    return 0;
}
