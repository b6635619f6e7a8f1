/* review.h - Kubernetes asks before it runs something; people ask what was answered. */
#ifndef KEEP_SERVICE_REVIEW_H
#define KEEP_SERVICE_REVIEW_H

#include "service/call.h"

/* READ routes with raw bodies.  They answer from memory and reads alone.  Whatever
 * parses as a review is answered 200; what does not is ERR_INVALID.
 * The cluster is the path's {cluster}, else ?cluster=. */
int review_validate(struct call *c, const void *in, void *out, struct err *err);
int review_audit(struct call *c, const void *in, void *out, struct err *err);      /* refuses nothing */
int review_images(struct call *c, const void *in, void *out, struct err *err);

int admission_page(struct call *c, const void *in, void *out, struct err *err);

#endif
