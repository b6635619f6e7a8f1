/* match.c - see match.h.
 *
 * A node is one segment; children are a linked list (a table has some hundred
 * rows, a node a handful of children). */
#include "http/match.h"

#include <stdlib.h>
#include <string.h>

struct node {
    const char *word;                /* in the table's text; NULL: a placeholder */
    size_t len;
    struct node *children, *next;
    const struct route *route[METHOD_N];
    size_t index[METHOD_N];
};

struct matcher {
    struct node root;
};

static void free_children(struct node *node)      /* as deep as MATCH_MAX_SEGMENTS */
{
    for (struct node *c = node->children; c != NULL;) {
        struct node *next = c->next;
        free_children(c);
        free(c);
        c = next;
    }
}

void matcher_free(struct matcher *m)
{
    if (m == NULL)
        return;
    free_children(&m->root);
    free(m);
}

/* Words stay in front of the placeholder, so that they are tried first. */
static struct node *child_of(struct node *parent, const char *word, size_t len)
{
    struct node **at = &parent->children;

    for (; *at != NULL; at = &(*at)->next) {
        if (word == NULL ? (*at)->word == NULL
                         : (*at)->word != NULL && (*at)->len == len && memcmp((*at)->word, word, len) == 0)
            return *at;
        if ((*at)->word == NULL)
            break;
    }
    struct node *n = calloc(1, sizeof *n);
    if (n == NULL)
        return NULL;
    n->word = word;
    n->len = len;
    n->next = *at;
    *at = n;
    return n;
}

static bool word_ok(const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (memchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.", s[i], 65) == NULL)
            return false;
    return len > 0;
}

/* Walks or builds the nodes of one pattern. */
static int add_path(struct matcher *m, const struct route *r, struct node **out, struct err *err)
{
    struct node *node = &m->root;
    size_t segments = 0, values = 0;

    if (r->path == NULL || r->path[0] != '/')
        return err_set(err, ERR_INTERNAL, "route %s: a path starts with '/'", r->path == NULL ? "?" : r->path);
    for (const char *s = r->path + 1; *s != '\0';) {
        size_t len = strcspn(s, "/");
        bool value = len > 2 && s[0] == '{' && s[len - 1] == '}';
        values += value;
        if (++segments > MATCH_MAX_SEGMENTS || values > MATCH_MAX_VALUES)
            return err_set(err, ERR_INTERNAL, "route %s: too many segments or placeholders", r->path);
        if (!value && !word_ok(s, len))
            return err_set(err, ERR_INTERNAL, "route %s: malformed segment", r->path);
        node = child_of(node, value ? NULL : s, len);
        if (node == NULL)
            return err_nomem(err);
        s += len;
        if (*s == '/' && *++s == '\0')
            return err_set(err, ERR_INTERNAL, "route %s: ends with '/'", r->path);
    }
    *out = node;
    return 0;
}

static int add_route(struct matcher *m, const struct route *r, size_t index, struct err *err)
{
    enum http_method method = method_of(r->method);
    struct node *node = NULL;

    if (method == METHOD_NONE || method == METHOD_HEAD)
        return err_set(err, ERR_INTERNAL, "route %s: unknown method %s", r->path, r->method);
    if (add_path(m, r, &node, err) != 0)
        return -1;
    if (node->route[method] != NULL)
        return err_set(err, ERR_INTERNAL, "route %s %s: there twice", r->method, r->path);
    node->route[method] = r;
    node->index[method] = index;
    if (method == METHOD_GET) {
        node->route[METHOD_HEAD] = r;
        node->index[METHOD_HEAD] = index;
    }
    return 0;
}

int matcher_new(const struct route *routes, size_t n, struct matcher **out, struct err *err)
{
    struct matcher *m = calloc(1, sizeof *m);

    if (m == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < n; i++) {
        if (add_route(m, &routes[i], i, err) != 0) {
            matcher_free(m);
            return -1;
        }
    }
    *out = m;
    return 0;
}

static unsigned methods_of(const struct node *node)
{
    unsigned set = 0;

    for (int i = METHOD_NONE + 1; i < METHOD_N; i++)
        if (node->route[i] != NULL)
            set |= 1u << i;
    return set;
}

/* Depth-first with one value pushed per placeholder; depth <= MATCH_MAX_SEGMENTS + 1. */
static const struct node *find(const struct node *node, const char *s, size_t len, struct match *out)
{
    if (len == 0)
        return methods_of(node) != 0 ? node : NULL;
    const char *slash = memchr(s, '/', len);
    size_t n = slash == NULL ? len : (size_t)(slash - s);
    size_t rest = slash == NULL ? 0 : len - n - 1;
    if (n == 0 || (slash != NULL && rest == 0))            /* empty segment, or a trailing '/' */
        return NULL;
    for (const struct node *c = node->children; c != NULL; c = c->next) {
        size_t depth = out->n_values;
        if (c->word != NULL && (c->len != n || memcmp(c->word, s, n) != 0))
            continue;
        if (c->word == NULL) {
            out->raw[depth].at = s;
            out->raw[depth].len = n;
            out->n_values++;
        }
        const struct node *hit = find(c, slash == NULL ? s + n : slash + 1, rest, out);
        if (hit != NULL)
            return hit;
        out->n_values = depth;
    }
    return NULL;
}

void matcher_find(const struct matcher *m, enum http_method method, const char *path, size_t len, struct match *out)
{
    *out = (struct match){ 0 };
    if (len == 0 || path[0] != '/')
        return;
    const struct node *node = find(&m->root, path + 1, len - 1, out);
    if (node == NULL)
        return;
    out->allowed = methods_of(node);
    out->route = node->route[method];
    out->index = node->index[method];
}

static unsigned char hex_digit(char c)
{
    return (unsigned char)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
}

/* The guard has checked every escape: two hex digits each. */
static char *decode(const char *s, size_t len, struct arena *arena)
{
    char *out = arena_bytes(arena, len + 1);
    size_t n = 0;

    if (out == NULL)
        return NULL;
    for (size_t i = 0; i < len; i++) {
        if (s[i] == '%' && len - i >= 3) {
            out[n++] = (char)(hex_digit(s[i + 1]) << 4 | hex_digit(s[i + 2]));
            i += 2;
        } else {
            out[n++] = s[i];
        }
    }
    out[n] = '\0';
    return str_is_utf8(out, n) ? out : NULL;
}

int match_values(const struct match *m, struct arena *arena, const char *const **out, struct err *err)
{
    const char **values = arena_array(arena, m->n_values + 1, sizeof *values);

    if (values == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < m->n_values; i++) {
        if (m->raw[i].len > MATCH_MAX_VALUE)
            return err_set(err, ERR_NOT_FOUND, "path: a segment longer than %d bytes", MATCH_MAX_VALUE);
        values[i] = decode(m->raw[i].at, m->raw[i].len, arena);
        if (values[i] == NULL)
            return err_set(err, ERR_NOT_FOUND, "path: a segment that is not UTF-8 text");
    }
    *out = values;
    return 0;
}
