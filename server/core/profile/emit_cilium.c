/* emit_cilium.c - cilium.io/v2 CiliumNetworkPolicy. */
#include "core/profile/emit_internal.h"

#include "base/str.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_MAX_BYTES = 4 << 20, PARTS = 1 << PART_LISTEN | 1 << PART_EGRESS | 1 << PART_INGRESS };
static const char namespace_key[] = "k8s:io.kubernetes.pod.namespace";

static void put_port(struct jsonw *w, int protocol, int64_t port)
{
    static const char *const words[] = { [NET_ANY] = "ANY", [NET_TCP] = "TCP", [NET_UDP] = "UDP" };
    char text[24];

    snprintf(text, sizeof text, "%" PRId64, port);
    jsonw_object(w);
    jsonw_kstr(w, "port", text);
    jsonw_kstr(w, "protocol", words[protocol]);
    jsonw_object_end(w);
}

static void open_ports(struct jsonw *w)
{
    jsonw_key(w, "toPorts");
    jsonw_array(w);
    jsonw_object(w);
    jsonw_key(w, "ports");
    jsonw_array(w);
}

static void close_ports(struct jsonw *w)
{
    jsonw_array_end(w);
    jsonw_object_end(w);
    jsonw_array_end(w);
}

static void put_listens(struct jsonw *w, const struct profile *p)
{
    open_ports(w);
    for (size_t i = 0; i < p->n_listens; i++)
        put_port(w, p->listens[i].protocol, p->listens[i].port);
    close_ports(w);
}

static void put_ports(struct jsonw *w, const struct profile_peer *e)
{
    if (e->n_ports == 0)
        return;
    open_ports(w);
    for (size_t i = 0; i < e->n_ports; i++)
        put_port(w, e->protocol, e->ports[i]);
    close_ports(w);
}

/* A selector without a namespace would mean the policy's own. */
static int put_endpoint(struct jsonw *w, const char *service, struct arena *arena, struct err *err)
{
    struct emit_service s;

    if (emit_service(service, arena, &s, err) != 0)
        return -1;
    jsonw_object(w);
    if (s.namespace != NULL || s.workload != NULL) {
        jsonw_key(w, "matchLabels");
        jsonw_object(w);
        if (s.namespace != NULL)
            jsonw_kstr(w, namespace_key, s.namespace);
        if (s.workload != NULL)
            jsonw_kstr(w, "app", s.workload);
        jsonw_object_end(w);
    }
    if (s.namespace == NULL) {
        jsonw_key(w, "matchExpressions");
        jsonw_array(w);
        jsonw_object(w);
        jsonw_kstr(w, "key", namespace_key);
        jsonw_kstr(w, "operator", "Exists");
        jsonw_object_end(w);
        jsonw_array_end(w);
    }
    jsonw_object_end(w);
    return 0;
}

static int put_peer(struct jsonw *w, const struct profile_peer *e, bool out, struct arena *arena, struct err *err)
{
    static const char *const keys[][2] = {
        [PEER_SERVICE] = { "fromEndpoints", "toEndpoints" }, [PEER_CIDR] = { "fromCIDR", "toCIDR" }, [PEER_DNS] = { "", "toFQDNs" },
    };
    int rc = 0;

    jsonw_key(w, keys[e->kind][out]);
    jsonw_array(w);
    if (e->kind == PEER_SERVICE) {
        rc = put_endpoint(w, e->service, arena, err);
    } else if (e->kind == PEER_CIDR) {
        jsonw_str(w, emit_cidr(e->cidr, arena));
    } else {
        jsonw_object(w);
        jsonw_kstr(w, str_starts(e->dns, "*.") ? "matchPattern" : "matchName", e->dns);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
    return rc;
}

static const char dns_rule[] =
    "{\"toEndpoints\":[{\"matchLabels\":{\"k8s:io.kubernetes.pod.namespace\":\"kube-system\",\"k8s:k8s-app\":\"kube-dns\"}}],"
    "\"toPorts\":[{\"ports\":[{\"port\":\"53\",\"protocol\":\"ANY\"}],\"rules\":{\"dns\":[{\"matchPattern\":\"*\"}]}}]}";

/* No rule at all would restrict nothing; one that selects nobody lets nobody pass. */
static int put_side(struct jsonw *w, const struct profile *p, bool out, struct arena *arena, struct err *err)
{
    const struct profile_peer *peers = out ? p->egress : p->ingress;
    size_t n = out ? p->n_egress : p->has_ingress ? p->n_ingress : 0, put = 0;

    jsonw_key(w, out ? "egress" : "ingress");
    jsonw_array(w);
    for (size_t i = 0; i < n; i++) {
        if (!out && (peers[i].kind == PEER_DNS || emit_has_no_port(p, &peers[i])))
            continue;
        if (out && put == 0)
            jsonw_raw(w, dns_rule, strlen(dns_rule));
        put++;
        jsonw_object(w);
        if (put_peer(w, &peers[i], out, arena, err) != 0)
            return -1;
        if (!out && peers[i].n_ports == 0 && p->has_listens)
            put_listens(w, p);
        else
            put_ports(w, &peers[i]);
        jsonw_object_end(w);
    }
    if (!out && !p->has_ingress && p->n_listens > 0) {
        jsonw_object(w);
        jsonw_key(w, "fromEntities");
        jsonw_raw(w, "[\"all\"]", 7);
        put_listens(w, p);
        jsonw_object_end(w);
        put++;
    }
    if (put == 0)
        jsonw_raw(w, "{}", 2);
    jsonw_array_end(w);
    return 0;
}

static void put_notes(const struct emit_spec *spec, struct buf *out)
{
    const struct profile *p = spec->profile;

    emit_head(spec, "CiliumNetworkPolicy", PARTS, out);
    emit_note(out, "Pods are found by the label app=%s; services by the label app of theirs.", spec->workload);
    if (p->has_egress && p->n_egress > 0)
        emit_note(out, "The cluster's DNS may be asked, through Cilium's proxy: only so it knows which addresses a name has.");
    for (size_t i = 0; i < p->n_ingress; i++) {
        if (p->ingress[i].kind == PEER_DNS)
            emit_note(out, "Who connects has no name there: %s is NOT let in by it.", p->ingress[i].dns);
    }
    emit_note(out, "It judges pods, not programs.");
}

int emit_cilium(const struct emit_spec *spec, struct arena *arena, struct buf *out, struct err *err)
{
    const struct profile *p = spec->profile;
    struct buf json;
    struct jsonw w;
    int rc = 0;

    put_notes(spec, out);
    buf_init(&json, TEXT_MAX_BYTES);
    jsonw_init(&w, &json);
    jsonw_object(&w);
    jsonw_kstr(&w, "apiVersion", "cilium.io/v2");
    jsonw_kstr(&w, "kind", "CiliumNetworkPolicy");
    jsonw_key(&w, "metadata");
    jsonw_object(&w);
    jsonw_kstr(&w, "name", p->name);
    jsonw_kstr(&w, "namespace", spec->namespace);
    jsonw_object_end(&w);
    jsonw_key(&w, "spec");
    jsonw_object(&w);
    jsonw_key(&w, "endpointSelector");
    emit_app_selector(&w, spec->workload);
    if (p->has_ingress || p->has_listens)
        rc = put_side(&w, p, false, arena, err);
    if (rc == 0 && p->has_egress)
        rc = put_side(&w, p, true, arena, err);
    jsonw_object_end(&w);
    jsonw_object_end(&w);
    if (rc == 0)
        rc = emit_yaml(arena, &json, out, err);
    buf_free(&json);
    return rc;
}
