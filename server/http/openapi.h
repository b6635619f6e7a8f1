/* openapi.h - the OpenAPI 3.1 document of a route table. */
#ifndef KEEP_HTTP_OPENAPI_H
#define KEEP_HTTP_OPENAPI_H

#include "base/buf.h"
#include "base/err.h"
#include "service/call.h"

/* Appends the document.  Every shape reachable from a row is a component; two
 * different shapes of one name are an error. */
int openapi_write(const struct route *routes, size_t n, const char *title, const char *version,
                  struct buf *b, struct err *err);

#endif
