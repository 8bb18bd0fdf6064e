-- What the catalog keeps fresh are targets: requests that come with a release, or that an operator adds. Whether one is
-- due follows from its submissions: when its last run was made, on which engine, and whether the model has had a newer
-- revision since. Each submission says what it was expected to cost, which is what the budget of a week is held against.
ALTER TABLE catalog_entries RENAME TO catalog_targets;
ALTER TABLE catalog_targets RENAME COLUMN catalog_entry_id TO catalog_target_id;
ALTER TABLE catalog_targets
    -- Comes with a release; a later release may leave it out, and it is disabled then.
    ADD COLUMN of_release boolean NOT NULL DEFAULT false;

CREATE TABLE catalog_submissions (
    run_id            uuid PRIMARY KEY REFERENCES runs,
    catalog_target_id uuid NOT NULL REFERENCES catalog_targets,
    submitted_at      timestamptz NOT NULL DEFAULT now(),
    reason            text NOT NULL CHECK (reason IN ('never_measured', 'age', 'new_revision', 'new_engine')),
    -- Of what the engine is started; nothing where no profile of ours deploys it.
    engine_image      text,
    expected_hours    double precision NOT NULL CHECK (expected_hours > 0 AND expected_hours < 'infinity'),
    expected_usd      double precision NOT NULL CHECK (expected_usd >= 0 AND expected_usd < 'infinity')
);
CREATE INDEX catalog_submissions_newest ON catalog_submissions (catalog_target_id, submitted_at DESC);
CREATE INDEX catalog_submissions_of_a_week ON catalog_submissions (submitted_at);

CREATE TRIGGER catalog_submissions_append_only BEFORE UPDATE OR DELETE ON catalog_submissions
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER catalog_submissions_stay BEFORE TRUNCATE ON catalog_submissions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

INSERT INTO catalog_submissions (run_id, catalog_target_id, submitted_at, reason, expected_hours, expected_usd)
SELECT last_run_id, catalog_target_id, runs.created_at, 'never_measured', runs.timeout_s / 3600.0, 0
FROM catalog_targets JOIN runs ON run_id = last_run_id;
ALTER TABLE catalog_targets DROP COLUMN last_run_id;
