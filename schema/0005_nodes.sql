-- 0005_nodes.sql - who may join, which machines did, and how they are.

CREATE TABLE join_tokens (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    hash BYTES NOT NULL,
    cluster TEXT NOT NULL,
    labels TEXT NOT NULL,                -- JSON object: what its nodes are labelled with
    created_ms INT64 NOT NULL,
    created_by TEXT NOT NULL,
    expires_ms INT64 NOT NULL,
    max_uses INT64 NOT NULL,
    n_used INT64 NOT NULL,
    revoked_ms INT64
) STRICT;
CREATE INDEX join_tokens_by_created ON join_tokens (created_ms, id);

CREATE TABLE nodes (
    id INT64 PRIMARY KEY,                -- of the store; never shown
    node_id TEXT NOT NULL UNIQUE,        -- ours, random, base 62
    name TEXT NOT NULL,                  -- as the machine calls itself
    cluster TEXT NOT NULL,
    labels TEXT NOT NULL,                -- JSON object, from the join token
    scope TEXT NOT NULL,                 -- cluster and labels as one word: whom a bundle is for
    fingerprint TEXT NOT NULL UNIQUE,    -- of its key
    public_key TEXT NOT NULL,            -- PEM, Ed25519
    join_token TEXT NOT NULL,
    created_ms INT64 NOT NULL,
    enrolled_ms INT64,                   -- first proof that it holds the key; NULL: invited
    revoked_ms INT64,
    revoked_by TEXT,
    last_seen_ms INT64,
    last_from TEXT,
    -- what it says of itself
    agent_version TEXT NOT NULL,
    kernel TEXT NOT NULL,
    arch TEXT NOT NULL,
    clock_skew_ms INT64,                 -- its clock minus ours; NULL not measured
    session_ms INT64,                    -- what its clock said at its last session
    session_nonce TEXT NOT NULL,         -- and the nonce of that request
    challenge_ms INT64,                  -- when the challenge it last answered was made
    instances TEXT NOT NULL,             -- JSON list of the machine's last boots, newest first
    cloned_ms INT64,                     -- a boot came back that another had replaced; NULL never
    certificate TEXT NOT NULL,           -- fingerprint of its TLS client key, '' none
    bundle_version INT64,                -- in force there; NULL none
    bundle_applied_ms INT64,
    problem TEXT NOT NULL,               -- why it is not well, '' it is
    status TEXT,                         -- JSON: its last report
    status_ms INT64,
    -- the streams it sends
    stream TEXT NOT NULL,                -- '' none yet
    through_seq INT64 NOT NULL,          -- all events up to here are stored, or accounted for as dropped
    n_events INT64 NOT NULL,
    n_dropped INT64 NOT NULL,
    n_refused INT64 NOT NULL,            -- batches that did not fit
    inventory_generation INT64 NOT NULL  -- 0: none, send everything
) STRICT;
CREATE INDEX nodes_by_cluster ON nodes (cluster, id);
CREATE INDEX nodes_by_last_seen ON nodes (last_seen_ms, id);
CREATE INDEX nodes_by_name ON nodes (name, id);
CREATE INDEX nodes_revoked ON nodes (revoked_ms, id) WHERE revoked_ms IS NOT NULL;

-- Why events are missing: per node, class and reason.
CREATE TABLE node_drops (
    node INT64 NOT NULL REFERENCES nodes (id),
    class TEXT NOT NULL,
    reason TEXT NOT NULL,
    n INT64 NOT NULL,
    last_ms INT64 NOT NULL,
    PRIMARY KEY (node, class, reason)
) CLUSTERED STRICT;
