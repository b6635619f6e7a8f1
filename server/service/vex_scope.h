/* vex_scope.h - from a VEX product to the scope of an exception, and back.  Pure. */
#ifndef KEEP_SERVICE_VEX_SCOPE_H
#define KEEP_SERVICE_VEX_SCOPE_H

#include "base/arena.h"
#include "base/err.h"
#include "model/vex.h"

#include <stdbool.h>

struct vex_scope {
    const char *product;         /* as the document names it; for people */
    const char *repository;      /* pattern in full, or NULL */
    const char *digest;
    const char *package;         /* as in struct exception */
    bool is_known;               /* false: names nothing that can be a scope */
};

/* One scope per digest and subcomponent of the product.  A product that is an
 * image: by digest, else by its repository; anything else with a purl is a
 * package in every image.  Never wider than what the product says: a tag, or
 * qualifiers without a version, make it unknown. */
int vex_scopes(struct arena *arena, const struct vex_product *product, struct vex_scope **out, size_t *n, struct err *err);

/* pkg:oci/<name>@<digest>?repository_url=<repository>; NULL: arena full. */
const char *vex_image_purl(struct arena *arena, const char *repository, const char *digest);

#endif
