/* emit_networkpolicy.c - networking.k8s.io/v1 NetworkPolicy. */
#include "core/profile/emit_internal.h"

#include "base/str.h"

#include <string.h>

enum { TEXT_MAX_BYTES = 4 << 20, PARTS = 1 << PART_LISTEN | 1 << PART_EGRESS | 1 << PART_INGRESS };

static void put_port(struct jsonw *w, const char *protocol, int64_t port)
{
    jsonw_object(w);
    jsonw_kstr(w, "protocol", protocol);
    jsonw_kint(w, "port", port);
    jsonw_object_end(w);
}

static void put_both(struct jsonw *w, int protocol, int64_t port)
{
    if (protocol != NET_UDP)
        put_port(w, "TCP", port);
    if (protocol != NET_TCP)
        put_port(w, "UDP", port);
}

static void put_ports(struct jsonw *w, const struct profile_peer *e)
{
    if (e->n_ports == 0)
        return;
    jsonw_key(w, "ports");
    jsonw_array(w);
    for (size_t i = 0; i < e->n_ports; i++)
        put_both(w, e->protocol, e->ports[i]);
    jsonw_array_end(w);
}

static void put_listens(struct jsonw *w, const struct profile *p)
{
    jsonw_key(w, "ports");
    jsonw_array(w);
    for (size_t i = 0; i < p->n_listens; i++)
        put_both(w, p->listens[i].protocol, p->listens[i].port);
    jsonw_array_end(w);
}

static int put_peer(struct jsonw *w, const struct profile_peer *e, struct arena *arena, struct err *err)
{
    struct emit_service s;

    if (e->kind == PEER_CIDR) {
        jsonw_object(w);
        jsonw_key(w, "ipBlock");
        jsonw_object(w);
        jsonw_kstr(w, "cidr", emit_cidr(e->cidr, arena));
        jsonw_object_end(w);
        jsonw_object_end(w);
        return 0;
    }
    if (emit_service(e->service, arena, &s, err) != 0)
        return -1;
    jsonw_object(w);
    jsonw_key(w, "namespaceSelector");
    jsonw_object(w);
    if (s.namespace != NULL) {
        jsonw_key(w, "matchLabels");
        jsonw_object(w);
        jsonw_kstr(w, "kubernetes.io/metadata.name", s.namespace);
        jsonw_object_end(w);
    }
    jsonw_object_end(w);
    if (s.workload != NULL) {
        jsonw_key(w, "podSelector");
        emit_app_selector(w, s.workload);
    }
    jsonw_object_end(w);
    return 0;
}

static int put_rules(struct jsonw *w, const struct profile *p, bool out, struct arena *arena, struct err *err)
{
    const struct profile_peer *peers = out ? p->egress : p->ingress;
    size_t n = out ? p->n_egress : p->n_ingress;

    for (size_t i = 0; i < n; i++) {
        if (peers[i].kind == PEER_DNS || (!out && emit_has_no_port(p, &peers[i])))
            continue;
        jsonw_object(w);
        jsonw_key(w, out ? "to" : "from");
        jsonw_array(w);
        if (put_peer(w, &peers[i], arena, err) != 0)
            return -1;
        jsonw_array_end(w);
        if (!out && peers[i].n_ports == 0 && p->has_listens)
            put_listens(w, p);
        else
            put_ports(w, &peers[i]);
        jsonw_object_end(w);
    }
    return 0;
}

/* Whoever resolves names asks the cluster's DNS. */
static const char dns_peers[] = "[{\"namespaceSelector\":{\"matchLabels\":{\"kubernetes.io/metadata.name\":\"kube-system\"}},"
                                "\"podSelector\":{\"matchLabels\":{\"k8s-app\":\"kube-dns\"}}}]";

static void put_dns_rule(struct jsonw *w)
{
    jsonw_object(w);
    jsonw_key(w, "to");
    jsonw_raw(w, dns_peers, strlen(dns_peers));
    jsonw_key(w, "ports");
    jsonw_array(w);
    put_both(w, NET_ANY, 53);
    jsonw_array_end(w);
    jsonw_object_end(w);
}

static void put_ingress_of_anybody(struct jsonw *w, const struct profile *p)
{
    if (p->n_listens == 0)
        return;                            /* nobody has anything to connect to */
    jsonw_object(w);
    put_listens(w, p);
    jsonw_object_end(w);
}

static int put_spec(struct jsonw *w, const struct emit_spec *spec, struct arena *arena, struct err *err)
{
    const struct profile *p = spec->profile;

    jsonw_key(w, "podSelector");
    emit_app_selector(w, spec->workload);
    jsonw_key(w, "policyTypes");
    jsonw_array(w);
    if (p->has_ingress || p->has_listens)
        jsonw_str(w, "Ingress");
    if (p->has_egress)
        jsonw_str(w, "Egress");
    jsonw_array_end(w);
    if (p->has_ingress || p->has_listens) {
        jsonw_key(w, "ingress");
        jsonw_array(w);
        if (!p->has_ingress)
            put_ingress_of_anybody(w, p);
        else if (put_rules(w, p, false, arena, err) != 0)
            return -1;
        jsonw_array_end(w);
    }
    if (!p->has_egress)
        return 0;
    jsonw_key(w, "egress");
    jsonw_array(w);
    if (p->n_egress > 0)
        put_dns_rule(w);
    if (put_rules(w, p, true, arena, err) != 0)
        return -1;
    jsonw_array_end(w);
    return 0;
}

static void put_notes(const struct emit_spec *spec, struct buf *out)
{
    const struct profile *p = spec->profile;

    emit_head(spec, "NetworkPolicy", PARTS, out);
    emit_note(out, "Pods are found by the label app=%s; services by the label app of theirs.", spec->workload);
    if (p->has_egress && p->n_egress > 0)
        emit_note(out, "The cluster's DNS may be asked, else no name resolves.");
    for (size_t i = 0; i < p->n_egress; i++) {
        if (p->egress[i].kind == PEER_DNS)
            emit_note(out, "NetworkPolicy knows no names: %s is NOT allowed by it; use cilium, or name networks.", p->egress[i].dns);
    }
    for (size_t i = 0; i < p->n_ingress; i++) {
        if (p->ingress[i].kind == PEER_DNS)
            emit_note(out, "NetworkPolicy knows no names: %s is NOT let in by it.", p->ingress[i].dns);
    }
    emit_note(out, "It is enforced only where the network plugin does; it judges pods, not programs, and nothing on host networks.");
}

int emit_networkpolicy(const struct emit_spec *spec, struct arena *arena, struct buf *out, struct err *err)
{
    struct buf json;
    struct jsonw w;

    put_notes(spec, out);
    buf_init(&json, TEXT_MAX_BYTES);
    jsonw_init(&w, &json);
    jsonw_object(&w);
    jsonw_kstr(&w, "apiVersion", "networking.k8s.io/v1");
    jsonw_kstr(&w, "kind", "NetworkPolicy");
    jsonw_key(&w, "metadata");
    jsonw_object(&w);
    jsonw_kstr(&w, "name", spec->profile->name);
    jsonw_kstr(&w, "namespace", spec->namespace);
    jsonw_object_end(&w);
    jsonw_key(&w, "spec");
    jsonw_object(&w);
    int rc = put_spec(&w, spec, arena, err);
    jsonw_object_end(&w);
    jsonw_object_end(&w);
    if (rc == 0)
        rc = emit_yaml(arena, &json, out, err);
    buf_free(&json);
    return rc;
}
