/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What recording costs: W1 to W7 and two threads on one recorder, a JSON line
 * each. docs/benchmarks.md says what they are and where the goals come from.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "record.h"

static const struct workload workloads[] = {
    { "W1", "record", "unsampled, the sampler needs no time", one_subsegment, &recorders.unsampled,
      2000000, 1, 1.0, TO_CLOCK, false },
    { "W1b", "record", "unsampled by the default sampler", one_subsegment, &recorders.by_default,
      1000000, 1, 1.3, TO_CLOCK, false },
    { "W2", "record", "1 subsegment, before the send", small, &recorders.kept, 200000, 1, 14,
      TO_CLOCK, false },
    { "W2", "sent", "1 subsegment, sent", small, &recorders.sent, 50000, 1, 1.5, TO_SEND, false },
    { "W3", "record", "5 subsegments with blocks, before the send", typical, &recorders.kept, 50000,
      1, 42, TO_CLOCK, false },
    { "W3", "sent", "5 subsegments with blocks, sent", typical, &recorders.sent, 25000, 1, 2.3,
      TO_SEND, false },
    { "W4", "record", "parse and format a trace header", header, NULL, 2000000, 1, 3, TO_CLOCK,
      false },
    { "W5", "record", "decision against 25 rules, the last matches", decision, NULL, 1000000, 1, 6,
      TO_CLOCK, false },
    { "W6", "record", "each of 10,000 subsegments, before the send", wide, &recorders.kept, 20,
      WIDTH, 0, TO_CLOCK, false },
    { "W6", "sent", "each of 10,000 subsegments, sent", wide, &recorders.sent, 5, WIDTH, 1.3,
      TO_SEND, false },
    { "W6", "batched", "each of 10,000 subsegments, through the queue", wide, &recorders.batched,
      10, WIDTH, 0.6, TO_SEND, true },
    { "capture", "W2", "W2 unsampled, recorded in case it fails", small, &recorders.captured,
      200000, 1, 1, TO_SAMPLED, false },
    { "capture", "W3", "W3 unsampled, recorded in case it fails", typical, &recorders.captured,
      50000, 1, 1, TO_SAMPLED, false },
};

static const struct arrival arrivals[] = {
    { "W2 sent", "W2 documents that arrive", small, &recorders.sent, 50000, 0.65, false },
    { "W3 sent", "W3 documents that arrive", typical, &recorders.sent, 25000, 0.5, false },
    { "W2 batched", "W2 documents that arrive, through the queue", small, &recorders.batched,
      100000, 0.6, true },
    { "W3 batched", "W3 documents that arrive, through the queue", typical, &recorders.batched,
      50000, 0.6, true },
};

static const struct sharing sharings[] = {
    { "W1", "two threads on one recorder, unsampled", one_subsegment, &recorders.unsampled,
      1000000 },
    { "W2", "two threads on one recorder, before the send", small, &recorders.kept, 100000 },
    { "W3", "two threads on one recorder, before the send", typical, &recorders.kept, 25000 },
};

#define COMPANY      0.05 /* the part of the time that others may take without a word */
#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static struct result results[COUNT(workloads) + COUNT(arrivals) + COUNT(sharings)];
static size_t results_n;

static struct {
    const char *only; /* "W2,W7"; NULL is all */
    long divisor;
    size_t capacity;
    bool table, rules;
} options = { .divisor = 1 };

static const char names[] = "W1,W1b,W2,W3,W4,W5,W6,W7,capture,threads";

static const char usage[] =
    "Usage: bench-record [OPTION…]\n"
    "\n"
    "Measures what recording costs and prints one JSON line for each workload: the\n"
    "median, least and most of seven runs in nanoseconds for each operation; the\n"
    "ratio to what the machine itself needed in the same moment; allocations in all\n"
    "runs; the bytes of a document; the goal, and whether it is met. W1 to W6 also\n"
    "have to do without allocations. The program runs on one CPU, what receives its\n"
    "documents on another. Build it with --buildtype=release, and let nothing else\n"
    "run: the machine's other work shows in ns, and less so in the ratios.\n"
    "\n"
    "  -o, --only NAME[,NAME…]   only these: W1 W1b W2 W3 W4 W5 W6 W7 capture threads\n"
    "  -t, --table               and a table for people at the end\n"
    "  -q, --quick               a tenth of the operations: to see that all works\n"
    "  -c, --capacity BYTES      of the queue; else its own default\n"
    "  -r, --print-rules         the sampling rules of W5, and nothing more\n"
    "  -h, --help                this text\n"
    "\n"
    "Exit status: 0 when all was measured, whether or not goals are met; 1 when\n"
    "something failed; 2 for an option it does not know.\n"
    "\n"
    "Examples:\n"
    "  bench-record --table\n"
    "  bench-record >before; …; bench-record >after; bench/compare before after\n"
    "  bench-record --only W2,W3\n";

