/* many.h - thousands of requests at once from one thread: what `keep-agent simulate` and
 * benchmarks are made of.  The other door to libcurl, beside http.h.
 *
 * Requests run until they are done; `done` is called from many_run, with an answer that
 * lives for the call.  Each request belongs to a lane (an agent): lanes share connections
 * only with their neighbours, so that looking for one stays cheap.  No redirects, no
 * repetitions, certificates always checked, answers bounded. */
#ifndef KEEP_CLIENT_MANY_H
#define KEEP_CLIENT_MANY_H

#include "base/err.h"
#include "base/str.h"

#include <stddef.h>
#include <stdint.h>

struct many;

struct many_request {
    const char *method;                  /* GET, POST */
    const char *target;                  /* "/v1/agent/bundle?applied=0" */
    const char *token;                   /* NULL: none */
    struct bytes body;                   /* must stay until done */
    const char *content_type, *content_encoding;
    const char *if_none_match;           /* NULL: none */
    int64_t wait_s;                      /* Prefer: wait; 0: none */
    int64_t timeout_ms;                  /* 0: 60 s; beside wait_s */
    size_t lane;
    void *of;                            /* handed to done */
};

struct many_answer {
    unsigned status;                     /* 0: none came; problem says why */
    struct bytes body;                   /* at most answer_max, a NUL follows */
    const char *etag;                    /* "" none */
    int64_t retry_after_ms;
    int64_t took_us;
    const char *problem;
};

typedef void many_done_fn(void *arg, void *of, const struct many_answer *answer);

struct many_config {
    const char *base_url, *ca_file, *agent;
    size_t lanes;
    size_t answer_max;                   /* 0: 1 MiB */
    many_done_fn *done;
    void *arg;
};

/* The config's texts must outlive it.  ERR_UNAVAILABLE. */
int many_open(const struct many_config *config, struct many **out, struct err *err);
void many_close(struct many *m);         /* NULL-safe; what runs is dropped without a call */

/* Starts one; done may be called for it only from many_run. */
int many_send(struct many *m, const struct many_request *r, struct err *err);

/* Moves everything on, waits at most timeout_ms.  Returns how many run still. */
size_t many_run(struct many *m, int timeout_ms);

#endif
