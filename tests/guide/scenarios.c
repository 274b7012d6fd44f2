/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All that docs/guide.md shows and tells, in one plain process, for tools that
 * look at every read and write: its programs and blocks as they are, and what
 * it only describes. A socket stands for the daemon.
 */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <xraytrace/xraytrace.h>

/* Programs of the guide, and its blocks. */
int guide_order(void), guide_threads(void), guide_loop(void), guide_fork(void), guide_test(void);
extern int (*const guide_fragments[])(void);

static int daemon_socket;
static unsigned received;

static void receive_all(void)
{
    static char text[65536];

    while (recv(daemon_socket, text, sizeof(text), MSG_DONTWAIT) > 0)
        received++;
}

static int bind_daemon(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof(address);
    char text[32];

    daemon_socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (bind(daemon_socket, (struct sockaddr *)&address, length) < 0 ||
        getsockname(daemon_socket, (struct sockaddr *)&address, &length) < 0)
        return -1;
    snprintf(text, sizeof(text), "127.0.0.1:%d", ntohs(address.sin_port));
    return setenv("AWS_XRAY_DAEMON_ADDRESS", text, 1) | setenv("XRAYTRACE_SAMPLING_RATE", "1", 1);
}

/* ---- What the guide tells ----------------------------------------------------------- */

static int describe(void)
{
    xray_frame frames[] = { { "a.c", "inner", 1, 0 }, { "b.c", "outer", 2, 0 } };
    xray_segment *segment = xray_begin_segment("describe");
    xray_segment *call = xray_begin_subsegment("call");
    xray_trace_header other = { .trace_id = { { 1 } }, .parent_id = 2 };
    xray_segment_id cause = xray_add_exception_with(
        call, &(xray_exception){ .size = sizeof(xray_exception),
                                 .type = "EIO",
                                 .message = "disk",
                                 .frames = frames,
                                 .frame_count = 2,
                                 .remote = 1 });

    xray_add_exception_with(
        call,
        &(xray_exception){ .size = sizeof(xray_exception), .type = "Failed", .cause = cause });
    xray_add_exception(segment, "Failed", "%s: %d", "reading", 5);
    xray_set_namespace(call, "aws");
    xray_set_aws(call, xray_aws(.operation = "GetItem", .table_name = "t", .retries = 1));
    xray_set_aws_field(call, "resource_names", xray_json("[\"a\", \"b\"]"));
    xray_set_sql(call, xray_sql(.url = "pg://u:p@h/d", .sanitized_query = "SELECT 1"));
    xray_mark(call, XRAY_THROTTLE);
    xray_unmark(call, XRAY_THROTTLE);
    xray_set_user(segment, "user");
    xray_add_link(segment, &other);
    xray_annotate(segment, "bad key \xff", "bad text \xff");
    xray_annotate(segment, "number", 1.0 / 3);
    xray_add_metadata(segment, "space", "list", xray_json("[1, {\"a\": null}]"));
    xray_add_metadata(segment, "space", "list", xray_json("[1,"));
    xray_end(call);
    xray_end(segment);
    return 0;
}

static int serve(void)
{
    xray_trace_header header = { 0 }, answer;
    char text[XRAY_TRACE_HEADER_SIZE], parent[XRAY_TRACEPARENT_SIZE];

    for (int i = 0; i < 50; i++) {
        (void)xray_trace_header_parse(&header, i % 2 ? "Root=1-5759e988-bd862e3fe1be46a994272793;"
                                                       "Parent=53995c3f42cd8ad8;Sampled=?;A=b"
                                                     : "Sampled=0;Lineage=a:1");
        xray_segment *request = xray_start_segment(xray_recorder_default(),
                                                   xray_segment_params(.header = &header));
        xray_attach(request);
        xray_end(xray_begin_subsegment("work"));
        xray_get_response_header(request, &answer);
        xray_trace_header_format(&answer, text, sizeof(text));
        xray_get_header(request, &answer);
        xray_traceparent_format(&answer, parent, sizeof(parent));
        if (xray_traceparent_parse(&answer, parent) < 0)
            return 1;
        xray_end(request);
    }
    return 0;
}

static int send_much(void)
{
    static char text[30001];
    xray_segment *segment = xray_begin_segment("much");

    memset(text, 'x', 30000);
    for (int i = 0; i < 300; i++) {
        xray_segment *child = xray_begin_subsegment("child");

        xray_add_metadata(child, NULL, "text", xray_stringn(text, (size_t)i * 100));
        xray_end(child);
    }
    xray_send_in_progress(segment);
    for (int i = 0; i < 4; i++) {
        char key[] = { 'k', (char)('0' + i), '\0' };

        xray_add_metadata(segment, "too much", key, text);
    }
    xray_end(segment);
    return 0;
}

