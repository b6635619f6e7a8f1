-- 0001_base.sql - the evidence, what is known of images, who may do what.
--
-- One text for both engines; INT64, BYTES, TEXT and the closing line are tokens
-- (README, "Storage").  Times are int64 ms, flags are 0/1, ids are ours.

-- ---- who ------------------------------------------------------------------
CREATE TABLE users (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL,
    created_ms INT64 NOT NULL,
    created_by TEXT NOT NULL,
    disabled_ms INT64,
    last_login_ms INT64
) STRICT;

CREATE TABLE login_links (
    id TEXT PRIMARY KEY,
    hash BYTES NOT NULL,
    user_id TEXT NOT NULL REFERENCES users (id),
    created_ms INT64 NOT NULL,
    expires_ms INT64 NOT NULL,
    used_ms INT64
) STRICT;
CREATE INDEX login_links_by_user ON login_links (user_id);
CREATE INDEX login_links_by_expiry ON login_links (expires_ms);

CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    hash BYTES NOT NULL,
    csrf TEXT NOT NULL,
    user_id TEXT NOT NULL REFERENCES users (id),
    created_ms INT64 NOT NULL,
    expires_ms INT64 NOT NULL,
    last_used_ms INT64 NOT NULL,
    from_addr TEXT NOT NULL
) STRICT;
CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_ms);

CREATE TABLE tokens (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    hash BYTES NOT NULL,
    repositories TEXT NOT NULL,          -- JSON list of patterns, [] is all
    created_ms INT64 NOT NULL,
    created_by TEXT NOT NULL,
    expires_ms INT64 NOT NULL,
    last_used_ms INT64,
    last_used_from TEXT,
    revoked_ms INT64
) STRICT;
CREATE INDEX tokens_by_created ON tokens (created_ms, id);

CREATE TABLE signers (
    id TEXT PRIMARY KEY,                 -- fingerprint of the key: sha256 of its SPKI, hex
    name TEXT NOT NULL UNIQUE,
    algorithm TEXT NOT NULL,             -- ed25519, ecdsa-p256
    public_key TEXT NOT NULL,            -- PEM
    repositories TEXT NOT NULL,          -- JSON list of patterns, [] is all
    statements TEXT NOT NULL,            -- JSON list of words, [] is all
    not_before_ms INT64 NOT NULL,
    not_after_ms INT64,
    created_ms INT64 NOT NULL,
    created_by TEXT NOT NULL,
    revoked_ms INT64
) STRICT;

CREATE TABLE unsigned_allowances (
    pattern TEXT PRIMARY KEY,            -- repository pattern
    reason TEXT NOT NULL,
    created_ms INT64 NOT NULL,
    created_by TEXT NOT NULL,
    expires_ms INT64 NOT NULL
) STRICT;

-- ---- what is kept for ever ----------------------------------------------------
-- Append-only.  `record` is the exact bytes the leaf hash is made of (RFC 6962).
CREATE TABLE audit (
    seq INT64 PRIMARY KEY,
    at_ms INT64 NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    object_kind TEXT NOT NULL,
    object_id TEXT NOT NULL,
    record BYTES NOT NULL,
    leaf BYTES NOT NULL
) STRICT;
--only postgres
CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''the audit log is append-only''; END';
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_is_append_only();
--both
--only sqlite
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
--both
CREATE INDEX audit_by_object ON audit (object_kind, object_id, seq);
CREATE INDEX audit_by_actor ON audit (actor, seq);

CREATE TABLE evidence (
    id TEXT PRIMARY KEY,                 -- sha256 of the bytes as they came, hex
    kind TEXT NOT NULL,                  -- dsse, bundle, detached, unsigned
    signer_id TEXT,
    signature TEXT,                      -- detached: the header as it came
    subject TEXT,                        -- detached, unsigned: the digest it is about
    length INT64 NOT NULL,               -- bytes before compression
    content BYTES NOT NULL,              -- zstd
    received_ms INT64 NOT NULL
) STRICT;

-- ---- images ---------------------------------------------------------------------
CREATE TABLE repositories (
    id INT64 PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,           -- canonical: docker.io/acme/shop
    team TEXT NOT NULL,                  -- '' none
    created_ms INT64 NOT NULL
) STRICT;
CREATE INDEX repositories_by_team ON repositories (team);

