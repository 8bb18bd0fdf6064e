-- Every enabled target with its last run, and since when the newest revision of its model is known.
SELECT
    target.catalog_target_id, target.spec, extract(epoch FROM target.refresh_every)::float8 AS "refresh_every_s!",
    last.run_id AS "run_id?", last.submitted_at AS "submitted_at?", last.engine_image, last.finished AS "finished?",
    (SELECT max(resolved_at) FROM model_revisions WHERE model = target.spec ->> 'model') AS newest_revision_at
FROM catalog_targets AS target
LEFT JOIN LATERAL (
    SELECT run_id, submitted_at, engine_image, phase = 'finished' AS finished
    FROM catalog_submissions JOIN runs USING (run_id)
    WHERE catalog_target_id = target.catalog_target_id
    ORDER BY submitted_at DESC
    LIMIT 1
) AS last ON true
WHERE target.enabled
ORDER BY target.catalog_target_id
