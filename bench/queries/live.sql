-- A run that lives its whole life in one transaction, under every trigger: what a worker writes for 20 load points. What
-- it measures is what another run of a configuration chosen by chance measured before.
CREATE FUNCTION synthetic.live_a_run() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    lived uuid := gen_random_uuid();
    model_run uuid := (
        SELECT run_id FROM synthetic.runs
        WHERE configuration = 1 + floor(random() * (SELECT max(configuration) FROM synthetic.configurations)) LIMIT 1);
    copied text := (
        SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute
        WHERE attrelid = 'results'::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
            AND attname NOT IN ('result_id', 'run_id', 'recorded_at'));
BEGIN
    INSERT INTO runs (run_id, model, instance_type, platform, spec, dataset_sha256, workload_sha256, load_point_count,
        timeout_s, capacity_group, priority)
    SELECT lived, model, instance_type, platform, spec, dataset_sha256, workload_sha256, load_point_count, timeout_s,
        capacity_group, priority
    FROM runs WHERE run_id = model_run;
    UPDATE runs SET phase = 'deploying' WHERE run_id = lived;
    UPDATE runs SET phase = 'awaiting_ready' WHERE run_id = lived;
    UPDATE runs SET phase = 'loading', endpoint = '{}' WHERE run_id = lived;
    INSERT INTO load_reports (run_id, load_point_index, report, report_sha256)
    SELECT lived, load_point_index, report, report_sha256 FROM load_reports WHERE run_id = model_run;
    UPDATE runs SET phase = 'recording' WHERE run_id = lived;
    EXECUTE format('INSERT INTO results (result_id, run_id, %1$s)
        SELECT gen_random_uuid(), $1, %1$s FROM results WHERE run_id = $2', copied) USING lived, model_run;
    UPDATE runs SET phase = 'tearing_down', verdict = 'succeeded' WHERE run_id = lived;
    UPDATE runs SET phase = 'finished' WHERE run_id = lived;
END $$;
CREATE INDEX ON synthetic.runs (configuration);
