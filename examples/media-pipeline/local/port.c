/* SPDX-License-Identifier: Apache-2.0 */
/* TCP ports of 127.0.0.1: which are free, and who has those that are not. */

#include "port.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "util.h"

static uint16_t try_bind(uint16_t port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
    socklen_t length = sizeof(address);
    int yes = 1;
    uint16_t bound = 0;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return 0;
    /* As servers do, so that old connections in TIME_WAIT are no hindrance. */
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(fd, 1) == 0 &&
        getsockname(fd, (struct sockaddr *)&address, &length) == 0)
        bound = ntohs(address.sin_port);
    close(fd);
    return bound;
}

bool port_is_free(uint16_t port)
{
    return try_bind(port) == port;
}

uint16_t port_pick(void)
{
    return try_bind(0);
}

/* The inode of the socket that listens on the port, or 0. */
static unsigned long listener_inode(const char *table, uint16_t port)
{
    char line[512];
    unsigned long found = 0;
    FILE *file = fopen(table, "re");

    while (file && !found && fgets(line, sizeof(line), file)) {
        unsigned local = 0, state = 0;
        unsigned long inode = 0;
        if (sscanf(line, " %*u: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*s %*s %*s %*u %*u %lu",
                   &local, &state, &inode) == 3 &&
            local == port && state == 0x0a)
            found = inode;
    }
    if (file)
        fclose(file);
    return found;
}

static bool holds_socket(const char *pid, unsigned long inode)
{
    char directory_path[64], wanted[64];
    bool holds = false;

    snprintf(wanted, sizeof(wanted), "socket:[%lu]", inode);
    snprintf(directory_path, sizeof(directory_path), "/proc/%.20s/fd", pid);
    DIR *directory = opendir(directory_path);
    struct dirent *entry;
    while (directory && !holds && (entry = readdir(directory))) {
        char path[128], target[128];
        snprintf(path, sizeof(path), "%s/%.20s", directory_path, entry->d_name);
        ssize_t length = readlink(path, target, sizeof(target) - 1);
        if (length > 0) {
            target[length] = '\0';
            holds = strcmp(target, wanted) == 0;
        }
    }
    if (directory)
        closedir(directory);
    return holds;
}

static char *describe_process(const char *pid)
{
    char path[64], name[64] = "";

    snprintf(path, sizeof(path), "/proc/%.20s/comm", pid);
    FILE *file = fopen(path, "re");
    if (file) {
        if (fgets(name, sizeof(name), file))
            name[strcspn(name, "\n")] = '\0';
        fclose(file);
    }
    return text_format("%s (process %s)", name[0] ? name : "a process", pid);
}

char *port_holder(uint16_t port)
{
    unsigned long inode = listener_inode("/proc/net/tcp", port);
    char *holder = NULL;

    if (!inode)
        inode = listener_inode("/proc/net/tcp6", port);
    DIR *directory = inode ? opendir("/proc") : NULL;
    struct dirent *entry;
    while (directory && !holder && (entry = readdir(directory)))
        if (isdigit((unsigned char)entry->d_name[0]) && holds_socket(entry->d_name, inode))
            holder = describe_process(entry->d_name);
    if (directory)
        closedir(directory);
    return holder ? holder : text_copy("a process of another user");
}

uint16_t port_choose(uint16_t wanted, const char *purpose)
{
    if (wanted && port_is_free(wanted))
        return wanted;

    uint16_t picked = port_pick();
    if (wanted) {
        char *holder = port_holder(wanted);
        log_error("port %u, wanted for %s, is taken by %s; using %u instead", wanted, purpose,
                  holder, picked);
        free(holder);
    }
    return picked;
}