/* 0, or the exit status + 1. */
static int read_options(int argc, char **argv)
{
    static const struct option known[] = {
        { "only", required_argument, NULL, 'o' },
        { "table", no_argument, NULL, 't' },
        { "quick", no_argument, NULL, 'q' },
        { "capacity", required_argument, NULL, 'c' },
        { "print-rules", no_argument, NULL, 'r' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };

    for (;;) {
        switch (getopt_long(argc, argv, "o:tqc:rh", known, NULL)) {
        case -1:
            if (optind == argc)
                return 0;
            fprintf(stderr, "bench-record: \"%s\" is no option; try --help\n", argv[optind]);
            return 3;
        case 'o':
            options.only = optarg;
            break;
        case 't':
            options.table = true;
            break;
        case 'q':
            options.divisor = 10;
            break;
        case 'c':
            options.capacity = strtoul(optarg, NULL, 10);
            break;
        case 'r':
            options.rules = true;
            break;
        case 'h':
            fputs(usage, stdout);
            return 1;
        default:
            return 3;
        }
    }
}

/* Whether a name is in a list with commas. */
static bool among(const char *list, const char *name, size_t length)
{
    while (*list) {
        size_t word = strcspn(list, ",");

        if (word == length && strncmp(list, name, length) == 0)
            return true;
        list += word + (list[word] == ',');
    }
    return false;
}

static bool wanted(const char *name)
{
    return !options.only || among(options.only, name, strlen(name));
}

static bool all_known(const char *list)
{
    while (*list) {
        size_t word = strcspn(list, ",");

        if (!among(names, list, word)) {
            fprintf(stderr, "bench-record: there is no workload \"%.*s\": %s\n", (int)word, list,
                    names);
            return false;
        }
        list += word + (list[word] == ',');
    }
    return true;
}

static const char *reason(int error)
{
    switch (error) {
    case -EPROTO:
        return "the library counts other documents than the sink; is something else sending to it?";
    case -EBADMSG:
        return "a document without the daemon's header line or its closing brace";
    case -ENOMSG:
        return "no document arrived";
    case -EOPNOTSUPP:
        return "the kernel has no UDP_SEGMENT (since Linux 4.18)";
    default:
        return strerror(-error);
    }
}

/* Takes the next of the results; whether to go on. */
static bool done(const char *name, const char *variant, int r)
{
    if (r < 0) {
        fprintf(stderr, "bench-record: %s, %s: %s\n", name, variant, reason(r));
        return r == -EOPNOTSUPP;
    }
    print_result(stdout, &results[results_n++]);
    return true;
}

static void warn_of_company(void)
{
    double most = 0;

    for (size_t i = 0; i < results_n; i++)
        if (results[i].taken > most)
            most = results[i].taken;
    if (most > COMPANY)
        fprintf(stderr,
                "bench-record: something else had the CPU for up to %.0f %% of the time; nothing "
                "else should run\n",
                100 * most);
}

static bool run_all(struct sink *sink)
{
    bool good = true;

    for (size_t i = 0; i < COUNT(workloads) && good; i++)
        if (wanted(workloads[i].name))
            good = done(workloads[i].name, workloads[i].variant,
                        measure(&workloads[i], sink, options.divisor, &results[results_n]));
    for (size_t i = 0; i < COUNT(arrivals) && good && wanted("W7"); i++)
        good = done("W7", arrivals[i].variant,
                    arrive(&arrivals[i], sink, options.divisor, &results[results_n]));
    if (wanted("threads") && places.program < 0) {
        fprintf(stderr, "bench-record: threads: left out, since there is only one CPU\n");
        return good;
    }
    for (size_t i = 0; i < COUNT(sharings) && good && wanted("threads"); i++)
        good = done("threads", sharings[i].variant,
                    share(&sharings[i], options.divisor, &results[results_n]));
    return good;
}

static int print_rules(void)
{
    char text[8192];

    rules_text(text, sizeof(text));
    puts(text);
    return 0;
}

int main(int argc, char **argv)
{
    struct sink sink;
    bool good = false;
    int r = read_options(argc, argv);

    if (r > 0)
        return r - 1;
    if (options.rules)
        return print_rules();
    if (options.only && !all_known(options.only))
        return 2;
    places_find();
    r = sink_start(&sink, places.sink);
    if (r >= 0) {
        place_on(places.program);
        calibrate_with(&sink);
        r = recorders_make(sink.address, options.capacity);
    }
    if (r < 0) {
        fprintf(stderr, "bench-record: could not set up: %s\n", strerror(-r));
    } else {
        print_machine(stdout, &sink);
        good = run_all(&sink);
        recorders_free();
    }
    sink_stop(&sink);
    warn_of_company();
    if (good && options.table)
        print_table(stdout, results, results_n);
    return good ? 0 : 1;
}
