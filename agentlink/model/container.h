/* container.h - a container that runs on a node, as its runtime's files tell. */
#ifndef KEEP_MODEL_CONTAINER_H
#define KEEP_MODEL_CONTAINER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct container_mount {
    const char *source, *destination, *type;
    bool is_read_only;
};

struct container {
    const char *id;
    const char *name;
    const char *image;                   /* reference, "" not known */
    const char *digest;                  /* sha256:..., NULL not known */
    const char *engine;                  /* "containerd", "cri-o", "docker", "podman", "crun", "runc" */
    const char *namespace, *pod, *pod_uid, *workload;      /* "" outside Kubernetes */
    const char *service;                 /* compose or systemd service, "" none */
    const char *const *command; size_t n_command;
    int64_t pid;                         /* of its first process, on the node */
    int64_t user_id, group_id;
    const char *const *capabilities; size_t n_capabilities;      /* effective, without CAP_ */
    const struct container_mount *mounts; size_t n_mounts;       /* bind mounts of the host, and volumes */
    bool is_privileged, no_new_privileges, is_read_only;
    const char *seccomp;                 /* "default", "unconfined", "custom" */
    const char *apparmor;                /* profile, "" none */
    bool host_network, host_pid, host_ipc, has_user_namespace;
    const char *runtime;                 /* OCI runtime: "crun", "runsc", "kata" ... */
    const char *sandbox;                 /* "gvisor", "kata", "firecracker"; "" none */
    const char *cgroup;                  /* path below the cgroup root */
    int64_t started_ms;
    const char *const *labels; size_t n_labels;            /* "key=value" */
};

#endif
