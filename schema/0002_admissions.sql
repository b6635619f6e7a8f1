-- 0002_admissions.sql - what Kubernetes asked, and what it was told.
--
-- `review` is the AdmissionReview or ImageReview as it came, so that a changed
-- policy can be tried on the past; NULL when it was too large to keep.

CREATE TABLE admissions (
    id INT64 PRIMARY KEY,                -- in the order of recording
    at_ms INT64 NOT NULL,
    cluster TEXT NOT NULL,               -- '' not named
    namespace TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,                  -- or what its name will begin with
    operation TEXT NOT NULL,
    username TEXT NOT NULL,              -- who asked the API server
    uid TEXT NOT NULL,                   -- of the review
    outcome INT64 NOT NULL,              -- enum admission_outcome
    allowed INT64 NOT NULL CHECK (allowed IN (0, 1)),
    break_glass TEXT,                    -- its reason
    reasons TEXT NOT NULL,               -- JSON
    images TEXT NOT NULL,                -- JSON
    policy_version INT64 NOT NULL,
    review BYTES                         -- zstd
) STRICT;
CREATE INDEX admissions_by_time ON admissions (at_ms, id);
CREATE INDEX admissions_by_outcome ON admissions (outcome, id);
