/* declare_profile.c - POST /v1/profiles: what developers say their image does.
 *
 * CI sends a DSSE envelope; its signature is verified over the bytes before the document
 * is read, and the signer must be allowed for that repository.  People of role policy may
 * send the document itself.  Declaring enforces nothing: somebody approves it. */
#include "service/profiles.h"

#include "base/compress.h"
#include "base/crypto.h"
#include "service/audit_change.h"
#include "service/evidence.h"
#include "service/views.h"
#include "store/scan.h"
#include "wire/envelope.h"
#include "wire/profile_doc.h"

#include <string.h>

enum { EVIDENCE_LEVEL = 3 };

struct declared {
    struct profile profile;
    const struct signer *signer;         /* NULL: nobody signed */
    struct evidence evidence;
    const char *document;
    char id[PROFILE_ID_LEN + 1];
};

static bool looks_signed(struct bytes body)
{
    size_t at = 0;

    while (at < body.len && strchr(" \t\r\n", body.ptr[at]) != NULL)
        at++;
    return at < body.len && body.ptr[at] == '{' && memmem(body.ptr, body.len, "\"payloadType\"", 13) != NULL;
}

static int keep_envelope(struct call *c, struct declared *d, struct err *err)
{
    char digest[DIGEST_LEN + 1];
    struct buf b;

    sha256_digest(c->body.ptr, c->body.len, digest);
    buf_init(&b, 2 * c->body.len + 4096);
    int rc = zstd_deflate(c->body.ptr, c->body.len, EVIDENCE_LEVEL, &b, err);
    char *content = rc == 0 ? arena_bytes(c->arena, b.len + 1) : NULL;
    const char *id = arena_strdup(c->arena, digest + strlen("sha256:"));
    if (content != NULL)
        memcpy(content, b.ptr, b.len);
    d->evidence = (struct evidence){ .id = id, .kind = "dsse", .signer_id = d->signer->id, .length = (int64_t)c->body.len,
                                     .content = { (const unsigned char *)content, b.len }, .received_ms = c->now_ms };
    buf_free(&b);
    if (rc == 0 && (content == NULL || id == NULL))
        return err_nomem(err);
    return rc;
}

static int open_signed(struct call *c, struct declared *d, struct bytes *document, struct err *err)
{
    struct envelope env;

    if (envelope_parse(c->arena, c->body.ptr, c->body.len, &env, err) != 0)
        return err_prefix(err, "envelope");
    if (evidence_signer(c, &env, "profile", &d->signer, err) != 0)
        return -1;
    if (!str_eq(env.payload_type, PROFILE_PAYLOAD_YAML) && !str_eq(env.payload_type, PROFILE_PAYLOAD_JSON))
        return err_set(err, ERR_UNPROCESSABLE, "envelope: payloadType is neither %s nor +json", PROFILE_PAYLOAD_YAML);
    *document = env.payload;
    return keep_envelope(c, d, err);
}

static int check_who(struct call *c, const struct declared *d, struct err *err)
{
    const char *repository = d->profile.repository;

    if (!may_see(c, repository))
        return err_set(err, ERR_FORBIDDEN, "token %s may not speak of repository %s", c->caller->name, repository);
    if (d->signer != NULL)
        return signer_check_repository(d->signer, repository, err);
    if (c->caller->role != ROLE_POLICY && c->caller->role != ROLE_ADMIN)
        return err_set(err, ERR_FORBIDDEN, "a profile that nobody signed is taken only from people of role policy; sign it with: keepctl profile push --key FILE");
    return 0;
}

int profile_declare_prepare(struct call *c, const void *in, void *out, struct err *err)
{
    struct declared *d = arena_alloc(c->arena, sizeof *d);
    struct bytes document = c->body;

    (void)in, (void)out;
    if (d == NULL)
        return err_nomem(err);
    if (c->body.len == 0)
        return err_set(err, ERR_INVALID, "the body is empty: expected a profile, or a DSSE envelope around one");
    if (looks_signed(c->body) && open_signed(c, d, &document, err) != 0)
        return -1;
    if (profile_doc_parse(document.ptr, document.len, c->arena, &c->complaints, &d->profile, err) != 0 || check_who(c, d, err) != 0 ||
        profile_to_text(&d->profile, c->arena, &d->document, err) != 0)
        return -1;
    profile_id(d->profile.repository, d->profile.digest, d->id);
    c->prepared = d;
    return 0;
}

static int answer(struct call *c, const struct profile_row *row, bool is_new, void *out, struct err *err)
{
    profile_version_of(row, out);
    c->status = is_new ? 201 : 200;
    c->location = arena_printf(c->arena, "/v1/profiles/%s", row->profile_id);
    return c->location == NULL ? err_nomem(err) : 0;
}

/* The same again, by the same key or by nobody again, changes nothing. */
static bool is_same(const struct profile_row *row, const struct declared *d)
{
    return row->id != 0 && str_eq(row->document, d->document) && (d->signer == NULL || str_eq(row->signer_id, d->signer->id));
}

int profile_declare(struct call *c, const void *in, void *out, struct err *err)
{
    const struct declared *d = c->prepared;
    struct profile_row before[PROFILE_SOURCE_N], *was = &before[PROFILE_DECLARED];
    struct profile_row row = {
        .profile_id = d->id, .repository = d->profile.repository, .digest = d->profile.digest != NULL ? d->profile.digest : "",
        .source = PROFILE_DECLARED, .mode = d->profile.mode, .document = d->document, .signer_id = d->signer != NULL ? d->signer->id : NULL,
        .evidence_id = d->evidence.id, .created_ms = c->now_ms, .created_by = c->caller->name, .reason = "",
    };
    size_t n;

    (void)in;
    if (profile_current(c->db, d->id, c->arena, before, &n, err) != 0)
        return -1;
    if (is_same(was, d))
        return answer(c, was, false, out, err);
    if (d->evidence.id != NULL && evidence_insert(c->db, &d->evidence, err) != 0)
        return -1;
    if (profile_insert(c->db, &row, err) != 0 || answer(c, &row, true, out, err) != 0)
        return -1;
    struct profile_version old;
    if (was->id != 0)
        profile_version_of(was, &old);
    return audit_change(c, "declare", "profile", d->id, &profile_version_shape, was->id != 0 ? &old : NULL, out, err);
}