CREATE TABLE images (
    id INT64 PRIMARY KEY,
    digest TEXT NOT NULL UNIQUE,         -- the identity: subject of signed evidence
    repository_id INT64 NOT NULL REFERENCES repositories (id),
    tag TEXT,                            -- newest tag seen
    os_family TEXT,
    os_version TEXT,
    arch TEXT,
    base_image TEXT,
    first_seen_ms INT64 NOT NULL,
    last_seen_ms INT64 NOT NULL,
    -- the three clocks
    has_scan INT64 NOT NULL CHECK (has_scan IN (0, 1)),
    inventory_ms INT64,
    scanned_ms INT64,
    db_built_ms INT64,
    -- what stands now, kept beside the rows it is made of
    inventory_hash BYTES,
    n_packages INT64 NOT NULL,
    n_evaluable INT64 NOT NULL,
    n_critical INT64 NOT NULL,
    n_high INT64 NOT NULL,
    n_medium INT64 NOT NULL,
    n_low INT64 NOT NULL,
    n_other INT64 NOT NULL,
    n_fixable INT64 NOT NULL,            -- critical or high with a fix
    n_kev INT64 NOT NULL,
    n_secrets INT64 NOT NULL,
    n_malware INT64 NOT NULL,
    n_misconfig INT64 NOT NULL,
    n_excepted INT64 NOT NULL,
    is_signed INT64 NOT NULL CHECK (is_signed IN (0, 1)),
    n_running INT64 NOT NULL,            -- containers
    stale_order INT64 NOT NULL,          -- 0 never scanned, 1 time not known, else scanned_ms
    risk_order INT64 NOT NULL,           -- the worse, the smaller
    verdict INT64 NOT NULL,              -- enum decision
    verdict_since_ms INT64 NOT NULL,
    next_check_ms INT64 NOT NULL,        -- when time alone may change the verdict; 0: as soon as possible
    check_cause TEXT                     -- why a judgement is due
) STRICT;
CREATE INDEX images_by_repository ON images (repository_id, id);
CREATE INDEX images_by_staleness ON images (stale_order, id);
CREATE INDEX images_by_risk ON images (risk_order, id);
CREATE INDEX images_by_last_seen ON images (last_seen_ms, id);
CREATE INDEX images_by_verdict ON images (verdict, id);
CREATE INDEX images_by_next_check ON images (next_check_ms, id);

CREATE TABLE digest_aliases (
    digest TEXT PRIMARY KEY,             -- index, platform manifest, config ...
    image_id INT64 NOT NULL REFERENCES images (id),
    kind TEXT NOT NULL
) STRICT;
CREATE INDEX digest_aliases_by_image ON digest_aliases (image_id);

CREATE TABLE image_tags (
    repository_id INT64 NOT NULL REFERENCES repositories (id),
    tag TEXT NOT NULL,
    image_id INT64 NOT NULL REFERENCES images (id),
    seen_ms INT64 NOT NULL,
    PRIMARY KEY (repository_id, tag)     -- a tag points to the image last seen with it
) STRICT;
CREATE INDEX image_tags_by_image ON image_tags (image_id);

-- What runs: a cluster reports its whole set at a time.
CREATE TABLE running (
    cluster TEXT NOT NULL,
    namespace TEXT NOT NULL,
    workload TEXT NOT NULL,
    container TEXT NOT NULL,
    image_id INT64 NOT NULL REFERENCES images (id),
    replicas INT64 NOT NULL,
    seen_ms INT64 NOT NULL,
    PRIMARY KEY (cluster, namespace, workload, container)
) STRICT;
CREATE INDEX running_by_image ON running (image_id);

