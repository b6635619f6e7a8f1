/* pss.c - the table of checks and who runs them; see pss.h. */
#include "core/pss/pss_internal.h"

#include "base/buf.h"
#include "core/workload.h"

#include <string.h>

const char *const pss_level_words[] = { "restricted", "baseline", "privileged", NULL };

/* One row per check and version of it, in the order of messages: baseline by id,
 * then restricted by id.  A row holds from `since` up to, not including, `until`. */
static const struct pss_rule {
    const char *id;
    enum pss_level level;
    int since, until;              /* minor versions; until 0: for ever */
    int windows;                   /* from then on waived for Windows pods; 0: never */
    int user_namespace;            /* from then on waived with hostUsers: false; 0: never */
    const char *overrides;         /* at restricted, while this row holds, that check is not asked */
    pss_fn *check;
} rules[] = {
    { "appArmorProfile",            PSS_BASELINE,    0,  0,  0,  0, NULL,                      pss_apparmor },
    { "capabilities_baseline",      PSS_BASELINE,    0,  0,  0,  0, NULL,                      pss_capabilities_baseline },
    { "hostNamespaces",             PSS_BASELINE,    0,  0,  0,  0, NULL,                      pss_host_namespaces },
    { "hostPathVolumes",            PSS_BASELINE,    0,  0,  0,  0, NULL,                      pss_host_path },
    { "hostPorts",                  PSS_BASELINE,    0,  0,  0,  0, NULL,                      pss_host_ports },
    { "hostProbesAndHostLifecycle", PSS_BASELINE,   34,  0,  0,  0, NULL,                      pss_host_probes },
    { "privileged",                 PSS_BASELINE,    0,  0,  0,  0, NULL,                      pss_privileged },
    { "procMount",                  PSS_BASELINE,    0,  0,  0, 35, NULL,                      pss_proc_mount },
    { "seLinuxOptions",             PSS_BASELINE,    0,  0,  0,  0, NULL,                      pss_selinux },
    { "seccompProfile_baseline",    PSS_BASELINE,    0, 19,  0,  0, NULL,                      pss_seccomp_annotations },
    { "seccompProfile_baseline",    PSS_BASELINE,   19,  0,  0,  0, NULL,                      pss_seccomp_baseline },
    { "sysctls",                    PSS_BASELINE,    0,  0,  0,  0, NULL,                      pss_sysctls },
    { "windowsHostProcess",         PSS_BASELINE,    0,  0,  0,  0, NULL,                      pss_windows_host_process },
    { "allowPrivilegeEscalation",   PSS_RESTRICTED,  8,  0, 25,  0, NULL,                      pss_escalation },
    { "capabilities_restricted",    PSS_RESTRICTED, 22,  0, 25,  0, "capabilities_baseline",   pss_capabilities_restricted },
    { "procMount_restricted",       PSS_RESTRICTED, 35,  0,  0,  0, "procMount",               pss_proc_mount },
    { "restrictedVolumes",          PSS_RESTRICTED,  0,  0,  0,  0, "hostPathVolumes",         pss_volumes },
    { "runAsNonRoot",               PSS_RESTRICTED,  0,  0,  0, 35, NULL,                      pss_non_root },
    { "runAsUser",                  PSS_RESTRICTED, 23,  0,  0, 35, NULL,                      pss_user },
    { "seccompProfile_restricted",  PSS_RESTRICTED, 19,  0, 25,  0, "seccompProfile_baseline", pss_seccomp_restricted },
};

const char *pss_check_id(size_t i, enum pss_level *level, int *since)
{
    if (i >= N_ITEMS(rules))
        return NULL;
    *level = rules[i].level;
    *since = rules[i].since;
    return rules[i].id;
}

static bool holds(const struct pss_rule *rule, int minor)
{
    return rule->since <= minor && (rule->until == 0 || minor < rule->until);
}

static bool is_overridden(const struct pss_rule *rule, int minor)
{
    for (size_t i = 0; i < N_ITEMS(rules); i++) {
        if (rules[i].overrides != NULL && holds(&rules[i], minor) && str_eq(rules[i].overrides, rule->id))
            return true;
    }
    return false;
}

static bool is_asked(const struct pss_rule *rule, enum pss_level level, int minor)
{
    if (level == PSS_PRIVILEGED || !holds(rule, minor))
        return false;
    if (level == PSS_BASELINE)
        return rule->level == PSS_BASELINE;
    return rule->level == PSS_RESTRICTED || !is_overridden(rule, minor);
}

