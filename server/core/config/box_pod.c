/* box_pod.c - a box as the Pod that Kubernetes would be given for it, so that the
 * policies of the deploy stage can look at it.  What is unknown is left out: the
 * native rules speak of it. */
#include "core/config/config_internal.h"

#include <string.h>

struct podding { struct arena *a; const struct box *b; bool failed; };

static const char *shown(struct podding *p, const char *text)
{
    const char *out = plain(p->a, text);

    p->failed |= text != NULL && out == NULL;
    return out != NULL ? out : "";
}

static void text_member(struct podding *p, struct maker *m, const char *key, const struct setting *s)
{
    if (s->s != NULL)
        make_member(m, key, make_text(shown(p, s->s), s->at));
}

/* "true" only when it is known to be. */
static void flag_member(struct maker *m, const char *key, const struct setting *s)
{
    if (is_yes(s->s) || is_no(s->s))
        make_member(m, key, make_bool(is_yes(s->s), s->at));
}

static void host_member(struct maker *m, const char *key, const struct setting *s)
{
    if (str_eq(s->s, "host"))
        make_member(m, key, make_bool(true, s->at));
}

static struct json close_object(struct podding *p, struct maker *m, uint32_t at)
{
    struct json v = make_object(m, at);

    p->failed |= m->failed;
    return v;
}

static struct json close_list(struct podding *p, struct maker *m, uint32_t at)
{
    struct json v = make_list(m, at);

    p->failed |= m->failed;
    return v;
}

/* ---- securityContext ----------------------------------------------------------------------- */

static struct json capabilities(struct podding *p, const struct settings *l)
{
    struct maker m = { .arena = p->a };

    for (size_t i = 0; i < l->n; i++) {
        const char *name = l->items[i].s;
        char *upper = is_unknown(name) ? NULL : arena_strdup(p->a, str_starts(name, "CAP_") || str_starts(name, "cap_") ? name + 4 : name);
        for (char *c = upper; c != NULL && *c != '\0'; c++)
            *c = (char)(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
        if (upper != NULL)
            make_item(&m, make_text(upper, l->items[i].at));
    }
    return close_list(p, &m, l->n > 0 ? l->items[0].at : p->b->at);
}

static const struct setting *option(const struct box *b, const char *name, const char **value)
{
    size_t len = strlen(name);

    for (size_t i = 0; i < b->security_opt.n; i++) {
        const char *s = b->security_opt.items[i].s;
        if (strncmp(s, name, len) == 0 && (s[len] == '\0' || s[len] == '=' || s[len] == ':')) {
            *value = s[len] == '\0' ? "true" : s + len + 1;
            return &b->security_opt.items[i];
        }
    }
    return NULL;
}

static void profile_member(struct podding *p, struct maker *m, const char *key, const char *name)
{
    struct maker inner = { .arena = p->a };
    const char *value = "";
    const struct setting *s = option(p->b, name, &value);

    if (s == NULL || is_unknown(value))
        return;
    make_member(&inner, "type", make_text(str_eq(value, "unconfined") ? "Unconfined" : "Localhost", s->at));
    make_member(m, key, close_object(p, &inner, s->at));
}

static void user_members(struct maker *m, const struct setting *user)
{
    int64_t uid;
    char number[24];
    size_t len = user->s != NULL ? strcspn(user->s, ":") : 0;

    if (len == 0 || len >= sizeof number || is_unknown(user->s))
        return;
    memcpy(number, user->s, len);
    number[len] = '\0';
    if (str_eq(number, "root"))
        memcpy(number, "0", 2);
    if (!str_to_i64(number, 0, UINT32_MAX, &uid))
        return;
    make_member(m, "runAsUser", make_int(uid, user->at));
    if (uid != 0)
        make_member(m, "runAsNonRoot", make_bool(true, user->at));
}

static struct json context(struct podding *p)
{
    struct maker m = { .arena = p->a }, caps = { .arena = p->a };
    const struct box *b = p->b;
    const char *value = "";
    const struct setting *nnp = option(b, "no-new-privileges", &value);

