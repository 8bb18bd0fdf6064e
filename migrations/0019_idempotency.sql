-- A key that comes again is answered with its first run only if the request is the same, which is told by a hash of the
-- request as it was sent: what it became (a commit, a split) may differ by the time it is sent again.
ALTER TABLE runs ADD COLUMN request_sha256 text CHECK (request_sha256 ~ '^[0-9a-f]{64}$'),
    ADD CHECK (request_sha256 IS NULL OR idempotency_key IS NOT NULL);
