SELECT
    load_point_index, concurrency, request_rate_per_s, arrivals, arrivals_burstiness, trace_speed, started_at, finished_at, requests_completed, requests_failed, itl_basis,
    ARRAY[ttft_mean_ms, ttft_p50_ms, ttft_p90_ms, ttft_p95_ms, ttft_p99_ms, ttft_max_ms] AS "ttft_ms!",
    ARRAY[itl_mean_ms, itl_p50_ms, itl_p90_ms, itl_p95_ms, itl_p99_ms, itl_max_ms] AS "itl_ms!",
    ARRAY[tpot_mean_ms, tpot_p50_ms, tpot_p90_ms, tpot_p95_ms, tpot_p99_ms, tpot_max_ms] AS "tpot_ms!",
    ARRAY[e2e_mean_ms, e2e_p50_ms, e2e_p90_ms, e2e_p95_ms, e2e_p99_ms, e2e_max_ms] AS "e2e_ms!",
    ARRAY[window_s, concurrency_mean, request_output_tokens_per_s_mean, request_output_tokens_per_s_p50,
        output_tokens_per_s, input_tokens_per_s, requests_per_s, input_tokens_mean, output_tokens_mean] AS "rates!",
    accelerator_utilization_percent, accelerator_memory_peak_gib
FROM results
WHERE run_id = $1
ORDER BY load_point_index
