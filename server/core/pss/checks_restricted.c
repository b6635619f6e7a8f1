/* checks_restricted.c - the checks of the level "restricted". */
#include "core/pss/pss_internal.h"

#include <string.h>

/* The field must be exactly false: unset is not enough. */
static bool may_escalate(struct pss_run *r, const struct spot *container)
{
    struct spot context = spot_get(r, container, "securityContext", T_OBJECT);
    struct spot field = spot_get(r, &context, "allowPrivilegeEscalation", T_BOOL);

    if (!json_bool(field.v, true))
        return false;
    blame(r, &field);
    return true;
}

void pss_escalation(struct pss_run *r)
{
    each_container(r, may_escalate);
    if (r->containers.n > 0)
        violated(r, "allowPrivilegeEscalation != false",
                 arena_printf(r->arena, "%s must set securityContext.allowPrivilegeEscalation=false", text_containers(r)));
}

/* ---- capabilities: drop all, add one at most ------------------------------------------------ */

static bool keeps_capabilities(struct pss_run *r, const struct spot *container)
{
    static const char *const way[] = { "securityContext", "capabilities", "drop", NULL };
    struct spot steps[SPOT_STEPS], drop = spot_path(r, container, way, T_LIST, steps);

    for (uint32_t i = 0; i < json_len(drop.v); i++) {
        struct spot name = spot_item(r, &drop, i, T_TEXT);
        if (name.v != NULL && str_eq(name.v->string, "ALL"))
            return false;
    }
    blame(r, &drop);
    return true;
}

static bool adds_more(struct pss_run *r, const struct spot *container)
{
    static const char *const way[] = { "securityContext", "capabilities", "add", NULL };
    struct spot steps[SPOT_STEPS], add = spot_path(r, container, way, T_LIST, steps);
    bool bad = false;

    for (uint32_t i = 0; i < json_len(add.v); i++) {
        struct spot name = spot_item(r, &add, i, T_TEXT);
        if (name.v == NULL || str_eq(name.v->string, "NET_BIND_SERVICE"))
            continue;
        names_add(r, &r->values, name.v->string);
        blame(r, &name);
        bad = true;
    }
    return bad;
}

void pss_capabilities_restricted(struct pss_run *r)
{
    const char *drops = "", *adds = "";

    each_container(r, keeps_capabilities);
    if (r->containers.n > 0)
        drops = arena_printf(r->arena, "%s must set securityContext.capabilities.drop=[\"ALL\"]", text_containers(r));
    bool keeps = r->containers.n > 0;
    r->containers = (struct names){ 0 };
    each_container(r, adds_more);
    names_sort(&r->values);
    if (r->containers.n > 0)
        adds = arena_printf(r->arena, "%s must not include %s in securityContext.capabilities.add", text_containers(r),
                            text_quoted(r, &r->values));
    bool more = r->containers.n > 0;
    if (keeps || more)
        violated(r, "unrestricted capabilities", arena_printf(r->arena, "%s%s%s", drops, keeps && more ? "; " : "", adds));
}

/* ---- volumes ----------------------------------------------------------------------------------- */

/* Sources that others know under these names; any other is "unknown". */
static const char *const other_sources[] = {
    "hostPath", "gcePersistentDisk", "awsElasticBlockStore", "gitRepo", "nfs", "iscsi", "glusterfs", "rbd", "flexVolume",
    "cinder", "cephfs", "flocker", "fc", "azureFile", "vsphereVolume", "quobyte", "azureDisk", "photonPersistentDisk",
    "portworxVolume", "scaleIO", "storageos",
};
static const char *const fine_sources[] = {
    "name", "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim", "projected", "secret",
};

static bool is_listed(const char *const *list, size_t n, const char *text)
{
    for (size_t i = 0; i < n; i++) {
        if (str_eq(list[i], text))
            return true;
    }
    return false;
}

/* A volume without any source is an emptyDir.  One with two is refused by Kubernetes;
 * here the worse of them counts. */
