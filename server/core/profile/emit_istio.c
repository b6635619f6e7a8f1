/* emit_istio.c - security.istio.io/v1 AuthorizationPolicy: who may come in. */
#include "core/profile/emit_internal.h"

#include "base/str.h"

#include <inttypes.h>
#include <stdio.h>

enum { TEXT_MAX_BYTES = 4 << 20, PARTS = 1 << PART_LISTEN | 1 << PART_INGRESS };

static void put_number(struct jsonw *w, int64_t n)
{
    char text[24];

    snprintf(text, sizeof text, "%" PRId64, n);
    jsonw_str(w, text);
}

static void put_to(struct jsonw *w, const struct profile *p, const struct profile_peer *e)
{
    bool own = e != NULL && e->n_ports > 0;

    if (!own && !p->has_listens)
        return;
    jsonw_key(w, "to");
    jsonw_array(w);
    jsonw_object(w);
    jsonw_key(w, "operation");
    jsonw_object(w);
    jsonw_key(w, "ports");
    jsonw_array(w);
    for (size_t i = 0; own && i < e->n_ports; i++)
        put_number(w, e->ports[i]);
    for (size_t i = 0; !own && i < p->n_listens; i++)
        put_number(w, p->listens[i].port);
    jsonw_array_end(w);
    jsonw_object_end(w);
    jsonw_object_end(w);
    jsonw_array_end(w);
}

static int put_source(struct jsonw *w, const struct profile_peer *e, struct arena *arena, struct err *err)
{
    struct emit_service s;

    if (e->kind == PEER_CIDR) {
        jsonw_key(w, "ipBlocks");
        jsonw_array(w);
        jsonw_str(w, emit_cidr(e->cidr, arena));
        jsonw_array_end(w);
        return 0;
    }
    if (emit_service(e->service, arena, &s, err) != 0)
        return -1;
    const char *who = s.workload == NULL ? (s.namespace != NULL ? s.namespace : "*") :
                      s.namespace != NULL ? arena_printf(arena, "*/ns/%s/sa/%s", s.namespace, s.workload) : arena_printf(arena, "*/sa/%s", s.workload);
    if (who == NULL)
        return err_nomem(err);
    jsonw_key(w, s.workload == NULL ? "namespaces" : "principals");
    jsonw_array(w);
    jsonw_str(w, who);
    jsonw_array_end(w);
    return 0;
}

static int put_rules(struct jsonw *w, const struct profile *p, struct arena *arena, struct err *err)
{
    for (size_t i = 0; p->has_ingress && i < p->n_ingress; i++) {
        if (p->ingress[i].kind == PEER_DNS || emit_has_no_port(p, &p->ingress[i]))
            continue;
        jsonw_object(w);
        jsonw_key(w, "from");
        jsonw_array(w);
        jsonw_object(w);
        jsonw_key(w, "source");
        jsonw_object(w);
        if (put_source(w, &p->ingress[i], arena, err) != 0)
            return -1;
        jsonw_object_end(w);
        jsonw_object_end(w);
        jsonw_array_end(w);
        put_to(w, p, &p->ingress[i]);
        jsonw_object_end(w);
    }
    if (!p->has_ingress && (!p->has_listens || p->n_listens > 0)) {
        jsonw_object(w);
        put_to(w, p, NULL);
        jsonw_object_end(w);
    }
    return 0;
}

int emit_istio(const struct emit_spec *spec, struct arena *arena, struct buf *out, struct err *err)
{
    const struct profile *p = spec->profile;
    struct buf json;
    struct jsonw w;

    emit_head(spec, "Istio AuthorizationPolicy", PARTS, out);
    emit_note(out, "Services are known by the service account of their name (a star stands for the trust domain); it needs mutual TLS.");
    for (size_t i = 0; i < p->n_ingress; i++) {
        if (p->ingress[i].kind == PEER_DNS)
            emit_note(out, "Who connects has no DNS name: %s is NOT let in by it.", p->ingress[i].dns);
    }
    emit_note(out, "It judges what comes through the sidecar or ztunnel, and TCP only; without a rule nobody may come in.");
    buf_init(&json, TEXT_MAX_BYTES);
    jsonw_init(&w, &json);
    jsonw_object(&w);
    jsonw_kstr(&w, "apiVersion", "security.istio.io/v1");
    jsonw_kstr(&w, "kind", "AuthorizationPolicy");
    jsonw_key(&w, "metadata");
    jsonw_object(&w);
    jsonw_kstr(&w, "name", p->name);
    jsonw_kstr(&w, "namespace", spec->namespace);
    jsonw_object_end(&w);
    jsonw_key(&w, "spec");
    jsonw_object(&w);
    jsonw_key(&w, "selector");
    emit_app_selector(&w, spec->workload);
    jsonw_kstr(&w, "action", "ALLOW");
    jsonw_key(&w, "rules");
    jsonw_array(&w);
    int rc = put_rules(&w, p, arena, err);
    jsonw_array_end(&w);
    jsonw_object_end(&w);
    jsonw_object_end(&w);
    if (rc == 0)
        rc = emit_yaml(arena, &json, out, err);
    buf_free(&json);
    return rc;
}
