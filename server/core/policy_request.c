/* policy_request.c - what is being done to the cluster: read from an
 * AdmissionRequest, or made up for an object that lies in a file. */
#include "core/policy_internal.h"

#include <string.h>

static const char *text_at(const struct json *v, const char *path)
{
    return json_str(json_path(v, path), "");
}

void policy_request_read(const struct json *request, struct policy_request *out)
{
    *out = (struct policy_request){
        .group = text_at(request, "resource.group"), .version = text_at(request, "resource.version"),
        .resource = text_at(request, "resource.resource"), .subresource = text_at(request, "subResource"),
        .kind = text_at(request, "kind.kind"), .operation = text_at(request, "operation"),
        .name = text_at(request, "name"), .namespace = text_at(request, "namespace"),
    };
    if (out->name[0] == '\0')
        out->name = text_at(request, "object.metadata.name");
}

/* English as Kubernetes' generators have it. */
static const char *plural_of(struct arena *arena, const char *kind)
{
    static const struct { const char *kind, *plural; } odd[] = { { "Endpoints", "endpoints" } };
    size_t n = strlen(kind);

    for (size_t i = 0; i < N_ITEMS(odd); i++) {
        if (str_eq(odd[i].kind, kind))
            return odd[i].plural;
    }
    char *lower = arena_printf(arena, "%s%s", kind, n == 0 ? "" : "    ");
    if (lower == NULL || n == 0)
        return lower;
    lower[n] = '\0';
    str_lower(lower);
    bool vowel_before_y = n > 1 && strchr("aeiou", lower[n - 2]) != NULL;
    const char *end = "s";
    if (str_ends(lower, "s") || str_ends(lower, "x") || str_ends(lower, "ch") || str_ends(lower, "sh"))
        end = "es";
    else if (lower[n - 1] == 'y' && !vowel_before_y) {
        n--;
        end = "ies";
    }
    memcpy(lower + n, end, strlen(end) + 1);
    return lower;
}

static bool is_cluster_scoped(const char *group, const char *kind)
{
    static const struct { const char *group, *kinds; } scoped[] = {
        { "", " Namespace Node PersistentVolume ComponentStatus " },
        { "rbac.authorization.k8s.io", " ClusterRole ClusterRoleBinding " },
        { "apiextensions.k8s.io", " CustomResourceDefinition " },
        { "apiregistration.k8s.io", " APIService " },
        { "admissionregistration.k8s.io", " * " },
        { "storage.k8s.io", " StorageClass CSIDriver CSINode VolumeAttachment " },
        { "scheduling.k8s.io", " PriorityClass " },
        { "node.k8s.io", " RuntimeClass " },
        { "networking.k8s.io", " IngressClass " },
        { "flowcontrol.apiserver.k8s.io", " * " },
        { "certificates.k8s.io", " CertificateSigningRequest " },
        { "policy", " PodSecurityPolicy " },
    };
    char needle[80];
    size_t n = strlen(kind);

    if (n == 0 || n + 3 > sizeof needle)
        return false;
    needle[0] = ' ';
    memcpy(needle + 1, kind, n);
    memcpy(needle + 1 + n, " ", 2);
    for (size_t i = 0; i < N_ITEMS(scoped); i++) {
        if (str_eq(scoped[i].group, group) && (strstr(scoped[i].kinds, needle) != NULL || str_eq(scoped[i].kinds, " * ")))
            return true;
    }
    return false;
}

int policy_request_of(const struct json *object, const char *operation, struct arena *arena, struct policy_request *out,
                      struct err *err)
{
    const char *api_version = json_get_str(object, "apiVersion", ""), *slash = strchr(api_version, '/');
    struct policy_request r = { .kind = json_get_str(object, "kind", ""), .operation = operation, .subresource = "",
                                .name = text_at(object, "metadata.name"), .namespace = text_at(object, "metadata.namespace") };

    r.group = slash != NULL ? arena_strndup(arena, api_version, (size_t)(slash - api_version)) : "";
    r.version = slash != NULL ? slash + 1 : api_version;
    r.resource = plural_of(arena, r.kind);
    if (r.group == NULL || r.resource == NULL)
        return err_nomem(err);
    if (is_cluster_scoped(r.group, r.kind))
        r.namespace = "";
    else if (r.namespace[0] == '\0')
        r.namespace = "default";
    *out = r;
    return 0;
}

/* ---- as the expressions see it ------------------------------------------------------ */

static struct json_member text_member(const char *key, const char *value)
{
    return (struct json_member){ .key = key, .key_len = (uint32_t)strlen(key),
                                 .value = { .type = JSON_STRING, .n = (uint32_t)strlen(value), .string = value } };
}

static struct json_member object_member(const char *key, const struct json_member *members, uint32_t n)
{
    return (struct json_member){ .key = key, .key_len = (uint32_t)strlen(key), .value = { .type = JSON_OBJECT, .n = n, .members = members } };
}

/* Members that Kubernetes leaves out when empty are left out here. */
const struct json *policy_request_json(const struct policy_request *r, struct arena *arena)
{
    struct json_member *m = arena_array(arena, 10, sizeof *m), *kind = arena_array(arena, 3, sizeof *kind),
                       *resource = arena_array(arena, 3, sizeof *resource);
    struct json *out = arena_alloc(arena, sizeof *out);
    uint32_t n = 0;

    if (m == NULL || kind == NULL || resource == NULL || out == NULL)
        return NULL;
    kind[0] = resource[0] = text_member("group", r->group);
    kind[1] = resource[1] = text_member("version", r->version);
    kind[2] = text_member("kind", r->kind);
    resource[2] = text_member("resource", r->resource);
    m[n++] = object_member("kind", kind, 3);
    m[n++] = object_member("resource", resource, 3);
    m[n++] = text_member("operation", r->operation);
    m[n++] = object_member("userInfo", NULL, 0);
    m[n++] = (struct json_member){ .key = "dryRun", .key_len = 6, .value = { .type = JSON_BOOL } };
    if (r->subresource[0] != '\0')
        m[n++] = text_member("subResource", r->subresource);
    if (r->name[0] != '\0')
        m[n++] = text_member("name", r->name);
    if (r->namespace[0] != '\0')
        m[n++] = text_member("namespace", r->namespace);
    *out = (struct json){ .type = JSON_OBJECT, .n = n, .members = m };
    return out;
}
