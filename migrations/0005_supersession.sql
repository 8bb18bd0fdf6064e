-- Superseding works, and what is append-only cannot be emptied either.
--
-- The check of 0003 named a table `new`, which PL/pgSQL takes for its own NEW: it refused every supersession. And a
-- table whose rows cannot be deleted could still be truncated where nothing refers to it, which would have brought
-- superseded results back, or wiped the timelines.

CREATE OR REPLACE FUNCTION check_supersession() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM results AS wrong JOIN results AS successor ON successor.result_id = NEW.superseded_by
        WHERE wrong.result_id = NEW.result_id AND successor.recorded_at > wrong.recorded_at
            AND successor.model = wrong.model AND successor.instance_type = wrong.instance_type
            AND successor.origin = wrong.origin
    ) THEN
        RAISE EXCEPTION 'result % can only be superseded by a later one of the same model, instance type and origin',
            NEW.result_id USING ERRCODE = 'check_violation', CONSTRAINT = 'supersede_like_by_like';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER result_supersessions_stay BEFORE TRUNCATE ON result_supersessions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER run_events_stay BEFORE TRUNCATE ON run_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER load_reports_stay BEFORE TRUNCATE ON load_reports
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
