SELECT
    run_id, created_at, spec, phase, phase_since, verdict, verdict_reason, priority, submitted_by, deadline_at,
    cancel_requested_at, attempts, parked_reason, endpoint, progress, load_point_count, conclusion,
    revision_absent_reason
FROM runs
WHERE ($1::uuid IS NULL OR run_id = $1)
    AND ($2::text IS NULL OR model = $2)
    AND ($3::text IS NULL OR instance_type = $3)
    AND ($4::text IS NULL OR submitted_by = $4)
    AND ($5::text IS NULL OR phase = $5)
    AND ($6::uuid IS NULL OR run_id < $6)
ORDER BY run_id DESC
LIMIT $7
