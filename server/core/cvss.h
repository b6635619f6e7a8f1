/* cvss.h - the score a CVSS vector stands for.
 *
 * Pure and exact: integers where the formula allows, no binary rounding error
 * can move a score.  Follows FIRST's specifications of CVSS v2 (2007), v3.0,
 * v3.1 and v4.0.  Versions 2 and 3 yield the base score (temporal and
 * environmental metrics are checked and ignored); version 4 has one score, from
 * all metrics given. */
#ifndef KEEP_CORE_CVSS_H
#define KEEP_CORE_CVSS_H

#include "base/err.h"
#include "model/severity.h"

struct cvss_score {
    int version;       /* 20, 30, 31, 40 */
    int score;         /* tenths: 0..100 */
};

/* Reads "CVSS:3.1/AV:N/...", or the same without its prefix: then a vector with
 * Au is 2.0, one with VC is 4.0, any other 3.1.  2.0 may stand in parentheses.
 * Metrics in any order.  ERR_INVALID for anything unknown, doubled or missing,
 * and for more than 512 bytes. */
int cvss_from_vector(const char *vector, struct cvss_score *out, struct err *err);

/* The qualitative rating: 3 and 4 by the specification, 2 by NVD's scale (which
 * has neither none nor critical).  Unknown for a score outside 0..100. */
enum severity cvss_severity(const struct cvss_score *cvss);

/* Only for core/cvss*.c: metrics as read, and version 4's half. */
enum { CVSS_METRICS_MAX = 32, CVSS_ABSENT = -1 };
int cvss4_score(const signed char value[CVSS_METRICS_MAX]);

#endif
