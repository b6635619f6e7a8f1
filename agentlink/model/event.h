/* event.h - something happened in a container, whoever saw it.
 *
 * Text that is not known is NULL, numbers -1, times TIME_UNKNOWN, except where
 * said otherwise; event_init (wire/event/event.h) makes one that knows nothing.
 * Every text is UTF-8 as the source wrote it, control characters, markup and all:
 * data, never trusted, cut to the bounds below (is_cut says so). */
#ifndef KEEP_MODEL_EVENT_H
#define KEEP_MODEL_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum event_source {
    SOURCE_AGENT = 0,                    /* keep-agent's own sensors and accounts */
    SOURCE_FALCO, SOURCE_TRACEE, SOURCE_TETRAGON, SOURCE_HUBBLE, SOURCE_KUBEARMOR, SOURCE_K8SAUDIT, EVENT_SOURCE_N
};

enum event_kind {
    EVENT_OTHER = 0, EVENT_EXEC, EVENT_EXIT, EVENT_CONNECT, EVENT_LISTEN, EVENT_ACCEPT, EVENT_DNS, EVENT_FILE_OPEN,
    EVENT_FILE_WRITE, EVENT_CAPABILITY, EVENT_MODULE, EVENT_K8S,
    EVENT_DROP,                          /* the source lost events: count says how many */
    EVENT_METRICS, EVENT_KIND_N
};

enum event_verdict { VERDICT_OBSERVED = 0, VERDICT_ALERT, VERDICT_DENIED, VERDICT_KILLED, VERDICT_DROPPED, EVENT_VERDICT_N };

/* syslog's, RFC 5424: 0 emergency .. 7 debug */
enum { EVENT_SEVERITY_DEBUG = 7, EVENT_TAGS_MAX = 32, EVENT_CHAIN_MAX = 16, EVENT_JSON_MAX = 64 * 1024 };
enum { EVENT_TEXT_MAX = 1024, EVENT_ARGS_MAX = 8192, EVENT_MESSAGE_MAX = 4096 };     /* bytes; all texts but two the first */

/* What a full disk gives up last, first. */
enum event_class { EVENT_CLASS_CRITICAL = 0, EVENT_CLASS_NORMAL, EVENT_CLASS_LOW, EVENT_CLASS_N };

/* Tags by which a source's own findings are told, whatever it calls them. */
#define TAG_NOT_IN_IMAGE "not_in_image"      /* the program was written after the container had started */
#define TAG_FILELESS     "fileless"          /* it is no file of a disk: memfd, /dev/shm */
#define TAG_PROBE        "probe"             /* started by the engine's health check */

struct event_container {
    const char *id;                      /* 12..64 hex, as the source has it */
    const char *name, *image, *digest, *runtime;
};

struct event_place {
    const char *namespace, *pod, *pod_uid, *workload, *service;
};

struct event_process {
    const char *exe, *name, *args, *cwd, *user, *sha256;
    int64_t pid, ppid, uid, auid;
    const char *parent_exe, *parent_name;
};

struct event_ancestor {                  /* nearest first */
    const char *exe;
    int64_t pid;
};

struct event_net {
    const char *protocol;                /* "tcp", "udp" ... */
    const char *direction;               /* "in", "out" */
    const char *local, *remote;          /* addresses */
    int64_t local_port, remote_port;
    const char *remote_name;             /* DNS name */
    const char *remote_service;          /* "namespace/workload" */
};

struct event_file {
    const char *path, *flags;
};

/* A request to the Kubernetes API; who asked is process.user. */
struct event_k8s {
    const char *verb, *resource, *subresource, *name, *uri, *decision;   /* resource "pods.apps", decision "allow", "forbid" */
    int64_t code;                        /* HTTP status of the answer */
};

struct event {
    int64_t seq;                         /* of the node's stream; 0 none yet */
    int64_t at_ms;                       /* when it happened, by the source's clock */
    int source, kind, verdict;
    int64_t severity;
    const char *node;                    /* as the source calls it */
    const char *rule, *message;
    const char *event_id;                /* the source's */
    const char *const *tags; size_t n_tags;
    struct event_container container;
    struct event_place place;
    struct event_process process;
    const struct event_ancestor *chain; size_t n_chain;
    struct event_net net;
    struct event_file file;
    struct event_k8s k8s;
    const char *capability;              /* "SYS_ADMIN", without CAP_ */
    const char *operation;               /* the source's own word for what was done: "execve", "security_socket_connect" */
    const char *origin;                  /* where the agent read it: "NAME:INODE:OFFSET" of a followed file (agent/source.h) */
    bool is_cut;                         /* a text was longer than its bound */
    int64_t count;                       /* how many this stands for: 1, or what was lost or folded */
};

#endif
