/* link.h - the agent's way to its server: one session for all threads, one connection each.
 *
 * A session is a token with a life; it is asked for when there is none, when it is
 * about to end, and when the server says 401.  One thread asks at a time, the others
 * wait; after a failure nobody asks again before a pause (full jitter).  A node that
 * is revoked asks no more: everything answers ERR_FORBIDDEN from then on, and what is
 * enforced stays enforced. */
#ifndef KEEP_AGENT_LINK_H
#define KEEP_AGENT_LINK_H

#include "base/arena.h"
#include "base/err.h"
#include "client/http.h"

#include <stdbool.h>
#include <stdint.h>

enum { PASS_TOKEN_MAX = 512 };

struct pass_grant {
    char token[PASS_TOKEN_MAX];
    int64_t life_ms;                     /* from now */
    int64_t poll_interval_ms;            /* 0: not said */
    int64_t clock_skew_ms;               /* our clock minus the server's */
};

/* Asks for a session.  ERR_FORBIDDEN: this node is revoked, or not known. */
typedef int pass_ask_fn(void *arg, struct pass_grant *out, struct err *err);

struct pass;

int pass_open(pass_ask_fn *ask, void *arg, struct pass **out, struct err *err);
void pass_close(struct pass *s);   /* NULL-safe */

/* A token that should be good now; generation says which.  Not the one of `bad` (0: any),
 * which the server refused. */
int pass_token(struct pass *s, unsigned bad, char out[PASS_TOKEN_MAX], unsigned *generation, struct err *err);

/* Somebody enrolled anew: asks again. */
void pass_forget(struct pass *s);

struct pass_status {
    bool is_revoked, is_open;
    int64_t grants, failures;            /* failures since the last grant */
    int64_t poll_interval_ms, clock_skew_ms, ends_ms;    /* ends: monotonic */
    char problem[200];
};
void pass_status(struct pass *s, struct pass_status *out);

/* ---- requests ----------------------------------------------------------------------- */

struct link {
    struct pass *pass;
    struct http_client *client;
    char token[PASS_TOKEN_MAX];
    unsigned generation;
};

int link_open(struct link *l, const struct client_config *config, struct pass *pass, struct err *err);
void link_close(struct link *l);

/* Makes the client carry a token that should be good; another one than the last if
 * is_refused. */
int link_token(struct link *l, bool is_refused, struct err *err);

/* http_client_send with the session's token; once more with a new one after 401. */
int link_send(struct link *l, const struct client_request *r, struct arena *arena, struct client_answer *out, struct err *err);

/* Full jitter: anything up to least << failures, at most `most`. */
int64_t backoff_ms(unsigned failures, int64_t least, int64_t most, uint32_t random);
uint32_t random_u32(void);

#endif
