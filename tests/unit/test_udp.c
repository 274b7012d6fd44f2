/* SPDX-License-Identifier: Apache-2.0 */
/* Datagrams to a real socket: what is in them, and what happens when nobody listens. */
#include "datagrams.h"

#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "emit/udp.h"
#include "recorder/library.h"
#include "recorder/recorder.h"

TestSuite(udp, .init = xr_library_enter);

Test(udp, sends_the_header_line_and_the_document)
{
    uint16_t port = 0;
    int fd = listen_at(AF_INET, &port);
    xray_emitter emitter = emitter_to("127.0.0.1:", port, "");

    cr_expect_eq(emit_text(&emitter, "{\"a\":1}"), 0);
    expect_datagram(fd, "{\"a\":1}");
    emitter.destroy(emitter.data);
    close(fd);
}

Test(udp, sends_one_datagram_for_each_document)
{
    uint16_t port = 0;
    int fd = listen_at(AF_INET, &port);
    xray_emitter emitter = emitter_to("127.0.0.1:", port, "");

    emit_text(&emitter, "{\"a\":1}");
    emit_text(&emitter, "{\"b\":2}");
    expect_datagram(fd, "{\"a\":1}");
    expect_datagram(fd, "{\"b\":2}");
    cr_expect_str_eq(next_datagram(fd), "");
    emitter.destroy(emitter.data);
    close(fd);
}

Test(udp, takes_every_form_of_address)
{
    static const char *const forms[][2] = {
        { "127.0.0.1:", "" },
        { "udp:127.0.0.1:", "" },
        { "udp:127.0.0.1:", " tcp:127.0.0.1:1" },
        { "tcp:127.0.0.1:1 udp:127.0.0.1:", "" },
    };
    uint16_t port = 0;
    int fd = listen_at(AF_INET, &port);

    for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
        xray_emitter emitter = emitter_to(forms[i][0], port, forms[i][1]);

        cr_expect_eq(emit_text(&emitter, "{}"), 0);
        expect_datagram(fd, "{}");
        emitter.destroy(emitter.data);
    }
    close(fd);
}

Test(udp, resolves_a_name)
{
    /* It may be IPv6's loopback: that it can be made is enough. */
    xray_emitter emitter = emitter_to("localhost:", 1, "");

    emitter.destroy(emitter.data);
}

Test(udp, speaks_ipv6)
{
    uint16_t port = 0;
    int fd = listen_at(AF_INET6, &port);
    xray_emitter emitter;

    if (fd < 0)
        cr_skip_test("there is no IPv6 here");
    emitter = emitter_to("[::1]:", port, "");
    cr_expect_eq(emit_text(&emitter, "{}"), 0);
    expect_datagram(fd, "{}");
    emitter.destroy(emitter.data);
    close(fd);
}

Test(udp, sends_the_largest_document)
{
    uint16_t port = 0;
    int fd = listen_at(AF_INET, &port);
    xray_emitter emitter = emitter_to("127.0.0.1:", port, "");
    char *json = calloc(1, XR_DOCUMENT_MAX + 1);

    memset(json, 'x', XR_DOCUMENT_MAX);
    cr_expect_eq(emit_text(&emitter, json), 0);
    cr_expect_eq(strlen(next_datagram(fd)), 63 * 1024);
    free(json);
    emitter.destroy(emitter.data);
    close(fd);
}

Test(udp, says_when_a_document_is_larger_than_a_datagram)
{
    uint16_t port = 0;
    int fd = listen_at(AF_INET, &port);
    xray_emitter emitter = emitter_to("127.0.0.1:", port, "");
    char *json = calloc(1, 70001);

    memset(json, 'x', 70000);
    cr_expect_eq(emit_text(&emitter, json), -EMSGSIZE);
    free(json);
    cr_expect_eq(emit_text(&emitter, "{}"), 0, "and the next one goes");
    expect_datagram(fd, "{}");
    emitter.destroy(emitter.data);
    close(fd);
}

Test(udp, tells_that_nobody_listens)
{
    uint16_t port = 0;
    int fd = listen_at(AF_INET, &port);
    xray_emitter emitter = emitter_to("127.0.0.1:", port, "");

    close(fd);
    /* The fate of the first one is not known when it leaves. */
    (void)emit_text(&emitter, "{\"lost\":1}");
    for (int i = 0; i < 10; i++)
        cr_expect_eq(emit_text(&emitter, "{\"lost\":1}"), -ECONNREFUSED, "%d", i);
    emitter.destroy(emitter.data);
}

