/* falco.c - Falco's alerts: one JSON object each, on a line, in a POST, or as
 * falcosidekick passes them on (with a uuid).
 *
 * output_fields is flat: the keys have dots, the values are texts, numbers, booleans or
 * null.  Which of them are there is up to the rule; old rules do not even say evt.type,
 * so the kind is told from what there is. */
#include "wire/event/map.h"

#include "base/str.h"
#include "base/time.h"

#include <stdio.h>
#include <string.h>

static const struct map_row envelope[] = {
    { "time", MAP_TIME, MAP_AT(at_ms), 0 },
    { "rule", MAP_TEXT, MAP_AT(rule), 0 },
    { "output", MAP_TEXT, MAP_AT(message), EVENT_MESSAGE_MAX },
    { "message", MAP_TEXT, MAP_AT(message), EVENT_MESSAGE_MAX },
    { "hostname", MAP_TEXT, MAP_AT(node), 0 },
    { "uuid", MAP_TEXT, MAP_AT(event_id), 0 },
};

static const struct map_row fields[] = {
    { "evt.time", MAP_TIME, MAP_AT(at_ms), 0 },
    { "evt.time.iso8601", MAP_TIME, MAP_AT(at_ms), 0 },
    { "evt.hostname", MAP_TEXT, MAP_AT(node), 0 },
    { "evt.type", MAP_TEXT, MAP_AT(operation), 0 },
    { "evt.arg.flags", MAP_TEXT, MAP_AT(file.flags), 0 },
    { "proc.exepath", MAP_TEXT, MAP_AT(process.exe), 0 },
    { "proc.name", MAP_TEXT, MAP_AT(process.name), 0 },
    { "proc.cmdline", MAP_TEXT, MAP_AT(process.args), EVENT_ARGS_MAX },
    { "proc.args", MAP_TEXT, MAP_AT(process.args), EVENT_ARGS_MAX },
    { "proc.cwd", MAP_TEXT, MAP_AT(process.cwd), 0 },
    { "proc.pid", MAP_ID, MAP_AT(process.pid), 0 },
    { "proc.ppid", MAP_ID, MAP_AT(process.ppid), 0 },
    { "proc.pexepath", MAP_TEXT, MAP_AT(process.parent_exe), 0 },
    { "proc.pname", MAP_TEXT, MAP_AT(process.parent_name), 0 },
    { "proc.hash.sha256", MAP_TEXT, MAP_AT(process.sha256), 0 },
    { "user.name", MAP_TEXT, MAP_AT(process.user), 0 },
    { "user.uid", MAP_ID, MAP_AT(process.uid), 0 },
    { "user.loginuid", MAP_ID, MAP_AT(process.auid), 0 },
    { "container.name", MAP_TEXT, MAP_AT(container.name), 0 },
    { "container.type", MAP_TEXT, MAP_AT(container.runtime), 0 },
    { "container.image.digest", MAP_TEXT, MAP_AT(container.digest), 0 },
    { "k8s.ns.name", MAP_TEXT, MAP_AT(place.namespace), 0 },
    { "k8s.pod.name", MAP_TEXT, MAP_AT(place.pod), 0 },
    { "k8s.pod.uid", MAP_TEXT, MAP_AT(place.pod_uid), 0 },
    { "k8s.deployment.name", MAP_TEXT, MAP_AT(place.workload), 0 },
    { "fd.l4proto", MAP_TEXT, MAP_AT(net.protocol), 0 },
    { "fd.rip.name", MAP_TEXT, MAP_AT(net.remote_name), 0 },
    { "fd.sip.name", MAP_TEXT, MAP_AT(net.remote_name), 0 },
    { "fd.lip", MAP_TEXT, MAP_AT(net.local), 0 },
    { "fd.rip", MAP_TEXT, MAP_AT(net.remote), 0 },
    { "fd.lport", MAP_PORT, MAP_AT(net.local_port), 0 },
    { "fd.rport", MAP_PORT, MAP_AT(net.remote_port), 0 },
    { "ka.user.name", MAP_TEXT, MAP_AT(process.user), 0 },
    { "ka.verb", MAP_TEXT, MAP_AT(k8s.verb), 0 },
    { "ka.target.resource", MAP_TEXT, MAP_AT(k8s.resource), 0 },
    { "ka.target.subresource", MAP_TEXT, MAP_AT(k8s.subresource), 0 },
    { "ka.target.name", MAP_TEXT, MAP_AT(k8s.name), 0 },
    { "ka.resp.name", MAP_TEXT, MAP_AT(k8s.name), 0 },
    { "ka.target.namespace", MAP_TEXT, MAP_AT(place.namespace), 0 },
    { "ka.uri", MAP_TEXT, MAP_AT(k8s.uri), 0 },
    { "ka.uri.param[command]", MAP_TEXT, MAP_AT(process.args), EVENT_ARGS_MAX },
    { "ka.auth.decision", MAP_TEXT, MAP_AT(k8s.decision), 0 },
    { "ka.response.code", MAP_INT, MAP_AT(k8s.code), 0 },
};

