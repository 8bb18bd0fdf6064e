-- Runs and everything that a run writes while it lives.
--
-- The row of a run is the only truth about it; the queue only wakes workers up. Three things keep it honest:
--   * phase and verdict follow the life drawn in core (run/phase.rs); a trigger refuses every other step;
--   * a worker owns a run by a lease with an epoch that grows with each holder; every write of a worker names the
--     epoch it holds, so that one that lost its lease changes nothing any more;
--   * what must not outlive the run (the sealed Hugging Face token) cannot: a CHECK says so.

CREATE TABLE runs (
    run_id              uuid PRIMARY KEY,
    created_at          timestamptz NOT NULL DEFAULT now(),
    model               text NOT NULL REFERENCES models,
    revision            text,
    instance_type       text NOT NULL REFERENCES instance_types,
    platform            text NOT NULL CHECK (platform IN ('local', 'endpoint', 'kubernetes')),
    -- The request as it was resolved; the columns beside it are what the database itself must know.
    spec                jsonb NOT NULL CHECK (jsonb_typeof(spec) = 'object'),
    dataset_sha256      text NOT NULL REFERENCES datasets (sha256),
    workload_sha256     text NOT NULL CHECK (workload_sha256 ~ '^[0-9a-f]{64}$'),
    load_point_count    integer NOT NULL CHECK (load_point_count BETWEEN 1 AND 32),
    timeout_s           integer NOT NULL CHECK (timeout_s > 0),
    capacity_group      text NOT NULL,
    priority            text NOT NULL CHECK (priority IN ('person', 'catalog')),
    submitted_by        text CHECK (length(submitted_by) BETWEEN 1 AND 200),
    idempotency_key     text UNIQUE CHECK (length(idempotency_key) BETWEEN 1 AND 200),

    phase               text NOT NULL DEFAULT 'queued' CHECK (phase IN
        ('queued', 'deploying', 'awaiting_ready', 'loading', 'recording', 'tearing_down', 'finished')),
    phase_since         timestamptz NOT NULL DEFAULT now(),
    verdict             text CHECK (verdict IN ('succeeded', 'failed', 'cancelled')),
    verdict_reason      text,
    deadline_at         timestamptz,
    cancel_requested_at timestamptz,

    -- The lease: who works on the run, until when, and how many held it before.
    epoch               bigint NOT NULL DEFAULT 0,
    lease_owner         text,
    lease_until         timestamptz,

    -- How often the present step was begun without success, and when the next tick is due.
    attempts            integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    last_error          text,
    next_tick_at        timestamptz NOT NULL DEFAULT now(),
    parked_reason       text,

    hf_token_sealed     bytea,
    endpoint            jsonb,
    progress            jsonb,
    load_failure        text,
    event_count         bigint NOT NULL DEFAULT 0,

    FOREIGN KEY (model, revision) REFERENCES model_revisions,
    CONSTRAINT verdict_exactly_at_the_end CHECK ((phase IN ('tearing_down', 'finished')) = (verdict IS NOT NULL)),
    CONSTRAINT failure_has_a_reason CHECK ((verdict IS NOT DISTINCT FROM 'failed') = (verdict_reason IS NOT NULL)),
    CONSTRAINT lease_is_whole CHECK ((lease_owner IS NULL) = (lease_until IS NULL)),
    CONSTRAINT finished_holds_nothing CHECK (
        phase <> 'finished' OR (hf_token_sealed IS NULL AND lease_owner IS NULL AND parked_reason IS NULL)),
    CONSTRAINT only_a_teardown_parks CHECK (parked_reason IS NULL OR phase = 'tearing_down'),
    CONSTRAINT load_needs_an_endpoint CHECK (phase NOT IN ('loading', 'recording') OR endpoint IS NOT NULL)
);
CREATE INDEX runs_alive ON runs (capacity_group, phase) WHERE phase <> 'finished';
CREATE INDEX runs_due ON runs (next_tick_at) WHERE phase <> 'finished' AND parked_reason IS NULL;
CREATE INDEX runs_by_model ON runs (model, instance_type, created_at DESC);
CREATE INDEX runs_by_person ON runs (submitted_by, created_at DESC) WHERE submitted_by IS NOT NULL;

