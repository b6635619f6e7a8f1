/* link.c - see link.h. */
#include "agent/link.h"

#include "base/crypto.h"
#include "base/time.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { ASK_LEAST_MS = 1000, ASK_MOST_MS = 300000, LIFE_LEAST_MS = 10000 };

struct pass {
    pass_ask_fn *ask;
    void *arg;
    pthread_mutex_t lock;                /* held over asking: whoever needs a token waits for it */
    struct pass_grant grant;
    unsigned generation;                 /* of the grant; 0: there is none */
    int64_t ends_ms, ask_from_ms;        /* monotonic */
    unsigned failures;
    int64_t grants;
    bool is_revoked;
    char problem[200];
};

uint32_t random_u32(void)
{
    uint32_t n;

    random_bytes(&n, sizeof n);
    return n;
}

int64_t backoff_ms(unsigned failures, int64_t least, int64_t most, uint32_t random)
{
    int64_t bound = failures < 20 ? least << failures : most;

    if (bound > most)
        bound = most;
    return (int64_t)((uint64_t)random * (uint64_t)bound >> 32) + 1;
}

int pass_open(pass_ask_fn *ask, void *arg, struct pass **out, struct err *err)
{
    struct pass *s = calloc(1, sizeof *s);

    if (s == NULL)
        return err_nomem(err);
    s->ask = ask;
    s->arg = arg;
    pthread_mutex_init(&s->lock, NULL);
    *out = s;
    return 0;
}

void pass_close(struct pass *s)
{
    if (s == NULL)
        return;
    pthread_mutex_destroy(&s->lock);
    crypto_wipe(s->grant.token, sizeof s->grant.token);
    free(s);
}

static int ask_failed(struct pass *s, int64_t now_ms, struct err *err)
{
    s->ask_from_ms = now_ms + backoff_ms(s->failures, ASK_LEAST_MS, ASK_MOST_MS, random_u32());
    s->failures++;
    s->is_revoked = err->kind == ERR_FORBIDDEN;
    memcpy(s->problem, err->msg, sizeof s->problem - 1);
    return -1;
}

static int pass_ask(struct pass *s, struct err *err)
{
    int64_t now = time_monotonic_ms();
    struct pass_grant grant = { .life_ms = 0 };

    if (s->is_revoked)
        return err_set(err, ERR_FORBIDDEN, "this node is revoked: %s", s->problem);
    if (now < s->ask_from_ms)
        return err_set(err, ERR_UNAVAILABLE, "no session: %s", s->problem);
    if (s->ask(s->arg, &grant, err) != 0)
        return ask_failed(s, now, err);
    s->grant = grant;
    s->generation++;
    s->grants++;
    s->failures = 0;
    s->problem[0] = '\0';
    /* A little before it ends, and never so early that we would ask all the time. */
    int64_t use = grant.life_ms - grant.life_ms / 10;
    s->ends_ms = now + (use > LIFE_LEAST_MS ? use : LIFE_LEAST_MS);
    return 0;
}

int pass_token(struct pass *s, unsigned bad, char out[PASS_TOKEN_MAX], unsigned *generation, struct err *err)
{
    int rc = 0;

    pthread_mutex_lock(&s->lock);
    if (s->generation == 0 || s->generation == bad || time_monotonic_ms() >= s->ends_ms)
        rc = pass_ask(s, err);
    if (rc == 0) {
        memcpy(out, s->grant.token, PASS_TOKEN_MAX);
        *generation = s->generation;
    }
    pthread_mutex_unlock(&s->lock);
    return rc;
}

void pass_forget(struct pass *s)
{
    pthread_mutex_lock(&s->lock);
    s->is_revoked = false;
    s->ask_from_ms = s->ends_ms = 0;
    s->failures = 0;
    pthread_mutex_unlock(&s->lock);
}

void pass_status(struct pass *s, struct pass_status *out)
{
    pthread_mutex_lock(&s->lock);
    *out = (struct pass_status){
        .is_revoked = s->is_revoked, .is_open = s->generation != 0 && s->failures == 0 && time_monotonic_ms() < s->ends_ms,
        .grants = s->grants, .failures = s->failures, .poll_interval_ms = s->grant.poll_interval_ms,
        .clock_skew_ms = s->grant.clock_skew_ms, .ends_ms = s->ends_ms,
    };
    memcpy(out->problem, s->problem, sizeof out->problem);
    pthread_mutex_unlock(&s->lock);
}

/* ---- requests ----------------------------------------------------------------------- */

int link_open(struct link *l, const struct client_config *config, struct pass *pass, struct err *err)
{
    *l = (struct link){ .pass = pass };
    return http_client_open(config, &l->client, err);
}

void link_close(struct link *l)
{
    http_client_close(l->client);
    crypto_wipe(l->token, sizeof l->token);
    l->client = NULL;
}

int link_token(struct link *l, bool is_refused, struct err *err)
{
    if (pass_token(l->pass, is_refused ? l->generation : 0, l->token, &l->generation, err) != 0)
        return -1;
    http_client_token(l->client, l->token);
    return 0;
}

int link_send(struct link *l, const struct client_request *r, struct arena *arena, struct client_answer *out, struct err *err)
{
    *out = (struct client_answer){ .content_type = "", .etag = "" };
    if (link_token(l, false, err) != 0)
        return -1;
    int rc = http_client_send(l->client, r, arena, out, err);
    if (rc == 0 || out->status != 401)
        return rc;
    *out = (struct client_answer){ .content_type = "", .etag = "" };
    if (link_token(l, true, err) != 0)
        return -1;
    return http_client_send(l->client, r, arena, out, err);
}
