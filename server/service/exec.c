/* exec.c - see exec.h. */
#include "service/exec.h"

#include <string.h>
#include <time.h>

void call_release(struct call *c)
{
    if (c->release != NULL)
        c->release(c->release_arg);
    c->release = NULL;
}

void exec_reset(struct exec *x)
{
    struct call *c = x->call;

    call_release(c);
    c->status = 0;
    c->location = c->set_cookie = c->answer_type = c->answer_etag = c->file_name = NULL;
    c->answer = c->answer_gzip = (struct bytes){ NULL, 0 };
    c->complaints.first = c->complaints.last = NULL;
    c->complaints.n = 0;
    if (x->out != NULL)
        memset(x->out, 0, x->route->out->size);
}

/* The engines' own words for "somebody else was there"; a lost connection or a
 * failed commit is none of them, because the first try may have happened. */
static bool is_busy(const struct err *err)
{
    static const char *const words[] = { "busy", "locked", "serialize", "deadlock" };

    for (size_t i = 0; i < N_ITEMS(words); i++)
        if (strstr(err->msg, words[i]) != NULL)
            return err->kind == ERR_UNAVAILABLE;
    return false;
}

bool exec_again(struct exec *x, const struct err *err)
{
    return is_busy(err) && ++x->tries < EXEC_TRIES;
}

static int read_once(struct exec *x, call_fn *fn, struct db *reader, struct err *err)
{
    if (reader != NULL && db_begin_read(reader, err) != 0)
        return -1;
    x->call->db = reader;
    int rc = fn(x->call, x->in, x->out, err);
    x->call->db = NULL;
    if (reader == NULL)
        return rc;
    if (rc == 0 && db_commit(reader, err) == 0)
        return 0;
    db_rollback(reader);
    return -1;
}

int exec_read(struct exec *x, call_fn *fn, struct db *reader, struct err *err)
{
    x->tries = 0;
    while (read_once(x, fn, reader, err) != 0) {
        if (!exec_again(x, err))
            return -1;
        exec_reset(x);
        nanosleep(&(struct timespec){ .tv_nsec = (long)x->tries * 5 * 1000 * 1000 }, NULL);
    }
    return 0;
}

static int keep(struct exec *x, struct db *db, struct err *err)
{
    struct call *c = x->call;
    struct kept_answer answer = { .status = c->status };

    if (x->out != NULL) {
        buf_init(&x->encoded, EXEC_ANSWER_MAX);
        shape_encode(x->route->out, x->out, &x->encoded);
        if (x->encoded.failed)
            return err_nomem(err);
        answer.body = (struct bytes){ (const unsigned char *)x->encoded.ptr, x->encoded.len };
    }
    return x->keep->put(db, c->caller->id, x->key, x->request, &answer, c->now_ms, err);
}

/* 1: the kept answer is now the call's answer. */
static int replay(struct exec *x, struct db *db, struct err *err)
{
    struct kept_answer kept = { 0 };
    struct call *c = x->call;

    int rc = x->keep->get(db, c->caller->id, x->key, x->request, c->arena, &kept, err);
    if (rc != 1)
        return rc;
    buf_init(&x->encoded, EXEC_ANSWER_MAX);
    buf_put(&x->encoded, kept.body.ptr, kept.body.len);
    if (x->encoded.failed)
        return err_nomem(err);
    c->status = kept.status;
    x->replayed = true;
    return 1;
}

static int run_write(struct db *db, void *arg, struct err *err)
{
    struct exec *x = arg;
    struct call *c = x->call;
    bool keyed = x->key != NULL && x->keep != NULL;

    if (keyed) {
        int rc = replay(x, db, err);
        if (rc != 0)
            return rc < 0 ? -1 : 0;
    }
    c->db = db;
    int rc = x->route->run(c, x->in, x->out, err);
    c->db = NULL;
    if (rc == 0 && keyed)
        rc = keep(x, db, err);
    return rc;
}

int exec_write(struct exec *x, struct err *err)
{
    buf_free(&x->encoded);
    x->replayed = false;
    x->job = (struct write_job){ .run = run_write, .done = x->done, .arg = x };
    return writer_submit(x->writer, &x->job, err);
}
