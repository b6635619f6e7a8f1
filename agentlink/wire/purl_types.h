/* purl_types.h - what single purl types add to the general rules.  Only for purl.c. */
#ifndef KEEP_WIRE_PURL_TYPES_H
#define KEEP_WIRE_PURL_TYPES_H

#include "wire/purl.h"

/* Applies the rules of p->type to its parts, in place: the strings are the
 * caller's own copies.  ERR_INVALID when the type forbids what is there. */
int purl_type_apply(struct purl *p, struct err *err);

#endif