static bool is_waived(struct pss_run *r, const struct pss_rule *rule)
{
    struct spot os = spot_get(r, &r->spec, "os", T_OBJECT), name = spot_get(r, &os, "name", T_TEXT);
    struct spot users = spot_get(r, &r->spec, "hostUsers", T_BOOL);

    return (rule->windows != 0 && r->minor >= rule->windows && str_eq(json_str(name.v, ""), "windows")) ||
           (rule->user_namespace != 0 && r->minor >= rule->user_namespace && !json_bool(users.v, true));
}

/* The fields of one check are cleared; what is malformed is gathered over all. */
static void begin_check(struct pss_run *r)
{
    r->pod = r->selinux_user = r->selinux_role = false;
    r->containers = r->values = (struct names){ 0 };
    r->places = (struct places){ 0 };
    r->reason = r->detail = NULL;
}

static void run_checks(struct pss_run *r, enum pss_level level, struct pss_violation *found, size_t *n)
{
    for (size_t i = 0; i < N_ITEMS(rules) && !r->failed; i++) {
        if (!is_asked(&rules[i], level, r->minor) || is_waived(r, &rules[i]))
            continue;
        begin_check(r);
        rules[i].check(r);
        if (r->reason != NULL)
            found[(*n)++] = (struct pss_violation){ .id = rules[i].id, .reason = r->reason, .detail = r->detail,
                                                    .places = r->places.items, .n_places = r->places.n };
    }
    if (r->malformed.n > 0)
        found[(*n)++] = (struct pss_violation){ .id = "malformed", .reason = "malformed pod",
                                                .detail = text_joined(r, &r->malformed_texts, "; "),
                                                .places = r->malformed.items, .n_places = r->malformed.n };
}

/* Step by step along the path of the pod's spec, so that whatever stands in the way is noted. */
static bool open_pod(const struct json *object, struct pss_run *r)
{
    struct workload w;
    size_t n = 0;

    if (!workload_read(object, &w))
        return false;
    r->way[0] = (struct spot){ .key = "$", .v = object };
    for (const char *p = w.spec_path + 1; *p == '.' && n + 1 < N_ITEMS(r->way); n++) {
        size_t len = strcspn(++p, ".");
        const char *key = arena_strndup(r->arena, p, len);
        if (key == NULL) {
            r->failed = true;
            return false;
        }
        r->way[n + 1] = spot_get(r, &r->way[n], key, T_OBJECT);
        p += len;
    }
    r->spec = r->way[n];
    r->metadata = spot_get(r, &r->way[n - 1], "metadata", T_OBJECT);
    r->annotations = spot_get(r, &r->metadata, "annotations", T_OBJECT);
    return true;
}

int pss_check(const struct json *object, enum pss_level level, int minor_version, struct arena *arena,
              struct pss_violation **out, size_t *n, struct err *err)
{
    struct pss_run r = { .arena = arena, .minor = minor_version > PSS_LATEST ? PSS_LATEST : minor_version };
    struct pss_violation *found = arena_array(arena, N_ITEMS(rules) + 1, sizeof *found);
    size_t n_found = 0;

    if (found == NULL)
        return err_nomem(err);
    if (level != PSS_PRIVILEGED && open_pod(object, &r))
        run_checks(&r, level, found, &n_found);
    if (r.failed)
        return err_nomem(err);
    *out = found;
    *n = n_found;
    return 0;
}

const char *pss_message(struct arena *arena, enum pss_level level, const char *version,
                        const struct pss_violation *v, size_t n)
{
    struct buf b;

    buf_init(&b, 8 << 20);
    buf_printf(&b, "violates PodSecurity \"%s:%s\": ", pss_level_words[level], version);
    for (size_t i = 0; i < n; i++) {
        buf_printf(&b, "%s%s", i > 0 ? ", " : "", v[i].reason);
        if (v[i].detail[0] != '\0')
            buf_printf(&b, " (%s)", v[i].detail);
    }
    const char *text = b.failed ? NULL : arena_strndup(arena, b.ptr, b.len);
    buf_free(&b);
    return text;
}

bool pss_level_from_text(const char *text, enum pss_level *out)
{
    for (size_t i = 0; pss_level_words[i] != NULL; i++) {
        if (str_eq(pss_level_words[i], text)) {
            *out = (enum pss_level)i;
            return true;
        }
    }
    return false;
}

bool pss_version_from_text(const char *text, int *minor_version)
{
    int64_t minor;

    if (str_eq(text, "latest")) {
        *minor_version = PSS_LATEST;
        return true;
    }
    if (text == NULL)
        return false;
    text += *text == 'v';
    if (!str_starts(text, "1.") || !str_to_i64(text + 2, 0, 10000, &minor))
        return false;
    *minor_version = (int)minor;
    return true;
}
