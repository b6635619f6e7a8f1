/* role.c - see role.h and call.h: one row per role. */
#include "service/role.h"

static const struct {
    enum role role;
    const char *word, *token_kind;
    unsigned may_grant;
} roles[] = {
    { ROLE_VIEWER,    "viewer",    "viewer",  0 },
    { ROLE_ANALYST,   "analyst",   "analyst", 0 },
    { ROLE_POLICY,    "policy",    "policy",  0 },
    { ROLE_ADMIN,     "admin",     "admin",   ROLE_ALL },
    { ROLE_CI,        "ci",        "ci",      0 },
    { ROLE_ADMISSION, "admission", "admit",   0 },
    { ROLE_AGENT,     "agent",     "agent",   0 },
    { ROLE_NODE,      "node",      NULL,      0 },
    { WHO_ANYONE,     "anyone",    NULL,      0 },
};

const char *role_word(enum role role)
{
    for (size_t i = 0; i < N_ITEMS(roles); i++)
        if (roles[i].role == role)
            return roles[i].word;
    return "nobody";
}

/* WHO_ANYONE is no role that somebody could have: it is not found by its word. */
enum role role_of(const char *word)
{
    for (size_t i = 0; i < N_ITEMS(roles); i++)
        if (roles[i].token_kind != NULL && str_eq(roles[i].word, word))
            return roles[i].role;
    return (enum role)0;
}

const char *role_token_kind(enum role role)
{
    for (size_t i = 0; i < N_ITEMS(roles); i++)
        if (roles[i].role == role)
            return roles[i].token_kind;
    return NULL;
}

bool role_may_grant(enum role granter, enum role granted)
{
    for (size_t i = 0; i < N_ITEMS(roles); i++)
        if (roles[i].role == granter)
            return (roles[i].may_grant & granted) != 0;
    return false;
}
