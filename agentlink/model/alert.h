/* alert.h - a departure somebody has to look at, and rules that silence it for a time. */
#ifndef KEEP_MODEL_ALERT_H
#define KEEP_MODEL_ALERT_H

#include <stdint.h>

enum alert_state { ALERT_OPEN = 0, ALERT_ACKNOWLEDGED, ALERT_RESOLVED, ALERT_STATE_N };
enum alert_rule_kind { ALERT_DRIFT = 0, ALERT_POLICY, ALERT_FOREIGN, ALERT_NODE, ALERT_RULE_KIND_N };

/* What a profile can be departed from by; the words are stable. */
enum drift_rule {
    DRIFT_NONE = 0,
    DRIFT_EXECUTABLE, DRIFT_PORT, DRIFT_PEER, DRIFT_NOT_IN_IMAGE, DRIFT_SHELL, DRIFT_CAPABILITY, DRIFT_WRITE, DRIFT_USER, DRIFT_INGRESS,
    DRIFT_RULE_N
};

/* How it is known which image an event is about, surest first. */
enum event_image_by { IMAGE_BY_NOTHING = 0, IMAGE_BY_CONTAINER, IMAGE_BY_DIGEST, IMAGE_BY_REFERENCE, IMAGE_BY_POD, EVENT_IMAGE_BY_N };

struct alert {
    int64_t id;
    const char *dedupe, *rule, *title, *repository, *digest, *cluster, *namespace, *workload, *node, *changed_by, *note;
    const char *story;                   /* JSON */
    int state, rule_kind, severity;      /* severity as events have it: 0 worst */
    int64_t n, first_ms, last_ms, changed_ms;
};

struct suppression {
    const char *id, *rule, *repository, *cluster, *namespace, *workload, *subject, *reason, *created_by, *state;
    int64_t created_ms, expires_ms, revoked_ms, n_hits;
};

#endif
