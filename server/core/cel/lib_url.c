/* lib_url.c - Kubernetes' url library: an absolute URI or an absolute path, as Go's
 * net/url reads it.  What is kept of a URL are slices of its text. */
#include "core/cel/internal.h"

#define K_URL CEL_K(CEL_URL)

static bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static int hex(char c)
{
    return is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Every % is followed by two hex digits. */
static bool escapes_ok(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (s[i] == '%' && (n - i < 3 || hex(s[i + 1]) < 0 || hex(s[i + 2]) < 0))
            return false;
    }
    return true;
}

static struct cel_value slice(const char *from, const char *to)
{
    return cel_string(from, (size_t)(to - from));
}

static bool port_ok(const char *s, const char *end)
{
    for (; s < end; s++) {
        if (!is_digit(*s))
            return false;
    }
    return true;
}

/* host[:port], [v6][:port] */
static const char *parse_host(const char *s, const char *end, struct cel_url *u)
{
    const char *host_end = end, *port = end;

    u->host = slice(s, end);
    if (s < end && *s == '[') {
        const char *close = memchr(s, ']', (size_t)(end - s));
        if (close == NULL)
            return "the host has no closing bracket";
        port = close + 1;
        if (port < end && *port != ':')
            return "the port is malformed";
        u->hostname = slice(s + 1, close);
    } else {
        const char *colon = memrchr(s, ':', (size_t)(end - s));
        if (colon != NULL)
            host_end = port = colon;
        u->hostname = slice(s, host_end);
        for (const char *c = s; c < host_end; c++) {
            if (strchr(" \"<>^`{|}\\", *c) != NULL || *c == ':')
                return "the host is malformed";
        }
    }
    u->port = port < end ? slice(port + 1, end) : cel_string("", 0);
    return port_ok(u->port.s, u->port.s + u->port.n) ? NULL : "the port is malformed";
}

static const char *parse_authority(const char *s, const char *end, struct cel_url *u)
{
    const char *at = memrchr(s, '@', (size_t)(end - s));

    for (const char *c = s; at != NULL && c < at; c++) {
        if (!is_alpha(*c) && !is_digit(*c) && strchr("-._:~!$&'()*+,;=%@", *c) == NULL)
            return "the user information is malformed";
    }
    return parse_host(at != NULL ? at + 1 : s, end, u);
}

/* The end of "scheme:", NULL when there is none. */
static const char *scheme_end(const char *s, const char *end)
{
    if (s >= end || !is_alpha(*s))
        return NULL;
    for (; s < end; s++) {
        if (*s == ':')
            return s;
        if (!is_alpha(*s) && !is_digit(*s) && strchr("+-.", *s) == NULL)
            return NULL;
    }
    return NULL;
}

static const char *parse(const char *s, size_t n, struct cel_url *u)
{
    const char *end = s + n, *scheme = scheme_end(s, end), *hash = memchr(s, '#', n);
    struct cel_value empty = cel_string("", 0);

    *u = (struct cel_url){ .scheme = empty, .host = empty, .hostname = empty, .port = empty, .path = empty,
                           .query = empty, .text = cel_string(s, n) };
    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)s[i] < 0x20 || s[i] == 0x7F)
            return "control character";
    }
    if (n == 0)
        return "it is empty";
    if (scheme == NULL && *s != '/')
        return "it is neither an absolute URI nor an absolute path";
    if (hash != NULL)
        end = hash;
    if (scheme != NULL) {
        if (scheme >= end)
            return "the scheme is malformed";
        u->scheme = slice(s, scheme);
        s = scheme + 1;
    }
    const char *query = memchr(s, '?', (size_t)(end - s));
    if (query != NULL) {
        u->query = slice(query + 1, end);
        end = query;
    }
    if (end - s >= 2 && s[0] == '/' && s[1] == '/') {
        const char *path = memchr(s + 2, '/', (size_t)(end - s - 2));
        if (path == NULL)
            path = end;
        const char *why = scheme == NULL ? NULL : parse_authority(s + 2, path, u);
        if (why != NULL)
            return why;
        s = scheme == NULL ? s : path;
    }
    u->path = slice(s, end);
    return escapes_ok(s, (size_t)(end - s)) ? NULL : "malformed percent-encoding";
}

const char *cel_url_check(const char *s, size_t n)
{
    struct cel_url u;

    return parse(s, n, &u);
}

static struct cel_value url(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    struct cel_url u;
    const char *why = cel_pay(run, a->n / 8) ? parse(a->s, a->n, &u) : "stopped";

    (void)n;
    return why == NULL ? run_opaque(run, CEL_URL, &u, sizeof u) :
           cel_fail(run, "not a URL: '%.*s': %s", a->n < 60 ? (int)a->n : 60, a->s, why);
}

