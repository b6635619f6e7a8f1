/* container.c - see container.h. */
#include "wire/msg/container.h"

#include "wire/msg/fields.h"
#include "wire/msg/image.h"
#include "wire/msg/words.h"

#include <string.h>

const char *const container_image_by_words[] = { "nothing", "digest", "image_id", "tag", NULL };

#define BOUND_F(k, T, member, most, text) { .key = k, .type = FIELD_TEXT, .off = offsetof(T, member), .max = most, .doc = text }
#define SHORT_F(k, member, text) BOUND_F(k, struct container, member, CONTAINER_TEXT_MAX, text)
#define LISTED(k, member, n, most, text) \
    { .key = k, .type = FIELD_TEXTS, .off = offsetof(struct container, member), .off_n = offsetof(struct container, n), .max = most, .doc = text }
#define FLAG_F(k, member, text) BOOL_F(k, struct container, member, text)

static const struct field mount_fields[] = {
    BOUND_F("source", struct container_mount, source, CONTAINER_TEXT_MAX, "On the node."),
    BOUND_F("destination", struct container_mount, destination, CONTAINER_TEXT_MAX, "In the container."),
    BOUND_F("type", struct container_mount, type, 64, "bind, volume ..."),
    BOOL_F("read_only", struct container_mount, is_read_only, "Cannot be written to."),
};
static SHAPE(mount_shape, "container_mount", struct container_mount, mount_fields);

#define CONTAINER_FIELDS \
    { .key = "id", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .off = offsetof(struct container, id), .min = 1, .max = CONTAINER_ID_MAX, .doc = "The engine's." }, \
    SHORT_F("name", name, "Its name."), SHORT_F("image", image, "Reference, as the engine says."), \
    DIGEST_F("digest", struct container, digest, "Of the image's manifest; absent: not known."), \
    DIGEST_F("image_id", struct container, image_id, "Of the image's configuration; absent: not known."), \
    BOUND_F("engine", struct container, engine, 64, "containerd, cri-o, docker, podman, crun, runc."), \
    SHORT_F("namespace", namespace, "Of Kubernetes."), SHORT_F("pod", pod, "Its pod."), SHORT_F("pod_uid", pod_uid, "Its pod."), \
    SHORT_F("workload", workload, "What the pod belongs to."), SHORT_F("service", service, "Of compose or systemd."), \
    LISTED("command", command, n_command, CONTAINER_WORDS_MAX, "Program and arguments."), \
    INT_F("pid", struct container, pid, "First process, on the node."), \
    INT_F("user_id", struct container, user_id, "-1: not known."), INT_F("group_id", struct container, group_id, "-1: not known."), \
    LISTED("capabilities", capabilities, n_capabilities, CONTAINER_WORDS_MAX, "In effect, without CAP_."), \
    { .key = "mounts", .type = FIELD_LIST, .off = offsetof(struct container, mounts), .off_n = offsetof(struct container, n_mounts), \
      .max = CONTAINER_MOUNTS_MAX, .inner = &mount_shape, .doc = "Files of the node it sees." }, \
    FLAG_F("privileged", is_privileged, "As good as root on the node."), FLAG_F("no_new_privileges", no_new_privileges, "Set-uid programs gain nothing."), \
    FLAG_F("read_only", is_read_only, "Its file system cannot be written to."), \
    BOUND_F("seccomp", struct container, seccomp, 64, "default, unconfined, custom; empty: not known."), SHORT_F("apparmor", apparmor, "Profile."), \
    FLAG_F("host_network", host_network, "Shares the node's network."), FLAG_F("host_pid", host_pid, "Sees the node's processes."), \
    FLAG_F("host_ipc", host_ipc, "Shares the node's IPC."), FLAG_F("user_namespace", has_user_namespace, "Its root is not the node's."), \
    BOUND_F("runtime", struct container, runtime, 128, "OCI runtime."), BOUND_F("sandbox", struct container, sandbox, 64, "gvisor, kata, firecracker; empty: none."), \
    SHORT_F("cgroup", cgroup, "Path below the root."), TIME_F("started_at", struct container, started_ms, "When it was started."), \
    LISTED("unknown", unknown, n_unknown, 16, "What could not be read.")

static const struct field container_fields[] = {
    CONTAINER_FIELDS, LISTED("labels", labels, n_labels, CONTAINER_LABELS_MAX, "KEY=VALUE, of whoever started it."),
};
SHAPE(container_shape, "running_container", struct container, container_fields);

/* ---- what a node sends -------------------------------------------------------------- */

static const struct field report_fields[] = {
    { .key = "generation", .type = FIELD_INT, .flags = FIELD_REQUIRED, .off = offsetof(struct inventory_report, generation), .min = 1, .max = INT64_MAX, .doc = "What this makes of it." },
    { .key = "base", .type = FIELD_INT, .flags = FIELD_REQUIRED, .off = offsetof(struct inventory_report, base), .min = 0, .max = INT64_MAX, .doc = "What it differs from; 0: nothing." },
    { .key = "containers", .type = FIELD_LIST, .off = offsetof(struct inventory_report, containers), .off_n = offsetof(struct inventory_report, n_containers),
      .max = INVENTORY_MESSAGE_MAX, .inner = &container_shape, .doc = "New or changed." },
    { .key = "gone", .type = FIELD_TEXTS, .off = offsetof(struct inventory_report, gone), .off_n = offsetof(struct inventory_report, n_gone),
      .max = INVENTORY_GONE_MAX, .doc = "Ids of those that ended." },
};
SHAPE(inventory_report_shape, "inventory_report", struct inventory_report, report_fields);
static const struct field answer_fields[] = { INT_F("generation", struct inventory_answer, generation, "What the server has now.") };
SHAPE(inventory_answer_shape, "inventory_result", struct inventory_answer, answer_fields);

