/* SPDX-License-Identifier: Apache-2.0 */
/* A web server that continues its callers' traces, on 127.0.0.1: server [PORT] */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xraytrace/xraytrace.h>

static void serve(int connection)
{
    char request[8192] = "", method[16] = "", path[256] = "", answer[512], trace[320];
    xray_trace_header header = { 0 };
    size_t length = 0;
    ssize_t got;

    while (length < sizeof(request) - 1 && !strstr(request, "\r\n\r\n") &&
           (got = read(connection, request + length, sizeof(request) - 1 - length)) > 0)
        length += (size_t)got;
    (void)sscanf(request, "%15s %255s", method, path);
    const char *line = strcasestr(request, "\r\n" XRAY_TRACE_HEADER_NAME ":");
    if (line && sscanf(line + 2, "%*[^:]: %319[^\r\n]", trace) == 1)
        (void)xray_trace_header_parse(&header, trace);

    xray_segment *segment = xray_start_segment(
        xray_recorder_default(), xray_segment_params(.name = "server", .header = &header,
                                                     .http_method = method, .url_path = path));
    xray_attach(segment);
    xray_segment *render = xray_begin_subsegment("render");
    int status = strcmp(path, "/") == 0 ? 200 : 404;
    xray_get_response_header(segment, &header);
    xray_trace_header_format(&header, trace, sizeof(trace));
    int size = snprintf(answer, sizeof(answer),
                        "HTTP/1.1 %d -\r\n%s: %s\r\nContent-Length: 6\r\n\r\nhello\n", status,
                        XRAY_TRACE_HEADER_NAME, trace);
    xray_end(render);
    if (send(connection, answer, (size_t)size, MSG_NOSIGNAL) != size)
        xray_add_exception(segment, "EPIPE", "the caller is gone");
    xray_set_http(segment, xray_http(.method = method, .url = path, .status = status));
    xray_end(segment);
}

int main(int argc, char **argv)
{
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), connection;
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t size = sizeof(address);

    address.sin_port = htons((uint16_t)(argc > 1 ? atoi(argv[1]) : 8080));
    if (bind(listener, (struct sockaddr *)&address, size) < 0 || listen(listener, 16) < 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) < 0)
        return perror("server: cannot listen"), 1;
    printf("http://127.0.0.1:%d/\n", ntohs(address.sin_port));
    fflush(stdout);
    while ((connection = accept(listener, NULL, NULL)) >= 0) {
        serve(connection);
        close(connection);
    }
    return perror("server: cannot accept"), 1;
}
