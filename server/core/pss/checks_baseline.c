/* checks_baseline.c - the checks of the level "baseline". */
#include "core/pss/pss_internal.h"

#include <string.h>

/* ---- fields that may not be true, or not be set ------------------------------------------ */

static bool is_true(struct pss_run *r, const struct spot *up, const char *key)
{
    struct spot s = spot_get(r, up, key, T_BOOL);

    if (!json_bool(s.v, false))
        return false;
    blame(r, &s);
    return true;
}

static bool has_privileged(struct pss_run *r, const struct spot *container)
{
    struct spot context = spot_get(r, container, "securityContext", T_OBJECT);

    return is_true(r, &context, "privileged");
}

void pss_privileged(struct pss_run *r)
{
    each_container(r, has_privileged);
    if (r->containers.n > 0)
        violated(r, "privileged", arena_printf(r->arena, "%s must not set securityContext.privileged=true", text_containers(r)));
}

static bool has_host_process(struct pss_run *r, const struct spot *context)
{
    struct spot windows = spot_get(r, context, "windowsOptions", T_OBJECT);

    return is_true(r, &windows, "hostProcess");
}

void pss_windows_host_process(struct pss_run *r)
{
    each_context(r, has_host_process);
    if (r->pod || r->containers.n > 0)
        violated(r, "hostProcess", arena_printf(r->arena, "%s must not set securityContext.windowsOptions.hostProcess=true",
                                                text_setters(r)));
}

void pss_host_namespaces(struct pss_run *r)
{
    static const char *const fields[][2] = {
        { "hostNetwork", "hostNetwork=true" }, { "hostPID", "hostPID=true" }, { "hostIPC", "hostIPC=true" },
    };

    for (size_t i = 0; i < N_ITEMS(fields); i++) {
        if (is_true(r, &r->spec, fields[i][0]))
            names_add(r, &r->values, fields[i][1]);
    }
    if (r->values.n > 0)
        violated(r, "host namespaces", text_joined(r, &r->values, ", "));
}

static bool has_proc_mount(struct pss_run *r, const struct spot *container)
{
    struct spot context = spot_get(r, container, "securityContext", T_OBJECT);
    struct spot mount = spot_get(r, &context, "procMount", T_TEXT);

    if (mount.v == NULL || str_eq(mount.v->string, "Default"))
        return false;
    names_add(r, &r->values, mount.v->string);
    blame(r, &mount);
    return true;
}

void pss_proc_mount(struct pss_run *r)
{
    each_container(r, has_proc_mount);
    names_sort(&r->values);
    if (r->containers.n > 0)
        violated(r, "procMount", arena_printf(r->arena, "%s must not set securityContext.procMount to %s", text_containers(r),
                                              text_quoted(r, &r->values)));
}

/* ---- capabilities, sysctls, SELinux: values from a list ------------------------------------ */

static bool adds_capability(struct pss_run *r, const struct spot *container)
{
    static const struct allowed fine[] = {
        { "AUDIT_WRITE", 0 }, { "CHOWN", 0 }, { "DAC_OVERRIDE", 0 }, { "FOWNER", 0 }, { "FSETID", 0 }, { "KILL", 0 },
        { "MKNOD", 0 }, { "NET_BIND_SERVICE", 0 }, { "SETFCAP", 0 }, { "SETGID", 0 }, { "SETPCAP", 0 }, { "SETUID", 0 },
        { "SYS_CHROOT", 0 },
    };
    static const char *const way[] = { "securityContext", "capabilities", "add", NULL };
    struct spot steps[SPOT_STEPS], add = spot_path(r, container, way, T_LIST, steps);
    bool bad = false;

    for (uint32_t i = 0; i < json_len(add.v); i++) {
        struct spot name = spot_item(r, &add, i, T_TEXT);
        if (name.v == NULL || is_allowed(fine, N_ITEMS(fine), name.v->string, r->minor))
            continue;
        names_add(r, &r->values, name.v->string);
        blame(r, &name);
        bad = true;
    }
    return bad;
}

