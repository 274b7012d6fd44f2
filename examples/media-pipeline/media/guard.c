/* SPDX-License-Identifier: Apache-2.0 */
#include "media/guard.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/rand.h>

#include "media/guard_address.h"
#include "media/guard_relay.h"
#include "media/guard_request.h"
#include "runtime/clock.h"

#define USER         "guard"
#define SECRET_BYTES 16

/* yt-dlp has one connection or two, and four for fragments. */
#define MAX_CONNECTIONS 32
#define HEAD_TIMEOUT_MS ((int64_t)10000)
#define IDLE_TIMEOUT_MS ((int64_t)60000)

/* For all addresses of a name together. */
#define CONNECT_TIMEOUT_MS ((int64_t)15000)

/* For the rest of a request that was refused: closed too early, the answer would be lost. */
#define LINGER_MS       ((int64_t)500)
#define MAX_LINGER_READ 64

/* A resolver cannot be interrupted: a connection that waits for one is left to itself. */
#define STOP_TIMEOUT_MS ((int64_t)500)

#define STACK_BYTES ((size_t)512 * 1024)

struct guard {
    struct guard_params params;
    char *media_hosts;
    int listener;
    int stop_event; /* readable: stop */
    pthread_t thread;
    char url[96];
    char authorization[128];
    pthread_mutex_t lock; /* for what follows */
    pthread_cond_t changed;
    int connections;
    int references; /* the owner's, and one for each connection */
    char refusal[512];
};

struct connection {
    struct guard *guard;
    int client;
};

static void release(struct guard *guard)
{
    pthread_mutex_lock(&guard->lock);
    bool is_last = --guard->references == 0;
    pthread_mutex_unlock(&guard->lock);
    if (!is_last)
        return;
    if (guard->listener >= 0)
        close(guard->listener);
    if (guard->stop_event >= 0)
        close(guard->stop_event);
    pthread_cond_destroy(&guard->changed);
    pthread_mutex_destroy(&guard->lock);
    OPENSSL_cleanse(guard->url, sizeof(guard->url));
    OPENSSL_cleanse(guard->authorization, sizeof(guard->authorization));
    free(guard->media_hosts);
    free(guard);
}

/* ---- Where to ------------------------------------------------------------------------------ */

static int resolve(void *data, const char *host, int port, struct guard_address *ret)
{
    (void)data;
    char name[SOURCE_HOST_SIZE], service[8];
    struct addrinfo *found, hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV };
    size_t length = strlen(host);
    bool has_brackets = host[0] == '[';
    snprintf(name, sizeof(name), "%.*s", (int)(has_brackets ? length - 2 : length),
             host + has_brackets);
    snprintf(service, sizeof(service), "%d", port);
    int result = getaddrinfo(name, service, &hints, &found);
    if (result)
        return result < 0 ? result : -result;
    int count = 0;
    for (struct addrinfo *info = found; info && count < GUARD_MAX_ADDRESSES; info = info->ai_next) {
        memcpy(&ret[count].address, info->ai_addr, info->ai_addrlen);
        ret[count++].length = info->ai_addrlen;
    }
    freeaddrinfo(found);
    return count;
}

__attribute__((__format__(__printf__, 2, 3))) static void note_refusal(struct guard *guard,
                                                                       const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    pthread_mutex_lock(&guard->lock);
    if (!guard->refusal[0])
        vsnprintf(guard->refusal, sizeof(guard->refusal), format, arguments);
    pthread_mutex_unlock(&guard->lock);
    va_end(arguments);
}

/* One that is ours among many is enough: a name for both is no name of the Internet. */
static bool may_connect(struct guard *guard, const struct guard_request *request,
                        const struct guard_address *addresses, int count)
{
    char text[INET6_ADDRSTRLEN];
    if (source_is_media_host(request->host, request->port, guard->media_hosts))
        return true;
    for (int i = 0; i < count; i++) {
        const struct sockaddr *address = (const struct sockaddr *)&addresses[i].address;
        const char *kind = guard_address_kind(address);
        if (!kind)
            continue;
        guard_address_format(address, text);
        note_refusal(guard,
                     "host %s resolves to %s, which is %s: add %s:%d to MEDIA_HOSTS if you trust "
                     "it",
                     request->host, text, kind, request->host, request->port);
        return false;
    }
    if (request->port == 80 || request->port == 443)
        return true;
    note_refusal(guard,
                 "port %d of host %s is neither 80 nor 443: add %s:%d to MEDIA_HOSTS if you trust "
                 "it",
                 request->port, request->host, request->host, request->port);
    return false;
}

