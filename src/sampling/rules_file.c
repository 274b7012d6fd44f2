/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One decision a second looks at the file, while all others go by the rules that
 * are there. What is read is compared with what was read before, so that a file
 * which is only touched, or written anew as it was, changes no reservoir.
 */
#include "sampling/rules_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/published.h"
#include "sampling/rules.h"

#define LOOK_EVERY_NS XR_NS_PER_S

/* A clock of the file system may stand so long: what is younger may change and look the same. */
#define SETTLED_AFTER_NS (2 * XR_NS_PER_S)

struct identity {
    uint64_t device;
    uint64_t inode;
    int64_t size;
    int64_t modified_ns; /* by a program, which may set it back */
    int64_t changed_ns;
};

struct content {
    char *text; /* with a zero behind it */
    size_t length;
    struct identity identity;
    uint64_t digest;
};

struct rules_file {
    struct xr_published rules;
    struct xr_logger logger;
    _Atomic int64_t next_look_ns;
    atomic_bool looking; /* one thread is, and has the rest for itself */
    bool settled;
    unsigned missed; /* looks in a row that found no file */
    struct identity seen;
    uint64_t accepted; /* digests */
    uint64_t refused;
    _Atomic int64_t complained_ns;
    size_t bytes; /* of this block */
    char path[];
};

/* ---- Reading ----------------------------------------------------------------- */

static struct identity identity_of(const struct stat *status)
{
    return (struct identity){
        .device = (uint64_t)status->st_dev,
        .inode = (uint64_t)status->st_ino,
        .size = (int64_t)status->st_size,
        .modified_ns = status->st_mtim.tv_sec * XR_NS_PER_S + status->st_mtim.tv_nsec,
        .changed_ns = status->st_ctim.tv_sec * XR_NS_PER_S + status->st_ctim.tv_nsec,
    };
}

static bool is_same(const struct identity *a, const struct identity *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->modified_ns == b->modified_ns && a->changed_ns == b->changed_ns;
}

/* FNV-1a. */
static uint64_t digest_of(const char *text, size_t length)
{
    uint64_t digest = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < length; i++)
        digest = (digest ^ (uint8_t)text[i]) * UINT64_C(0x100000001b3);
    return digest;
}

static void free_content(struct content *content)
{
    xr_free(content->text, (size_t)content->identity.size + 1);
}

static int read_open(struct content *ret, int fd)
{
    struct stat status;
    ssize_t got = 1;

    if (fstat(fd, &status) < 0)
        return -errno;
    if (!S_ISREG(status.st_mode))
        return S_ISDIR(status.st_mode) ? -EISDIR : -EINVAL;
    if (status.st_size > XR_RULES_TEXT_MAX)
        return -EFBIG;
    *ret = (struct content){ .identity = identity_of(&status) };
    ret->text = xr_alloc((size_t)status.st_size + 1);
    if (!ret->text)
        return -ENOMEM;
    while (got > 0 && ret->length < (size_t)status.st_size) {
        got = read(fd, ret->text + ret->length, (size_t)status.st_size - ret->length);
        ret->length += got > 0 ? (size_t)got : 0;
    }
    if (got < 0) {
        int error = errno;

        free_content(ret);
        return -error;
    }
    ret->text[ret->length] = '\0';
    ret->digest = digest_of(ret->text, ret->length);
    return 0;
}

/* The identity is that before the reading: what is written meanwhile is seen at the next look. */
static int read_content(struct content *ret, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), r;

    if (fd < 0)
        return -errno;
    r = read_open(ret, fd);
    close(fd);
    return r;
}

static void complain_unreadable(const struct xr_rules_source *source, int error)
{
    xr_rules_complain(source, "%s",
                      error == -EFBIG    ? "the file has more than 1048576 bytes"
                      : error == -EINVAL ? "it is no regular file"
                                         : strerror(-error));
}

/* ---- Looking ----------------------------------------------------------------- */

static struct xr_rules_source source_of(const struct rules_file *file, bool keeps_former)
{
    return (struct xr_rules_source){ &file->logger, file->path, keeps_former };
}

static void note(struct rules_file *file, const struct identity *identity)
{
    int64_t age_ns = xr_clock_coarse_ns() - identity->changed_ns;

    file->seen = *identity;
    file->settled = age_ns < -SETTLED_AFTER_NS || age_ns > SETTLED_AFTER_NS;
}

/* For a moment there may be none: some editors write another, and rename it. */
static void miss(struct rules_file *file, int error)
{
    struct xr_rules_source source = source_of(file, true);

    if (++file->missed == 2)
        complain_unreadable(&source, error);
}

