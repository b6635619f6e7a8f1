/* tetragon.c - Tetragon's export: protojson, a line with exactly one of ten members, which
 * names what happened; a member process_... that is not among them yet is an event of
 * kind other. */
#include "wire/event/map.h"

#include "base/str.h"

#include <string.h>

static const struct map_row envelope[] = {
    { "time", MAP_TIME, MAP_AT(at_ms), 0 },
    { "node_name", MAP_TEXT, MAP_AT(node), 0 },
};

static const struct map_row process_rows[] = {
    { "exec_id", MAP_TEXT, MAP_AT(event_id), 0 },
    { "binary", MAP_TEXT, MAP_AT(process.exe), 0 },
    { "arguments", MAP_TEXT, MAP_AT(process.args), EVENT_ARGS_MAX },
    { "cwd", MAP_TEXT, MAP_AT(process.cwd), 0 },
    { "pid", MAP_ID, MAP_AT(process.pid), 0 },
    { "uid", MAP_ID, MAP_AT(process.uid), 0 },
    { "auid", MAP_ID, MAP_AT(process.auid), 0 },
    { "user.name", MAP_TEXT, MAP_AT(process.user), 0 },
    { "start_time", MAP_TIME, MAP_AT(at_ms), 0 },
    { "pod.namespace", MAP_TEXT, MAP_AT(place.namespace), 0 },
    { "pod.name", MAP_TEXT, MAP_AT(place.pod), 0 },
    { "pod.uid", MAP_TEXT, MAP_AT(place.pod_uid), 0 },
    { "pod.workload", MAP_TEXT, MAP_AT(place.workload), 0 },
    { "pod.container.name", MAP_TEXT, MAP_AT(container.name), 0 },
};

static const struct map_row probe_rows[] = {
    { "function_name", MAP_TEXT, MAP_AT(operation), 0 },
    { "event", MAP_TEXT, MAP_AT(operation), 0 },
    { "symbol", MAP_TEXT, MAP_AT(operation), 0 },
    { "name", MAP_TEXT, MAP_AT(operation), 0 },
    { "policy_name", MAP_TEXT, MAP_AT(rule), 0 },
    { "message", MAP_TEXT, MAP_AT(message), EVENT_MESSAGE_MAX },
    { "path", MAP_TEXT, MAP_AT(file.path), 0 },
};

static const struct map_row socket_rows[] = {
    { "protocol", MAP_TEXT, MAP_AT(net.protocol), 0 },
    { "saddr", MAP_TEXT, MAP_AT(net.local), 0 },
    { "sport", MAP_PORT, MAP_AT(net.local_port), 0 },
    { "daddr", MAP_TEXT, MAP_AT(net.remote), 0 },
    { "dport", MAP_PORT, MAP_AT(net.remote_port), 0 },
};

static const struct map_row sockaddr_rows[] = {
    { "addr", MAP_TEXT, MAP_AT(net.remote), 0 },
    { "port", MAP_PORT, MAP_AT(net.remote_port), 0 },
};

/* ---- processes ------------------------------------------------------------------------- */

static void map_process(struct mapping *m, const struct json *p)
{
    const char *docker = map_text(m, json_get(p, "docker"), 0);
    const struct json *image = json_path(p, "pod.container.image");

    map_nested(m, p, process_rows, N_ITEMS(process_rows));
    map_container_id(m, map_text(m, json_path(p, "pod.container.id"), 0));
    map_container_id(m, docker);
    map_image(m, map_text(m, json_get(image, "name"), 0));
    map_image(m, map_text(m, json_get(image, "id"), 0));
}

static void map_parents(struct mapping *m, const struct json *body)
{
    const struct json *parent = json_get(body, "parent"), *ancestors = json_get(body, "ancestors");
    struct event_process *p = &m->event->process;
    int64_t pid = -1;

    p->parent_exe = map_text(m, json_get(parent, "binary"), 0);
    if (map_number(json_get(parent, "pid"), &pid) && pid >= 0)
        p->ppid = pid;
    map_ancestor(m, p->parent_exe, p->ppid);
    for (uint32_t i = 0; i < json_len(ancestors) && i < EVENT_CHAIN_MAX; i++) {
        pid = -1;
        map_number(json_get(json_at(ancestors, i), "pid"), &pid);
        map_ancestor(m, map_text(m, json_get(json_at(ancestors, i), "binary"), 0), pid);
    }
}