void pss_capabilities_baseline(struct pss_run *r)
{
    each_container(r, adds_capability);
    names_sort(&r->values);
    if (r->containers.n > 0)
        violated(r, "non-default capabilities", arena_printf(r->arena, "%s must not include %s in securityContext.capabilities.add",
                                                             text_containers(r), text_quoted(r, &r->values)));
}

void pss_sysctls(struct pss_run *r)
{
    static const struct allowed safe[] = {
        { "kernel.shm_rmid_forced", 0 }, { "net.ipv4.ip_local_port_range", 0 }, { "net.ipv4.tcp_syncookies", 0 },
        { "net.ipv4.ping_group_range", 0 }, { "net.ipv4.ip_unprivileged_port_start", 0 },
        { "net.ipv4.ip_local_reserved_ports", 27 },
        { "net.ipv4.tcp_keepalive_time", 29 }, { "net.ipv4.tcp_fin_timeout", 29 }, { "net.ipv4.tcp_keepalive_intvl", 29 },
        { "net.ipv4.tcp_keepalive_probes", 29 },
        { "net.ipv4.tcp_rmem", 32 }, { "net.ipv4.tcp_wmem", 32 },
        { "net.ipv4.tcp_slow_start_after_idle", 37 }, { "net.ipv4.tcp_notsent_lowat", 37 },
    };
    static const char *const way[] = { "securityContext", "sysctls", NULL };
    struct spot steps[SPOT_STEPS], list = spot_path(r, &r->spec, way, T_LIST, steps);

    for (uint32_t i = 0; i < json_len(list.v); i++) {
        struct spot item = spot_item(r, &list, i, T_OBJECT), name = spot_get(r, &item, "name", T_TEXT);
        const char *text = json_str(name.v, "");
        if (item.v == NULL || is_allowed(safe, N_ITEMS(safe), text, r->minor))
            continue;
        names_add(r, &r->values, text);
        blame(r, &name);
    }
    if (r->values.n > 0)
        violated(r, "forbidden sysctls", text_joined(r, &r->values, ", "));
}

static bool is_set(struct pss_run *r, const struct spot *options, const char *key)
{
    struct spot s = spot_get(r, options, key, T_TEXT);

    if (*json_str(s.v, "") == '\0')
        return false;
    blame(r, &s);
    return true;
}

static bool has_selinux(struct pss_run *r, const struct spot *context)
{
    static const struct allowed types[] = {
        { "", 0 }, { "container_t", 0 }, { "container_init_t", 0 }, { "container_kvm_t", 0 }, { "container_engine_t", 31 },
    };
    struct spot options = spot_get(r, context, "seLinuxOptions", T_OBJECT), type = spot_get(r, &options, "type", T_TEXT);
    bool bad_type = !is_allowed(types, N_ITEMS(types), json_str(type.v, ""), r->minor);
    bool user = is_set(r, &options, "user"), role = is_set(r, &options, "role");

    if (bad_type) {
        names_add(r, &r->values, type.v->string);
        blame(r, &type);
    }
    r->selinux_user |= user;
    r->selinux_role |= role;
    return bad_type || user || role;
}

void pss_selinux(struct pss_run *r)
{
    each_context(r, has_selinux);
    if (!r->pod && r->containers.n == 0)
        return;
    names_sort(&r->values);
    size_t n = r->values.n;
    const char *types = n == 0 ? "" : arena_printf(r->arena, "%s %s", one_or_many(n, "type", "types"), text_quoted(r, &r->values));
    const char *user = r->selinux_user ? (n > 0 ? "; user may not be set" : "user may not be set") : "";
    const char *role = r->selinux_role ? (n > 0 || r->selinux_user ? "; role may not be set" : "role may not be set") : "";
    violated(r, "seLinuxOptions", arena_printf(r->arena, "%s set forbidden securityContext.seLinuxOptions: %s%s%s",
                                               text_setters(r), types, user, role));
}

/* ---- volumes and ports ----------------------------------------------------------------------- */

