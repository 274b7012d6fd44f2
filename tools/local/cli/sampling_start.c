/* SPDX-License-Identifier: Apache-2.0 */
#include "local/cli/sampling_start.h"

#include "local/api/api.h"
#include "local/base/buffer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int cannot_read(const char *path, const char *reason)
{
    fprintf(stderr, "xraytrace-local: cannot take sampling rules from %s: %s\n", path, reason);
    return EXIT_NOT_FOUND;
}

/* All of the file, or as much as shows that it is too long. The text is NULL if memory
   ran out. 0 or -errno. */
static int read_file(const char *path, char **ret, size_t *ret_length)
{
    FILE *file = fopen(path, "re");
    struct buffer text = { 0 };
    char part[4096];
    size_t length;
    if (!file)
        return -errno;
    while (!text.failed && text.length <= SAMPLING_FILE_MAX_BYTES &&
           (length = fread(part, 1, sizeof part, file)) > 0)
        buffer_append(&text, part, length);
    int r = ferror(file) ? -errno : 0;
    fclose(file);
    if (r < 0)
        buffer_free(&text);
    else
        *ret = buffer_take(&text, ret_length);
    return r;
}

static int load(struct sampling_service *service, const char *path, int64_t now_ns)
{
    struct sampling_problem problem;
    char *text;
    size_t length;
    int r = read_file(path, &text, &length);
    if (r < 0)
        return cannot_read(path, strerror(-r));
    r = text ? sampling_service_load(service, text, length, now_ns, &problem) : -ENOMEM;
    free(text);
    if (r == -EINVAL)
        return cannot_read(path, problem.text);
    return r < 0 ? cannot_read(path, strerror(-r)) : EXIT_DONE;
}

static int64_t clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void restore(void *data, const char *name, const char *json)
{
    struct sampling_problem problem;
    (void)name;
    if (sampling_service_load(data, json, strlen(json), clock_ns(), &problem) == -EINVAL)
        fprintf(stderr, "xraytrace-local: the kept sampling rules are left out: %s\n",
                problem.text);
}

void sampling_restore(struct sampling_service *service, struct store *store)
{
    store_kept(store, API_SAMPLING_KIND, restore, service);
}

int sampling_start(struct sampling_service **ret, const struct options *options)
{
    /* All of it is what development wants to see. */
    struct sampling_settings settings = { .fixed_rate = 1, .reservoir_size = 1 };
    if (options->sampling_cloud)
        settings = SAMPLING_SETTINGS_CLOUD;
    int64_t now_ns = clock_ns();
    int r = sampling_service_new(ret, &settings, now_ns);
    if (r < 0) {
        fprintf(stderr, "xraytrace-local: cannot start: %s\n", strerror(-r));
        return EXIT_NOT_FOUND;
    }
    if (!options->sampling_rules)
        return EXIT_DONE;
    r = load(*ret, options->sampling_rules, now_ns);
    if (r != EXIT_DONE)
        sampling_service_free(*ret);
    return r;
}
