-- 0008_events.sql - what happened on nodes, and what is to be looked at.

-- How far each stream of a node has come.  Old streams are remembered, so that a
-- batch of one that comes late is known to be stored.
CREATE TABLE event_streams (
    node INT64 NOT NULL,                 -- 0: sent by no node (Falco straight to the server)
    stream TEXT NOT NULL,
    through_seq INT64 NOT NULL,          -- all up to here is stored, or accounted for as dropped
    last_ms INT64 NOT NULL,
    PRIMARY KEY (node, stream)
) CLUSTERED STRICT;

CREATE TABLE events (
    id INT64 PRIMARY KEY,                -- in the order of recording, without gaps
    node INT64 NOT NULL,                 -- 0: sent by no node
    seq INT64 NOT NULL,                  -- of the stream
    at_ms INT64 NOT NULL,
    kind INT64 NOT NULL,
    severity INT64 NOT NULL,
    image_id INT64,
    image_by INT64 NOT NULL,             -- what told the image, enum event_image_by
    alert_id INT64,                      -- the gravest alert it raised or added to
    source_key BYTES,                    -- of events without a stream: what makes two the same
    document BYTES NOT NULL              -- JSON of the event
) STRICT;
CREATE INDEX events_by_time ON events (at_ms, id);
CREATE INDEX events_by_image ON events (image_id, at_ms, id) WHERE image_id IS NOT NULL;
CREATE INDEX events_by_alert ON events (alert_id, id) WHERE alert_id IS NOT NULL;
CREATE UNIQUE INDEX events_by_key ON events (source_key) WHERE source_key IS NOT NULL;

-- The first event recorded in a minute: by this, not by the clocks of nodes, events grow old.
CREATE TABLE event_marks (
    id INT64 PRIMARY KEY,
    at_ms INT64 NOT NULL
) STRICT;

CREATE TABLE alerts (
    id INT64 PRIMARY KEY,
    dedupe TEXT NOT NULL UNIQUE,         -- what makes two the same
    state INT64 NOT NULL,                -- enum alert_state
    rule TEXT NOT NULL,                  -- drift rule, policy/validation or foreign rule
    rule_kind INT64 NOT NULL,            -- enum alert_rule_kind
    subject TEXT NOT NULL,               -- the path, port or peer; '' none
    base_severity INT64 NOT NULL,        -- of the gravest event
    severity INT64 NOT NULL,             -- the same, raised by denied attempts
    title TEXT NOT NULL,
    image_id INT64,
    repository TEXT NOT NULL,
    digest TEXT NOT NULL,
    cluster TEXT NOT NULL,
    namespace TEXT NOT NULL,
    workload TEXT NOT NULL,
    node INT64 NOT NULL,                 -- of the newest event; 0 none
    n INT64 NOT NULL,                    -- events
    n_denied INT64 NOT NULL,             -- of them, those that something prevented
    episode INT64 NOT NULL,              -- grows each time it comes back after it was resolved
    first_ms INT64 NOT NULL,
    last_ms INT64 NOT NULL,
    changed_ms INT64 NOT NULL,
    changed_by TEXT NOT NULL,
    note TEXT NOT NULL,
    newest TEXT NOT NULL,                -- ids of its newest events, "12,11,7"
    story TEXT NOT NULL                  -- JSON: chain, container, image, scan state, policy, as of the episode's first event
) STRICT;
CREATE INDEX alerts_by_state ON alerts (state, last_ms, id);
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
CREATE INDEX suppressions_by_created ON suppressions (created_ms, id);
