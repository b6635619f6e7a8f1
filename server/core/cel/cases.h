/* cases.h - runs test cases of the language, one JSON object a line:
 *
 *   {"expr": "x + 1", "vars": {"x": {"int": "1"}}, "container": "a.b",
 *    "want": {"int": "2"}}        or "want_error": true; with "file", "section"
 *                                 and "name" to call it by
 *
 * Typed values: {"int":"1"} {"uint":"1"} {"double":"1.5"} {"string":"x"}
 * {"bytes":"hex"} {"bool":true} {"null":true} {"list":[..]} {"map":[[k,v],..]}
 * {"type":"int"} {"timestamp":[s,ns]} {"duration":[s,ns]}.
 *
 * Cases are compiled in a lenient environment: a name or function nobody knows
 * is an error of the evaluation, as the cases expect. */
#ifndef KEEP_CORE_CEL_CASES_H
#define KEEP_CORE_CEL_CASES_H

#include "core/cel/cel.h"

#include <stdio.h>

struct cel_case {
    const char *name;          /* "file/section/name" */
    const char *expr;
    bool agreed;
    const char *expected, *got;
};

struct cel_cases_sum {
    uint32_t n, agreed, disagreed;
};

/* Decodes a typed value into the arena.  ERR_INVALID when it is none. */
int cel_case_value(const struct json *v, struct arena *arena, struct cel_value *out, struct err *err);

/* Runs one line.  -1 only when the line is not a case, or memory is out. */
int cel_case_run(const char *line, size_t len, struct arena *arena, struct cel_case *out, struct err *err);

/* Runs all lines of a stream (blank ones are stepped over); `report` is called
 * for each, its case is valid until it returns.  Stops at a malformed line. */
int cel_cases_run(FILE *in, void (*report)(void *data, const struct cel_case *c), void *data,
                  struct cel_cases_sum *sum, struct err *err);

#endif