/* ---- questions ------------------------------------------------------------------------ */

static const struct field query_fields[] = {
    PAGE_OF(struct container_query),
    BOUND_F("cve", struct container_query, cve, 128, "Only whose image has this vulnerability."),
    BOUND_F("package", struct container_query, package, 256, "Only whose image has this package."),
    BOUND_F("policy", struct container_query, policy, 256, "Only what breaks this policy (NAME or NAME/VALIDATION)."),
    BOUND_F("image", struct container_query, image, 512, "Only this image: any of its digests, or a known reference."),
    BOUND_F("cluster", struct container_query, cluster, 128, "Only this cluster."),
    BOUND_F("namespace", struct container_query, namespace, 253, "Only this namespace."),
    BOUND_F("node", struct container_query, node, 128, "Only this node: its id or name."),
    BOUND_F("sandbox", struct container_query, sandbox, 64, "Only in this sandbox: gvisor, kata, firecracker, any, none."),
    BOUND_F("q", struct container_query, q, 253, "Beginning of its name, workload, pod or id."),
    BOOL_F("stale", struct container_query, stale, "Only whose image is stale by either clock, never scanned, or not known."),
    BOOL_F("privileged", struct container_query, privileged, "Only privileged ones."),
    WORD_F("verdict", struct container_query, verdict, decision_filter, "Only with this verdict of the run stage."),
};
SHAPE(container_query_shape, "container_query", struct container_query, query_fields);

#define SAYS(k, member, text) TEXT_F(k, struct container_answer, member, text)
static const struct field shown_fields[] = {
    SAYS("id", id, "The engine's."), SAYS("name", name, "Its name."), SAYS("node_id", node_id, "Where it runs."), SAYS("node", node, "That node's name."),
    SAYS("node_state", node_state, "revoked, invited, silent, enrolled: what a silent node reported may be over."),
    SAYS("cluster", cluster, "Cluster."), SAYS("namespace", namespace, "Namespace."), SAYS("pod", pod, "Pod."), SAYS("workload", workload, "Workload."),
    SAYS("service", service, "Service."), SAYS("engine", engine, "Engine."), SAYS("runtime", runtime, "OCI runtime."), SAYS("sandbox", sandbox, "gvisor, kata, firecracker; empty: none."),
    SAYS("reference", reference, "Image, as the node says."), DIGEST_F("digest", struct container_answer, digest, "Of its image, as the node says."),
    OBJECT_F("image", struct container_answer, image, image_brief_shape, "The image; absent: Keep does not know it."),
    WORD_F("image_by", struct container_answer, image_by, container_image_by_words, "How the image is known: a tag may have moved since."),
    BOOL_F("privileged", struct container_answer, is_privileged, "As good as root on the node."),
    INT_F("user_id", struct container_answer, user_id, "-1: not known."),
    TIME_F("started_at", struct container_answer, started_ms, "When it was started."), TIME_F("seen_at", struct container_answer, seen_ms, "When it was reported."),
    WORD_F("verdict", struct container_answer, verdict, decision_words, "Of the policies of the run stage."),
    TIME_F("judged_at", struct container_answer, judged_ms, "Absent: not yet."),
    { .key = "reasons", .type = FIELD_RAW, .flags = FIELD_OUT_ONLY, .off = offsetof(struct container_answer, reasons), .doc = "Every reason, the worst first." },
    OBJECT_F("container", struct container_answer, detail, container_shape, "All that was reported."),
};
SHAPE(container_answer_shape, "container", struct container_answer, shown_fields);
static const struct field list_fields[] = {
    LIST_F("items", struct container_list_answer, items, n_items, container_answer_shape, "By node and id."),
    NEXT_FIELD(struct container_list_answer),
};
SHAPE(container_list_shape, "container_list", struct container_list_answer, list_fields);

/* ---- for policies ---------------------------------------------------------------------- */

static const struct field facts_fields[] = { CONTAINER_FIELDS };
static SHAPE(facts_shape, "container_facts", struct container, facts_fields);

void container_write_facts(const struct container *container, struct buf *b)
{
    struct jsonw w;

    shape_encode(&facts_shape, container, b);
    if (b->failed || b->len == 0)
        return;
    b->len--;                                    /* the closing brace comes behind the labels */
    buf_puts(b, ",\"labels\":");
    jsonw_init(&w, b);
    jsonw_object(&w);
    for (size_t i = 0; i < container->n_labels; i++) {
        const char *label = container->labels[i], *eq = strchr(label, '=');
        char key[CONTAINER_TEXT_MAX];
        size_t len = eq != NULL ? (size_t)(eq - label) : strlen(label);
        if (len == 0 || len >= sizeof key)
            continue;
        memcpy(key, label, len);
        key[len] = '\0';
        jsonw_kstr(&w, key, eq != NULL ? eq + 1 : "");
    }
    jsonw_object_end(&w);
    buf_putc(b, '}');
}