/* ---- arguments of probes ------------------------------------------------------------------ */

typedef void arg_fn(struct mapping *m, const struct json *v);

static void arg_socket(struct mapping *m, const struct json *v)
{
    map_flat(m, v, socket_rows, N_ITEMS(socket_rows));
}

static void arg_sockaddr(struct mapping *m, const struct json *v)
{
    map_flat(m, v, sockaddr_rows, N_ITEMS(sockaddr_rows));
}

static void arg_path(struct mapping *m, const struct json *v)
{
    struct event_file *f = &m->event->file;

    map_set(&f->path, map_text(m, json_get(v, "path"), 0));
    map_set(&f->flags, map_text(m, json_get(v, "flags"), 0));
}

static void arg_text(struct mapping *m, const struct json *v)
{
    map_set(&m->event->file.path, map_text(m, v, 0));
}

static void arg_module(struct mapping *m, const struct json *v)
{
    map_set(&m->event->file.path, map_text(m, json_get(v, "name"), 0));
    m->event->kind = EVENT_MODULE;
}

static void arg_capability(struct mapping *m, const struct json *v)
{
    const char *name = map_text(m, json_get(v, "name"), 64);

    if (name != NULL)
        map_set(&m->event->capability, str_starts(name, "CAP_") ? name + 4 : name);
}

static const struct { const char *key; arg_fn *take; } arguments[] = {
    { "sock_arg", arg_socket }, { "skb_arg", arg_socket }, { "sockaddr_arg", arg_sockaddr }, { "file_arg", arg_path },
    { "path_arg", arg_path }, { "linux_binprm_arg", arg_path }, { "dentry_arg", arg_path }, { "string_arg", arg_text },
    { "module_arg", arg_module }, { "kernel_module_arg", arg_module }, { "capability_arg", arg_capability },
};

static void map_argument(struct mapping *m, const struct json *arg)
{
    for (size_t i = 0; i < N_ITEMS(arguments); i++) {
        const struct json *v = json_get(arg, arguments[i].key);
        if (v != NULL)
            arguments[i].take(m, v);
    }
}

/* The integers among the arguments that say what a file is opened for: a mask of
 * security_file_permission (MAY_WRITE 2), the flags of open (1, 2: write). */
static bool writes(const struct event *e, const struct json *args)
{
    bool is_mask = e->operation != NULL && strstr(e->operation, "file_permission") != NULL;

    for (uint32_t i = 0; i < json_len(args); i++) {
        const struct json *v = json_get(json_at(args, i), "int_arg");
        if (!json_is(v, JSON_INT) || v->i < 0)
            continue;
        if (is_mask ? v->i == 2 : (v->i & 3) == 1 || (v->i & 3) == 2 || (v->i & 0100) != 0)
            return true;
    }
    return flags_write(e->file.flags);
}

static int verdict_of(const char *action)
{
    static const struct { const char *word; int verdict; } actions[] = {
        { "SIGKILL", VERDICT_KILLED }, { "SIGNAL", VERDICT_KILLED }, { "OVERRIDE", VERDICT_DENIED }, { "NOTIFYENFORCER", VERDICT_DENIED },
        { "NOTIFYKILLER", VERDICT_KILLED },
    };

    for (size_t i = 0; i < N_ITEMS(actions); i++) {
        if (str_ends(action, actions[i].word))
            return actions[i].verdict;
    }
    return VERDICT_OBSERVED;
}

static const char *direction_of(int kind)
{
    return kind == EVENT_CONNECT ? "out" : kind == EVENT_ACCEPT ? "in" : NULL;
}

static void lower_protocol(struct mapping *m)
{
    const char *p = m->event->net.protocol;
    char *lower = NULL;

    if (p == NULL)
        return;
    if (str_starts(p, "IPPROTO_"))
        p += strlen("IPPROTO_");
    lower = arena_strdup(m->arena, p);
    m->no_memory |= lower == NULL;
    if (lower != NULL)
        str_lower(lower);
    m->event->net.protocol = lower;
}

