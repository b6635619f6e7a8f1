/* config.h - configuration checked before anything runs.
 *
 * Files become the objects that policies judge, each value knowing its place:
 *
 *     config_read    bytes -> objects (Kubernetes workloads; containers of Compose,
 *                    docker inspect, docker run and OCI runtime settings, which
 *                    get a pod of their own that policies can look at)
 *     config_judge   objects, policies, image facts -> every reason with its line
 *
 * Between the two the caller looks up what is known of the images named.  Pure:
 * no file is opened, no environment read, no path of this machine looked at.
 * What cannot be known - ${VAR} without a value, a file that was not given - is
 * *unknown*, never "pass". */
#ifndef KEEP_CORE_CONFIG_H
#define KEEP_CORE_CONFIG_H

#include "base/arena.h"
#include "base/err.h"
#include "core/policy.h"
#include "core/pss/pss.h"
#include "model/check.h"
#include "wire/json.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum config_kind { CONFIG_AUTO = 0, CONFIG_KUBERNETES, CONFIG_COMPOSE, CONFIG_INSPECT, CONFIG_OCI, CONFIG_RUN, CONFIG_KIND_N };
extern const char *const config_kind_words[];     /* "auto", "kubernetes", "compose", "inspect", "oci", "run", NULL */

enum { CONFIG_FILES_MAX = 100, CONFIG_FILE_MAX = 4 << 20, CONFIG_DOCS_MAX = 1000, CONFIG_OBJECTS_MAX = 5000,
       CONFIG_REASONS_MAX = 5000 };

struct config_file { const char *name; const char *text; size_t len; };

struct config_input {
    enum config_kind kind;
    /* Compose: the first file, then those that override it, in order.  Others: each for itself. */
    const struct config_file *files; size_t n_files;
    const struct config_file *env;                /* Compose: the .env file; NULL: none */
    const char *const *profiles; size_t n_profiles;      /* Compose: none named: every service is judged */
};

/* An image named by an object. */
struct config_image {
    const char *container, *reference;
    uint32_t at;                                  /* place, for config_place */
    bool is_known;                                /* false: behind a ${VAR} */
};

struct box;                                       /* box.h: settings of one container */

struct config_object {
    const char *name;                             /* "Deployment shop/web", "service web" */
    enum config_kind kind;
    const struct json *object;                    /* what policies see: defaults applied */
    const char *root;                             /* "$" or where the object lies within its document, "$.items[3]" */
    uint32_t at;
    const struct config_image *images; size_t n_images;
    const struct box *box;                        /* NULL for Kubernetes */
};

/* Something that stands in the way of judging: a file not given, a kind not understood. */
struct config_gap { uint32_t at; const char *path, *message; };

struct config {
    const struct config_file *files; size_t n_files;
    const uint32_t *bases;                        /* where each file begins among all places */
    const uint32_t *lines; size_t n_lines;        /* where each line begins, of all files */
    struct config_object *objects; size_t n_objects;
    struct config_gap *gaps; size_t n_gaps;
    size_t n_other;                               /* documents that bear no containers */
};

/* Reads all files.  Everything lives in the arena and borrows from the input, which
 * must stay.  ERR_INVALID ("FILE:LINE:COLUMN: what") when a file is not what it is
 * taken for (a version 1 Compose file, a template, nothing known), ERR_TOO_LARGE,
 * ERR_UNAVAILABLE (arena full). */
int config_read(const struct config_input *in, struct arena *arena, struct config *out, struct err *err);

/* The arguments after "docker run" (or with it) as a file of its own, for CONFIG_RUN;
 * the text lives in the arena.  NULL: arena full. */
const char *config_command_text(struct arena *arena, const char *const *argv, size_t n);

struct place { const char *file; unsigned line, column; };
struct place config_place(const struct config *c, uint32_t at);

/* ---- judging --------------------------------------------------------------------- */

struct config_judge {
    const struct policy_set *policies;            /* asked at deploy; NULL: none */
    /* What is known of image `reference`; NULL: nothing, or not asked. */
    struct image_facts *(*facts)(void *data, const char *reference);
    void *data;
    const struct exception *exceptions; size_t n_exceptions;
    const char *cluster, *namespace;              /* NULL: not known */
    bool no_pod_security;                         /* the policies do that themselves */
    enum pss_level fail_at, warn_at;              /* Kubernetes: zeroed means restricted for both */
    const char *pss_version;                      /* NULL: latest */
    int64_t now_ms;
};

/* ERR_UNAVAILABLE (arena full), ERR_INVALID (unknown version). */
int config_judge(const struct config *c, const struct config_judge *how, struct arena *arena, struct check_answer *out,
                 struct err *err);

/* The native rules about containers, as a table, for listings.  They are asked of
 * whatever is no Kubernetes object; policies named pod-security-* are not, and what
 * other shipped policies would only repeat is left out. */
struct config_rule {
    const char *id;
    int severity;
    const char *title, *what, *remediation;
};
extern const struct config_rule config_rules[];
extern const size_t n_config_rules;

#endif
