/* emit.c - the table of languages and what they share; see emit.h. */
#include "core/profile/emit_internal.h"

#include "base/str.h"
#include "core/profile/compile.h"
#include "wire/cidr.h"
#include "wire/msg/profile.h"
#include "wire/profile_doc.h"
#include "wire/yaml.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const struct emitter emitters[] = {
    { "networkpolicy", "Kubernetes NetworkPolicy", "application/yaml", emit_networkpolicy },
    { "cilium", "CiliumNetworkPolicy", "application/yaml", emit_cilium },
    { "istio", "Istio AuthorizationPolicy", "application/yaml", emit_istio },
    { "falco", "Falco rules", "application/yaml", emit_falco },
    { "tetragon", "Tetragon TracingPolicyNamespaced", "application/yaml", emit_tetragon },
    { "seccomp", "seccomp profile of the OCI runtimes", "application/json", emit_seccomp },
    { "apparmor", "AppArmor profile", "text/plain; charset=utf-8", emit_apparmor },
};
const size_t n_emitters = N_ITEMS(emitters);

const struct emitter *emitter_find(const char *name)
{
    for (size_t i = 0; i < n_emitters; i++) {
        if (str_eq(emitters[i].name, name))
            return &emitters[i];
    }
    return NULL;
}

void emit_note(struct buf *out, const char *fmt, ...)
{
    char text[600];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    for (char *at = text; *at != '\0'; at++) {
        if ((unsigned char)*at < 0x20 || *at == 0x7F)
            *at = '?';
    }
    if (!str_is_utf8(text, strlen(text)))
        text[0] = '\0';                    /* cut within a character: better no word than half of one */
    buf_printf(out, "# %s\n", text);
}

void emit_head(const struct emit_spec *spec, const char *what, unsigned parts, struct buf *out)
{
    const struct profile *p = spec->profile;

    emit_note(out, "%s for %s, made of Keep's profile %s.", what, p->repository, p->name);
    for (int part = 0; part < PROFILE_PART_N; part++) {
        bool covered = profile_covers(p, (enum profile_part)part), spoken = (parts >> part & 1) != 0;
        if (covered && !spoken)
            emit_note(out, "Not said here, although the profile covers it: %s.", profile_part_words[part]);
        else if (!covered && spoken)
            emit_note(out, "Not restricted, because the profile does not cover it: %s.", profile_part_words[part]);
    }
}

int emit_yaml(struct arena *arena, struct buf *json, struct buf *out, struct err *err)
{
    struct json doc;

    if (json->failed)
        return err_nomem(err);
    if (json_parse(arena, json->ptr, json->len, NULL, &doc, err) != 0)
        return -1;
    yaml_print(&doc, out);
    return out->failed ? err_nomem(err) : 0;
}

void emit_app_selector(struct jsonw *w, const char *app)
{
    jsonw_object(w);
    if (app != NULL) {
        jsonw_key(w, "matchLabels");
        jsonw_object(w);
        jsonw_kstr(w, "app", app);
        jsonw_object_end(w);
    }
    jsonw_object_end(w);
}

int emit_service(const char *service, struct arena *arena, struct emit_service *out, struct err *err)
{
    const char *slash = strchr(service, '/');
    char *namespace = slash != NULL ? arena_strndup(arena, service, (size_t)(slash - service)) : NULL;

    if (namespace == NULL)
        return err_nomem(err);
    out->namespace = str_eq(namespace, "*") ? NULL : namespace;
    out->workload = str_eq(slash + 1, "*") ? NULL : slash + 1;
    return 0;
}

const char *emit_cidr(const char *cidr, struct arena *arena)
{
    struct cidr net;

    if (strchr(cidr, '/') != NULL || !cidr_parse(cidr, &net))
        return cidr;
    return arena_printf(arena, "%s/%d", cidr, net.is_v4 ? 32 : 128);
}

int profile_emit(const struct emitter *e, const struct emit_spec *spec, struct arena *arena, struct buf *out, struct err *err)
{
    struct emit_spec full = *spec;

    if (profile_check(spec->profile, err) != 0)
        return -1;
    if (full.namespace == NULL)
        full.namespace = "default";
    if (full.workload == NULL)
        full.workload = spec->profile->name;
    if (e->emit(&full, arena, out, err) != 0)
        return -1;
    return out->failed ? err_nomem(err) : 0;
}
