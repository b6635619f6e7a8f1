/* container.h - a container that runs on a node, as its runtime's files tell.
 *
 * Labels, annotations, command and the name of an image are whatever the person
 * who started it wrote: they are shown and matched, never trusted. */
#ifndef KEEP_MODEL_CONTAINER_H
#define KEEP_MODEL_CONTAINER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CONTAINER_ID_MAX = 128, CONTAINERS_MAX = 4096,
    /* per container; what is over is left out or cut */
    CONTAINER_TEXT_MAX = 512, CONTAINER_WORDS_MAX = 64, CONTAINER_WORD_MAX = 256, CONTAINER_MOUNTS_MAX = 128, CONTAINER_LABELS_MAX = 64,
};

struct container_mount {
    const char *source, *destination, *type;
    bool is_read_only;
};

struct container {
    const char *id;
    const char *name;
    const char *image;                   /* reference, "" not known */
    const char *digest;                  /* of its manifest, sha256:..., NULL not known */
    const char *image_id;                /* digest of its configuration, NULL not known */
    const char *engine;                  /* "containerd", "cri-o", "docker", "podman", "crun", "runc" */
    const char *namespace, *pod, *pod_uid, *workload;      /* "" outside Kubernetes */
    const char *service;                 /* compose or systemd service, "" none */
    const char *const *command; size_t n_command;
    int64_t pid;                         /* of its first process, on the node; 0 not known */
    int64_t user_id, group_id;           /* -1 not known */
    const char *const *capabilities; size_t n_capabilities;      /* effective, without CAP_ */
    const struct container_mount *mounts; size_t n_mounts;       /* bind mounts of the host, and volumes */
    bool is_privileged, no_new_privileges, is_read_only;
    const char *seccomp;                 /* "default", "unconfined", "custom"; "" not known */
    const char *apparmor;                /* profile, "" none */
    bool host_network, host_pid, host_ipc, has_user_namespace;
    const char *runtime;                 /* OCI runtime: "crun", "runsc", "kata" ...; "" not known */
    const char *sandbox;                 /* "gvisor", "kata", "firecracker"; "" none */
    const char *cgroup;                  /* path below the cgroup root, "" not known */
    int64_t started_ms;
    const char *const *labels; size_t n_labels;            /* "key=value" */
    const char *const *unknown; size_t n_unknown;          /* which parts could not be read: "config", "process", "image" */

    /* for those on the node, never sent */
    int64_t start_ticks;                 /* of pid, since boot: pid and this name one process; 0 not known */
};

/* What a node sends: differences from generation `base`; base 0: from nothing. */
struct inventory_report {
    int64_t generation, base;
    const struct container *containers; size_t n_containers;
    const char *const *gone; size_t n_gone;
};
struct inventory_answer {
    int64_t generation;
};

#endif