    flag_member(&m, "privileged", &b->privileged);
    flag_member(&m, "readOnlyRootFilesystem", &b->read_only);
    if (nnp != NULL && !is_unknown(value))
        make_member(&m, "allowPrivilegeEscalation", make_bool(!is_yes(value), nnp->at));
    if (b->cap_add.n > 0)
        make_member(&caps, "add", capabilities(p, &b->cap_add));
    if (b->cap_drop.n > 0)
        make_member(&caps, "drop", capabilities(p, &b->cap_drop));
    if (caps.n > 0)
        make_member(&m, "capabilities", close_object(p, &caps, b->at));
    profile_member(p, &m, "seccompProfile", "seccomp");
    profile_member(p, &m, "appArmorProfile", "apparmor");
    user_members(&m, &b->user);
    return close_object(p, &m, b->at);
}

/* ---- the container --------------------------------------------------------------------------- */

static struct json env_list(struct podding *p)
{
    struct maker list = { .arena = p->a };

    for (size_t i = 0; i < p->b->n_env; i++) {
        const struct variable *v = &p->b->env[i];
        struct maker m = { .arena = p->a };
        make_member(&m, "name", make_text(shown(p, v->name), v->at));
        if (v->value != NULL && !is_unknown(v->value))
            make_member(&m, "value", make_text(v->value, v->at));
        make_item(&list, close_object(p, &m, v->at));
    }
    return close_list(p, &list, p->b->at);
}

static struct json port_list(struct podding *p)
{
    struct maker list = { .arena = p->a };
    int64_t number;

    for (size_t i = 0; i < p->b->n_ports; i++) {
        const struct port *one = &p->b->ports[i];
        struct maker m = { .arena = p->a };
        if (!str_to_i64(one->container, 1, 65535, &number))
            continue;
        make_member(&m, "containerPort", make_int(number, one->at));
        if (str_to_i64(one->host, 1, 65535, &number))
            make_member(&m, "hostPort", make_int(number, one->at));
        if (*one->ip != '\0')
            make_member(&m, "hostIP", make_text(shown(p, one->ip), one->at));
        make_item(&list, close_object(p, &m, one->at));
    }
    return close_list(p, &list, p->b->at);
}

static struct json limits(struct podding *p)
{
    struct maker m = { .arena = p->a }, outer = { .arena = p->a };
    const struct box *b = p->b;

    if (b->memory.s != NULL && !str_eq(b->memory.s, "0"))
        text_member(p, &m, "memory", &b->memory);
    if (b->cpus.s != NULL && !str_eq(b->cpus.s, "0"))
        text_member(p, &m, "cpu", &b->cpus);
    if (m.n > 0)
        make_member(&outer, "limits", close_object(p, &m, b->at));
    return close_object(p, &outer, b->at);
}

/* Volumes of the pod, and where the container mounts them. */
static void mount_lists(struct podding *p, struct maker *volumes, struct maker *mounts)
{
    for (size_t i = 0; i < p->b->n_mounts; i++) {
        const struct mount *one = &p->b->mounts[i];
        struct maker volume = { .arena = p->a }, source = { .arena = p->a }, mount = { .arena = p->a };
        const char *name = arena_printf(p->a, "volume-%zu", i);
        bool host = one->kind == MOUNT_BIND && *one->source != '\0' && !is_unknown(one->source);
        if (name == NULL) {
            p->failed = true;
            return;
        }
        if (host)
            make_member(&source, "path", make_text(one->source, one->at));
        make_member(&volume, "name", make_text(name, one->at));
        make_member(&volume, host ? "hostPath" : "emptyDir", close_object(p, &source, one->at));
        make_item(volumes, close_object(p, &volume, one->at));
        make_member(&mount, "name", make_text(name, one->at));
        make_member(&mount, "mountPath", make_text(shown(p, one->target), one->at));
        make_member(&mount, "readOnly", make_bool(one->read_only, one->at));
        make_item(mounts, close_object(p, &mount, one->at));
    }
}

static struct json container(struct podding *p, struct maker *mounts)
{
    struct maker m = { .arena = p->a };
    const struct box *b = p->b;

