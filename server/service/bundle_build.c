/* bundle_build.c - what is in a bundle: the policies of the run stage that speak of its
 * cluster, the profiles in force, the settings of agents.  See bundles_internal.h. */
#include "service/bundles_internal.h"

#include "core/policy.h"
#include "store/policy_doc.h"
#include "store/profile.h"
#include "wire/envelope.h"
#include "wire/jsonw.h"
#include "wire/msg/node_settings.h"
#include "wire/yaml.h"

#include <string.h>

enum { BUILD_ARENA = 256 << 20, COMPILE_ARENA = 32 << 20, SETTINGS_MAX = 16 << 10 };

/* ---- policies ------------------------------------------------------------------------ */

/* Names of clusters a document is for; none: all. */
static bool is_for(const struct policy_doc *p, struct arena *arena, const char *cluster)
{
    struct err ignored = { 0 };
    struct json doc;

    if (yaml_parse(arena, p->document, strlen(p->document), NULL, &doc, &ignored) != 0)
        return true;
    const struct json *clusters = json_path(&doc, "spec.match.clusters");
    if (json_len(clusters) == 0)
        return true;
    for (uint32_t i = 0; i < json_len(clusters); i++)
        if (str_match(json_str(json_at(clusters, i), ""), cluster))
            return true;
    return false;
}

/* Does it have a say at the run stage of this cluster?  What does not compile has none. */
static bool belongs(const struct policy_doc *p, const char *cluster)
{
    struct err ignored = { 0 };
    struct policy *compiled;
    struct arena arena;

    arena_init(&arena, COMPILE_ARENA);
    bool yes = policy_compile(p->document, strlen(p->document), &arena, NULL, &compiled, &ignored) == 0 &&
               (policy_info(compiled)->stages & STAGE_RUN) != 0 && is_for(p, &arena, cluster);
    arena_clear(&arena);
    return yes;
}

static int put_policies(struct db *db, const char *cluster, struct arena *arena, struct buf *out, struct err *err)
{
    struct policy_doc *list;
    struct jsonw w;
    size_t n;

    if (policy_doc_list_enabled(db, arena, &list, &n, err) != 0)
        return -1;
    jsonw_init(&w, out);
    jsonw_object(&w);
    jsonw_key(&w, "policies");
    jsonw_array(&w);
    for (size_t i = 0; i < n; i++) {
        if (!belongs(&list[i], cluster))
            continue;
        jsonw_object(&w);
        jsonw_kstr(&w, "name", list[i].name);
        jsonw_kint(&w, "version", list[i].version);
        jsonw_kstr(&w, "document", list[i].document);
        jsonw_object_end(&w);
    }
    jsonw_array_end(&w);
    jsonw_object_end(&w);
    return 0;
}

/* ---- profiles, settings ---------------------------------------------------------------- */

static int put_profiles(struct db *db, struct arena *arena, struct buf *out, struct err *err)
{
    struct profile_row *list;
    size_t n;

    if (profile_list_enforced(db, arena, &list, &n, err) != 0)
        return -1;
    buf_puts(out, "{\"profiles\":[");
    for (size_t i = 0; i < n; i++)
        buf_printf(out, "%s%s", i > 0 ? "," : "", list[i].document);
    buf_puts(out, "]}");
    return 0;
}

static void put_settings(const struct app *app, struct buf *out)
{
    struct node_settings s = app->settings.agents;

    if (app->settings.node_poll_ms > 0)
        s.poll_interval_s = (app->settings.node_poll_ms + 999) / 1000;
    shape_encode(&node_settings_shape, &s, out);
}

/* ---- together ----------------------------------------------------------------------------- */

static int finish(struct content *c, struct err *err)
{
    uint8_t hash[SHA256_LEN];
    struct sha256 all;
    size_t sum = 0;

    sha256_init(&all);
    for (size_t i = 0; i < CONTENT_FILES; i++) {
        const struct buf *b = &c->files[i].text;
        if (b->failed)
            return err_set(err, ERR_TOO_LARGE, "bundle: %s is over %d bytes", c->files[i].name, TRUST_FILES_BYTES);
        sum += b->len;
        sha256(b->ptr, b->len, hash);
        sha256_add(&all, c->files[i].name, strlen(c->files[i].name) + 1);
        sha256_add(&all, hash, sizeof hash);
    }
    if (sum > TRUST_FILES_BYTES)
        return err_set(err, ERR_TOO_LARGE, "bundle: files of %zu bytes, at most %d are possible", sum, TRUST_FILES_BYTES);
    sha256_done(&all, hash);
    hex_encode(hash, sizeof hash, c->hash);
    return 0;
}

int content_build(struct app *app, struct db *db, const char *cluster, struct content *out, struct err *err)
{
    static const char *const file_names[CONTENT_FILES] = { "policies.json", "profiles.json", "settings.json" };
    struct content c = { 0 };
    struct arena arena;

    for (size_t i = 0; i < CONTENT_FILES; i++) {
        c.files[i].name = file_names[i];
        buf_init(&c.files[i].text, i == 2 ? SETTINGS_MAX : TRUST_FILES_BYTES);
    }
    arena_init(&arena, BUILD_ARENA);
    int rc = put_policies(db, cluster, &arena, &c.files[0].text, err);
    if (rc == 0)
        rc = put_profiles(db, &arena, &c.files[1].text, err);
    arena_clear(&arena);
    put_settings(app, &c.files[2].text);
    if (rc != 0 || finish(&c, err) != 0) {
        content_free(&c);
        return -1;
    }
    *out = c;
    return 0;
}

void content_free(struct content *c)
{
    for (size_t i = 0; i < CONTENT_FILES; i++)
        buf_free(&c->files[i].text);
}

int content_sign(const struct content *c, const struct bundle_row *terms, const struct privkey *const keys[], size_t n_keys,
                 struct buf *out, struct err *err)
{
    struct trust_file files[CONTENT_FILES];
    struct trust_bundle b = { .version = terms->version, .root_version = terms->root_version, .scope = terms->scope,
                              .signed_ms = terms->signed_ms, .expires_ms = terms->expires_ms, .files = files, .n_files = CONTENT_FILES };
    struct arena arena;
    struct buf payload;

    for (size_t i = 0; i < CONTENT_FILES; i++) {
        const struct buf *text = &c->files[i].text;
        files[i] = (struct trust_file){ .name = c->files[i].name, .length = (int64_t)text->len };
        sha256(text->ptr, text->len, files[i].sha256);
    }
    arena_init(&arena, 4 << 20);
    buf_init(&payload, TRUST_BUNDLE_MAX);
    int rc = trust_bundle_write(&b, &payload, err);
    if (rc == 0)
        rc = envelope_sign(&arena, TRUST_BUNDLE_TYPE, (struct bytes){ (unsigned char *)payload.ptr, payload.len }, keys, n_keys, out, err);
    buf_putc(out, '\n');
    for (size_t i = 0; i < CONTENT_FILES; i++)
        buf_put(out, c->files[i].text.ptr, c->files[i].text.len);
    buf_free(&payload);
    arena_clear(&arena);
    return rc != 0 ? -1 : out->failed ? err_nomem(err) : 0;
}
