/* bundles.h - what nodes are told, signed.
 *
 * Per scope (cluster and labels of enrolled nodes) a bundle is built, signed and
 * compressed once per change, by a thread of its own.  Its version is taken in the
 * write transaction, so several servers on one database never give one number to two
 * contents.  What is served is an immutable snapshot in memory: the light route reads
 * it without a lock and without a query. */
#ifndef KEEP_SERVICE_BUNDLES_H
#define KEEP_SERVICE_BUNDLES_H

#include "base/crypto.h"
#include "service/app.h"
#include "service/call.h"

struct bundles;

/* Sets app->bundles: reads or makes the root of trust and the online key, makes what is
 * due, and starts the thread.  After the writer is open, before requests. */
int bundles_open(struct app *app, const struct ready_ops *ready, struct err *err);
void bundles_close(struct app *app);              /* after the HTTP server is closed; NULL-safe */

/* Something in a bundle may have changed (a policy, a profile, a setting, a node with a
 * new scope): it is looked at within a second, by the bundles' own thread.  Any thread,
 * also the writer's; never blocks; nothing happens when app->bundles is NULL. */
void bundles_changed(struct app *app, const char *cause);

/* The newest root of trust, for who enrols: what a node pins.  Any thread, no database.
 * ERR_UNAVAILABLE before there is one. */
struct root_pin {
    int64_t version;
    const char *envelope; size_t len;             /* in the arena */
    char fingerprint[FINGERPRINT_LEN + 1];        /* SHA-256 of the envelope's payload, hex: for join commands */
};
int bundles_root(struct app *app, struct arena *arena, struct root_pin *out, struct err *err);

/* Series for /metrics. */
void bundles_metrics(struct app *app, struct buf *out);

/* ---- handlers --------------------------------------------------------------------- */

extern const char *const agent_bundle_headers[];
extern const struct shape agent_bundle_query_shape;
call_fn agent_bundle, agent_root;                          /* LIGHT; bundles.c */
call_fn bundle_page, trust_show;                           /* manage_trust.c */
call_fn trust_root_prepare, trust_root_add;                /* the next root, as signed; prepare, then add */
call_fn trust_key_prepare, trust_key_rotate;               /* a new bundle key; prepare, then rotate */

#endif
