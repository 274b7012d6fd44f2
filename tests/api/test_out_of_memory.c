/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each scenario with the n-th allocation failing, and with all from the n-th
 * on, for every n there is; each in a process of its own. Nothing may crash or
 * leak, no document may be half a one, the counts must add up, and what is
 * current must never be the wrong one.
 */
#include "../documents/rules.h"
#include "script.h"
#include "support.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define TROUBLE_MAX 500
#define REACHED     0
#define NOT_REACHED 3
#define BLOCKS_MAX  1000

/* Said in the child, where the framework's assertions are of no use. */
static char *trouble;

#define CHECK_THAT(condition, ...)                       \
    do {                                                 \
        if (!(condition)) {                              \
            snprintf(trouble, TROUBLE_MAX, __VA_ARGS__); \
            _exit(1);                                    \
        }                                                \
    } while (0)
#define CHECK(condition) CHECK_THAT(condition, "line %d: %s", __LINE__, #condition)

/* ---- Memory ----------------------------------------------------------------------- */

static pthread_mutex_t memory_lock = PTHREAD_MUTEX_INITIALIZER;
static long allocations, held_bytes, failing_at = -1;
static bool failing_on, failed_now;

static void *allocate(void *data, size_t bytes)
{
    bool fails;

    (void)data;
    pthread_mutex_lock(&memory_lock);
    fails = failing_at >= 0 &&
            (allocations == failing_at || (failing_on && allocations > failing_at));
    failed_now |= fails;
    allocations++;
    if (!fails)
        held_bytes += (long)bytes;
    pthread_mutex_unlock(&memory_lock);
    return fails ? NULL : malloc(bytes);
}

static void release(void *data, void *memory, size_t bytes)
{
    (void)data;
    pthread_mutex_lock(&memory_lock);
    held_bytes -= (long)bytes;
    pthread_mutex_unlock(&memory_lock);
    free(memory);
}

/* ---- Documents -------------------------------------------------------------------- */

static struct documents seen;
static pthread_mutex_t seen_lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic unsigned finals;

static void look_at(const char *json, size_t length)
{
    struct violation violation;
    bool good;

    pthread_mutex_lock(&seen_lock);
    good = document_check(json, length, 0, &seen, &violation);
    pthread_mutex_unlock(&seen_lock);
    CHECK_THAT(good, "%s: %.*s", violation.text, (int)length, json);
}

static int take(void *data, const xray_document *document)
{
    (void)data;
    look_at(document->json, document->length);
    finals += !(document->flags & XRAY_DOCUMENT_IN_PROGRESS);
    return 0;
}

static void log_nothing(void *data, int level, const char *text)
{
    (void)data;
    (void)level;
    (void)text;
}

static const xray_logger quiet = { .size = sizeof(quiet), .log = log_nothing };
static const xray_emitter taking = { .size = sizeof(taking), .emit = take };

/* ---- What a scenario is made of ------------------------------------------------------ */

struct scenario {
    void (*work)(xray_recorder *made);
    int (*make_emitter)(xray_emitter *ret); /* else taking */
    int (*make_sampler)(xray_sampler *ret); /* else sampler_yes */
    const xray_capture *capture;            /* may be NULL */
    void (*collect)(void);                  /* what the emitter did not hand to take() */
    int rounds; /* after the one that fails, until the pool of all threads is full; else 2 */
};

/* ---- Scenarios -------------------------------------------------------------------- */

/* Begins inner ones until memory has to be taken, and ends them all. */
static void nest(xray_recorder *made)
{
    xray_segment *chain[64];
    xray_segment *outside = xray_current();

    (void)made;
    for (int i = 0; i < 64; i++) {
        chain[i] = i == 0 ? xray_begin_segment("a") : xray_begin_subsegment("b");
        /* Either it is current, or nothing is. */
        CHECK(xray_current() == NULL || xray_current() == chain[i]);
        xray_annotate(xray_current(), "depth", i);
    }
    for (int i = 64; i-- > 0;) {
        xray_end(chain[i]);
        CHECK(xray_current() == NULL || (i > 0 && xray_current() == chain[i - 1]) ||
              (i == 0 && xray_current() == outside));
    }
    CHECK(xray_current() == outside);
}

