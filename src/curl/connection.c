/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One kept connection of libcurl. Sockets are counted as they open and close, so
 * that a forked child can let go of the parent's without writing to them.
 */
#include "connection.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <xraytrace/version.h>

#include "url.h"

#define TEXT_OF(number)              #number
#define VERSION(major, minor, patch) TEXT_OF(major) "." TEXT_OF(minor) "." TEXT_OF(patch)
#define USER_AGENT \
    "libxraytrace-curl/" VERSION(XRAY_VERSION_MAJOR, XRAY_VERSION_MINOR, XRAY_VERSION_PATCH)

enum {
    REQUEST_HEADERS = 128, /* more than any service takes */
};

/* ---- Sockets ------------------------------------------------------------------- */

static curl_socket_t open_socket(void *data, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct xr_curl_connection *connection = data;
    int fd;

    (void)purpose;
    if (connection->socket_count == XR_CURL_SOCKETS)
        return CURL_SOCKET_BAD;
    fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (fd < 0)
        return CURL_SOCKET_BAD;
    connection->sockets[connection->socket_count++] = fd;
    return fd;
}

static int close_socket(void *data, curl_socket_t fd)
{
    struct xr_curl_connection *connection = data;

    for (size_t i = 0; i < connection->socket_count; i++) {
        if (connection->sockets[i] == fd) {
            connection->sockets[i] = connection->sockets[--connection->socket_count];
            break;
        }
    }
    return close(fd);
}

/*
 * What a child inherited: each socket becomes /dev/null, so that closing the
 * handle sends no TLS alert in the middle of the parent's stream.
 */
static void disown_sockets(struct xr_curl_connection *connection)
{
    int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);

    for (size_t i = 0; nowhere >= 0 && i < connection->socket_count; i++)
        dup3(nowhere, connection->sockets[i], O_CLOEXEC);
    if (nowhere >= 0)
        close(nowhere);
}

/* ---- Life ------------------------------------------------------------------------ */

static void initialise_libcurl(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

void xr_curl_initialise(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, initialise_libcurl);
}

void xr_curl_connection_init(struct xr_curl_connection *connection)
{
    *connection = (struct xr_curl_connection){
        .body.limit = XR_CURL_REPLY_LIMIT,
        .headers.limit = XR_CURL_HEADERS_LIMIT,
    };
}

/* In a child: a thread that does not exist here was using it, so its memory cannot be walked. */
static bool is_abandoned(const struct xr_curl_connection *connection)
{
    return connection->busy && connection->owner != getpid();
}

static void close_handle(struct xr_curl_connection *connection)
{
    if (!connection->easy)
        return;
    if (connection->owner != getpid())
        disown_sockets(connection);
    curl_easy_cleanup(connection->easy);
    connection->easy = NULL;
    connection->socket_count = 0;
}

static void abandon(struct xr_curl_connection *connection)
{
    for (size_t i = 0; i < connection->socket_count; i++)
        close(connection->sockets[i]);
    xr_curl_connection_init(connection);
}

void xr_curl_connection_close(struct xr_curl_connection *connection)
{
    if (is_abandoned(connection)) {
        abandon(connection);
        return;
    }
    close_handle(connection);
    xr_curl_buffer_free(&connection->body);
    xr_curl_buffer_free(&connection->headers);
}

void xr_curl_connection_reset(struct xr_curl_connection *connection)
{
    if (connection->easy && connection->owner != getpid())
        xr_curl_connection_close(connection);
    xr_curl_buffer_reset(&connection->body);
    xr_curl_buffer_reset(&connection->headers);
}

static int open_handle(struct xr_curl_connection *connection)
{
    if (connection->easy)
        return 0;
    xr_curl_initialise();
    connection->easy = curl_easy_init();
    connection->owner = getpid();
    return connection->easy ? 0 : -ENOMEM;
}

/* ---- Reply ------------------------------------------------------------------------- */

static size_t take_body(char *data, size_t one, size_t length, void *user)
{
    struct xr_curl_connection *connection = user;

    (void)one;
    xr_curl_buffer_add(&connection->body, data, length);
    return connection->body.error ? 0 : length;
}

static size_t take_header(char *line, size_t one, size_t length, void *user)
{
    struct xr_curl_connection *connection = user;
    struct xr_curl_buffer *headers = &connection->headers;
    const char *colon = memchr(line, ':', length);
    const char *value, *end = line + length;

    (void)one;
    /* Each reply of an exchange begins anew: only the last one counts, not a 100 before it. */
    if (length >= 5 && strncasecmp(line, "HTTP/", 5) == 0) {
        xr_curl_buffer_reset(headers);
        return length;
    }
    /* A NUL would be read as the end of a name or a value; a folded line has no name. */
    if (!colon || memchr(line, '\0', length) || line[0] == ' ' || line[0] == '\t')
        return length;
    value = colon + 1;
    while (value < end && (*value == ' ' || *value == '\t'))
        value++;
    while (end > value && strchr(" \t\r\n", end[-1]))
        end--;
    xr_curl_buffer_add(headers, line, (size_t)(colon - line));
    xr_curl_buffer_add(headers, "", 1);
    xr_curl_buffer_add(headers, value, (size_t)(end - value));
    xr_curl_buffer_add(headers, "", 1);
    return headers->error ? 0 : length;
}

const char *xr_curl_connection_header(const struct xr_curl_connection *connection, const char *name)
{
    const char *at = xr_curl_buffer_text(&connection->headers);
    const char *end = at + connection->headers.length;

    while (at < end) {
        const char *value = at + strlen(at) + 1;

        if (strcasecmp(at, name) == 0)
            return value;
        at = value + strlen(value) + 1;
    }
    return NULL;
}

