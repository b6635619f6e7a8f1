/* kubernetes.c - manifests as the API server would store them: lists opened, nulls
 * dropped, YAML 1.1's booleans read as kubectl reads them, defaults applied. */
#include "core/config/config_internal.h"

#include "core/workload.h"

#include <string.h>

/* Fields that hold true or false: there, and only there, a plain yes, no, on or off
 * is one, as YAML 1.1 (which kubectl reads) has it. */
static bool is_boolean_field(const char *key)
{
    static const char *const fields[] = {
        "privileged", "allowPrivilegeEscalation", "readOnlyRootFilesystem", "runAsNonRoot", "hostNetwork", "hostPID", "hostIPC",
        "hostUsers", "hostProcess", "automountServiceAccountToken", "shareProcessNamespace", "enableServiceLinks", "readOnly",
        "stdin", "stdinOnce", "tty", "optional", "setHostnameAsFQDN", "suspend",
    };

    for (size_t i = 0; i < N_ITEMS(fields); i++) {
        if (str_eq(fields[i], key))
            return true;
    }
    return false;
}

static int change_scalar(void *data, const char *key, struct json *v, struct err *err)
{
    static const char *const yes[] = { "y", "yes", "on", "true" }, *const no[] = { "n", "no", "off", "false" };
    const struct config *c = data;

    (void)err;
    if (v->type != JSON_STRING || !is_boolean_field(key))
        return 0;
    for (size_t i = c->n_files; i-- > 0;) {
        if (c->bases[i] > v->offset)
            continue;
        size_t at = v->offset - c->bases[i];
        if (at >= c->files[i].len || c->files[i].text[at] == '"' || c->files[i].text[at] == '\'' || c->files[i].text[at] == '!')
            return 0;                                      /* quoted: a text, which the API refuses */
        break;
    }
    for (size_t i = 0; i < N_ITEMS(yes); i++) {
        bool is = str_eq_nocase(v->string, yes[i]);
        if (is || str_eq_nocase(v->string, no[i])) {
            *v = make_bool(is, v->offset);
            return 0;
        }
    }
    return 0;
}

/* ---- defaults --------------------------------------------------------------------------- */

enum { OF_POD = 0, OF_CONTAINER, OF_PORT, OF_DEPLOYMENT };

static const struct { int of; const char *key, *text; } defaults[] = {
    { OF_POD, "restartPolicy", "Always" }, { OF_POD, "dnsPolicy", "ClusterFirst" }, { OF_POD, "schedulerName", "default-scheduler" },
    { OF_CONTAINER, "terminationMessagePath", "/dev/termination-log" }, { OF_CONTAINER, "terminationMessagePolicy", "File" },
    { OF_PORT, "protocol", "TCP" },
};

static bool is_absent(const struct json *v, const char *key)
{
    const struct json *m = json_get(v, key);

    return m == NULL || m->type == JSON_NULL;
}

static void default_texts(struct maker *m, int of, const struct json *v)
{
    for (size_t i = 0; i < N_ITEMS(defaults); i++) {
        if (defaults[i].of == of && is_absent(v, defaults[i].key))
            make_member(m, defaults[i].key, make_text(defaults[i].text, v->offset));
    }
}

/* Copies the members that are not null. */
static void copy_members(struct maker *m, const struct json *v, const char *but, const char *but2)
{
    for (uint32_t i = 0; i < json_n_members(v); i++) {
        const struct json_member *one = &v->members[i];
        if (one->value.type != JSON_NULL && !str_eq(one->key, but) && !str_eq(one->key, but2))
            make_member(m, one->key, one->value);
    }
}

static struct json default_port(struct arena *a, const struct json *port, bool host_network)
{
    struct maker m = { .arena = a };
    const struct json *number = json_get(port, "containerPort");

    if (!json_is(port, JSON_OBJECT))
        return *port;
    copy_members(&m, port, NULL, NULL);
    default_texts(&m, OF_PORT, port);
    if (host_network && json_int(json_get(port, "hostPort"), 0) == 0 && json_is(number, JSON_INT))
        make_member(&m, "hostPort", *number);
    return make_object(&m, port->offset);
}