Test(udp, reaches_a_daemon_that_comes_later)
{
    uint16_t port = 0;
    int fd = listen_at(AF_INET, &port);
    xray_emitter emitter = emitter_to("127.0.0.1:", port, "");

    close(fd);
    for (int lost = 1; lost <= 3; lost++) {
        for (int i = 0; i < lost; i++)
            (void)emit_text(&emitter, "{\"lost\":1}");
        fd = listen_at(AF_INET, &port);
        cr_assert_geq(fd, 0);
        for (int i = 0; i < 3; i++) {
            cr_expect_eq(emit_text(&emitter, "{\"here\":1}"), 0, "after %d", lost);
            expect_datagram(fd, "{\"here\":1}");
        }
        close(fd);
    }
    emitter.destroy(emitter.data);
}

Test(udp, loses_nothing_but_what_was_sent_while_the_daemon_was_away)
{
    uint16_t port = 0;
    int fd = listen_at(AF_INET, &port);
    xray_emitter emitter = emitter_to("127.0.0.1:", port, "");

    close(fd);
    (void)emit_text(&emitter, "{\"lost\":1}");
    fd = listen_at(AF_INET, &port);
    /* The refusal of the one before comes now, and must not cost this one. */
    cr_expect_eq(emit_text(&emitter, "{\"here\":1}"), 0);
    expect_datagram(fd, "{\"here\":1}");
    emitter.destroy(emitter.data);
    close(fd);
}

Test(udp, never_blocks)
{
    uint16_t port = 0;
    int fd = listen_at(AF_INET, &port);
    xray_emitter emitter = emitter_to("127.0.0.1:", port, "");
    char *json = calloc(1, 60001);

    /* Nobody reads: this ends only if no call waits. */
    memset(json, 'x', 60000);
    for (int i = 0; i < 2000; i++)
        (void)emit_text(&emitter, json);
    free(json);
    emitter.destroy(emitter.data);
    close(fd);
}

Test(udp, refuses_an_address_that_it_cannot_read)
{
    static const char *const bad[] = { "",
                                       "127.0.0.1:port",
                                       "127.0.0.1:0x10",
                                       "127.0.0.1:99999",
                                       "[::1:2000",
                                       "udp:",
                                       "tcp:127.0.0.1:1 tcp:127.0.0.1:1" };

    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        xray_emitter emitter = { .size = sizeof(emitter) };

        cr_expect_eq(xr_emitter_udp(&emitter, bad[i]), -EINVAL, "%s", bad[i]);
        cr_expect_null(emitter.data);
    }
}

Test(udp, refuses_a_struct_without_its_size)
{
    xray_emitter emitter = { .size = 0 };

    cr_expect_eq(xr_emitter_udp(&emitter, "127.0.0.1:1"), -EINVAL);
}

Test(udp, has_a_socket_that_no_program_inherits)
{
    int next = dup(STDERR_FILENO);
    xray_emitter emitter;

    close(next);
    emitter = emitter_to("127.0.0.1:", 1, "");
    cr_expect(fcntl(next, F_GETFD) & FD_CLOEXEC);
    cr_expect(fcntl(next, F_GETFL) & O_NONBLOCK);
    emitter.destroy(emitter.data);
    cr_expect_eq(fcntl(next, F_GETFD), -1, "and closes it");
}

/* ---- Forks -------------------------------------------------------------------- */

static xray_emitter used_by_child;

/* Runs it in a forked child, whose exit status must be 0. */
static void in_child(int (*work)(void))
{
    pid_t child = fork();
    int status;

    cr_assert_geq(child, 0);
    if (child == 0) {
        used_by_child.after_fork(used_by_child.data);
        _exit(work());
    }
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %x", status);
}

static int emit_in_child(void)
{
    return emit_text(&used_by_child, "{\"child\":1}") == 0 ? 0 : 1;
}

Test(udp, sends_from_a_child_and_from_its_parent)
{
    uint16_t port = 0;
    int fd = listen_at(AF_INET, &port);

    used_by_child = emitter_to("127.0.0.1:", port, "");
    in_child(emit_in_child);
    expect_datagram(fd, "{\"child\":1}");
    cr_expect_eq(emit_text(&used_by_child, "{}"), 0);
    expect_datagram(fd, "{}");
    used_by_child.destroy(used_by_child.data);
    close(fd);
}