-- The life of a run, once more in SQL.
CREATE FUNCTION check_run_transition() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.epoch < OLD.epoch THEN
        RAISE EXCEPTION 'run %: the epoch cannot fall from % to %', OLD.run_id, OLD.epoch, NEW.epoch
            USING ERRCODE = 'check_violation', CONSTRAINT = 'epoch_grows';
    END IF;
    IF NEW.phase = OLD.phase AND NEW.verdict IS NOT DISTINCT FROM OLD.verdict
        AND NEW.verdict_reason IS NOT DISTINCT FROM OLD.verdict_reason THEN
        RETURN NEW;
    END IF;
    IF NOT (
        (OLD.phase, NEW.phase) IN (
            ('queued', 'deploying'), ('deploying', 'awaiting_ready'), ('awaiting_ready', 'loading'),
            ('loading', 'recording'))
        OR (OLD.phase = 'recording' AND NEW.phase = 'tearing_down')
        OR (OLD.phase IN ('queued', 'deploying', 'awaiting_ready', 'loading')
            AND NEW.phase = 'tearing_down' AND NEW.verdict <> 'succeeded')
        OR (OLD.phase = 'tearing_down' AND NEW.phase = 'finished'
            AND NEW.verdict = OLD.verdict AND NEW.verdict_reason IS NOT DISTINCT FROM OLD.verdict_reason)
    ) THEN
        RAISE EXCEPTION 'run %: it cannot go from % (%) to % (%)',
            OLD.run_id, OLD.phase, OLD.verdict, NEW.phase, NEW.verdict
            USING ERRCODE = 'check_violation', CONSTRAINT = 'phase_order';
    END IF;
    NEW.phase_since := now();
    RETURN NEW;
END $$;
CREATE TRIGGER runs_transition BEFORE UPDATE ON runs FOR EACH ROW EXECUTE FUNCTION check_run_transition();

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: no % on it', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_TABLE_NAME || '_append_only';
END $$;

CREATE FUNCTION check_run_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.phase <> 'queued' OR NEW.epoch <> 0 THEN
        RAISE EXCEPTION 'run %: a run begins as queued', NEW.run_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'phase_order';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER runs_begin BEFORE INSERT ON runs FOR EACH ROW EXECUTE FUNCTION check_run_insert();
CREATE TRIGGER runs_stay BEFORE DELETE ON runs FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- The timeline. Whoever shows or drives a run listens to the channel and then reads the rows: the notification
-- carries the run id alone.
CREATE TABLE run_events (
    run_id   uuid NOT NULL REFERENCES runs,
    sequence bigint NOT NULL CHECK (sequence > 0),
    at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    phase    text NOT NULL,
    kind     text NOT NULL CHECK (kind IN
        ('submitted', 'phase', 'detail', 'retry', 'cancel_requested', 'parked', 'requeued')),
    message  text NOT NULL CHECK (length(message) BETWEEN 1 AND 8000),
    PRIMARY KEY (run_id, sequence)
);
CREATE TRIGGER run_events_append_only BEFORE UPDATE OR DELETE ON run_events
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE FUNCTION notify_run() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('accelbench_runs', NEW.run_id::text);
    RETURN NULL;
END $$;
CREATE TRIGGER run_events_notify AFTER INSERT ON run_events FOR EACH ROW EXECUTE FUNCTION notify_run();
CREATE TRIGGER runs_progress_notify AFTER UPDATE OF progress ON runs
    FOR EACH ROW WHEN (NEW.progress IS DISTINCT FROM OLD.progress) EXECUTE FUNCTION notify_run();

-- What the load generator delivered, to the letter. One report for each load point, never changed; the results are
-- made from it.
CREATE TABLE load_reports (
    run_id           uuid NOT NULL REFERENCES runs,
    load_point_index integer NOT NULL CHECK (load_point_index BETWEEN 0 AND 31),
    received_at      timestamptz NOT NULL DEFAULT now(),
    report           jsonb NOT NULL CHECK (jsonb_typeof(report) = 'object'),
    report_sha256    text NOT NULL CHECK (report_sha256 ~ '^[0-9a-f]{64}$'),
    PRIMARY KEY (run_id, load_point_index)
);
CREATE TRIGGER load_reports_append_only BEFORE UPDATE OR DELETE ON load_reports
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE FUNCTION check_load_report() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    run runs%ROWTYPE;
BEGIN
    SELECT * INTO run FROM runs WHERE run_id = NEW.run_id FOR SHARE;
    IF run.phase <> 'loading' OR NEW.load_point_index >= run.load_point_count THEN
        RAISE EXCEPTION 'run % is % with % load points: it takes no report for load point %',
            NEW.run_id, run.phase, run.load_point_count, NEW.load_point_index
            USING ERRCODE = 'check_violation', CONSTRAINT = 'report_while_loading';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER load_reports_while_loading BEFORE INSERT ON load_reports
    FOR EACH ROW EXECUTE FUNCTION check_load_report();

-- The last part of what the engine and the load generator wrote, kept with the run.
CREATE TABLE run_logs (
    run_id      uuid NOT NULL REFERENCES runs,
    source      text NOT NULL CHECK (source IN ('engine', 'loadgen')),
    content     text NOT NULL CHECK (octet_length(content) <= 1048576),
    truncated   boolean NOT NULL,
    captured_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (run_id, source)
);
