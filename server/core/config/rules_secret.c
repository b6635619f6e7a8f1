/* rules_secret.c - credentials written into the environment.
 *
 * A value counts when its name says so and it is no placeholder, or when it looks
 * like a key whatever its name.  The value is never shown. */
#include "core/config/rules.h"

#include <string.h>

static const char *const secret_words[] = {
    "PASSWORD", "PASSWD", "PASSPHRASE", "SECRET", "TOKEN", "APIKEY", "API_KEY", "ACCESS_KEY", "PRIVATE_KEY", "SECRET_KEY", "CREDENTIAL",
    "ENCRYPTION_KEY", "SIGNING_KEY", "AUTH_KEY", "_PASS", "_PWD",
};
/* Names that hold such a word, but say where or how, not what. */
static const char *const harmless_ends[] = {
    "_FILE", "_PATH", "_DIR", "_URL", "_URI", "_HOST", "_PORT", "_NAME", "_ID", "_TTL", "_EXPIRY", "_EXPIRATION", "_EXPIRE", "_LIFETIME",
    "_LENGTH", "_TYPE", "_ENABLED", "_ALGORITHM", "_HEADER", "_ISSUER", "_TIMEOUT", "_AUTHENTICATION", "_REQUIRED", "_AGE", "_POLICY",
};

static bool contains_nocase(const char *text, const char *word)
{
    size_t len = strlen(word);

    for (; *text != '\0'; text++) {
        if (strncasecmp(text, word, len) == 0)
            return true;
    }
    return false;
}

static bool names_secret(const char *name)
{
    size_t len = strlen(name);

    for (size_t i = 0; i < N_ITEMS(harmless_ends); i++) {
        size_t n = strlen(harmless_ends[i]);
        if (len >= n && str_eq_nocase(name + len - n, harmless_ends[i]))
            return false;
    }
    for (size_t i = 0; i < N_ITEMS(secret_words); i++) {
        if (contains_nocase(name, secret_words[i]))
            return true;
    }
    return str_eq_nocase(name, "PASS") || str_eq_nocase(name, "PWD_ROOT");
}

/* Empty, a switch, a file's name, or a word that stands for one yet to come. */
static bool is_placeholder(const char *v)
{
    static const char *const words[] = { "true", "false", "yes", "no", "none", "null", "nil", "required", "optional", "disabled", "enabled" };

    if (strlen(v) < 3 || str_starts(v, "/run/secrets/") || str_starts(v, "/") || (*v == '<' && str_ends(v, ">")) ||
        (str_starts(v, "{{") && str_ends(v, "}}")) || str_starts(v, "file:") || str_starts(v, "vault:") || strspn(v, "*xX.") == strlen(v))
        return true;
    for (size_t i = 0; i < N_ITEMS(words); i++) {
        if (str_eq_nocase(v, words[i]))
            return true;
    }
    return false;
}

static bool is_token_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || c == '-';
}

/* Keys that say by their form what they are. */
static bool looks_like_key(const char *v)
{
    static const struct { const char *prefix; size_t rest; } forms[] = {
        { "AKIA", 16 }, { "ASIA", 16 }, { "ghp_", 36 }, { "gho_", 36 }, { "ghs_", 36 }, { "github_pat_", 22 }, { "glpat-", 20 }, { "xoxb-", 20 },
        { "xoxp-", 20 }, { "sk_live_", 20 }, { "rk_live_", 20 }, { "AIza", 35 }, { "npm_", 36 }, { "dckr_pat_", 20 }, { "hvs.", 24 }, { "SG.", 22 },
    };

    if (strstr(v, "-----BEGIN ") != NULL && strstr(v, "PRIVATE KEY") != NULL)
        return true;
    for (size_t i = 0; i < N_ITEMS(forms); i++) {
        size_t len = strlen(forms[i].prefix), n = 0;
        if (strncmp(v, forms[i].prefix, len) != 0)
            continue;
        while (is_token_char(v[len + n]) || v[len + n] == '.')
            n++;
        if (n >= forms[i].rest)
            return true;
    }
    return false;
}

/* "postgres://user:password@host": a password that is really there. */
static bool holds_password(const char *v)
{
    const char *scheme = strstr(v, "://");

    if (scheme == NULL || scheme - v > 20)
        return false;
    const char *start = scheme + 3, *at = start + strcspn(start, "@/?# ");
    const char *colon = memchr(start, ':', (size_t)(at - start));
    return *at == '@' && colon != NULL && at - colon > 1 && memchr(colon, BOX_UNKNOWN, (size_t)(at - colon)) == NULL && colon[1] != '$';
}

void judge_environment(struct judging_box *j)
{
    for (size_t i = 0; i < j->b->n_env && !j->f->failed; i++) {
        const struct variable *v = &j->b->env[i];
        struct setting s = { v->name, v->path, v->at };
        if (v->value == NULL)
            continue;
        bool named = names_secret(v->name) && !is_unknown(v->value) && !is_placeholder(v->value);
        if (named || looks_like_key(v->value) || holds_password(v->value))
            on(j, "env-secret", &s, arena_printf(j->f->arena, "%s holds a credential", v->name));
    }
}
