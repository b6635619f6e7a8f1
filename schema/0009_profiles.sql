-- 0009_profiles.sql - what images are expected to do, as declared, learned, enforced.

CREATE TABLE profiles (
    id INT64 PRIMARY KEY,
    repository TEXT NOT NULL,
    digest TEXT NOT NULL,                -- '' every image of the repository
    source INT64 NOT NULL,               -- enum profile_source
    version INT64 NOT NULL,              -- grows with every change of (repository, digest, source)
    mode INT64 NOT NULL,                 -- enum profile_mode
    document TEXT NOT NULL,              -- JSON
    signer_id TEXT,
    evidence_id TEXT,
    created_ms INT64 NOT NULL,
    created_by TEXT NOT NULL,
    is_current INT64 NOT NULL CHECK (is_current IN (0, 1)),
    UNIQUE (repository, digest, source, version)
) STRICT;
CREATE INDEX profiles_current ON profiles (is_current, repository, digest, source);

-- What was seen done, per image: the material of learning.
CREATE TABLE observations (
    image_id INT64 NOT NULL REFERENCES images (id),
    kind INT64 NOT NULL,                 -- enum profile_part
    item TEXT NOT NULL,                  -- path, "tcp/8080", "dns api.example.com 443" ...
    parent TEXT NOT NULL,                -- of an executable, '' none known
    n INT64 NOT NULL,
    n_containers INT64 NOT NULL,         -- different ones
    n_nodes INT64 NOT NULL,
    first_ms INT64 NOT NULL,
    last_ms INT64 NOT NULL,
    doubt TEXT NOT NULL,                 -- why it is not learned by itself, '' none
    PRIMARY KEY (image_id, kind, item, parent)
) CLUSTERED STRICT;
