-- 0007_containers.sql - what runs on nodes, as their agents see it.

CREATE TABLE containers (
    node INT64 NOT NULL REFERENCES nodes (id),
    container_id TEXT NOT NULL,          -- the engine's, 12..64 hex or a name
    image_id INT64 REFERENCES images (id),       -- NULL: Keep does not know the image
    image_by INT64 NOT NULL,             -- enum container_image_by
    image_ref TEXT NOT NULL,             -- as the engine says, '' not known
    digest TEXT,
    name TEXT NOT NULL,
    cluster TEXT NOT NULL,
    namespace TEXT NOT NULL,
    pod TEXT NOT NULL,
    workload TEXT NOT NULL,              -- or service, pod, name: never ''
    service TEXT NOT NULL,
    engine TEXT NOT NULL,
    runtime TEXT NOT NULL,
    sandbox TEXT NOT NULL,               -- gvisor, kata, firecracker; '' none
    is_privileged INT64 NOT NULL CHECK (is_privileged IN (0, 1)),
    user_id INT64 NOT NULL,              -- -1 not known
    started_ms INT64,
    seen_ms INT64 NOT NULL,
    document TEXT NOT NULL,              -- JSON: all that was reported
    verdict INT64 NOT NULL,              -- of the policies of the run stage, enum decision
    judged_ms INT64,                     -- NULL: not yet
    reasons TEXT NOT NULL,               -- JSON
    next_check_ms INT64 NOT NULL,        -- when to judge again; 0: as soon as possible
    PRIMARY KEY (node, container_id)
) STRICT;
CREATE INDEX containers_by_image ON containers (image_id, node, container_id);
CREATE INDEX containers_by_place ON containers (cluster, namespace, workload, name);
CREATE INDEX containers_by_verdict ON containers (verdict, node, container_id);
CREATE INDEX containers_by_next_check ON containers (next_check_ms, image_id);
CREATE INDEX containers_privileged ON containers (node, container_id) WHERE is_privileged = 1;

-- What each of them breaks, so that "who breaks policy P" is a look-up.
CREATE TABLE container_breaks (
    policy TEXT NOT NULL,
    rule TEXT NOT NULL,
    node INT64 NOT NULL,
    container_id TEXT NOT NULL,
    PRIMARY KEY (policy, rule, node, container_id)
) CLUSTERED STRICT;
CREATE INDEX container_breaks_by_container ON container_breaks (node, container_id);

-- One place runs several images while it is rolled out: the image is part of the key.
ALTER TABLE running RENAME TO running_before;
CREATE TABLE running (
    cluster TEXT NOT NULL,
    namespace TEXT NOT NULL,
    workload TEXT NOT NULL,
    container TEXT NOT NULL,
    image_id INT64 NOT NULL REFERENCES images (id),
    replicas INT64 NOT NULL,
    seen_ms INT64 NOT NULL,
    PRIMARY KEY (cluster, namespace, workload, container, image_id)
) STRICT;
INSERT INTO running (cluster, namespace, workload, container, image_id, replicas, seen_ms)
    SELECT cluster, namespace, workload, container, image_id, replicas, seen_ms FROM running_before;
DROP TABLE running_before;
CREATE INDEX running_by_image ON running (image_id);