static void nest_in_disorder(xray_recorder *made)
{
    xray_segment *a = xray_begin_segment("a"), *b = xray_begin_subsegment("b");
    xray_segment *c = xray_begin_segment("c"), *d = xray_begin_subsegment("d");

    (void)made;
    xray_end(b);
    CHECK(xray_current() == NULL || xray_current() == a);
    xray_end(a);
    CHECK(xray_current() == NULL);
    xray_end(d);
    xray_end(c);
    CHECK(xray_current() == NULL);
}

static void serve_requests(xray_recorder *made)
{
    xray_segment *requests[20], *calls[20];
    xray_trace_header header = { .parent_id = 0 };

    for (int i = 0; i < 20; i++) {
        header.sampled = i % 5 ? XRAY_SAMPLED_REQUESTED : XRAY_SAMPLED_NO;
        requests[i] = xray_start_segment(
            made, xray_segment_params(.name = "request", .header = &header, .url_path = "/a"));
        xray_attach(requests[i]);
        CHECK(xray_current() == NULL || xray_current() == requests[i]);
        xray_end(xray_begin_subsegment("at once"));
        calls[i] = xray_start_subsegment(requests[i], "call");
        xray_detach(requests[i]);
        CHECK(xray_current() == NULL);
    }
    for (int i = 20; i-- > 0;) {
        xray_attach(requests[i]);
        xray_set_http(requests[i], xray_http(.method = "GET", .url = "http://a/b", .status = 200));
        xray_set_aws(calls[i], xray_aws(.operation = "GetItem", .table_name = "table"));
        xray_end(calls[i]);
        xray_get_response_header(requests[i], &header);
        xray_end(requests[i]);
        CHECK(xray_current() == NULL);
        header = (xray_trace_header){ .parent_id = 0 };
    }
}

static const xray_capture plenty = { .size = sizeof(plenty), .traces_per_second = 1e6 };

static int make_no(xray_sampler *ret)
{
    *ret = sampler_no;
    return 0;
}

static void fail_requests(xray_recorder *made)
{
    (void)made;
    for (int i = 0; i < 4; i++) {
        xray_segment *segment = xray_begin_segment("front");
        xray_segment *work = xray_begin_subsegment("work");
        xray_segment *late = xray_start_subsegment(segment, "late");

        xray_add_exception(work, "Timeout", "no answer");
        xray_add_metadata(segment, NULL, "request", "0123456789");
        xray_mark(late, XRAY_FAULT);
        xray_end(work);
        xray_end(segment);
        xray_end(late);
    }
}

static void describe_much(xray_recorder *made)
{
    static char text[32001];
    xray_segment *a = xray_begin_segment("a");
    char key[16];

    (void)made;
    memset(text, 'x', 32000);
    for (int i = 0; i < 3000; i++) {
        snprintf(key, sizeof(key), "k%d", i);
        xray_annotate(a, key, i);
    }
    xray_add_metadata(a, NULL, "x", text);
    xray_add_exception(a, "t", "%s", text);
    xray_set_http(a, xray_http(.url = text));
    xray_end(a);
}

/* Children and attributes of more than a document holds. */
static void split_large(xray_recorder *made)
{
    static char text[30001];
    xray_segment *root = xray_start_segment(made, xray_segment_params(.name = "root"));
    xray_segment *chain[20];

    memset(text, 'x', 30000);
    for (int i = 0; i < 4; i++) {
        xray_segment *child = xray_start_subsegment(root, "child");

        xray_add_metadata(child, NULL, "text", text);
        xray_set_sql(child, xray_sql(.sanitized_query = text));
        xray_end(child);
    }
    for (int i = 0; i < 20; i++) {
        chain[i] = xray_start_subsegment(i ? chain[i - 1] : root, "deep");
        xray_add_metadata(chain[i], "deep", "text", text + 20000);
    }
    for (int i = 20; i-- > 0;)
        xray_end(chain[i]);
    xray_add_metadata(root, "one", "text", text);
    xray_add_metadata(root, "two", "text", text);
    xray_end(root);
}

