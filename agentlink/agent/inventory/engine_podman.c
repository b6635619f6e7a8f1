/* engine_podman.c - Podman, of root: name and image are in the storage's lists; labels
 * are in a database of its own, so what is shown are the annotations. */
#include "agent/inventory/engines.h"
#include "agent/inventory/storage.h"

static void annotations_podman(struct census *s, struct found *f, const struct json *a)
{
    found_labels(s, f, a);
    found_text(s, &f->c.service, json_get_str(a, "PODMAN_SYSTEMD_UNIT", NULL));
}

void engine_podman(struct census *s)
{
    storage_scan(s, "libpod", annotations_podman);
}
