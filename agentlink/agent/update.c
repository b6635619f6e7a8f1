/* update.c - one round of an update; see update.h.
 *
 * The order is the specification's: time is read once; newer roots; the bundle, judged
 * as soon as its envelope is there and before a byte of its files is taken; the files;
 * the floor; what is in force. */
#include "agent/update_internal.h"

#include "base/time.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WITHIN_MS = 60 * 1000, ROOTS_EVERY_MS = 3600 * 1000, ROUND_ARENA = 8 << 20, ROOT_ARENA = 4 << 20 };

static const char *const outcome_words[UPDATE_OUTCOME_N] = {
    [UPDATE_FAILED] = "failed", [UPDATE_REFUSED] = "refused", [UPDATE_DENIED] = "denied", [UPDATE_UNCHANGED] = "unchanged",
    [UPDATE_APPLIED] = "applied",
};

const char *update_outcome_word(enum update_outcome o)
{
    return outcome_words[o];
}

/* ---- life --------------------------------------------------------------------------- */

int update_open(const struct update_config *config, struct update **out, struct err *err)
{
    struct update *u = calloc(1, sizeof *u);

    if (u == NULL)
        return err_nomem(err);
    u->config = *config;
    u->config.dir = strdup(config->dir);
    u->config.scope = strdup(config->scope);
    if (u->config.within_ms == 0)
        u->config.within_ms = WITHIN_MS;
    if (u->config.roots_every_ms == 0)
        u->config.roots_every_ms = ROOTS_EVERY_MS;
    arena_init(&u->root_arena, ROOT_ARENA);
    arena_init(&u->applied_arena, ROOT_ARENA);
    u->dir = open(config->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = u->config.dir == NULL || u->config.scope == NULL ? err_nomem(err)
           : u->dir < 0 ? err_set(err, ERR_UNAVAILABLE, "%s: %s", config->dir, strerror(errno)) : disk_load(u, err);
    if (rc != 0) {
        update_close(u);
        return -1;
    }
    disk_clean(u);
    *out = u;
    return 0;
}

static void free_text(const char *text)
{
    union { const char *in; void *out; } p = { .in = text };

    free(p.out);
}

void update_close(struct update *u)
{
    if (u == NULL)
        return;
    if (u->dir >= 0)
        close(u->dir);
    arena_clear(&u->root_arena);
    arena_clear(&u->applied_arena);
    free_text(u->config.dir);
    free_text(u->config.scope);
    free(u);
}

/* ---- a round --------------------------------------------------------------------------- */

struct round {
    struct update *u;
    const struct update_transport *t;
    int64_t clock_ms, now_ms, wait_s;
    bool roots_asked;
    struct arena arena;
    struct update_result *out;
};

/* A round that ends here.  Always -1, so that it ends the callers, too. */
static int end(struct round *r, enum update_outcome outcome, enum trust_reason reason, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
static int end(struct round *r, enum update_outcome outcome, enum trust_reason reason, const char *fmt, ...)
{
    va_list args;

    r->out->outcome = outcome;
    r->out->reason = reason;
    va_start(args, fmt);
    vsnprintf(r->out->words, sizeof r->out->words, fmt, args);
    va_end(args);
    return -1;
}

/* ---- roots ----------------------------------------------------------------------------- */

static int take_bounded(void *arg, const void *bytes, size_t len)
{
    struct buf *b = arg;

    buf_put(b, bytes, len);
    return b->failed ? 1 : 0;
}

static int ask_root(struct round *r, struct buf *body)
{
    struct update_answer a = { 0 };
    struct err err = { 0 };
    char target[64];

    snprintf(target, sizeof target, "/v1/agent/root/%lld", (long long)r->u->root.version + 1);
    struct update_ask ask = { .target = target, .within_ms = r->u->config.within_ms, .take = take_bounded, .arg = body };
    if (r->t->get(r->t->arg, &ask, &a, &err) != 0)
        return body->failed ? end(r, UPDATE_REFUSED, TRUST_MALFORMED, "a root of more than %d bytes is offered", TRUST_ROOT_MAX)
                            : end(r, UPDATE_FAILED, TRUST_FINE, "asking for a newer root: %s", err.msg);
    r->out->status = a.status;
    if (a.status == 401 || a.status == 403)
        return end(r, UPDATE_DENIED, TRUST_FINE, "the server refuses this node (%u): its session is over, or it was revoked", a.status);
    if (a.status != 200 && a.status != 404)
        return end(r, UPDATE_FAILED, TRUST_FINE, "asking for a newer root: the server answered %u", a.status);
    return a.status == 200;
}

/* The new root is on the disk before it is trusted; its own arena replaces the old one's. */
static int accept_root(struct round *r, const struct buf *body)
{
    struct update *u = r->u;
    enum trust_reason why = TRUST_MALFORMED;
    struct err err = { 0 };
    struct trust_root next;
    struct arena arena;

    arena_init(&arena, ROOT_ARENA);
    if (trust_root_next(&arena, &u->root, body->ptr, body->len, &next, &why, &err) != 0) {
        arena_clear(&arena);
        return end(r, UPDATE_REFUSED, why, "root %lld is refused: %s", (long long)u->root.version + 1, err.msg);
    }
    if (disk_keep_root(u, body->ptr, body->len, &err) != 0) {
        arena_clear(&arena);
        return end(r, UPDATE_FAILED, TRUST_FINE, "root %lld cannot be kept: %s", (long long)next.version, err.msg);
    }
    trust_floor_follow(&u->floor, &u->root, &next);
    arena_clear(&u->root_arena);
    u->root_arena = arena;
    u->root = next;
    r->out->root_changed = true;
    r->now_ms = trust_now(&u->floor, r->clock_ms);
    return 0;
}

static int follow_roots(struct round *r)
{
    int rc = 1;

    r->roots_asked = true;
    for (int n = 0; rc == 1 && n < UPDATE_ROOTS_MAX; n++) {
        struct buf body;
        buf_init(&body, TRUST_ROOT_MAX);
        rc = ask_root(r, &body);
        if (rc == 1 && accept_root(r, &body) != 0)
            rc = -1;
        buf_free(&body);
    }
    if (rc == 0)
        r->u->roots_asked_ms = r->clock_ms;
    return rc == 0 ? 0 : rc == 1 ? end(r, UPDATE_FAILED, TRUST_FINE, "more than %d new roots", UPDATE_ROOTS_MAX) : -1;
}

static bool roots_are_due(const struct round *r)
{
    const struct update *u = r->u;
    int64_t since = r->clock_ms - u->roots_asked_ms;

    return u->roots_asked_ms == 0 || since < 0 || since >= u->config.roots_every_ms || u->root.expires_ms <= r->now_ms;
}

static int check_root_time(struct round *r)
{
    char until[TIME_TEXT];

    if (r->u->root.expires_ms > r->now_ms)
        return 0;
    time_format(r->u->root.expires_ms, until);
    return end(r, UPDATE_REFUSED, TRUST_EXPIRED, "root %lld expired at %s and the server has no newer one",
               (long long)r->u->root.version, until);
}

/* ---- the bundle ------------------------------------------------------------------------ */

/* A bundle as it comes in: an envelope, a line feed, its files. */
struct incoming {
    struct round *round;
    struct buf head, files;
    bool has_head;
    int verdict;                         /* of trust_bundle_verify */
    struct trust_bundle bundle;
    enum trust_reason why;
    struct err err;
    size_t expected;                     /* bytes of files, as signed */
};

static int judge(struct incoming *in)
{
    struct update *u = in->round->u;

    in->err = (struct err){ 0 };
    in->verdict = trust_bundle_verify(&in->round->arena, &u->root, u->config.scope, &u->floor, in->round->now_ms,
                                      in->head.ptr, in->head.len, &in->bundle, &in->why, &in->err);
    return in->verdict;
}

static int refuse(struct incoming *in, enum trust_reason why, const char *what)
{
    in->verdict = -1;
    in->why = why;
    err_set(&in->err, ERR_INVALID, "bundle: %s", what);
    return 1;
}

/* What is not ours to have is not taken: the connection is given up. */
static int end_of_head(struct incoming *in)
{
    in->has_head = true;
    if (judge(in) < 0)
        return 1;
    in->expected = 0;
    for (size_t i = 0; i < in->bundle.n_files; i++)
        in->expected += (size_t)in->bundle.files[i].length;
    buf_init(&in->files, in->expected + 1);
    return 0;
}

static int take_bundle(void *arg, const void *bytes, size_t len)
{
    struct incoming *in = arg;
    const char *from = bytes, *line = in->has_head ? NULL : memchr(from, '\n', len);
    size_t n_head = in->has_head ? 0 : line != NULL ? (size_t)(line - from) : len;

    buf_put(&in->head, from, n_head);
    if (in->head.failed)
        return refuse(in, TRUST_MALFORMED, "its envelope does not end within its bound");
    if (line != NULL && end_of_head(in) != 0)
        return 1;
    if (!in->has_head)
        return 0;
    size_t skip = n_head + (line != NULL ? 1 : 0);
    if (len - skip > in->expected - in->files.len)
        return refuse(in, TRUST_MIXED, "more bytes than were signed for");
    buf_put(&in->files, from + skip, len - skip);
    return in->files.failed ? refuse(in, TRUST_MALFORMED, "no memory for it") : 0;
}

/* The envelope alone, without a line feed, is a bundle without files. */
static void finish_incoming(struct incoming *in)
{
    if (!in->has_head && end_of_head(in) != 0)
        return;
    if (in->verdict >= 0 && in->files.len < in->expected)
        refuse(in, TRUST_MIXED, "fewer bytes than were signed for");
}

static int fetch(struct round *r, struct incoming *in, struct update_answer *answer)
{
    struct update *u = r->u;
    struct err err = { 0 };
    char target[64];

    snprintf(target, sizeof target, "/v1/agent/bundle?applied=%lld", (long long)u->applied.version);
    bool has = u->applied.version > 0 && u->etag[0] != '\0';
    struct update_ask ask = { .target = target, .etag = has ? u->etag : NULL, .wait_s = has ? r->wait_s : 0,
                              .within_ms = u->config.within_ms, .take = take_bundle, .arg = in };
    *in = (struct incoming){ .round = r };
    buf_init(&in->head, TRUST_BUNDLE_MAX);
    if (r->t->get(r->t->arg, &ask, answer, &err) != 0 && in->verdict >= 0)
        return end(r, UPDATE_FAILED, TRUST_FINE, "asking for the bundle: %s", err.msg);
    if (in->verdict < 0)
        answer->status = 200;            /* given up half-way */
    r->out->status = answer->status;
    if (answer->status == 200 && in->verdict >= 0)
        finish_incoming(in);
    return 0;
}

static void drop_incoming(struct incoming *in)
{
    buf_free(&in->head);
    buf_free(&in->files);
}

static int check_files(struct round *r, const struct incoming *in)
{
    const char *at = in->files.ptr;

    for (size_t i = 0; i < in->bundle.n_files; i++) {
        const struct trust_file *f = &in->bundle.files[i];
        if (!trust_file_is(f, at, (size_t)f->length))
            return end(r, UPDATE_REFUSED, TRUST_MIXED, "bundle %lld is refused: %s is not the file that was signed",
                       (long long)in->bundle.version, f->name);
        if (f->length > 0)
            at += f->length;
    }
    return 0;
}

/* An etag becomes a header again: only what may stand there is kept. */
static void keep_etag(const char *etag, char out[UPDATE_ETAG_TEXT])
{
    size_t len = strlen(etag);

    out[0] = '\0';
    for (size_t i = 0; i < len; i++)
        if (etag[i] <= ' ' || etag[i] > '~')
            return;
    if (len < UPDATE_ETAG_TEXT)
        memcpy(out, etag, len + 1);
}

static bool in_force(const struct update *u, const struct trust_bundle *b)
{
    return u->applied.version == b->version && crypto_equal(u->applied.hash, b->hash, SHA256_LEN);
}

/* The floor first: whatever happens after it, nothing older is believed any more. */
static int put_in_force(struct round *r, const struct incoming *in, const char *etag)
{
    struct update *u = r->u;
    const struct trust_bundle *b = &in->bundle;
    struct bytes envelope = { (const unsigned char *)in->head.ptr, in->head.len };
    struct bytes files = { (const unsigned char *)in->files.ptr, in->files.len };
    struct trust_floor floor = u->floor;
    char folder[UPDATE_FOLDER_TEXT], tag[UPDATE_ETAG_TEXT];
    struct err err = { 0 };

    keep_etag(etag, tag);
    trust_floor_raise(&floor, b);
    if (disk_prepare(u, b, envelope, files, tag, folder, &err) != 0 || disk_keep_floor(u, &floor, &err) != 0 ||
        disk_switch(u, folder, &err) != 0)
        return end(r, UPDATE_FAILED, TRUST_FINE, "bundle %lld is good and cannot be put in force: %s", (long long)b->version, err.msg);
    int64_t version = b->version;
    if (disk_load_applied(u, &err) != 0)
        return end(r, UPDATE_FAILED, TRUST_FINE, "bundle %lld cannot be read back: %s", (long long)version, err.msg);
    disk_clean(u);
    return end(r, UPDATE_APPLIED, TRUST_FINE, "bundle %lld is in force", (long long)version);
}

/* 304, or the same bundle again: it lives no longer for that. */
static int end_unchanged(struct round *r)
{
    const struct trust_bundle *b = &r->u->applied;
    char until[TIME_TEXT];

    if (b->version == 0)
        return end(r, UPDATE_FAILED, TRUST_FINE, "the server says that nothing is new, and there is no bundle here");
    if (b->expires_ms > r->now_ms)
        return end(r, UPDATE_UNCHANGED, TRUST_FINE, "bundle %lld is in force; nothing is new", (long long)b->version);
    time_format(b->expires_ms, until);
    return end(r, UPDATE_UNCHANGED, TRUST_EXPIRED, "bundle %lld expired at %s and nothing newer came: it is stale, and is enforced",
               (long long)b->version, until);
}

static int refuse_bundle(struct round *r, const struct incoming *in)
{
    return end(r, UPDATE_REFUSED, in->why, "what the server offers is refused (%s): %s; bundle %lld stays in force",
               trust_reason_word(in->why), in->err.msg, (long long)r->u->applied.version);
}

static int other_status(struct round *r, unsigned status)
{
    if (status == 401 || status == 403)
        return end(r, UPDATE_DENIED, TRUST_FINE, "the server refuses this node (%u): its session is over, or it was revoked; "
                   "bundle %lld stays in force", status, (long long)r->u->applied.version);
    return end(r, UPDATE_FAILED, TRUST_FINE, "asking for the bundle: the server answered %u", status);
}

/* Could a newer root change the answer? */
static bool root_may_help(const struct incoming *in)
{
    return in->verdict >= 0 || in->why == TRUST_SIGNATURE || in->why == TRUST_ROOT_AHEAD || in->why == TRUST_ROLLBACK ||
           in->why == TRUST_EQUIVOCATION;
}

/* Before anything is believed newer roots are asked for.  1: begin again, under another root. */
static int take_in(struct round *r, struct incoming *in, const char *etag)
{
    bool had_files = in->verdict >= 0;

    if (!r->roots_asked && root_may_help(in)) {
        if (follow_roots(r) != 0)
            return -1;
        if (check_root_time(r) != 0)
            return -1;
        if (r->out->root_changed && !had_files)
            return 1;
        if (r->out->root_changed)
            judge(in);
    }
    if (in->verdict < 0)
        return refuse_bundle(r, in);
    if (in->verdict == 0 && in_force(r->u, &in->bundle))
        return end_unchanged(r);
    return check_files(r, in) != 0 ? -1 : put_in_force(r, in, etag);
}

static int ask_bundle(struct round *r)
{
    struct update_answer answer = { 0 };
    struct incoming in;

    int rc = fetch(r, &in, &answer);
    if (rc == 0 && answer.status == 304)
        rc = end_unchanged(r);
    else if (rc == 0 && answer.status != 200)
        rc = other_status(r, answer.status);
    else if (rc == 0)
        rc = take_in(r, &in, answer.etag);
    drop_incoming(&in);
    return rc;
}

int update_poll(struct update *u, const struct update_transport *t, int64_t wait_s, int64_t now_ms,
                struct update_result *out, struct err *err)
{
    struct round r = { .u = u, .t = t, .clock_ms = now_ms, .out = out };

    if (wait_s < 0 || t == NULL || t->get == NULL)
        return err_set(err, ERR_INTERNAL, "update: no transport, or a wait below 0");
    *out = (struct update_result){ 0 };
    r.wait_s = wait_s < UPDATE_WAIT_MAX_S ? wait_s : UPDATE_WAIT_MAX_S;
    r.now_ms = trust_now(&u->floor, now_ms);
    out->clock_is_behind = now_ms < u->floor.clock_ms;
    arena_init(&r.arena, ROUND_ARENA);
    if ((!roots_are_due(&r) || follow_roots(&r) == 0) && check_root_time(&r) == 0 && ask_bundle(&r) == 1)
        ask_bundle(&r);
    arena_clear(&r.arena);
    bool fine = out->reason == TRUST_FINE && (out->outcome == UPDATE_APPLIED || out->outcome == UPDATE_UNCHANGED);
    snprintf(u->problem, sizeof u->problem, "%s", fine ? "" : out->words);
    return 0;
}

/* ---- what is in force ------------------------------------------------------------------- */

void update_state(const struct update *u, int64_t now_ms, struct update_state *out)
{
    int64_t now = trust_now(&u->floor, now_ms);
    const struct trust_bundle *b = &u->applied;

    *out = (struct update_state){
        .root_version = u->root.version, .root_expires_ms = u->root.expires_ms, .version = b->version,
        .signed_ms = b->signed_ms, .expires_ms = b->expires_ms, .applied_ms = u->applied_ms,
        .age_ms = b->version > 0 && now > b->signed_ms ? now - b->signed_ms : 0,
        .is_stale = (b->version > 0 && b->expires_ms <= now) || u->root.expires_ms <= now,
        .floor_version = u->floor.version, .clock_floor_ms = u->floor.clock_ms, .problem = u->problem,
    };
}

int update_file(const struct update *u, const char *name, struct arena *arena, struct bytes *out, struct err *err)
{
    const struct trust_file *f = NULL;
    struct bytes text;

    for (size_t i = 0; i < u->applied.n_files && f == NULL; i++)
        if (str_eq(u->applied.files[i].name, name))
            f = &u->applied.files[i];
    if (f == NULL)
        return err_set(err, ERR_NOT_FOUND, "the bundle in force has no %s", name);
    if (disk_read_applied(u, name, (size_t)f->length, arena, &text, err) != 0)
        return -1;
    if (!trust_file_is(f, text.ptr, text.len))
        return err_set(err, ERR_UNPROCESSABLE, "%s was changed after it was put in force", name);
    *out = text;
    return 0;
}
