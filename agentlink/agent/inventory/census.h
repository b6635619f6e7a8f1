/* census.h - one scan being made; between inventory.c, which completes what was found,
 * and the engines' files, which find.
 *
 * An engine calls found_at(scan, id) for each container it knows and fills what is
 * not known yet: engines higher in the table come first, and what they said stands. */
#ifndef KEEP_AGENT_INVENTORY_CENSUS_H
#define KEEP_AGENT_INVENTORY_CENSUS_H

#include "agent/inventory/inventory.h"
#include "base/str.h"
#include "wire/json.h"

enum { CENSUS_CONFIG_MAX = 4 << 20, CENSUS_STORE_MAX = 48 << 20, CENSUS_SLOTS = 2 * 8192, CENSUS_FOLDERS_MAX = 64, CENSUS_PATH_MAX = 512 };

struct found {
    struct container c;                  /* texts NULL while not known */
    const char *sandbox_id;              /* the pod's first container; NULL none */
    bool is_pod;                         /* it is that container: holds namespaces, runs nothing */
    bool has_config;
    bool has_masked_paths;
    bool own_network, own_pid, own_ipc;  /* namespaces of its own, by its configuration */
    bool has_pid;
    const char *cgroups_path;            /* by its configuration */
};

struct census {
    struct inventory_roots roots;        /* all set */
    int root;                            /* the root's folder, open */
    struct arena *arena;                 /* what stays */
    struct arena scratch;                /* a document at a time */
    int64_t until_ms;                    /* monotonic */
    struct found **slots;                /* by hash of the id */
    struct found **all; size_t n, n_left_out;
    struct inventory_engine *engine;     /* whose turn it is */
    bool failed;                         /* the arena is full */
    char host_net[64], host_pid[64], host_ipc[64], host_user[64];
    int64_t boot_ms;                     /* when the machine started; TIME_UNKNOWN */
};

struct engine {
    const char *name;
    void (*scan)(struct census *s);
};
extern const struct engine inventory_engines[];
extern const size_t n_inventory_engines;

/* ---- files (files.c) ---- */

/* Reads a whole regular file below the root into the scratch arena.  0; 1: it is not
 * there; -1: there but not readable, too large: noted as the engine's problem. */
int census_file(struct census *s, const char *path, size_t max, struct bytes *out);
/* A regular file below the root, open for reading; -1. */
int census_open(struct census *s, const char *path);
/* The same, parsed; foreign documents: lenient where that is harmless. */
int census_json(struct census *s, const char *path, size_t max, struct json *out);
/* Calls `each` for every entry of a folder that looks like an id or a name (no leading
 * dot), at most CONTAINERS_MAX.  False: no such folder. */
bool census_folder(struct census *s, const char *path, void (*each)(struct census *s, const char *name, void *data), void *data);
bool census_exists(struct census *s, const char *path);
bool census_is_over(struct census *s);                         /* time is up, or the arena is full */
void census_problem(struct census *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* ---- what was found (found.c) ---- */

/* The container, made when it is new; NULL: no id, too many, or no memory. */
struct found *found_at(struct census *s, const char *id);
struct found *found_get(struct census *s, const char *id);

/* Sets what is not known yet, from text of any origin: cut to its bound, in UTF-8,
 * copied to the arena.  NULL and "" say nothing. */
void found_text(struct census *s, const char **field, const char *text);
void found_digest(struct census *s, const char **field, const char *text);   /* only "sha256:" + 64 hex, or those alone */
void found_image(struct census *s, struct found *f, const char *reference);  /* and the digest within it */
void found_words(struct census *s, const char *const **field, size_t *n, const struct json *list, size_t max);
void found_label(struct census *s, struct found *f, const char *key, const char *value);
void found_labels(struct census *s, struct found *f, const struct json *object);
void found_pid(struct found *f, int64_t pid, int64_t start_ticks);
void found_started(struct found *f, const char *rfc3339);
void found_runtime(struct census *s, struct found *f, const char *name);     /* path, shim or type; names the sandbox, too */
void found_unknown(struct census *s, struct found *f, const char *part);

/* ---- config.json of the OCI runtime specification (config.c) ---- */

/* The file of a bundle; annotations NULL or what else is to be made of them. */
typedef void annotations_fn(struct census *s, struct found *f, const struct json *annotations);
void found_config(struct census *s, struct found *f, const char *path, annotations_fn *annotations);

/* What Kubernetes' runtimes and people write as annotations; for config files whose
 * writer is not one of the engines above: claims of whoever started it. */
annotations_fn annotations_claimed;

/* ---- /proc (process.c) ---- */

void process_machine(struct census *s);                      /* the host's namespaces and its start */
/* Is its first process there?  Fills what only the kernel knows. */
bool process_read(struct census *s, struct found *f);

/* The cgroup of a process, below the root of the hierarchy. */
bool process_cgroup(const struct inventory_roots *roots, int64_t pid, char *out, size_t max);

/* "web-7d4b9c6f5d-x2x4z" -> "web", "db-0" -> "db", "agent-x2x4z" -> "agent": the names
 * that controllers of Kubernetes give. */
void pod_workload(const char *pod, char out[CONTAINER_TEXT_MAX]);

#endif
