/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration of adaptive sampling, when it is in a file. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "sampling/adaptive.h"
#include "sampling/adaptive_yaml.h"

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), end_length = strlen(end);

    return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

static bool is_path(const char *text)
{
    struct stat status;

    if (*text == '{' || strchr(text, '\n'))
        return false;
    return ends_with(text, ".yaml") || ends_with(text, ".yml") || ends_with(text, ".json") ||
           stat(text, &status) == 0;
}

/* At most size bytes; a file may change while it is read. */
static ssize_t read_whole(int fd, char *memory, size_t size)
{
    size_t length = 0;
    ssize_t n = 1;

    while (n != 0 && length < size) {
        n = read(fd, memory + length, size - length);
        if (n < 0 && errno != EINTR)
            return -errno;
        if (n > 0)
            length += (size_t)n;
    }
    return (ssize_t)length;
}

/* Not a pipe, at which a program would wait for ever. */
static int open_file(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat status;
    int r = 0;

    if (fd < 0)
        return -errno;
    if (fstat(fd, &status) < 0)
        r = -errno;
    else if (S_ISDIR(status.st_mode))
        r = -EISDIR;
    else if (!S_ISREG(status.st_mode))
        r = -EINVAL;
    if (r < 0)
        close(fd);
    return r < 0 ? r : fd;
}

int xr_adaptive_read(struct xr_adaptive **ret, const char *text_or_path, char *ret_reason,
                     size_t reason_size)
{
    const struct xr_yaml_reason reason = { .text = ret_reason, .size = reason_size };
    const size_t size = XR_ADAPTIVE_TEXT_MAX + 2; /* enough to see that it is too long */
    ssize_t length;
    char *text;
    int fd, r;

    if (!is_path(text_or_path))
        return xr_adaptive_new(ret, text_or_path, ret_reason, reason_size);
    fd = open_file(text_or_path);
    if (fd < 0) {
        xr_yaml_say(&reason, 0, "the file %.100s cannot be read: %s", text_or_path,
                    fd == -EINVAL ? "it is not a regular file" : strerror(-fd));
        return fd;
    }
    text = xr_alloc(size);
    length = text ? read_whole(fd, text, size - 1) : -ENOMEM;
    close(fd);
    r = (int)length;
    if (length >= 0) {
        text[length] = '\0';
        if (strlen(text) < (size_t)length) {
            xr_yaml_say(&reason, 0, "the file %.100s holds a NUL: write it as UTF-8", text_or_path);
            r = -EINVAL;
        } else {
            r = xr_adaptive_new(ret, text, ret_reason, reason_size);
        }
    } else {
        xr_yaml_say(&reason, 0, "the file %.100s cannot be read: %s", text_or_path, strerror(-r));
    }
    if (text)
        xr_free(text, size);
    return r;
}
