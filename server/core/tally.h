/* tally.h - from the findings of all scanners to the ones that count. */
#ifndef KEEP_CORE_TALLY_H
#define KEEP_CORE_TALLY_H

#include "model/exception.h"
#include "model/image.h"

#include <stdint.h>

/* Does the exception speak of this image, and (finding not NULL) of this finding,
 * at now?  An exception of a namespace holds only where the image is deployed there
 * (namespace NULL: nowhere); facts NULL: only exceptions that name no image.  `rule` exceptions never match a finding. */
bool exception_covers(const struct exception *e, const struct image_facts *facts, const struct image_finding *finding,
                      const char *namespace, int64_t now_ms);

/* The exception for "policy/rule", or NULL. */
const struct exception *exception_for_rule(const struct exception *all, size_t n, const struct image_facts *facts,
                                           const char *policy, const char *rule, const char *namespace, int64_t now_ms);

/* Marks each finding: covered by an exception (f->exception), or said by another
 * scanner as well (f->is_duplicate: the worst one, then the earliest, counts; those of one
 * vulnerability change places for that); then fills facts->image.counts. */
void facts_tally(struct image_facts *facts, const struct exception *exceptions, size_t n_exceptions, const char *namespace,
                 int64_t now_ms);

/* Counts: neither covered, nor duplicate, nor suppressed by its scanner, nor not affected. */
bool finding_is_open(const struct image_finding *f);

/* The first moment after now at which an exception that speaks of the image ends; INT64_MAX: never. */
int64_t exceptions_next_end(const struct exception *all, size_t n, const struct image_facts *facts, int64_t now_ms);

#endif
