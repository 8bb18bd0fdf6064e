-- A catalog as years of use would leave it: configurations of models on instance types, each measured several times with
-- a load curve of 20 points. Every row passes the CHECKs of the schema; the triggers that watch over the life of a run
-- are off, because rows come here without having lived.
--
-- The numbers follow from the machine's bandwidth, the model's size and the load, with an error that a hash gives, so
-- that the same size makes the same catalog.
--
-- Settings: synthetic.configurations, how many; synthetic.repeats, runs of each; synthetic.report, a report to copy what
-- lists do not show from.
SET session_replication_role = replica;
CREATE SCHEMA synthetic;

CREATE FUNCTION synthetic.share(seed text) RETURNS double precision LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (hashtextextended(seed, 0) & 1048575)::double precision / 1048576;

CREATE FUNCTION synthetic.pick(choices text[], seed text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN choices[1 + floor(synthetic.share(seed) * cardinality(choices))::integer];

CREATE TABLE synthetic.load_points AS
SELECT index - 1 AS load_point_index, concurrency
FROM unnest('{1,2,3,4,6,8,12,16,24,32,48,64,96,128,192,256,384,512,768,1024}'::integer[])
    WITH ORDINALITY AS point (concurrency, index);

CREATE TABLE synthetic.configurations AS
WITH model_names AS (SELECT array_agg(model ORDER BY model) AS names FROM models WHERE params_total_b IS NOT NULL),
instance_names AS (
    SELECT array_agg(instance_type ORDER BY instance_type) AS names FROM instance_types
    WHERE accelerator_bandwidth_gb_per_s IS NOT NULL)
SELECT chosen.*, coalesce(model.params_active_b, model.params_total_b) AS params_b,
    instance.accelerator_count * instance.accelerator_bandwidth_gb_per_s AS bandwidth_gb_per_s
FROM (
    SELECT number AS configuration, synthetic.pick(model_names.names, 'model' || number) AS model,
        synthetic.pick(instance_names.names, 'instance' || number) AS instance_type,
        synthetic.pick('{bf16,bf16,fp8,int4}', 'precision' || number) AS quantization,
        synthetic.pick('{0.10.2,0.11.0,0.11.1,0.12.0}', 'version' || number) AS engine_version,
        encode(sha256(synthetic.pick('{chat,code,long}', 'workload' || number)::bytea), 'hex') AS workload_sha256,
        power(2, floor(4 * synthetic.share('parallel' || number)))::integer AS tensor_parallel
    FROM generate_series(1, current_setting('synthetic.configurations')::bigint) AS number, model_names, instance_names
) AS chosen
JOIN models AS model USING (model)
JOIN instance_types AS instance USING (instance_type);

-- One a week, the last of which was this week.
CREATE TABLE synthetic.runs AS
SELECT gen_random_uuid() AS run_id, configuration, now() - make_interval(days => 7 * weeks_ago::integer)
    - make_interval(secs => 604800 * synthetic.share('at' || configuration)) AS created_at
FROM synthetic.configurations, generate_series(0, current_setting('synthetic.repeats')::bigint - 1) AS weeks_ago;

CREATE VIEW synthetic.measured AS
SELECT run.*, point.load_point_index, point.concurrency, configuration.model, configuration.instance_type,
    configuration.quantization, configuration.engine_version, configuration.workload_sha256,
    configuration.tensor_parallel, single.tokens_per_s * point.concurrency / (1 + point.concurrency / single.half)
        AS output_tokens_per_s,
    power(1 + point.concurrency / single.half, 1.5) * 20 * configuration.params_b / sqrt(configuration.bandwidth_gb_per_s)
        * (1 + 0.1 * synthetic.share('ttft' || run.run_id || point.concurrency)) AS ttft_ms,
    1000 / single.tokens_per_s * (1 + point.concurrency / single.half) AS itl_ms,
    CASE WHEN point.concurrency < 8 THEN 150 ELSE 40 * point.concurrency END AS requests_completed
FROM synthetic.runs AS run
JOIN synthetic.configurations AS configuration USING (configuration)
CROSS JOIN synthetic.load_points AS point
CROSS JOIN LATERAL (
    SELECT 0.6 * configuration.bandwidth_gb_per_s / configuration.params_b
            * (1 + 0.05 * synthetic.share('speed' || run.run_id)) AS tokens_per_s,
        30 + 200 * synthetic.share('half' || run.configuration) AS half
) AS single;

CREATE FUNCTION synthetic.reasons() RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE BEGIN ATOMIC
    SELECT jsonb_object_agg(name, 'synthetic') FROM unnest('{revision,engine_image_digest,ami,driver_version,
        availability_zone,accelerator_utilization_percent,accelerator_memory_peak_gib}'::text[]) AS name;
END;

INSERT INTO runs (
    run_id, created_at, model, instance_type, platform, spec, dataset_sha256, workload_sha256, load_point_count, timeout_s,
    capacity_group, priority, phase, phase_since, verdict)
SELECT run_id, created_at, model, instance_type, 'kubernetes', '{}', (SELECT min(sha256) FROM datasets), workload_sha256,
    (SELECT count(*) FROM synthetic.load_points), 7200, 'kubernetes', 'catalog', 'finished', created_at, 'succeeded'
FROM synthetic.runs JOIN synthetic.configurations USING (configuration);

INSERT INTO load_reports (run_id, load_point_index, received_at, report, report_sha256)
SELECT run_id, load_point_index, created_at, current_setting('synthetic.report')::jsonb || jsonb_build_object(
        'run_id', run_id, 'load_point_index', load_point_index, 'workload_sha256', workload_sha256,
        'offered_load', jsonb_build_object('concurrency', concurrency), 'output_tokens_per_s', output_tokens_per_s,
        'input_tokens_per_s', 4 * output_tokens_per_s, 'requests_per_s', output_tokens_per_s / 250,
        'requests_completed', requests_completed), repeat('0', 64)
FROM synthetic.measured;

INSERT INTO results (
    result_id, run_id, load_point_index, recorded_at, origin, platform, model, instance_type, engine,
    tensor_parallel, dataset_sha256, workload, workload_sha256, seed, loadgen_version, engine_version,
    engine_arguments, quantization, accelerators_used, absent_reasons, concurrency, concurrency_mean, started_at,
    finished_at, window_s, requests_completed, requests_failed, ttft_mean_ms, ttft_p50_ms, ttft_p90_ms, ttft_p95_ms,
    ttft_p99_ms, ttft_max_ms, itl_mean_ms, itl_p50_ms, itl_p90_ms, itl_p95_ms, itl_p99_ms, itl_max_ms, tpot_mean_ms,
    tpot_p50_ms, tpot_p90_ms, tpot_p95_ms, tpot_p99_ms, tpot_max_ms, e2e_mean_ms, e2e_p50_ms, e2e_p90_ms, e2e_p95_ms,
    e2e_p99_ms, e2e_max_ms, itl_basis, request_output_tokens_per_s_mean, request_output_tokens_per_s_p50,
    output_tokens_per_s, input_tokens_per_s, requests_per_s, input_tokens_mean, output_tokens_mean, validity)
SELECT
    gen_random_uuid(), run_id, load_point_index, created_at, 'measured', 'kubernetes', model, instance_type, 'vllm',
    tensor_parallel, (SELECT min(sha256) FROM datasets), '{}', workload_sha256, 0, 'synthetic', engine_version, '{}',
    quantization, 1, synthetic.reasons(), concurrency, concurrency, created_at, created_at + interval '1 minute', 60,
    requests_completed, 0, 1.1 * (ttft_ms), 1 * (ttft_ms), 1.5 * (ttft_ms), 1.7 * (ttft_ms), 2 * (ttft_ms),
    2.5 * (ttft_ms), 1.1 * (itl_ms), 1 * (itl_ms), 1.5 * (itl_ms), 1.7 * (itl_ms), 2 * (itl_ms), 2.5 * (itl_ms),
    1.1 * (1.01 * itl_ms), 1 * (1.01 * itl_ms), 1.5 * (1.01 * itl_ms), 1.7 * (1.01 * itl_ms), 2 * (1.01 * itl_ms),
    2.5 * (1.01 * itl_ms), 1.1 * (ttft_ms + 250 * itl_ms), 1 * (ttft_ms + 250 * itl_ms),
    1.5 * (ttft_ms + 250 * itl_ms), 1.7 * (ttft_ms + 250 * itl_ms), 2 * (ttft_ms + 250 * itl_ms),
    2.5 * (ttft_ms + 250 * itl_ms), 'exact', 1000 / itl_ms, 1000 / itl_ms, output_tokens_per_s,
    4 * output_tokens_per_s, output_tokens_per_s / 250, 1000, 250,
    CASE WHEN synthetic.share('valid' || run_id || concurrency) < 0.02 THEN 'fail' ELSE 'pass' END
FROM synthetic.measured;

-- What the trigger would have kept, in the order in which it came.
INSERT INTO catalog_results
SELECT * FROM (
    SELECT DISTINCT ON (catalog_key) * FROM catalog_candidates
    ORDER BY catalog_key, revision_since DESC, recorded_at DESC, result_id DESC) AS current
ORDER BY recorded_at;
