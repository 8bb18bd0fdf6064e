SELECT
    result.result_id, result.run_id, result.recorded_at, result.origin, result.platform, result.model, result.revision,
    result.instance_type, result.engine, result.engine_version, result.engine_image_digest, result.engine_arguments,
    result.quantization, result.tensor_parallel, result.accelerators_used, result.ami, result.driver_version,
    result.availability_zone, result.dataset_sha256, result.workload_sha256, result.loadgen_version,
    result.absent_reasons, result.validity, stored.report, supersession.superseded_by AS "superseded_by?"
FROM results AS result
JOIN load_reports AS stored USING (run_id, load_point_index)
JOIN models AS model ON model.model = result.model
JOIN instance_types AS instance ON instance.instance_type = result.instance_type
LEFT JOIN result_supersessions AS supersession ON supersession.result_id = result.result_id
WHERE ($1::uuid IS NULL OR result.result_id = $1)
    AND ($2::uuid IS NULL OR result.run_id = $2)
    AND ($3::text IS NULL OR result.model = $3)
    AND ($4::text IS NULL OR model.family = $4)
    AND ($5::float8 IS NULL OR model.params_total_b >= $5)
    AND ($6::float8 IS NULL OR model.params_total_b <= $6)
    AND ($7::text IS NULL OR result.instance_type = $7)
    AND ($8::text IS NULL OR instance.family = $8)
    AND ($9::text IS NULL OR instance.accelerator_name = $9)
    AND ($10::text IS NULL OR instance.accelerator_kind = $10)
    AND ($11::text IS NULL OR result.engine = $11)
    AND ($12::text IS NULL OR result.engine_version = $12)
    AND ($13::text IS NULL OR result.quantization = $13)
    AND ($14::text IS NULL OR result.origin = $14)
    AND ($15::integer IS NULL OR result.concurrency = $15)
    AND ($16::text IS NULL OR result.submitted_by = $16)
    AND ($17::text IS NULL OR result.workload_sha256 = $17)
    AND ($18::timestamptz IS NULL OR result.recorded_at >= $18)
    AND ($19::timestamptz IS NULL OR result.recorded_at < $19)
    AND ($20::boolean OR result.validity <> 'fail')
    AND ($21::boolean OR supersession.result_id IS NULL)
    AND ($22::timestamptz IS NULL OR (result.recorded_at, result.result_id) < ($22, $23::uuid))
ORDER BY result.recorded_at DESC, result.result_id DESC
LIMIT $24
