/* node_scope.c - labels of nodes, and the scope they make with the cluster: cluster, or
 * cluster/k=v,k2=v2 by name.  Two nodes with the same labels have the same scope. */
#include "service/nodes.h"
#include "store/text_list.h"
#include "wire/json.h"

#include <stdlib.h>
#include <string.h>

enum { LABELS_MAX = 16, LABEL_TEXT_MAX = 63, LABELS_BYTES = 8192 };

/* What may stand in a scope unquoted. */
static bool is_word(const char *s)
{
    size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/");

    return n >= 1 && n <= LABEL_TEXT_MAX && s[n] == '\0';
}

static int by_key(const void *a, const void *b)
{
    return strcmp((*(const struct json_member *const *)a)->key, (*(const struct json_member *const *)b)->key);
}

static int check(const struct json *labels, struct err *err)
{
    if (labels->type != JSON_OBJECT)
        return err_set(err, ERR_INVALID, "$.labels: an object expected");
    if (json_n_members(labels) > LABELS_MAX)
        return err_set(err, ERR_INVALID, "$.labels: at most %d", LABELS_MAX);
    for (uint32_t i = 0; i < json_n_members(labels); i++) {
        const struct json_member *m = &labels->members[i];
        if (m->value.type != JSON_STRING || !is_word(m->key) || !is_word(m->value.string))
            return err_set(err, ERR_INVALID, "$.labels.%.63s: names and values are 1 to %d letters, digits and . _ - /", m->key, LABEL_TEXT_MAX);
    }
    return 0;
}

int node_labels(const struct json *labels, struct arena *arena, const char **out, struct err *err)
{
    const struct json_member *list[LABELS_MAX];
    struct buf b;
    size_t n = 0;

    if (labels != NULL && check(labels, err) != 0)
        return -1;
    for (uint32_t i = 0; labels != NULL && i < json_n_members(labels); i++)
        list[n++] = &labels->members[i];
    if (n > 1)
        qsort(list, n, sizeof list[0], by_key);
    buf_init(&b, LABELS_BYTES);
    buf_putc(&b, '{');
    for (size_t i = 0; i < n; i++) {
        buf_puts(&b, i > 0 ? "," : "");
        text_put_json(&b, list[i]->key);
        buf_putc(&b, ':');
        text_put_json(&b, list[i]->value.string);
    }
    buf_putc(&b, '}');
    const char *text = b.failed ? NULL : arena_strndup(arena, b.ptr, b.len);
    buf_free(&b);
    if (text == NULL)
        return err_nomem(err);
    *out = text;
    return 0;
}

/* The labels are ours: {"k":"v",...} with nothing escaped. */
const char *node_scope(const char *cluster, const char *labels, struct arena *arena)
{
    size_t len = strlen(cluster), at = len;
    char *scope = arena_bytes(arena, len + strlen(labels) + 2);

    if (scope == NULL)
        return NULL;
    memcpy(scope, cluster, len);
    if (labels[0] == '{' && labels[1] == '"')
        scope[at++] = '/';
    for (const char *s = labels; *s != '\0'; s++)
        if (strchr("{}\"", *s) == NULL)
            scope[at++] = *s == ':' ? '=' : *s;
    scope[at] = '\0';
    return scope;
}
