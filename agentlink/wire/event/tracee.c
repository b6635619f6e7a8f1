/* tracee.c - Tracee's events, in both shapes: the classic one (eventName, args) and
 * v1beta1 (name, workload, data), where 64-bit numbers are texts and each argument
 * names its type. */
#include "wire/event/map.h"

#include "base/str.h"
#include "base/time.h"

#include <string.h>

static const struct map_row classic[] = {
    { "timestamp", MAP_TIME, MAP_AT(at_ms), 0 },
    { "eventName", MAP_TEXT, MAP_AT(operation), 0 },
    { "hostName", MAP_TEXT, MAP_AT(node), 0 },
    { "processName", MAP_TEXT, MAP_AT(process.name), 0 },
    { "executable.path", MAP_TEXT, MAP_AT(process.exe), 0 },
    { "hostProcessId", MAP_ID, MAP_AT(process.pid), 0 },
    { "hostProcessID", MAP_ID, MAP_AT(process.pid), 0 },
    { "processId", MAP_ID, MAP_AT(process.pid), 0 },
    { "processID", MAP_ID, MAP_AT(process.pid), 0 },
    { "hostParentProcessId", MAP_ID, MAP_AT(process.ppid), 0 },
    { "hostParentProcessID", MAP_ID, MAP_AT(process.ppid), 0 },
    { "parentProcessId", MAP_ID, MAP_AT(process.ppid), 0 },
    { "parentProcessID", MAP_ID, MAP_AT(process.ppid), 0 },
    { "userId", MAP_ID, MAP_AT(process.uid), 0 },
    { "userID", MAP_ID, MAP_AT(process.uid), 0 },
    { "container.name", MAP_TEXT, MAP_AT(container.name), 0 },
    { "containerName", MAP_TEXT, MAP_AT(container.name), 0 },
    { "container.image", MAP_TEXT, MAP_AT(container.image), 0 },
    { "containerImage", MAP_TEXT, MAP_AT(container.image), 0 },
    { "container.imageDigest", MAP_TEXT, MAP_AT(container.digest), 0 },
    { "kubernetes.podName", MAP_TEXT, MAP_AT(place.pod), 0 },
    { "podName", MAP_TEXT, MAP_AT(place.pod), 0 },
    { "kubernetes.podNamespace", MAP_TEXT, MAP_AT(place.namespace), 0 },
    { "podNamespace", MAP_TEXT, MAP_AT(place.namespace), 0 },
    { "kubernetes.podUID", MAP_TEXT, MAP_AT(place.pod_uid), 0 },
    { "podUID", MAP_TEXT, MAP_AT(place.pod_uid), 0 },
    { "metadata.Properties.signatureName", MAP_TEXT, MAP_AT(rule), 0 },
    { "metadata.Description", MAP_TEXT, MAP_AT(message), EVENT_MESSAGE_MAX },
};

static const struct map_row beta[] = {
    { "timestamp", MAP_TIME, MAP_AT(at_ms), 0 },
    { "name", MAP_TEXT, MAP_AT(operation), 0 },
    { "workload.process.thread.name", MAP_TEXT, MAP_AT(process.name), 0 },
    { "workload.process.executable.path", MAP_TEXT, MAP_AT(process.exe), 0 },
    { "workload.process.host_pid", MAP_ID, MAP_AT(process.pid), 0 },
    { "workload.process.host_pid.value", MAP_ID, MAP_AT(process.pid), 0 },
    { "workload.process.thread.host_tid", MAP_ID, MAP_AT(process.pid), 0 },
    { "workload.process.thread.host_tid.value", MAP_ID, MAP_AT(process.pid), 0 },
    { "workload.process.pid", MAP_ID, MAP_AT(process.pid), 0 },
    { "workload.process.pid.value", MAP_ID, MAP_AT(process.pid), 0 },
    { "workload.process.real_user.id", MAP_ID, MAP_AT(process.uid), 0 },
    { "workload.process.real_user.id.value", MAP_ID, MAP_AT(process.uid), 0 },
    { "workload.process.real_user.name", MAP_TEXT, MAP_AT(process.user), 0 },
    { "workload.container.name", MAP_TEXT, MAP_AT(container.name), 0 },
    { "workload.container.image.name", MAP_TEXT, MAP_AT(container.image), 0 },
    { "workload.k8s.pod.name", MAP_TEXT, MAP_AT(place.pod), 0 },
    { "workload.pod.name", MAP_TEXT, MAP_AT(place.pod), 0 },
    { "workload.k8s.pod.uid", MAP_TEXT, MAP_AT(place.pod_uid), 0 },
    { "workload.k8s.namespace.name", MAP_TEXT, MAP_AT(place.namespace), 0 },
    { "workload.k8s.pod.namespace.name", MAP_TEXT, MAP_AT(place.namespace), 0 },
    { "workload.pod.namespace.name", MAP_TEXT, MAP_AT(place.namespace), 0 },
    { "threat.name", MAP_TEXT, MAP_AT(rule), 0 },
    { "threat.description", MAP_TEXT, MAP_AT(message), EVENT_MESSAGE_MAX },
};

