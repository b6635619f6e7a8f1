/* detached.h - signatures beside the bytes: for a bare report, and cosign's own.
 *
 * Keep's: a report is uploaded as it is, with the digest of the image it is
 * about and a signature in headers:
 *
 *     Keep-Signature: keyid=<fingerprint of the key>;sig=<base64, padded>
 *
 * What is signed is PAE(type, bytes of the body) with the type
 *
 *     application/vnd.keep.detached+sha256:<64 hex digits of the subject>
 *
 * so that a signature holds for one body about one image, and can be taken for
 * no DSSE envelope of another type.  keyid is a hint. */
#ifndef KEEP_WIRE_DETACHED_H
#define KEEP_WIRE_DETACHED_H

#include "base/buf.h"
#include "wire/signature.h"

#define DETACHED_TYPE "application/vnd.keep.detached+"

/* One of the keys signed body about subject ("sha256:...").  The arena holds a
 * copy of the body.  ERR_INVALID for a malformed header or digest, else as
 * signature_verify. */
int detached_verify(struct arena *arena, const char *header, const char *subject, struct bytes body,
                    const struct pubkey *const keys[], size_t n_keys, struct signers *who, struct err *err);

/* Appends the header's value. */
int detached_sign(struct arena *arena, const char *subject, struct bytes body, const struct privkey *key,
                  struct buf *header, struct err *err);

/* cosign's image signature ("simple signing"): sig is the base64 of a signature
 * over the payload's bytes; the payload must then say that it is a cosign
 * signature and name exactly this image digest.  The reference in it is not
 * looked at.  ERR_INVALID, ERR_UNPROCESSABLE. */
int simple_signing_verify(struct arena *arena, struct bytes payload, const char *sig, const char *digest,
                          const struct pubkey *const keys[], size_t n_keys, struct signers *who, struct err *err);

#endif
