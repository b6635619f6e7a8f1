/* jws.h - compact JSON Web Signatures (RFC 7515) with the algorithms of RFC 7518.
 *
 * The algorithm always belongs to the key and is never taken from the signature's
 * header, so no header can choose how it is verified.  Signing is ES256 alone.
 * Elliptic curve signatures are r and s, raw, of the curve's length. */
#ifndef KEEP_BASE_JWS_H
#define KEEP_BASE_JWS_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/crypto.h"
#include "base/err.h"
#include "base/str.h"

enum jws_alg {
    JWS_NONE = 0, JWS_ES256, JWS_ES384, JWS_ES512, JWS_RS256, JWS_RS384, JWS_RS512,
    JWS_PS256, JWS_PS384, JWS_PS512, JWS_HS256, JWS_HS384, JWS_HS512, JWS_ALG_N
};

const char *jws_alg_word(enum jws_alg alg);          /* "ES256"; "none" */
enum jws_alg jws_alg_of(const char *word);           /* JWS_NONE: not one of ours (EdDSA, none) */

/* A key and what it is for.  Opaque; wiped by jws_key_free (NULL-safe). */
struct jws_key;

/* HS*: the secret's bytes, at least one; else a "PUBLIC KEY" block (RFC 7468) of the
 * algorithm's kind: the curve must be the algorithm's own, RSA has 2,048 to 16,384
 * bits.  ERR_INVALID. */
int jws_key_new(enum jws_alg alg, const void *text, size_t len, struct jws_key **out, struct err *err);
void jws_key_free(struct jws_key *key);

struct jws {
    struct bytes header, payload, signature;         /* decoded; the arena's */
    struct bytes input;                              /* what was signed; borrowed from the text */
};

/* Three base64url parts without padding.  Nothing is verified.  ERR_INVALID. */
int jws_split(const char *text, size_t len, struct arena *arena, struct jws *out, struct err *err);

/* True only for a signature by this key, with its algorithm, over exactly this text. */
bool jws_verify(const struct jws *jws, const struct jws_key *key);

/* Appends the compact form.  header: JSON that says alg ES256; key: ECDSA P-256
 * (its form is not looked at). */
int jws_sign(const struct privkey *key, const char *header, struct bytes payload, struct buf *out, struct err *err);

#endif