bool event_is_tracee(const struct json *doc)
{
    return json_is(json_get(doc, "eventName"), JSON_STRING) ||
           (json_is(json_get(doc, "name"), JSON_STRING) && (json_is(json_get(doc, "workload"), JSON_OBJECT) || json_is(json_get(doc, "data"), JSON_ARRAY)));
}

/* ---- arguments ---------------------------------------------------------------------------- */

typedef void arg_fn(struct mapping *m, const struct json *v);

static const struct map_row remote_rows[] = {
    { "sin_addr", MAP_TEXT, MAP_AT(net.remote), 64 },
    { "sin6_addr", MAP_TEXT, MAP_AT(net.remote), 64 },
    { "sin_port", MAP_PORT, MAP_AT(net.remote_port), 0 },
    { "sin6_port", MAP_PORT, MAP_AT(net.remote_port), 0 },
    { "sun_path", MAP_TEXT, MAP_AT(file.path), 0 },
};
static const struct map_row local_rows[] = {
    { "sin_addr", MAP_TEXT, MAP_AT(net.local), 64 },
    { "sin6_addr", MAP_TEXT, MAP_AT(net.local), 64 },
    { "sin_port", MAP_PORT, MAP_AT(net.local_port), 0 },
    { "sin6_port", MAP_PORT, MAP_AT(net.local_port), 0 },
    { "sun_path", MAP_TEXT, MAP_AT(file.path), 0 },
};
static const struct map_row packet_rows[] = {
    { "src_ip", MAP_TEXT, MAP_AT(net.local), 64 },
    { "dst_ip", MAP_TEXT, MAP_AT(net.remote), 64 },
    { "src_port", MAP_PORT, MAP_AT(net.local_port), 0 },
    { "dst_port", MAP_PORT, MAP_AT(net.remote_port), 0 },
    { "src_dns", MAP_TEXT, MAP_AT(net.remote_name), 0 },
};

static void arg_remote(struct mapping *m, const struct json *v)
{
    map_flat(m, v, remote_rows, N_ITEMS(remote_rows));
}

static void arg_local(struct mapping *m, const struct json *v)
{
    map_flat(m, v, local_rows, N_ITEMS(local_rows));
}

/* addr of connect is the other's, of bind our own. */
static void arg_address(struct mapping *m, const struct json *v)
{
    if (m->event->kind == EVENT_LISTEN)
        arg_local(m, v);
    else
        arg_remote(m, v);
}

static void set_protocol(struct mapping *m, const struct json *v)
{
    int64_t n;
    const char *text = map_text(m, v, 32);

    if (text == NULL && map_number(v, &n))
        text = n == 6 ? "tcp" : n == 17 ? "udp" : n == 1 ? "icmp" : n == 58 ? "icmpv6" : NULL;
    char *lower = arena_strdup(m->arena, text);
    m->no_memory |= lower == NULL && text != NULL;
    if (lower != NULL)
        str_lower(lower);
    map_set(&m->event->net.protocol, lower);
}

static void arg_packet(struct mapping *m, const struct json *v)
{
    map_flat(m, v, packet_rows, N_ITEMS(packet_rows));
    set_protocol(m, json_get(v, "protocol"));
    if (map_get_nocase(v, "dst_ip") != NULL)
        m->event->net.direction = "out";
}

static void arg_path(struct mapping *m, const struct json *v)
{
    map_set(m->event->kind == EVENT_EXEC ? &m->event->process.exe : &m->event->file.path, map_text(m, v, 0));
}

static void arg_flags(struct mapping *m, const struct json *v)
{
    int64_t n;

    map_set(&m->event->file.flags, json_is(v, JSON_INT) && map_number(v, &n) ? map_printf(m, 0, "%lld", (long long)n) : map_text(m, v, 0));
}

