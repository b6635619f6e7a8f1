/* opa.h - for people who use the Open Policy Agent: signed bundles of what Keep knows
 * of images, and what agents report.
 *
 * A bundle is made once per change, kept in memory, and handed out by reference.  Its
 * ETag is made of its facts and of the part of its life we are in, not of its bytes
 * (the signature has a random part): all servers of one database agree on it. */
#ifndef KEEP_SERVICE_OPA_H
#define KEEP_SERVICE_OPA_H

#include "base/crypto.h"
#include "service/call.h"

struct opa_bundles;

int opa_bundles_open(struct app *app, struct err *err);      /* sets app->opa; makes nothing yet */
void opa_bundles_close(struct app *app);                     /* nobody may hold one any more; NULL-safe */

/* The key bundles are signed with: DATA/opa-key.pem (0600), made when it is not there. */
int opa_key_open(const char *data_dir, struct privkey **out, struct err *err);

/* Borrowed until opa_bundles_close. */
int opa_signing_key(struct app *app, const struct privkey **out, struct err *err);

/* A made bundle; alive until it is released. */
struct opa_made {
    struct bytes bytes;
    char etag[40];                   /* strong, with quotes */
};

/* Of all images (team NULL) or of one team's; ERR_NOT_FOUND when that has none. */
int opa_bundle_hold(struct app *app, struct db *db, const char *team, int64_t now_ms, const struct opa_made **out, struct err *err);
void opa_bundle_release(struct app *app, const struct opa_made *made);

/* Handlers. */
extern const char *const opa_bundle_headers[];
int opa_bundle_show(struct call *c, const void *in, void *out, struct err *err);
int opa_key_show(struct call *c, const void *in, void *out, struct err *err);
int opa_status_prepare(struct call *c, const void *in, void *out, struct err *err);
int opa_status_take(struct call *c, const void *in, void *out, struct err *err);
int opa_logs_prepare(struct call *c, const void *in, void *out, struct err *err);
int opa_logs_take(struct call *c, const void *in, void *out, struct err *err);
int opa_status_page(struct call *c, const void *in, void *out, struct err *err);
int opa_decision_page(struct call *c, const void *in, void *out, struct err *err);

#endif
