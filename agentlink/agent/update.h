/* update.h - from a server's answers to the bundle in force on this node.
 *
 * One round: newer roots, then the bundle; verified (wire/trust.h), every file bounded
 * by its signed length; the floor is written and synced before anything is applied;
 * applying is the rename of a symbolic link.  Whatever fails leaves everything as it
 * was, and the next round can succeed.  An expired bundle goes on being enforced and
 * is reported as stale.
 *
 * The state folder (0700):
 *   root.json              the newest trusted root, as signed
 *   floor.json             newest trusted version, its hash, clock floor
 *   bundle -> bundle.N.H   the bundle in force (version, begin of its hash): bundle.json
 *                          (its envelope), etag, and its files
 */
#ifndef KEEP_AGENT_UPDATE_H
#define KEEP_AGENT_UPDATE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "wire/trust.h"

#include <stdbool.h>
#include <stdint.h>

struct http_client;
struct update;

enum { UPDATE_ROOTS_MAX = 1024, UPDATE_WAIT_MAX_S = 300 };

/* An answer as it comes: called any number of times; not 0: stop, enough. */
typedef int update_take_fn(void *arg, const void *bytes, size_t len);

struct update_ask {
    const char *target;                  /* "/v1/agent/bundle?applied=7" */
    const char *etag;                    /* If-None-Match; NULL: none */
    int64_t wait_s;                      /* Prefer: wait; 0: none */
    int64_t within_ms;                   /* the whole answer must be there by then (beside wait_s) */
    update_take_fn *take;                /* only bytes of a 200 */
    void *arg;
};
struct update_answer {
    unsigned status;                     /* 200, 304, 401, 404, ... */
    char etag[96];                       /* "" none */
};

/* How the server is reached.  -1: no whole answer (err says why, ERR_TIMEOUT: too slow);
 * else the status, whatever it is, and the bytes through take. */
struct update_transport {
    int (*get)(void *arg, const struct update_ask *ask, struct update_answer *out, struct err *err);
    void *arg;
};
/* Over a client whose token is the node's session. */
struct update_transport update_over_http(struct http_client *client);

struct update_config {
    const char *dir;                     /* state folder; exists */
    const char *scope;                   /* whom bundles must be for */
    int64_t within_ms;                   /* bound of one download; 0: 60 s */
    int64_t roots_every_ms;              /* newer roots are asked for this often, and before anything new
                                            is believed; 0: every hour, below 0: in every round */
    /* For tests: called before each step that changes something ("root", "floor", "files",
     * "link", "clean"); not 0 is a failure there.  NULL: none. */
    int (*at)(void *arg, const char *step);
    void *at_arg;
};

/* Opens the folder and verifies what is in it: a root must be there (update_pin).
 * What is damaged below the root is reported by update_poll and fetched anew. */
int update_open(const struct update_config *config, struct update **out, struct err *err);
void update_close(struct update *u);                       /* NULL-safe */

/* Writes the first root, as it came with enrolment, into the folder; refused when one is
 * there already (ERR_CONFLICT) or it does not verify. */
int update_pin(const char *dir, const void *envelope, size_t len, struct err *err);

enum update_outcome {
    UPDATE_FAILED = 0,       /* no answer, or our disk: nothing changed */
    UPDATE_REFUSED,          /* an answer that is not believed: nothing changed; reason says why */
    UPDATE_DENIED,           /* 401 or 403: the session is over or the node is revoked */
    UPDATE_UNCHANGED,
    UPDATE_APPLIED,
    UPDATE_OUTCOME_N
};
const char *update_outcome_word(enum update_outcome o);

struct update_result {
    enum update_outcome outcome;
    enum trust_reason reason;            /* of UPDATE_REFUSED; TRUST_EXPIRED also when what is in force is stale */
    unsigned status;                     /* of the last answer; 0 none */
    bool root_changed, clock_is_behind;  /* the clock lies before what was signed: the floor was used */
    char words[320];                     /* what happened, for people */
};

/* One round.  now_ms: the clock, read once by the caller.  wait_s > 0: the server may hold
 * the answer until there is news.  0, except when the caller made a mistake. */
int update_poll(struct update *u, const struct update_transport *t, int64_t wait_s, int64_t now_ms,
                struct update_result *out, struct err *err);

/* What is in force. */
struct update_state {
    int64_t root_version, root_expires_ms;
    int64_t version;                     /* 0: no bundle yet */
    int64_t signed_ms, expires_ms, applied_ms;
    int64_t age_ms;                      /* since it was signed, at now */
    bool is_stale;                       /* bundle or root expired at now; it is enforced all the same */
    int64_t floor_version, clock_floor_ms;
    const char *problem;                 /* words of the last round that went wrong, "" when it went well */
};
void update_state(const struct update *u, int64_t now_ms, struct update_state *out);

/* A file of the bundle in force, read and compared with the signed list.  ERR_NOT_FOUND. */
int update_file(const struct update *u, const char *name, struct arena *arena, struct bytes *out, struct err *err);

#endif