static int take_probe(struct mapping *m, const struct json *body)
{
    struct event *e = m->event;
    const struct json *args = json_get(body, "args");

    map_flat(m, body, probe_rows, N_ITEMS(probe_rows));
    map_tags(m, json_get(body, "tags"));
    for (uint32_t i = 0; i < json_len(args) && i < 32; i++)
        map_argument(m, json_at(args, i));
    if (e->kind == EVENT_OTHER)
        e->kind = kind_of_operation(e->operation);
    if (e->kind == EVENT_FILE_OPEN && writes(e, args))
        e->kind = EVENT_FILE_WRITE;
    e->net.direction = direction_of(e->kind);
    lower_protocol(m);
    e->verdict = verdict_of(json_get_str(body, "action", ""));
    if (e->verdict == VERDICT_OBSERVED && e->message != NULL)
        e->verdict = VERDICT_ALERT;
    e->severity = e->verdict >= VERDICT_DENIED ? 3 : e->verdict == VERDICT_ALERT ? 5 : 6;
    return 0;
}

static int take_user_probe(struct mapping *m, const struct json *body)
{
    int rc = take_probe(m, body);

    m->event->kind = EVENT_OTHER;          /* a function of a program, whatever it is called */
    return rc;
}

/* ---- one function per kind -------------------------------------------------------------------- */

static int take_exec(struct mapping *m, const struct json *body)
{
    (void)body;
    m->event->kind = EVENT_EXEC;
    return 0;
}

static int take_exit(struct mapping *m, const struct json *body)
{
    const char *signal = map_text(m, json_get(body, "signal"), 32);
    int64_t status = 0;

    m->event->kind = EVENT_EXIT;
    map_number(json_get(body, "status"), &status);
    m->event->message = signal != NULL ? map_printf(m, 0, "killed by %s", signal) : map_printf(m, 0, "exit status %lld", (long long)status);
    return 0;
}

static int take_loader(struct mapping *m, const struct json *body)
{
    m->event->kind = EVENT_FILE_OPEN;
    m->event->operation = "load";
    m->event->file.path = map_text(m, json_get(body, "path"), 0);
    return 0;
}

static int take_throttle(struct mapping *m, const struct json *body)
{
    const char *type = map_text(m, json_get(body, "type"), 64), *cgroup = map_text(m, json_get(body, "cgroup"), 512);

    m->event->kind = EVENT_DROP;
    m->event->count = 0;                    /* it does not say how many */
    m->event->severity = 4;
    m->event->message = map_printf(m, 0, "%s %s", type != NULL ? type : "throttled", cgroup != NULL ? cgroup : "");
    return 0;
}

static int take_rate_limit(struct mapping *m, const struct json *body)
{
    int64_t n = 0;

    m->event->kind = EVENT_DROP;
    m->event->severity = 4;
    map_number(json_get(body, "number_of_dropped_process_events"), &n);
    m->event->count = n > 0 ? n : 0;
    return 0;
}

static int take_unknown(struct mapping *m, const struct json *body)
{
    map_flat(m, body, probe_rows, N_ITEMS(probe_rows));
    return 0;
}

static const struct { const char *member; int (*take)(struct mapping *, const struct json *); } kinds[] = {
    { "process_exec", take_exec }, { "process_exit", take_exit }, { "process_kprobe", take_probe },
    { "process_tracepoint", take_probe }, { "process_uprobe", take_user_probe }, { "process_usdt", take_user_probe },
    { "process_lsm", take_probe }, { "process_loader", take_loader }, { "process_throttle", take_throttle },
    { "rate_limit_info", take_rate_limit },
};

static const struct json_member *body_of(const struct json *doc)
{
    for (uint32_t i = 0; i < json_n_members(doc); i++) {
        const struct json_member *k = &doc->members[i];
        if (k->value.type == JSON_OBJECT && (str_starts(k->key, "process_") || str_eq(k->key, "rate_limit_info")))
            return k;
    }
    return NULL;
}

bool event_is_tetragon(const struct json *doc)
{
    return body_of(doc) != NULL;
}

int event_map_tetragon(struct mapping *m, const struct json *doc, struct err *err)
{
    const struct json_member *body = body_of(doc);

    (void)err;
    map_flat(m, doc, envelope, N_ITEMS(envelope));
    map_process(m, json_get(&body->value, "process"));
    map_parents(m, &body->value);
    for (size_t i = 0; i < N_ITEMS(kinds); i++) {
        if (str_eq(body->key, kinds[i].member))
            return kinds[i].take(m, &body->value);
    }
    return take_unknown(m, &body->value);
}
