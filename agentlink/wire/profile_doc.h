/* profile_doc.h - a profile as developers write it, YAML or JSON.
 *
 *     apiVersion: keep/v1
 *     kind: Profile
 *     metadata: {name: shop}
 *     spec:
 *       image: docker.io/acme/shop             # or REPOSITORY@sha256:...
 *       mode: monitor                          # discover, monitor, protect
 *       onAgentLoss: open                      # closed
 *       lease: 60s                             # silence before that
 *       executables: [{path: /shop, sha256: 64 hex, parents: [/init]}]
 *       listens: [{port: 8080, protocol: tcp}]
 *       egress: [{service: shop/payments | cidr: 10.0.0.0/8 | dns: "*.example.com", ports: [443], protocol: tcp}]
 *       ingress: [the same]
 *       writes: [/var/log/app.log, ...]        # two stars as the last component: everything below
 *       users: [1000]
 *       capabilities: [NET_BIND_SERVICE]
 *
 * A part left out is not judged; an empty list allows nothing.  A star within a path
 * is any run of characters without '/'; a DNS name may begin with "*.": one label. */
#ifndef KEEP_WIRE_PROFILE_DOC_H
#define KEEP_WIRE_PROFILE_DOC_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "model/profile.h"
#include "wire/cidr.h"
#include "wire/shape.h"

enum {
    PROFILE_DOC_MAX = 256 * 1024,        /* bytes of a document */
    PROFILE_ITEMS_MAX = 2048,            /* items of a part */
    PROFILE_PATH_MAX = 1024,
    PROFILE_LEASE_DEFAULT_S = 60,
    PROFILE_LEASE_MIN_S = 5, PROFILE_LEASE_MAX_S = 24 * 3600,
    PROFILE_ID_LEN = 24,
};

/* Everything lives in the arena, the text need not.  `all` (may be NULL) gets every
 * complaint with path and "LINE:COLUMN: what"; err holds the first.  ERR_INVALID,
 * ERR_TOO_LARGE, ERR_UNAVAILABLE (arena full). */
int profile_doc_parse(const void *text, size_t len, struct arena *arena, struct complaints *all, struct profile *out,
                      struct err *err);

/* The same document from a profile; parsing it gives an equal profile.  The arena holds
 * what is made on the way.  -1: arena full. */
int profile_doc_print(const struct profile *p, struct arena *arena, struct buf *b, struct err *err);

/* What shapes cannot say: paths absolute and clean, CIDRs and DNS names well-formed,
 * exactly one kind of peer, known capabilities, ports in range, no item twice.
 * ERR_INVALID: "$.egress[2].cidr: what is wrong". */
int profile_check(const struct profile *p, struct err *err);

/* The name by which routes know the profiles of (repository, digest): hex of a hash.
 * digest NULL or "": those of every image of the repository. */
void profile_id(const char *repository, const char *digest, char out[PROFILE_ID_LEN + 1]);

#endif
