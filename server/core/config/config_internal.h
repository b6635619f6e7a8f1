/* config_internal.h - between the readers of each kind, and judging. */
#ifndef KEEP_CORE_CONFIG_INTERNAL_H
#define KEEP_CORE_CONFIG_INTERNAL_H

#include "core/config/box.h"

#include "base/str.h"
#include "wire/json_tree.h"

/* A document of a Compose file. */
enum { COMPOSE_PARTS_MAX = 100 };
struct compose_part { size_t file; const struct json *root; };

/* What is being read. */
struct reading {
    struct arena *arena;
    const struct config_input *in;
    struct config *out;
    size_t cap_objects, cap_gaps;
    struct compose_part parts[COMPOSE_PARTS_MAX]; size_t n_parts;      /* in the order of overriding */
};

/* Adds; -1: arena full or too many. */
int reading_object(struct reading *r, struct config_object one, struct err *err);
int reading_box(struct reading *r, enum config_kind kind, const char *name, struct box *box, struct err *err);
int reading_gap(struct reading *r, uint32_t at, const char *path, const char *message, struct err *err);
/* "FILE:LINE:COLUMN: what"; always -1, ERR_INVALID. */
int reading_refuse(const struct reading *r, uint32_t at, const char *what, struct err *err);

/* Each document of file number i, places counted among all files. */
int reading_docs(struct reading *r, size_t file, const struct json **docs, size_t *n, struct err *err);

/* One reader per kind, for file number `file`; Compose takes all files at once. */
int read_kubernetes(struct reading *r, size_t file, const struct json *docs, size_t n, struct err *err);
int read_compose(struct reading *r, struct err *err);      /* all parts */
int read_inspect(struct reading *r, size_t file, const struct json *docs, size_t n, struct err *err);
int read_oci(struct reading *r, size_t file, const struct json *docs, size_t n, struct err *err);
int read_run(struct reading *r, size_t file, struct err *err);
enum config_kind kind_of(const struct json *docs, size_t n);       /* CONFIG_AUTO: not known */

/* ---- trees made here (tree.c) ---- */
/* Members gathered, then closed into an object or a list.  Errors are remembered. */
struct maker { struct arena *arena; struct json_member *items; uint32_t n, cap; bool failed, drop_nulls; };
void make_member(struct maker *m, const char *key, struct json value);      /* key must live */
void make_item(struct maker *m, struct json value);
struct json make_object(struct maker *m, uint32_t at);                      /* later keys win */
struct json make_list(struct maker *m, uint32_t at);
struct json make_text(const char *s, uint32_t at);                          /* s must live */
struct json make_bool(bool v, uint32_t at);
struct json make_int(int64_t v, uint32_t at);

/* A copy with places moved by `base`, perhaps without the members that are null;
 * `change` may replace scalars (NULL: as they are).
 * -1: arena full, or what `change` answers. */
typedef int change_fn(void *data, const char *key, struct json *v, struct err *err);
int tree_copy(struct arena *arena, const struct json *v, uint32_t base, bool drop_nulls, change_fn *change, void *data,
              struct json *out, struct err *err);

/* The value as text: texts, numbers, booleans; NULL for others or when absent. */
const char *text_of(struct arena *a, const struct json *v);
const char *path_join(struct arena *a, const char *path, const char *key);      /* ".key" or "['key']" */
const char *path_index(struct arena *a, const char *path, uint32_t i);
/* Along "$.a['b'][0]"; the nearest that is there. */
const struct json *path_walk(const struct json *root, const char *path);

/* ---- Compose's variables (interpolate.c) ---- */
struct dotenv { const char *name, *value; };
struct env_file { struct dotenv *items; size_t n; };
int env_file_read(struct arena *a, const struct config_file *f, struct env_file *out, struct err *err);
/* *out is the text with variables replaced; unknown ones become marks.  ERR_INVALID for broken syntax. */
int interpolate(struct arena *a, const struct env_file *env, const char *text, size_t len, const char **out, struct err *err);

/* ---- reasons (judge.c) ---- */
struct found {
    struct arena *arena;
    const struct config *config;
    struct check_reason *items; size_t n, cap;
    bool truncated, failed;
};
struct check_reason *found_add(struct found *f, uint32_t at, struct check_reason one);
/* A native rule by id; `what` is what was found, in words. */
void rule_add(struct found *f, const char *object, const char *id, uint32_t at, const char *path, const char *what);
/* The same, but what the rule judges is not known. */
void rule_unknown(struct found *f, const char *object, const char *id, uint32_t at, const char *path, const char *text);
/* A part that could not be read. */
void rule_gap(struct found *f, const struct config_gap *gap);

#endif
