/* nodes.h - who is enrolled, in memory: what the light path asks instead of the database.
 *
 * A node has a small number in the store, and here a place by that number: reading
 * it takes no lock.  Places are only ever added; the texts in them never change and
 * live until nodes_close.  Revoking is one atomic store, so the next request of a
 * revoked node is refused, whatever its session token says.
 *
 * Who writes: a session (the row it was given is put here), a revocation, and
 * nodes_refresh, which the housekeeper calls every second and which reads what
 * other processes on the same database did. */
#ifndef KEEP_SERVICE_NODES_H
#define KEEP_SERVICE_NODES_H

#include "base/buf.h"
#include "base/err.h"
#include "model/node.h"
#include "service/app.h"
#include "service/call.h"

#include <stdbool.h>
#include <stdint.h>

struct nodes;

/* What never changes about a node. */
struct node_facts {
    int64_t id;                          /* of the store */
    const char *node_id, *name, *cluster, *scope;
    uint64_t scope_hash;                 /* as in its session tokens */
};

/* Opens app->nodes with everything that is in the database; the key of session
 * tokens is read from, or made in, DATA/agent-session.key (0600).  Processes that
 * share a database and a name share this file, too.  After the writer was opened. */
int nodes_open(struct app *app, struct err *err);
void nodes_close(struct app *app);                        /* NULL-safe */

/* Reads all of it again: adds what is new, and takes over what was revoked. */
int nodes_reload(struct app *app, struct err *err);

/* The housekeeper's round: writes what nodes_seen remembered, and takes over what
 * other processes did.  Through the writer. */
int nodes_refresh(struct app *app, int64_t now_ms, struct err *err);

/* Known and not revoked.  Lock-free, any thread. */
bool nodes_admit(struct nodes *nodes, int64_t node);

/* What is known of a node, or NULL; lives until nodes_close. */
const struct node_facts *nodes_facts(struct nodes *nodes, int64_t node);

/* It was here: remembered in memory, written by nodes_refresh.  from may be NULL;
 * applied_version < 0: it did not say. */
void nodes_seen(struct nodes *nodes, int64_t node, int64_t now_ms, const char *from, int64_t applied_version);

/* The newest of what the store and memory know: last_seen_ms, last_from,
 * bundle_version and state of a node that was read from the store. */
void nodes_overlay(struct app *app, struct node *node, int64_t now_ms);

/* Puts a committed row here.  ERR_UNAVAILABLE (no memory). */
int nodes_put(struct nodes *nodes, const struct node *node, struct err *err);

/* Refuses it from now on.  Safe before the commit: nodes_refresh looks again. */
void nodes_revoke(struct nodes *nodes, int64_t node);

/* ---- session tokens (base/mac_token.h) ---------------------------------------- */

/* "keepn_...", NULL when the arena is full.  certificate: what the token is bound to
 * (the hex fingerprint of the client's TLS key), NULL: to none. */
const char *nodes_token(struct nodes *nodes, const struct node_facts *facts, const char *certificate, int64_t issued_ms,
                        int64_t expires_ms, struct arena *arena);

/* Is this text a node's token by its look? */
bool nodes_is_token(const char *text);

/* Names the caller of a session token, without database or lock.  1: right, but the
 * node is not known here (yet): ask again with a reader.  -1: ERR_UNAUTHENTICATED. */
int nodes_identify(struct app *app, struct db *reader, const char *token, const char *certificate, const char *from,
                   struct arena *arena, int64_t now_ms, struct caller *out, struct err *err);

/* Is a caller that nodes_identify named still good?  No database, no lock, no hashing. */
bool nodes_still(struct app *app, const struct caller *caller, int64_t now_ms);

/* ---- figures --------------------------------------------------------------------- */

enum nodes_refusal { NODES_BAD_TOKEN = 0, NODES_REVOKED, NODES_BAD_JOIN, NODES_BAD_SESSION, NODES_TOO_MANY, NODES_NO_CERTIFICATE, NODES_REFUSAL_N };
void nodes_count_refusal(struct nodes *nodes, enum nodes_refusal why);
void nodes_count_session(struct nodes *nodes);
void nodes_count_enrolment(struct nodes *nodes);
void nodes_metrics(struct app *app, struct buf *out);     /* must not block */

/* May this address try again?  A bucket of failed enrolments and sessions each: what
 * fails takes one, what succeeds none.  True: go on. */
bool nodes_may_try(struct nodes *nodes, const char *from, int64_t *retry_after_s);
void nodes_failed(struct nodes *nodes, const char *from);

/* ---- handlers --------------------------------------------------------------------- */

call_fn node_enroll_prepare, node_enroll;                  /* node_enroll.c */
call_fn node_session_prepare, node_session;                /* node_session.c */
call_fn node_status;                                       /* node_status.c */
call_fn node_page, node_show, node_revoke;                 /* manage_node.c */
call_fn join_token_page, join_token_create, join_token_revoke;   /* manage_join.c */
extern const char *const join_token_headers[];

/* node_scope.c: labels as the store has them, and the word for cluster and labels. */
int node_labels(const struct json *labels, struct arena *arena, const char **out, struct err *err);
const char *node_scope(const char *cluster, const char *labels, struct arena *arena);    /* NULL: no memory */

/* node_status.c: its problem in words, from its row and its last report.  In the arena. */
const char *node_problem_text(const struct node *node, int64_t dropped, struct arena *arena, int64_t now_ms);

#endif