static void take_over(struct rules_file *file, struct content *content)
{
    struct xr_rules_source source = source_of(file, true);
    struct xr_rules *rules;
    int r;

    if (content->digest == file->accepted || content->digest == file->refused) {
        if (content->digest == file->accepted)
            file->refused = 0;
        note(file, &content->identity);
        return;
    }
    r = xr_rules_new(&rules, content->text, content->length, &source);
    if (r == -ENOMEM) {
        /* Not noted, so that the next look tries again. */
        if (xr_log_due(&file->complained_ns))
            complain_unreadable(&source, r);
        return;
    }
    note(file, &content->identity);
    if (r < 0) {
        file->refused = content->digest;
        return;
    }
    file->accepted = content->digest;
    file->refused = 0;
    xr_published_replace(&file->rules, rules);
}

static void look(struct rules_file *file)
{
    struct content content;
    struct identity found;
    struct stat status;
    int r;

    xr_published_collect(&file->rules);
    if (stat(file->path, &status) < 0) {
        miss(file, -errno);
        return;
    }
    found = identity_of(&status);
    if (file->settled && file->missed == 0 && is_same(&found, &file->seen))
        return;
    r = read_content(&content, file->path);
    if (r == -ENOENT || r == -ENOMEM) {
        miss(file, r);
        return;
    }
    file->missed = 0;
    if (r < 0) {
        struct xr_rules_source source = source_of(file, true);

        /* Said once for each change, also while it is not settled. */
        if (!is_same(&found, &file->seen))
            complain_unreadable(&source, r);
        note(file, &found);
        return;
    }
    take_over(file, &content);
    free_content(&content);
}

void xr_rules_file_look(void *sampler_data, int64_t now_ns)
{
    struct rules_file *file = sampler_data;

    if (now_ns < atomic_load_explicit(&file->next_look_ns, memory_order_relaxed) ||
        atomic_exchange_explicit(&file->looking, true, memory_order_acquire))
        return;
    /* Another thread may have looked since. */
    if (now_ns >= atomic_load_explicit(&file->next_look_ns, memory_order_relaxed)) {
        look(file);
        atomic_store_explicit(&file->next_look_ns, now_ns + LOOK_EVERY_NS, memory_order_relaxed);
    }
    atomic_store_explicit(&file->looking, false, memory_order_release);
}

/* ---- The sampler ------------------------------------------------------------- */

static void decide(void *data, const xray_sampling_request *request, xray_sampling_decision *ret)
{
    struct rules_file *file = data;
    unsigned ticket;

    xr_rules_file_look(file, xr_clock_read(CLOCK_MONOTONIC_COARSE));
    xr_rules_decide(xr_published_enter(&file->rules, &ticket), request, ret);
    xr_published_leave(&file->rules, ticket);
}

static void after_fork(void *data)
{
    struct rules_file *file = data;

    xr_published_after_fork(&file->rules);
    /* The thread that was looking is not here; what it had seen is seen again. */
    file->settled = false;
    atomic_store(&file->looking, false);
}

static void destroy(void *data)
{
    struct rules_file *file = data;

    if (!file)
        return;
    xr_published_destroy(&file->rules);
    xr_free(file, file->bytes);
}

static int make(struct rules_file **ret, const char *path, const struct xr_logger *logger,
                const struct content *content)
{
    const struct xr_rules_source source = { .logger = logger, .name = path };
    size_t path_size = strlen(path) + 1;
    struct rules_file *file = xr_alloc_zero(sizeof(*file) + path_size);
    struct xr_rules *rules;
    int r = -ENOMEM;

    if (file)
        r = xr_rules_new(&rules, content->text, content->length, &source);
    if (r < 0) {
        if (file)
            xr_free(file, sizeof(*file) + path_size);
        return r;
    }
    file->bytes = sizeof(*file) + path_size;
    memcpy(file->path, path, path_size);
    file->logger = *logger;
    file->accepted = content->digest;
    xr_published_init(&file->rules, rules, xr_rules_free);
    note(file, &content->identity);
    atomic_init(&file->next_look_ns, xr_clock_read(CLOCK_MONOTONIC_COARSE) + LOOK_EVERY_NS);
    *ret = file;
    return 0;
}

int xr_sampler_rules_file(xray_sampler *ret, const char *path, const struct xr_logger *logger)
{
    xray_sampler sampler = {
        .size = sizeof(sampler), .decide = decide, .after_fork = after_fork, .destroy = destroy
    };
    const struct xr_rules_source source = { .logger = logger, .name = path };
    struct content content;
    struct rules_file *file;
    int r;

    if (xr_sampler_check(ret) < 0 || !path) {
        xr_rules_complain(&source, "give a sampler with its size set, and a path");
        return -EINVAL;
    }
    r = read_content(&content, path);
    if (r < 0) {
        complain_unreadable(&source, r);
        return r;
    }
    r = make(&file, path, logger, &content);
    free_content(&content);
    if (r < 0)
        return r;
    sampler.data = file;
    xr_sampler_fill(ret, &sampler);
    return 0;
}