static void embed_much(xray_recorder *made)
{
    xray_segment *a = xray_begin_segment("a");

    (void)made;
    for (int i = 0; i < 1000; i++)
        xray_end(xray_begin_subsegment("b"));
    xray_send_in_progress(a);
    xray_end(a);
}

static void send_unfinished(xray_recorder *made)
{
    xray_segment *outer = xray_start_segment(made, NULL), *inner;

    xray_attach(outer);
    xray_end(xray_begin_subsegment("ended before"));
    inner = xray_begin_subsegment("inner");
    xray_send_in_progress(inner);
    xray_send_in_progress(outer);
    xray_end(xray_begin_subsegment("ended after"));
    xray_annotate(inner, "late", 1);
    xray_end(outer);
    xray_end(inner);
}

static void keep_many_open(xray_recorder *made)
{
    xray_segment *open[300];

    for (int i = 0; i < 300; i++)
        open[i] = xray_start_segment(made, NULL);
    for (int i = 0; i < 300; i++)
        xray_end(open[i]);
}

static void serve_lambda(xray_recorder *made)
{
    xray_segment *invocation = xray_lambda_begin(
        made, "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1");

    nest(made);
    CHECK(xray_current() == invocation || xray_current() == NULL);
    CHECK(xray_lambda_end(invocation, 0) == 0);
    CHECK(xray_current() == NULL);
}

static void on_other_thread(void *data)
{
    (void)data;
    nest(NULL);
    xray_begin_segment("left open");
    xray_begin_subsegment("left open");
}

static void use_threads(xray_recorder *made)
{
    (void)made;
    for (int i = 0; i < 3; i++)
        on_thread(on_other_thread, NULL);
}

static void *carry_on(void *segment)
{
    xray_attach(segment);
    CHECK(xray_current() == NULL || xray_current() == segment);
    xray_annotate(segment, "moved", 1);
    xray_end(xray_begin_subsegment("there"));
    xray_detach(segment);
    CHECK(xray_current() == NULL);
    return segment;
}

static void hand_over(xray_recorder *made)
{
    for (int i = 0; i < 4; i++) {
        xray_segment *segment = xray_start_segment(made, NULL);
        xray_segment *child = xray_start_subsegment(segment, "child");
        pthread_t thread;

        xray_detach(segment);
        if (pthread_create(&thread, NULL, carry_on, segment) != 0)
            _exit(1);
        pthread_join(thread, NULL);
        xray_attach(segment);
        xray_end(child);
        xray_end(segment);
    }
}

static void ask_for_headers(xray_recorder *made)
{
    xray_trace_header no = { .sampled = XRAY_SAMPLED_NO }, header;
    xray_segment *a = xray_start_segment(made, xray_segment_params(.header = &no));

    xray_get_header(a, &header);
    xray_end(a);
    header.sampled = XRAY_SAMPLED_YES;
    xray_end(xray_resume(made, &header, "b"));
}

