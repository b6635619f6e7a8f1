/* box.c - building a box: bounded lists, and the short forms Docker's tools share. */
#include "core/config/config_internal.h"

#include "base/buf.h"

#include <string.h>

enum { LIST_MAX = 5000 };

/* Room for one more in an array of the arena; NULL: full. */
static void *grown(struct arena *a, void *items, size_t n, size_t *cap, size_t size)
{
    if (n < *cap)
        return items;
    size_t more = *cap == 0 ? 8 : *cap * 2;
    void *bigger = n < LIST_MAX ? arena_array(a, more, size) : NULL;
    if (bigger != NULL) {
        if (n > 0)
            memcpy(bigger, items, n * size);
        *cap = more;
    }
    return bigger;
}

bool settings_add(struct arena *a, struct settings *l, struct setting one)
{
    struct setting *items = grown(a, l->items, l->n, &l->cap, sizeof *items);

    if (items == NULL)
        return false;
    l->items = items;
    l->items[l->n++] = one;
    return true;
}

/* A later mount on the same target takes the place of the earlier one. */
bool mount_add(struct arena *a, struct box *b, struct mount one)
{
    for (size_t i = 0; i < b->n_mounts; i++) {
        if (*one.target != '\0' && str_eq(b->mounts[i].target, one.target)) {
            b->mounts[i] = one;
            return true;
        }
    }
    struct mount *items = grown(a, b->mounts, b->n_mounts, &b->cap_mounts, sizeof *items);
    if (items == NULL)
        return false;
    b->mounts = items;
    b->mounts[b->n_mounts++] = one;
    return true;
}

bool port_add(struct arena *a, struct box *b, struct port one)
{
    struct port *items = grown(a, b->ports, b->n_ports, &b->cap_ports, sizeof *items);

    if (items == NULL)
        return false;
    b->ports = items;
    b->ports[b->n_ports++] = one;
    return true;
}

bool env_add(struct arena *a, struct box *b, struct variable one)
{
    for (size_t i = 0; i < b->n_env; i++) {
        if (str_eq(b->env[i].name, one.name)) {
            b->env[i] = one;
            return true;
        }
    }
    struct variable *items = grown(a, b->env, b->n_env, &b->cap_env, sizeof *items);
    if (items == NULL)
        return false;
    b->env = items;
    b->env[b->n_env++] = one;
    return true;
}

/* ---- texts -------------------------------------------------------------------------------- */

bool is_unknown(const char *text)
{
    return text != NULL && strchr(text, BOX_UNKNOWN) != NULL;
}

const char *plain(struct arena *a, const char *text)
{
    struct buf b;

    if (!is_unknown(text))
        return text;
    buf_init(&b, 1 << 20);
    for (; *text != '\0'; text++) {
        if (*text == BOX_UNKNOWN)
            buf_puts(&b, "${");
        else
            buf_putc(&b, *text == BOX_UNKNOWN_END ? '}' : *text);
    }
    const char *out = b.failed ? NULL : arena_strndup(a, b.ptr, b.len);
    buf_free(&b);
    return out;
}

static bool is_one_of(const char *text, const char *const *words)
{
    for (; text != NULL && *words != NULL; words++) {
        if (str_eq_nocase(text, *words))
            return true;
    }
    return false;
}

bool is_yes(const char *text)
{
    static const char *const words[] = { "true", "yes", "on", "y", "t", "1", NULL };

    return is_one_of(text, words);
}

bool is_no(const char *text)
{
    static const char *const words[] = { "false", "no", "off", "n", "f", "0", NULL };

    return is_one_of(text, words);
}

/* ---- short forms ---------------------------------------------------------------------------- */

/* From the right: container port, host port, address (which may hold ':' itself). */
bool port_read(struct arena *a, const char *text, struct port *out)
{
    const char *slash = strchr(text, '/');
    size_t len = slash != NULL ? (size_t)(slash - text) : strlen(text), colon[2], n = 0;

    for (size_t i = len; i-- > 0 && n < 2;) {
        if (text[i] == ']')
            break;
        if (text[i] == ':')
            colon[n++] = i;
    }
    size_t container = n > 0 ? colon[0] + 1 : 0, host = n > 1 ? colon[1] + 1 : 0;
    const char *ip = n > 1 ? arena_strndup(a, text, colon[1]) : "";
    if (n == 1 && text[0] == '[') {                        /* "[::1]:80": an address and the container's port */
        ip = arena_strndup(a, text, colon[0]);
        host = container;
    }
    out->ip = ip;
    out->host = n > 0 && host < container ? arena_strndup(a, text + host, container - 1 - host) : "";
    out->container = arena_strndup(a, text + container, len - container);
    return out->ip != NULL && out->host != NULL && out->container != NULL;
}

