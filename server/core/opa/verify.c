/* verify.c - would OPA activate this bundle?  See opa.h.
 *
 * In the order OPA does it: the signature, then every file against it, then whether
 * the manifest's roots cover what is in it. */
#include "core/opa/opa.h"

#include "base/time.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH = 128, FILES_MAX = 10000 };

static const struct json_opts opts = { .max_depth = DEPTH, .duplicate_keys = true, .big_numbers = true, .skip_bom = true };

struct checking {
    const struct tar_file *files;
    size_t n;
    const struct opa_trust *trust;
    struct arena *arena;
};

/* Without what OPA cuts off in front. */
static const char *bare(const char *name)
{
    return name + strspn(name, "/");
}

static bool is_base(const char *name, const char *base)
{
    const char *slash = strrchr(name, '/');

    return str_eq(slash != NULL ? slash + 1 : name, base);
}

static const struct tar_file *find(const struct checking *c, const char *base)
{
    for (size_t i = 0; i < c->n; i++) {
        const char *name = bare(c->files[i].name);
        if (str_eq(str_starts(name, "./") ? name + 2 : name, base))
            return &c->files[i];
    }
    return NULL;
}

static int parse(const struct checking *c, const struct tar_file *f, struct json *out, struct err *err)
{
    if (json_parse(c->arena, f->content.ptr, f->content.len, &opts, out, err) != 0)
        return err_prefix(err, "%s", bare(f->name));
    return 0;
}

/* ---- the signature ------------------------------------------------------------------- */

static const struct opa_key *key_of(const struct opa_trust *t, const char *id)
{
    for (size_t i = 0; i < t->n_keys; i++) {
        if (str_eq(t->keys[i].id, id))
            return &t->keys[i];
    }
    return NULL;
}

/* The one JWS; the configured key id wins over the header's, that over the payload's. */
static int verify_jws(const struct checking *c, const struct json *list, struct json *payload, struct err *err)
{
    const struct opa_trust *t = c->trust;
    const char *text = json_len(list) > 0 ? json_str(json_at(list, 0), NULL) : NULL;
    struct json header;
    struct jws jws;

    if (json_len(list) > 1)
        return err_set(err, ERR_UNPROCESSABLE, ".signatures.json: more than one signature; OPA expects exactly one");
    if (text == NULL)
        return err_set(err, ERR_UNPROCESSABLE, ".signatures.json: no signature in it");
    if (jws_split(text, strlen(text), c->arena, &jws, err) != 0 ||
        json_parse(c->arena, jws.header.ptr, jws.header.len, &opts, &header, err) != 0 ||
        json_parse(c->arena, jws.payload.ptr, jws.payload.len, &opts, payload, err) != 0)
        return err_prefix(err, ".signatures.json");
    const char *id = t->keyid != NULL && *t->keyid != '\0' ? t->keyid : json_get_str(&header, "kid", "");
    if (*id == '\0')
        id = json_get_str(payload, "keyid", "");
    const struct opa_key *key = *id != '\0' ? key_of(t, id) : NULL;
    if (key == NULL)
        return err_set(err, ERR_UNPROCESSABLE, *id != '\0' ? "no key is configured with the id that the signature names"
                                                           : "the signature names no key, and none is configured");
    if (key->key == NULL || !jws_verify(&jws, key->key))
        return err_set(err, ERR_UNPROCESSABLE, "the signature is not one of the key %s", key->id);
    const char *scope = t->scope != NULL && *t->scope != '\0' ? t->scope : key->scope;
    if (!str_eq(json_get_str(payload, "scope", ""), scope != NULL ? scope : ""))
        return err_set(err, ERR_UNPROCESSABLE, "scope mismatch: signed for '%.40s', expected '%.40s'",
                       json_get_str(payload, "scope", ""), scope != NULL ? scope : "");
    return 0;
}

/* ---- the files ------------------------------------------------------------------------- */

/* Go reads hex in either case. */
static bool hash_hex(const char *hex, uint8_t out[SHA256_LEN])
{
    char lower[2 * SHA256_LEN + 1];

    if (strlen(hex) != sizeof lower - 1)
        return false;
    memcpy(lower, hex, sizeof lower);
    str_lower(lower);
    return hex_decode(lower, out, SHA256_LEN);
}

