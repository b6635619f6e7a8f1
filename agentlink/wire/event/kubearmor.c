/* kubearmor.c - KubeArmor's alerts and logs, as the relay prints them, and the older form
 * of its discovery engine, whose keys begin with small letters.
 *
 * The details of an operation stand in texts of pairs: Resource ("remoteip=10.0.0.1
 * port=443 protocol=TCP"), Data ("syscall=SYS_OPENAT flags=O_RDONLY"), and, in newer
 * versions, EventData. */
#include "wire/event/map.h"

#include "base/str.h"
#include "base/time.h"

#include <stdlib.h>
#include <string.h>

static const struct map_row rows[] = {
    { "UpdatedTime", MAP_TIME, MAP_AT(at_ms), 0 },
    { "UpdatedTimeISO", MAP_TIME, MAP_AT(at_ms), 0 },
    { "Timestamp", MAP_TIME, MAP_AT(at_ms), 0 },
    { "HostName", MAP_TEXT, MAP_AT(node), 0 },
    { "NamespaceName", MAP_TEXT, MAP_AT(place.namespace), 0 },
    { "PodName", MAP_TEXT, MAP_AT(place.pod), 0 },
    { "ContainerName", MAP_TEXT, MAP_AT(container.name), 0 },
    { "HostPID", MAP_ID, MAP_AT(process.pid), 0 },
    { "PID", MAP_ID, MAP_AT(process.pid), 0 },
    { "HostPPID", MAP_ID, MAP_AT(process.ppid), 0 },
    { "PPID", MAP_ID, MAP_AT(process.ppid), 0 },
    { "UID", MAP_ID, MAP_AT(process.uid), 0 },
    { "UserName", MAP_TEXT, MAP_AT(process.user), 0 },
    { "ProcessName", MAP_TEXT, MAP_AT(process.exe), 0 },
    { "ParentProcessName", MAP_TEXT, MAP_AT(process.parent_exe), 0 },
    { "ProcessHash", MAP_TEXT, MAP_AT(process.sha256), 0 },
    { "Cwd", MAP_TEXT, MAP_AT(process.cwd), 0 },
    { "PolicyName", MAP_TEXT, MAP_AT(rule), 0 },
    { "Message", MAP_TEXT, MAP_AT(message), EVENT_MESSAGE_MAX },
};

bool event_is_kubearmor(const struct json *doc)
{
    const struct json *operation = map_get_nocase(doc, "Operation");

    return json_is(operation, JSON_STRING) &&
           (map_get_nocase(doc, "HostName") != NULL || map_get_nocase(doc, "ClusterName") != NULL || map_get_nocase(doc, "Type") != NULL);
}

/* ---- the details of an operation ------------------------------------------------------------ */

struct details {
    const char *source, *resource, *data;
    const struct json *event_data;
};

/* A detail by its name, wherever it stands. */
static const char *detail(struct mapping *m, const struct details *d, const char *key)
{
    const char *text = map_text(m, map_get_nocase(d->event_data, key), 0);

    if (text != NULL && strchr(text, ',') != NULL && strchr(text, '=') != NULL)
        text = map_textn(m, text, strcspn(text, ","), 0);         /* "UDP_SENDMSG,domain=...": of a version that did not split */
    if (text == NULL)
        text = map_pair(m, d->data, key);
    return text != NULL ? text : map_pair(m, d->resource, key);
}

static const char *first_detail(struct mapping *m, const struct details *d, const char *const *keys)
{
    const char *text = NULL;

    for (; *keys != NULL && text == NULL; keys++)
        text = detail(m, d, *keys);
    return text;
}

static const char *operation_of(struct mapping *m, const struct details *d)
{
    static const char *const keys[] = { "syscall", "lsm", "kfunc", "kprobe", "tracepoint", NULL };

    return first_detail(m, d, keys);
}

static int64_t port_of(const char *text)
{
    int64_t port;

    return text != NULL && str_to_i64(text, 0, 65535, &port) ? port : -1;
}

static const char *lower_word(struct mapping *m, const char *word)
{
    char *lower = arena_strdup(m->arena, word);

    if (lower != NULL)
        str_lower(lower);
    return lower;
}

static void take_process(struct mapping *m, const struct details *d)
{
    struct event_process *p = &m->event->process;

    m->event->kind = EVENT_EXEC;
    p->args = map_textn(m, d->resource != NULL ? d->resource : "", d->resource != NULL ? strlen(d->resource) : 0, EVENT_ARGS_MAX);
    if (p->exe == NULL && d->resource != NULL)
        p->exe = map_textn(m, d->resource, strcspn(d->resource, " "), 0);
    if (p->parent_exe == NULL && d->source != NULL)
        p->parent_exe = map_textn(m, d->source, strcspn(d->source, " "), 0);
}