/* As daemons do: the child closes what it inherited, and opens files of its own. */
static int close_and_open(bool another)
{
    int number = ((struct xr_udp *)used_by_child.data)->socket, file = -1;
    char byte = 0;

    close(number);
    if (another)
        file = open("/dev/zero", O_RDONLY);
    if (another && file != number)
        return 2;
    used_by_child.after_fork(used_by_child.data);
    if (emit_in_child() != 0)
        return 3;
    used_by_child.destroy(used_by_child.data);
    return another && read(file, &byte, 1) != 1 ? 4 : 0;
}

static void expect_a_child_that_closes(bool another)
{
    uint16_t port = 0;
    int fd = listen_at(AF_INET, &port), status;
    pid_t child;

    used_by_child = emitter_to("127.0.0.1:", port, "");
    child = fork();
    if (child == 0)
        _exit(close_and_open(another));
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_expect_eq(status, 0, "status %x", status);
    expect_datagram(fd, "{\"child\":1}");
    used_by_child.destroy(used_by_child.data);
    close(fd);
}

Test(udp, has_a_socket_in_a_child_that_closed_all_it_inherited)
{
    expect_a_child_that_closes(false);
}

Test(udp, leaves_a_file_alone_that_a_child_opened_at_its_number)
{
    expect_a_child_that_closes(true);
}

/* ---- Names --------------------------------------------------------------------- */

static const char *answers[3]; /* numeric addresses */
static _Atomic int lookups;
static sem_t may_answer;
static _Atomic bool answers_late;

static int answer(const char *host, const char *port, const struct addrinfo *hints,
                  struct addrinfo **ret)
{
    struct addrinfo numeric = { .ai_socktype = hints->ai_socktype, .ai_flags = AI_NUMERICHOST };
    int r = EAI_NONAME;

    cr_assert_str_eq(host, "daemon.test");
    lookups++;
    if (answers_late)
        sem_wait(&may_answer);
    for (int i = 0; answers[i]; i++) {
        r = getaddrinfo(answers[i], port, &numeric, ret);
        if (r != 0)
            return r;
        ret = &(*ret)->ai_next;
    }
    return r;
}

static void use_names(const char *first, const char *second)
{
    xr_udp_lookup = answer;
    answers[0] = first;
    answers[1] = second;
    sem_init(&may_answer, 0, 0);
}

/* Documents that have gone wrong do not come again, so it takes a few. */
static bool reaches(const xray_emitter *emitter, int fd)
{
    for (int i = 0; i < 2000; i++) {
        (void)emit_text(emitter, "{\"moved\":1}");
        if (*wait_for_datagram(fd, 10))
            return true;
    }
    return false;
}

static void make_due(const xray_emitter *emitter)
{
    atomic_store(&((struct xr_udp *)emitter->data)->look_ns, 0);
}

static void wait_for_lookups(const xray_emitter *emitter, int count)
{
    struct xr_udp *udp = emitter->data;

    for (int i = 0; i < 2000 && (lookups < count || udp->looking); i++)
        usleep(10000);
    cr_assert_eq(lookups, count);
}

Test(udp, follows_a_daemon_to_its_new_address_after_errors)
{
    uint16_t port = 0;
    int fd = listen_at(AF_INET, &port);
    xray_emitter emitter;

    use_names("127.0.0.1", NULL);
    emitter = emitter_to("daemon.test:", port, "");
    cr_expect_eq(emit_text(&emitter, "{}"), 0);
    expect_datagram(fd, "{}");
    close(fd);
    answers[0] = "::1";
    fd = listen_at(AF_INET6, &port);
    if (fd < 0)
        cr_skip_test("there is no IPv6 here");
    cr_expect(reaches(&emitter, fd));
    cr_expect_eq(lookups, 2);
    emitter.destroy(emitter.data);
    close(fd);
}

Test(udp, follows_a_daemon_whose_old_address_takes_datagrams_still)
{
    uint16_t port = 0;
    int before = listen_at(AF_INET, &port), after = listen_at(AF_INET6, &port);
    xray_emitter emitter;

    if (after < 0)
        cr_skip_test("there is no IPv6 here");
    use_names("127.0.0.1", NULL);
    emitter = emitter_to("daemon.test:", port, "");
    answers[0] = "::1";
    for (int i = 0; i < 10; i++)
        cr_expect_eq(emit_text(&emitter, "{}"), 0);
    cr_expect_eq(lookups, 1, "it is not due");
    make_due(&emitter);
    cr_expect(reaches(&emitter, after));
    emitter.destroy(emitter.data);
    close(before);
    close(after);
}

