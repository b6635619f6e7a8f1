-- 0008_events.sql - what happened on nodes, and what is to be looked at.

CREATE TABLE events (
    id INT64 PRIMARY KEY,                -- in the order of recording
    node INT64 NOT NULL,                 -- 0: sent by no node (Falco straight to the server)
    seq INT64 NOT NULL,
    at_ms INT64 NOT NULL,
    kind INT64 NOT NULL,
    severity INT64 NOT NULL,
    image_id INT64,
    alert_id INT64,                      -- which alert it raised or added to
    document BYTES NOT NULL              -- JSON of the event
) STRICT;
CREATE INDEX events_by_image ON events (image_id, id) WHERE image_id IS NOT NULL;
CREATE INDEX events_by_alert ON events (alert_id, id) WHERE alert_id IS NOT NULL;

CREATE TABLE alerts (
    id INT64 PRIMARY KEY,
    dedupe TEXT NOT NULL UNIQUE,         -- what makes two the same
    state INT64 NOT NULL,                -- enum alert_state
    rule TEXT NOT NULL,                  -- drift rule, policy/validation or foreign rule
    rule_kind INT64 NOT NULL,            -- enum alert_rule_kind
    severity INT64 NOT NULL,
    title TEXT NOT NULL,
    image_id INT64,
    repository TEXT NOT NULL,
    cluster TEXT NOT NULL,
    namespace TEXT NOT NULL,
    workload TEXT NOT NULL,
    node INT64 NOT NULL,
    n INT64 NOT NULL,                    -- events
    first_ms INT64 NOT NULL,
    last_ms INT64 NOT NULL,
    changed_ms INT64 NOT NULL,
    changed_by TEXT NOT NULL,
    note TEXT NOT NULL,
    story TEXT NOT NULL                  -- JSON: chain, container, image, scan state, policy, as of the first event
) STRICT;
CREATE INDEX alerts_by_state ON alerts (state, severity, last_ms, id);
CREATE INDEX alerts_by_last ON alerts (last_ms, id);
CREATE INDEX alerts_by_image ON alerts (image_id, id) WHERE image_id IS NOT NULL;

CREATE TABLE suppressions (
    id TEXT PRIMARY KEY,
    rule TEXT,                           -- pattern; NULL any
    repository TEXT,
    cluster TEXT,
    namespace TEXT,
    workload TEXT,
    subject TEXT,                        -- pattern on the path, port or peer
    reason TEXT NOT NULL,
    created_ms INT64 NOT NULL,
    created_by TEXT NOT NULL,
    expires_ms INT64 NOT NULL,
    revoked_ms INT64,
    n_hits INT64 NOT NULL
) STRICT;
CREATE INDEX suppressions_by_expiry ON suppressions (expires_ms, id);
