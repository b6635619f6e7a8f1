/* documents.c - see documents.h. */
#include "ctl/documents.h"

#include "ctl/file.h"
#include "wire/yaml.h"

#include <string.h>

static bool is_marker(const char *s, size_t n)
{
    return n >= 3 && memcmp(s, "---", 3) == 0 && (n == 3 || strchr(" \t\r\n", s[3]) != NULL);
}

/* Nothing but white space and comments. */
static bool is_empty(struct bytes b)
{
    const char *s = (const char *)b.ptr, *end = s + b.len;

    while (s < end) {
        if (*s == '#') {
            s = memchr(s, '\n', (size_t)(end - s));
            if (s == NULL)
                return true;
        } else if (strchr(" \t\r\n", *s) == NULL) {
            return false;
        }
        s++;
    }
    return true;
}

static int add(struct arena *arena, struct documents *out, struct document d, struct err *err)
{
    if (is_empty(d.text))
        return 0;
    if (out->n == DOCUMENTS_MAX)
        return err_set(err, ERR_TOO_LARGE, "%s: more than %d documents", d.file, DOCUMENTS_MAX);
    if (out->items == NULL && (out->items = arena_array(arena, DOCUMENTS_MAX, sizeof *out->items)) == NULL)
        return err_nomem(err);
    out->items[out->n++] = d;
    return 0;
}

int documents_split(struct arena *arena, const char *file, struct bytes text, struct documents *out, struct err *err)
{
    const char *s = (const char *)text.ptr, *end = s + text.len;
    struct document d = { .file = file, .text = { text.ptr, 0 }, .line = 1, .kind = "", .name = "" };
    unsigned line = 1;

    while (s < end) {
        const char *newline = memchr(s, '\n', (size_t)(end - s));
        const char *next = newline != NULL ? newline + 1 : end;
        if (is_marker(s, (size_t)(end - s))) {
            d.text.len = (size_t)((const unsigned char *)s - d.text.ptr);
            if (add(arena, out, d, err) != 0)
                return -1;
            /* What follows the marker on its line belongs to the document. */
            d.text.ptr = (const unsigned char *)s + 3;
            d.line = line;
        }
        s = next;
        line++;
    }
    d.text.len = (size_t)((const unsigned char *)end - d.text.ptr);
    return add(arena, out, d, err);
}

static int read_value(struct arena *arena, struct document *d, struct err *err)
{
    if (yaml_parse(arena, d->text.ptr, d->text.len, NULL, &d->value, err) != 0)
        return err_prefix(err, "%s: the document at line %u", d->file, d->line);
    if (d->value.type != JSON_OBJECT)
        return err_set(err, ERR_INVALID, "%s:%u: expected a mapping with apiVersion, kind and metadata", d->file, d->line);
    d->kind = json_get_str(&d->value, "kind", "");
    d->name = json_str(json_path(&d->value, "metadata.name"), "");
    return 0;
}

int documents_read(struct arena *arena, const char *file, struct documents *out, struct err *err)
{
    size_t first = out->n;
    struct bytes text;

    if (file_read(arena, file, DOCUMENTS_FILE_MAX, &text, err) != 0 || documents_split(arena, file, text, out, err) != 0)
        return -1;
    for (size_t i = first; i < out->n; i++) {
        if (read_value(arena, &out->items[i], err) != 0)
            return -1;
    }
    return out->n > first ? 0 : err_set(err, ERR_INVALID, "%s: no document in it", file);
}
