/* http.h - send a request to Keep and take the answer: the one door to libcurl.
 *
 * No redirects, http and https only, answers bounded, certificates always
 * checked.  What may be repeated safely is repeated: connections that fail, and
 * 429, 502, 503, 504, with a growing, jittered pause in which Retry-After is
 * honoured.  Every write carries one Idempotency-Key over all its attempts.
 * One client is used by one thread. */
#ifndef KEEP_CLIENT_HTTP_H
#define KEEP_CLIENT_HTTP_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct http_client;

enum { CLIENT_HEADERS_MAX = 8, CLIENT_ANSWER_MAX = 256 * 1024 * 1024, CLIENT_KEY_TEXT = 40 };

struct client_config {
    const char *base_url;            /* as url_base returns it */
    const char *token;               /* NULL: none is sent */
    const char *ca_file;             /* PEM; NULL: the system's */
    const char *cert_file, *key_file;    /* of our own, for servers that ask for one, PEM; NULL: none */
    const char *agent;               /* User-Agent */
    int64_t connect_timeout_ms;      /* 0: 10 s */
    int64_t timeout_ms;              /* of one attempt; 0: 5 min */
    int64_t retry_for_ms;            /* no new attempt later than this; 0: 60 s */
    unsigned retries;                /* attempts after the first */
    void (*progress)(void *data, int64_t sent, int64_t total);   /* bytes of the body; may be NULL */
    void (*retrying)(void *data, const char *why, int64_t pause_ms);   /* may be NULL */
    bool (*give_up)(void *data);         /* asked about once a second while a request runs; may be NULL */
    void *data;
};

struct client_header { const char *name, *value; };

struct client_request {
    const char *method;              /* GET, POST, PUT, DELETE */
    const char *target;              /* "/v1/images?stale=true", encoded (url.h) */
    struct bytes body;
    const char *content_type;        /* of the body */
    struct client_header headers[CLIENT_HEADERS_MAX]; size_t n_headers;
    bool once;                       /* must not be repeated after an answer may have been lost */
    const char *key;                 /* Idempotency-Key; NULL: a random one for POST; "": none */
    const char *content_encoding;    /* the body is coded already; NULL: compressed when that pays */
    int64_t timeout_ms;              /* of this request; 0: the client's */
    size_t answer_max;               /* bytes of the answer, decoded; 0: CLIENT_ANSWER_MAX */
    /* A 200's body goes here as it comes, instead of into the answer; not 0 gives up
     * (ERR_INVALID).  Such a request is sent once. */
    int (*take)(void *arg, const void *bytes, size_t len);
    void *take_arg;
    int64_t body_within_ms;          /* with take: from the first byte of the body to its last; 0: no bound */
};

struct client_problem { const char *path, *detail; };

struct client_answer {
    unsigned status;                 /* 0: none came */
    const char *content_type;        /* "" when not given */
    struct bytes body;               /* a NUL follows */
    const char *title, *request_id;  /* of a problem document, else NULL */
    const struct client_problem *problems; size_t n_problems;
    const char *etag;                /* "" when not given */
    int64_t retry_after_ms;          /* 0: not given */
    unsigned attempts;
};

/* The config's texts must outlive the client.  ERR_UNAVAILABLE, ERR_INVALID. */
int http_client_open(const struct client_config *config, struct http_client **out, struct err *err);
void http_client_close(struct http_client *c);             /* NULL-safe */

/* From the next request on; the text must outlive the client or the next call. */
void http_client_token(struct http_client *c, const char *token);

/* 0 for 2xx and 304.  Otherwise -1: err->kind follows the status or the failure,
 * its message is the problem's detail, and `out` has what came.  All of it lives
 * in the arena. */
int http_client_send(struct http_client *c, const struct client_request *request, struct arena *arena,
                struct client_answer *out, struct err *err);

/* Bodies from here on are sent compressed when that makes them smaller. */
enum { CLIENT_GZIP_FROM = 64 * 1024 };

/* What http_client_send makes of a status and a body that is no success. */
int client_problem_read(unsigned status, struct bytes body, struct arena *arena, struct client_answer *out,
                        struct err *err);

/* The pause before attempt n (1: the first repetition), given Retry-After in ms
 * (0: none) and a random number. */
int64_t client_pause_ms(unsigned n, int64_t retry_after_ms, uint32_t random);

/* Appends the equivalent curl command, quoted for a POSIX shell; the token is
 * shown as $KEEP_TOKEN.  body_file: where the body can be read ("-": standard
 * input); NULL: it is written out when it is short text, else "-" is meant. */
void client_curl(const struct client_config *config, const struct client_request *request, const char *body_file,
                 struct buf *out);

#endif