static int hash_is(const struct checking *c, const struct tar_file *f, const char *hex, struct err *err)
{
    const char *name = bare(f->name);
    struct bytes what = f->content;
    uint8_t want[SHA256_LEN], got[SHA256_LEN];
    struct json doc;
    bool same = false;

    if (!hash_hex(hex, want))
        return err_set(err, ERR_UNPROCESSABLE, "%s: its hash is not one of SHA-256", name);
    if (!opa_is_structured(name)) {
        sha256(what.ptr, what.len, got);
        same = memcmp(want, got, sizeof got) == 0;
    } else if (parse(c, f, &doc, err) != 0) {
        return -1;
    }
    for (int old = 0; opa_is_structured(name) && !same && old < 2; old++) {
        struct buf b;
        buf_init(&b, 2 * (size_t)OPA_BUNDLE_MAX);
        opa_canonical(&doc, (const char *)what.ptr, old != 0, &b);
        if (b.failed)
            return buf_free(&b), err_nomem(err);
        sha256(b.ptr, b.len, got);
        buf_free(&b);
        same = memcmp(want, got, sizeof got) == 0;
    }
    return same ? 0 : err_set(err, ERR_UNPROCESSABLE, "%s: digest mismatch, it was changed after signing", name);
}

static int match_files(const struct checking *c, const struct json *signed_files, struct err *err)
{
    uint32_t n = json_len(signed_files);
    bool *used = arena_array(c->arena, n + 1u, sizeof *used);

    if (n > FILES_MAX)
        return err_set(err, ERR_TOO_LARGE, ".signatures.json: more than %d files", FILES_MAX);
    if (used == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < c->n; i++) {
        const char *name = bare(c->files[i].name);
        uint32_t k = 0;
        if (is_base(name, ".signatures.json"))
            continue;
        /* Of a name that is signed twice the last one counts. */
        for (k = n; k > 0 && (used[k - 1] || !str_eq(json_get_str(json_at(signed_files, k - 1), "name", NULL), name)); k--)
            ;
        if (k == 0)
            return err_set(err, ERR_UNPROCESSABLE, "file %s not included in bundle signature", name);
        const struct json *row = json_at(signed_files, k - 1);
        if (!str_eq(json_get_str(row, "algorithm", ""), "SHA-256"))
            return err_set(err, ERR_UNPROCESSABLE, "%s: hashed with '%.20s'; SHA-256 is expected", name, json_get_str(row, "algorithm", ""));
        if (hash_is(c, &c->files[i], json_get_str(row, "hash", ""), err) != 0)
            return -1;
        for (uint32_t m = 0; m < n; m++)
            used[m] = used[m] || str_eq(json_get_str(json_at(signed_files, m), "name", NULL), name);
    }
    for (uint32_t k = 0; k < n; k++) {
        if (!used[k])
            return err_set(err, ERR_UNPROCESSABLE, "file %.100s is signed but not in the bundle", json_get_str(json_at(signed_files, k), "name", "?"));
    }
    return 0;
}

/* ---- the manifest ------------------------------------------------------------------------- */

static int read_manifest(const struct checking *c, struct opa_manifest *m, struct err *err)
{
    static const char *const everything[] = { "" };
    const struct tar_file *f = find(c, ".manifest");
    struct json doc = { 0 };

    if (f != NULL && parse(c, f, &doc, err) != 0)
        return -1;
    const struct json *roots = json_get(&doc, "roots"), *meta = json_get(&doc, "metadata");
    *m = (struct opa_manifest){ .revision = json_get_str(&doc, "revision", ""), .roots = everything, .n_roots = 1,
                                .issued = json_int(json_get(meta, "revision"), -1), .not_after_ms = TIME_UNKNOWN };
    const char *end = json_get_str(meta, "not_after", NULL);
    if (end != NULL && !time_parse(end, &m->not_after_ms))
        m->not_after_ms = TIME_UNKNOWN;
    if (!json_is(roots, JSON_ARRAY))
        return 0;
    const char **list = arena_array(c->arena, json_len(roots), sizeof *list);
    if (list == NULL)
        return err_nomem(err);
    for (uint32_t i = 0; i < json_len(roots); i++) {
        if ((list[i] = json_str(json_at(roots, i), NULL)) == NULL)
            return err_set(err, ERR_INVALID, ".manifest: roots are texts");
    }
    m->roots = list;
    m->n_roots = json_len(roots);
    return 0;
}

/* "a/b" covers "a/b" and what is below it. */
static bool covers(const char *root, const char *path, size_t len)
{
    root += strspn(root, "/");
    size_t n = strlen(root);
    while (n > 0 && root[n - 1] == '/')
        n--;
    return n == 0 || (len >= n && memcmp(root, path, n) == 0 && (len == n || path[n] == '/'));
}

static bool is_covered(const struct opa_manifest *m, const char *path, size_t len)
{
    for (size_t i = 0; i < m->n_roots; i++) {
        if (covers(m->roots[i], path, len))
            return true;
    }
    return false;
}

static bool leads_to_root(const struct opa_manifest *m, const char *path)
{
    for (size_t i = 0; i < m->n_roots; i++) {
        const char *root = m->roots[i] + strspn(m->roots[i], "/");
        if (covers(path, root, strlen(root)))
            return true;
    }
    return false;
}

