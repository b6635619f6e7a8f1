/* api_token.h - messages about API tokens. */
#ifndef KEEP_WIRE_MSG_API_TOKEN_H
#define KEEP_WIRE_MSG_API_TOKEN_H

#include "model/api_token.h"
#include "wire/msg/page.h"

enum { TOKEN_REPOSITORIES_MAX = 100 };

struct api_token_new {
    const char *name;
    int role;                        /* index of token_role_words */
    const char *const *repositories; size_t n_repositories;
    const char *expires_in;          /* "90d" */
};

extern const struct shape api_token_shape;         /* struct api_token, without the secret */
extern const struct shape api_token_made_shape;    /* struct api_token, with it */
extern const struct shape api_token_list_shape;    /* struct page */
extern const struct shape api_token_new_shape;

#endif