static struct cel_value is_url(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    (void)n;
    return cel_pay(run, a->n / 8) ? cel_bool(cel_url_check(a->s, a->n) == NULL) : run_stopped(run);
}

static const struct cel_url *of(const struct cel_value *v)
{
    return v->opaque;
}

#define URL_PART(name, member)                                                               \
    static struct cel_value name(struct cel_run *run, const struct cel_value *a, uint32_t n) \
    {                                                                                        \
        (void)run, (void)n;                                                                  \
        return of(a)->member;                                                                \
    }

URL_PART(get_host, host)
URL_PART(get_hostname, hostname)
URL_PART(get_port, port)

static struct cel_value get_scheme(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    struct cel_text t = { .run = run };
    const struct cel_value *s = &of(a)->scheme;

    (void)n;
    for (uint32_t i = 0; i < s->n; i++)
        text_putc(&t, s->s[i] >= 'A' && s->s[i] <= 'Z' ? (char)(s->s[i] + 32) : s->s[i]);
    return text_value(&t);
}

static struct cel_value get_path(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    struct cel_text t = { .run = run };
    const struct cel_value *p = &of(a)->path;

    (void)n;
    for (uint32_t i = 0; i < p->n && !t.full; i++) {
        char c = p->s[i];
        if (is_alpha(c) || is_digit(c) || strchr("-._~!$&'()*+,;=:@/%[]", c) != NULL)
            text_putc(&t, c);
        else
            text_printf(&t, "%%%02X", (unsigned char)c);
    }
    return text_value(&t);
}

/* "a+b%20c" unescaped; what is not UTF-8 then becomes U+FFFD. */
static struct cel_value unescape(struct cel_run *run, const char *s, const char *end)
{
    struct cel_text t = { .run = run };

    for (; s < end && !t.full; s++) {
        if (*s == '%') {
            text_putc(&t, (char)(hex(s[1]) << 4 | hex(s[2])));
            s += 2;
        } else {
            text_putc(&t, *s == '+' ? ' ' : *s);
        }
    }
    struct cel_value v = text_value(&t);
    if (is_bad(v) || utf8_valid(v.s, v.n))
        return v;
    struct cel_text clean = { .run = run };
    v.kind = CEL_BYTES;
    value_text(&v, &clean);
    return text_value(&clean);
}

/* Adds value to the list under key. */
static bool add_query(struct cel_run *run, struct cel_map_builder *b, struct cel_value key, struct cel_value value)
{
    for (uint32_t i = 0; i < b->n; i++) {
        struct cel_entry *e = &b->entries[i];
        if (!cel_pay(run, 1))
            return false;
        if (e->key.n != key.n || memcmp(e->key.s, key.s, key.n) != 0)
            continue;
        struct cel_value *items = run_alloc(run, e->value.n + 1, sizeof *items);
        if (items == NULL)
            return false;
        memcpy(items, e->value.items, e->value.n * sizeof *items);
        items[e->value.n] = value;
        e->value = cel_list(items, e->value.n + 1);
        return true;
    }
    struct cel_value *one = run_alloc(run, 1, sizeof *one);
    if (one == NULL)
        return false;
    *one = value;
    return map_add(run, b, key, cel_list(one, 1)) == 0;
}

static struct cel_value get_query(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    struct cel_map_builder b = { 0 };
    const char *s = of(a)->query.s, *end = s + of(a)->query.n;

    (void)n;
    while (s < end) {
        const char *amp = memchr(s, '&', (size_t)(end - s)), *stop = amp != NULL ? amp : end;
        const char *eq = memchr(s, '=', (size_t)(stop - s)), *key_end = eq != NULL ? eq : stop;
        /* As in Go, a malformed pair or one with ';' is left out. */
        if (stop > s && escapes_ok(s, (size_t)(stop - s)) && memchr(s, ';', (size_t)(stop - s)) == NULL) {
            struct cel_value key = unescape(run, s, key_end);
            struct cel_value value = unescape(run, eq != NULL ? eq + 1 : stop, stop);
            if (is_bad(key) || is_bad(value) || !add_query(run, &b, key, value))
                return run_stopped(run);
        }
        s = stop + 1;
    }
    return map_finish(run, &b);
}

static const struct cel_function functions[] = {
    FN("url", 1, K_URL, url, K_STRING),
    FN("isURL", 1, K_BOOL, is_url, K_STRING),
    METHOD("getScheme", 1, K_STRING, get_scheme, K_URL),
    METHOD("getHost", 1, K_STRING, get_host, K_URL),
    METHOD("getHostname", 1, K_STRING, get_hostname, K_URL),
    METHOD("getPort", 1, K_STRING, get_port, K_URL),
    METHOD("getEscapedPath", 1, K_STRING, get_path, K_URL),
    METHOD("getQuery", 1, K_MAP, get_query, K_URL),
};

const struct cel_library lib_url = { functions, N_ITEMS(functions) };
