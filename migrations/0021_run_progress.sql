-- What a load generator told while it measured, about once a second, so that a person who opens a run's page sees how it
-- went so far. It is for watching only: the reports hold what was measured, and nothing of this outlives the run.
CREATE TABLE run_progress (
    run_id   uuid NOT NULL REFERENCES runs,
    at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    progress jsonb NOT NULL,
    PRIMARY KEY (run_id, at)
);

CREATE FUNCTION forget_run_progress() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM run_progress WHERE run_id = NEW.run_id;
    RETURN NULL;
END $$;
CREATE TRIGGER runs_forget_progress AFTER UPDATE OF phase ON runs
    FOR EACH ROW WHEN (NEW.phase = 'finished' AND OLD.phase <> 'finished') EXECUTE FUNCTION forget_run_progress();
