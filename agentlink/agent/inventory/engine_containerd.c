/* engine_containerd.c - containerd: one folder per task,
 * /run/containerd/io.containerd.runtime.v2.task/NAMESPACE/ID/ with config.json,
 * init.pid, shim-binary-path; namespaces k8s.io (Kubernetes), moby (Docker), default.
 *
 * In k8s.io the annotations io.kubernetes.cri.* are containerd's own; elsewhere they
 * are whatever somebody wrote.  Which image a name stood for is in containerd's own
 * database (bolt.c). */
#include "agent/inventory/census.h"
#include "agent/inventory/bolt.h"
#include "agent/inventory/engines.h"

#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char TASKS[] = "/run/containerd/io.containerd.runtime.v2.task";

static void annotations_cri(struct census *s, struct found *f, const struct json *a)
{
    found_image(s, f, json_get_str(a, "io.kubernetes.cri.image-name", NULL));
    found_text(s, &f->c.name, json_get_str(a, "io.kubernetes.cri.container-name", NULL));
    found_text(s, &f->c.pod, json_get_str(a, "io.kubernetes.cri.sandbox-name", NULL));
    found_text(s, &f->c.namespace, json_get_str(a, "io.kubernetes.cri.sandbox-namespace", NULL));
    found_text(s, &f->c.pod_uid, json_get_str(a, "io.kubernetes.cri.sandbox-uid", NULL));
    found_text(s, &f->sandbox_id, json_get_str(a, "io.kubernetes.cri.sandbox-id", NULL));
    found_runtime(s, f, json_get_str(a, "io.containerd.cri.runtime-handler", NULL));
    f->is_pod = str_eq(json_get_str(a, "io.kubernetes.cri.container-type", ""), "sandbox");
}

static const char *small_file(struct census *s, const char *folder, const char *name)
{
    char path[CENSUS_PATH_MAX];
    struct bytes text;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (census_file(s, path, 4096, &text) != 0)
        return "";
    char *line = (char *)(uintptr_t)text.ptr;
    line[strcspn(line, "\n")] = '\0';
    return str_is_utf8(line, strlen(line)) ? line : "";
}

static void one(struct census *s, const char *id, void *namespace)
{
    char folder[CENSUS_PATH_MAX], path[CENSUS_PATH_MAX + 16];
    bool is_k8s = str_eq(namespace, "k8s.io");
    struct found *f = found_at(s, id);

    arena_reset(&s->scratch);
    if (f == NULL)
        return;
    snprintf(folder, sizeof folder, "%s/%s/%s", TASKS, (const char *)namespace, id);
    found_pid(f, strtoll(small_file(s, folder, "init.pid"), NULL, 10), 0);
    found_runtime(s, f, small_file(s, folder, "shim-binary-path"));
    snprintf(path, sizeof path, "%s/config.json", folder);
    found_config(s, f, path, is_k8s ? annotations_cri : str_eq(f->c.engine, "containerd") ? annotations_claimed : NULL);
}

/* ---- its database ------------------------------------------------------------------------- */

/* Labels of a container: those of Kubernetes and of the pod, or of nerdctl. */
static void add_label(void *data, const char *key, const char *value)
{
    void **two = data;
    struct census *s = two[0];
    struct found *f = two[1];

    found_label(s, f, key, value);
    if (str_eq(key, "nerdctl/name") || str_eq(key, "io.kubernetes.container.name"))
        found_text(s, &f->c.name, value);
    if (str_eq(key, "com.docker.compose.service"))
        found_text(s, &f->c.service, value);
}

static void from_database(struct census *s, const struct bolt *db, const char *namespace, struct found *f)
{
    const char *image = bolt_text(db, &s->scratch, (const char *const[]){ "v1", namespace, "containers", f->c.id, "image", NULL });
    const char *runtime = bolt_text(db, &s->scratch, (const char *const[]){ "v1", namespace, "containers", f->c.id, "runtime", "name", NULL });
    void *two[] = { s, f };

    found_runtime(s, f, runtime);
    bolt_each(db, &s->scratch, (const char *const[]){ "v1", namespace, "containers", f->c.id, "labels", NULL }, add_label, two);
    if (image == NULL)
        return;
    found_text(s, &f->c.image, image);
    found_digest(s, &f->c.digest, bolt_text(db, &s->scratch, (const char *const[]){ "v1", namespace, "images", image, "target", "digest", NULL }));
}

/* ---- all ---------------------------------------------------------------------------------- */

struct task { struct census *s; const struct bolt *db; const char *namespace; };

static void look_up(struct census *s, const char *id, void *data)
{
    const struct task *t = data;
    struct found *f = found_get(s, id);

    arena_reset(&s->scratch);
    if (f != NULL && (str_eq(f->c.engine, "containerd")))
        from_database(s, t->db, t->namespace, f);
}

static void of_namespace(struct census *s, const char *name, void *db)
{
    char folder[CENSUS_PATH_MAX], copy[128];
    struct task t = { s, db, copy };

    snprintf(folder, sizeof folder, "%s/%s", TASKS, name);
    snprintf(copy, sizeof copy, "%s", name);
    (void)census_folder(s, folder, one, copy);
    if (db != NULL)
        (void)census_folder(s, folder, look_up, &t);
}

void engine_containerd(struct census *s)
{
    struct bolt db;
    bool has_db = census_exists(s, TASKS) &&
                  bolt_open(s, "/var/lib/containerd/io.containerd.metadata.v1.bolt/meta.db", &db);

    s->engine->is_there = census_folder(s, TASKS, of_namespace, has_db ? &db : NULL);
    if (has_db)
        bolt_close(&db);
}