Test(udp, stays_where_it_is_while_the_name_has_that_address)
{
    uint16_t port = 0;
    int fd = listen_at(AF_INET, &port);
    xray_emitter emitter;

    use_names("127.0.0.1", NULL);
    emitter = emitter_to("daemon.test:", port, "");
    answers[0] = "::1";
    answers[1] = "127.0.0.1";
    make_due(&emitter);
    cr_expect_eq(emit_text(&emitter, "{}"), 0);
    expect_datagram(fd, "{}");
    wait_for_lookups(&emitter, 2);
    cr_expect_eq(emit_text(&emitter, "{}"), 0);
    expect_datagram(fd, "{}");
    emitter.destroy(emitter.data);
    close(fd);
}

Test(udp, stays_where_it_is_while_nobody_knows_the_name)
{
    uint16_t port = 0;
    int fd = listen_at(AF_INET, &port);
    xray_emitter emitter;

    use_names("127.0.0.1", NULL);
    emitter = emitter_to("daemon.test:", port, "");
    answers[0] = NULL;
    make_due(&emitter);
    cr_expect_eq(emit_text(&emitter, "{}"), 0);
    wait_for_lookups(&emitter, 2);
    cr_expect_eq(emit_text(&emitter, "{}"), 0);
    expect_datagram(fd, "{}");
    expect_datagram(fd, "{}");
    emitter.destroy(emitter.data);
    close(fd);
}

Test(udp, tries_the_other_address_of_a_name_when_one_refuses)
{
    uint16_t port = 0;
    int fd = listen_at(AF_INET, &port);
    xray_emitter emitter;

    /* What localhost is on many machines, with a daemon that knows IPv4 only. */
    use_names("::1", "127.0.0.1");
    emitter = emitter_to("daemon.test:", port, "");
    cr_expect(reaches(&emitter, fd));
    emitter.destroy(emitter.data);
    close(fd);
}

Test(udp, never_looks_for_a_numeric_address_again)
{
    uint16_t port = 0;
    int fd = listen_at(AF_INET, &port);
    xray_emitter emitter;

    use_names("::1", NULL);
    emitter = emitter_to("127.0.0.1:", port, "");
    close(fd);
    make_due(&emitter);
    for (int i = 0; i < 10; i++)
        (void)emit_text(&emitter, "{}");
    cr_expect_eq(lookups, 0);
    emitter.destroy(emitter.data);
}

Test(udp, waits_for_no_resolver)
{
    uint16_t port = 0;
    int fd = listen_at(AF_INET, &port);
    xray_emitter emitter;

    use_names("127.0.0.1", NULL);
    emitter = emitter_to("daemon.test:", port, "");
    answers_late = true;
    /* This ends only if neither call waits for the answer. */
    for (int i = 0; i < 10; i++) {
        make_due(&emitter);
        cr_expect_eq(emit_text(&emitter, "{}"), 0);
    }
    emitter.destroy(emitter.data);
    for (int i = 0; i < 2000 && lookups < 2; i++)
        usleep(10000);
    cr_expect_eq(lookups, 2, "one question at a time");
    sem_post(&may_answer);
    close(fd);
}

static int look_in_child(void)
{
    answers_late = false;
    make_due(&used_by_child);
    (void)emit_text(&used_by_child, "{}");
    for (int i = 0; i < 2000 && lookups < 3; i++)
        usleep(10000);
    used_by_child.destroy(used_by_child.data);
    return lookups == 3 ? 0 : 1;
}

Test(udp, looks_for_the_name_in_a_child_whose_parent_was_looking)
{
    uint16_t port = 0;
    int fd = listen_at(AF_INET, &port);

    use_names("127.0.0.1", NULL);
    used_by_child = emitter_to("daemon.test:", port, "");
    answers_late = true;
    make_due(&used_by_child);
    cr_expect_eq(emit_text(&used_by_child, "{}"), 0);
    for (int i = 0; i < 2000 && lookups < 2; i++)
        usleep(10000);
    in_child(look_in_child);
    sem_post(&may_answer);
    wait_for_lookups(&used_by_child, 2);
    used_by_child.destroy(used_by_child.data);
    close(fd);
}

Test(udp, says_when_a_name_is_unknown)
{
    xray_emitter emitter = { .size = sizeof(emitter) };

    use_names(NULL, NULL);
    cr_expect_eq(xr_emitter_udp(&emitter, "daemon.test:2000"), -EADDRNOTAVAIL);
}
