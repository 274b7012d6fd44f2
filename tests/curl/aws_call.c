/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One AWS call from the command line, for tests that look at it from outside:
 *     aws-call SERVICE OPERATION METHOD PATH QUERY BODY [HEADER…]
 * Prints the status and the body. AWS_ENDPOINT_URL and the credentials say where to.
 */
#include <stdio.h>
#include <string.h>
#include <xraytrace/aws.h>

int main(int count, char **words)
{
    xray_aws_reply reply = { .size = sizeof(reply) };
    xray_aws_client *client = NULL;
    int r;

    if (count < 7) {
        fprintf(stderr, "usage: %s SERVICE OPERATION METHOD PATH QUERY BODY [HEADER...]\n",
                words[0]);
        return 2;
    }
    if (xray_aws_client_new(&client, words[1], NULL) < 0)
        return 1;
    r = xray_aws_call(client,
                      xray_aws_request(.operation = words[2], .method = words[3], .path = words[4],
                                       .query = words[5], .body = words[6],
                                       .body_length = strlen(words[6]),
                                       .headers = (const char *const *)words + 7),
                      &reply);
    printf("%d %d\n%s\n%s\n%s\n", r, (int)reply.status, reply.error_code, reply.error_message,
           reply.body);
    xray_aws_client_free(client);
    return r == 0 ? 0 : 1;
}