static const char *pull_policy(const char *image)
{
    const char *slash = strrchr(image, '/'), *tag = strchr(slash != NULL ? slash : image, ':');

    return strchr(image, '@') == NULL && (tag == NULL || str_eq(tag, ":latest")) ? "Always" : "IfNotPresent";
}

static struct json default_container(struct arena *a, const struct json *c, bool host_network)
{
    struct maker m = { .arena = a }, list = { .arena = a };
    const struct json *ports = json_get(c, "ports");

    if (!json_is(c, JSON_OBJECT))
        return *c;
    copy_members(&m, c, json_is(ports, JSON_ARRAY) ? "ports" : NULL, NULL);
    default_texts(&m, OF_CONTAINER, c);
    if (is_absent(c, "imagePullPolicy"))
        make_member(&m, "imagePullPolicy", make_text(pull_policy(json_get_str(c, "image", "")), c->offset));
    for (uint32_t i = 0; i < json_len(ports); i++)
        make_item(&list, default_port(a, json_at(ports, i), host_network));
    if (json_is(ports, JSON_ARRAY))
        make_member(&m, "ports", make_list(&list, ports->offset));
    m.failed |= list.failed;
    return make_object(&m, c->offset);
}

/* A volume without a source is an emptyDir. */
static struct json default_volume(struct arena *a, const struct json *v)
{
    struct maker m = { .arena = a }, empty = { .arena = a };

    if (!json_is(v, JSON_OBJECT))
        return *v;
    copy_members(&m, v, NULL, NULL);
    if (m.n == (uint32_t)(json_is(json_get(v, "name"), JSON_STRING)))
        make_member(&m, "emptyDir", make_object(&empty, v->offset));
    return make_object(&m, v->offset);
}

static struct json default_spec(struct arena *a, const struct json *spec)
{
    struct maker m = { .arena = a };
    bool host_network = json_bool(json_get(spec, "hostNetwork"), false);

    for (uint32_t i = 0; i < json_n_members(spec); i++) {
        const struct json_member *one = &spec->members[i];
        bool containers = str_eq(one->key, "containers") || str_eq(one->key, "initContainers") || str_eq(one->key, "ephemeralContainers");
        if (one->value.type == JSON_NULL)
            continue;
        struct maker list = { .arena = a };
        for (uint32_t k = 0; k < json_len(&one->value) && (containers || str_eq(one->key, "volumes")); k++)
            make_item(&list, containers ? default_container(a, json_at(&one->value, k), host_network) : default_volume(a, json_at(&one->value, k)));
        make_member(&m, one->key, list.n > 0 ? make_list(&list, one->value.offset) : one->value);
        m.failed |= list.failed;
    }
    default_texts(&m, OF_POD, spec);
    if (is_absent(spec, "enableServiceLinks"))
        make_member(&m, "enableServiceLinks", make_bool(true, spec->offset));
    return make_object(&m, spec->offset);
}

/* Down to the pod's spec, putting back the changed parts on the way up. */
static struct json default_along(struct arena *a, const struct json *v, const char *const *keys)
{
    struct maker m = { .arena = a };

    if (!json_is(v, JSON_OBJECT))
        return *v;
    for (uint32_t i = 0; i < v->n; i++) {
        const struct json_member *one = &v->members[i];
        bool here = str_eq(one->key, keys[0]) && json_is(&one->value, JSON_OBJECT);
        make_member(&m, one->key, !here ? one->value : keys[1] == NULL ? default_spec(a, &one->value)
                                                                       : default_along(a, &one->value, keys + 1));
    }
    return make_object(&m, v->offset);
}

/* ---- objects ----------------------------------------------------------------------------------- */

