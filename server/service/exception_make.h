/* exception_make.h - what manual exceptions and those from VEX have in common. */
#ifndef KEEP_SERVICE_EXCEPTION_MAKE_H
#define KEEP_SERVICE_EXCEPTION_MAKE_H

#include "model/exception.h"
#include "service/judge.h"

/* The images an exception is about. */
int exception_scope(struct call *c, const struct exception *e, struct recheck_scope *out, struct err *err);

/* active, expired or revoked at c->now_ms. */
void exception_set_state(struct exception *e, int64_t now_ms);

/* Gives it an id, stores it, marks images, writes the audit record. */
int exception_make(struct call *c, struct exception *e, struct err *err);

/* Revokes; marks images and writes the audit record. */
int exception_take_back(struct call *c, const char *id, struct err *err);

/* "cve-2021-1" -> "CVE-2021-1"; other names as they are.  ERR_INVALID (path) for
 * what is no name of a vulnerability. */
int vulnerability_name(struct call *c, const char *path, const char *text, const char **out, struct err *err);

#endif
