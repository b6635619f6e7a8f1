/* manage_trust.c - bundles and the root of trust, for people; see bundles.h.
 *
 * A root made offline is taken as the next one when the chain holds: signed by the
 * threshold of the root before and by its own.  Where this server holds a root key of
 * the one before, it adds its signature: that is how trust moves off the server.  Taken
 * it is only if this server could go on signing bundles under it. */
#include "service/bundles_internal.h"

#include "base/time.h"
#include "service/audit_change.h"
#include "service/check.h"
#include "service/key_file.h"
#include "wire/msg/page.h"

#include <stdio.h>
#include <string.h>

/* ---- bundles ------------------------------------------------------------------------ */

static int describe(struct call *c, const struct bundle_row *row, struct bundle_info *out, struct err *err)
{
    struct bundle_run *runs;
    size_t n;

    if (bundle_runs(c->db, row->scope, c->arena, &runs, &n, err) != 0)
        return -1;
    *out = (struct bundle_info){
        .scope = row->scope, .version = row->version, .root_version = row->root_version, .signed_ms = row->signed_ms,
        .expires_ms = row->expires_ms, .length = row->length, .content = row->content_hash, .cause = row->cause,
        .is_expired = row->expires_ms <= c->now_ms, .runs = runs, .n_runs = n,
    };
    for (size_t i = 0; i < n; i++) {
        out->n_nodes += runs[i].n_nodes;
        out->n_current += runs[i].version == row->version ? runs[i].n_nodes : 0;
    }
    return 0;
}

static void bundle_key(const void *items, size_t i, int64_t *at_ms, const char **id)
{
    *at_ms = 0;
    *id = ((const struct bundle_info *)items)[i].scope;
}

int bundle_page(struct call *c, const void *in, void *out, struct err *err)
{
    const struct page_query *q = c->query;
    struct bundle_row *rows;
    const char *after;
    int64_t unused;
    size_t n;

    (void)in;
    if (page_start(q, c->arena, &unused, &after, err) != 0 ||
        bundle_list(c->db, after, page_limit(q), c->arena, &rows, &n, err) != 0)
        return -1;
    struct bundle_info *list = arena_array(c->arena, n, sizeof *list);
    if (list == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < n; i++)
        if (describe(c, &rows[i], &list[i], err) != 0)
            return -1;
    return page_fill(q, c->arena, list, n, bundle_key, out, err);
}

/* ---- the root ------------------------------------------------------------------------- */

static const char *pem_of(const struct pubkey *key, struct arena *arena)
{
    struct buf pem;

    buf_init(&pem, PEM_MAX);
    pubkey_to_pem(key, &pem);
    const char *copy = pem.failed ? NULL : arena_strndup(arena, pem.ptr, pem.len);
    buf_free(&pem);
    return copy;
}

static bool holds(const struct own_keys *own, const struct pubkey *key)
{
    const struct privkey *const all[] = { own->root, own->bundle, own->next };

    for (size_t i = 0; i < N_ITEMS(all); i++)
        if (all[i] != NULL && pubkey_same(privkey_public(all[i]), key))
            return true;
    return false;
}

static bool lists(const struct trust_role *role, const struct pubkey *key)
{
    for (size_t i = 0; i < role->n; i++)
        if (pubkey_same(role->keys[i], key))
            return true;
    return false;
}

static int key_rows(const struct trust_role *role, const char *word, const struct own_keys *own, struct arena *arena,
                    struct trust_key_info *out, struct err *err)
{
    for (size_t i = 0; i < role->n; i++) {
        out[i] = (struct trust_key_info){ .role = word, .fingerprint = role->keys[i]->fingerprint,
                                          .public_key = pem_of(role->keys[i], arena), .is_here = holds(own, role->keys[i]) };
        if (out[i].public_key == NULL)
            return err_nomem(err);
    }
    return 0;
}

