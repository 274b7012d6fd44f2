/* SPDX-License-Identifier: Apache-2.0 */
/* What the service would reject, drop or not index of a document, and what other
   readers of documents would trip over. */
#ifndef LOCAL_LINT_H
#define LOCAL_LINT_H

#include <cjson/cJSON.h>
#include <stddef.h>

#define LINT_BYTES_MAX       65536u /* of a document */
#define LINT_NAME_MAX        200u   /* characters */
#define LINT_STRING_MAX      250u
#define LINT_ANNOTATIONS_MAX 50u /* of a trace */
#define LINT_LINKS_MAX       20
#define LINT_FINDINGS_MAX    200u /* of a document; further ones are left out */

enum finding_level {
    FINDING_NOTE,    /* works in X-Ray, but not everywhere */
    FINDING_WARNING, /* a part is dropped, cut or not indexed */
    FINDING_ERROR,   /* X-Ray rejects the document */
};

struct finding {
    enum finding_level level;
    const char *code;  /* static, such as "annotation-key" */
    char path[160];    /* "subsegments[0].http.request.url"; "": the document */
    char message[224]; /* a sentence without a full stop */
};

typedef void lint_found(void *data, const struct finding *finding);

/* bytes is the length of the document's text. Calls back for each finding, in the order
   of the document. */
void lint_document(const cJSON *document, size_t bytes, lint_found *found, void *data);

/* "error", "warning", "note" */
const char *lint_level_name(enum finding_level level);

#endif
