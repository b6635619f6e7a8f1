/* pss_internal.h - between the table of checks and the checks. */
#ifndef KEEP_CORE_PSS_INTERNAL_H
#define KEEP_CORE_PSS_INTERNAL_H

#include "core/pss/pss.h"

#include "base/str.h"

enum { PSS_PLACES_MAX = 200, PSS_NAMES_MAX = 1000 };

/* A value and how one came to it; lives on the stack of whoever walks. */
struct spot {
    const struct spot *up;                     /* NULL: the object itself, `key` is "$" */
    const char *key;                           /* NULL: item number `index` */
    uint32_t index;
    const struct json *v;                      /* NULL: not there, or null, or of a wrong type */
};

/* Texts, bounded; `more` counts those left out. */
struct names { const char **items; size_t n, cap, more; };

struct places { struct pss_place *items; size_t n, cap; };

/* One evaluation. */
struct pss_run {
    struct arena *arena;
    int minor;
    struct spot way[6], spec, metadata, annotations;
    /* What the check at work has found so far. */
    bool pod;                                  /* the pod itself is to blame */
    struct names containers, values;
    bool selinux_user, selinux_role;
    struct places places;
    const char *reason, *detail;               /* set: violated */
    struct places malformed;                   /* across all checks */
    struct names malformed_texts;
    bool failed;                               /* the arena is full */
};

/* Types a field may have. */
enum { T_BOOL = 1u << JSON_BOOL, T_INT = 1u << JSON_INT, T_TEXT = 1u << JSON_STRING, T_LIST = 1u << JSON_ARRAY,
       T_OBJECT = 1u << JSON_OBJECT };

/* The member, when it is there and may be; notes a value of another type. */
struct spot spot_get(struct pss_run *r, const struct spot *up, const char *key, unsigned types);
/* spot_get for each key of "a.b.c" but the last: objects.  `steps` holds those on the way. */
enum { SPOT_STEPS = 4 };
struct spot spot_path(struct pss_run *r, const struct spot *up, const char *const *keys, unsigned types,
                      struct spot steps[SPOT_STEPS]);
struct spot spot_item(struct pss_run *r, const struct spot *list, uint32_t i, unsigned types);

/* Remembers where; the innermost value that exists is what `at` will name. */
void blame(struct pss_run *r, const struct spot *where);

/* Calls `bad` for each container and keeps the names of those it says yes to. */
typedef bool container_fn(struct pss_run *r, const struct spot *container);
void each_container(struct pss_run *r, container_fn *bad);
/* Calls `bad` for the securityContext of the pod (r->pod) and of each container; v may be NULL. */
void each_context(struct pss_run *r, container_fn *bad);

void names_add(struct pss_run *r, struct names *l, const char *text);
void names_sort(struct names *l);              /* bytewise, each once */

/* Text in the arena; NULL only when r->failed. */
const char *text_quoted(struct pss_run *r, const struct names *l);       /* "a", "b" */
const char *text_joined(struct pss_run *r, const struct names *l, const char *with);
const char *text_containers(struct pss_run *r);                          /* containers "a", "b" */
const char *text_setters(struct pss_run *r);                             /* pod and container "a" */
const char *text_annotation(struct pss_run *r, const char *key, const char *value);    /* key="value" */
const char *one_or_many(size_t n, const char *one, const char *many);
/* The check at work fails; `detail` NULL: the arena is full. */
void violated(struct pss_run *r, const char *reason, const char *detail);

/* A word of a list whose members came with a version. */
struct allowed { const char *text; int since; };
bool is_allowed(const struct allowed *list, size_t n, const char *text, int minor);

typedef void pss_fn(struct pss_run *r);
pss_fn pss_apparmor, pss_capabilities_baseline, pss_host_namespaces, pss_host_path, pss_host_ports, pss_host_probes,
       pss_privileged, pss_proc_mount, pss_seccomp_annotations, pss_seccomp_baseline, pss_selinux, pss_sysctls,
       pss_windows_host_process, pss_escalation, pss_capabilities_restricted, pss_volumes, pss_non_root, pss_user,
       pss_seccomp_restricted;

#endif
