/* package.h - package names and versions, each stored once, and who has them. */
#ifndef KEEP_STORE_PACKAGE_H
#define KEEP_STORE_PACKAGE_H

#include "base/arena.h"
#include "db/db.h"
#include "model/image.h"
#include "model/scan.h"

extern const struct db_queries package_queries;

/* The stored id of a package; 0 when it is not stored yet.  Ids never change
 * and are never reused, so a reader may look them up ahead of the writer. */
int package_find(struct db *db, const struct package *p, int64_t *id, struct err *err);

/* As package_find, and stores it when it is new. */
int package_intern(struct db *db, const struct package *p, int64_t *id, struct err *err);

/* Replaces the inventory of an image. */
int image_packages_clear(struct db *db, int64_t image_id, struct err *err);
int image_packages_add(struct db *db, int64_t image_id, int64_t package_id, const char *path, struct err *err);

struct image_package {
    struct package package;
    int64_t id;
};
/* A page of an image's packages, by (name, id, path). after_*: the last of the page before, or NULL. */
int image_packages_list(struct db *db, int64_t image_id, const char *prefix, const char *after_name, int64_t after_id,
                        const char *after_path, int64_t limit, struct arena *arena, struct image_package **items, size_t *n,
                        struct err *err);

/* Every stored version of the packages with that name, short name or source name, with
 * the number of images that have it. */
struct package_version {
    int64_t id;
    const char *name, *ecosystem, *version, *arch, *purl;
    int64_t images;
};
int package_versions(struct db *db, const char *name, const char *ecosystem, struct arena *arena,
                     struct package_version **items, size_t *n, struct err *err);

/* Who has one package version: an image once, with the first of its paths. */
struct package_holder {
    struct image image;          /* its id, names, verdict and clocks only */
    const char *path;
};
int package_holders(struct db *db, int64_t package_id, int64_t after_image, int64_t limit, struct arena *arena,
                    struct package_holder **items, size_t *n, struct err *err);

#endif
