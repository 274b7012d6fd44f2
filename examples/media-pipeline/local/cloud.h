/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MEDIA_LOCAL_CLOUD_H
#define MEDIA_LOCAL_CLOUD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The AWS services that media-local does not play itself: a moto server, with
 * what Terraform would have created in it, and signatures and permissions
 * checked from then on.
 */

#define CLOUD_ACCOUNT "123456789012"
#define CLOUD_BUCKET  "media-downloader-files"

struct credentials {
    char *access_key_id;
    char *secret_access_key;
    char *session_token; /* NULL for a user's key */
};

/* Who signs requests with an access key. */
struct principal {
    char *access_key_id;
    char *name;
    bool is_role;
};

/* The six functions' roles and the two users. */
#define CLOUD_PRINCIPAL_LIMIT 16

struct cloud {
    char *region;
    char *url; /* of moto, without a slash at the end */
    uint16_t port;
    char *platform_application_arn;
    char *api_token;                  /* its hash is in the table ApiTokens */
    char *user_id;                    /* to whom it belongs */
    struct credentials administrator; /* may do everything: for scripts */
    struct credentials own;           /* of this process: may read objects and policies */
    struct principal principals[CLOUD_PRINCIPAL_LIMIT];
    size_t principal_count;
    struct process *process;
};

struct cloud_params {
    const char *moto; /* the program */
    uint16_t port;    /* wanted; 0: any */
    const char *region;
    const char *directory; /* moto's home */
    const char *log_path;
};

/* 0 or -errno, with the reason on stderr. */
int cloud_start(struct cloud **ret, const struct cloud_params *params);

/* A role that may do these actions, a list ended by NULL, and its temporary credentials. */
int cloud_role(struct cloud *cloud, const char *name, const char *const *actions,
               struct credentials *ret);

/*
 * From here on moto checks signatures and permissions, which is tried with a
 * wrong secret; and this process has credentials for what it does itself, which
 * is the content delivery and looking at policies. Before there are other threads
 * that read the environment.
 */
int cloud_lock(struct cloud *cloud);

/* A call of the query protocol, which SNS, IAM and STS speak. Copies the reply to *ret_body. */
int cloud_query(const struct cloud *cloud, const char *service, const char *form, char **ret_body);

/* NULL is allowed. */
void cloud_free(struct cloud *cloud);

void credentials_free(struct credentials *credentials);

#endif /* MEDIA_LOCAL_CLOUD_H */
