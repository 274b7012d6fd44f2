/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How anything here is measured: seven runs, each in slices between calibrations,
 * since the speed of a shared machine changes from one moment to the next. What
 * counts is the ratio of the two; nanoseconds are of this machine.
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stdbool.h>
#include <stdio.h>

#define RUNS   7
#define EXTRAS 6

struct figure {
    double median, least, most;
};

/* Where things run: two CPUs of those this process may use; -1 when there is only one. */
struct places {
    int program, sink;
};
extern struct places places;

/* One line of the output. */
struct result {
    const char *workload, *variant, *what;
    struct figure ns; /* each operation */
    double cpu_ns;    /* of all threads */
    double taken;     /* the part of the time in which something else had the CPU */
    const char *calibration;
    double calibration_ns;
    struct figure ratio;
    double cpu_ratio; /* by CPU time instead: what is left of it where others run too; 0 is none */
    double goal;      /* for the ratio's median; 0 is none */
    bool at_least;    /* the ratio should be the goal or more, else that or less */
    bool no_allocations; /* is part of the goal */
    long operations;     /* in all runs together */
    unsigned long allocations, library_allocations, documents, bytes, dropped, failed;
    struct {
        const char *name;
        double value;
    } extras[EXTRAS];
};

void places_find(void);
void place_on(int cpu); /* the calling thread, and those it starts; -1 does nothing */

double now_ns(void);
double cpu_ns(void);
double thread_cpu_ns(void); /* of the calling thread alone */
struct figure figure_of(const double values[RUNS]);

/* Nanoseconds of n calls. */
double time_of(void (*run)(void), long n);

/* ---- Calibrations: nanoseconds of each ---- */

struct sink;
void calibrate_with(const struct sink *sink);
double clock_read(void);
double send_600(void);
double computation(void);

/* n datagrams of so many bytes each, at most DATAGRAM_SIZE: the nanoseconds of all. */
double raw_send(long n, size_t bytes);
/* The same in batches of 32 or less by UDP_SEGMENT; less than 0 where the kernel can't. */
double raw_gso(long n, size_t bytes);

/* ---- Allocations ---- */

/* Calls of malloc() and its kin by any thread since the process began. */
unsigned long allocations_seen(void);
/* Whether they are seen at all. */
bool allocations_are_seen(void);

/* ---- Output ---- */

bool result_met(const struct result *result);
void print_result(FILE *out, const struct result *result);
void print_table(FILE *out, const struct result *results, size_t n);
void print_machine(FILE *out, const struct sink *sink);

#endif /* BENCH_MEASURE_H */
