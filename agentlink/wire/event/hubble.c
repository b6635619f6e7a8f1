/* hubble.c - flows of Cilium's Hubble: {"flow": {...}, "node_name", "time"}, or, as older
 * versions print, the flow itself; and the losses the same stream reports.
 *
 * A flow has a source and a destination; we have a container and its peer.  The
 * direction says which is which.  A reply teaches nothing about who may talk to whom:
 * its kind is other, so that nobody learns a peer from it. */
#include "wire/event/map.h"

#include "base/str.h"
#include "base/time.h"

#include <string.h>

static const struct map_row flow_rows[] = {
    { "time", MAP_TIME, MAP_AT(at_ms), 0 },
    { "uuid", MAP_TEXT, MAP_AT(event_id), 0 },
    { "node_name", MAP_TEXT, MAP_AT(node), 0 },
    { "drop_reason_desc", MAP_TEXT, MAP_AT(operation), 0 },
};

static const struct map_row wrapper_rows[] = {
    { "time", MAP_TIME, MAP_AT(at_ms), 0 },
    { "timestamp", MAP_TIME, MAP_AT(at_ms), 0 },
    { "node_name", MAP_TEXT, MAP_AT(node), 0 },
};

bool event_is_hubble(const struct json *doc)
{
    return json_is(json_get(doc, "flow"), JSON_OBJECT) || json_is(json_get(doc, "lost_events"), JSON_OBJECT) ||
           json_is(json_get(doc, "node_status"), JSON_OBJECT) || json_is(json_get(doc, "agent_event"), JSON_OBJECT) ||
           json_is(json_get(doc, "debug_event"), JSON_OBJECT) ||
           (json_get(doc, "verdict") != NULL &&
            (json_get(doc, "IP") != NULL || json_get(doc, "l4") != NULL || json_is(json_get(doc, "source"), JSON_OBJECT)));
}

static int verdict_of(const char *word, int64_t *severity)
{
    static const struct { const char *word; int verdict, severity; } verdicts[] = {
        { "DROPPED", VERDICT_DROPPED, 4 }, { "ERROR", VERDICT_DROPPED, 4 }, { "AUDIT", VERDICT_ALERT, 5 },
    };

    for (size_t i = 0; i < N_ITEMS(verdicts); i++) {
        if (str_eq(word, verdicts[i].word))
            return *severity = verdicts[i].severity, verdicts[i].verdict;
    }
    return VERDICT_OBSERVED;
}

/* ---- layer 4 ------------------------------------------------------------------------------ */

static const struct { const char *member, *protocol; } protocols[] = {
    { "TCP", "tcp" }, { "UDP", "udp" }, { "SCTP", "sctp" }, { "ICMPv4", "icmp" }, { "ICMPv6", "icmpv6" }, { "IGMP", "igmp" },
};

static const struct json *layer4(const struct json *flow, const char **protocol)
{
    const struct json *l4 = json_get(flow, "l4");

    for (size_t i = 0; i < N_ITEMS(protocols); i++) {
        const struct json *v = json_get(l4, protocols[i].member);
        if (v != NULL)
            return *protocol = protocols[i].protocol, v;
    }
    return NULL;
}

static void set_port(int64_t *to, const struct json *v)
{
    int64_t n;

    if (map_number(v, &n) && n >= 0 && n <= 65535)
        *to = n;
}

/* Is it an answer?  Versions before is_reply have reply, and leave it out when false; where
 * neither can be relied upon, TCP's flags or the refusal of a packet tell the opener. */
static bool is_reply(const struct json *flow, bool is_wrapped, int verdict, const struct json *l4)
{
    const struct json *is = json_get(flow, "is_reply"), *old = json_get(flow, "reply"), *flags = json_get(l4, "flags");
    bool syn = json_bool(json_get(flags, "SYN"), false), ack = json_bool(json_get(flags, "ACK"), false);

    if (json_is(is, JSON_BOOL) || json_is(is, JSON_OBJECT))
        return map_is_true(is);
    if (json_is(old, JSON_BOOL))
        return old->boolean;
    if (str_eq(json_str(json_path(flow, "l7.type"), ""), "RESPONSE"))
        return true;
    if (syn)
        return ack;
    return is_wrapped && verdict == VERDICT_OBSERVED && json_get(flow, "l7") == NULL && flags != NULL;
}

/* ---- the two ends --------------------------------------------------------------------------- */

static const char *workload_of(struct mapping *m, const struct json *end)
{
    const struct json *workloads = json_get(end, "workloads");
    const char *name = json_len(workloads) > 0 ? map_text(m, json_get(json_at(workloads, 0), "name"), 0) : NULL;

    return name != NULL ? name : map_workload_of_pod(m, map_text(m, json_get(end, "pod_name"), 0));
}

static void map_here(struct mapping *m, const struct json *end)
{
    struct event_place *p = &m->event->place;

    p->namespace = map_text(m, json_get(end, "namespace"), 0);
    p->pod = map_text(m, json_get(end, "pod_name"), 0);
    p->workload = workload_of(m, end);
}

