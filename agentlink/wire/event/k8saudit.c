/* k8saudit.c - the audit log of the Kubernetes API server (audit.k8s.io): who asked for
 * what, and whether he got it.  One line or item per stage of a request; they share
 * their auditID. */
#include "wire/event/map.h"

#include "base/str.h"
#include "base/time.h"

#include <string.h>

static const struct map_row rows[] = {
    { "stageTimestamp", MAP_TIME, MAP_AT(at_ms), 0 },
    { "requestReceivedTimestamp", MAP_TIME, MAP_AT(at_ms), 0 },
    { "timestamp", MAP_TIME, MAP_AT(at_ms), 0 },
    { "auditID", MAP_TEXT, MAP_AT(event_id), 0 },
    { "verb", MAP_TEXT, MAP_AT(k8s.verb), 0 },
    { "requestURI", MAP_TEXT, MAP_AT(k8s.uri), 0 },
    { "user.username", MAP_TEXT, MAP_AT(process.user), 0 },
    { "userAgent", MAP_TEXT, MAP_AT(process.name), 0 },
    { "objectRef.namespace", MAP_TEXT, MAP_AT(place.namespace), 0 },
    { "objectRef.name", MAP_TEXT, MAP_AT(k8s.name), 0 },
    { "responseObject.metadata.name", MAP_TEXT, MAP_AT(k8s.name), 0 },
    { "requestObject.metadata.name", MAP_TEXT, MAP_AT(k8s.name), 0 },
    { "objectRef.subresource", MAP_TEXT, MAP_AT(k8s.subresource), 0 },
    { "responseStatus.code", MAP_INT, MAP_AT(k8s.code), 0 },
    { "stage", MAP_TEXT, MAP_AT(operation), 0 },
};

bool event_is_k8saudit(const struct json *doc)
{
    return json_is(json_get(doc, "auditID"), JSON_STRING) || json_is(json_get(doc, "requestURI"), JSON_STRING) ||
           (str_starts(json_get_str(doc, "apiVersion", ""), "audit.k8s.io/") && str_eq(json_get_str(doc, "kind", ""), "Event"));
}

static void map_resource(struct mapping *m, const struct json *ref)
{
    const char *resource = map_text(m, json_get(ref, "resource"), 253), *group = map_text(m, json_get(ref, "apiGroup"), 253);

    if (resource == NULL)
        return;
    m->event->k8s.resource = group != NULL ? map_printf(m, 0, "%s.%s", resource, group) : resource;
    if (!str_eq(resource, "pods"))
        return;
    m->event->place.pod = m->event->k8s.name;
    map_set(&m->event->place.pod_uid, map_text(m, json_get(ref, "uid"), 0));
    map_set(&m->event->place.workload, map_workload_of_pod(m, m->event->place.pod));
}

/* What runs in a pod that is asked for: the first container's image. */
static void map_pod(struct mapping *m, const struct json *doc)
{
    const struct json *containers = json_path(doc, "requestObject.spec.containers");

    if (json_len(containers) == 0)
        containers = json_path(doc, "requestObject.spec.template.spec.containers");
    if (json_len(containers) == 0)
        return;
    map_image(m, map_text(m, json_get(json_at(containers, 0), "image"), 0));
    map_set(&m->event->container.name, map_text(m, json_get(json_at(containers, 0), "name"), 0));
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
}

/* One value of a query, decoded, behind what is in out. */
static void put_decoded(struct buf *out, const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        int hi = s[i] == '%' && i + 2 < len ? hex_digit(s[i + 1]) : -1, lo = hi >= 0 ? hex_digit(s[i + 2]) : -1;
        if (lo >= 0) {
            buf_putc(out, (char)(hi << 4 | lo));
            i += 2;
        } else {
            buf_putc(out, s[i] == '+' ? ' ' : s[i]);
        }
    }
}

/* What is run in the pod: every command= of an exec's address.  Bytes that are no text
 * leave the address, which has it encoded, to speak. */
static void map_command(struct mapping *m, const char *uri)
{
    const char *at = uri != NULL ? strchr(uri, '?') : NULL;
    struct buf out;

    buf_init(&out, EVENT_ARGS_MAX + 1);
    for (; at != NULL; at = strchr(at + 1, '&')) {
        if (!str_starts(at + 1, "command="))
            continue;
        const char *value = at + 1 + strlen("command=");
        if (out.len > 0)
            buf_putc(&out, ' ');
        put_decoded(&out, value, strcspn(value, "&"));
    }
    if (!out.failed && out.len > 0 && str_is_utf8(out.ptr, out.len)) {
        const char *copy = arena_strndup(m->arena, out.ptr, out.len);
        m->no_memory |= copy == NULL;
        map_set(&m->event->process.args, copy);
    }
    buf_free(&out);
}

static bool enters_pod(const struct event_k8s *k)
{
    static const char *const ways[] = { "exec", "attach", "ephemeralcontainers", "portforward" };

    for (size_t i = 0; i < N_ITEMS(ways) && k->subresource != NULL; i++) {
        if (str_eq(k->subresource, ways[i]))
            return true;
    }
    return false;
}

static void judge(struct event *e)
{
    const struct event_k8s *k = &e->k8s;

    if ((k->decision != NULL && str_eq(k->decision, "forbid")) || k->code == 401 || k->code == 403) {
        e->verdict = VERDICT_DENIED;
        e->severity = 4;
    } else if (enters_pod(k)) {
        e->severity = 5;
    }
}

int event_map_k8saudit(struct mapping *m, const struct json *doc, struct err *err)
{
    struct event *e = m->event;
    const struct json *annotations = json_get(doc, "annotations"), *ips = json_get(doc, "sourceIPs");

    (void)err;
    e->kind = EVENT_K8S;
    map_nested(m, doc, rows, N_ITEMS(rows));
    map_set(&e->process.user, map_text(m, json_path(doc, "impersonatedUser.username"), 0));
    map_resource(m, json_get(doc, "objectRef"));
    map_pod(m, doc);
    e->k8s.decision = map_text(m, json_get(annotations, "authorization.k8s.io/decision"), 64);
    e->rule = map_text(m, json_get(annotations, "authorization.k8s.io/reason"), 0);
    if (json_len(ips) > 0)
        e->net.remote = map_text(m, json_at(ips, 0), 64);
    if (enters_pod(&e->k8s))
        map_command(m, json_get_str(doc, "requestURI", NULL));
    map_set(&e->message, map_text(m, json_path(doc, "responseStatus.message"), EVENT_MESSAGE_MAX));
    judge(e);
    return 0;
}
