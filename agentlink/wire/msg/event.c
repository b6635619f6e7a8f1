/* event.c - see event.h. */
#include "wire/msg/event.h"

#include "wire/msg/fields.h"

const char *const event_source_words[] = {
    [SOURCE_AGENT] = "agent", [SOURCE_FALCO] = "falco", [SOURCE_TRACEE] = "tracee", [SOURCE_TETRAGON] = "tetragon",
    [SOURCE_HUBBLE] = "hubble", [SOURCE_KUBEARMOR] = "kubearmor", [SOURCE_K8SAUDIT] = "k8s_audit", [EVENT_SOURCE_N] = NULL,
};
const char *const event_source_filter[] = {
    "", [SOURCE_AGENT + 1] = "agent", [SOURCE_FALCO + 1] = "falco", [SOURCE_TRACEE + 1] = "tracee",
    [SOURCE_TETRAGON + 1] = "tetragon", [SOURCE_HUBBLE + 1] = "hubble", [SOURCE_KUBEARMOR + 1] = "kubearmor",
    [SOURCE_K8SAUDIT + 1] = "k8s_audit", [EVENT_SOURCE_N + 1] = NULL,
};
const char *const event_kind_words[] = {
    [EVENT_OTHER] = "other", [EVENT_EXEC] = "exec", [EVENT_EXIT] = "exit", [EVENT_CONNECT] = "connect", [EVENT_LISTEN] = "listen",
    [EVENT_ACCEPT] = "accept", [EVENT_DNS] = "dns", [EVENT_FILE_OPEN] = "file_open", [EVENT_FILE_WRITE] = "file_write",
    [EVENT_CAPABILITY] = "capability", [EVENT_MODULE] = "module", [EVENT_K8S] = "k8s", [EVENT_DROP] = "drop",
    [EVENT_METRICS] = "metrics", [EVENT_KIND_N] = NULL,
};
const char *const event_kind_filter[] = {
    "", [EVENT_OTHER + 1] = "other", [EVENT_EXEC + 1] = "exec", [EVENT_EXIT + 1] = "exit", [EVENT_CONNECT + 1] = "connect",
    [EVENT_LISTEN + 1] = "listen", [EVENT_ACCEPT + 1] = "accept", [EVENT_DNS + 1] = "dns", [EVENT_FILE_OPEN + 1] = "file_open",
    [EVENT_FILE_WRITE + 1] = "file_write", [EVENT_CAPABILITY + 1] = "capability", [EVENT_MODULE + 1] = "module",
    [EVENT_K8S + 1] = "k8s", [EVENT_DROP + 1] = "drop", [EVENT_METRICS + 1] = "metrics", [EVENT_KIND_N + 1] = NULL,
};
const char *const event_verdict_words[] = {
    [VERDICT_OBSERVED] = "observed", [VERDICT_ALERT] = "alert", [VERDICT_DENIED] = "denied", [VERDICT_KILLED] = "killed",
    [VERDICT_DROPPED] = "dropped", [EVENT_VERDICT_N] = NULL,
};
const char *const event_verdict_filter[] = {
    "", [VERDICT_OBSERVED + 1] = "observed", [VERDICT_ALERT + 1] = "alert", [VERDICT_DENIED + 1] = "denied",
    [VERDICT_KILLED + 1] = "killed", [VERDICT_DROPPED + 1] = "dropped", [EVENT_VERDICT_N + 1] = NULL,
};
const char *const event_class_words[] = {
    [EVENT_CLASS_CRITICAL] = "critical", [EVENT_CLASS_NORMAL] = "normal", [EVENT_CLASS_LOW] = "low", [EVENT_CLASS_N] = NULL,
};

