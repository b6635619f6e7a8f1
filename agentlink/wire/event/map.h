/* map.h - what the decoders of this folder share, and nobody else includes.
 *
 * A mapping is a table: where a member stands in the foreign document, and which
 * member of struct event it becomes.  The first row that finds something wins, so
 * that newer names stand before older ones.  What is of another type is absent. */
#ifndef KEEP_WIRE_EVENT_MAP_H
#define KEEP_WIRE_EVENT_MAP_H

#include "wire/event/event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum map_as {
    MAP_TEXT = 0,              /* const char *, cut to max; "" and "<NA>" are nothing */
    MAP_INT,                   /* int64_t; a text of digits counts, too */
    MAP_ID,                    /* as MAP_INT, 0..2^32-2: what is "unset" for a user id, or no id, is nothing */
    MAP_PORT,                  /* as MAP_INT, 0..65535 */
    MAP_TIME,                  /* int64_t ms: RFC 3339, or a number since 1970 in s, ms, us or ns, by its size */
};

struct map_row {
    const char *path;          /* "a.b" from the object (map_nested), or a key with its dots (map_flat) */
    enum map_as as;
    size_t off;                /* in struct event */
    size_t max;                /* bytes; 0: EVENT_TEXT_MAX */
};

struct mapping {
    struct arena *arena;
    struct event *event;
    bool no_memory;            /* checked once, at the end */
};

#define MAP_AT(member) offsetof(struct event, member)

void map_nested(struct mapping *m, const struct json *from, const struct map_row *rows, size_t n);
void map_flat(struct mapping *m, const struct json *from, const struct map_row *rows, size_t n);
/* As map_flat, but letters of either case. */
void map_nocase(struct mapping *m, const struct json *from, const struct map_row *rows, size_t n);

/* One value; nothing happens when the target is known already. */
void map_value(struct mapping *m, const struct json *v, const struct map_row *row);

/* A member of an object by a key of either case. */
const struct json *map_get_nocase(const struct json *v, const char *key);

/* The text of a value, cut; NULL when it is none, empty or "<NA>". */
const char *map_text(struct mapping *m, const struct json *v, size_t max);
const char *map_textn(struct mapping *m, const char *s, size_t len, size_t max);   /* a part of a text */
const char *map_printf(struct mapping *m, size_t max, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
bool map_number(const struct json *v, int64_t *out);
bool map_is_true(const struct json *v);            /* true, or {"value": true} */

/* Sets *to to a text unless it is known. */
void map_set(const char **to, const char *text);

void map_tag(struct mapping *m, const char *tag);  /* at most EVENT_TAGS_MAX, each once it is not empty */
void map_tags(struct mapping *m, const struct json *list);
void map_ancestor(struct mapping *m, const char *exe, int64_t pid);

/* "containerd://<id>", "<id>"; "host" and whatever is no id are nothing. */
void map_container_id(struct mapping *m, const char *id);
/* "repo:tag@sha256:..": both parts. */
void map_image(struct mapping *m, const char *image);

/* "10.0.0.1:443", "[::1]:443", "::1:443": address and port. */
bool map_endpoint(struct mapping *m, const char *s, size_t len, const char **address, int64_t *port);

/* The word after "key=" in "key=value key=value,key=value"; NULL when not there. */
const char *map_pair(struct mapping *m, const char *pairs, const char *key);

/* "shop-7c966b5d85-42jwx" -> "shop", "db-0" -> "db": as Kubernetes' controllers name pods. */
const char *map_workload_of_pod(struct mapping *m, const char *pod);

/* ---- kinds.c ------------------------------------------------------------------------ */

/* Kind of a system call, LSM hook, kernel function or tracepoint by its name, whatever is
 * wrapped around it ("__x64_sys_openat", "security_file_open", "SYS_EXECVE", "sys_enter_connect");
 * EVENT_OTHER when it is none of those we tell apart. */
int kind_of_operation(const char *name);
/* Flags of an open, as text ("O_WRONLY|O_CREAT", "577") : would it write? */
bool flags_write(const char *flags);
/* "Critical", "WARNING", "informational" ...; `otherwise` for anything else. */
int severity_of_word(const char *word, int otherwise);

/* ---- the sources: 0, 1 (carries no event), -1 ------------------------------------------ */

typedef int event_map_fn(struct mapping *m, const struct json *doc, struct err *err);
event_map_fn event_map_own, event_map_falco, event_map_tracee, event_map_tetragon, event_map_hubble, event_map_kubearmor,
             event_map_k8saudit;

/* Does it look like one of theirs? */
typedef bool event_is_fn(const struct json *doc);
event_is_fn event_is_own, event_is_falco, event_is_tracee, event_is_tetragon, event_is_hubble, event_is_kubearmor,
            event_is_k8saudit;

/* The text with everything that strict JSON refuses in strings mended; see event.h. */
int event_mend(const char *text, size_t len, struct buf *out);

#endif
