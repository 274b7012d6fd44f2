/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Documents byte for byte. A file holds what one test emitted, a document on
 * each line, with what differs from run to run replaced: see normalise().
 */
#ifndef TESTS_GOLDEN_GOLDEN_H
#define TESTS_GOLDEN_GOLDEN_H

#include "api/support.h"

/* For .init: a recorder as record() makes it, whose clock stands still. */
void golden_record(void);
void golden_record_with(xray_recorder_params params);

/* A quarter of a second passes. */
void golden_wait(void);

/*
 * Settles, and compares all documents with tests/golden/<name>.json. With
 * XRAYTRACE_TESTS_REWRITE set, a file that differs is written anew instead, and
 * the old and the new text are printed to be read. Run the test by hand for it:
 * Criterion shows nothing of that with --tap.
 */
void expect_golden(const char *name);

#endif /* TESTS_GOLDEN_GOLDEN_H */
