/* engine_crio.c - CRI-O: its annotations io.kubernetes.cri-o.* say everything; it writes
 * them after those of the pod, so nobody else's stand in their place. */
#include "agent/inventory/engines.h"
#include "agent/inventory/storage.h"

#include "base/str.h"

#include <string.h>

static void labels_of(struct census *s, struct found *f, const char *text)
{
    static const struct json_opts opts = { .duplicate_keys = true };
    struct json labels;
    struct err ignored = { 0 };

    if (text != NULL && json_parse(&s->scratch, text, strlen(text), &opts, &labels, &ignored) == 0)
        found_labels(s, f, &labels);
}

static void annotations_crio(struct census *s, struct found *f, const struct json *a)
{
    const struct { const char **field; const char *key; } rows[] = {
        { &f->c.name, "io.kubernetes.container.name" }, { &f->c.pod, "io.kubernetes.cri-o.KubeName" },
        { &f->c.pod, "io.kubernetes.pod.name" }, { &f->c.namespace, "io.kubernetes.cri-o.Namespace" },
        { &f->c.namespace, "io.kubernetes.pod.namespace" }, { &f->c.pod_uid, "io.kubernetes.pod.uid" },
        { &f->sandbox_id, "io.kubernetes.cri-o.SandboxID" },
    };

    found_image(s, f, json_get_str(a, "io.kubernetes.cri-o.ImageName", NULL));
    found_digest(s, &f->c.image_id, json_get_str(a, "io.kubernetes.cri-o.ImageRef", NULL));
    for (size_t i = 0; i < N_ITEMS(rows); i++)
        found_text(s, rows[i].field, json_get_str(a, rows[i].key, NULL));
    found_runtime(s, f, json_get_str(a, "io.kubernetes.cri-o.RuntimeHandler", NULL));
    found_started(f, json_get_str(a, "io.kubernetes.cri-o.Created", NULL));
    labels_of(s, f, json_get_str(a, "io.kubernetes.cri-o.Labels", NULL));
    f->is_pod = str_eq(json_get_str(a, "io.kubernetes.cri-o.ContainerType", ""), "sandbox");
}

void engine_crio(struct census *s)
{
    storage_scan(s, "cri-o", annotations_crio);
}
