/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Execution environments: started when there is work and none is free, frozen
 * when they wait, killed when they take too long, taken away when they ended
 * or were idle too long.
 */

#include "environment.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define JANITOR_MS 500

void environment_freeze(struct environment *environment)
{
    if (!environment->frozen && environment->process) {
        environment->frozen = true;
        process_signal(environment->process, SIGSTOP);
    }
}

void environment_thaw(struct environment *environment)
{
    if (environment->frozen && environment->process) {
        environment->frozen = false;
        process_signal(environment->process, SIGCONT);
    }
}

/* ---- Ends -------------------------------------------------------------------------- */

void invocation_fail(struct invocation *invocation, const char *type, const char *message)
{
    cJSON *body = json_object(NULL, NULL);

    json_text(body, "errorMessage", message);
    json_text(body, "errorType", type);
    invocation->failed = true;
    invocation->done = true;
    invocation->done_ns = now_ns();
    invocation->answer = json_print(body);
    invocation->answer_length = strlen(invocation->answer);
    cJSON_Delete(body);
}

void environment_fail(struct environment *environment, const char *type, const char *message)
{
    struct invocation *invocation = environment->invocation;

    if (invocation && !invocation->done) {
        if (environment->init_error) {
            /* What the runtime itself said is better than what its end looks like. */
            invocation->failed = invocation->done = true;
            invocation->done_ns = now_ns();
            invocation->answer = text_copy(environment->init_error);
            invocation->answer_length = strlen(invocation->answer);
        } else {
            invocation_fail(invocation, type, message);
        }
        environment->invocation = NULL;
    }
    if (environment->state != ENVIRONMENT_DEAD) {
        environment->state = ENVIRONMENT_DEAD;
        environment->function->environments--;
    }
    pthread_cond_broadcast(&environment->lambda->changed);
}

/* On the reaper's thread: the bootstrap has ended. */
static void on_ended(void *data)
{
    struct environment *environment = data;
    struct lambda *lambda = environment->lambda;

    pthread_mutex_lock(&lambda->lock);
    if (environment->state != ENVIRONMENT_DEAD) {
        const char *outcome = process_outcome(environment->process);
        char *message = text_format("RequestId: %s Error: Runtime exited with error: %s",
                                    environment->request_id, outcome);
        log_line("%s-%u ended: %s", environment->function->name, environment->number, outcome);
        environment_fail(environment, "Runtime.ExitError", message);
        free(message);
    }
    pthread_mutex_unlock(&lambda->lock);
}

/* ---- Calls of AWS -------------------------------------------------------------------- */

static struct fault plan_call(void *data, const struct aws_call *call)
{
    struct environment *environment = data;
    const struct function *function = environment->function;
    struct lambda *lambda = environment->lambda;

    pthread_mutex_lock(&lambda->lock);
    const struct invocation *invocation = environment->invocation;
    struct fault fault = faults_of(function->faults, function->name, call,
                                   invocation ? invocation->payload : NULL);
    pthread_mutex_unlock(&lambda->lock);
    return fault;
}

static void kill_at_call(void *data, const struct aws_call *call, bool is_after)
{
    struct environment *environment = data;
    struct lambda *lambda = environment->lambda;

    log_line("%s-%u is killed %s %s.%s", environment->function->name, environment->number,
             is_after ? "after" : "before", call->service, call->operation);
    /* With the lock: its start is over then, and the process known. */
    pthread_mutex_lock(&lambda->lock);
    process_kill(environment->process);
    pthread_mutex_unlock(&lambda->lock);
}

static int start_relay(struct environment *environment)
{
    const struct function *function = environment->function;

    return relay_start(&environment->relay,
                       &(struct relay_params){ .moto_port = function->moto_port,
                                               .control_port = function->control_port,
                                               .plan = plan_call,
                                               .kill = kill_at_call,
                                               .data = environment });
}

/* ---- Starts ------------------------------------------------------------------------- */

static bool has_variable(const struct function *function, const char *start)
{
    for (char *const *variable = function->environment; *variable; variable++)
        if (strncmp(*variable, start, strlen(start)) == 0)
            return true;
    return false;
}

