/* profile.c - see profile.h. */
#include "wire/msg/profile.h"

#include "model/alert.h"
#include "wire/msg/fields.h"
#include "wire/profile_doc.h"

const char *const profile_source_words[] = {
    [PROFILE_DECLARED] = "declared", [PROFILE_LEARNED] = "learned", [PROFILE_ENFORCED] = "enforced", [PROFILE_SOURCE_N] = NULL,
};
const char *const profile_mode_words[] = {
    [PROFILE_DISCOVER] = "discover", [PROFILE_MONITOR] = "monitor", [PROFILE_PROTECT] = "protect", [PROFILE_MODE_N] = NULL,
};
const char *const profile_on_loss_words[] = { [ON_LOSS_OPEN] = "open", [ON_LOSS_CLOSED] = "closed", [ON_LOSS_N] = NULL };
const char *const profile_part_words[] = {
    [PART_EXECUTABLE] = "executable", [PART_LISTEN] = "listen", [PART_EGRESS] = "egress", [PART_INGRESS] = "ingress",
    [PART_WRITE] = "write", [PART_USER] = "user", [PART_CAPABILITY] = "capability", [PROFILE_PART_N] = NULL,
};
const char *const net_protocol_words[] = { [NET_ANY] = "any", [NET_TCP] = "tcp", [NET_UDP] = "udp", [NET_PROTOCOL_N] = NULL };
const char *const drift_rule_words[] = {
    [DRIFT_NONE] = "", [DRIFT_EXECUTABLE] = "unexpected-executable", [DRIFT_PORT] = "unexpected-port", [DRIFT_PEER] = "unexpected-peer",
    [DRIFT_NOT_IN_IMAGE] = "binary-not-in-image", [DRIFT_SHELL] = "unexpected-shell", [DRIFT_CAPABILITY] = "new-capability",
    [DRIFT_WRITE] = "unexpected-write", [DRIFT_USER] = "unexpected-user", [DRIFT_INGRESS] = "unexpected-ingress", [DRIFT_RULE_N] = NULL,
};

static const char *const peer_kind_words[] = {
    [PEER_NONE] = "", [PEER_SERVICE] = "service", [PEER_CIDR] = "cidr", [PEER_DNS] = "dns", [PEER_KIND_N] = NULL,
};

#define ITEMS(k, T, member, n, shape, text) \
    { .key = k, .type = FIELD_LIST, .flags = FIELD_OMIT_EMPTY, .off = offsetof(T, member), .off_n = offsetof(T, n), \
      .max = PROFILE_ITEMS_MAX, .inner = &shape, .doc = text }
#define TEXTS_OMIT(k, T, member, n, text) \
    { .key = k, .type = FIELD_TEXTS, .flags = FIELD_OMIT_EMPTY, .off = offsetof(T, member), .off_n = offsetof(T, n), \
      .max = PROFILE_ITEMS_MAX, .doc = text }
#define COVERS(k, member) \
    { .key = "covers_" k, .type = FIELD_BOOL, .flags = FIELD_OMIT_EMPTY, .off = offsetof(struct profile, member), \
      .doc = "Whether " k " are judged; without it the list is not." }

static const struct field executable_fields[] = {
    { .key = "path", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .off = offsetof(struct profile_executable, path), .min = 1,
      .max = PROFILE_PATH_MAX, .doc = "As the container sees it." },
    { .key = "sha256", .type = FIELD_TEXT, .off = offsetof(struct profile_executable, sha256), .min = 64, .max = 64,
      .doc = "Of its content, hex; absent: any." },
    TEXTS_OMIT("parents", struct profile_executable, parents, n_parents, "Programs that may start it; absent: any."),
};
static SHAPE(executable_shape, "profile_executable", struct profile_executable, executable_fields);

static const struct field port_fields[] = {
    { .key = "port", .type = FIELD_INT, .flags = FIELD_REQUIRED, .off = offsetof(struct profile_port, port), .min = 1, .max = 65535,
      .doc = "Number." },
    WORD_F("protocol", struct profile_port, protocol, net_protocol_words, "any, tcp or udp."),
};
static SHAPE(port_shape, "profile_port", struct profile_port, port_fields);

static const struct field peer_fields[] = {
    { .key = "kind", .type = FIELD_WORD, .flags = FIELD_REQUIRED, .off = offsetof(struct profile_peer, kind), .words = peer_kind_words,
      .doc = "Which of the three names it." },
    TEXT_F("service", struct profile_peer, service, "namespace/workload; either may be a star."),
    TEXT_F("cidr", struct profile_peer, cidr, "Network."),
    TEXT_F("dns", struct profile_peer, dns, "Name; may begin with a star for one label."),
    { .key = "ports", .type = FIELD_INTS, .flags = FIELD_OMIT_EMPTY, .off = offsetof(struct profile_peer, ports),
      .off_n = offsetof(struct profile_peer, n_ports), .min = 1, .max = 65535, .doc = "Absent: any." },
    WORD_F("protocol", struct profile_peer, protocol, net_protocol_words, "any, tcp or udp."),
};
static SHAPE(peer_shape, "profile_peer", struct profile_peer, peer_fields);

static const struct field profile_fields[] = {
    TEXT_R("name", struct profile, name, "As its document calls it."),
    TEXT_R("repository", struct profile, repository, "Canonical."),
    DIGEST_F("digest", struct profile, digest, "Absent: every image of the repository."),
    { .key = "mode", .type = FIELD_WORD, .flags = FIELD_REQUIRED, .off = offsetof(struct profile, mode), .words = profile_mode_words,
      .doc = "discover, monitor or protect." },
    WORD_F("on_agent_loss", struct profile, on_agent_loss, profile_on_loss_words, "What a wall does without its agent."),
    { .key = "lease_s", .type = FIELD_INT, .off = offsetof(struct profile, lease_s), .min = 0, .max = PROFILE_LEASE_MAX_S,
      .doc = "Seconds of silence before that; 0: 60." },
    COVERS("executables", has_executables),
    ITEMS("executables", struct profile, executables, n_executables, executable_shape, "Programs that may run."),
    COVERS("listens", has_listens),
    ITEMS("listens", struct profile, listens, n_listens, port_shape, "Ports it may listen on."),
    COVERS("egress", has_egress),
    ITEMS("egress", struct profile, egress, n_egress, peer_shape, "Whom it may connect to."),
    COVERS("ingress", has_ingress),
    ITEMS("ingress", struct profile, ingress, n_ingress, peer_shape, "Who may connect to it."),
    COVERS("writes", has_writes),
    TEXTS_OMIT("writes", struct profile, writes, n_writes, "Paths it may write to."),
    COVERS("users", has_users),
    { .key = "users", .type = FIELD_INTS, .flags = FIELD_OMIT_EMPTY, .off = offsetof(struct profile, users),
      .off_n = offsetof(struct profile, n_users), .min = 0, .max = UINT32_MAX, .doc = "User ids it may run as." },
    COVERS("capabilities", has_capabilities),
    TEXTS_OMIT("capabilities", struct profile, capabilities, n_capabilities, "Without CAP_."),
};
SHAPE(profile_shape, "profile", struct profile, profile_fields);

static const struct field set_fields[] = {
    { .key = "profiles", .type = FIELD_LIST, .flags = FIELD_REQUIRED, .off = offsetof(struct profile_set, profiles),
      .off_n = offsetof(struct profile_set, n_profiles), .max = PROFILE_SET_MAX, .inner = &profile_shape, .doc = "Those in force." },
};
SHAPE(profile_set_shape, "profile_set", struct profile_set, set_fields);