void pss_host_path(struct pss_run *r)
{
    struct spot list = spot_get(r, &r->spec, "volumes", T_LIST);

    for (uint32_t i = 0; i < json_len(list.v); i++) {
        struct spot volume = spot_item(r, &list, i, T_OBJECT), path = spot_get(r, &volume, "hostPath", T_OBJECT);
        if (path.v == NULL)
            continue;
        names_add(r, &r->values, json_get_str(volume.v, "name", ""));
        blame(r, &path);
    }
    if (r->values.n > 0)
        violated(r, "hostPath volumes", arena_printf(r->arena, "%s %s", one_or_many(r->values.n, "volume", "volumes"),
                                                     text_quoted(r, &r->values)));
}

/* The port as Kubernetes would store it: with the host's network, a container's
 * port is the host's. */
static int64_t host_port(struct pss_run *r, const struct spot *port, struct spot *where)
{
    *where = spot_get(r, port, "hostPort", T_INT);
    if (json_int(where->v, 0) != 0 || !json_bool(json_get(r->spec.v, "hostNetwork"), false))
        return json_int(where->v, 0);
    *where = spot_get(r, port, "containerPort", T_INT);
    return json_int(where->v, 0);
}

static bool has_host_port(struct pss_run *r, const struct spot *container)
{
    struct spot list = spot_get(r, container, "ports", T_LIST), where;
    bool bad = false;

    for (uint32_t i = 0; i < json_len(list.v); i++) {
        struct spot port = spot_item(r, &list, i, T_OBJECT);
        int64_t number = host_port(r, &port, &where);
        if (number == 0)
            continue;
        const char *text = arena_printf(r->arena, "%lld", (long long)number);
        if (text == NULL)
            r->failed = true;
        else
            names_add(r, &r->values, text);
        blame(r, &where);
        bad = true;
    }
    return bad;
}

void pss_host_ports(struct pss_run *r)
{
    each_container(r, has_host_port);
    names_sort(&r->values);
    if (r->containers.n > 0)
        violated(r, "hostPort", arena_printf(r->arena, "%s %s %s %s", text_containers(r),
                                             one_or_many(r->containers.n, "uses", "use"),
                                             one_or_many(r->values.n, "hostPort", "hostPorts"),
                                             text_joined(r, &r->values, ", ")));
}

/* ---- probes and life-cycle handlers that go to another host -------------------------------------- */

static bool names_host(struct pss_run *r, const struct spot *handler)
{
    static const char *const ways[] = { "httpGet", "tcpSocket" };
    bool bad = false;

    for (size_t i = 0; i < N_ITEMS(ways); i++) {
        struct spot way = spot_get(r, handler, ways[i], T_OBJECT), host = spot_get(r, &way, "host", T_TEXT);
        if (*json_str(host.v, "") == '\0')
            continue;
        names_add(r, &r->values, host.v->string);
        blame(r, &host);
        bad = true;
    }
    return bad;
}

static bool probes_host(struct pss_run *r, const struct spot *container)
{
    static const char *const probes[] = { "livenessProbe", "readinessProbe", "startupProbe" };
    static const char *const handlers[] = { "postStart", "preStop" };
    struct spot lifecycle = spot_get(r, container, "lifecycle", T_OBJECT);
    bool bad = false;

    for (size_t i = 0; i < N_ITEMS(probes); i++) {
        struct spot probe = spot_get(r, container, probes[i], T_OBJECT);
        bad |= names_host(r, &probe);
    }
    for (size_t i = 0; i < N_ITEMS(handlers); i++) {
        struct spot handler = spot_get(r, &lifecycle, handlers[i], T_OBJECT);
        bad |= names_host(r, &handler);
    }
    return bad;
}

void pss_host_probes(struct pss_run *r)
{
    each_container(r, probes_host);
    if (r->containers.n == 0)
        return;
    names_sort(&r->containers);
    names_sort(&r->values);
    violated(r, "probe or lifecycle host",
             arena_printf(r->arena, "%s %s %s %s", text_containers(r), one_or_many(r->containers.n, "uses", "use"),
                          one_or_many(r->values.n, "probe or lifecycle host", "probe or lifecycle hosts"),
                          text_quoted(r, &r->values)));
}

/* ---- AppArmor and seccomp --------------------------------------------------------------------------- */