/* argv: a text, or a list of words. */
static void arg_words(struct mapping *m, const struct json *v)
{
    const struct json *words = json_is(v, JSON_OBJECT) ? json_get(v, "value") : v;
    struct buf line;

    if (json_len(words) == 0) {
        map_set(&m->event->process.args, map_text(m, v, EVENT_ARGS_MAX));
        return;
    }
    buf_init(&line, EVENT_TEXT_IN_MAX);
    for (uint32_t i = 0; i < words->n && line.len <= EVENT_ARGS_MAX; i++)
        buf_printf(&line, "%s%s", i > 0 ? " " : "", json_str(json_at(words, i), "?"));
    const char *copy = line.failed ? NULL : arena_strndup(m->arena, line.ptr, line.len);
    m->no_memory |= copy == NULL;
    if (copy != NULL)
        map_set(&m->event->process.args, map_textn(m, copy, strlen(copy), EVENT_ARGS_MAX));
    buf_free(&line);
}

static void arg_sha256(struct mapping *m, const struct json *v)
{
    map_set(&m->event->process.sha256, map_text(m, v, 0));
}

static void arg_parent(struct mapping *m, const struct json *v)
{
    map_set(&m->event->process.parent_name, map_text(m, v, 0));
}

static void arg_capability(struct mapping *m, const struct json *v)
{
    const char *text = map_text(m, v, 64);
    int64_t n;

    if (text == NULL && map_number(v, &n))
        text = map_printf(m, 0, "%lld", (long long)n);
    map_set(&m->event->capability, text != NULL && str_starts(text, "CAP_") ? text + 4 : text);
}

static void arg_source(struct mapping *m, const struct json *v)
{
    map_set(&m->event->net.local, map_text(m, v, 64));
}

static void arg_destination(struct mapping *m, const struct json *v)
{
    map_set(&m->event->net.remote, map_text(m, v, 64));
    m->event->net.direction = "out";
}

static void arg_port(int64_t *to, const struct json *v)
{
    int64_t n;

    if (*to == -1 && map_number(v, &n) && n >= 0 && n <= 65535)
        *to = n;
}

static void arg_source_port(struct mapping *m, const struct json *v)
{
    arg_port(&m->event->net.local_port, v);
}

static void arg_destination_port(struct mapping *m, const struct json *v)
{
    arg_port(&m->event->net.remote_port, v);
}

/* proto_dns: the first question. */
static void arg_dns(struct mapping *m, const struct json *v)
{
    const struct json *questions = json_get(v, "questions");

    if (json_len(questions) > 0)
        map_set(&m->event->net.remote_name, map_text(m, json_get(json_at(questions, 0), "name"), 0));
}

static void arg_dns_question(struct mapping *m, const struct json *v)
{
    if (json_len(v) > 0)
        map_set(&m->event->net.remote_name, map_text(m, json_get(json_at(v, 0), "query"), 0));
}

static const struct { const char *name; arg_fn *take; } arguments[] = {
    { "pathname", arg_path }, { "cmdpath", arg_path }, { "path", arg_path }, { "file_path", arg_path }, { "filename", arg_path },
    { "new_path", arg_path }, { "newpath", arg_path }, { "name", arg_path }, { "flags", arg_flags }, { "argv", arg_words },
    { "cmdline", arg_words }, { "sha256", arg_sha256 }, { "prev_comm", arg_parent }, { "parent_process_name", arg_parent },
    { "remote_addr", arg_remote }, { "dst_addr", arg_remote }, { "local_addr", arg_local }, { "addr", arg_address },
    { "capability", arg_capability }, { "cap", arg_capability }, { "metadata", arg_packet }, { "src", arg_source },
    { "dst", arg_destination }, { "src_ip", arg_source }, { "dst_ip", arg_destination }, { "src_port", arg_source_port },
    { "dst_port", arg_destination_port }, { "sport", arg_source_port }, { "dport", arg_destination_port }, { "proto_dns", arg_dns },
    { "dns_questions", arg_dns_question }, { "protocol", set_protocol },
};

/* The value of an argument: "value", or the one member that names its type. */
static const struct json *value_of(const struct json *arg)
{
    const struct json *value = json_get(arg, "value");

    for (uint32_t i = 0; i < json_n_members(arg) && value == NULL; i++) {
        const char *key = arg->members[i].key;
        if (!str_eq(key, "name") && !str_eq(key, "type") && !str_eq(key, "argMeta"))
            value = &arg->members[i].value;
    }
    return value;
}