/* The child has trouble of its own, and the parent goes on. */
static void fork_between(xray_recorder *made)
{
    xray_segment *before = xray_begin_segment("before");
    xray_segment *inner = xray_begin_subsegment("inner");
    int status;
    pid_t child = fork();

    if (child == 0) {
        nest(made);
        xray_end(xray_start_segment(made, NULL));
        xray_end(inner);
        xray_end(before);
        CHECK(xray_current() == NULL);
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    xray_end(inner);
    xray_end(before);
}

/* The library's own default, made when it is needed. */
static void say_hello(xray_recorder *made)
{
    xray_segment *a, *b;

    xray_recorder_set_default(NULL);
    a = xray_begin_segment("hello");
    b = xray_begin_subsegment("work");
    CHECK(xray_current() == NULL || xray_current() == b);
    xray_end(b);
    xray_end(a);
    CHECK(xray_current() == NULL);
    xray_recorder_set_default(made);
}

/* ---- Emitters and samplers of the library's ------------------------------------------- */

static int daemon_socket = -1;
static FILE *stream;

static int make_udp(xray_emitter *ret)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof(address);
    int room = 4 << 20;
    char text[32];

    if (daemon_socket < 0) {
        daemon_socket = socket(AF_INET, SOCK_DGRAM, 0);
        CHECK(bind(daemon_socket, (struct sockaddr *)&address, length) == 0);
        (void)setsockopt(daemon_socket, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
    }
    CHECK(getsockname(daemon_socket, (struct sockaddr *)&address, &length) == 0);
    snprintf(text, sizeof(text), "127.0.0.1:%d", ntohs(address.sin_port));
    return xray_emitter_udp(ret, text);
}

static void receive_datagrams(void)
{
    static char text[65536];
    ssize_t length;

    while ((length = recv(daemon_socket, text, sizeof(text), MSG_DONTWAIT)) > 0) {
        const char *line = memchr(text, '\n', (size_t)length);

        CHECK(line);
        look_at(line + 1, (size_t)(text + length - line - 1));
        finals++;
    }
}

static int make_stream(xray_emitter *ret)
{
    if (!stream)
        stream = tmpfile();
    CHECK(stream);
    return xray_emitter_stream(ret, stream);
}

static void read_lines(void)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t length;

    rewind(stream);
    while ((length = getline(&line, &size, stream)) > 0) {
        CHECK(line[length - 1] == '\n');
        look_at(line, (size_t)length - 1);
        finals++;
    }
    free(line);
    rewind(stream);
    CHECK(ftruncate(fileno(stream), 0) == 0);
}

static int make_queue(xray_emitter *ret)
{
    return xray_emitter_queue(ret, &taking, 0);
}

static int make_rules(xray_sampler *ret)
{
    return xray_sampler_local(ret, "{\"version\":2,\"rules\":["
                                   "{\"host\":\"*\",\"http_method\":\"POST\",\"url_path\":\"/b*\","
                                   "\"fixed_target\":0,\"rate\":0},"
                                   "{\"host\":\"*\",\"http_method\":\"*\",\"url_path\":\"/?\","
                                   "\"fixed_target\":1,\"rate\":1}],"
                                   "\"default\":{\"fixed_target\":0,\"rate\":1}}");
}

static int make_file(xray_sampler *ret)
{
    static const char rules[] = "{\"version\":2,\"rules\":[{\"host\":\"*\",\"http_method\":\"*\","
                                "\"url_path\":\"/?\",\"fixed_target\":1,\"rate\":1}],"
                                "\"default\":{\"fixed_target\":0,\"rate\":1}}";
    char path[] = "/tmp/xraytrace-rules-XXXXXX";
    int fd = mkstemp(path), r;

    CHECK(fd >= 0 && write(fd, rules, strlen(rules)) == (ssize_t)strlen(rules));
    close(fd);
    r = xray_sampler_file(ret, path);
    unlink(path);
    return r;
}

/* Two pages of rules, so that there is something to remember between two questions. */
static int answer(void *data, xray_http_exchange *exchange)
{
    (void)data;
    exchange->status = 200;
    exchange->reply = memmem(exchange->body, exchange->body_length, "more", 4)
                          ? "{\"SamplingRuleRecords\":[" SCRIPT_RULE("all", "1") "]}"
                          : "{\"SamplingRuleRecords\":[" SCRIPT_RULE("one",
                                                                     "1") "],"
                                                                          "\"NextToken\":\"more\"}";
    exchange->reply_length = strlen(exchange->reply);
    return 0;
}

static int make_central(xray_sampler *ret)
{
    const xray_transport transport = { .size = sizeof(transport), .exchange = answer };

    return xray_sampler_central(ret, "127.0.0.1:1", &transport, &sampler_yes);
}

