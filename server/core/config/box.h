/* box.h - the settings of one container, wherever they were written: Compose,
 * docker inspect, docker run, OCI runtime configuration.  Rules look only here.
 *
 * Texts may hold marks for what could not be known: BOX_UNKNOWN, the name of the
 * variable, BOX_UNKNOWN_END. */
#ifndef KEEP_CORE_CONFIG_BOX_H
#define KEEP_CORE_CONFIG_BOX_H

#include "core/config/config.h"

enum { BOX_UNKNOWN = 1, BOX_UNKNOWN_END = 2 };    /* control characters: no setting has them */

/* A setting and its place.  s NULL: not set. */
struct setting { const char *s, *path; uint32_t at; };
struct settings { struct setting *items; size_t n, cap; };

enum mount_kind { MOUNT_VOLUME = 0, MOUNT_BIND, MOUNT_TMPFS, MOUNT_OTHER };
struct mount {
    enum mount_kind kind;
    const char *source, *target, *options;        /* never NULL; options "ro,rshared" with commas */
    bool read_only;
    const char *path;
    uint32_t at;
};
struct port { const char *ip, *host, *container, *path; uint32_t at; };     /* "" when not given */
struct variable { const char *name, *value, *path; uint32_t at; };          /* value NULL: taken from outside */

struct box {
    const char *name, *path;
    uint32_t at;
    struct setting image, user, network, pid, ipc, uts, userns, cgroup, runtime, log_driver;
    struct setting privileged, read_only, memory, cpus, pids, health, oom_kill_disable, oom_score, api_socket, build_privileged;
    struct settings cap_add, cap_drop, security_opt, devices, device_rules, groups, volumes_from, labels, annotations, sysctls;
    struct mount *mounts; size_t n_mounts, cap_mounts;
    struct port *ports; size_t n_ports, cap_ports;
    struct variable *env; size_t n_env, cap_env;
    bool has_build;                               /* the image is made here: no tag or digest to ask for */
    bool is_live;                                 /* inspect, OCI: what is absent is off, not decided elsewhere */
    bool is_oci;                                  /* no image, no ports, no health checks */
};

/* Building; each false when the arena is full. */
bool settings_add(struct arena *a, struct settings *l, struct setting one);
bool mount_add(struct arena *a, struct box *b, struct mount one);
bool port_add(struct arena *a, struct box *b, struct port one);
bool env_add(struct arena *a, struct box *b, struct variable one);      /* the later one of a name wins */

bool is_unknown(const char *text);                       /* holds a mark; NULL does not */
const char *plain(struct arena *a, const char *text);    /* marks as ${NAME}; NULL: arena full */
bool is_yes(const char *text);                           /* true, yes, on, y, 1; any case */
bool is_no(const char *text);

/* "8080:80", "127.0.0.1:8080:80/tcp", "[::1]:1:2": into *out. */
bool port_read(struct arena *a, const char *text, struct port *out);
/* "src:dst:ro,z", "/anonymous"; home-relative and relative sources count as bind. */
bool mount_read(struct arena *a, const char *text, struct mount *out);
/* "type=bind,src=/x,dst=/y,ro". */
bool mount_read_fields(struct arena *a, const char *text, struct mount *out);
bool has_word(const char *list, const char *word);       /* in "a,b,c"; list may be NULL */
/* "NAME=value", "NAME". */
bool env_read(struct arena *a, const char *text, struct variable *out);

/* The box as a Pod, values placed where they came from.  ERR_UNAVAILABLE. */
int box_to_pod(const struct box *b, struct arena *arena, const struct json **out, struct err *err);

/* ---- host paths (paths.c) ---- */
/* Without "//", "/./", "x/..", a slash at the end; /var/run is /run. */
const char *path_clean(struct arena *a, const char *path);
/* An engine's control socket, or a directory that holds one. */
bool path_is_socket(const char *clean);
bool path_names_socket(const char *clean);        /* by the last part of its name */
enum path_weight { PATH_ORDINARY = 0, PATH_SENSITIVE, PATH_ROOT };     /* ROOT: writing there is owning the host */
enum path_weight path_weight(const char *clean);

/* ---- rules (rules*.c) ---- */
struct found;                                     /* judge.c's list */
void box_judge(const struct box *b, const char *object, struct found *f);

#endif
