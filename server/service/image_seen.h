/* image_seen.h - an image that nobody uploaded anything about, but that runs. */
#ifndef KEEP_SERVICE_IMAGE_SEEN_H
#define KEEP_SERVICE_IMAGE_SEEN_H

#include "db/db.h"
#include "service/app.h"

/* A new row, judged: never scanned.  repository in full; tag may be NULL. */
int image_seen(struct app *app, struct db *db, const char *digest, const char *repository, const char *tag, int64_t now_ms,
               struct arena *arena, int64_t *id, struct err *err);

#endif