CREATE TABLE scanners (
    id INT64 PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE scans (
    id TEXT PRIMARY KEY,                 -- from image digest and evidence id: the same upload is the same scan
    image_id INT64 NOT NULL REFERENCES images (id),
    evidence_id TEXT NOT NULL REFERENCES evidence (id),
    signer_id TEXT,                      -- NULL: unsigned
    format TEXT NOT NULL,
    scanner_id INT64 NOT NULL REFERENCES scanners (id),
    scanner_version TEXT,
    db_version TEXT,
    db_built_ms INT64,
    scanned_ms INT64,                    -- NULL: the report does not say
    effective_ms INT64 NOT NULL,         -- scanned_ms, else received_ms: which scan is newer
    received_ms INT64 NOT NULL,
    pipeline TEXT,
    uploaded_by TEXT NOT NULL,
    has_inventory INT64 NOT NULL CHECK (has_inventory IN (0, 1)),
    has_findings INT64 NOT NULL CHECK (has_findings IN (0, 1)),
    is_current INT64 NOT NULL CHECK (is_current IN (0, 1)),
    n_packages INT64 NOT NULL,
    n_evaluable INT64 NOT NULL,
    n_findings INT64 NOT NULL,
    n_issues INT64 NOT NULL,
    n_unmapped INT64 NOT NULL
) STRICT;
CREATE INDEX scans_by_image ON scans (image_id, effective_ms, id);
CREATE INDEX scans_by_received ON scans (received_ms, id);
CREATE INDEX scans_by_evidence ON scans (evidence_id);

-- ---- packages, interned ---------------------------------------------------------------
CREATE TABLE package_names (
    id INT64 PRIMARY KEY,
    ecosystem TEXT NOT NULL,
    name TEXT NOT NULL,
    short_name TEXT NOT NULL,            -- log4j-core of org.apache.logging.log4j:log4j-core
    UNIQUE (name, ecosystem)
) STRICT;
CREATE INDEX package_names_by_short ON package_names (short_name);

CREATE TABLE packages (
    id INT64 PRIMARY KEY,
    name_id INT64 NOT NULL REFERENCES package_names (id),
    version TEXT NOT NULL,               -- '' not known
    arch TEXT NOT NULL,
    purl TEXT,
    source_name TEXT,
    source_version TEXT,
    licences TEXT,
    not_evaluable TEXT,                  -- NULL: can be matched against advisories
    UNIQUE (name_id, version, arch)
) STRICT;

CREATE TABLE image_packages (
    image_id INT64 NOT NULL REFERENCES images (id),
    package_id INT64 NOT NULL REFERENCES packages (id),
    path TEXT NOT NULL,                  -- '' not known
    PRIMARY KEY (image_id, package_id, path)
) CLUSTERED STRICT;
CREATE INDEX image_packages_by_package ON image_packages (package_id, image_id);

-- ---- vulnerabilities and where they are ------------------------------------------------
CREATE TABLE vulnerabilities (
    id INT64 PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,           -- the CVE where one is known
    title TEXT,
    url TEXT,
    cvss_vector TEXT,
    cvss INT64,                          -- tenths
    epss INT64,                          -- millionths
    is_kev INT64 NOT NULL CHECK (is_kev IN (0, 1)),
    published_ms INT64
) STRICT;

CREATE TABLE vulnerability_aliases (
    alias TEXT PRIMARY KEY,
    vulnerability_id INT64 NOT NULL REFERENCES vulnerabilities (id)
) STRICT;
CREATE INDEX vulnerability_aliases_by_id ON vulnerability_aliases (vulnerability_id);

CREATE TABLE findings (
    image_id INT64 NOT NULL REFERENCES images (id),
    vulnerability_id INT64 NOT NULL REFERENCES vulnerabilities (id),
    package_id INT64 NOT NULL,           -- 0: the report names none
    scanner_id INT64 NOT NULL REFERENCES scanners (id),
    severity INT64 NOT NULL,
    status INT64 NOT NULL,
    fixed_version TEXT,
    severity_source TEXT,
    suppressed TEXT,                     -- why the scanner itself ignores it
    since_ms INT64 NOT NULL,
    PRIMARY KEY (image_id, vulnerability_id, package_id, scanner_id)
) CLUSTERED STRICT;
CREATE INDEX findings_by_vulnerability ON findings (vulnerability_id, image_id);

-- Every change of a finding, with its cause.
CREATE TABLE finding_changes (
    image_id INT64 NOT NULL REFERENCES images (id),
    at_ms INT64 NOT NULL,
    vulnerability_id INT64 NOT NULL,
    package_id INT64 NOT NULL,
    scanner_id INT64 NOT NULL,
    change TEXT NOT NULL,                -- opened, closed, severity, fix, status
    cause TEXT NOT NULL,                 -- scan ID ...
    detail TEXT NOT NULL                 -- "high -> critical"
) STRICT;
CREATE INDEX finding_changes_by_image ON finding_changes (image_id, at_ms);

CREATE TABLE issues (
    image_id INT64 NOT NULL REFERENCES images (id),
    scanner_id INT64 NOT NULL REFERENCES scanners (id),
    position INT64 NOT NULL,
    kind INT64 NOT NULL,
    rule TEXT NOT NULL,
    severity INT64 NOT NULL,
    status TEXT,
    title TEXT,
    message TEXT,
    resolution TEXT,
    file TEXT,
    start_line INT64 NOT NULL,
    since_ms INT64 NOT NULL,
    PRIMARY KEY (image_id, scanner_id, position)
) STRICT;

-- ---- judgement ------------------------------------------------------------------------
CREATE TABLE policies (
    name TEXT PRIMARY KEY,
    version INT64 NOT NULL,
    document TEXT NOT NULL,              -- as uploaded, YAML or JSON
    is_enabled INT64 NOT NULL CHECK (is_enabled IN (0, 1)),
    is_shipped INT64 NOT NULL CHECK (is_shipped IN (0, 1)),
    updated_ms INT64 NOT NULL,
    updated_by TEXT NOT NULL
) STRICT;

CREATE TABLE policy_versions (
    name TEXT NOT NULL,
    version INT64 NOT NULL,
    document TEXT NOT NULL,
    at_ms INT64 NOT NULL,
    author TEXT NOT NULL,
    PRIMARY KEY (name, version)
) STRICT;

CREATE TABLE exceptions (
    id TEXT PRIMARY KEY,
    vulnerability TEXT,                  -- a CVE or alias; or
    rule TEXT,                           -- "policy/validation"
    repository TEXT,                     -- pattern; NULL: all
    digest TEXT,
    package TEXT,
    namespace TEXT,
    reason TEXT NOT NULL,
    owner TEXT NOT NULL,
    source TEXT NOT NULL,                -- manual, openvex
    vex_status TEXT,
    justification TEXT,
    created_ms INT64 NOT NULL,
    created_by TEXT NOT NULL,
    expires_ms INT64 NOT NULL,
    revoked_ms INT64
) STRICT;
CREATE INDEX exceptions_by_expiry ON exceptions (expires_ms, id);
CREATE INDEX exceptions_by_created ON exceptions (created_ms, id);

CREATE TABLE verdicts (
    image_id INT64 NOT NULL REFERENCES images (id),
    at_ms INT64 NOT NULL,
    decision INT64 NOT NULL,
    cause TEXT NOT NULL,                 -- scan ID, policy NAME version N, exception ID, time
    reasons TEXT NOT NULL,               -- JSON
    PRIMARY KEY (image_id, at_ms)
) CLUSTERED STRICT;

-- Changes per day (UTC, days since 1970) and team ('' all): the open findings of a
-- day are the sum of all rows up to it, so that evidence may arrive late.
CREATE TABLE trend (
    day INT64 NOT NULL,
    team TEXT NOT NULL,
    n_images INT64 NOT NULL,
    n_critical INT64 NOT NULL,
    n_high INT64 NOT NULL,
    n_medium INT64 NOT NULL,
    n_low INT64 NOT NULL,
    n_kev INT64 NOT NULL,
    PRIMARY KEY (team, day)
) STRICT;

-- ---- housekeeping -------------------------------------------------------------------------
CREATE TABLE idempotency (
    caller TEXT NOT NULL,
    idem_key TEXT NOT NULL,
    request BYTES NOT NULL,              -- hash of method, path and body
    status INT64 NOT NULL,
    answer BYTES NOT NULL,
    created_ms INT64 NOT NULL,
    PRIMARY KEY (caller, idem_key)
) STRICT;
CREATE INDEX idempotency_by_created ON idempotency (created_ms);

CREATE TABLE settings (
    name TEXT PRIMARY KEY,
    setting TEXT NOT NULL
) STRICT;
