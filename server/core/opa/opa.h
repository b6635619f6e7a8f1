/* opa.h - bundles for the Open Policy Agent: made, hashed and verified.
 *
 * Pure: facts in, bytes out.  A bundle is a tar.gz of `.manifest`, keep/data.json,
 * keep/lib.rego and `.signatures.json`, which holds exactly one JWS over the hashes of
 * all the others.  Verifying answers as OPA 0.61 and 1.7 were measured to answer,
 * which has two holes of theirs to know of: keys without a key id do not make OPA
 * refuse an unsigned bundle, and nothing in the signature expires.  So what we print
 * as OPA's configuration always names the key id, and opa_fresh checks what the
 * manifest says of its age. */
#ifndef KEEP_CORE_OPA_OPA_H
#define KEEP_CORE_OPA_OPA_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/crypto.h"
#include "base/jws.h"
#include "base/tar.h"
#include "core/freshness.h"
#include "model/image.h"
#include "wire/json.h"

/* ---- hashes ---------------------------------------------------------------------- */

/* Appends the canonical form of a parsed JSON text: keys sorted by bytes, no spaces,
 * numbers as written in `text`, strings escaped as Go's encoder does without its HTML
 * escapes.  Go before 1.22 writes \b and \f as \u0008 and \u000c: `old` does that. */
void opa_canonical(const struct json *value, const char *text, bool old, struct buf *out);

/* Those whose hash is over the canonical form: .manifest, .signatures.json, data.json
 * and data.yaml, at any depth. */
bool opa_is_structured(const char *name);

/* ---- verifying -------------------------------------------------------------------- */

struct opa_key {
    const char *id;
    const struct jws_key *key;      /* NULL: configured with an algorithm OPA does not know */
    const char *scope;              /* NULL: none */
};

/* As `signing` of a bundle in OPA's configuration, and `keys`. */
struct opa_trust {
    bool is_given;                  /* there is a `signing` section at all */
    const char *keyid, *scope;      /* NULL: not in it */
    const struct opa_key *keys; size_t n_keys;
};

struct opa_manifest {
    const char *revision;           /* "" when it says none */
    const char *const *roots; size_t n_roots;
    int64_t issued;                 /* metadata.revision, grows with every bundle of ours; -1: not said */
    int64_t not_after_ms;           /* metadata.not_after; TIME_UNKNOWN: not said */
    bool is_signed;                 /* and the signature was verified */
};

/* Would OPA activate this bundle?  0 with *out (of the arena), or -1 with the reason. */
int opa_verify(const struct tar_file *files, size_t n, const struct opa_trust *trust, struct arena *arena,
               struct opa_manifest *out, struct err *err);

/* What OPA does not look at: not past its end, and not older than `seen` (-1: none was). */
int opa_fresh(const struct opa_manifest *m, int64_t seen, int64_t now_ms, struct err *err);

/* ---- making ------------------------------------------------------------------------ */

struct opa_image {
    const struct image *image;
    const char *const *tags; size_t n_tags;            /* "repository:tag" */
    const char *const *reasons; size_t n_reasons;
};

struct opa_facts {
    const struct opa_image *images; size_t n;
    struct freshness_limits limits;
    int64_t generated_ms, not_after_ms;
    int64_t issued;                 /* grows with every bundle */
};

enum { OPA_BUNDLE_MAX = 256 << 20, OPA_KEY_ID = 24 };

/* "keep-" and the first 16 digits of the fingerprint. */
void opa_key_id(const struct pubkey *key, char out[OPA_KEY_ID]);

/* Appends data.json.  without_clock: leaves out when it was made, so that equal facts
 * are equal bytes. */
void opa_data(const struct opa_facts *facts, bool without_clock, struct buf *out);

/* Appends the bundle.  revision: at most 128 bytes without control characters. */
int opa_bundle(const struct opa_facts *facts, const char *revision, const struct privkey *key, struct buf *out, struct err *err);

/* keep/lib.rego. */
extern const char opa_library[];

#endif