/* For everything but an exec, who did it is the source. */
static void take_actor(struct mapping *m, const struct details *d)
{
    struct event_process *p = &m->event->process;

    if (d->source == NULL)
        return;
    map_set(&p->args, map_textn(m, d->source, strlen(d->source), EVENT_ARGS_MAX));
    if (p->exe == NULL)
        p->exe = map_textn(m, d->source, strcspn(d->source, " "), 0);
}

static void take_file(struct mapping *m, const struct details *d)
{
    struct event *e = m->event;
    int kind = kind_of_operation(e->operation);

    take_actor(m, d);
    e->file.path = map_textn(m, d->resource != NULL ? d->resource : "", d->resource != NULL ? strlen(d->resource) : 0, 0);
    e->file.flags = detail(m, d, "flags");
    e->kind = kind == EVENT_FILE_WRITE || flags_write(e->file.flags) ? EVENT_FILE_WRITE : EVENT_FILE_OPEN;
}

/* Sockets that reach nobody but this machine: AF_UNIX, AF_NETLINK, AF_PACKET ... */
static bool is_internet(const char *family)
{
    return family == NULL || !str_starts(family, "AF_") || str_starts(family, "AF_INET");
}

static const char *protocol_of(struct mapping *m, const struct details *d)
{
    static const struct { const char *type, *protocol; } types[] = { { "SOCK_STREAM", "tcp" }, { "SOCK_DGRAM", "udp" }, { "SOCK_RAW", "raw" } };
    const char *protocol = detail(m, d, "protocol"), *type = detail(m, d, "type");

    if (protocol != NULL && (protocol[0] < '0' || protocol[0] > '9'))
        return lower_word(m, protocol);
    for (size_t i = 0; type != NULL && i < N_ITEMS(types); i++) {
        if (str_starts(type, types[i].type))
            return types[i].protocol;
    }
    return NULL;
}

static int network_kind(const struct event *e, bool is_local, bool is_dns)
{
    int kind = kind_of_operation(e->operation);

    if (is_dns)
        return EVENT_DNS;
    if (kind == EVENT_CONNECT || kind == EVENT_ACCEPT || kind == EVENT_LISTEN)
        return kind;
    return is_local ? EVENT_OTHER : EVENT_CONNECT;
}

static void take_network(struct mapping *m, const struct details *d)
{
    static const char *const addresses[] = { "remoteip", "sin_addr", "sin6_addr", "daddr", "DestinationIP", NULL };
    static const char *const ports[] = { "port", "sin_port", "sin6_port", "dport", "DestinationPort", NULL };
    static const char *const families[] = { "sa_family", "domain", NULL };
    struct event_net *net = &m->event->net;
    const char *qtype = map_pair(m, d->data, "qtype");
    const char *family = first_detail(m, d, families), *domain = map_text(m, map_get_nocase(d->event_data, "Domain"), 0);

    take_actor(m, d);
    if (domain == NULL)
        domain = map_pair(m, d->data, "domain");
    bool is_dns = domain != NULL && (qtype != NULL || !str_starts(domain, "AF_"));
    if (is_dns)
        net->remote_name = domain;
    m->event->kind = network_kind(m->event, !is_internet(family), is_dns);
    net->protocol = is_internet(family) ? protocol_of(m, d) : NULL;
    bool is_here = m->event->kind == EVENT_LISTEN;
    *(is_here ? &net->local : &net->remote) = first_detail(m, d, addresses);
    *(is_here ? &net->local_port : &net->remote_port) = port_of(first_detail(m, d, ports));
    net->direction = is_here ? NULL : m->event->kind == EVENT_ACCEPT ? "in" : "out";
}

/* Its network policies: both ends are named, Resource is INGRESS or EGRESS. */
static void take_firewall(struct mapping *m, const struct details *d)
{
    struct event_net *net = &m->event->net;
    bool is_in = d->resource != NULL && str_starts(d->resource, "INGRESS");
    const char *from = detail(m, d, "SourceIP"), *to = detail(m, d, "DestinationIP");
    int64_t from_port = port_of(detail(m, d, "SourcePort")), to_port = port_of(detail(m, d, "DestinationPort"));

    take_actor(m, d);
    m->event->kind = is_in ? EVENT_ACCEPT : EVENT_CONNECT;
    net->direction = is_in ? "in" : "out";
    net->protocol = protocol_of(m, d);
    net->local = is_in ? to : from;
    net->remote = is_in ? from : to;
    net->local_port = is_in ? to_port : from_port;
    net->remote_port = is_in ? from_port : to_port;
}