/* Requests until the rules are there, or their thread has none of the memory it wants. */
static void serve_while_rules_arrive(xray_recorder *made)
{
    for (int i = 0; i < 10; i++) {
        serve_requests(made);
        script_pause();
    }
}

/* ---- A round -------------------------------------------------------------------------- */

/* NULL without memory for it; then nothing is left of it. */
static xray_recorder *make_recorder(const struct scenario *scenario)
{
    xray_emitter emitter = { .size = sizeof(emitter) };
    xray_sampler sampler = { .size = sizeof(sampler) };
    xray_recorder *made = NULL;
    int r = 0;

    if (scenario->make_emitter)
        r = scenario->make_emitter(&emitter);
    else
        emitter = taking;
    CHECK(r == 0 || r == -ENOMEM);
    if (r < 0)
        return NULL;
    if (scenario->make_sampler)
        r = scenario->make_sampler(&sampler);
    else
        sampler = sampler_yes;
    CHECK(r == 0 || r == -ENOMEM);
    if (r == 0)
        r = xray_recorder_new(&made, xray_recorder_params(.emitter = &emitter, .logger = &quiet,
                                                          .sampler = &sampler,
                                                          .capture = scenario->capture,
                                                          .flags = XRAY_RECORDER_NO_ENVIRONMENT));
    CHECK(r == 0 || (r == -ENOMEM && !made));
    if (r < 0 && emitter.destroy)
        emitter.destroy(emitter.data);
    if (r < 0 && sampler.destroy)
        sampler.destroy(sampler.data);
    return made;
}

/* Every sampled one is in a count, and every document that was emitted is a whole one. */
static void check_counts(const struct scenario *scenario, xray_recorder *made)
{
    xray_stats stats;

    CHECK(xray_recorder_flush(made, 10000) == 0);
    stats = stats_of(made);
    if (scenario->collect)
        scenario->collect();
    CHECK(stats.sampled == stats.embedded + stats.emitted + stats.failed + stats.dropped);
    CHECK(stats.failed == 0);
    CHECK(stats.anomalies == stats.captured + stats.refused + stats.capture_failed);
    CHECK(finals == stats.emitted + stats.captured + stats.captured_parts);
}

static void run_round(const struct scenario *scenario)
{
    xray_recorder *made = make_recorder(scenario);

    if (!made)
        return;
    finals = 0;
    xray_recorder_set_default(made);
    scenario->work(made);
    check_counts(scenario, made);
    /* With memory again everything works again. */
    failing_at = failed_now ? -1 : failing_at;
    xray_mark(xray_begin_segment("after"), XRAY_FAULT);
    xray_end(xray_current());
    check_counts(scenario, made);
    CHECK(finals > 0);
    xray_recorder_set_default(NULL);
    xray_recorder_free(made);
}

/* ---- What is left afterwards ------------------------------------------------------------ */

/* Blocks of the pool come from slabs: segments, and text of so many bytes in one. */
enum { SEGMENTS, KINDS = 4 };
static const int text_bytes[KINDS] = { 0, 3000, 10000, 30000 };

static struct known {
    long slab[KINDS], blocks[KINDS]; /* bytes that one takes, and how many blocks it has */
    long in_use;                     /* bytes that stay in use when nothing goes wrong */
} * known;

static xray_segment *taken[BLOCKS_MAX];

/* Takes one more block of a kind, on the next segment that has none. False without memory. */
static bool take_block(xray_recorder *made, int kind, long *segments, long *texts)
{
    static char text[30001];
    uint64_t truncated;

    if (kind == SEGMENTS) {
        CHECK(*segments < BLOCKS_MAX);
        taken[*segments] = xray_start_segment(made, NULL);
        return taken[*segments] && ++*segments;
    }
    CHECK(*texts < *segments);
    memset(text, 'x', (size_t)text_bytes[kind]);
    truncated = stats_of(made).truncated;
    xray_add_metadata(taken[*texts], NULL, "text", xray_stringn(text, (size_t)text_bytes[kind]));
    return stats_of(made).truncated == truncated && ++*texts;
}