static void map_arguments(struct mapping *m, const struct json *args)
{
    for (uint32_t i = 0; i < json_len(args) && i < 256; i++) {
        const struct json *arg = json_at(args, i), *value = value_of(arg);
        const char *name = json_get_str(arg, "name", json_str(json_path(arg, "argMeta.name"), NULL));
        for (size_t k = 0; name != NULL && value != NULL && k < N_ITEMS(arguments); k++) {
            if (str_eq(name, arguments[k].name)) {
                arguments[k].take(m, value);
                break;
            }
        }
    }
}

/* ---- the event ------------------------------------------------------------------------------ */

static void map_ancestors(struct mapping *m, const struct json *ancestors)
{
    for (uint32_t i = 0; i < json_len(ancestors) && i < EVENT_CHAIN_MAX; i++) {
        const struct json *a = json_at(ancestors, i), *host = json_get(a, "host_pid");
        int64_t pid = -1;
        if (!map_number(host, &pid))
            map_number(json_get(host, "value"), &pid);
        if (i == 0 && pid > 0)
            m->event->process.ppid = pid;
        map_ancestor(m, map_text(m, json_path(a, "executable.path"), 0), pid);
    }
}

/* Severity of a signature: 0 (information) to 4 (critical), or a word. */
static int severity_of(const struct json *v)
{
    static const int severities[] = { 6, 5, 4, 3, 2 };
    const char *word = json_str(v, NULL);
    int64_t n;

    if (map_number(v, &n))
        return n >= 0 && n <= 4 ? severities[n] : 5;
    return severity_of_word(word != NULL && str_starts(word, "SEVERITY_") ? word + 9 : word, 5);
}

static void map_signature(struct mapping *m, const struct json *severity)
{
    m->event->verdict = VERDICT_ALERT;
    m->event->severity = severity_of(severity);
}

static const char *direction_of(int kind)
{
    return kind == EVENT_CONNECT ? "out" : kind == EVENT_ACCEPT ? "in" : NULL;
}

static void set_kind(struct mapping *m, const struct json *args)
{
    struct event *e = m->event;

    e->kind = kind_of_operation(e->operation);
    if (e->kind == EVENT_EXEC)
        e->process.exe = NULL;             /* the event's executable is who calls; the argument is what is run */
    map_arguments(m, args);
    if (e->kind == EVENT_FILE_OPEN && flags_write(e->file.flags))
        e->kind = EVENT_FILE_WRITE;
    if (e->net.direction == NULL)
        e->net.direction = direction_of(e->kind);
}

static void map_classic(struct mapping *m, const struct json *doc)
{
    struct event *e = m->event;
    const struct json *properties = json_path(doc, "metadata.Properties"), *policies = json_get(doc, "matchedPolicies");

    map_nested(m, doc, classic, N_ITEMS(classic));
    map_container_id(m, map_text(m, json_path(doc, "container.id"), 0));
    map_container_id(m, map_text(m, json_get(doc, "containerId"), 0));
    const char *caller = e->process.exe;
    set_kind(m, json_get(doc, "args"));
    map_set(&e->process.exe, caller);
    map_tags(m, json_path(doc, "metadata.Tags"));
    if (json_get(properties, "signatureID") != NULL || json_get(properties, "Severity") != NULL)
        map_signature(m, json_get(properties, "Severity"));
    if (json_len(policies) > 0)
        map_set(&e->rule, map_text(m, json_at(policies, 0), 0));
}

static void map_beta(struct mapping *m, const struct json *doc)
{
    struct event *e = m->event;
    const struct json *policies = json_path(doc, "policies.matched"), *digests = json_path(doc, "workload.container.image.repo_digests");

    map_nested(m, doc, beta, N_ITEMS(beta));
    map_container_id(m, map_text(m, json_path(doc, "workload.container.id"), 0));
    if (json_len(digests) > 0)
        map_image(m, map_text(m, json_at(digests, 0), 0));
    const char *caller = e->process.exe;
    set_kind(m, json_get(doc, "data"));
    map_set(&e->process.exe, caller);
    map_ancestors(m, json_path(doc, "workload.process.ancestors"));
    if (json_is(json_get(doc, "threat"), JSON_OBJECT))
        map_signature(m, json_path(doc, "threat.severity"));
    if (json_len(policies) > 0)
        map_set(&e->rule, map_text(m, json_at(policies, 0), 0));
}

int event_map_tracee(struct mapping *m, const struct json *doc, struct err *err)
{
    (void)err;
    if (json_is(json_get(doc, "eventName"), JSON_STRING))
        map_classic(m, doc);
    else
        map_beta(m, doc);
    map_set(&m->event->place.workload, map_workload_of_pod(m, m->event->place.pod));
    return 0;
}
