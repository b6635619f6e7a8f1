/* workload.c - see workload.h. */
#include "core/workload.h"

#include "base/str.h"

#include <string.h>

static const struct { const char *kind, *group, *pod; } kinds[] = {
    { "Pod", "", "" },                                       /* "" : the object itself */
    { "PodTemplate", "", "template" },
    { "ReplicationController", "", "spec.template" },
    { "ReplicaSet", "apps", "spec.template" },
    { "Deployment", "apps", "spec.template" },
    { "StatefulSet", "apps", "spec.template" },
    { "DaemonSet", "apps", "spec.template" },
    { "Job", "batch", "spec.template" },
    { "CronJob", "batch", "spec.jobTemplate.spec.template" },
};

const char *const workload_kinds[] = {
    "Pod", "PodTemplate", "ReplicationController", "ReplicaSet", "Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", NULL,
};

static const char *const spec_paths[] = {
    "$.spec", "$.template.spec", "$.spec.template.spec", "$.spec.template.spec", "$.spec.template.spec", "$.spec.template.spec",
    "$.spec.template.spec", "$.spec.template.spec", "$.spec.jobTemplate.spec.template.spec",
};

const char *const container_lists[CONTAINER_TYPE_N] = { "initContainers", "containers", "ephemeralContainers" };

/* "apps/v1", "v1", "extensions/v1beta1": the group in front, any version. */
static bool is_group(const char *api_version, const char *group)
{
    const char *slash = strchr(api_version, '/');
    size_t n = slash != NULL ? (size_t)(slash - api_version) : 0;

    if (str_starts(api_version, "extensions/"))             /* where Deployments once were */
        return str_eq(group, "apps");
    return strlen(group) == n && memcmp(api_version, group, n) == 0;
}

bool workload_read(const struct json *object, struct workload *out)
{
    const char *kind = json_get_str(object, "kind", ""), *api_version = json_get_str(object, "apiVersion", "");
    const struct json *metadata = json_get(object, "metadata");

    for (size_t i = 0; i < N_ITEMS(kinds); i++) {
        if (!str_eq(kinds[i].kind, kind) || !is_group(api_version, kinds[i].group))
            continue;
        const struct json *pod = kinds[i].pod[0] != '\0' ? json_path(object, kinds[i].pod) : object;
        *out = (struct workload){
            .kind = kinds[i].kind, .group = kinds[i].group, .name = json_get_str(metadata, "name", NULL),
            .namespace = json_get_str(metadata, "namespace", NULL), .labels = json_path(pod, "metadata.labels"),
            .annotations = json_path(pod, "metadata.annotations"), .object_annotations = json_get(metadata, "annotations"),
            .pod = json_is(pod, JSON_OBJECT) ? pod : NULL, .spec = json_get(pod, "spec"), .spec_path = spec_paths[i], .is_pod = i == 0,
        };
        if (!json_is(out->spec, JSON_OBJECT))
            out->spec = NULL;
        return true;
    }
    return false;
}

bool container_next(const struct json *pod_spec, struct container_walk *w)
{
    while (w->type < CONTAINER_TYPE_N) {
        const struct json *list = json_get(pod_spec, container_lists[w->type]);
        if (w->next < json_len(list)) {
            w->list = container_lists[w->type];
            w->index = w->next;
            w->container = json_at(list, w->next++);
            return true;
        }
        w->type++;
        w->next = 0;
    }
    return false;
}