static bool is_host_path(const char *s)
{
    return *s == '/' || *s == '~' || str_eq(s, ".") || str_eq(s, "..") || str_starts(s, "./") || str_starts(s, "../") ||
           str_starts(s, "\\\\.\\") || *s == BOX_UNKNOWN;
}

/* Where the source ends: not at the colon of "C:\", nor within a mark. */
static const char *source_end(const char *s)
{
    bool drive = ((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z')) && s[1] == ':' && (s[2] == '\\' || s[2] == '/');

    return strchr(s + (drive ? 2 : 0), ':');
}

bool mount_read(struct arena *a, const char *text, struct mount *out)
{
    const char *end = source_end(text), *target = end != NULL ? end + 1 : text;
    const char *options = end != NULL ? source_end(target) : NULL;

    /* Behind a variable that stands alone may be a whole "source:target". */
    out->source = end != NULL ? arena_strndup(a, text, (size_t)(end - text)) : *text == BOX_UNKNOWN ? text : "";
    out->target = options != NULL ? arena_strndup(a, target, (size_t)(options - target)) : arena_strdup(a, target);
    out->options = options != NULL ? arena_strdup(a, options + 1) : "";
    if (out->source == NULL || out->target == NULL || out->options == NULL)
        return false;
    out->kind = is_host_path(out->source) || source_end(out->source) != strchr(out->source, ':') ? MOUNT_BIND : MOUNT_VOLUME;
    out->read_only = has_word(out->options, "ro") || has_word(out->options, "readonly");
    return true;
}

bool has_word(const char *list, const char *word)
{
    size_t len = strlen(word);

    for (const char *p = list; p != NULL; p = strchr(p, ','), p = p != NULL ? p + 1 : NULL) {
        if (strncmp(p, word, len) == 0 && (p[len] == '\0' || p[len] == ','))
            return true;
    }
    return false;
}

static const struct { const char *key; int part; } mount_fields[] = {
    { "source", 0 }, { "src", 0 }, { "target", 1 }, { "dst", 1 }, { "destination", 1 }, { "type", 2 }, { "bind-propagation", 3 },
    { "readonly", 4 }, { "ro", 4 },
};

bool mount_read_fields(struct arena *a, const char *text, struct mount *out)
{
    const char *parts[5] = { "", "", "volume", "", "" };

    for (const char *p = text, *end; *p != '\0'; p = *end == ',' ? end + 1 : end) {
        end = p + strcspn(p, ",");
        size_t key = strcspn(p, "=,");
        for (size_t i = 0; i < N_ITEMS(mount_fields); i++) {
            if (strlen(mount_fields[i].key) != key || memcmp(mount_fields[i].key, p, key) != 0)
                continue;
            const char *value = p[key] == '=' ? arena_strndup(a, p + key + 1, (size_t)(end - p) - key - 1) : "true";
            if (value == NULL)
                return false;
            parts[mount_fields[i].part] = value;
        }
    }
    out->source = parts[0];
    out->target = parts[1];
    out->kind = str_eq(parts[2], "bind") ? MOUNT_BIND : str_eq(parts[2], "volume") ? MOUNT_VOLUME :
                str_eq(parts[2], "tmpfs") ? MOUNT_TMPFS : MOUNT_OTHER;
    if (is_unknown(parts[2]))
        out->kind = MOUNT_BIND;
    out->options = parts[3];
    out->read_only = is_yes(parts[4]);
    return true;
}

bool env_read(struct arena *a, const char *text, struct variable *out)
{
    const char *equals = strchr(text, '=');

    out->name = equals != NULL ? arena_strndup(a, text, (size_t)(equals - text)) : text;
    out->value = equals != NULL ? equals + 1 : NULL;
    return out->name != NULL;
}
