INSERT INTO runs (
    run_id, model, revision, instance_type, platform, spec, dataset_sha256, workload_sha256, load_point_count,
    timeout_s, capacity_group, priority, submitted_by, idempotency_key, hf_token_sealed,
    revision_absent_reason, request_sha256)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
ON CONFLICT (idempotency_key) DO NOTHING
