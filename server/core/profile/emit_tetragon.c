/* emit_tetragon.c - cilium.io/v1alpha1 TracingPolicyNamespaced: kernel hooks that report,
 * and in mode protect kill. */
#include "core/profile/emit_internal.h"

#include "base/str.h"

#include <inttypes.h>
#include <stdio.h>

enum { TEXT_MAX_BYTES = 4 << 20, PARTS = 1 << PART_EXECUTABLE | 1 << PART_LISTEN | 1 << PART_EGRESS };

static void put_action(struct jsonw *w, const struct profile *p)
{
    jsonw_key(w, "matchActions");
    jsonw_array(w);
    jsonw_object(w);
    jsonw_kstr(w, "action", p->mode == PROFILE_PROTECT ? "Sigkill" : "Post");
    jsonw_object_end(w);
    jsonw_array_end(w);
}

static void open_probe(struct jsonw *w, const char *call, const char *type)
{
    jsonw_object(w);
    jsonw_kstr(w, "call", call);
    jsonw_kbool(w, "syscall", false);
    jsonw_key(w, "args");
    jsonw_array(w);
    jsonw_object(w);
    jsonw_kint(w, "index", 0);
    jsonw_kstr(w, "type", type);
    jsonw_object_end(w);
    jsonw_array_end(w);
    jsonw_key(w, "selectors");
    jsonw_array(w);
}

static void close_probe(struct jsonw *w)
{
    jsonw_array_end(w);
    jsonw_object_end(w);
}

static void open_values(struct jsonw *w, const char *operator)
{
    jsonw_object(w);
    jsonw_kint(w, "index", 0);
    jsonw_kstr(w, "operator", operator);
    jsonw_key(w, "values");
    jsonw_array(w);
}

static void close_values(struct jsonw *w)
{
    jsonw_array_end(w);
    jsonw_object_end(w);
}

static void put_port(struct jsonw *w, int64_t port)
{
    char text[24];

    snprintf(text, sizeof text, "%" PRId64, port);
    jsonw_str(w, text);
}

static void put_programs(struct jsonw *w, const struct profile *p)
{
    open_probe(w, "security_bprm_check", "linux_binprm");
    jsonw_object(w);
    if (p->n_executables > 0) {
        jsonw_key(w, "matchArgs");
        jsonw_array(w);
        open_values(w, "NotEqual");
        for (size_t i = 0; i < p->n_executables; i++)
            jsonw_str(w, p->executables[i].path);
        close_values(w);
        jsonw_array_end(w);
    }
    put_action(w, p);
    jsonw_object_end(w);
    close_probe(w);
}

static void put_listens(struct jsonw *w, const struct profile *p)
{
    open_probe(w, "inet_csk_listen_start", "sock");
    jsonw_object(w);
    if (p->n_listens > 0) {
        jsonw_key(w, "matchArgs");
        jsonw_array(w);
        open_values(w, "NotSPort");
        for (size_t i = 0; i < p->n_listens; i++)
            put_port(w, p->listens[i].port);
        close_values(w);
        jsonw_array_end(w);
    }
    put_action(w, p);
    jsonw_object_end(w);
    close_probe(w);
}

/* To an address of none of the networks. */
static void put_strangers(struct jsonw *w, const struct profile *p, struct arena *arena)
{
    jsonw_object(w);
    jsonw_key(w, "matchArgs");
    jsonw_array(w);
    open_values(w, "NotDAddr");
    jsonw_str(w, "127.0.0.0/8");
    for (size_t i = 0; i < p->n_egress; i++) {
        if (p->egress[i].kind == PEER_CIDR)
            jsonw_str(w, emit_cidr(p->egress[i].cidr, arena));
    }
    close_values(w);
    jsonw_array_end(w);
    put_action(w, p);
    jsonw_object_end(w);
}

/* To a network, but to another port. */
static void put_other_port(struct jsonw *w, const struct profile *p, const struct profile_peer *e, struct arena *arena)
{
    jsonw_object(w);
    jsonw_key(w, "matchArgs");
    jsonw_array(w);
    open_values(w, "DAddr");
    jsonw_str(w, emit_cidr(e->cidr, arena));
    close_values(w);
    open_values(w, "NotDPort");
    for (size_t i = 0; i < e->n_ports; i++)
        put_port(w, e->ports[i]);
    close_values(w);
    jsonw_array_end(w);
    put_action(w, p);
    jsonw_object_end(w);
}

static bool has_names(const struct profile *p)
{
    for (size_t i = 0; i < p->n_egress; i++) {
        if (p->egress[i].kind != PEER_CIDR)
            return true;
    }
    return false;
}

static void put_egress(struct jsonw *w, const struct profile *p, struct arena *arena)
{
    open_probe(w, "tcp_connect", "sock");
    put_strangers(w, p, arena);
    for (size_t i = 0; i < p->n_egress; i++) {
        if (p->egress[i].n_ports > 0)
            put_other_port(w, p, &p->egress[i], arena);
    }
    close_probe(w);
}

static void put_notes(const struct emit_spec *spec, struct buf *out)
{
    const struct profile *p = spec->profile;

    emit_head(spec, "Tetragon TracingPolicyNamespaced", PARTS, out);
    emit_note(out, "Pods are found by the label app=%s.", spec->workload);
    emit_note(out, p->mode == PROFILE_PROTECT ? "The profile's mode is protect: who departs from it is killed." :
                                                "The profile's mode is not protect: departures are reported only.");
    if (p->has_egress && has_names(p))
        emit_note(out, "No hook for connections: the kernel knows addresses only, and the profile names services or DNS names.");
    else if (p->has_egress)
        emit_note(out, "Connections of TCP only; networks that overlap need all their ports at each.");
    emit_note(out, "Parents and content (sha256) of programs are not compared; what an allowed interpreter runs is not seen.");
}

int emit_tetragon(const struct emit_spec *spec, struct arena *arena, struct buf *out, struct err *err)
{
    const struct profile *p = spec->profile;
    struct buf json;
    struct jsonw w;

    put_notes(spec, out);
    buf_init(&json, TEXT_MAX_BYTES);
    jsonw_init(&w, &json);
    jsonw_object(&w);
    jsonw_kstr(&w, "apiVersion", "cilium.io/v1alpha1");
    jsonw_kstr(&w, "kind", "TracingPolicyNamespaced");
    jsonw_key(&w, "metadata");
    jsonw_object(&w);
    jsonw_kstr(&w, "name", p->name);
    jsonw_kstr(&w, "namespace", spec->namespace);
    jsonw_object_end(&w);
    jsonw_key(&w, "spec");
    jsonw_object(&w);
    jsonw_key(&w, "podSelector");
    emit_app_selector(&w, spec->workload);
    jsonw_key(&w, "kprobes");
    jsonw_array(&w);
    if (p->has_executables)
        put_programs(&w, p);
    if (p->has_listens)
        put_listens(&w, p);
    if (p->has_egress && !has_names(p))
        put_egress(&w, p, arena);
    jsonw_array_end(&w);
    jsonw_object_end(&w);
    jsonw_object_end(&w);
    int rc = emit_yaml(arena, &json, out, err);
    buf_free(&json);
    return rc;
}
