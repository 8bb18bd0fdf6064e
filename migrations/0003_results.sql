-- Results: the immutable record of each load point (PRD section 5 with its provenance).
--
-- Every metric is a typed column that cannot be missing. The few values that a platform may be unable to know are NULL
-- together with a reason under the column's name in `absent_reasons`; a CHECK binds the two, so that nothing is silently
-- missing. There is no UPDATE and no DELETE: a wrong result is superseded by a row beside it, and both stay.

CREATE TABLE results (
    result_id            uuid PRIMARY KEY,
    run_id               uuid NOT NULL,
    load_point_index     integer NOT NULL,
    recorded_at          timestamptz NOT NULL DEFAULT now(),

    -- What was measured where.
    origin               text NOT NULL CHECK (origin IN ('measured', 'imported', 'simulated')),
    platform             text NOT NULL CHECK (platform IN ('local', 'endpoint', 'kubernetes')),
    model                text NOT NULL REFERENCES models,
    instance_type        text NOT NULL REFERENCES instance_types,
    engine               text NOT NULL CHECK (engine IN ('vllm', 'llama_cpp', 'simulator', 'other')),
    tensor_parallel      integer NOT NULL CHECK (tensor_parallel > 0),
    dataset_sha256       text NOT NULL REFERENCES datasets (sha256),
    workload             jsonb NOT NULL CHECK (jsonb_typeof(workload) = 'object'),
    workload_sha256      text NOT NULL CHECK (workload_sha256 ~ '^[0-9a-f]{64}$'),
    seed                 bigint NOT NULL,
    loadgen_version      text NOT NULL,
    submitted_by         text,

    -- What only some platforms know.
    revision                        text,
    engine_version                  text,
    engine_image_digest             text,
    engine_arguments                text[],
    quantization                    text CHECK (quantization IN ('bf16', 'fp16', 'fp8', 'int8', 'int4')),
    accelerators_used               integer CHECK (accelerators_used > 0),
    ami                             text,
    driver_version                  text,
    availability_zone               text,
    accelerator_utilization_percent double precision CHECK (accelerator_utilization_percent BETWEEN 0 AND 100),
    accelerator_memory_peak_gib     double precision CHECK (accelerator_memory_peak_gib >= 0),
    absent_reasons jsonb NOT NULL CHECK (jsonb_typeof(absent_reasons) = 'object'),
    CONSTRAINT revision_or_reason CHECK ((revision IS NULL) = (absent_reasons ? 'revision')),
    CONSTRAINT engine_version_or_reason CHECK ((engine_version IS NULL) = (absent_reasons ? 'engine_version')),
    CONSTRAINT engine_image_digest_or_reason CHECK ((engine_image_digest IS NULL) = (absent_reasons ? 'engine_image_digest')),
    CONSTRAINT engine_arguments_or_reason CHECK ((engine_arguments IS NULL) = (absent_reasons ? 'engine_arguments')),
    CONSTRAINT quantization_or_reason CHECK ((quantization IS NULL) = (absent_reasons ? 'quantization')),
    CONSTRAINT accelerators_used_or_reason CHECK ((accelerators_used IS NULL) = (absent_reasons ? 'accelerators_used')),
    CONSTRAINT ami_or_reason CHECK ((ami IS NULL) = (absent_reasons ? 'ami')),
    CONSTRAINT driver_version_or_reason CHECK ((driver_version IS NULL) = (absent_reasons ? 'driver_version')),
    CONSTRAINT availability_zone_or_reason CHECK ((availability_zone IS NULL) = (absent_reasons ? 'availability_zone')),
    CONSTRAINT accelerator_utilization_percent_or_reason CHECK ((accelerator_utilization_percent IS NULL) = (absent_reasons ? 'accelerator_utilization_percent')),
    CONSTRAINT accelerator_memory_peak_gib_or_reason CHECK ((accelerator_memory_peak_gib IS NULL) = (absent_reasons ? 'accelerator_memory_peak_gib')),

    -- The offered load: exactly one of the two.
    concurrency          integer CHECK (concurrency > 0),
    request_rate_per_s   double precision CHECK (request_rate_per_s > 0),
    CONSTRAINT one_offered_load CHECK (num_nonnulls(concurrency, request_rate_per_s) = 1),
    concurrency_mean     double precision NOT NULL CHECK (concurrency_mean > 0 AND concurrency_mean < 'infinity'),

    -- The measured window.
    started_at           timestamptz NOT NULL,
    finished_at          timestamptz NOT NULL CHECK (finished_at >= started_at),
    window_s             double precision NOT NULL CHECK (window_s > 0 AND window_s < 'infinity'),
    requests_completed   bigint NOT NULL CHECK (requests_completed > 0),
    requests_failed      bigint NOT NULL CHECK (requests_failed >= 0),

    -- Latencies in milliseconds, over completed requests.
    ttft_mean_ms double precision NOT NULL,
    ttft_p50_ms  double precision NOT NULL,
    ttft_p90_ms  double precision NOT NULL,
    ttft_p95_ms  double precision NOT NULL,
    ttft_p99_ms  double precision NOT NULL,
    ttft_max_ms  double precision NOT NULL,
    CONSTRAINT ttft_in_order CHECK (
        ttft_p50_ms >= 0 AND ttft_mean_ms > 0 AND ttft_mean_ms < 'infinity' AND ttft_p50_ms <= ttft_p90_ms AND ttft_p90_ms <= ttft_p95_ms
        AND ttft_p95_ms <= ttft_p99_ms AND ttft_p99_ms <= ttft_max_ms AND ttft_max_ms < 'infinity'),

    itl_mean_ms double precision NOT NULL,
    itl_p50_ms  double precision NOT NULL,
    itl_p90_ms  double precision NOT NULL,
    itl_p95_ms  double precision NOT NULL,
    itl_p99_ms  double precision NOT NULL,
    itl_max_ms  double precision NOT NULL,
    CONSTRAINT itl_in_order CHECK (
        itl_p50_ms >= 0 AND itl_mean_ms > 0 AND itl_mean_ms < 'infinity' AND itl_p50_ms <= itl_p90_ms AND itl_p90_ms <= itl_p95_ms
        AND itl_p95_ms <= itl_p99_ms AND itl_p99_ms <= itl_max_ms AND itl_max_ms < 'infinity'),

    tpot_mean_ms double precision NOT NULL,
    tpot_p50_ms  double precision NOT NULL,
    tpot_p90_ms  double precision NOT NULL,
    tpot_p95_ms  double precision NOT NULL,
    tpot_p99_ms  double precision NOT NULL,
    tpot_max_ms  double precision NOT NULL,
    CONSTRAINT tpot_in_order CHECK (
        tpot_p50_ms >= 0 AND tpot_mean_ms > 0 AND tpot_mean_ms < 'infinity' AND tpot_p50_ms <= tpot_p90_ms AND tpot_p90_ms <= tpot_p95_ms
        AND tpot_p95_ms <= tpot_p99_ms AND tpot_p99_ms <= tpot_max_ms AND tpot_max_ms < 'infinity'),

    e2e_mean_ms double precision NOT NULL,
    e2e_p50_ms  double precision NOT NULL,
    e2e_p90_ms  double precision NOT NULL,
    e2e_p95_ms  double precision NOT NULL,
    e2e_p99_ms  double precision NOT NULL,
    e2e_max_ms  double precision NOT NULL,
    CONSTRAINT e2e_in_order CHECK (
        e2e_p50_ms >= 0 AND e2e_mean_ms > 0 AND e2e_mean_ms < 'infinity' AND e2e_p50_ms <= e2e_p90_ms AND e2e_p90_ms <= e2e_p95_ms
        AND e2e_p95_ms <= e2e_p99_ms AND e2e_p99_ms <= e2e_max_ms AND e2e_max_ms < 'infinity'),

    itl_basis            text NOT NULL CHECK (itl_basis IN ('exact', 'apportioned')),

    -- Rates and lengths.
    request_output_tokens_per_s_mean double precision NOT NULL CHECK (request_output_tokens_per_s_mean > 0 AND request_output_tokens_per_s_mean < 'infinity'),
    request_output_tokens_per_s_p50  double precision NOT NULL CHECK (request_output_tokens_per_s_p50 > 0 AND request_output_tokens_per_s_p50 < 'infinity'),
    output_tokens_per_s  double precision NOT NULL CHECK (output_tokens_per_s > 0 AND output_tokens_per_s < 'infinity'),
    input_tokens_per_s   double precision NOT NULL CHECK (input_tokens_per_s > 0 AND input_tokens_per_s < 'infinity'),
    requests_per_s       double precision NOT NULL CHECK (requests_per_s > 0 AND requests_per_s < 'infinity'),
    input_tokens_mean    double precision NOT NULL CHECK (input_tokens_mean > 0 AND input_tokens_mean < 'infinity'),
    output_tokens_mean   double precision NOT NULL CHECK (output_tokens_mean > 0 AND output_tokens_mean < 'infinity'),

    -- Whether it can be trusted; `fail` keeps it out of rankings.
    validity             text NOT NULL CHECK (validity IN ('pass', 'warn', 'fail')),

    UNIQUE (run_id, load_point_index),
    FOREIGN KEY (run_id, load_point_index) REFERENCES load_reports,
    FOREIGN KEY (run_id) REFERENCES runs,
    FOREIGN KEY (model, revision) REFERENCES model_revisions,
    -- What the simulator made is called simulated, and nothing else is.
    CONSTRAINT simulated_is_said CHECK ((engine = 'simulator') = (origin = 'simulated'))
);
CREATE INDEX results_catalog ON results (model, instance_type, recorded_at DESC);
CREATE INDEX results_newest ON results (recorded_at DESC);

