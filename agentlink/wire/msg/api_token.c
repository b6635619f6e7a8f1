/* api_token.c - see api_token.h. */
#include "wire/msg/api_token.h"
#include "wire/msg/roles.h"

#define AT(member) offsetof(struct api_token, member)
#define TOKEN_FIELDS \
    { "id",           FIELD_TEXT, FIELD_REQUIRED, AT(id), 0, 1, 64, NULL, NULL, "Public part of the token." }, \
    { "name",         FIELD_TEXT, FIELD_REQUIRED, AT(name), 0, 1, 100, NULL, NULL, "What it is for." }, \
    { "role",         FIELD_TEXT, FIELD_REQUIRED, AT(role), 0, 1, 16, NULL, NULL, "What it may do." }, \
    { "repositories", FIELD_TEXTS, 0, AT(repositories), AT(n_repositories), 0, TOKEN_REPOSITORIES_MAX, NULL, NULL, \
      "Patterns of the repositories it is for; empty: all." }, \
    { "created_at",   FIELD_TIME, 0, AT(created_ms), 0, 0, 0, NULL, NULL, "When it was made." }, \
    { "created_by",   FIELD_TEXT, 0, AT(created_by), 0, 0, 200, NULL, NULL, "Who made it." }, \
    { "expires_at",   FIELD_TIME, FIELD_REQUIRED, AT(expires_ms), 0, 0, 0, NULL, NULL, "When it stops working." }, \
    { "last_used_at", FIELD_TIME, 0, AT(last_used_ms), 0, 0, 0, NULL, NULL, "When it was last used." }, \
    { "last_used_from", FIELD_TEXT, 0, AT(last_used_from), 0, 0, 64, NULL, NULL, "And from which address." }, \
    { "revoked_at",   FIELD_TIME, 0, AT(revoked_ms), 0, 0, 0, NULL, NULL, "When it was revoked." }, \
    { "state",        FIELD_TEXT, 0, AT(state), 0, 0, 16, NULL, NULL, "active, expired or revoked." }

static const struct field fields[] = { TOKEN_FIELDS };
const struct shape api_token_shape = { "token", sizeof(struct api_token), fields, N_ITEMS(fields), false };

static const struct field made_fields[] = {
    TOKEN_FIELDS,
    { "token", FIELD_TEXT, FIELD_REQUIRED, AT(text), 0, 1, 128, NULL, NULL, "The token itself: shown only here." },
};
#undef AT
const struct shape api_token_made_shape = { "token_made", sizeof(struct api_token), made_fields,
                                            N_ITEMS(made_fields), false };

static const struct field list_fields[] = { PAGE_FIELDS(api_token_shape) };
const struct shape api_token_list_shape = { "token_list", sizeof(struct page), list_fields, N_ITEMS(list_fields), false };

#define AT(member) offsetof(struct api_token_new, member)
static const struct field new_fields[] = {
    { "name",         FIELD_TEXT, FIELD_REQUIRED, AT(name), 0, 1, 100, NULL, NULL, "What it is for." },
    { "role",         FIELD_WORD, FIELD_REQUIRED, AT(role), 0, 0, 0, NULL, token_role_words, "What it may do." },
    { "repositories", FIELD_TEXTS, 0, AT(repositories), AT(n_repositories), 0, TOKEN_REPOSITORIES_MAX, NULL, NULL,
      "Patterns of repositories; absent: all." },
    { "expires_in",   FIELD_TEXT, 0, AT(expires_in), 0, 2, 16, NULL, NULL, "Like 12h, 90d; 90d when absent." },
};
#undef AT
const struct shape api_token_new_shape = { "token_new", sizeof(struct api_token_new), new_fields,
                                           N_ITEMS(new_fields), false };
