/* problem.h - errors on the wire: RFC 9457 problem+json, in one place. */
#ifndef KEEP_HTTP_PROBLEM_H
#define KEEP_HTTP_PROBLEM_H

#include "base/buf.h"
#include "base/err.h"
#include "wire/shape.h"

#define PROBLEM_TYPE "application/problem+json"

extern const struct shape problem_shape;

/* {"type":"/problems/<slug>","title","status","detail","request_id","errors":[{"path","detail"}]}
 * status 0: that of the kind.  ERR_INTERNAL shows no detail: it is in the log
 * under the request id.  all may be NULL. */
void problem_write(struct buf *b, unsigned status, const struct err *err, const char *request_id,
                   const struct complaints *all);

#endif