/* In a process of its own, how much is taken at a time, and how many blocks that gives. */
static int get_to_know(void)
{
    static const struct scenario plain = { .work = NULL };
    xray_recorder *made = make_recorder(&plain);
    long segments = 0, texts = 0;

    while (segments < BLOCKS_MAX / 2)
        CHECK(take_block(made, SEGMENTS, &segments, &texts));
    for (int kind = 0; kind < KINDS; kind++) {
        long before = held_bytes, count = -1;

        while (held_bytes == before)
            CHECK(take_block(made, kind, &segments, &texts));
        known->slab[kind] = held_bytes - before;
        for (before = held_bytes; held_bytes == before; count++)
            CHECK(take_block(made, kind, &segments, &texts));
        known->blocks[kind] = count + 1;
    }
    return 0;
}

/*
 * Takes all that the pool has, with some more segments to hold it, and gives it
 * back. What the library holds and cannot be had is in use, or leaked.
 */
static long bytes_in_use(void)
{
    static const struct scenario plain = { .work = NULL };
    xray_recorder *made = make_recorder(&plain);
    long segments = 0, texts = 0, bytes = 0;

    while (segments < BLOCKS_MAX / 2)
        CHECK(take_block(made, SEGMENTS, &segments, &texts));
    failing_at = 0;
    failing_on = true;
    for (int kind = 0; kind < KINDS; kind++) {
        long before = kind == SEGMENTS ? 0 : texts, now;

        while (take_block(made, kind, &segments, &texts))
            ;
        now = kind == SEGMENTS ? segments : texts;
        bytes += (now - before) * known->slab[kind] / known->blocks[kind];
    }
    failing_at = -1;
    for (long i = 0; i < segments; i++)
        xray_end(taken[i]);
    xray_recorder_free(made);
    return held_bytes - bytes;
}

static void set_allocator(void)
{
    static const xray_allocator allocator = { .size = sizeof(allocator),
                                              .allocate = allocate,
                                              .release = release };

    CHECK(xray_set_allocator(&allocator) == 0);
}

static int run(const struct scenario *scenario)
{
    long bytes = 0, in_use;
    bool is_first = failing_at < 0;

    set_allocator();
    if (!scenario)
        return get_to_know();
    run_round(scenario);
    if (!failed_now && !is_first)
        return NOT_REACHED;
    for (int i = 0; i < (scenario->rounds ? scenario->rounds : 2); i++) {
        bytes = held_bytes;
        failing_at = -1;
        run_round(scenario);
    }
    CHECK(held_bytes == bytes);
    in_use = bytes_in_use();
    if (is_first)
        known->in_use = in_use;
    CHECK_THAT(in_use == known->in_use, "%ld bytes leaked", in_use - known->in_use);
    return REACHED;
}

/* ---- Each with each ------------------------------------------------------------------ */

static int run_in_child(const struct scenario *scenario)
{
    int status;
    pid_t child;

    fflush(NULL);
    child = fork();
    if (child == 0)
        _exit(run(scenario));
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFEXITED(status), "killed by signal %d at allocation %ld%s", WTERMSIG(status),
              failing_at, failing_on ? " and later" : "");
    return WEXITSTATUS(status);
}

