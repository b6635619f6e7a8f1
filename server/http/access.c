/* access.c - who is asking, and may they.
 *
 * Runs on the loop when memory is enough to know the caller, else on a worker. */
#include "base/crypto.h"
#include "base/time.h"
#include "http/request.h"

#include <string.h>

/* ---- who ----------------------------------------------------------------- */

static void anonymous(struct request *r)
{
    r->caller = (struct caller){ .role = WHO_ANYONE, .id = "", .name = "", .from = r->conn->from };
}

int request_identify(struct request *r, struct db *reader)
{
    struct credentials given = { r->facts.authorization, r->facts.cookie, r->facts.csrf, r->conn->from,
                                 r->conn->certificate[0] != '\0' ? r->conn->certificate : NULL };
    bool shown = given.authorization != NULL || given.cookie != NULL;

    anonymous(r);
    r->caller.certificate = given.certificate;
    if (r->route->who == WHO_ANYONE || (!shown && (r->route->who & WHO_ANYONE) != 0))
        return IDENTIFY_OK;
    if (!shown) {
        err_set(&r->err, ERR_UNAUTHENTICATED, "credentials are missing");
        return request_fail(r, 0);
    }
    int rc = r->server->back.hooks->identify(r->server->back.app, reader, &given, &r->arena, r->call.now_ms,
                                             &r->caller, &r->err);
    r->caller.certificate = given.certificate;
    if (rc == IDENTIFY_OK || (rc == IDENTIFY_ASK_DB && reader == NULL))
        return rc;
    if (rc == IDENTIFY_ASK_DB)
        err_set(&r->err, ERR_INTERNAL, "identify asked for a database it had");
    anonymous(r);
    return request_fail(r, 0);
}

/* ---- may ----------------------------------------------------------------- */

/* The origin of "https://host[:port]", compared with the Host the request came to. */
static bool same_origin(const struct request *r, const char *origin)
{
    static const char *const schemes[] = { "https://", "http://" };

    /* Without TLS of our own a proxy may have done it: either scheme. */
    for (size_t i = 0; i < (r->server->tls != NULL ? 1u : 2u); i++)
        if (str_starts(origin, schemes[i]))
            return r->facts.host != NULL && str_eq_nocase(origin + strlen(schemes[i]), r->facts.host);
    return false;
}

/* Cookies travel with requests other sites make; what changes something must prove that ours made it. */
static int check_csrf(struct request *r)
{
    const char *want = r->caller.csrf, *have = r->facts.csrf;

    if (!r->caller.is_session || r->facts.method == METHOD_GET || r->facts.method == METHOD_HEAD)
        return 0;
    if (r->facts.fetch_site != NULL && !str_eq(r->facts.fetch_site, "same-origin"))
        return err_set(&r->err, ERR_FORBIDDEN, "Sec-Fetch-Site: not made by this site");
    if (r->facts.origin != NULL && !same_origin(r, r->facts.origin))
        return err_set(&r->err, ERR_FORBIDDEN, "Origin: not this site");
    if ((r->route->flags & ROUTE_NO_CSRF) != 0)
        return 0;
    if (want == NULL || want[0] == '\0' || have == NULL || strlen(have) != strlen(want) ||
        !crypto_equal(have, want, strlen(want)))
        return err_set(&r->err, ERR_FORBIDDEN, "X-Keep-CSRF: missing or not this session's");
    return 0;
}

/* What CI tokens may call looks at the repositories they are limited to; nothing else
 * does.  So that is all that anybody's limited token is good for. */
static int check_limits(struct request *r)
{
    if (r->caller.n_repositories == 0 || ((unsigned)r->caller.role & WHO_PEOPLE) == 0 || (r->route->who & (ROLE_CI | WHO_ANYONE)) != 0)
        return 0;
    return err_set(&r->err, ERR_FORBIDDEN, "this token is limited to repositories; this is about everything");
}

static int check_role(struct request *r)
{
    if ((r->route->who & (unsigned)r->caller.role) != 0)
        return check_limits(r);
    if (r->caller.role == WHO_ANYONE)
        return err_set(&r->err, ERR_UNAUTHENTICATED, "credentials are missing");
    return err_set(&r->err, ERR_FORBIDDEN, "not allowed for this role");
}

/* Admission is asked by the API server, which bounds itself; a 429 there would stop a cluster. */
static int check_rate(struct request *r)
{
    const char *who = r->caller.id != NULL && r->caller.id[0] != '\0' ? r->caller.id : r->conn->from;

    if (r->caller.role == ROLE_ADMISSION ||
        limiter_take(r->server->limiter, who, time_monotonic_ms(), &r->call.retry_after_s))
        return 0;
    return err_set(&r->err, ERR_RATE_LIMITED, "too many requests from this caller");
}

/* application/json or application/<anything>+json; a charset, if any, is UTF-8. */
static bool is_json_type(const char *type)
{
    size_t len = type == NULL ? 0 : strcspn(type, "; \t");
    const char *params = type == NULL ? NULL : type + len;

    if (len < 16 || strncasecmp(type, "application/", 12) != 0)
        return false;
    if (!(len == 16 && strncasecmp(type + 12, "json", 4) == 0) && strncasecmp(type + len - 5, "+json", 5) != 0)
        return false;
    params += strspn(params, "; \t");
    return *params == '\0' || strncasecmp(params, "charset=", 8) != 0 || strncasecmp(params + 8, "utf-8", 5) == 0 ||
           strncasecmp(params + 8, "\"utf-8\"", 7) == 0;
}

static int check_type(struct request *r)
{
    if (r->route->body != BODY_JSON || is_json_type(r->facts.content_type))
        return 0;
    return err_set(&r->err, ERR_MEDIA_TYPE, "Content-Type: application/json expected");
}

int request_admit(struct request *r)
{
    if (check_role(r) != 0 || check_csrf(r) != 0 || check_rate(r) != 0 || check_type(r) != 0)
        return request_fail(r, 0);
    if (r->caller.role != WHO_ANYONE)
        conn_trust(r->conn);
    return 0;
}
