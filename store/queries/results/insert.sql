INSERT INTO results (
    result_id, run_id, load_point_index, origin, platform, model, instance_type, engine, tensor_parallel,
    dataset_sha256, workload, workload_sha256, seed, loadgen_version, submitted_by, revision, engine_version,
    engine_image_digest, engine_arguments, quantization, accelerators_used, ami, driver_version, availability_zone,
    accelerator_utilization_percent, accelerator_memory_peak_gib, absent_reasons, concurrency, request_rate_per_s, arrivals,
    arrivals_burstiness, concurrency_mean,
    started_at, finished_at, window_s, requests_completed, requests_failed, ttft_mean_ms, ttft_p50_ms, ttft_p90_ms,
    ttft_p95_ms, ttft_p99_ms, ttft_max_ms, itl_mean_ms, itl_p50_ms, itl_p90_ms, itl_p95_ms, itl_p99_ms, itl_max_ms,
    tpot_mean_ms, tpot_p50_ms, tpot_p90_ms, tpot_p95_ms, tpot_p99_ms, tpot_max_ms, e2e_mean_ms, e2e_p50_ms,
    e2e_p90_ms, e2e_p95_ms, e2e_p99_ms, e2e_max_ms, itl_basis, request_output_tokens_per_s_mean,
    request_output_tokens_per_s_p50, output_tokens_per_s, input_tokens_per_s, requests_per_s, input_tokens_mean,
    output_tokens_mean, validity, trace_speed)
VALUES (
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24,
    $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39, $40, $41, $42, $43, $44, $45, $46,
    $47, $48, $49, $50, $51, $52, $53, $54, $55, $56, $57, $58, $59, $60, $61, $62, $63, $64, $65, $66, $67, $68, $69, $70, $71)
