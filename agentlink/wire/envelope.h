/* envelope.h - DSSE, the signed envelope (secure-systems-lab/dsse 1.0.2).
 *
 *     PAE(type, body) = "DSSEv1" SP LEN(type) SP type SP LEN(body) SP body
 *     {"payloadType": type, "payload": base64(body),
 *      "signatures": [{"keyid": hint, "sig": base64(signature of PAE)}]}
 *
 * Lengths are bytes.  Order of work: parse the envelope, verify, look at the
 * payload type, parse the payload - the same bytes that were verified. */
#ifndef KEEP_WIRE_ENVELOPE_H
#define KEEP_WIRE_ENVELOPE_H

#include "base/buf.h"
#include "wire/json.h"
#include "wire/signature.h"

enum {
    ENVELOPE_MAX = 48 * 1024 * 1024,           /* bytes of JSON */
    ENVELOPE_PAYLOAD_MAX = 32 * 1024 * 1024,   /* bytes decoded */
    ENVELOPE_TYPE_MAX = 1024,
    ENVELOPE_SIG_MAX = 8192,                   /* of one signature, decoded: other algorithms' are large */
};

struct envelope {
    const char *payload_type;
    struct bytes payload;       /* not to be trusted before envelope_verify */
    struct bytes pae;           /* what is signed; payload is its end */
    struct signature sigs[SIGNATURES_MAX];
    size_t n_sigs;              /* 1..SIGNATURES_MAX */
};

/* Strict base64 in either alphabet per field; unknown members are ignored;
 * duplicate ones, wrong types, NUL and anything behind the object are refused.
 * Everything in `out` lives in the arena.  ERR_INVALID, ERR_TOO_LARGE. */
int envelope_parse(struct arena *arena, const void *text, size_t len, struct envelope *out, struct err *err);

/* The same from a value inside another document (which must have been parsed
 * without duplicate_keys and nul_as_replacement).  base64_rules as in
 * base/base64.h. */
int envelope_from_json(struct arena *arena, const struct json *v, unsigned base64_rules,
                       struct envelope *out, struct err *err);

/* signature_verify over the PAE. */
int envelope_verify(const struct envelope *env, const struct pubkey *const keys[], size_t n_keys,
                    size_t threshold, struct signers *who, struct err *err);

/* Appends an envelope with one signature per key (1..SIGNATURES_MAX), key ids
 * being fingerprints.  The arena holds the bytes to be signed. */
int envelope_sign(struct arena *arena, const char *payload_type, struct bytes payload,
                  const struct privkey *const keys[], size_t n_keys, struct buf *out, struct err *err);

/* The bytes that are signed; `out` lives in the arena. */
int pae_encode(struct arena *arena, struct bytes type, struct bytes body, struct bytes *out, struct err *err);

#endif
