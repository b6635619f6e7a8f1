/* vex_internal.h - what the VEX readers share.  Private to wire/. */
#ifndef KEEP_WIRE_VEX_INTERNAL_H
#define KEEP_WIRE_VEX_INTERNAL_H

#include "model/vex.h"
#include "wire/reports/decode.h"

enum { MAX_STATEMENTS = 100000, MAX_PRODUCTS = 2000000 };

struct vex_decode {
    struct decode d;              /* its scan only counts what is unmapped */
    struct vex *vex;
    size_t cap;                   /* of statements */
    size_t n_products;            /* in all statements */
};

/* A new statement with the document's times, or NULL (failed). */
struct vex_statement *vex_add_statement(struct vex_decode *v, const char *vulnerability);

/* Room for n products of a statement; NULL when over the bound. */
struct vex_product *vex_add_products(struct vex_decode *v, const struct json *where, size_t n);

void vex_add_digest(struct vex_decode *v, struct vex_product *p, const char *digest);

void vex_openvex_decode(struct vex_decode *v, const struct json *doc);
void vex_csaf_decode(struct vex_decode *v, const struct json *doc);
void vex_cyclonedx_decode(struct vex_decode *v, const struct json *doc);

#endif