static int show_keys(struct call *c, const struct trust_root *root, const struct own_keys *own, struct trust_info *out, struct err *err)
{
    const struct privkey *list[BUNDLE_KEYS_MAX];
    size_t n = root->root.n + root->bundle.n;
    struct trust_key_info *keys = arena_array(c->arena, n, sizeof *keys);

    if (keys == NULL)
        return err_nomem(err);
    if (key_rows(&root->root, "root", own, c->arena, keys, err) != 0 ||
        key_rows(&root->bundle, "bundle", own, c->arena, keys + root->root.n, err) != 0)
        return -1;
    out->keys = keys;
    out->n_keys = n;
    out->can_sign_root = own_root_key_suffices(own, root);
    out->can_sign_bundles = own_bundle_keys(own, root, list, &n);
    if (own->next != NULL && !lists(&root->bundle, privkey_public(own->next)))
        out->next_bundle_key = pem_of(privkey_public(own->next), c->arena);
    return 0;
}

static int show_root(struct call *c, const struct made_root *r, struct trust_info *out, struct err *err)
{
    struct own_keys own;
    struct trust_info info = {
        .version = r->version, .expires_ms = r->root.expires_ms, .root_threshold = (int64_t)r->root.root.threshold,
        .bundle_threshold = (int64_t)r->root.bundle.threshold, .fingerprint = r->fingerprint, .envelope = (const char *)r->envelope.ptr,
    };

    if (own_keys_open(c->app->data_dir, false, &own, err) != 0)
        return -1;
    int rc = show_keys(c, &r->root, &own, &info, err);
    own_keys_close(&own);
    if (rc == 0)
        *out = info;
    return rc;
}

static const struct made_root *newest(struct app *app, struct err *err)
{
    const struct made_root *r = app->bundles == NULL ? NULL : bundle_root_newest(app->bundles);

    if (r == NULL)
        err_set(err, ERR_UNAVAILABLE, "there is no root of trust yet");
    return r;
}

int trust_show(struct call *c, const void *in, void *out, struct err *err)
{
    struct bundles *b = c->app->bundles;
    const struct made_root *r = newest(c->app, err);
    struct trust_info info;
    char problem[240];

    (void)in;
    if (r == NULL || show_root(c, r, &info, err) != 0)
        return -1;
    pthread_mutex_lock(&b->lock);
    memcpy(problem, b->problem, sizeof problem);
    pthread_mutex_unlock(&b->lock);
    info.problem = arena_strdup(c->arena, problem);
    if (info.problem == NULL)
        return err_nomem(err);
    *(struct trust_info *)out = info;
    return 0;
}

/* ---- the next root ---------------------------------------------------------------------- */

/* What prepare found out, and what is then written: all of it the arena's. */
struct next_root {
    bool has_root;                       /* false: people must sign one */
    struct root_row row;
    struct trust_info info;              /* as it will be */
    const char *key;                     /* fingerprint of the bundle key that was made */
};

/* Only while preparing. */
struct work {
    struct call *c;
    const struct made_root *before;
    struct own_keys own;
    struct next_root *next;
};

static int begin(struct call *c, struct work *w, struct err *err)
{
    *w = (struct work){ .c = c, .before = newest(c->app, err), .next = arena_alloc(c->arena, sizeof *w->next) };
    if (w->before == NULL)
        return -1;
    if (w->next == NULL)
        return err_nomem(err);
    c->prepared = w->next;
    return own_keys_open(c->app->data_dir, false, &w->own, err);
}

static int usable_here(const struct work *w, const struct trust_root *root, struct err *err)
{
    const struct privkey *keys[BUNDLE_KEYS_MAX];
    size_t have;

    if (own_bundle_keys(&w->own, root, keys, &have))
        return 0;
    return err_set(err, ERR_UNPROCESSABLE, "root: this server has %zu of the %zu keys that must sign bundles under it; its own bundle key "
                   "belongs into the role \"bundle\"", have, root->bundle.threshold);
}

/* Copies what is shown of a root that is gone after this. */
static int keep_info(struct work *w, const struct made_root *made, struct err *err)
{
    struct trust_info *info = &w->next->info;
    struct arena *arena = w->c->arena;

    if (show_root(w->c, made, info, err) != 0)
        return -1;
    struct trust_key_info *keys = arena_array(arena, info->n_keys, sizeof *keys);
    if (keys == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < info->n_keys; i++) {
        keys[i] = info->keys[i];
        keys[i].fingerprint = arena_strdup(arena, keys[i].fingerprint);
        if (keys[i].fingerprint == NULL)
            return err_nomem(err);
    }
    info->keys = keys;
    info->problem = "";
    info->fingerprint = arena_strdup(arena, info->fingerprint);
    info->envelope = arena_strndup(arena, info->envelope, made->envelope.len);
    return info->fingerprint == NULL || info->envelope == NULL ? err_nomem(err) : 0;
}

