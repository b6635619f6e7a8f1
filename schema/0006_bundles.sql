-- 0006_bundles.sql - what nodes are told: roots of trust and signed bundles.

CREATE TABLE trust_roots (
    version INT64 PRIMARY KEY,
    envelope BYTES NOT NULL,             -- as signed
    created_ms INT64 NOT NULL,
    created_by TEXT NOT NULL
) STRICT;

-- The newest bundle of each scope; the versions before it only by their hashes.
CREATE TABLE bundles (
    scope TEXT NOT NULL,
    version INT64 NOT NULL,
    content_hash TEXT NOT NULL,          -- of the files, without version and times
    signed_ms INT64 NOT NULL,
    expires_ms INT64 NOT NULL,
    root_version INT64 NOT NULL,
    cause TEXT NOT NULL,                 -- why it was made
    length INT64 NOT NULL,
    bytes BYTES,                         -- as served; NULL: superseded
    PRIMARY KEY (scope, version)
) STRICT;
CREATE INDEX bundles_newest ON bundles (scope) WHERE bytes IS NOT NULL;
-- For whom bundles are, and who runs which.
CREATE INDEX nodes_by_scope ON nodes (scope, bundle_version) WHERE revoked_ms IS NULL;
