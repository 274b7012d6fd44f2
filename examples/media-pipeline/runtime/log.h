/* SPDX-License-Identifier: Apache-2.0 */
/* What goes to stdout, one JSON object a line: messages, and metrics as CloudWatch's EMF.
 * Never a payload, a token or a credential. */
#ifndef PIPELINE_RUNTIME_LOG_H
#define PIPELINE_RUNTIME_LOG_H

#include <cjson/cJSON.h>

#include <xraytrace/recorder.h>

enum log_level {
    LOG_DEBUG,
    LOG_INFO,
    LOG_WARNING,
    LOG_ERROR,
};

/* Who is speaking, for every line that follows; NULL leaves a member out. */
void log_set_function(const char *function);
void log_set_request(const char *request_id, const char *trace_id);

/* fields (NULL is allowed) are added to the line and freed. */
void log_write(enum log_level level, cJSON *fields, const char *format, ...) XRAY_PRINTF(3, 4);

/* One metric of the namespace MediaDownloader; units are CloudWatch's: "Count", "Bytes"… */
void log_metric(const char *name, const char *unit, double value);

/* The library's own messages, as lines of the same kind. */
const xray_logger *log_for_library(void);

#endif /* PIPELINE_RUNTIME_LOG_H */
