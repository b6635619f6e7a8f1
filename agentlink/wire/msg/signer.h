/* signer.h - messages about signers. */
#ifndef KEEP_WIRE_MSG_SIGNER_H
#define KEEP_WIRE_MSG_SIGNER_H

#include "model/signer.h"
#include "wire/msg/page.h"

enum { SIGNER_REPOSITORIES_MAX = 100, SIGNER_STATEMENTS_MAX = 16 };

/* What a signer may state; the words of "statements". */
extern const char *const statement_words[];

struct signer_new {
    const char *name, *public_key;
    const char *const *repositories; size_t n_repositories;
    const char *const *statements; size_t n_statements;
    int64_t not_before_ms, not_after_ms;
};

extern const struct shape signer_shape;            /* struct signer */
extern const struct shape signer_list_shape;       /* struct page */
extern const struct shape signer_new_shape;

#endif
