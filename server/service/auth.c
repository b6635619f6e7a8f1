/* auth.c - see auth.h. */
#include "service/auth.h"
#include "base/base64.h"
#include "base/crypto.h"
#include "base/time.h"
#include "base/token.h"
#include "core/life.h"
#include "service/nodes.h"
#include "service/session_cookie.h"
#include "store/api_token.h"
#include "store/session.h"

#include <string.h>

enum { BASIC_MAX = 1024 };

/* What an unknown id is compared with; no SHA-256 we make is known to be this. */
static const uint8_t nobody[32];

static const struct caller anyone = { .role = WHO_ANYONE, .id = "", .name = "" };

static int refuse(struct err *err)
{
    return err_set(err, ERR_UNAUTHENTICATED, "the token is not valid, has expired or was revoked");
}

/* The text after "Bearer ", or NULL. */
static const char *bearer_of(const char *header)
{
    static const char scheme[] = "bearer ";

    for (size_t i = 0; i < sizeof scheme - 1; i++)
        if ((header[i] | (i < 6 ? 0x20 : 0)) != scheme[i])
            return NULL;
    return header + sizeof scheme - 1 + strspn(header + sizeof scheme - 1, " ");
}

/* What is after the colon of "Basic ", or NULL: Falco can say who it is in no other way
 * than by its address, https://keep:TOKEN@host/v1/falco. */
static const char *basic_of(const char *header, struct arena *arena)
{
    static const char scheme[] = "basic ";
    char *text, *colon;
    size_t n;

    for (size_t i = 0; i < sizeof scheme - 1; i++)
        if ((header[i] | (i < 5 ? 0x20 : 0)) != scheme[i])
            return NULL;
    header += sizeof scheme - 1;
    if (strlen(header) > BASIC_MAX || (text = arena_bytes(arena, base64_decoded_max(strlen(header)) + 1)) == NULL ||
        base64_decode(header, strlen(header), BASE64_STD, text, &n) != 0)
        return NULL;
    text[n] = '\0';
    colon = strchr(text, ':');
    return colon != NULL ? colon + 1 : NULL;
}

static int identify_token(struct app *app, struct db *reader, const char *authorization, const char *from,
                          struct arena *arena, int64_t now_ms, struct caller *out, struct err *err)
{
    const char *text = bearer_of(authorization);
    bool is_basic = text == NULL;
    struct token token;
    struct api_token row;
    uint8_t hash[API_TOKEN_HASH_LEN];

    if (is_basic)
        text = basic_of(authorization, arena);
    if (text == NULL || !token_parse(text, &token))
        return refuse(err);
    if (reader == NULL)
        return 1;
    if (api_token_get(reader, token.id, arena, &row, hash, err) != 0) {
        if (err->kind != ERR_NOT_FOUND)
            return -1;
        (void)token_matches(&token, nobody);
        return refuse(err);
    }
    bool matches = token_matches(&token, hash);
    enum role role = role_of(row.role);
    if (!matches || role == 0 || (is_basic && role != ROLE_AGENT) ||
        life_at(TIME_UNKNOWN, row.expires_ms, row.revoked_ms, now_ms) != LIFE_LIVE)
        return refuse(err);
    if (app->touched != NULL)
        touched_add(app->touched, TOUCHED_TOKEN, row.id, from, now_ms);
    *out = (struct caller){
        .role = role, .id = row.id, .name = row.name, .from = from,
        .repositories = row.repositories, .n_repositories = row.n_repositories,
    };
    return 0;
}

static bool session_lives(struct app *app, const struct session *s, int64_t now_ms)
{
    int64_t used = s->last_used_ms;

    if (app->touched != NULL) {
        int64_t remembered = touched_last(app->touched, TOUCHED_SESSION, s->id);
        used = remembered > used ? remembered : used;
    }
    return s->user_disabled_ms == TIME_UNKNOWN && now_ms < s->expires_ms &&
           now_ms - used < app->settings.session_idle_ms;
}

static int identify_session(struct app *app, struct db *reader, const char *cookie, const char *from,
                            struct arena *arena, int64_t now_ms, struct caller *out, struct err *err)
{
    struct session_key key;
    struct session s;
    uint8_t hash[SESSION_HASH_LEN];

    if (!session_cookie_find(cookie, app->settings.secure_cookies, &key))
        return 0;
    if (reader == NULL)
        return 1;
    if (session_get(reader, key.id, arena, &s, hash, err) != 0) {
        if (err->kind != ERR_NOT_FOUND)
            return -1;
        (void)crypto_equal(key.hash, nobody, sizeof nobody);
        return 0;
    }
    bool matches = crypto_equal(key.hash, hash, sizeof hash);
    enum role role = role_of(s.user_role);
    if (!matches || (role & WHO_PEOPLE) == 0 || !session_lives(app, &s, now_ms))
        return 0;
    if (app->touched != NULL)
        touched_add(app->touched, TOUCHED_SESSION, s.id, from, now_ms);
    *out = (struct caller){
        .role = role, .id = s.user_id, .name = s.user_name, .from = from,
        .is_session = true, .csrf = s.csrf, .session_id = s.id,
    };
    return 0;
}

int identify(struct app *app, struct db *reader, const struct credentials *cred, struct arena *arena,
             int64_t now_ms, struct caller *out, struct err *err)
{
    const char *from = cred->from == NULL ? "" : cred->from;
    struct caller caller = anyone;
    int rc = 0;

    caller.from = from;
    const char *text = cred->authorization != NULL ? bearer_of(cred->authorization) : NULL;
    if (text != NULL && nodes_is_token(text))
        rc = nodes_identify(app, reader, text, cred->certificate, from, arena, now_ms, &caller, err);
    else if (cred->authorization != NULL)
        rc = identify_token(app, reader, cred->authorization, from, arena, now_ms, &caller, err);
    else if (cred->cookie != NULL)
        rc = identify_session(app, reader, cred->cookie, from, arena, now_ms, &caller, err);
    if (rc == 0)
        *out = caller;
    return rc;
}

int auth_check_csrf(const struct caller *caller, const struct credentials *cred, struct err *err)
{
    if (!caller->is_session)
        return 0;
    if (cred->csrf != NULL && caller->csrf != NULL && caller->csrf[0] != '\0' &&
        strlen(cred->csrf) == strlen(caller->csrf) &&
        crypto_equal(cred->csrf, caller->csrf, strlen(caller->csrf)))
        return 0;
    return err_set(err, ERR_FORBIDDEN, "X-Keep-CSRF is missing or not this session's");
}
