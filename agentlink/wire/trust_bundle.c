/* trust_bundle.c - signed lists of files; see trust.h. */
#include "wire/trust.h"

#include "base/time.h"
#include "wire/jsonw.h"
#include "wire/trust_internal.h"

#include <string.h>

/* ---- reading --------------------------------------------------------------------- */

/* A name becomes a file: nothing in it may lead elsewhere. */
static bool is_name(const char *name)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789.-_";
    size_t len = strlen(name);

    return len > 0 && len <= TRUST_NAME_MAX && name[0] != '.' && name[strspn(name, allowed)] == '\0' &&
           !str_eq(name, "bundle.json");
}

static int read_file(const struct json *v, struct trust_file *out, struct err *err)
{
    const struct json *length = json_get(v, "length");

    out->name = json_get_str(v, "name", "");
    if (!is_name(out->name))
        return err_set(err, ERR_INVALID, "bundle: \"%.64s\" is no name of a file", out->name);
    if (!json_is(length, JSON_INT) || length->i < 0 || length->i > TRUST_FILES_BYTES)
        return err_set(err, ERR_INVALID, "bundle: %s: \"length\" is not an integer up to %d", out->name, TRUST_FILES_BYTES);
    if (!hex_decode(json_get_str(v, "sha256", ""), out->sha256, SHA256_LEN))
        return err_set(err, ERR_INVALID, "bundle: %s: \"sha256\" is not 64 hex digits", out->name);
    out->length = length->i;
    return 0;
}

static int read_files(struct arena *arena, const struct json *list, struct trust_bundle *b, struct err *err)
{
    int64_t sum = 0;

    if (!json_is(list, JSON_ARRAY) || list->n > TRUST_FILES_MAX)
        return err_set(err, ERR_INVALID, "bundle: \"files\" is not a list of at most %d", TRUST_FILES_MAX);
    b->files = arena_array(arena, list->n, sizeof *b->files);
    if (b->files == NULL)
        return err_nomem(err);
    for (; b->n_files < list->n; b->n_files++) {
        struct trust_file *f = &b->files[b->n_files];
        if (read_file(json_at(list, (uint32_t)b->n_files), f, err) != 0)
            return -1;
        for (size_t i = 0; i < b->n_files; i++)
            if (str_eq(b->files[i].name, f->name))
                return err_set(err, ERR_INVALID, "bundle: %s is there twice", f->name);
        sum += f->length;
    }
    if (sum > TRUST_FILES_BYTES)
        return err_set(err, ERR_TOO_LARGE, "bundle: files of %lld bytes, at most %d expected", (long long)sum, TRUST_FILES_BYTES);
    return 0;
}

static int read_bundle(struct arena *arena, struct bytes payload, struct trust_bundle *out, struct err *err)
{
    struct trust_bundle b = { 0 };
    struct json doc;

    if (trust_payload(arena, "bundle", payload.ptr, payload.len, &doc, err) != 0 ||
        trust_integer("bundle", &doc, "version", &b.version, err) != 0 ||
        trust_integer("bundle", &doc, "root_version", &b.root_version, err) != 0 ||
        trust_time("bundle", &doc, "signed_at", &b.signed_ms, err) != 0 ||
        trust_time("bundle", &doc, "expires", &b.expires_ms, err) != 0 ||
        read_files(arena, json_get(&doc, "files"), &b, err) != 0)
        return -1;
    b.scope = json_get_str(&doc, "scope", NULL);
    if (b.scope == NULL || strlen(b.scope) > TRUST_SCOPE_MAX)
        return err_set(err, ERR_INVALID, "bundle: \"scope\" is missing, no text, or longer than %d", TRUST_SCOPE_MAX);
    sha256(payload.ptr, payload.len, b.hash);
    *out = b;
    return 0;
}

/* ---- judging --------------------------------------------------------------------- */

int64_t trust_now(const struct trust_floor *floor, int64_t clock_ms)
{
    return clock_ms > floor->clock_ms ? clock_ms : floor->clock_ms;
}

static int refuse_version(const struct trust_floor *floor, const struct trust_bundle *b, enum trust_reason *why, struct err *err)
{
    if (b->version < floor->version) {
        err_set(err, ERR_UNPROCESSABLE, "bundle: version %lld is older than %lld, which was trusted",
                (long long)b->version, (long long)floor->version);
        return trust_no(why, TRUST_ROLLBACK);
    }
    err_set(err, ERR_UNPROCESSABLE, "bundle: there are two different versions %lld", (long long)b->version);
    return trust_no(why, TRUST_EQUIVOCATION);
}