/* The reduced environment: Lambda's variables and the function's, nothing else. */
static char **environment_variables(const struct environment *environment)
{
    const struct function *function = environment->function;
    size_t count = 0;

    while (function->environment[count])
        count++;
    char **variables = memory_new((count + 20) * sizeof(*variables));
    size_t next = 0;
    for (size_t i = 0; i < count; i++)
        variables[next++] = text_copy(function->environment[i]);
    /* What was given with --env goes first. */
    if (!has_variable(function, "AWS_ENDPOINT_URL="))
        variables[next++] = text_format("AWS_ENDPOINT_URL=http://127.0.0.1:%u",
                                        relay_port(environment->relay));
    variables[next++] = text_format("_HANDLER=%s", function->name);
    variables[next++] = text_format("AWS_LAMBDA_RUNTIME_API=127.0.0.1:%u",
                                    http_server_port(environment->api));
    variables[next++] = text_format("AWS_LAMBDA_FUNCTION_NAME=%s", function->name);
    variables[next++] = text_copy("AWS_LAMBDA_FUNCTION_VERSION=$LATEST");
    variables[next++] = text_format("AWS_LAMBDA_FUNCTION_MEMORY_SIZE=%d", function->memory_mib);
    variables[next++] = text_copy("AWS_LAMBDA_INITIALIZATION_TYPE=on-demand");
    variables[next++] = text_format("AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/%s", function->name);
    variables[next++] = text_format("AWS_LAMBDA_LOG_STREAM_NAME=%s-%u", function->name,
                                    environment->number);
    variables[next++] = text_format("TMPDIR=%s", environment->directory);
    variables[next++] = text_format("HOME=%s", environment->directory);
    variables[next++] = text_copy("LANG=C.UTF-8");
    variables[next++] = text_copy("TZ=:UTC");
    return variables;
}

static void free_variables(char **variables)
{
    for (char **variable = variables; *variable; variable++)
        free(*variable);
    free(variables);
}

static int start_bootstrap(struct environment *environment)
{
    const struct lambda_params *params = &environment->lambda->params;
    const char *argv[] = { params->bootstrap, NULL };
    char **variables = environment_variables(environment);

    int error = process_start(&environment->process,
                              &(struct process_params){
                                  .argv = argv,
                                  .environment = (const char *const *)variables,
                                  .directory = environment->directory,
                                  .log_path = environment->log_path,
                                  .ended = on_ended,
                                  .data = environment,
                              });
    if (error)
        log_error("cannot start %s: %s", params->bootstrap, strerror(-error));
    free_variables(variables);
    return error;
}

static void free_environment(struct environment *environment)
{
    /* Before its connections end, of which it would hear. */
    if (environment->process)
        process_kill(environment->process);
    relay_free(environment->relay);
    process_free(environment->process);
    http_server_free(environment->api);
    free(environment->init_error);
    remove_tree(environment->directory);
    free(environment->directory);
    free(environment->log_path);
    free(environment);
}

static int start_environment(struct function *function, struct environment **ret)
{
    struct lambda *lambda = function->lambda;
    struct environment *environment = memory_new(sizeof(*environment));

    environment->lambda = lambda;
    environment->function = function;
    environment->number = ++function->started;
    environment->started_ns = now_ns();
    environment->reserved = true;
    environment->directory = text_format("%s/%s-%u", lambda->params.work_directory, function->name,
                                         environment->number);
    environment->log_path = text_format("%s/%s-%u.log", lambda->params.log_directory,
                                        function->name, environment->number);
    int error = make_directories(environment->directory);
    if (!error)
        error = http_server_start(&environment->api, &(struct http_server_params){
                                                         .body_limit = LAMBDA_BODY_LIMIT,
                                                         .handle = runtime_api,
                                                         .data = environment,
                                                     });
    if (!error)
        error = start_relay(environment);
    if (!error)
        error = start_bootstrap(environment);
    if (error) {
        log_error("cannot start an environment for %s: %s", function->name, strerror(-error));
        free_environment(environment);
        return error;
    }
    environment->next = lambda->environments;
    lambda->environments = environment;
    function->environments++;
    *ret = environment;
    return 0;
}

