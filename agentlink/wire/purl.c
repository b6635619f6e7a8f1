/* purl.c - see purl.h.  Reading decodes into raw parts, building starts from raw
 * parts; both then go through normalise(), so there is one set of rules. */
#include "wire/purl.h"

#include "base/buf.h"
#include "base/str.h"
#include "wire/purl_types.h"

#include <stdlib.h>
#include <string.h>

/* ---- characters ---------------------------------------------------------- */

static bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* Stands for itself in a purl: unreserved, and the colon. */
static bool is_plain(char c)
{
    return is_alpha(c) || is_digit(c) || (c != '\0' && strchr(".-_~:", c) != NULL);
}

static int hex_value(char c)
{
    return is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* ASCII letter first, then letters, digits and the given punctuation. */
static bool is_word(const char *s, const char *punctuation)
{
    if (!is_alpha(*s))
        return false;
    for (; *s != '\0'; s++) {
        if (!is_alpha(*s) && !is_digit(*s) && strchr(punctuation, *s) == NULL)
            return false;
    }
    return true;
}

static bool has_control(const char *s)
{
    for (; *s != '\0'; s++) {
        if ((unsigned char)*s < ' ' || *s == 0x7F)
            return true;
    }
    return false;
}

/* ---- reading ------------------------------------------------------------- */

struct reader {
    struct arena *arena;
    struct err *err;
};

/* A decoded copy; `what` names the part. */
static int decode(struct reader *r, const char *s, size_t len, const char *what, char **out)
{
    char *to = arena_bytes(r->arena, len + 1), *start = to;

    if (to == NULL)
        return err_nomem(r->err);
    for (size_t i = 0; i < len; i++) {
        if (s[i] != '%') {
            *to++ = s[i];
            continue;
        }
        int hi = len - i > 2 ? hex_value(s[i + 1]) : -1;
        int lo = hi >= 0 ? hex_value(s[i + 2]) : -1;
        if (lo < 0)
            return err_set(r->err, ERR_INVALID, "purl: %%-escape in the %s needs two hex digits", what);
        *to++ = (char)(hi << 4 | lo);
        i += 2;
    }
    *to = '\0';
    if (!str_is_utf8(start, (size_t)(to - start)))
        return err_set(r->err, ERR_INVALID, "purl: the %s is not UTF-8 without NUL", what);
    *out = start;
    return 0;
}

/* Segments between '/', each decoded, the empty ones dropped. */
static int decode_path(struct reader *r, const char *s, size_t len, const char *what, const char **out)
{
    char *path = arena_bytes(r->arena, len + 1), *to = path;

    if (path == NULL)
        return err_nomem(r->err);
    for (const char *end = s + len; s < end;) {
        const char *slash = memchr(s, '/', (size_t)(end - s));
        const char *stop = slash != NULL ? slash : end;
        char *segment;
        if (decode(r, s, (size_t)(stop - s), what, &segment) != 0)
            return -1;
        if (strchr(segment, '/') != NULL)
            return err_set(r->err, ERR_INVALID, "purl: a segment of the %s holds an escaped '/'", what);
        size_t n = strlen(segment);
        if (n > 0) {
            if (to > path)
                *to++ = '/';
            memcpy(to, segment, n);
            to += n;
        }
        s = stop + 1;
    }
    *to = '\0';
    *out = path;
    return 0;
}

static int read_qualifiers(struct reader *r, const char *s, struct purl *p)
{
    struct purl_qualifier *list = arena_array(r->arena, PURL_QUALIFIERS_MAX, sizeof *list);
    size_t n = 0;

    if (list == NULL)
        return err_nomem(r->err);
    while (*s != '\0') {
        size_t len = strcspn(s, "&"), key_len = strcspn(s, "=&");
        if (len > 0) {
            char *value = NULL;
            if (key_len == len)
                return err_set(r->err, ERR_INVALID, "purl: a qualifier is KEY=VALUE, found \"%.*s\"", len < 40 ? (int)len : 40, s);
            if (n == PURL_QUALIFIERS_MAX)
                return err_set(r->err, ERR_TOO_LARGE, "purl: more than %d qualifiers", PURL_QUALIFIERS_MAX);
            if (decode(r, s + key_len + 1, len - key_len - 1, "qualifier", &value) != 0)
                return -1;
            list[n].key = arena_strndup(r->arena, s, key_len);
            list[n].value = value;
            if (list[n++].key == NULL)
                return err_nomem(r->err);
        }
        s += len + (s[len] == '&');
    }
    p->qualifiers = list;
    p->n_qualifiers = n;
    return 0;
}

/* The '@' before the version: the last one, unless it starts a segment that is
 * followed by another (an npm scope that nobody escaped). */
static char *find_version(char *path)
{
    char *at = strrchr(path, '@');

    if (at == NULL)
        return NULL;
    bool starts_segment = at == path || at[-1] == '/';
    return starts_segment && strchr(at, '/') != NULL ? NULL : at;
}

static void strip_slashes(char **s, char *end)
{
    while (**s == '/')
        ++*s;
    while (end > *s && end[-1] == '/')
        *--end = '\0';
}

/* namespace/name, in place. */
static int read_path(struct reader *r, char *path, struct purl *p)
{
    char *name;

    strip_slashes(&path, path + strlen(path));
    char *slash = strrchr(path, '/');
    if (slash != NULL && decode_path(r, path, (size_t)(slash - path), "namespace", &p->namespace) != 0)
        return -1;
    const char *last = slash != NULL ? slash + 1 : path;
    if (decode(r, last, strlen(last), "name", &name) != 0)
        return -1;
    p->name = name;
    return 0;
}

/* type/namespace/name@version, in place. */
static int read_main(struct reader *r, char *s, struct purl *p)
{
    s += strspn(s, "/");
    char *slash = strchr(s, '/');
    if (slash == NULL)
        return err_set(r->err, ERR_INVALID, "purl: expected pkg:TYPE/NAME");
    *slash = '\0';
    p->type = s;
    char *at = find_version(slash + 1);
    if (at != NULL) {
        char *version;
        *at = '\0';
        if (decode(r, at + 1, strlen(at + 1), "version", &version) != 0)
            return -1;
        p->version = version;
    }
    return read_path(r, slash + 1, p);
}

static int read_all(struct reader *r, const char *text, struct purl *p)
{
    size_t len = strnlen(text, PURL_MAX + 1);

    if (len > PURL_MAX)
        return err_set(r->err, ERR_TOO_LARGE, "purl of more than %d bytes", PURL_MAX);
    if (has_control(text))
        return err_set(r->err, ERR_INVALID, "purl: control character");
    if (strncasecmp(text, "pkg:", 4) != 0)
        return err_set(r->err, ERR_INVALID, "purl: expected \"pkg:\" at the start");
    char *s = arena_strndup(r->arena, text + 4, len - 4);
    if (s == NULL)
        return err_nomem(r->err);
    char *hash = strrchr(s, '#');
    if (hash != NULL) {
        *hash = '\0';
        if (decode_path(r, hash + 1, strlen(hash + 1), "subpath", &p->subpath) != 0)
            return -1;
    }
    char *question = strrchr(s, '?');
    if (question != NULL) {
        *question = '\0';
        if (read_qualifiers(r, question + 1, p) != 0)
            return -1;
    }
    return read_main(r, s, p);
}

/* ---- normalising --------------------------------------------------------- */

/* A copy to work on; "" and NULL give NULL. */
static int own(struct reader *r, const char **s)
{
    if (*s == NULL || **s == '\0') {
        *s = NULL;
        return 0;
    }
    *s = arena_strdup(r->arena, *s);
    return *s != NULL ? 0 : err_nomem(r->err);
}

/* Drops empty segments, and with `dots` also "." and "..", in place. */
static const char *clean_path(char *path, bool dots)
{
    char *to = path;

    if (path == NULL)
        return NULL;
    for (char *s = path; *s != '\0';) {
        size_t n = strcspn(s, "/");
        bool skip = n == 0 || (dots && ((n == 1 && s[0] == '.') || (n == 2 && s[0] == '.' && s[1] == '.')));
        bool more = s[n] == '/';
        if (!skip) {
            if (to > path)
                *to++ = '/';
            memmove(to, s, n);
            to += n;
        }
        s += n + more;
    }
    *to = '\0';
    return *path != '\0' ? path : NULL;
}

static int by_key(const void *a, const void *b)
{
    const struct purl_qualifier *x = a, *y = b;

    return strcmp(x->key, y->key);
}

static int normalise_qualifiers(struct reader *r, struct purl *p)
{
    size_t n = 0;

    if (p->n_qualifiers > PURL_QUALIFIERS_MAX)
        return err_set(r->err, ERR_TOO_LARGE, "purl: more than %d qualifiers", PURL_QUALIFIERS_MAX);
    struct purl_qualifier *list = arena_array(r->arena, p->n_qualifiers + 1, sizeof *list);
    if (list == NULL)
        return err_nomem(r->err);
    for (size_t i = 0; i < p->n_qualifiers; i++) {
        const char *value = p->qualifiers[i].value;
        char *key = arena_strdup(r->arena, p->qualifiers[i].key != NULL ? p->qualifiers[i].key : "");
        if (key == NULL)
            return err_nomem(r->err);
        if (!is_word(key, ".-_"))
            return err_set(r->err, ERR_INVALID, "purl: \"%.40s\" is no qualifier key", key);
        str_lower(key);
        if (own(r, &value) != 0)
            return -1;
        if (value != NULL)
            list[n++] = (struct purl_qualifier){ key, value };
    }
    if (n > 0)
        qsort(list, n, sizeof *list, by_key);
    for (size_t i = 1; i < n; i++) {
        if (str_eq(list[i - 1].key, list[i].key))
            return err_set(r->err, ERR_INVALID, "purl: qualifier %s is there twice", list[i].key);
    }
    p->qualifiers = n > 0 ? list : NULL;
    p->n_qualifiers = n;
    return 0;
}

/* A git purl's namespace is the host alone, its name the whole path there. */
static int regroup_git(struct reader *r, struct purl *p)
{
    char *slash = p->namespace != NULL ? strchr((char *)(uintptr_t)p->namespace, '/') : NULL;

    if (slash != NULL) {
        *slash = '\0';
        p->name = arena_printf(r->arena, "%s/%s", slash + 1, p->name);
        if (p->name == NULL)
            return err_nomem(r->err);
    }
    p->name = clean_path((char *)(uintptr_t)p->name, false);
    return 0;
}

static bool is_git(const struct purl *p) { return str_eq(p->type, "git"); }

static int normalise(struct reader *r, struct purl *p)
{
    if (own(r, &p->type) != 0 || own(r, &p->namespace) != 0 || own(r, &p->name) != 0 ||
        own(r, &p->version) != 0 || own(r, &p->subpath) != 0 || normalise_qualifiers(r, p) != 0)
        return -1;
    if (p->type == NULL || !is_word(p->type, ".-"))
        return err_set(r->err, ERR_INVALID, "purl: a type is a letter, then letters, digits, '.' or '-'");
    str_lower((char *)(uintptr_t)p->type);
    p->namespace = clean_path((char *)(uintptr_t)p->namespace, false);
    p->subpath = clean_path((char *)(uintptr_t)p->subpath, true);
    if (p->name != NULL) {
        char *name = (char *)(uintptr_t)p->name;
        strip_slashes(&name, name + strlen(name));
        p->name = name;
    }
    if (p->name == NULL || *p->name == '\0')
        return err_set(r->err, ERR_INVALID, "purl: a name is required");
    if (is_git(p) && regroup_git(r, p) != 0)
        return -1;
    return purl_type_apply(p, r->err);
}

int purl_parse(struct arena *a, const char *text, struct purl *out, struct err *err)
{
    struct reader r = { a, err };
    struct purl p = { 0 };

    if (read_all(&r, text, &p) != 0 || normalise(&r, &p) != 0)
        return -1;
    *out = p;
    return 0;
}

/* ---- building ------------------------------------------------------------ */

static void put(struct buf *b, const char *s, const char *also_plain)
{
    static const char digits[] = "0123456789ABCDEF";

    for (; *s != '\0'; s++) {
        unsigned char c = (unsigned char)*s;
        if (is_plain(*s) || strchr(also_plain, *s) != NULL) {
            buf_putc(b, *s);
        } else {
            char escaped[3] = { '%', digits[c >> 4], digits[c & 15] };
            buf_put(b, escaped, 3);
        }
    }
}

static void print(struct buf *b, const struct purl *p)
{
    buf_puts(b, "pkg:");
    buf_puts(b, p->type);
    buf_putc(b, '/');
    if (p->namespace != NULL) {
        put(b, p->namespace, "/");
        buf_putc(b, '/');
    }
    put(b, p->name, is_git(p) ? "/" : "");
    if (p->version != NULL) {
        buf_putc(b, '@');
        put(b, p->version, "");
    }
    for (size_t i = 0; i < p->n_qualifiers; i++) {
        buf_putc(b, i == 0 ? '?' : '&');
        buf_puts(b, p->qualifiers[i].key);
        buf_putc(b, '=');
        put(b, p->qualifiers[i].value, "");
    }
    if (p->subpath != NULL) {
        buf_putc(b, '#');
        put(b, p->subpath, "/");
    }
}

static bool is_text(const char *s)
{
    return s == NULL || str_is_utf8(s, strlen(s));
}

static int check_text(const struct purl *p, struct err *err)
{
    bool ok = is_text(p->namespace) && is_text(p->name) && is_text(p->version) && is_text(p->subpath);

    for (size_t i = 0; ok && i < p->n_qualifiers; i++)
        ok = is_text(p->qualifiers[i].value);
    return ok ? 0 : err_set(err, ERR_INVALID, "purl: a part is not UTF-8");
}

int purl_build(struct arena *a, const struct purl *parts, const char **out, struct err *err)
{
    struct reader r = { a, err };
    struct purl p = *parts;
    struct buf b;

    if (check_text(parts, err) != 0 || normalise(&r, &p) != 0)
        return -1;
    buf_init(&b, PURL_MAX + 1);
    print(&b, &p);
    bool failed = b.failed || b.len > PURL_MAX;
    char *text = failed ? NULL : arena_strndup(a, b.ptr, b.len);
    buf_free(&b);
    if (failed)
        return err_set(err, ERR_TOO_LARGE, "purl of more than %d bytes", PURL_MAX);
    if (text == NULL)
        return err_nomem(err);
    *out = text;
    return 0;
}

int purl_canonical(struct arena *a, const char *text, const char **out, struct err *err)
{
    struct purl p;

    return purl_parse(a, text, &p, err) != 0 ? -1 : purl_build(a, &p, out, err);
}

/* ---- matching ------------------------------------------------------------ */

const char *purl_qualifier(const struct purl *purl, const char *key)
{
    for (size_t i = 0; i < purl->n_qualifiers; i++) {
        if (str_eq(purl->qualifiers[i].key, key))
            return purl->qualifiers[i].value;
    }
    return NULL;
}

static bool given_equals(const char *wanted, const char *have)
{
    return wanted == NULL || str_eq(wanted, have);
}

bool purl_match(const struct purl *wanted, const struct purl *product)
{
    if (!str_eq(wanted->type, product->type) || !str_eq(wanted->namespace, product->namespace) ||
        !str_eq(wanted->name, product->name))
        return false;
    if (!given_equals(wanted->version, product->version) || !given_equals(wanted->subpath, product->subpath))
        return false;
    for (size_t i = 0; i < wanted->n_qualifiers; i++) {
        if (!given_equals(wanted->qualifiers[i].value, purl_qualifier(product, wanted->qualifiers[i].key)))
            return false;
    }
    return true;
}