/* In the order of the specification: for whom, under which root, how new, until when. */
static int judge(const struct trust_root *root, const char *scope, const struct trust_floor *floor, int64_t now_ms,
                 const struct trust_bundle *b, enum trust_reason *why, struct err *err)
{
    char until[TIME_TEXT];

    if (!str_eq(b->scope, scope)) {
        err_set(err, ERR_UNPROCESSABLE, "bundle: made for %.80s, not for %.80s", b->scope, scope);
        return trust_no(why, TRUST_AUDIENCE);
    }
    if (b->root_version > root->version) {
        err_set(err, ERR_UNPROCESSABLE, "bundle: made under root %lld, ours is %lld", (long long)b->root_version, (long long)root->version);
        return trust_no(why, TRUST_ROOT_AHEAD);
    }
    bool same = b->version == floor->version && crypto_equal(b->hash, floor->hash, SHA256_LEN);
    if (b->version <= floor->version && !same)
        return refuse_version(floor, b, why, err);
    if (b->expires_ms <= now_ms) {
        time_format(b->expires_ms, until);
        err_set(err, ERR_UNPROCESSABLE, "bundle: version %lld expired at %s", (long long)b->version, until);
        return trust_no(why, TRUST_EXPIRED);
    }
    return same ? 0 : 1;
}

int trust_bundle_verify(struct arena *arena, const struct trust_root *root, const char *scope,
                        const struct trust_floor *floor, int64_t now_ms, const void *envelope, size_t len,
                        struct trust_bundle *out, enum trust_reason *why, struct err *err)
{
    struct trust_bundle b;
    struct envelope e;

    if (trust_envelope(arena, "bundle", TRUST_BUNDLE_TYPE, envelope, len, TRUST_BUNDLE_MAX, &e, err) != 0)
        return trust_no(why, TRUST_MALFORMED);
    if (trust_signed_by(&e, &root->bundle, "bundle", err) != 0)
        return trust_no(why, TRUST_SIGNATURE);
    if (read_bundle(arena, e.payload, &b, err) != 0)
        return trust_no(why, TRUST_MALFORMED);
    int rc = judge(root, scope, floor, now_ms, &b, why, err);
    if (rc >= 0)
        *out = b;
    return rc;
}

int trust_bundle_read(struct arena *arena, const void *envelope, size_t len, struct trust_bundle *out, struct err *err)
{
    struct envelope e;

    if (trust_envelope(arena, "bundle", TRUST_BUNDLE_TYPE, envelope, len, TRUST_BUNDLE_MAX, &e, err) != 0)
        return -1;
    return read_bundle(arena, e.payload, out, err);
}

void trust_floor_raise(struct trust_floor *floor, const struct trust_bundle *accepted)
{
    floor->version = accepted->version;
    memcpy(floor->hash, accepted->hash, sizeof floor->hash);
    if (accepted->signed_ms > floor->clock_ms)
        floor->clock_ms = accepted->signed_ms;
}

bool trust_file_is(const struct trust_file *file, const void *bytes, size_t len)
{
    uint8_t hash[SHA256_LEN];

    if (len != (uint64_t)file->length)
        return false;
    sha256(bytes, len, hash);
    return crypto_equal(hash, file->sha256, sizeof hash);
}

/* ---- writing --------------------------------------------------------------------- */

static void write_file(const struct trust_file *f, struct jsonw *w)
{
    char hex[2 * SHA256_LEN + 1];

    hex_encode(f->sha256, SHA256_LEN, hex);
    jsonw_object(w);
    jsonw_kstr(w, "name", f->name);
    jsonw_kint(w, "length", f->length);
    jsonw_kstr(w, "sha256", hex);
    jsonw_object_end(w);
}

int trust_bundle_write(const struct trust_bundle *b, struct buf *out, struct err *err)
{
    struct jsonw w;

    jsonw_init(&w, out);
    jsonw_object(&w);
    jsonw_kstr(&w, "_type", "bundle");
    jsonw_kint(&w, "version", b->version);
    jsonw_kint(&w, "root_version", b->root_version);
    jsonw_kstr(&w, "scope", b->scope);
    jsonw_ktime(&w, "signed_at", b->signed_ms);
    jsonw_ktime(&w, "expires", b->expires_ms);
    jsonw_key(&w, "files");
    jsonw_array(&w);
    for (size_t i = 0; i < b->n_files; i++)
        write_file(&b->files[i], &w);
    jsonw_array_end(&w);
    jsonw_object_end(&w);
    return out->failed ? err_nomem(err) : 0;
}
