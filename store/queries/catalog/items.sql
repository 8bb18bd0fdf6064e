-- The results with these ids, in the order in which they are given.
SELECT
    result.result_id, result.run_id, result.recorded_at, result.origin, result.platform, result.model, result.revision,
    result.instance_type, result.accelerators_used, result.engine, result.engine_version, result.quantization,
    result.tensor_parallel, result.workload_sha256, result.absent_reasons, result.validity, result.requests_completed,
    result.requests_failed,
    ARRAY[output_tokens_per_s, input_tokens_per_s, requests_per_s] AS "rates!",
    ARRAY[ttft_mean_ms, ttft_p50_ms, ttft_p90_ms, ttft_p95_ms, ttft_p99_ms] AS "ttft_ms!",
    ARRAY[itl_mean_ms, itl_p50_ms, itl_p90_ms, itl_p95_ms, itl_p99_ms] AS "itl_ms!",
    ARRAY[tpot_mean_ms, tpot_p50_ms, tpot_p90_ms, tpot_p95_ms, tpot_p99_ms] AS "tpot_ms!",
    ARRAY[e2e_mean_ms, e2e_p50_ms, e2e_p90_ms, e2e_p95_ms, e2e_p99_ms] AS "e2e_ms!",
    stored.report -> 'offered_load' AS "offered_load!", stored.report -> 'estimates' AS estimates
FROM unnest($1::uuid[]) WITH ORDINALITY AS wanted (result_id, place)
JOIN results AS result USING (result_id)
JOIN load_reports AS stored USING (run_id, load_point_index)
ORDER BY wanted.place
