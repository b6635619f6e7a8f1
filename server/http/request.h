/* request.h - private to server/http: one request on its way, and the server.
 *
 *   HEAD -> [IDENTIFY] -> BODY -> [IDENTIFY] -> WORK -> ANSWER -> SENT
 *      \-> DISCARD (an error, but a short body is read first) -> ANSWER
 *
 * A request is touched by one thread at a time: by its loop, or, while the
 * connection is suspended (IDENTIFY, WORK), by a worker or the writer.
 * MHD_resume_connection hands it back and is the last thing those do. */
#ifndef KEEP_HTTP_REQUEST_H
#define KEEP_HTTP_REQUEST_H

#include "base/striped.h"
#include "http/conn.h"
#include "http/etag.h"
#include "http/guard.h"
#include "http/limit.h"
#include "http/match.h"
#include "http/server.h"
#include "http/tls.h"

#include <microhttpd.h>
#include <stdatomic.h>

enum { REQUEST_ID_TEXT = 17, REQUEST_MAX_HEADERS = 8, REQUEST_DISCARD_MAX = 64 << 10, REQUEST_SMALL = 256 << 10 };

enum step { STEP_HEAD = 0, STEP_IDENTIFY, STEP_IDENTIFIED, STEP_BODY, STEP_DISCARD, STEP_WORK, STEP_ANSWER, STEP_SENT };

enum listener_kind { LISTENER_MAIN = 0, LISTENER_RESERVE, LISTENER_NODES, LISTENERS };

struct listener {
    struct http_server *server;
    int fd;
    enum listener_kind kind;
    size_t memory;                       /* of a connection */
    struct MHD_Daemon *daemon;
    struct conn_line line;
    unsigned room;                       /* connections at most */
    atomic_long coming;                  /* handed to the library, and not yet a connection */
};

/* Series of the server itself. */
struct meters {
    struct metric *requests;             /* route, status class */
    struct metric *seconds;              /* class */
    struct metric *refused;              /* guard */
    struct metric *bytes_in;
    const char **route_names;            /* label values, one per route + "static" + "none" */
};

struct http_server {
    struct http_config cfg;              /* with every default filled in; texts are ours */
    struct http_back back;
    struct matcher *matcher;
    struct statics *statics;
    struct limiter *limiter;
    struct conns *conns;
    struct tls *tls;                     /* NULL: plain */
    struct acceptor *acceptor;
    struct holds *holds;                 /* NULL without a writer */
    struct listener listeners[LISTENERS];
    int n_listeners;
    struct meters meters;
    struct buf openapi, openapi_gzip;
    char openapi_etag[ETAG_TEXT];
    atomic_bool draining;
    struct striped in_flight;               /* requests between request line and completion */
    atomic_long suspended;
    atomic_llong full;                   /* connections refused because there was no room */
    atomic_llong peers_refused;          /* client certificates that were missing or not trusted */
    char *client_ca;                     /* what is in that file; NULL: clients are not asked */
    atomic_llong log_second;             /* second << 16 | lines written in it */
};

/* What the library keeps for us with a connection begins with one of these. */
enum kept { KEPT_REQUEST = 1, KEPT_HELD, KEPT_AGAIN };

/* A light request that waits for news.  Nothing else is kept of it: when it is asked
 * again it begins anew, from the head that the library still has. */
struct held {
    enum kept kept;
    struct held *next;                   /* hold.c */
    struct http_server *server;
    struct conn *conn;
    struct MHD_Connection *mhd;
    int64_t until_ms, from_us;
    long long seen;
    const char *uri_at;
    size_t uri_len;
    char uri[];
};

struct request {
    enum kept kept;
    void **state;                        /* where the library keeps it */
    int64_t light_until_ms;              /* it was held before, and not longer than this; 0: it was not */
    struct http_server *server;
    struct conn *conn;
    struct MHD_Connection *mhd;
    enum step step;
    bool identified;
    bool close_after;
    bool is_suspended;
    const char *uri_at;                  /* where the raw target lies in the library's buffer */
    const char *head_at;                 /* and the whole head, as the library has cut it */
    size_t head_len, n_headers;
    size_t uri_len, path_len;
    struct guard_facts facts;            /* texts borrowed from the library until completion */
    struct match match;
    const struct route *route;
    const struct web_file *file;
    unsigned status;                     /* of the refusal or failure; 0: none yet */
    struct err err;