CREATE TRIGGER results_append_only BEFORE UPDATE OR DELETE ON results
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER results_stay BEFORE TRUNCATE ON results
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
REVOKE UPDATE, DELETE, TRUNCATE ON results FROM PUBLIC;

-- A result comes into being only while its run records.
CREATE FUNCTION check_result() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    found_phase text;
BEGIN
    SELECT phase INTO found_phase FROM runs WHERE run_id = NEW.run_id FOR SHARE;
    IF found_phase IS DISTINCT FROM 'recording' THEN
        RAISE EXCEPTION 'run % is %: it takes no result', NEW.run_id, found_phase
            USING ERRCODE = 'check_violation', CONSTRAINT = 'result_while_recording';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER results_while_recording BEFORE INSERT ON results FOR EACH ROW EXECUTE FUNCTION check_result();

-- A run succeeds only with a result for each of its load points: "complete without results" cannot be written.
CREATE FUNCTION check_success_has_results() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT count(*) FROM results WHERE run_id = NEW.run_id) <> NEW.load_point_count THEN
        RAISE EXCEPTION 'run %: success needs % results', NEW.run_id, NEW.load_point_count
            USING ERRCODE = 'check_violation', CONSTRAINT = 'success_has_results';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER runs_success BEFORE UPDATE OF phase ON runs FOR EACH ROW
    WHEN (OLD.phase = 'recording' AND NEW.phase = 'tearing_down' AND NEW.verdict = 'succeeded')
    EXECUTE FUNCTION check_success_has_results();

