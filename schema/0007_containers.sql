-- 0007_containers.sql - what runs on nodes, as their agents see it.

CREATE TABLE containers (
    node INT64 NOT NULL REFERENCES nodes (id),
    container_id TEXT NOT NULL,          -- the engine's, 12..64 hex or a name
    image_id INT64 REFERENCES images (id),       -- NULL: the digest is not known
    image_ref TEXT NOT NULL,             -- as the engine says, '' not known
    digest TEXT,
    name TEXT NOT NULL,
    cluster TEXT NOT NULL,
    namespace TEXT NOT NULL,
    pod TEXT NOT NULL,
    workload TEXT NOT NULL,
    service TEXT NOT NULL,
    engine TEXT NOT NULL,
    sandbox TEXT NOT NULL,               -- gvisor, kata, firecracker; '' none
    is_privileged INT64 NOT NULL CHECK (is_privileged IN (0, 1)),
    user_id INT64,
    started_ms INT64,
    seen_ms INT64 NOT NULL,
    document TEXT NOT NULL,              -- JSON: all that was reported
    verdict INT64 NOT NULL,              -- of the policies of the run stage, enum decision
    reasons TEXT NOT NULL,               -- JSON
    PRIMARY KEY (node, container_id)
) STRICT;
CREATE INDEX containers_by_image ON containers (image_id, node, container_id);
CREATE INDEX containers_by_place ON containers (cluster, namespace, workload, name);
CREATE INDEX containers_by_verdict ON containers (verdict, node, container_id);