static bool has_other_source(struct pss_run *r, const struct spot *volume)
{
    bool bad = false;

    for (uint32_t i = 0; i < json_n_members(volume->v); i++) {
        const struct json_member *m = &volume->v->members[i];
        if (m->value.type == JSON_NULL || is_listed(fine_sources, N_ITEMS(fine_sources), m->key))
            continue;
        struct spot source = { .up = volume, .key = m->key, .v = &m->value };
        names_add(r, &r->values, is_listed(other_sources, N_ITEMS(other_sources), m->key) ? m->key : "unknown");
        blame(r, &source);
        bad = true;
    }
    return bad;
}

void pss_volumes(struct pss_run *r)
{
    struct spot list = spot_get(r, &r->spec, "volumes", T_LIST);
    struct names volumes = { 0 };

    for (uint32_t i = 0; i < json_len(list.v) && !r->failed; i++) {
        struct spot volume = spot_item(r, &list, i, T_OBJECT);
        if (has_other_source(r, &volume))
            names_add(r, &volumes, json_get_str(volume.v, "name", ""));
    }
    names_sort(&r->values);
    if (volumes.n > 0)
        violated(r, "restricted volume types",
                 arena_printf(r->arena, "%s %s %s %s %s", one_or_many(volumes.n, "volume", "volumes"), text_quoted(r, &volumes),
                              one_or_many(volumes.n, "uses", "use"),
                              one_or_many(r->values.n, "restricted volume type", "restricted volume types"),
                              text_quoted(r, &r->values)));
}

/* ---- who runs it --------------------------------------------------------------------------------- */

static bool allows_root(struct pss_run *r, const struct spot *context)
{
    struct spot field = spot_get(r, context, "runAsNonRoot", T_BOOL);

    if (json_bool(field.v, true))
        return false;
    blame(r, &field);
    return true;
}

static bool says_nothing_of_root(struct pss_run *r, const struct spot *container)
{
    struct spot context = spot_get(r, container, "securityContext", T_OBJECT);
    struct spot field = spot_get(r, &context, "runAsNonRoot", T_BOOL);

    if (field.v != NULL)
        return false;
    blame(r, &field);
    return true;
}

/* Who says "may be root" is named first; only then who says nothing while the pod does not, either. */
void pss_non_root(struct pss_run *r)
{
    static const char *const way[] = { "securityContext", "runAsNonRoot", NULL };
    struct spot steps[SPOT_STEPS];

    each_context(r, allows_root);
    if (r->pod || r->containers.n > 0) {
        violated(r, "runAsNonRoot != true", arena_printf(r->arena, "%s must not set securityContext.runAsNonRoot=false",
                                                         text_setters(r)));
        return;
    }
    if (json_bool(spot_path(r, &r->spec, way, T_BOOL, steps).v, false))
        return;
    each_container(r, says_nothing_of_root);
    if (r->containers.n > 0)
        violated(r, "runAsNonRoot != true", arena_printf(r->arena, "pod or %s must set securityContext.runAsNonRoot=true",
                                                         text_containers(r)));
}

static bool is_user_zero(struct pss_run *r, const struct spot *context)
{
    struct spot field = spot_get(r, context, "runAsUser", T_INT);

    if (json_int(field.v, 1) != 0)
        return false;
    blame(r, &field);
    return true;
}

void pss_user(struct pss_run *r)
{
    each_context(r, is_user_zero);
    if (r->pod || r->containers.n > 0)
        violated(r, "runAsUser=0", arena_printf(r->arena, "%s must not set runAsUser=0", text_setters(r)));
}

static bool lacks_seccomp(struct pss_run *r, const struct spot *container)
{
    struct spot context = spot_get(r, container, "securityContext", T_OBJECT);
    struct spot profile = spot_get(r, &context, "seccompProfile", T_OBJECT);

    if (profile.v != NULL)
        return false;
    blame(r, &profile);
    return true;
}

void pss_seccomp_restricted(struct pss_run *r)
{
    static const char *const way[] = { "securityContext", "seccompProfile", NULL };
    struct spot steps[SPOT_STEPS];

    pss_seccomp_baseline(r);
    if (r->reason != NULL || spot_path(r, &r->spec, way, T_OBJECT, steps).v != NULL)
        return;
    each_container(r, lacks_seccomp);
    if (r->containers.n > 0)
        violated(r, "seccompProfile",
                 arena_printf(r->arena, "pod or %s must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\"",
                              text_containers(r)));
}