-- ... and a run that fails or is cancelled while recording leaves none behind.
CREATE FUNCTION check_failure_has_no_results() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM results WHERE run_id = NEW.run_id) THEN
        RAISE EXCEPTION 'run % has results: it cannot be %', NEW.run_id, NEW.verdict
            USING ERRCODE = 'check_violation', CONSTRAINT = 'failure_has_no_results';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER runs_failure BEFORE UPDATE OF phase ON runs FOR EACH ROW
    WHEN (NEW.phase = 'tearing_down' AND NEW.verdict <> 'succeeded')
    EXECUTE FUNCTION check_failure_has_no_results();

-- Superseding: the wrong result stays and points to the one that took its place, which was recorded later, so that
-- no circle can arise.
CREATE TABLE result_supersessions (
    result_id     uuid PRIMARY KEY REFERENCES results,
    superseded_by uuid NOT NULL REFERENCES results,
    reason        text NOT NULL CHECK (length(reason) BETWEEN 1 AND 2000),
    at            timestamptz NOT NULL DEFAULT now(),
    CHECK (result_id <> superseded_by)
);
CREATE TRIGGER result_supersessions_append_only BEFORE UPDATE OR DELETE ON result_supersessions
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE FUNCTION check_supersession() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM results AS old JOIN results AS new ON new.result_id = NEW.superseded_by
        WHERE old.result_id = NEW.result_id AND new.recorded_at > old.recorded_at
            AND new.model = old.model AND new.instance_type = old.instance_type AND new.origin = old.origin
    ) THEN
        RAISE EXCEPTION 'result % can only be superseded by a later one of the same model, instance type and origin',
            NEW.result_id USING ERRCODE = 'check_violation', CONSTRAINT = 'supersede_like_by_like';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER result_supersessions_like BEFORE INSERT ON result_supersessions
    FOR EACH ROW EXECUTE FUNCTION check_supersession();
