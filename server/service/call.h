/* call.h - one request as a use case sees it.
 *
 * A handler is `int run(struct call *, const void *in, void *out, struct err *)`:
 * no JSON text, no HTTP library, no transaction in sight.  A WRITE route may
 * have a `prepare` step that runs on a worker with a read transaction: verify
 * signatures, decode, compute; `run` then only writes, on the writer's thread.
 *
 * Everything a handler allocates comes from c->arena and lives until the answer
 * has been sent. */
#ifndef KEEP_SERVICE_CALL_H
#define KEEP_SERVICE_CALL_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "db/db.h"
#include "wire/shape.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct app;

/* Roles are bits: a route's `who` is a set of them, and 0 is nobody. */
enum role {
    ROLE_VIEWER    = 1 << 0,
    ROLE_ANALYST   = 1 << 1,
    ROLE_POLICY    = 1 << 2,
    ROLE_ADMIN     = 1 << 3,
    ROLE_CI        = 1 << 4,
    ROLE_ADMISSION = 1 << 5,
    ROLE_AGENT     = 1 << 6,
    ROLE_ALL       = (1 << 7) - 1,
    WHO_ANYONE     = 1 << 7,       /* no credentials needed */
    ROLE_NODE      = 1 << 8,       /* an enrolled node's session (service/nodes.h); no token has it */
};
#define WHO_PEOPLE (ROLE_VIEWER | ROLE_ANALYST | ROLE_POLICY | ROLE_ADMIN)

const char *role_word(enum role role);            /* "viewer" ..., "anyone" */
enum role role_of(const char *word);              /* 0 when unknown */

/* Who is asking. */
struct caller {
    enum role role;                /* exactly one; WHO_ANYONE when nobody is known */
    const char *id;                /* token or user id, "" for anyone */
    const char *name;              /* shown in the audit log */
    bool is_session;               /* came with a cookie: writes need the CSRF header */
    const char *csrf;              /* the session's token, NULL otherwise */
    const char *session_id;        /* NULL unless is_session */
    const char *const *repositories; size_t n_repositories;   /* patterns; 0: all */
    const char *from;              /* client address as text */
    int64_t node;                  /* ROLE_NODE: the store's id; 0 otherwise */
    const char *scope;             /* ROLE_NODE: whom its bundle is for */
    int64_t issued_ms, until_ms;   /* ROLE_NODE: of its session; texts of such a caller outlive the server's connections */
    const char *certificate;       /* fingerprint of the TLS client key whose certificate was verified, or NULL */
};

/* What arrives with a request, borrowed from the connection. */
struct credentials {
    const char *authorization;     /* header or NULL */
    const char *cookie;            /* header or NULL */
    const char *csrf;              /* X-Keep-CSRF or NULL */
    const char *from;
    const char *certificate;       /* fingerprint of the verified TLS client key, or NULL */
};

enum call_class { CLASS_NONE = 0, CLASS_LIGHT, CLASS_READ, CLASS_WRITE };

struct call {
    struct app *app;
    struct db *db;                 /* NULL on light routes */
    struct arena *arena;
    const struct caller *caller;
    int64_t now_ms;
    const char *request_id;
    const char *const *path;       /* values of the route's {placeholders}, in order, percent-decoded */
    const void *query;             /* decoded query struct of the route, or NULL */
    struct bytes body;             /* raw body after content decoding (BODY_RAW routes) */
    const char *content_type;      /* NULL when absent */
    const char *const *headers;    /* values of the route's extra headers (route.headers), NULL each when absent */
    void *prepared;                /* what `prepare` made */
    struct complaints complaints;  /* all errors of a document, for problem+json `errors` */

    /* The answer, beside `out`: */
    int status;                    /* 0: 200 */
    const char *location;
    const char *set_cookie;        /* whole header value, or NULL */
    const char *answer_type;       /* with answer: content type of raw bytes */
    struct bytes answer;           /* raw answer instead of `out` (arena or static) */
    struct bytes answer_gzip;      /* the same bytes already gzip-coded, or {NULL, 0} */
    const char *answer_etag;       /* strong, with quotes; NULL: computed for GET */
    const char *file_name;         /* Content-Disposition: attachment */
    int64_t retry_after_s;         /* with an error */
    int64_t hold_ms;               /* READ: nothing new; ask again after a commit, at the latest after this (http/hold.h) */
    bool is_last_ask;              /* in: answer now, whatever there is */
    /* LIGHT routes: */
    const char *query_text;        /* in: what follows '?', "" none; for ROUTE_RAW_QUERY */
    const struct ready *ready;     /* an answer that was made before; `status` 304: without its body.
                                      `release` is then called at once, on the same thread */
    const atomic_llong *hold_on;   /* with hold_ms: asked again when this is no longer hold_seen */
    long long hold_seen;
    void (*release)(void *arg);    /* called once the answer is sent: gives back what `answer` borrows */
    void *release_arg;
};

/* Answers that are made once and given out many times, without a copy: the HTTP side
 * makes them (http/ready.h), whoever has the bytes keeps them.  A dropped one lives on
 * while it is being sent. */
struct ready_form { struct bytes body, gzip; const char *type, *etag; };
struct ready_ops {
    const struct ready *(*make)(const struct ready_form *form);   /* copies; NULL: no memory */
    void (*drop)(const struct ready *ready);                      /* NULL-safe */
};

/* Gives back what the answer borrows, if anything; safe to repeat. */
void call_release(struct call *c);

typedef int call_fn(struct call *c, const void *in, void *out, struct err *err);

enum body_kind { BODY_NONE = 0, BODY_JSON, BODY_RAW };

/* A route: the whole of what is promised about one method and path. */
struct route {
    const char *method, *path;     /* "/v1/images/{digest}/verdict" */
    unsigned who;                  /* set of roles; 0 = nobody */
    enum call_class class;
    enum body_kind body;
    size_t max_body;               /* bytes after content decoding; 0 with BODY_NONE */
    const struct shape *query, *in, *out;   /* out NULL: raw answer or 204 */
    call_fn *prepare, *run;
    const char *summary;           /* one sentence */
    const char *const *headers;    /* extra request headers the handler reads, NULL-terminated, or NULL */
    unsigned flags;
};
enum {
    ROUTE_IDEMPOTENT = 1,          /* honours Idempotency-Key */
    ROUTE_NO_CSRF = 2,             /* the login link itself */
    ROUTE_PUBLIC_STATIC = 4,
    ROUTE_AGAIN = 16,              /* LIGHT, of nodes: the same head on the same connection is not judged again, only
                                      its session is; the handler allocates nothing and answers with `ready` */
    ROUTE_RAW_QUERY = 8,           /* the query's shape is for people to read; the handler reads query_text */
};

#endif
