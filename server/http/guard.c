/* guard.c - see guard.h.  Everything here is a pure function of its arguments. */
#include "http/guard.h"
#include "base/str.h"

#include <string.h>

static const char *const methods[METHOD_N] = {
    [METHOD_GET] = "GET", [METHOD_HEAD] = "HEAD", [METHOD_POST] = "POST",
    [METHOD_PUT] = "PUT", [METHOD_PATCH] = "PATCH", [METHOD_DELETE] = "DELETE",
};

const char *method_word(enum http_method method)
{
    return (unsigned)method < METHOD_N ? methods[method] : NULL;
}

enum http_method method_of(const char *word)
{
    for (int i = METHOD_NONE + 1; i < METHOD_N; i++)
        if (str_eq(word, methods[i]))
            return (enum http_method)i;
    return METHOD_NONE;
}

/* ---- character classes -------------------------------------------------- */

static bool is_alnum(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool is_token_char(unsigned char c)             /* RFC 9110, 5.6.2 */
{
    return is_alnum(c) || (c != 0 && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static bool is_uri_char(unsigned char c)               /* RFC 3986 without '#' */
{
    return is_alnum(c) || (c != 0 && strchr("-._~:/?[]@!$&'()*+,;=%", c) != NULL);
}

static int hex_of(unsigned char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10
         : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* ---- the request line --------------------------------------------------- */

static unsigned refuse(unsigned status, enum err_kind kind, struct err *err, const char *what)
{
    err_set(err, kind, "%s", what);
    return status;
}

/* %XX at s; in the path nothing may decode to a separator or to anything but ASCII text. */
static bool escape_ok(const char *s, size_t left, bool in_path)
{
    int hi = left >= 3 ? hex_of((unsigned char)s[1]) : -1;
    int lo = left >= 3 ? hex_of((unsigned char)s[2]) : -1;

    if (hi < 0 || lo < 0)
        return false;
    int c = hi * 16 + lo;
    if (c < 0x20 || c == 0x7F)
        return false;
    return !in_path || (c != '/' && c != '\\' && c < 0x80);
}

/* "." and ".." as a whole segment, in any spelling of the dot. */
static bool is_dot_segment(const char *s, size_t len)
{
    size_t dots = 0;

    for (size_t i = 0; i < len; dots++) {
        if (s[i] == '.')
            i++;
        else if (len - i >= 3 && s[i] == '%' && s[i + 1] == '2' && (s[i + 2] == 'e' || s[i + 2] == 'E'))
            i += 3;
        else
            return false;
    }
    return dots == 1 || dots == 2;
}

static bool has_dot_segment(const char *path, size_t len)
{
    for (size_t start = 0; start < len;) {
        const char *slash = memchr(path + start, '/', len - start);
        size_t end = slash == NULL ? len : (size_t)(slash - path);
        if (is_dot_segment(path + start, end - start))
            return true;
        start = end + 1;
    }
    return false;
}

static unsigned check_uri(const struct guard_head *h, struct err *err)
{
    if (h->uri == NULL || h->uri_len == 0 || h->uri[0] != '/')
        return refuse(400, ERR_INVALID, err, "request target: expected a path starting with '/'");
    if (h->uri_len > GUARD_MAX_URI)
        return refuse(414, ERR_TOO_LARGE, err, "request target: longer than 4096 bytes");
    const char *query = memchr(h->uri, '?', h->uri_len);
    size_t path_len = query == NULL ? h->uri_len : (size_t)(query - h->uri);
    for (size_t i = 0; i < h->uri_len; i++) {
        unsigned char c = (unsigned char)h->uri[i];
        if (!is_uri_char(c))
            return refuse(400, ERR_INVALID, err, "request target: a character that must be percent-encoded");
        if (c == '%' && !escape_ok(h->uri + i, h->uri_len - i, i < path_len))
            return refuse(400, ERR_INVALID, err, "request target: a percent escape that is malformed or not allowed");
    }
    if (has_dot_segment(h->uri, path_len))
        return refuse(400, ERR_INVALID, err, "request target: '.' and '..' segments are not allowed");
    return 0;
}

static unsigned check_line(const struct guard_head *h, struct guard_facts *f, struct err *err)
{
    f->method = method_of(h->method);
    if (f->method == METHOD_NONE)
        return refuse(501, ERR_NOT_IMPLEMENTED, err, "method: not offered here");
    if (!str_eq(h->version, "HTTP/1.1") && !str_eq(h->version, "HTTP/1.0"))
        return refuse(505, ERR_INVALID, err, "version: HTTP/1.1 or HTTP/1.0 expected");
    return check_uri(h, err);
}

/* ---- header lines ------------------------------------------------------- */

/* Those that decide something may come once; the rest may repeat. */
enum single { S_HOST, S_LENGTH, S_AUTHORIZATION, S_TYPE, S_COOKIE, S_CODING, S_EXPECT, S_IF_NONE_MATCH,
              S_IDEMPOTENCY, S_CSRF, S_ORIGIN, S_FETCH_SITE, S_TRANSFER, S_ACCEPT_CODING, S_N };

static const struct {
    const char *name;
    bool may_repeat;
} singles[S_N] = {
    [S_HOST] = { "Host", false }, [S_LENGTH] = { "Content-Length", false },
    [S_AUTHORIZATION] = { "Authorization", false }, [S_TYPE] = { "Content-Type", false },
    [S_COOKIE] = { "Cookie", false }, [S_CODING] = { "Content-Encoding", false },
    [S_EXPECT] = { "Expect", false }, [S_IF_NONE_MATCH] = { "If-None-Match", false },
    [S_IDEMPOTENCY] = { "Idempotency-Key", false }, [S_CSRF] = { "X-Keep-CSRF", false },
    [S_ORIGIN] = { "Origin", false }, [S_FETCH_SITE] = { "Sec-Fetch-Site", false },
    [S_TRANSFER] = { "Transfer-Encoding", true }, [S_ACCEPT_CODING] = { "Accept-Encoding", true },
};

static bool name_ok(const struct guard_header *h)
{
    if (h->name_len == 0)
        return false;
    for (size_t i = 0; i < h->name_len; i++)
        if (!is_token_char((unsigned char)h->name[i]))
            return false;
    return true;
}

static bool value_ok(const struct guard_header *h)
{
    for (size_t i = 0; i < h->value_len; i++) {
        unsigned char c = (unsigned char)h->value[i];
        if ((c < 0x20 && c != '\t') || c == 0x7F)
            return false;
    }
    return true;
}

static int single_of(const struct guard_header *h)
{
    for (int i = 0; i < S_N; i++)
        if (str_eq_nocase(h->name, singles[i].name))
            return i;
    return -1;
}

static unsigned collect(const struct guard_head *head, const struct guard_header *found[S_N], struct err *err)
{
    for (size_t i = 0; i < head->n_headers; i++) {
        const struct guard_header *h = &head->headers[i];
        if (!name_ok(h))
            return refuse(400, ERR_INVALID, err, "header: a name that is not a token");
        if (!value_ok(h))
            return refuse(400, ERR_INVALID, err, "header: a control character in a value");
        int s = single_of(h);
        if (s < 0)
            continue;
        if (found[s] != NULL && !singles[s].may_repeat) {
            err_set(err, ERR_INVALID, "header: %s given more than once", singles[s].name);
            return 400;
        }
        found[s] = h;
    }
    return 0;
}

static bool host_ok(const struct guard_header *h)
{
    if (h->value_len == 0 || h->value_len > GUARD_MAX_HOST)
        return false;
    for (size_t i = 0; i < h->value_len; i++) {
        unsigned char c = (unsigned char)h->value[i];
        if (!is_alnum(c) && strchr(".-_:[]", c) == NULL)
            return false;
    }
    return true;
}

/* Digits only: no sign, no list, no spaces.  18 digits cannot overflow. */
static unsigned check_length(const struct guard_header *h, uint64_t *out, struct err *err)
{
    uint64_t n = 0;

    if (h->value_len == 0)
        return refuse(400, ERR_INVALID, err, "Content-Length: expected digits");
    for (size_t i = 0; i < h->value_len; i++) {
        unsigned char c = (unsigned char)h->value[i];
        if (c < '0' || c > '9')
            return refuse(400, ERR_INVALID, err, "Content-Length: expected digits");
        n = n * 10 + (uint64_t)(c - '0');
        if (n > UINT64_C(1000000000000000000))
            return refuse(413, ERR_TOO_LARGE, err, "Content-Length: too large");
    }
    *out = n;
    return 0;
}

static unsigned check_coding(const struct guard_header *h, enum http_coding *out, struct err *err)
{
    static const struct {
        const char *word;
        enum http_coding coding;
    } known[] = { { "identity", CODING_IDENTITY }, { "gzip", CODING_GZIP }, { "zstd", CODING_ZSTD } };

    for (size_t i = 0; i < N_ITEMS(known); i++) {
        if (str_eq_nocase(h->value, known[i].word)) {
            *out = known[i].coding;
            return 0;
        }
    }
    return refuse(415, ERR_MEDIA_TYPE, err, "Content-Encoding: gzip, zstd or identity expected");
}

static unsigned check_framing(const struct guard_head *head, const struct guard_header *const found[S_N],
                              struct guard_facts *f, struct err *err)
{
    unsigned status = 0;

    if (found[S_TRANSFER] != NULL)
        return refuse(501, ERR_NOT_IMPLEMENTED, err, "Transfer-Encoding: not accepted; send Content-Length");
    if (found[S_HOST] == NULL && str_eq(head->version, "HTTP/1.1"))
        return refuse(400, ERR_INVALID, err, "Host: missing");
    if (found[S_HOST] != NULL && !host_ok(found[S_HOST]))
        return refuse(400, ERR_INVALID, err, "Host: not a host name with an optional port");
    if (found[S_LENGTH] != NULL)
        status = check_length(found[S_LENGTH], &f->length, err);
    if (status == 0 && found[S_CODING] != NULL)
        status = check_coding(found[S_CODING], &f->coding, err);
    if (status == 0 && found[S_EXPECT] != NULL && !str_eq_nocase(found[S_EXPECT]->value, "100-continue"))
        status = refuse(417, ERR_INVALID, err, "Expect: only 100-continue is known");
    return status;
}

static const char *value_of(const struct guard_header *h)
{
    return h == NULL ? NULL : h->value;
}

unsigned guard_check(const struct guard_head *head, struct guard_facts *out, struct err *err)
{
    const struct guard_header *found[S_N] = { NULL };
    struct guard_facts f = { 0 };

    unsigned status = check_line(head, &f, err);
    if (status == 0 && (head->too_many || head->n_headers > GUARD_MAX_HEADERS))
        status = refuse(431, ERR_TOO_LARGE, err, "header: more than 64 lines");
    if (status == 0 && head->head_len > head->max_head)
        status = refuse(431, ERR_TOO_LARGE, err, "header: too long");
    if (status == 0)
        status = collect(head, found, err);
    if (status == 0)
        status = check_framing(head, found, &f, err);
    if (status != 0)
        return status;
    f.authorization = value_of(found[S_AUTHORIZATION]);
    f.cookie = value_of(found[S_COOKIE]);
    f.content_type = value_of(found[S_TYPE]);
    f.csrf = value_of(found[S_CSRF]);
    f.origin = value_of(found[S_ORIGIN]);
    f.fetch_site = value_of(found[S_FETCH_SITE]);
    f.if_none_match = value_of(found[S_IF_NONE_MATCH]);
    f.accept_encoding = value_of(found[S_ACCEPT_CODING]);
    f.idempotency_key = value_of(found[S_IDEMPOTENCY]);
    f.host = value_of(found[S_HOST]);
    *out = f;
    return 0;
}

const char *guard_find(const struct guard_head *head, const char *name)
{
    for (size_t i = 0; i < head->n_headers; i++)
        if (str_eq_nocase(head->headers[i].name, name))
            return head->headers[i].value;
    return NULL;
}

/* ---- the layout --------------------------------------------------------- */

/* Addresses are compared as integers: the pointers may belong to different
 * objects when the library copied something, and then must not match. */
static uintptr_t at(const char *p)
{
    return (uintptr_t)p;
}

/* n line-ending bytes at s: the library has made NULs of CR and LF.  Inside the
 * head, so they may be read. */
static bool is_ending(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (s[i] != '\0')
            return false;
    return true;
}

/*   METHOD\0uri\0HTTP/1.1\0\0name\0 value\0\0name\0 value\0\0\0\0body
 * where \0 stands for SP, ':', CR and LF as they came.  Each gap has one size.
 * (A NUL sent in place of a CR cannot be told from it any more.) */
bool guard_layout(const struct guard_head *head)
{
    if (head->uri == NULL || at(head->uri) != at(head->method) + strlen(head->method) + 1)
        return false;
    if (at(head->version) != at(head->uri) + head->uri_len + 1)
        return false;
    const char *end = head->version + strlen(head->version);
    for (size_t i = 0; i < head->n_headers; i++) {
        const struct guard_header *h = &head->headers[i];
        if (at(h->name) != at(end) + 2 || !is_ending(end, 2))   /* CR LF, and nothing skipped before */
            return false;
        if (at(h->value) < at(h->name) + h->name_len + 1)       /* ':' and optional blanks */
            return false;
        end = h->value + h->value_len;
    }
    return at(end) + 4 == at(head->method) + head->head_len && is_ending(end, 4);
}
