/* exception.h - messages about exceptions. */
#ifndef KEEP_WIRE_MSG_EXCEPTION_H
#define KEEP_WIRE_MSG_EXCEPTION_H

#include "model/exception.h"
#include "wire/msg/page.h"

struct exception_new {
    const char *vulnerability, *rule;                          /* exactly one */
    const char *repository, *digest, *package, *namespace;     /* scope */
    const char *reason, *owner;
    int64_t expires_ms;                                        /* exactly one of these */
    const char *expires_in;
};

extern const char *const exception_state_words[];              /* active, expired, revoked */

struct exception_query {
    struct page_query page;
    int state;                       /* index of exception_state_words, 0 any */
    const char *expiring_within;     /* "7d" */
    const char *vulnerability, *rule, *owner;
};

struct vex_in_query {
    const char *owner, *expires_in;
};

struct vex_out_query {
    const char *repository, *digest;
};

struct vex_unmatched {
    const char *vulnerability, *product;
};

struct vex_taken {
    int64_t statements;                                        /* read */
    const char *const *exceptions; size_t n_exceptions;        /* ids of those made */
    int64_t matched;                                           /* of them, how many concern an image known now */
    const struct vex_unmatched *unmatched; size_t n_unmatched; /* products that concern none */
};

enum { VEX_EXCEPTIONS_MAX = 10000 };

extern const struct shape exception_shape;         /* struct exception */
extern const struct shape exception_detail_shape;  /* with applies_to */
extern const struct shape exception_list_shape;    /* struct page */
extern const struct shape exception_new_shape;
extern const struct shape exception_query_shape;
extern const struct shape vex_in_query_shape;
extern const struct shape vex_out_query_shape;
extern const struct shape vex_taken_shape;

#endif