/* The module's package as a path ("a/b"), or NULL: comments and blanks, then `package`. */
static const char *package_of(struct arena *arena, struct bytes text)
{
    const char *s = (const char *)text.ptr, *end = s + text.len;

    for (;;) {
        while (s < end && strchr(" \t\r\n", *s) != NULL && *s != '\0')
            s++;
        if (s == end || *s != '#')
            break;
        while (s < end && *s != '\n')
            s++;
    }
    if (end - s < 9 || memcmp(s, "package", 7) != 0 || (s[7] != ' ' && s[7] != '\t'))
        return NULL;
    for (s += 8; s < end && (*s == ' ' || *s == '\t'); s++)
        ;
    const char *from = s;
    while (s < end && strchr(" \t\r\n#;", *s) == NULL)
        s++;
    char *path = arena_strndup(arena, from, (size_t)(s - from));
    char *to = path;
    /* a.b["c-d"] is a/b/c-d */
    for (const char *p = path; p != NULL && *p != '\0'; p++) {
        if (*p == '.' || *p == '[')
            *to++ = '/';
        else if (*p != '"' && *p != ']')
            *to++ = *p;
    }
    if (to != NULL)
        *to = '\0';
    return path;
}

/* Every path of data is covered by a root, or leads to one. */
static int data_covered(const struct checking *c, const struct opa_manifest *m, const char *path, const struct json *v, unsigned depth,
                        struct err *err)
{
    if (is_covered(m, path, strlen(path)))
        return 0;
    if (!json_is(v, JSON_OBJECT) || depth == 0 || (*path != '\0' && !leads_to_root(m, path)))
        return err_set(err, ERR_UNPROCESSABLE, "the manifest's roots do not permit data at '/%.100s'", path);
    for (uint32_t i = 0; i < json_n_members(v); i++) {
        const char *below = arena_printf(c->arena, "%s%s%s", path, *path != '\0' ? "/" : "", v->members[i].key);
        if (below == NULL)
            return err_nomem(err);
        if (data_covered(c, m, below, &v->members[i].value, depth - 1, err) != 0)
            return -1;
    }
    return 0;
}

static int file_covered(const struct checking *c, const struct opa_manifest *m, const struct tar_file *f, struct err *err)
{
    const char *name = bare(f->name);
    struct json doc;

    if (str_ends(name, ".rego")) {
        const char *package = package_of(c->arena, f->content);
        if (package == NULL || *package == '\0')
            return err_set(err, ERR_UNPROCESSABLE, "%s: no package in it", name);
        if (!is_covered(m, package, strlen(package)))
            return err_set(err, ERR_UNPROCESSABLE, "the manifest's roots do not permit package %.60s in %.60s", package, name);
    }
    if (!is_base(name, "data.json"))
        return 0;
    if (str_starts(name, "./"))
        name += 2;
    size_t len = strlen(name) - strlen("data.json");
    const char *path = arena_strndup(c->arena, name, len > 0 ? len - 1 : 0);
    if (path == NULL)
        return err_nomem(err);
    return parse(c, f, &doc, err) != 0 ? -1 : data_covered(c, m, path, &doc, DEPTH, err);
}

int opa_verify(const struct tar_file *files, size_t n, const struct opa_trust *trust, struct arena *arena,
               struct opa_manifest *out, struct err *err)
{
    const struct checking c = { files, n, trust, arena };
    const struct tar_file *signatures = find(&c, ".signatures.json");
    struct opa_manifest m;
    struct json doc, payload;

    if (signatures == NULL && trust->is_given && trust->keyid != NULL && *trust->keyid != '\0')
        return err_set(err, ERR_UNPROCESSABLE, "bundle missing .signatures.json file");
    if (signatures != NULL && !trust->is_given)
        return err_set(err, ERR_UNPROCESSABLE, "the bundle is signed, and no verification key is configured");
    if (signatures != NULL && (parse(&c, signatures, &doc, err) != 0 || verify_jws(&c, json_get(&doc, "signatures"), &payload, err) != 0 ||
                               match_files(&c, json_get(&payload, "files"), err) != 0))
        return -1;
    if (read_manifest(&c, &m, err) != 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        if (file_covered(&c, &m, &files[i], err) != 0)
            return -1;
    }
    m.is_signed = signatures != NULL;
    *out = m;
    return 0;
}

int opa_fresh(const struct opa_manifest *m, int64_t seen, int64_t now_ms, struct err *err)
{
    if (m->not_after_ms != TIME_UNKNOWN && m->not_after_ms < now_ms)
        return err_set(err, ERR_UNPROCESSABLE, "the bundle has expired");
    if (seen >= 0 && m->issued < seen)
        return err_set(err, ERR_UNPROCESSABLE, "the bundle is older (%" PRId64 ") than one seen before (%" PRId64 ")", m->issued, seen);
    return 0;
}