static void take_capability(struct mapping *m, const struct details *d)
{
    const char *cap = detail(m, d, "cap");

    take_actor(m, d);
    m->event->kind = EVENT_CAPABILITY;
    if (cap == NULL && d->resource != NULL)
        cap = map_textn(m, d->resource, strcspn(d->resource, " "), 64);
    if (cap != NULL)
        m->event->capability = map_textn(m, cap + (strncasecmp(cap, "CAP_", 4) == 0 ? 4 : 0), strlen(cap) - (strncasecmp(cap, "CAP_", 4) == 0 ? 4 : 0), 64);
}

static void take_syscall(struct mapping *m, const struct details *d)
{
    struct event *e = m->event;

    take_actor(m, d);
    e->kind = kind_of_operation(e->operation);
    if (d->resource != NULL && *d->resource == '/')
        e->file.path = map_textn(m, d->resource, strlen(d->resource), 0);
}

static const struct { const char *word; void (*take)(struct mapping *, const struct details *); } operations[] = {
    { "Process", take_process }, { "File", take_file }, { "Network", take_network }, { "NetworkFirewall", take_firewall }, { "Capabilities", take_capability },
    { "Capability", take_capability }, { "Syscall", take_syscall },
};

/* ---- who says so ---------------------------------------------------------------------------- */

static void map_tag_list(struct mapping *m, const char *tags)
{
    while (tags != NULL && *tags != '\0') {
        size_t n = strcspn(tags, ",");
        map_tag(m, map_textn(m, tags, n, 0));
        tags += n + (tags[n] == ',');
    }
}

/* KubeArmor's severity goes from 1 to 10, the worst. */
static int severity_of(const struct json *v, int otherwise)
{
    static const int severities[] = { 0, 5, 5, 5, 5, 4, 4, 3, 3, 2, 2 };
    int64_t n;

    return map_number(v, &n) && n >= 1 && n <= 10 ? severities[n] : otherwise;
}

static void judge(struct event *e, const struct json *doc)
{
    const char *action = json_str(map_get_nocase(doc, "Action"), ""), *result = json_str(map_get_nocase(doc, "Result"), "");
    const char *type = json_str(map_get_nocase(doc, "Type"), "");

    if (!str_starts(type, "Matched") && e->rule == NULL)
        return;
    e->verdict = str_eq(action, "Block") && !str_eq(result, "Passed") ? VERDICT_DENIED : VERDICT_ALERT;
    if (str_eq(action, "Allow"))
        e->verdict = VERDICT_OBSERVED;
    e->severity = severity_of(map_get_nocase(doc, "Severity"), e->verdict == VERDICT_DENIED ? 4 : 5);
}

int event_map_kubearmor(struct mapping *m, const struct json *doc, struct err *err)
{
    struct event *e = m->event;
    const char *operation = json_str(map_get_nocase(doc, "Operation"), "");
    struct details d = { map_text(m, map_get_nocase(doc, "Source"), EVENT_ARGS_MAX), map_text(m, map_get_nocase(doc, "Resource"), EVENT_ARGS_MAX),
                         map_text(m, map_get_nocase(doc, "Data"), EVENT_ARGS_MAX), map_get_nocase(doc, "EventData") };

    (void)err;
    map_nocase(m, doc, rows, N_ITEMS(rows));
    map_container_id(m, map_text(m, map_get_nocase(doc, "ContainerID"), 0));
    map_image(m, map_text(m, map_get_nocase(doc, "ContainerImage"), 0));
    map_set(&e->place.workload, map_text(m, map_get_nocase(map_get_nocase(doc, "Owner"), "Name"), 0));
    map_set(&e->place.workload, map_workload_of_pod(m, e->place.pod));
    map_tag_list(m, map_text(m, map_get_nocase(doc, "Tags"), 4096));
    map_tags(m, map_get_nocase(doc, "ATags"));
    e->operation = operation_of(m, &d);
    for (size_t i = 0; i < N_ITEMS(operations); i++) {
        if (str_eq_nocase(operation, operations[i].word))
            operations[i].take(m, &d);
    }
    judge(e, doc);
    if (!str_eq(json_str(map_get_nocase(doc, "Result"), ""), "Passed"))
        map_set(&e->message, map_text(m, map_get_nocase(doc, "Result"), EVENT_MESSAGE_MAX));
    return 0;
}