static bool has_bad_profile(struct pss_run *r, const struct spot *context, const char *field)
{
    struct spot profile = spot_get(r, context, field, T_OBJECT), type = spot_get(r, &profile, "type", T_TEXT);
    const char *text = json_str(type.v, "");

    if (profile.v == NULL || str_eq(text, "RuntimeDefault") || str_eq(text, "Localhost"))
        return false;
    names_add(r, &r->values, text);
    blame(r, &type);
    return true;
}

static bool has_apparmor(struct pss_run *r, const struct spot *context)
{
    return has_bad_profile(r, context, "appArmorProfile");
}

/* An annotation whose value is not one of the harmless ones. */
static const char *bad_annotation(struct pss_run *r, const char *key, const char *const *fine)
{
    struct spot value = spot_get(r, &r->annotations, key, T_TEXT);

    if (value.v == NULL)
        return NULL;
    for (; *fine != NULL; fine++) {
        if (str_eq(value.v->string, *fine) || (str_ends(*fine, "/") && str_starts(value.v->string, *fine)))
            return NULL;
    }
    blame(r, &value);
    return text_annotation(r, key, value.v->string);
}

void pss_apparmor(struct pss_run *r)
{
    static const char *const fine[] = { "", "runtime/default", "localhost/", NULL };
    struct names annotations = { 0 };

    each_context(r, has_apparmor);
    names_sort(&r->values);
    for (uint32_t i = 0; i < json_n_members(r->annotations.v); i++) {
        const char *key = r->annotations.v->members[i].key;
        const char *text = str_starts(key, "container.apparmor.security.beta.kubernetes.io/") ? bad_annotation(r, key, fine) : NULL;
        if (text != NULL)
            names_add(r, &annotations, text);
    }
    names_sort(&annotations);
    for (size_t i = 0; i < annotations.n; i++)
        names_add(r, &r->values, annotations.items[i]);
    const char *setters = text_setters(r), *glue = r->pod || r->containers.n > 0 ? " and " : "";
    const char *noted = annotations.n > 0 ? one_or_many(annotations.n, "annotation", "annotations") : "";
    if (r->values.n > 0)
        violated(r, one_or_many(r->values.n, "forbidden AppArmor profile", "forbidden AppArmor profiles"),
                 arena_printf(r->arena, "%s%s%s must not set AppArmor profile type to %s", setters,
                              annotations.n > 0 ? glue : "", noted, text_quoted(r, &r->values)));
}

static bool has_seccomp(struct pss_run *r, const struct spot *context)
{
    return has_bad_profile(r, context, "seccompProfile");
}

void pss_seccomp_baseline(struct pss_run *r)
{
    each_context(r, has_seccomp);
    names_sort(&r->values);
    if (r->pod || r->containers.n > 0)
        violated(r, "seccompProfile", arena_printf(r->arena, "%s must not set securityContext.seccompProfile.type to %s",
                                                   text_setters(r), text_quoted(r, &r->values)));
}

static const char *const seccomp_fine[] = { "runtime/default", "docker/default", "localhost/", NULL };

static bool has_seccomp_annotation(struct pss_run *r, const struct spot *container)
{
    const char *key = arena_printf(r->arena, "container.seccomp.security.alpha.kubernetes.io/%s",
                                   json_get_str(container->v, "name", ""));
    const char *text = key != NULL ? bad_annotation(r, key, seccomp_fine) : NULL;

    r->failed |= key == NULL;
    if (text != NULL)
        names_add(r, &r->values, text);
    return text != NULL;
}

/* Before 1.19 there was only the annotation. */
void pss_seccomp_annotations(struct pss_run *r)
{
    const char *text = bad_annotation(r, "seccomp.security.alpha.kubernetes.io/pod", seccomp_fine);

    if (text != NULL)
        names_add(r, &r->values, text);
    each_container(r, has_seccomp_annotation);
    names_sort(&r->values);
    if (r->values.n > 0)
        violated(r, "seccompProfile", arena_printf(r->arena, "forbidden %s %s", one_or_many(r->values.n, "annotation", "annotations"),
                                                   text_joined(r, &r->values, ", ")));
}
