/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the api suites share: a recorder whose documents are kept, and the rules
 * that every document and every count has to keep, whatever was recorded.
 */
#ifndef TESTS_API_SUPPORT_H
#define TESTS_API_SUPPORT_H

#include <cjson/cJSON.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <xraytrace/xraytrace.h>

#include "../documents/rules.h"

/* The recorder of record(); also the default one. */
extern xray_recorder *recorder;

/* What emitters answer, and a clock that stands still. */
extern int emitter_answer;
extern int64_t clock_ns;
extern const xray_clock still_clock;
extern const xray_sampler sampler_yes, sampler_no;

/* Everything is sampled, kept, and taken from the params alone. */
void record(void);

/* The same; what the params have stays. */
void record_with(xray_recorder_params params);

/* The same, but the environment is read. */
void record_from_environment(xray_recorder_params params);

/*
 * After everything has ended: checks all documents and that the counts add up,
 * and frees the recorder. Documents stay.
 */
void settle(void);

xray_stats stats_of(xray_recorder *of);

/* ---- Documents ----------------------------------------------------------- */

/*
 * What the emitter of record() does with each document at once, for other
 * emitters: one that breaks a rule ends the process, and says which.
 */
void check_document(const xray_document *document);

/* An exception that may be named as a cause without being in a document. */
void declare_exception(xray_segment_id id);

size_t document_count(void);
const char *document_text(size_t i);
uint32_t document_flags(size_t i);
const char *document_service(size_t i);
const cJSON *document(size_t i);
void forget_documents(void);

/* The only segment or subsegment of that name, in whatever document; NULL if there is none. */
const cJSON *entity(const char *name);

/* The same, which must be a document by itself, or within another one. */
const cJSON *own_document(const char *name);
const cJSON *embedded(const char *name);
const cJSON *parent_of_embedded(const char *name);

/* A member by its path, "http.request.url"; NULL if it is not there. */
const cJSON *member(const cJSON *object, const char *path);

/* "" if it is not there or no text. */
const char *text_at(const cJSON *object, const char *path);
double number_at(const cJSON *object, const char *path);
bool true_at(const cJSON *object, const char *path);

/* Whether any document has this text anywhere. */
bool emitted_text(const char *text);

/* Every parent_id names an entity that was emitted, or is 16 digits of the given id. */
void expect_no_orphans(xray_segment_id known);

/* The number of entities, in documents of their own and embedded ones. */
size_t entity_count(void);

void id_text(char ret[17], xray_segment_id id);

/* ---- Messages ------------------------------------------------------------- */

size_t message_count(void);
const char *message(size_t i);
bool logged_text(const char *text);

/* ---- Threads --------------------------------------------------------------- */

/* Runs it on a new thread, and waits for that to end. */
void on_thread(void (*function)(void *), void *data);

#endif /* TESTS_API_SUPPORT_H */