/* Where a path may stand when it is not in fd.name. */
static const struct map_row paths[] = {
    { "evt.arg.path", MAP_TEXT, MAP_AT(file.path), 0 },
    { "evt.arg.newpath", MAP_TEXT, MAP_AT(file.path), 0 },
    { "evt.arg.linkpath", MAP_TEXT, MAP_AT(file.path), 0 },
    { "evt.arg.filename", MAP_TEXT, MAP_AT(file.path), 0 },
    { "evt.arg.name", MAP_TEXT, MAP_AT(file.path), 0 },
};

bool event_is_falco(const struct json *doc)
{
    return json_get(doc, "output_fields") != NULL ? json_get(doc, "rule") != NULL || json_get(doc, "output") != NULL
                                                  : json_is(json_get(doc, "rule"), JSON_STRING) && json_get(doc, "priority") != NULL;
}

static void map_falco_image(struct mapping *m, const struct json *f)
{
    const char *repository = map_text(m, json_get(f, "container.image.repository"), 0);
    const char *tag = map_text(m, json_get(f, "container.image.tag"), 128);

    if (repository == NULL)
        repository = map_text(m, json_get(f, "container.image"), 0), tag = NULL;
    if (repository != NULL)
        m->event->container.image = tag != NULL ? map_printf(m, 0, "%s:%s", repository, tag) : repository;
}

static void map_chain(struct mapping *m, const struct json *f)
{
    struct event_process *p = &m->event->process;
    const char *name = p->parent_exe != NULL ? p->parent_exe : p->parent_name;
    char key[32];

    map_ancestor(m, name, p->ppid);
    for (int i = 2; i < EVENT_CHAIN_MAX && name != NULL; i++) {
        snprintf(key, sizeof key, "proc.aexepath[%d]", i);
        name = map_text(m, json_get(f, key), 0);
        snprintf(key, sizeof key, "proc.aname[%d]", i);
        name = name != NULL ? name : map_text(m, json_get(f, key), 0);
        map_ancestor(m, name, -1);
    }
}

/* "client:port->server:port", "address:port" of what listens, or a path. */
static void map_fd(struct mapping *m, const struct json *f)
{
    const char *name = map_text(m, json_get(f, "fd.name"), 0);
    const char *arrow = name != NULL ? strstr(name, "->") : NULL, *a = NULL, *b = NULL;
    struct event_net *net = &m->event->net;
    int64_t a_port = -1, b_port = -1;

    if (arrow != NULL && map_endpoint(m, name, (size_t)(arrow - name), &a, &a_port) &&
        map_endpoint(m, arrow + 2, strlen(arrow + 2), &b, &b_port)) {
        bool is_server = net->local_port >= 0 ? net->local_port == b_port && net->local_port != a_port
                                              : kind_of_operation(m->event->operation) == EVENT_ACCEPT;
        map_set(&net->local, is_server ? b : a);
        map_set(&net->remote, is_server ? a : b);
        net->local_port = is_server ? b_port : a_port;
        net->remote_port = is_server ? a_port : b_port;
        net->direction = is_server ? "in" : "out";
    } else if (name != NULL && arrow == NULL && map_endpoint(m, name, strlen(name), &a, &a_port)) {
        map_set(&net->local, a);
        net->local_port = a_port;
    } else if (name != NULL) {
        m->event->file.path = name;
    }
    map_flat(m, f, paths, m->event->file.path == NULL ? N_ITEMS(paths) : 0);
}

