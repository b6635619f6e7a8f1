/* engine_sandboxes.c - gVisor, Kata Containers and Firecracker leave folders of their
 * own, named after the container or the pod: whoever is among them has a second wall. */
#include "agent/inventory/engines.h"
#include "agent/inventory/census.h"

#include "base/str.h"

#include <stdio.h>
#include <string.h>

struct sandbox { const char *folder, *name; };

static const struct sandbox ROWS[] = {
    { "/run/vc/firecracker", "kata-fc" }, { "/run/firecracker-containerd", "firecracker" }, { "/run/vc/sbs", "kata" },
    { "/run/kata-containers", "kata" }, { "/run/runsc", "runsc" }, { "/run/containerd/runsc/k8s.io", "runsc" },
    { "/run/containerd/runsc/moby", "runsc" }, { "/run/docker/runtime-runsc/moby", "runsc" },
};

/* "ID", "ID_sandbox:ID.state" (gVisor): the id in front. */
static void one(struct census *s, const char *name, void *data)
{
    const struct sandbox *row = data;
    char id[CONTAINER_ID_MAX + 1];

    snprintf(id, sizeof id, "%.*s", (int)strcspn(name, "_:."), name);
    struct found *f = found_get(s, id);
    if (f == NULL || (f->c.sandbox != NULL && *f->c.sandbox != '\0'))
        return;
    f->c.runtime = NULL;                                   /* the shim was named, not the runtime */
    found_runtime(s, f, row->name);
    s->engine->n++;
}

void engine_sandboxes(struct census *s)
{
    for (size_t i = 0; i < N_ITEMS(ROWS); i++) {
        struct sandbox row = ROWS[i];
        s->engine->is_there |= census_folder(s, row.folder, one, &row);
    }
}