/* ---- Request ----------------------------------------------------------------------- */

static int append(struct curl_slist **list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*list, line);

    if (!longer)
        return -ENOMEM;
    *list = longer;
    return 0;
}

static bool has_header(const char *const *headers, const char *name)
{
    size_t length = strlen(name);

    for (size_t i = 0; headers && headers[i]; i++)
        if (strncasecmp(headers[i], name, length) == 0 && headers[i][length] == ':')
            return true;
    return false;
}

/* "Name:" in libcurl's words means "do not send it": an empty value is "Name;". */
static int append_header(struct curl_slist **list, const char *line)
{
    const char *colon = strchr(line, ':');
    char name[128];
    size_t length;

    if (strpbrk(line, "\r\n") || !colon || colon == line)
        return -EINVAL;
    if (colon[1 + strspn(colon + 1, " \t")])
        return append(list, line);
    length = (size_t)(colon - line);
    if (length > sizeof(name) - 2)
        return -EINVAL;
    memcpy(name, line, length);
    memcpy(name + length, ";", 2);
    return append(list, name);
}

/* Our headers, without those that libcurl would add and a signature would not cover. */
static int make_headers(struct curl_slist **list, const char *const *headers)
{
    int r = 0;

    for (size_t i = 0; r == 0 && headers && headers[i]; i++)
        r = i < REQUEST_HEADERS ? append_header(list, headers[i]) : -EINVAL;
    if (r == 0 && !has_header(headers, "Content-Type"))
        r = append(list, "Content-Type:");
    if (r == 0 && !has_header(headers, "Expect"))
        r = append(list, "Expect:");
    return r;
}

static void set_method(CURL *easy, const struct xr_curl_call *call)
{
    bool carries = call->body_length > 0 || strcmp(call->method, "POST") == 0 ||
                   strcmp(call->method, "PUT") == 0 || strcmp(call->method, "PATCH") == 0;

    if (carries) {
        curl_easy_setopt(easy, CURLOPT_POST, 1L);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body_length);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, call->body_length > 0 ? call->body : "");
    } else if (strcmp(call->method, "HEAD") == 0) {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
        return;
    }
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, call->method);
}

static void set_limits(CURL *easy, const struct xr_curl_call *call)
{
    char host[XR_CURL_HOST_SIZE];

    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS);
#endif
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, USER_AGENT);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)call->timeout_ms);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)call->connect_timeout_ms);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_MAXCONNECTS, 2L);
    if (xr_curl_url_host(call->url, host, sizeof(host)) && xr_curl_host_is_loopback(host))
        curl_easy_setopt(easy, CURLOPT_PROXY, "");
}

static void set_hooks(struct xr_curl_connection *connection)
{
    CURL *easy = connection->easy;

    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, connection);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, connection);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, connection);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, connection);
}

static int outcome(const struct xr_curl_connection *connection, CURLcode result)
{
    if (connection->body.error)
        return connection->body.error;
    if (connection->headers.error)
        return connection->headers.error;
    switch (result) {
    case CURLE_OK:
        return 0;
    case CURLE_OPERATION_TIMEDOUT:
        return -ETIMEDOUT;
    case CURLE_COULDNT_CONNECT:
        return -ECONNREFUSED;
    case CURLE_OUT_OF_MEMORY:
        return -ENOMEM;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
        return -EINVAL;
    default:
        return -EIO;
    }
}

static void read_result(CURL *easy, struct xr_curl_call *call)
{
    curl_off_t length = -1;
    long status = 0;

    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    call->status = (int32_t)status;
    call->content_length = length;
}

struct held_signal {
    sigset_t sigpipe;
    sigset_t before;
    bool was_pending;
};

/*
 * A TLS library may write to a connection that the peer has closed. Without
 * signal handlers of libcurl's that would end the process, so the signal is held
 * back on this thread for the call, and one that arose in it is taken away.
 */
static void hold_sigpipe(struct held_signal *ret)
{
    sigset_t pending;

    sigemptyset(&ret->sigpipe);
    sigaddset(&ret->sigpipe, SIGPIPE);
    ret->was_pending = sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &ret->sigpipe, &ret->before);
}

static void release_sigpipe(const struct held_signal *held)
{
    static const struct timespec AT_ONCE = { 0 };

    while (!held->was_pending && sigtimedwait(&held->sigpipe, NULL, &AT_ONCE) < 0 && errno == EINTR)
        ;
    pthread_sigmask(SIG_SETMASK, &held->before, NULL);
}

int xr_curl_connection_call(struct xr_curl_connection *connection, struct xr_curl_call *call)
{
    struct curl_slist *headers = NULL;
    struct held_signal held;
    int r;

    call->result = CURLE_OK;
    call->status = 0;
    call->content_length = -1;
    xr_curl_connection_reset(connection);
    r = open_handle(connection);
    if (r < 0)
        return r;
    r = make_headers(&headers, call->headers);
    if (r < 0)
        goto finish;

    curl_easy_reset(connection->easy); /* keeps its connections */
    set_hooks(connection);
    set_limits(connection->easy, call);
    set_method(connection->easy, call);
    curl_easy_setopt(connection->easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(connection->easy, CURLOPT_URL, call->url);
    hold_sigpipe(&held);
    connection->busy = 1;
    call->result = curl_easy_perform(connection->easy);
    connection->busy = 0;
    release_sigpipe(&held);
    read_result(connection->easy, call);
    r = outcome(connection, call->result);
    /* The list goes before the handle's next use. */
    curl_easy_setopt(connection->easy, CURLOPT_HTTPHEADER, NULL);

finish:
    curl_slist_free_all(headers);
    return r;
}