/* A number that may be unknown; a part that is left out when nothing of it is known. */
#define KNOWN_F(k, T, member, text) { .key = k, .type = FIELD_INT, .flags = FIELD_MINUS_ONE, .off = offsetof(T, member), .doc = text }
#define PART_F(k, member, shape, text) \
    { .key = k, .type = FIELD_INLINE, .flags = FIELD_OMIT_EMPTY, .off = offsetof(struct event, member), .inner = &shape, .doc = text }
#define PORT_F(k, member, text) \
    { .key = k, .type = FIELD_INT, .flags = FIELD_MINUS_ONE, .off = offsetof(struct event_net, member), .min = -1, .max = 65535, .doc = text }

static const struct field container_fields[] = {
    TEXT_F("id", struct event_container, id, "As the source has it: 12 to 64 hex digits."),
    TEXT_F("name", struct event_container, name, "Of the container."),
    TEXT_F("image", struct event_container, image, "Reference."),
    TEXT_F("digest", struct event_container, digest, "Of the image."),
    TEXT_F("runtime", struct event_container, runtime, "containerd, docker ..."),
};
static SHAPE(container_shape, "event_container", struct event_container, container_fields);

static const struct field place_fields[] = {
    TEXT_F("namespace", struct event_place, namespace, "Of the pod."),
    TEXT_F("pod", struct event_place, pod, "Its name."),
    TEXT_F("pod_uid", struct event_place, pod_uid, "Its uid."),
    TEXT_F("workload", struct event_place, workload, "What the pod is of."),
    TEXT_F("service", struct event_place, service, "Outside of Kubernetes."),
};
static SHAPE(place_shape, "event_place", struct event_place, place_fields);

static const struct field process_fields[] = {
    TEXT_F("exe", struct event_process, exe, "Path as the container sees it."),
    TEXT_F("name", struct event_process, name, "What the kernel calls it."),
    { .key = "args", .type = FIELD_TEXT, .off = offsetof(struct event_process, args), .max = EVENT_ARGS_MAX, .doc = "Its command line or arguments." },
    TEXT_F("cwd", struct event_process, cwd, "Working directory."),
    TEXT_F("user", struct event_process, user, "Name of its user, or who asked the Kubernetes API."),
    TEXT_F("sha256", struct event_process, sha256, "Of the executable."),
    KNOWN_F("pid", struct event_process, pid, "On the node where known, else in the container."),
    KNOWN_F("ppid", struct event_process, ppid, "Of its parent."),
    KNOWN_F("uid", struct event_process, uid, "User id."),
    KNOWN_F("auid", struct event_process, auid, "Login user id."),
    TEXT_F("parent_exe", struct event_process, parent_exe, "Path of the parent."),
    TEXT_F("parent_name", struct event_process, parent_name, "Name of the parent."),
};
static SHAPE(process_shape, "event_process", struct event_process, process_fields);

static const struct field ancestor_fields[] = {
    TEXT_F("exe", struct event_ancestor, exe, "Path or name."),
    KNOWN_F("pid", struct event_ancestor, pid, "Process id."),
};
static SHAPE(ancestor_shape, "event_ancestor", struct event_ancestor, ancestor_fields);

static const struct field net_fields[] = {
    TEXT_F("protocol", struct event_net, protocol, "tcp, udp ..."),
    TEXT_F("direction", struct event_net, direction, "in or out, seen from the container."),
    TEXT_F("local", struct event_net, local, "Address."),
    PORT_F("local_port", local_port, "Port."),
    TEXT_F("remote", struct event_net, remote, "Address."),
    PORT_F("remote_port", remote_port, "Port."),
    TEXT_F("remote_name", struct event_net, remote_name, "DNS name."),
    TEXT_F("remote_service", struct event_net, remote_service, "namespace/workload."),
};
static SHAPE(net_shape, "event_net", struct event_net, net_fields);

static const struct field file_fields[] = {
    TEXT_F("path", struct event_file, path, "As the container sees it."),
    TEXT_F("flags", struct event_file, flags, "How it was opened, as the source writes it."),
};
static SHAPE(file_shape, "event_file", struct event_file, file_fields);

