/* noun_container.c - container: what runs on nodes, and what it breaks. */
#include "ctl/call.h"
#include "ctl/nouns.h"

#include <stdio.h>

static const struct column container_columns[] = {
    { "NODE", "node", COLUMN_TEXT }, { "ID", "id", COLUMN_TEXT }, { "NAMESPACE", "namespace", COLUMN_TEXT }, { "WORKLOAD", "workload", COLUMN_TEXT },
    { "CONTAINER", "name", COLUMN_TEXT }, { "IMAGE", "image.reference|reference", COLUMN_TEXT }, { "DIGEST", "image.digest|digest", COLUMN_DIGEST },
    { "FRESHNESS", "image.freshness", COLUMN_WORD }, { "VERDICT", "verdict", COLUMN_WORD }, { "PRIVILEGED", "privileged", COLUMN_FLAG },
    { "SANDBOX", "sandbox", COLUMN_TEXT }, { "NODE IS", "node_state", COLUMN_WORD }, { "STARTED", "started_at", COLUMN_TIME },
};
static const struct column container_detail[] = {
    { "ID", "id", COLUMN_TEXT }, { "CONTAINER", "name", COLUMN_TEXT }, { "NODE", "node", COLUMN_TEXT }, { "NODE ID", "node_id", COLUMN_TEXT },
    { "NODE IS", "node_state", COLUMN_WORD }, { "CLUSTER", "cluster", COLUMN_TEXT }, { "NAMESPACE", "namespace", COLUMN_TEXT },
    { "POD", "pod", COLUMN_TEXT }, { "WORKLOAD", "workload", COLUMN_TEXT }, { "SERVICE", "service", COLUMN_TEXT },
    { "IMAGE", "image.reference|reference", COLUMN_TEXT }, { "DIGEST", "image.digest|digest", COLUMN_TEXT }, { "KNOWN BY", "image_by", COLUMN_WORD },
    { "FRESHNESS", "image.freshness", COLUMN_WORD }, { "IMAGE IS", "image.verdict", COLUMN_WORD }, { "VERDICT", "verdict", COLUMN_WORD },
    { "JUDGED", "judged_at", COLUMN_TIME }, { "ENGINE", "engine", COLUMN_TEXT }, { "RUNTIME", "runtime", COLUMN_TEXT }, { "SANDBOX", "sandbox", COLUMN_TEXT },
    { "COMMAND", "container.command", COLUMN_TEXTS }, { "USER", "user_id", COLUMN_NUMBER }, { "PRIVILEGED", "privileged", COLUMN_FLAG },
    { "CAPABILITIES", "container.capabilities", COLUMN_TEXTS }, { "NO NEW PRIVILEGES", "container.no_new_privileges", COLUMN_FLAG },
    { "READ-ONLY", "container.read_only", COLUMN_FLAG }, { "SECCOMP", "container.seccomp", COLUMN_WORD }, { "APPARMOR", "container.apparmor", COLUMN_TEXT },
    { "NODE'S NETWORK", "container.host_network", COLUMN_FLAG }, { "NODE'S PROCESSES", "container.host_pid", COLUMN_FLAG },
    { "NODE'S IPC", "container.host_ipc", COLUMN_FLAG }, { "USER NAMESPACE", "container.user_namespace", COLUMN_FLAG },
    { "PID", "container.pid", COLUMN_NUMBER }, { "CGROUP", "container.cgroup", COLUMN_TEXT }, { "LABELS", "container.labels", COLUMN_TEXTS },
    { "NOT KNOWN", "container.unknown", COLUMN_TEXTS }, { "STARTED", "started_at", COLUMN_TIME }, { "SEEN", "seen_at", COLUMN_TIME },
};
static const struct column reason_columns[] = {
    { "POLICY", "policy", COLUMN_TEXT }, { "VALIDATION", "rule", COLUMN_TEXT }, { "EFFECT", "effect", COLUMN_WORD },
    { "SEVERITY", "severity", COLUMN_WORD }, { "WHAT", "message", COLUMN_TEXT }, { "WHAT TO DO", "remediation", COLUMN_TEXT },
};
static const struct column mount_columns[] = {
    { "OF THE NODE", "source", COLUMN_TEXT }, { "IN THE CONTAINER", "destination", COLUMN_TEXT }, { "READ-ONLY", "read_only", COLUMN_FLAG },
};

static const struct command_option list_options[] = {
    { "cve", "CVE", "Only whose image has this vulnerability.", false }, { "package", "NAME", "Only whose image has this package.", false },
    { "stale", NULL, "Only whose image is stale, never scanned or not known.", false },
    { "policy", "NAME", "Only what breaks this policy, or NAME/VALIDATION.", false }, { "verdict", "VERDICT", "pass, warn, fail or unknown.", false },
    { "image", "IMAGE", "Only this image: a digest or a known reference.", false }, { "cluster", "NAME", "Only in this cluster.", false },
    { "namespace", "NAME", "Only in this namespace.", false }, { "node", "NODE", "Only on this node: its id or name.", false },
    { "sandbox", "NAME", "gvisor, kata, firecracker, any or none.", false }, { "privileged", NULL, "Only privileged ones.", false },
    { "q", "TEXT", "Only whose name, workload, pod or id begins like this.", false }, LIMIT_OPTION,
};
static const struct api_call list_call = { .method = "GET", .target = "/v1/containers", .columns = container_columns, .n_columns = N_ITEMS(container_columns),
    .empty = "no such container runs on an enrolled node" };
static const struct api_call show_call = { .method = "GET", .target = "/v1/containers/{}/{}", .columns = container_detail, .n_columns = N_ITEMS(container_detail) };

static int container_show(struct ctl *c)
{
    const char *target = call_target(c);
    struct json container;

    int rc = target != NULL ? ctl_get(c, target, &container) : ctl_wrong(c, NULL, "out of memory");
    if (rc == 0)
        rc = call_print(c, &container);
    if (rc != 0 || c->n_outs != 1 || !str_eq(c->outs[0].format->name, "table"))
        return ctl_code(rc);
    const struct { const struct json *items; const struct column *columns; size_t n; } lists[] = {
        { json_get(&container, "reasons"), ROWS(reason_columns) }, { json_path(&container, "container.mounts"), ROWS(mount_columns) },
    };
    for (size_t i = 0; i < N_ITEMS(lists) && rc == 0; i++) {
        const struct listing l = { lists[i].columns, lists[i].n, lists[i].items, lists[i].items };
        if (json_len(lists[i].items) == 0)
            continue;
        putchar('\n');
        rc = out_list(c, &l);
    }
    return rc;
}

static const struct ctl_command rows[] = {
    { ROW("container list", "", 0, 0, "List running containers: which carry a CVE, run a stale image, break a policy.", list_options, NULL), call_list, &list_call },
    { PLAIN("container show", "NODE ID", 2, 2, "All about a running container: image, privileges, mounts, what it breaks."), container_show, &show_call },
};
const struct ctl_commands container_commands = { rows, N_ITEMS(rows) };
