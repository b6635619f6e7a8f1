-- 0009_profiles.sql - what images are expected to do, as declared, learned, enforced.

CREATE TABLE profiles (
    id INT64 PRIMARY KEY,                -- this very version
    profile_id TEXT NOT NULL,            -- hash of repository and digest: how routes name it
    repository TEXT NOT NULL,
    digest TEXT NOT NULL,                -- '' every image of the repository
    source INT64 NOT NULL,               -- enum profile_source
    version INT64 NOT NULL,              -- grows with every change of (repository, digest, source)
    mode INT64 NOT NULL,                 -- enum profile_mode
    document TEXT NOT NULL,              -- JSON
    signer_id TEXT,
    evidence_id TEXT,                    -- what was signed: hash of the upload
    created_ms INT64 NOT NULL,
    created_by TEXT NOT NULL,
    reason TEXT NOT NULL,                -- why, '' not said
    is_current INT64 NOT NULL CHECK (is_current IN (0, 1)),
    UNIQUE (profile_id, source, version)
) STRICT;
CREATE INDEX profiles_current ON profiles (repository, digest, source) WHERE is_current = 1;
CREATE INDEX profiles_enforced ON profiles (source, repository, digest) WHERE is_current = 1;
CREATE INDEX profiles_by_id ON profiles (profile_id, id);

-- What was seen done, per image: the material of learning.
CREATE TABLE observations (
    image_id INT64 NOT NULL REFERENCES images (id),
    kind INT64 NOT NULL,                 -- enum profile_part
    item TEXT NOT NULL,                  -- path, "tcp/8080", "dns api.example.com tcp/443" ...
    parent TEXT NOT NULL,                -- of an executable, '' none known
    n INT64 NOT NULL,
    n_containers INT64 NOT NULL,         -- different ones, up to 32
    n_nodes INT64 NOT NULL,              -- different ones, up to 16
    n_hours INT64 NOT NULL,              -- different ones of the clock
    first_ms INT64 NOT NULL,
    last_ms INT64 NOT NULL,
    doubt TEXT NOT NULL,                 -- what was against it when it was seen: words, '' nothing
    containers BYTES NOT NULL,           -- hashes of 4 bytes each, so that they can be told apart
    nodes BYTES NOT NULL,
    PRIMARY KEY (image_id, kind, item, parent)
) CLUSTERED STRICT;
