/* workload.h - the pod inside whatever bears one.
 *
 * Pod, PodTemplate, ReplicationController, ReplicaSet, Deployment, StatefulSet,
 * DaemonSet, Job, CronJob.  Pure; borrows everything from the object. */
#ifndef KEEP_CORE_WORKLOAD_H
#define KEEP_CORE_WORKLOAD_H

#include "wire/json.h"

#include <stdbool.h>
#include <stddef.h>

struct workload {
    const char *kind, *group;            /* "Deployment", "apps"; "" for the core group */
    const char *name, *namespace;        /* of the object; NULL when not given */
    const struct json *labels, *annotations;       /* of the pod (its template); NULL none */
    const struct json *object_annotations;         /* of the object itself */
    const struct json *pod;              /* the object itself, or its template: metadata and spec; NULL: malformed */
    const struct json *spec;             /* the pod's; NULL: the object is malformed there */
    const char *spec_path;               /* "$.spec.template.spec" */
    bool is_pod;
};

/* False when the object bears no pod (a Service, a ConfigMap ...). */
bool workload_read(const struct json *object, struct workload *out);

/* The kinds that bear pods, NULL-terminated. */
extern const char *const workload_kinds[];

enum container_type { CONTAINER_INIT = 0, CONTAINER_MAIN, CONTAINER_EPHEMERAL, CONTAINER_TYPE_N };
extern const char *const container_lists[CONTAINER_TYPE_N];    /* "initContainers" ... */

/* Walks the containers in the order init, containers, ephemeral.  Start with a zeroed
 * iterator; false at the end. */
struct container_walk {
    unsigned type;
    uint32_t next;
    const struct json *container;        /* may be of any JSON type: the input is hostile */
    const char *list;                    /* "containers" */
    uint32_t index;
};
bool container_next(const struct json *pod_spec, struct container_walk *w);

#endif