static void expect_survived(const struct scenario *scenario)
{
    int limit = 3000;

    known = mmap(NULL, sizeof(*known) + TROUBLE_MAX, PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq((void *)known, MAP_FAILED);
    trouble = (char *)(known + 1);
    cr_assert_eq(run_in_child(NULL), 0, "%s", trouble);
    cr_assert_eq(run_in_child(scenario), REACHED, "without any failure: %s", trouble);
    for (int on = 0; on < 2; on++) {
        failing_on = on;
        for (failing_at = 0; failing_at < limit; failing_at++) {
            int status = run_in_child(scenario);

            if (status == NOT_REACHED)
                break;
            cr_assert_eq(status, REACHED, "at allocation %ld%s: %s", failing_at,
                         on ? " and later" : "", trouble);
        }
        cr_assert_gt(failing_at, 1, "nothing was allocated at all");
        cr_assert_lt(failing_at, limit, "there is no end of it");
    }
}

#define SURVIVES(name, ...)                                 \
    Test(out_of_memory, is_survived_##name)                 \
    {                                                       \
        expect_survived(&(struct scenario){ __VA_ARGS__ }); \
    }

SURVIVES(when_nesting, .work = nest)
SURVIVES(when_ending_in_disorder, .work = nest_in_disorder)
SURVIVES(by_a_server, .work = serve_requests)
SURVIVES(when_describing, .work = describe_much)
SURVIVES(when_splitting_what_is_too_large, .work = split_large)
SURVIVES(when_embedding, .work = embed_much)
SURVIVES(when_sending_in_progress, .work = send_unfinished)
SURVIVES(with_many_open, .work = keep_many_open)
SURVIVES(in_an_invocation, .work = serve_lambda)
SURVIVES(on_threads, .work = use_threads, .rounds = 4)
SURVIVES(when_handing_over, .work = hand_over, .rounds = 40)
SURVIVES(when_asking_for_headers, .work = ask_for_headers)
SURVIVES(when_forking, .work = fork_between)
SURVIVES(by_sampling_rules, .work = serve_requests, .make_sampler = make_rules)
SURVIVES(by_rules_of_a_file, .work = serve_requests, .make_sampler = make_file)
SURVIVES(by_central_rules, .work = serve_while_rules_arrive, .make_sampler = make_central)
SURVIVES(when_capturing, .work = fail_requests, .make_sampler = make_no, .capture = &plenty)
SURVIVES(when_capturing_much, .work = embed_much, .make_sampler = make_no, .capture = &plenty)
SURVIVES(when_sending_to_the_daemon, .work = serve_requests, .make_emitter = make_udp,
         .collect = receive_datagrams)
SURVIVES(when_writing_to_a_stream, .work = serve_requests, .make_emitter = make_stream,
         .collect = read_lines)
SURVIVES(when_queueing, .work = serve_requests, .make_emitter = make_queue)

Test(out_of_memory, is_survived_by_the_default_recorder)
{
    setenv("XRAYTRACE_SAMPLING_RATE", "1", 1);
    setenv("AWS_XRAY_LOG_LEVEL", "silent", 1);
    setenv("AWS_XRAY_DAEMON_ADDRESS", "127.0.0.1:1", 1);
    expect_survived(&(struct scenario){ .work = say_hello });
}

/* ---- The hook itself ------------------------------------------------------------------- */

static int begun;

static void *allocate_and_begin(void *data, size_t bytes)
{
    xray_segment *a = xray_begin_segment("hook");

    (void)data;
    begun += xray_is_recording(a);
    xray_end(a);
    return malloc(bytes);
}

Test(allocator, is_not_recorded)
{
    xray_allocator allocator = { .size = sizeof(allocator),
                                 .allocate = allocate_and_begin,
                                 .release = release };

    cr_assert_eq(xray_set_allocator(&allocator), 0);
    record();
    on_thread(on_other_thread, NULL);
    settle();
    cr_expect_eq(begun, 0);
}

Test(allocator, without_both_functions_is_refused)
{
    xray_allocator half = { .size = sizeof(half), .allocate = allocate };

    cr_expect_eq(xray_set_allocator(&half), -EINVAL);
    cr_expect_eq(xray_set_allocator(NULL), -EINVAL);
}

Test(allocator, cannot_be_set_once_memory_was_taken)
{
    xray_allocator allocator = { .size = sizeof(allocator),
                                 .allocate = allocate,
                                 .release = release };

    record();
    cr_expect_eq(xray_set_allocator(&allocator), -EBUSY);
    settle();
}