static bool contains_nocase(const char *text, const char *word)
{
    return text != NULL && strcasestr(text, word) != NULL;
}

/* Falco's own messages: losses, metrics. */
static void map_internal(struct mapping *m, const struct json *f)
{
    static const char *const counts[] = { "n_drops", "scap.n_drops", "falco.outputs_queue_num_drops" };
    struct event *e = m->event;

    e->verdict = VERDICT_OBSERVED;
    if (contains_nocase(e->rule, "metrics"))
        e->kind = EVENT_METRICS;
    if (!contains_nocase(e->rule, "drop"))
        return;
    e->kind = EVENT_DROP;
    e->count = 0;
    for (size_t i = 0; i < N_ITEMS(counts) && e->count == 0; i++) {
        int64_t n;
        if (map_number(json_get(f, counts[i]), &n) && n > 0)
            e->count = n;
    }
}

/* Without evt.type, what the rule printed tells. */
static int kind_by_fields(const struct event *e)
{
    if (e->net.remote != NULL || e->net.remote_port >= 0)
        return str_eq(e->net.direction, "in") ? EVENT_ACCEPT : EVENT_CONNECT;
    if (e->net.local != NULL)
        return EVENT_LISTEN;
    if (e->file.path != NULL)
        return flags_write(e->file.flags) || contains_nocase(e->rule, "write") || contains_nocase(e->message, "for writing")
                   ? EVENT_FILE_WRITE : EVENT_FILE_OPEN;
    return e->process.args != NULL || e->process.exe != NULL ? EVENT_EXEC : EVENT_OTHER;
}

static int kind_of(const struct event *e, const char *source)
{
    if (e->k8s.verb != NULL || e->k8s.resource != NULL || e->k8s.uri != NULL || str_starts(source, "k8s"))
        return EVENT_K8S;
    if (e->operation == NULL)
        return str_eq(source, "") || str_starts(source, "syscall") ? kind_by_fields(e) : EVENT_OTHER;
    int kind = kind_of_operation(e->operation);
    return kind == EVENT_FILE_OPEN && flags_write(e->file.flags) ? EVENT_FILE_WRITE : kind;
}

int event_map_falco(struct mapping *m, const struct json *doc, struct err *err)
{
    struct event *e = m->event;
    const struct json *f = json_get(doc, "output_fields");
    const char *source = json_get_str(doc, "source", "");

    (void)err;
    e->verdict = VERDICT_ALERT;
    e->severity = severity_of_word(json_get_str(doc, "priority", NULL), 5);
    map_flat(m, doc, envelope, N_ITEMS(envelope));
    map_tags(m, json_get(doc, "tags"));
    map_flat(m, f, fields, N_ITEMS(fields));
    map_container_id(m, map_text(m, json_get(f, "container.id"), 0));
    map_falco_image(m, f);
    map_fd(m, f);
    map_chain(m, f);
    if (str_eq(source, "internal") || (e->rule != NULL && str_starts(e->rule, "Falco internal"))) {
        map_internal(m, f);
        return 0;
    }
    e->kind = kind_of(e, source);
    if (e->kind == EVENT_K8S && e->k8s.resource != NULL && str_eq(e->k8s.resource, "pods"))
        map_set(&e->place.pod, e->k8s.name);
    return 0;
}