static int gather_images(struct reading *r, const struct workload *w, struct config_object *o, struct err *err)
{
    struct container_walk walk = { 0 };
    size_t n = 0, max = 0;

    for (size_t i = 0; i < CONTAINER_TYPE_N; i++)
        max += json_len(json_get(w->spec, container_lists[i]));
    struct config_image *images = arena_array(r->arena, max, sizeof *images);
    if (images == NULL)
        return err_nomem(err);
    while (container_next(w->spec, &walk)) {
        const struct json *image = json_get(walk.container, "image");
        if (json_is(image, JSON_STRING) && image->n > 0)
            images[n++] = (struct config_image){ .container = json_get_str(walk.container, "name", ""), .reference = image->string,
                                                 .at = image->offset, .is_known = true };
    }
    o->images = images;
    o->n_images = n;
    return 0;
}

static int read_workload(struct reading *r, const struct json *raw, const char *root, struct err *err)
{
    struct json *doc = arena_alloc(r->arena, sizeof *doc), *object = arena_alloc(r->arena, sizeof *object);
    struct workload w;
    const char *keys[8] = { NULL };
    size_t n = 0;

    if (doc == NULL || object == NULL)
        return err_nomem(err);
    if (tree_copy(r->arena, raw, 0, true, change_scalar, r->out, doc, err) != 0)
        return -1;
    if (!workload_read(doc, &w)) {
        r->out->n_other++;
        return 0;
    }
    for (const char *p = w.spec_path + 1; *p == '.' && n < N_ITEMS(keys) - 1;) {
        size_t len = strcspn(++p, ".");
        keys[n++] = arena_strndup(r->arena, p, len);
        p += len;
        if (keys[n - 1] == NULL)
            return err_nomem(err);
    }
    *object = default_along(r->arena, doc, keys);
    workload_read(object, &w);
    struct config_object o = { .kind = CONFIG_KUBERNETES, .object = object, .root = root, .at = raw->offset };
    o.name = arena_printf(r->arena, "%s %s%s%s", w.kind, w.namespace != NULL ? w.namespace : "", w.namespace != NULL ? "/" : "",
                          w.name != NULL ? w.name : "(no name)");
    if (o.name == NULL || gather_images(r, &w, &o, err) != 0)
        return o.name == NULL ? err_nomem(err) : -1;
    return reading_object(r, o, err);
}

/* The items of a PodList are pods without saying so. */
static struct json item_of(struct arena *a, const struct json *list, const struct json *item)
{
    const char *kind = json_get_str(list, "kind", "List");
    struct maker m = { .arena = a };

    if (!json_is(item, JSON_OBJECT) || json_get(item, "kind") != NULL || str_eq(kind, "List"))
        return *item;
    const char *one = arena_strndup(a, kind, strlen(kind) - strlen("List"));
    make_member(&m, "apiVersion", *json_get(list, "apiVersion"));
    make_member(&m, "kind", make_text(one != NULL ? one : "", list->offset));
    copy_members(&m, item, "apiVersion", NULL);
    return make_object(&m, item->offset);
}

int read_kubernetes(struct reading *r, size_t file, const struct json *docs, size_t n, struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        const char *kind = json_get_str(&docs[i], "kind", NULL);
        const struct json *items = json_get(&docs[i], "items");
        if (json_is(&docs[i], JSON_NULL))
            continue;
        if (kind == NULL || !json_is(json_get(&docs[i], "apiVersion"), JSON_STRING))
            return reading_refuse(r, docs[i].type == JSON_OBJECT ? docs[i].offset : r->out->bases[file],
                                  "not a Kubernetes object: apiVersion or kind is missing", err);
        if (!str_ends(kind, "List")) {
            if (read_workload(r, &docs[i], "$", err) != 0)
                return -1;
            continue;
        }
        for (uint32_t k = 0; k < json_len(items); k++) {
            const char *root = arena_printf(r->arena, "$.items[%u]", k);
            struct json *item = arena_alloc(r->arena, sizeof *item);
            if (root == NULL || item == NULL)
                return err_nomem(err);
            *item = item_of(r->arena, &docs[i], json_at(items, k));
            if (read_workload(r, item, root, err) != 0)
                return -1;
        }
    }
    return 0;
}