static const struct field k8s_fields[] = {
    TEXT_F("verb", struct event_k8s, verb, "create, get ..."),
    TEXT_F("resource", struct event_k8s, resource, "pods, deployments.apps ..."),
    TEXT_F("subresource", struct event_k8s, subresource, "exec, attach ..."),
    TEXT_F("name", struct event_k8s, name, "Of the object."),
    TEXT_F("uri", struct event_k8s, uri, "Of the request."),
    TEXT_F("decision", struct event_k8s, decision, "Of the authoriser: allow, forbid."),
    KNOWN_F("code", struct event_k8s, code, "HTTP status of the answer."),
};
static SHAPE(k8s_shape, "event_k8s", struct event_k8s, k8s_fields);

static const struct field event_fields[] = {
    { .key = "seq", .type = FIELD_INT, .flags = FIELD_OMIT_EMPTY, .off = offsetof(struct event, seq), .min = 0, .max = INT64_MAX,
      .doc = "Number in the node's stream." },
    TIME_F("at", struct event, at_ms, "When it happened, by the source's clock."),
    { .key = "source", .type = FIELD_WORD, .flags = FIELD_REQUIRED, .off = offsetof(struct event, source), .words = event_source_words,
      .doc = "Who saw it." },
    { .key = "kind", .type = FIELD_WORD, .flags = FIELD_REQUIRED, .off = offsetof(struct event, kind), .words = event_kind_words,
      .doc = "What happened." },
    WORD_F("verdict", struct event, verdict, event_verdict_words, "What the source made of it."),
    { .key = "severity", .type = FIELD_INT, .flags = FIELD_REQUIRED, .off = offsetof(struct event, severity), .min = 0, .max = EVENT_SEVERITY_DEBUG,
      .doc = "0 emergency to 7 debug (RFC 5424)." },
    TEXT_F("node", struct event, node, "As the source calls it."),
    TEXT_F("rule", struct event, rule, "The source's rule or policy."),
    { .key = "message", .type = FIELD_TEXT, .off = offsetof(struct event, message), .max = EVENT_MESSAGE_MAX, .doc = "The source's sentence." },
    TEXT_F("event_id", struct event, event_id, "The source's."),
    { .key = "tags", .type = FIELD_TEXTS, .flags = FIELD_OMIT_EMPTY, .off = offsetof(struct event, tags), .off_n = offsetof(struct event, n_tags),
      .max = EVENT_TAGS_MAX, .doc = "Of the rule." },
    PART_F("container", container, container_shape, "Where."),
    PART_F("place", place, place_shape, "Where, in Kubernetes' words."),
    PART_F("process", process, process_shape, "Who."),
    { .key = "chain", .type = FIELD_LIST, .flags = FIELD_OMIT_EMPTY, .off = offsetof(struct event, chain), .off_n = offsetof(struct event, n_chain),
      .max = EVENT_CHAIN_MAX, .inner = &ancestor_shape, .doc = "Ancestors, nearest first." },
    PART_F("net", net, net_shape, "With whom."),
    PART_F("file", file, file_shape, "On what."),
    PART_F("k8s", k8s, k8s_shape, "A request to the Kubernetes API."),
    TEXT_F("capability", struct event, capability, "Without CAP_."),
    TEXT_F("operation", struct event, operation, "The source's word for what was done."),
    TEXT_F("origin", struct event, origin, "Where the agent read it."),
    { .key = "is_cut", .type = FIELD_BOOL, .flags = FIELD_OMIT_EMPTY, .off = offsetof(struct event, is_cut), .doc = "A text was longer than its bound." },
    { .key = "count", .type = FIELD_INT, .flags = FIELD_REQUIRED, .off = offsetof(struct event, count), .min = 0, .max = INT64_MAX,
      .doc = "How many it stands for: 1, or what was lost or folded." },
};
SHAPE(event_shape, "event", struct event, event_fields);