    make_member(&m, "name", make_text(shown(p, b->name), b->at));
    text_member(p, &m, "image", &b->image);
    make_member(&m, "securityContext", context(p));
    make_member(&m, "resources", limits(p));
    if (b->n_env > 0)
        make_member(&m, "env", env_list(p));
    if (b->n_ports > 0)
        make_member(&m, "ports", port_list(p));
    if (mounts->n > 0)
        make_member(&m, "volumeMounts", close_list(p, mounts, b->at));
    return close_object(p, &m, b->at);
}

/* ---- the pod ------------------------------------------------------------------------------------- */

static void map_member(struct podding *p, struct maker *to, const char *key, const struct settings *l)
{
    struct maker m = { .arena = p->a };

    for (size_t i = 0; i < l->n; i++) {
        struct variable v;
        if (!env_read(p->a, shown(p, l->items[i].s), &v)) {
            p->failed = true;
            return;
        }
        make_member(&m, v.name, make_text(v.value != NULL ? v.value : "", l->items[i].at));
    }
    if (m.n > 0)
        make_member(to, key, close_object(p, &m, l->items[0].at));
}

static struct json sysctls(struct podding *p)
{
    struct maker list = { .arena = p->a };

    for (size_t i = 0; i < p->b->sysctls.n; i++) {
        struct maker m = { .arena = p->a };
        struct variable v;
        if (!env_read(p->a, shown(p, p->b->sysctls.items[i].s), &v)) {
            p->failed = true;
            break;
        }
        make_member(&m, "name", make_text(v.name, p->b->sysctls.items[i].at));
        make_member(&m, "value", make_text(v.value != NULL ? v.value : "", p->b->sysctls.items[i].at));
        make_item(&list, close_object(p, &m, p->b->sysctls.items[i].at));
    }
    return close_list(p, &list, p->b->at);
}

static struct json spec(struct podding *p)
{
    struct maker m = { .arena = p->a }, containers = { .arena = p->a }, volumes = { .arena = p->a }, mounts = { .arena = p->a },
                 pod_context = { .arena = p->a };
    const struct box *b = p->b;

    host_member(&m, "hostNetwork", &b->network);
    host_member(&m, "hostPID", &b->pid);
    host_member(&m, "hostIPC", &b->ipc);
    text_member(p, &m, "runtimeClassName", &b->runtime);
    make_member(&m, "automountServiceAccountToken", make_bool(false, b->at));
    mount_lists(p, &volumes, &mounts);
    make_item(&containers, container(p, &mounts));
    make_member(&m, "containers", close_list(p, &containers, b->at));
    if (volumes.n > 0)
        make_member(&m, "volumes", close_list(p, &volumes, b->at));
    if (b->sysctls.n > 0)
        make_member(&pod_context, "sysctls", sysctls(p));
    make_member(&m, "securityContext", close_object(p, &pod_context, b->at));
    return close_object(p, &m, b->at);
}

int box_to_pod(const struct box *b, struct arena *arena, const struct json **out, struct err *err)
{
    struct podding p = { .a = arena, .b = b };
    struct maker m = { .arena = arena }, metadata = { .arena = arena };
    struct json *pod = arena_alloc(arena, sizeof *pod);

    if (pod == NULL)
        return err_nomem(err);
    make_member(&m, "apiVersion", make_text("v1", b->at));
    make_member(&m, "kind", make_text("Pod", b->at));
    make_member(&metadata, "name", make_text(shown(&p, b->name), b->at));
    map_member(&p, &metadata, "labels", &b->labels);
    map_member(&p, &metadata, "annotations", &b->annotations);
    make_member(&m, "metadata", close_object(&p, &metadata, b->at));
    make_member(&m, "spec", spec(&p));
    *pod = close_object(&p, &m, b->at);
    if (p.failed)
        return err_nomem(err);
    *out = pod;
    return 0;
}