    struct arena arena;
    struct caller caller;
    struct call call;
    struct exec exec;
    struct work_job job;
    const char *header_values[REQUEST_MAX_HEADERS];

    unsigned char *body;
    size_t body_len, body_reserved;
    struct buf plain;                    /* body after content decoding */

    struct request *hold_next;           /* hold.c */
    int64_t hold_until_ms, hold_from_ms; /* monotonic */
    int64_t hold_commits;                /* transactions committed before the handler last looked */

    struct buf encoded, gzip;            /* the answer, and its gzip form */
    struct bytes answer;                 /* one of: encoded, call.answer */
    char etag[ETAG_TEXT];
    int64_t from_us;
    char id[REQUEST_ID_TEXT];
    char uri[];                          /* raw target, a copy */
};

/* dispatch.c: the library's callbacks */
void *request_begin(void *server, const char *uri, struct MHD_Connection *mhd);
enum MHD_Result request_access(void *server, struct MHD_Connection *mhd, const char *url, const char *method,
                               const char *version, const char *data, size_t *size, void **state);
void request_completed(void *server, struct MHD_Connection *mhd, void **state, enum MHD_RequestTerminationCode how);

void request_ask_again(struct request *r);                        /* of a request that was held */
void held_ask_again(struct held *h);                              /* of a light one; h is then the loop's */

/* head.c: the first call.  0: go on with the body; -1: err and status are set. */
int request_head(struct request *r, const char *method, const char *version);

/* access.c: who may.  Any thread that owns the request. */
int request_identify(struct request *r, struct db *reader);      /* IDENTIFY_OK, IDENTIFY_ASK_DB, -1 */
int request_admit(struct request *r);                            /* role, CSRF, rate, content type */

/* decode.c: body and query into structs.  On a worker. */
int request_decode(struct request *r);

/* answer.c */
void request_encode(struct request *r, bool may_compress);       /* fills answer, etag, gzip */
enum MHD_Result request_answer(struct request *r);               /* queues; on the loop */
enum MHD_Result request_answer_ready(struct request *r);         /* call.ready */

enum MHD_Result request_queue(struct http_server *s, struct conn *conn, struct MHD_Connection *mhd, size_t row, enum call_class class,
                              int64_t from_us, unsigned status, struct MHD_Response *response, size_t len);

/* again.c: the same head again on the same connection. */
struct again;
void again_remember(struct request *r);                          /* it was judged, and answered with `ready` */
struct again *again_begin(struct conn *conn, const char *uri, int64_t from_us);   /* NULL: another target */
/* The first call: it is the same head, and its caller is still good. */
bool again_is_same(struct again *a, struct http_server *s, struct MHD_Connection *mhd, const char *method);
bool again_was_same(const struct again *a);
/* The second call: answers, or false: it must go the whole way. */
bool again_answer(struct again *a, struct http_server *s, struct MHD_Connection *mhd, void **state, enum MHD_Result *rc);
/* As a request that has just begun. */
struct request *again_request(struct again *a, struct http_server *s, struct MHD_Connection *mhd, void **state);

struct request *request_new(struct http_server *s, struct conn *conn, struct MHD_Connection *mhd, const char *uri, size_t len);
enum MHD_Result request_hold(struct held *h, const atomic_llong *on, void **state);   /* suspends */
struct held *held_new(struct http_server *s, struct conn *conn, struct MHD_Connection *mhd, const char *uri, size_t len);

/* The id under which failures are logged; made when it is needed. */
const char *request_id(struct request *r);

/* A handler of server/http finds its server through the call. */
struct request *request_of(struct call *c);

static inline int request_fail(struct request *r, unsigned status)
{
    r->status = status != 0 ? status : (unsigned)err_info(r->err.kind)->http_status;
    return -1;
}

#endif
