/* SPDX-License-Identifier: Apache-2.0 */
/* The web page and what it asks beside the X-Ray API: "/", /page/… and /api/…. */
#ifndef LOCAL_PAGE_H
#define LOCAL_PAGE_H

#include "local/api/api.h"

#define PAGE_TELEMETRY_MAX 50u

/* What the status says of a program that runs. */
struct page_settings {
    const char *directory; /* of the page's files; NULL: those in the program */
    const char *address;
    uint16_t http_port;
    uint16_t udp_port;
    const char *database; /* NULL: none */
    double started;       /* seconds since 1970 */
};

struct page;

/* Copies the settings, not their texts. 0 or -ENOMEM. */
int page_new(struct page **ret, const struct page_settings *settings);
void page_free(struct page *page);

/* Keeps what a daemon says of itself in a PutTelemetryRecords. */
void page_note_telemetry(struct page *page, const cJSON *request);

/* False if the path is none of the page's. */
bool page_handle(const struct api *api, const struct http_request *request,
                 struct http_reply *reply);

#endif
