-- Runs whose load points are found while they are measured: a sweep to saturation, or a search for the highest load that
-- keeps an SLO. Until the load generator concludes, `load_point_count` is the most that there may be; with the
-- conclusion, and in the same step, it becomes the number of the reports that have arrived. A run of this kind records
-- only what was concluded.
ALTER TABLE runs
    ADD COLUMN conclusion jsonb CHECK (jsonb_typeof(conclusion) = 'object'),
    ADD CONSTRAINT only_an_exploration_concludes CHECK (conclusion IS NULL OR spec ? 'exploration');

CREATE FUNCTION check_run_conclusion() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.load_point_count, NEW.conclusion) IS DISTINCT FROM (OLD.load_point_count, OLD.conclusion) AND NOT (
        OLD.conclusion IS NULL AND NEW.conclusion IS NOT NULL AND OLD.phase = 'loading' AND NEW.phase = 'loading'
        AND NEW.load_point_count = (SELECT count(*) FROM load_reports WHERE run_id = NEW.run_id)
    ) THEN
        RAISE EXCEPTION 'run %: its load points are counted once, by the conclusion of its exploration', OLD.run_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'concluded_once';
    END IF;
    IF OLD.phase = 'loading' AND NEW.phase = 'recording' AND OLD.spec ? 'exploration' AND OLD.conclusion IS NULL THEN
        RAISE EXCEPTION 'run %: an exploration is recorded after its conclusion', OLD.run_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'concluded_before_recording';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER runs_conclusion BEFORE UPDATE ON runs FOR EACH ROW EXECUTE FUNCTION check_run_conclusion();