/* A socket, or -errno. */
static int connect_to(const struct guard *guard, const struct guard_address *to,
                      int64_t deadline_ms)
{
    int error = 0, one = 1;
    socklen_t size = sizeof(error);
    int origin = socket(to->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (origin < 0)
        return -errno;
    setsockopt(origin, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (connect(origin, (const struct sockaddr *)&to->address, to->length) == 0)
        return origin;
    if (errno != EINPROGRESS)
        error = errno;
    else if (!guard_wait(origin, POLLOUT, guard->stop_event, deadline_ms))
        error = ETIMEDOUT;
    else if (getsockopt(origin, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
        error = errno;
    if (!error)
        return origin;
    close(origin);
    return -error;
}

/* A socket, or minus the status of the answer with its reason. Names are resolved here alone. */
static int open_origin(struct guard *guard, const struct guard_request *request, char *ret_reason,
                       size_t size)
{
    struct guard_address addresses[GUARD_MAX_ADDRESSES];
    int count = guard->params.resolver(guard->params.data, request->host, request->port, addresses);
    if (count <= 0) {
        snprintf(ret_reason, size, "%s cannot be resolved: %s", request->host,
                 count ? gai_strerror(count) : "it has no address");
        return -502;
    }
    if (!may_connect(guard, request, addresses, count)) {
        snprintf(ret_reason, size, "%s is not allowed by MEDIA_HOSTS", request->host);
        return -403;
    }
    int64_t deadline_ms = clock_now_ms() + CONNECT_TIMEOUT_MS;
    int result = 0;
    for (int i = 0; i < count; i++) {
        result = connect_to(guard, &addresses[i], deadline_ms);
        if (result >= 0)
            return result;
    }
    snprintf(ret_reason, size, "cannot connect to %s: %s", request->host, strerror(-result));
    return result == -ETIMEDOUT ? -504 : -502;
}

/* ---- A connection ---------------------------------------------------------------------------- */

static void answer(const struct guard *guard, int client, int status, const char *reason)
{
    char text[1024], rest[1024];
    int64_t deadline_ms = clock_now_ms() + LINGER_MS;
    int length = snprintf(
        text, sizeof(text), "HTTP/1.1 %d %s\r\n%sContent-Length: 0\r\nConnection: close\r\n\r\n",
        status, reason, status == 407 ? "Proxy-Authenticate: Basic realm=\"" USER "\"\r\n" : "");
    if (length < 0 || (size_t)length >= sizeof(text) ||
        !guard_send(client, text, (size_t)length, guard->stop_event, deadline_ms))
        return;
    shutdown(client, SHUT_WR);
    for (int i = 0; i < MAX_LINGER_READ; i++)
        if (!guard_wait(client, POLLIN, guard->stop_event, deadline_ms) ||
            recv(client, rest, sizeof(rest), 0) <= 0)
            return;
}

/* Everything up to the empty line, and what came with it. 0, or the status of the answer. */
static int receive_head(const struct guard *guard, int client, char *buffer, size_t *ret_head,
                        size_t *ret_length)
{
    int64_t deadline_ms = clock_now_ms() + guard->params.head_timeout_ms;
    size_t length = 0;
    while (length < GUARD_MAX_HEAD_BYTES) {
        if (!guard_wait(client, POLLIN, guard->stop_event, deadline_ms))
            return 408;
        ssize_t count = recv(client, buffer + length, GUARD_MAX_HEAD_BYTES - length, 0);
        if (count < 0 && (errno == EAGAIN || errno == EINTR))
            continue;
        if (count <= 0)
            return -1;
        size_t searched = length > 3 ? length - 3 : 0;
        length += (size_t)count;
        const char *end = memmem(buffer + searched, length - searched, "\r\n\r\n", 4);
        if (end) {
            *ret_head = (size_t)(end - buffer) + 4;
            *ret_length = length;
            return 0;
        }
    }
    return 431;
}

/* What came with the head, and then everything else. */
static void carry(struct guard *guard, int client, int origin, const struct guard_request *request,
                  const char *early, size_t early_length)
{
    static const char established[] = "HTTP/1.1 200 Connection established\r\n\r\n";
    int64_t deadline_ms = clock_now_ms() + guard->params.idle_timeout_ms;
    struct guard_relay relay = { client, origin, guard->stop_event, guard->params.idle_timeout_ms,
                                 -1,     false };
    if (request->is_tunnel) {
        if (!guard_send(client, established, strlen(established), guard->stop_event, deadline_ms))
            return;
    } else {
        if ((uint64_t)request->body_length < early_length)
            return;
        relay.request_bytes = request->body_length - (int64_t)early_length;
        relay.tells_end = true;
        if (!guard_send(origin, request->head.data, request->head.length, guard->stop_event,
                        deadline_ms))
            return;
    }
    if (guard_send(origin, early, early_length, guard->stop_event, deadline_ms))
        guard_relay_run(&relay);
}

static void serve(struct guard *guard, int client)
{
    char reason[512];
    const char *why = "the request is too slow or too large";
    size_t head_length = 0, length = 0;
    struct guard_request request = { 0 };
    char *buffer = malloc(GUARD_MAX_HEAD_BYTES);
    if (!buffer)
        return;
    int status = receive_head(guard, client, buffer, &head_length, &length);
    if (status == 0)
        status = guard_request_read(buffer, head_length, guard->authorization, &request, &why);
    if (status == 0) {
        int origin = open_origin(guard, &request, reason, sizeof(reason));
        if (origin >= 0) {
            carry(guard, client, origin, &request, buffer + head_length, length - head_length);
            close(origin);
        } else {
            status = -origin;
            why = reason;
        }
    }
    if (status > 0)
        answer(guard, client, status, why);
    text_release(&request.head);
    free(buffer);
}

static void *run_connection(void *data)
{
    struct connection connection = *(struct connection *)data;
    struct guard *guard = connection.guard;
    free(data);
    serve(guard, connection.client);
    close(connection.client);
    pthread_mutex_lock(&guard->lock);
    guard->connections--;
    pthread_cond_signal(&guard->changed);
    pthread_mutex_unlock(&guard->lock);
    release(guard);
    return NULL;
}

/* ---- All connections ---------------------------------------------------------------------------
 */

static bool take_place(struct guard *guard)
{
    pthread_mutex_lock(&guard->lock);
    bool has_room = guard->connections < guard->params.max_connections;
    if (has_room) {
        guard->connections++;
        guard->references++;
    }
    pthread_mutex_unlock(&guard->lock);
    return has_room;
}

static void give_place_back(struct guard *guard)
{
    pthread_mutex_lock(&guard->lock);
    guard->connections--;
    pthread_mutex_unlock(&guard->lock);
    release(guard);
}

static bool begin_thread(pthread_t *ret, bool is_detached, void *(*function)(void *), void *data)
{
    pthread_attr_t attributes;
    sigset_t all, before;
    /* Signals are for the thread that knows what to do. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    if (is_detached)
        pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    bool has_begun = pthread_create(ret, &attributes, function, data) == 0;
    pthread_attr_destroy(&attributes);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return has_begun;
}

static void begin_connection(struct guard *guard, int client)
{
    pthread_t thread;
    struct connection *connection = NULL;
    if (!take_place(guard)) {
        close(client);
        return;
    }
    connection = malloc(sizeof(*connection));
    if (connection)
        *connection = (struct connection){ guard, client };
    if (connection && begin_thread(&thread, true, run_connection, connection))
        return;
    free(connection);
    close(client);
    give_place_back(guard);
}

static void *run_listener(void *data)
{
    struct guard *guard = data;
    struct pollfd ready[] = { { .fd = guard->listener, .events = POLLIN },
                              { .fd = guard->stop_event, .events = POLLIN } };
    for (;;) {
        if (poll(ready, 2, -1) < 0 && errno != EINTR)
            return NULL;
        if (ready[1].revents)
            return NULL;
        int client = accept4(guard->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        int one = 1;
        if (client >= 0) {
            setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
            begin_connection(guard, client);
        } else if (errno == EMFILE || errno == ENFILE) {
            clock_sleep_ms(10);
        }
    }
}

static int listen_on_loopback(struct guard *guard, int *ret_port)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof(address);
    guard->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (guard->listener < 0 || bind(guard->listener, (struct sockaddr *)&address, length) < 0 ||
        listen(guard->listener, MAX_CONNECTIONS) < 0 ||
        getsockname(guard->listener, (struct sockaddr *)&address, &length) < 0)
        return -errno;
    guard->stop_event = eventfd(0, EFD_CLOEXEC);
    if (guard->stop_event < 0)
        return -errno;
    *ret_port = ntohs(address.sin_port);
    return 0;
}

static bool make_secret(struct guard *guard, int port)
{
    unsigned char random[SECRET_BYTES];
    char secret[2 * SECRET_BYTES + 1], plain[64], encoded[96];
    if (RAND_bytes(random, sizeof(random)) != 1)
        return false;
    for (size_t i = 0; i < sizeof(random); i++)
        snprintf(secret + 2 * i, 3, "%02x", random[i]);
    snprintf(guard->url, sizeof(guard->url), "http://" USER ":%s@127.0.0.1:%d", secret, port);
    int length = snprintf(plain, sizeof(plain), USER ":%s", secret);
    EVP_EncodeBlock((unsigned char *)encoded, (const unsigned char *)plain, length);
    snprintf(guard->authorization, sizeof(guard->authorization), "Basic %s", encoded);
    return true;
}

static void set_params(struct guard *guard, const struct guard_params *params)
{
    guard->params = *params;
    if (!guard->params.max_connections)
        guard->params.max_connections = MAX_CONNECTIONS;
    if (!guard->params.head_timeout_ms)
        guard->params.head_timeout_ms = HEAD_TIMEOUT_MS;
    if (!guard->params.idle_timeout_ms)
        guard->params.idle_timeout_ms = IDLE_TIMEOUT_MS;
    if (!guard->params.resolver)
        guard->params.resolver = resolve;
}

int guard_start(const struct guard_params *params, struct guard **ret, struct failure *failure)
{
    int port = 0;
    struct guard *guard = calloc(1, sizeof(*guard));
    if (!guard)
        return failure_set(failure, -ENOMEM, "OutOfMemory", "out of memory for the guard");
    pthread_mutex_init(&guard->lock, NULL);
    pthread_cond_init(&guard->changed, NULL);
    guard->references = 1;
    guard->listener = guard->stop_event = -1;
    set_params(guard, params);
    guard->media_hosts = strdup(params->media_hosts ? params->media_hosts : "");
    int result = guard->media_hosts ? listen_on_loopback(guard, &port) : -ENOMEM;
    if (result == 0 && !make_secret(guard, port))
        result = -EIO;
    if (result == 0 && !begin_thread(&guard->thread, false, run_listener, guard))
        result = -EAGAIN;
    if (result < 0) {
        release(guard);
        return failure_set(failure, result, "NoGuard", "cannot start the guard of yt-dlp: %s",
                           strerror(-result));
    }
    *ret = guard;
    return 0;
}

const char *guard_url(const struct guard *guard)
{
    return guard->url;
}

bool guard_take_refusal(struct guard *guard, char *ret, size_t size)
{
    pthread_mutex_lock(&guard->lock);
    bool has_refused = guard->refusal[0] != '\0';
    if (has_refused)
        snprintf(ret, size, "%s", guard->refusal);
    guard->refusal[0] = '\0';
    pthread_mutex_unlock(&guard->lock);
    return has_refused;
}

void guard_stop(struct guard *guard)
{
    uint64_t one = 1;
    struct timespec until;
    if (!guard)
        return;
    while (write(guard->stop_event, &one, sizeof(one)) < 0 && errno == EINTR)
        ;
    pthread_join(guard->thread, NULL);
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += STOP_TIMEOUT_MS * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&guard->lock);
    while (guard->connections > 0 &&
           pthread_cond_timedwait(&guard->changed, &guard->lock, &until) == 0)
        ;
    pthread_mutex_unlock(&guard->lock);
    release(guard);
}