static int check_made(struct work *w, const struct made_root *made, struct err *err)
{
    struct call *c = w->c;

    if (made->root.expires_ms <= c->now_ms)
        return err_set(err, ERR_UNPROCESSABLE, "root: it has expired already");
    if (usable_here(w, &made->root, err) != 0 || keep_info(w, made, err) != 0)
        return -1;
    w->next->has_root = true;
    w->next->row = (struct root_row){ .version = made->version, .created_ms = c->now_ms, .created_by = c->caller->name,
                                      .envelope = { (const unsigned char *)w->next->info.envelope, made->envelope.len } };
    return 0;
}

static int check_next(struct work *w, struct bytes envelope, struct err *err)
{
    struct made_root *made;

    if (w->before->version >= TRUST_ROOTS_MAX)
        return err_set(err, ERR_TOO_LARGE, "there are %d roots; no more can be followed", TRUST_ROOTS_MAX);
    if (made_root_new(w->before->version + 1, envelope, &w->before->root, &made, err) != 0)
        return -1;
    int rc = check_made(w, made, err);
    made_root_free(made);
    return rc;
}

static int offered(struct work *w, struct err *err)
{
    struct bytes envelope;

    return root_countersign(&w->own, &w->before->root, w->c->body, w->c->arena, &envelope, err) != 0 ? -1 : check_next(w, envelope, err);
}

int trust_root_prepare(struct call *c, const void *in, void *out, struct err *err)
{
    struct work w;

    (void)in, (void)out;
    int rc = begin(c, &w, err) != 0 ? -1 : offered(&w, err);
    own_keys_close(&w.own);
    return rc;
}

int trust_root_add(struct call *c, const void *in, void *out, struct err *err)
{
    const struct next_root *n = c->prepared;
    int64_t last;

    (void)in;
    if (root_last(c->db, &last, err) != 0)
        return -1;
    if (last + 1 != n->row.version)
        return err_set(err, ERR_CONFLICT, "root: there is a version %lld already", (long long)last);
    const char *id = arena_printf(c->arena, "%lld", (long long)n->row.version);
    if (id == NULL)
        return err_nomem(err);
    if (root_insert(c->db, &n->row, err) != 0 || audit_change(c, "create", "trust_root", id, NULL, NULL, NULL, err) != 0)
        return -1;
    *(struct trust_info *)out = n->info;
    c->status = 201;
    bundles_changed(c->app, "a new root of trust");
    return 0;
}

/* ---- another bundle key -------------------------------------------------------------------- */

/* A server that can sign roots names the key in the next one; else people do, and the
 * answer says which key it is. */
static int other_key(struct work *w, struct err *err)
{
    struct call *c = w->c;
    struct bytes envelope;

    if (w->own.next == NULL && key_file_open(c->app->data_dir, NEXT_KEY_FILE, KEY_ED25519, &w->own.next, err) != 0)
        return -1;
    w->next->key = arena_strdup(c->arena, privkey_public(w->own.next)->fingerprint);
    if (w->next->key == NULL)
        return err_nomem(err);
    if (!own_root_key_suffices(&w->own, &w->before->root))
        return keep_info(w, w->before, err);
    if (root_make(&w->own, &w->before->root, privkey_public(w->own.next), c->now_ms + c->app->settings.root_life_ms, c->arena, &envelope, err) != 0)
        return -1;
    return check_next(w, envelope, err);
}

int trust_key_prepare(struct call *c, const void *in, void *out, struct err *err)
{
    struct work w;

    (void)in, (void)out;
    int rc = begin(c, &w, err) != 0 ? -1 : other_key(&w, err);
    own_keys_close(&w.own);
    return rc;
}

int trust_key_rotate(struct call *c, const void *in, void *out, struct err *err)
{
    const struct next_root *n = c->prepared;

    if (n->has_root)
        return trust_root_add(c, in, out, err);
    *(struct trust_info *)out = n->info;
    c->status = 202;
    return audit_change(c, "create", "bundle_key", n->key, NULL, NULL, NULL, err);
}