/* Ends in disorder, twice, late; and what ended is used. */
static int end_anyhow(void)
{
    xray_segment *a = xray_begin_segment("a"), *b = xray_begin_subsegment("b");
    xray_segment *c = xray_begin_subsegment("c"), *late = xray_start_subsegment(b, "late");

    xray_end(a);
    xray_end(a);
    xray_end(c);
    xray_end(b);
    xray_end(late);
    xray_annotate(late, "too", "late");
    xray_end(xray_start_subsegment(late, "never"));
    xray_end(NULL);
    return xray_current() != NULL;
}

static void *leave_open(void *detached)
{
    xray_attach(detached);
    xray_begin_subsegment("left open");
    xray_detach(detached);
    return detached;
}

static int use_threads(void)
{
    for (int i = 0; i < 5; i++) {
        xray_segment *segment = xray_begin_segment("moved");
        pthread_t thread;

        xray_detach(segment);
        if (pthread_create(&thread, NULL, leave_open, segment) != 0)
            return 1;
        pthread_join(thread, NULL);
        xray_end(segment);
    }
    return 0;
}

static int record_to(const xray_emitter *emitter)
{
    xray_sampler sampler = { .size = sizeof(sampler) };
    xray_recorder *recorder;

    if (xray_sampler_local(&sampler, "{\"version\":2,\"rules\":[{\"host\":\"a*\",\"http_method\":"
                                     "\"*\",\"url_path\":\"/?\",\"fixed_target\":1,\"rate\":1}],"
                                     "\"default\":{\"fixed_target\":0,\"rate\":0}}") < 0 ||
        xray_recorder_new(&recorder, xray_recorder_params(.service = "own", .service_version = "1",
                                                          .origin = "AWS::EC2::Instance",
                                                          .emitter = emitter, .sampler = &sampler,
                                                          .flags = XRAY_RECORDER_NO_ENVIRONMENT)) <
            0)
        return 1;
    for (int i = 0; i < 20; i++)
        xray_end(xray_start_segment(
            recorder, xray_segment_params(.host = i % 2 ? "aa" : "b", .url_path = "/x")));
    if (xray_recorder_flush(recorder, 5000) < 0)
        return 1;
    xray_recorder_free(recorder);
    return 0;
}

static int write_to_stream(void)
{
    xray_emitter emitter = { .size = sizeof(emitter) };
    FILE *stream = tmpfile();
    int r = !stream || xray_emitter_stream(&emitter, stream) < 0 || record_to(&emitter) != 0;

    r |= r == 0 && ftell(stream) == 0;
    fclose(stream);
    return r;
}

static int queue_documents(void)
{
    xray_emitter inner = { .size = sizeof(inner) }, emitter = { .size = sizeof(emitter) };

    if (xray_emitter_udp(&inner, getenv("AWS_XRAY_DAEMON_ADDRESS")) < 0 ||
        xray_emitter_queue(&emitter, &inner, 0) < 0)
        return 1;
    return record_to(&emitter);
}

static int fail_to_set_up(void)
{
    xray_recorder *recorder;

    return xray_recorder_new(&recorder,
                             xray_recorder_params(.daemon_address = "nonsense:x",
                                                  .flags = XRAY_RECORDER_NO_ENVIRONMENT)) == 0;
}

static int run_fragments(void)
{
    for (int i = 0; guide_fragments[i]; i++)
        if (guide_fragments[i]() != 0)
            return 1;
    return 0;
}

/* ---- All of it ------------------------------------------------------------------------ */

static const struct {
    const char *name;
    int (*run)(void);
} scenarios[] = {
    { "order.c", guide_order },
    { "threads.c", guide_threads },
    { "loop.c", guide_loop },
    { "fork.c", guide_fork },
    { "test.c", guide_test },
    { "describing", describe },
    { "serving", serve },
    { "sending much", send_much },
    { "ending anyhow", end_anyhow },
    { "leaving threads", use_threads },
    { "writing to a stream", write_to_stream },
    { "queueing", queue_documents },
    { "failing to set up", fail_to_set_up },
    { "the blocks of the guide", run_fragments },
};

int main(void)
{
    int failed = 0;

    if (bind_daemon() < 0)
        return 99;
    for (size_t i = 0; i < sizeof(scenarios) / sizeof(*scenarios); i++) {
        int r = scenarios[i].run();

        receive_all();
        printf("%s: %s\n", scenarios[i].name, r ? "FAILED" : "done");
        failed += r != 0;
    }
    printf("%u documents\n", received);
    close(daemon_socket);
    return failed > 0 || received < 60;
}