int environment_acquire(struct function *function, struct environment **ret, bool *ret_cold)
{
    struct lambda *lambda = function->lambda;

    if (lambda->stopping)
        return -ECANCELED;
    for (struct environment *environment = lambda->environments; environment;
         environment = environment->next) {
        if (environment->function == function && environment->state == ENVIRONMENT_IDLE &&
            !environment->reserved) {
            environment->reserved = true;
            *ret = environment;
            *ret_cold = false;
            return 0;
        }
    }
    if (function->environments >= function->concurrency)
        return -EAGAIN;
    *ret_cold = true;
    return start_environment(function, ret);
}

/* ---- Work -------------------------------------------------------------------------- */

static void time_out(struct environment *environment, struct invocation *invocation)
{
    char *message;

    if (invocation->delivered)
        message = text_format("RequestId: %s Error: Task timed out after %d.00 seconds",
                              invocation->request_id, environment->function->timeout_s);
    else
        message = text_format("RequestId: %s Error: the bootstrap did not ask for work within "
                              "%d.00 seconds",
                              invocation->request_id, LAMBDA_INIT_TIMEOUT_MS / 1000);
    environment_fail(environment, "Sandbox.Timedout", message);
    free(message);
}

void environment_run(struct environment *environment, struct invocation *invocation)
{
    struct lambda *lambda = environment->lambda;
    int64_t init_until = now_ms() + LAMBDA_INIT_TIMEOUT_MS;

    environment->reserved = false;
    if (environment->state == ENVIRONMENT_DEAD) {
        environment->invocation = invocation;
        environment_fail(environment, "Runtime.ExitError", "the environment has ended");
        return;
    }
    snprintf(environment->request_id, sizeof(environment->request_id), "%s",
             invocation->request_id);
    environment->invocation = invocation;
    environment->answered = false;
    if (environment->state == ENVIRONMENT_IDLE)
        environment->state = ENVIRONMENT_BUSY;
    environment_thaw(environment);
    pthread_cond_broadcast(&lambda->changed);

    while (!invocation->done) {
        int64_t until = invocation->delivered ? environment->deadline_ms : init_until;
        if (lambda->stopping)
            environment_fail(environment, "Sandbox.Stopped", "media-local stops");
        else if (!lambda_wait(lambda, until) && !invocation->done &&
                 now_ms() >= (invocation->delivered ? environment->deadline_ms : init_until))
            time_out(environment, invocation);
    }
}

/* ---- The janitor ------------------------------------------------------------------- */

static bool is_to_be_taken_away(struct environment *environment)
{
    struct lambda *lambda = environment->lambda;

    if (environment->reserved)
        return false;
    if (environment->state == ENVIRONMENT_DEAD)
        return true;
    if (lambda->stopping && !environment->invocation)
        return true;
    if (environment->state == ENVIRONMENT_IDLE)
        return now_ms() - environment->idle_since_ms > lambda->params.idle_ms;
    /* Answered, but never asks for more: its time runs on. */
    return environment->state == ENVIRONMENT_BUSY && environment->answered &&
           now_ms() > environment->deadline_ms;
}

static struct environment *unlink_next(struct lambda *lambda)
{
    for (struct environment **link = &lambda->environments; *link; link = &(*link)->next) {
        struct environment *environment = *link;
        if (is_to_be_taken_away(environment)) {
            environment_fail(environment, "Sandbox.Stopped", "the environment is stopped");
            *link = environment->next;
            return environment;
        }
    }
    return NULL;
}

void *environment_janitor(void *data)
{
    struct lambda *lambda = data;

    pthread_mutex_lock(&lambda->lock);
    while (!lambda->stopping || lambda->environments) {
        struct environment *environment = unlink_next(lambda);
        if (environment) {
            pthread_mutex_unlock(&lambda->lock);
            free_environment(environment);
            processes_kill_orphans();
            pthread_mutex_lock(&lambda->lock);
        } else {
            lambda_wait(lambda, now_ms() + JANITOR_MS);
        }
    }
    pthread_mutex_unlock(&lambda->lock);
    return NULL;
}
