-- 0003_opa.sql - what agents of the Open Policy Agent say of themselves and decided.

-- One row per agent: the last status it sent, without its metrics.
CREATE TABLE opa_status (
    instance TEXT PRIMARY KEY,           -- labels.id, chosen by the agent
    partition TEXT NOT NULL,
    version TEXT NOT NULL,
    seen_ms INT64 NOT NULL,
    revision TEXT NOT NULL,              -- of the bundle of ours it has active, '' none
    problem TEXT NOT NULL,               -- why it is not well, '' it is
    document TEXT NOT NULL               -- JSON
) STRICT;
CREATE INDEX opa_status_by_time ON opa_status (seen_ms, instance);

CREATE TABLE opa_decisions (
    id INT64 PRIMARY KEY,                -- in the order of recording
    decision_id TEXT NOT NULL,           -- the agent's: sending it again changes nothing
    at_ms INT64 NOT NULL,
    received_ms INT64 NOT NULL,
    instance TEXT NOT NULL,
    partition TEXT NOT NULL,
    path TEXT NOT NULL,                  -- without a leading slash
    revision TEXT NOT NULL,
    requested_by TEXT NOT NULL,
    input TEXT,                          -- JSON; NULL: none, or too large
    result TEXT                          -- JSON; NULL: undefined, or too large
) STRICT;
CREATE UNIQUE INDEX opa_decisions_by_decision ON opa_decisions (decision_id);
CREATE INDEX opa_decisions_by_time ON opa_decisions (received_ms, id);

-- Whether a verdict has changed is asked whenever an agent polls.
CREATE INDEX verdicts_by_time ON verdicts (at_ms);
