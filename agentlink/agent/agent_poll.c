/* agent_poll.c - the poller: roots and bundles, as agent/update.h does one round. */
#include "agent/agent.h"

#include "base/time.h"

#include <string.h>

enum { POLL_LEAST_MS = 1000, POLL_MOST_MS = 600000, REVOKED_PAUSE_MS = 60000, AGAIN_LEAST_MS = 50, AGAIN_SPREAD_MS = 500 };

/* A time around the interval, so that nodes that began together do not stay together. */
static int64_t around(int64_t interval_ms)
{
    return interval_ms * 4 / 5 + (int64_t)((uint64_t)random_u32() * (uint64_t)(interval_ms * 2 / 5 + 1) >> 32);
}

/* A root may have come since: somebody enrolled again. */
static void open_late(struct agent *a)
{
    struct update_config config = { .dir = a->settings.state_dir, .scope = a->facts.scope };
    struct err err = { 0 };

    if (a->update == NULL && update_open(&config, &a->update, &err) != 0) {
        a->update = NULL;
        pthread_mutex_lock(&a->lock);
        snprintf(a->shared.bundle_problem, sizeof a->shared.bundle_problem, "no root of trust: %.150s", err.msg);
        pthread_mutex_unlock(&a->lock);
    }
}

static void note(struct agent *a, const struct update_result *r)
{
    bool is_well = r->outcome == UPDATE_APPLIED || r->outcome == UPDATE_UNCHANGED;
    struct update_state state;

    update_state(a->update, time_now_ms(), &state);
    pthread_mutex_lock(&a->lock);
    snprintf(a->shared.bundle_problem, sizeof a->shared.bundle_problem, "%.190s", state.problem != NULL ? state.problem : "");
    state.problem = NULL;
    a->shared.bundle = state;
    memcpy(a->shared.poll_words, r->words, sizeof a->shared.poll_words);
    if (is_well)
        a->shared.polled_ms = time_now_ms();
    pthread_mutex_unlock(&a->lock);
}

static void tell(struct agent *a, const struct update_result *r, enum update_outcome before)
{
    if (r->outcome == UPDATE_APPLIED)
        LOG(&a->log, LOG_INFO, "bundle applied", LOG_TEXT("what", r->words));
    else if (r->outcome == UPDATE_REFUSED)
        LOG(&a->log, LOG_ERROR, "bundle refused; the last good one stays in force", LOG_TEXT("why", r->words));
    else if (r->outcome == UPDATE_FAILED && before != UPDATE_FAILED)
        LOG(&a->log, LOG_WARN, "no answer about bundles; the last good one stays in force", LOG_TEXT("why", r->words));
}

/* One round; returns how long to pause. */
static int64_t poll_once(struct agent *a, struct link *link, unsigned *failures, enum update_outcome *outcome)
{
    struct update_transport transport = update_over_http(link->client);
    int64_t wait_s = a->pace.poll_wait_ms / MS_SECOND, began = time_monotonic_ms();
    struct update_result r = { .outcome = UPDATE_FAILED };
    struct err err = { 0 };

    if (link_token(link, *outcome == UPDATE_DENIED, &err) != 0) {
        *outcome = UPDATE_FAILED;
        return backoff_ms((*failures)++, POLL_LEAST_MS, POLL_MOST_MS, random_u32());
    }
    if (update_poll(a->update, &transport, wait_s, time_now_ms(), &r, &err) != 0)
        snprintf(r.words, sizeof r.words, "%s", err.msg);
    if (a->is_stopping)
        return 0;
    note(a, &r);
    tell(a, &r, *outcome);
    *outcome = r.outcome;
    if (r.outcome == UPDATE_APPLIED)
        agent_apply(a);
    if (r.outcome == UPDATE_DENIED && *failures == 0)
        return (*failures)++, 0;                     /* once at once, with a new session */
    if (r.outcome == UPDATE_FAILED || r.outcome == UPDATE_REFUSED || r.outcome == UPDATE_DENIED)
        return backoff_ms((*failures)++, POLL_LEAST_MS, POLL_MOST_MS, random_u32());
    *failures = 0;
    /* A server that holds answers is asked again at once; one that answered early, after the interval. */
    bool was_held = wait_s > 0 && (r.outcome == UPDATE_APPLIED || time_monotonic_ms() - began >= wait_s * MS_SECOND / 2);
    return was_held ? AGAIN_LEAST_MS + (int64_t)(random_u32() % AGAIN_SPREAD_MS) : around(a->pace.poll_interval_ms);
}

void *agent_poll_main(void *arg)
{
    struct agent *a = arg;
    struct client_config config = agent_client(a, agent_is_stopping);
    enum update_outcome outcome = UPDATE_UNCHANGED;
    unsigned failures = 0, round = a->round;
    struct link link;
    struct err err = { 0 };

    if (link_open(&link, &config, a->pass, &err) != 0) {
        LOG(&a->log, LOG_ERROR, "no client for bundles", LOG_TEXT("error", err.msg));
        return NULL;
    }
    if (a->shared.bundle.version > 0)                /* there is something to enforce: no hurry, so that a fleet spreads */
        agent_pause(a, backoff_ms(20, 1, a->pace.poll_interval_ms, random_u32()));
    while (!a->is_stopping) {
        int64_t pause = REVOKED_PAUSE_MS;
        if (a->round != round) {
            round = a->round;
            agent_apply(a);
        }
        open_late(a);
        if (a->update == NULL)
            pause = around(a->pace.poll_interval_ms);
        else if (!agent_is_revoked(a))
            pause = poll_once(a, &link, &failures, &outcome);
        if (pause > 0)
            agent_pause(a, pause);
    }
    link_close(&link);
    return NULL;
}
