/* manage_signer.c - whose signatures count. */
#include "base/crypto.h"
#include "core/life.h"
#include "service/audit_change.h"
#include "service/check.h"
#include "service/judge.h"
#include "service/manage.h"
#include "store/signer.h"
#include "wire/msg/signer.h"

#include <string.h>

static void set_state(struct signer *s, int64_t now_ms)
{
    s->state = life_word(life_at(s->not_before_ms, s->not_after_ms, s->revoked_ms, now_ms), "valid");
}

static void signer_key(const void *items, size_t i, int64_t *at_ms, const char **id)
{
    *at_ms = 0;
    *id = ((const struct signer *)items)[i].name;
}

int signer_page(struct call *c, const void *in, void *out, struct err *err)
{
    const struct page_query *q = c->query;
    struct signer *signers;
    const char *after;
    int64_t unused;
    size_t n;

    (void)in;
    if (page_start(q, c->arena, &unused, &after, err) != 0 ||
        signer_list(c->db, after, page_limit(q), c->arena, &signers, &n, err) != 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        set_state(&signers[i], c->now_ms);
    return page_fill(q, c->arena, signers, n, signer_key, out, err);
}

static int signer_read(struct call *c, const char *id, struct signer *out, struct err *err)
{
    if (signer_get(c->db, id, c->arena, out, err) != 0)
        return -1;
    set_state(out, c->now_ms);
    return 0;
}

int signer_show(struct call *c, const void *in, void *out, struct err *err)
{
    (void)in;
    return signer_read(c, c->path[0], out, err);
}

static int check_statements(const struct signer_new *asked, struct err *err)
{
    for (size_t i = 0; i < asked->n_statements; i++) {
        const char *const *word = statement_words;
        while (*word != NULL && !str_eq(*word, asked->statements[i]))
            word++;
        if (*word == NULL)
            return err_set(err, ERR_INVALID, "$.statements[%zu]: not one of vulnerability, sbom, vex, provenance, report", i);
    }
    return 0;
}

/* The key, and its text written our way: whatever else was in the PEM is gone. */
static int read_key(struct call *c, const char *pem, struct signer *out, struct err *err)
{
    struct pubkey key = { 0 };
    struct buf text;

    if (pubkey_from_pem(pem, strlen(pem), &key, err) != 0)
        return err_prefix(err, "$.public_key");
    buf_init(&text, PEM_MAX);
    pubkey_to_pem(&key, &text);
    out->id = arena_strdup(c->arena, key.fingerprint);
    out->algorithm = key_alg_word(key.alg);
    out->public_key = text.failed ? NULL : arena_strndup(c->arena, text.ptr, text.len);
    buf_free(&text);
    pubkey_clear(&key);
    return out->id == NULL || out->public_key == NULL ? err_nomem(err) : 0;
}

static int is_new(struct call *c, const struct signer *s, struct err *err)
{
    struct signer other;

    if (signer_get(c->db, s->id, c->arena, &other, err) == 0)
        return err_set(err, ERR_CONFLICT, "$.public_key: registered already, as %s", other.name);
    return err->kind == ERR_NOT_FOUND ? 0 : -1;
}

/* Evidence in the signer's repositories may now count, or count no more. */
static int judge_repositories(struct call *c, const struct signer *s, struct err *err)
{
    const char *cause = arena_printf(c->arena, "signer %s", s->id);

    if (cause == NULL)
        return err_nomem(err);
    if (s->n_repositories == 0)
        return judge_affected(c, cause, NULL, err);
    for (size_t i = 0; i < s->n_repositories; i++) {
        struct recheck_scope scope = { .repository = s->repositories[i] };
        if (judge_affected(c, cause, &scope, err) != 0)
            return -1;
    }
    return 0;
}

int signer_create(struct call *c, const void *in, void *out, struct err *err)
{
    const struct signer_new *asked = in;
    struct signer s = {
        .name = asked->name, .n_repositories = asked->n_repositories,
        .statements = asked->statements, .n_statements = asked->n_statements,
        .not_before_ms = asked->not_before_ms, .not_after_ms = asked->not_after_ms,
        .created_ms = c->now_ms, .created_by = c->caller->name, .revoked_ms = TIME_UNKNOWN,
    };

    if (s.not_before_ms == TIME_UNKNOWN || s.not_before_ms == 0)
        s.not_before_ms = c->now_ms;
    if (s.not_after_ms == 0)
        s.not_after_ms = TIME_UNKNOWN;
    if (s.not_after_ms != TIME_UNKNOWN && s.not_after_ms <= s.not_before_ms)
        return err_set(err, ERR_INVALID, "$.not_after: must lie behind not_before");
    if (check_name("$.name", s.name, err) != 0 ||
        check_patterns("$.repositories", asked->repositories, asked->n_repositories, c->arena, &s.repositories, err) != 0 ||
        check_statements(asked, err) != 0 || read_key(c, asked->public_key, &s, err) != 0 ||
        is_new(c, &s, err) != 0)
        return -1;
    set_state(&s, c->now_ms);
    if (signer_insert(c->db, &s, c->arena, err) != 0) {
        if (err->kind == ERR_CONFLICT)
            return err_set(err, ERR_CONFLICT, "$.name: there is a signer of this name already");
        return -1;
    }
    if (judge_repositories(c, &s, err) != 0)
        return -1;
    c->status = 201;
    c->location = arena_printf(c->arena, "/v1/signers/%s", s.id);
    *(struct signer *)out = s;
    return audit_change(c, "create", "signer", s.id, &signer_shape, NULL, &s, err);
}

int signer_end(struct call *c, const void *in, void *out, struct err *err)
{
    struct signer before, after;
    bool changed;

    (void)in, (void)out;
    if (signer_read(c, c->path[0], &before, err) != 0 ||
        signer_revoke(c->db, before.id, c->now_ms, &changed, err) != 0 ||
        signer_read(c, before.id, &after, err) != 0)
        return -1;
    if (changed && judge_repositories(c, &after, err) != 0)
        return -1;
    c->status = 204;
    return audit_change(c, "revoke", "signer", after.id, &signer_shape, &before, &after, err);
}
