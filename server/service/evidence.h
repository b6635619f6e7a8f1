/* evidence.h - an upload's bytes become a verified claim: who says what of which image.
 *
 * Order, never changed: recognise the envelope, verify the signature over the exact
 * bytes, check that this signer may say this, parse the payload, bind it to the
 * subject digest. */
#ifndef KEEP_SERVICE_EVIDENCE_H
#define KEEP_SERVICE_EVIDENCE_H

#include "model/signer.h"
#include "service/call.h"
#include "wire/statement.h"

struct claim {
    const char *evidence_id;             /* SHA-256 of the upload, hex */
    const char *signed_id;               /* of the bytes that were signed and of who signed them; NULL: unsigned */
    const char *kind;                    /* dsse, bundle, detached, unsigned */
    const struct signer *signer;         /* NULL: unsigned */
    const char *subject;                 /* "sha256:...": the image it is about; NULL: the report has to say */
    const char *subject_name;            /* what the statement calls it; NULL none */
    const struct statement *statement;   /* NULL: a bare report */
    struct bytes report;                 /* bare: the bytes; else predicate is used */
    const struct json *predicate;
    const char *signature;               /* detached: the header */
};

/* Opens an upload.  headers: Keep-Signature and Keep-Subject, each may be NULL.
 * ERR_INVALID for what cannot be read, ERR_UNPROCESSABLE for what nobody trusted
 * signed, ERR_FORBIDDEN for what this signer may not say. */
int evidence_open(struct call *c, struct bytes body, const char *signature, const char *subject, struct claim *out,
                  struct err *err);

/* Which registered signer, whose key counts now and who may sign statements of this word,
 * signed the envelope?  Lives in the arena. */
struct envelope;
int evidence_signer(struct call *c, const struct envelope *env, const char *word, const struct signer **out, struct err *err);

/* May this signer speak of the repository? */
int signer_check_repository(const struct signer *s, const char *repository, struct err *err);

#endif