static void map_there(struct mapping *m, const struct json *end, const struct json *names)
{
    struct event_net *net = &m->event->net;
    const char *namespace = map_text(m, json_get(end, "namespace"), 253), *workload = workload_of(m, end);

    if (namespace != NULL && workload != NULL)
        net->remote_service = map_printf(m, 0, "%s/%s", namespace, workload);
    if (json_len(names) > 0)
        net->remote_name = map_text(m, json_at(names, 0), 0);
}

/* Are we where the packet goes to? */
static void map_ends(struct mapping *m, const struct json *flow, const struct json *l4, bool is_arriving)
{
    struct event_net *net = &m->event->net;
    const struct json *ip = json_get(flow, "IP"), *from = json_get(flow, "source"), *to = json_get(flow, "destination");

    map_here(m, is_arriving ? to : from);
    map_there(m, is_arriving ? from : to, json_get(flow, is_arriving ? "source_names" : "destination_names"));
    net->local = map_text(m, json_get(ip, is_arriving ? "destination" : "source"), 64);
    net->remote = map_text(m, json_get(ip, is_arriving ? "source" : "destination"), 64);
    set_port(&net->local_port, json_get(l4, is_arriving ? "destination_port" : "source_port"));
    set_port(&net->remote_port, json_get(l4, is_arriving ? "source_port" : "destination_port"));
}

/* ---- layer 7 --------------------------------------------------------------------------------- */

static const char *without_dot(struct mapping *m, const char *name)
{
    size_t len = name != NULL ? strlen(name) : 0;

    return len > 1 && name[len - 1] == '.' ? map_textn(m, name, len - 1, 0) : name;
}

static void map_layer7(struct mapping *m, const struct json *flow)
{
    struct event *e = m->event;
    const struct json *l7 = json_get(flow, "l7"), *dns = json_get(l7, "dns"), *http = json_get(l7, "http");
    int64_t code;

    if (dns != NULL) {
        e->kind = EVENT_DNS;
        e->net.remote_name = without_dot(m, map_text(m, json_get(dns, "query"), 0));
        map_set(&e->operation, "dns");
    } else if (http != NULL) {
        const char *method = map_text(m, json_get(http, "method"), 32), *url = map_text(m, json_get(http, "url"), 2048);
        map_set(&e->operation, method);
        if (map_number(json_get(http, "code"), &code) && code > 0)
            e->message = map_printf(m, EVENT_MESSAGE_MAX, "%s %s %lld", method != NULL ? method : "", url != NULL ? url : "", (long long)code);
        else
            e->message = map_printf(m, EVENT_MESSAGE_MAX, "%s %s", method != NULL ? method : "", url != NULL ? url : "");
    }
}

static void map_denied_by(struct mapping *m, const struct json *flow)
{
    static const char *const lists[] = { "egress_denied_by", "ingress_denied_by", "egress_allowed_by", "ingress_allowed_by" };

    for (size_t i = 0; i < N_ITEMS(lists); i++) {
        const struct json *by = json_get(flow, lists[i]);
        if (json_len(by) > 0)
            map_set(&m->event->rule, map_text(m, json_get(json_at(by, 0), "name"), 0));
    }
}

static void map_flow(struct mapping *m, const struct json *flow, bool is_wrapped)
{
    struct event *e = m->event;
    const struct json *l4 = layer4(flow, &e->net.protocol);
    bool is_in = str_eq(json_get_str(flow, "traffic_direction", ""), "INGRESS");

    map_flat(m, flow, flow_rows, N_ITEMS(flow_rows));
    e->verdict = verdict_of(json_get_str(flow, "verdict", ""), &e->severity);
    bool reply = is_reply(flow, is_wrapped, e->verdict, l4);
    /* The direction is the connection's: the answer to one that went out arrives. */
    map_ends(m, flow, l4, is_in != reply);
    e->net.direction = is_in ? "in" : "out";
    e->kind = reply ? EVENT_OTHER : is_in ? EVENT_ACCEPT : EVENT_CONNECT;
    map_denied_by(m, flow);
    map_layer7(m, flow);
    if (reply && e->kind == EVENT_OTHER)
        map_set(&e->operation, "reply");
    map_set(&e->message, map_text(m, json_get(flow, "Summary"), EVENT_MESSAGE_MAX));
}

int event_map_hubble(struct mapping *m, const struct json *doc, struct err *err)
{
    const struct json *flow = json_get(doc, "flow"), *lost = json_get(doc, "lost_events");
    struct event *e = m->event;
    int64_t n;

    (void)err;
    map_flat(m, doc, wrapper_rows, N_ITEMS(wrapper_rows));
    if (json_is(lost, JSON_OBJECT)) {
        e->kind = EVENT_DROP;
        e->severity = 4;
        e->count = map_number(json_get(lost, "num_events_lost"), &n) && n > 0 ? n : 0;
        e->operation = map_text(m, json_get(lost, "source"), 64);
    } else if (json_is(flow, JSON_OBJECT) || json_get(doc, "verdict") != NULL) {
        bool is_wrapped = json_is(flow, JSON_OBJECT);
        map_flow(m, is_wrapped ? flow : doc, is_wrapped);
    }
    return 0;
}
