SELECT imported_result_id, imported_at, imported_by, record
FROM imported_results
WHERE ($1::text IS NULL OR model = $1)
    AND ($2::text IS NULL OR instance_type = $2 OR comparable_instance_type = $2)
    AND ($3::text IS NULL OR starts_with(lower(accelerator_name), lower($3)))
    AND ($4::text IS NULL OR source = $4)
    AND ($5::text IS NULL OR kind = $5)
    AND ($6::text IS NULL OR lower(engine) = lower($6))
    AND ($7::text IS NULL OR precision = $7)
    AND ($8::integer IS NULL OR concurrency = $8)
    AND ($10::text IS NULL
        OR (model, coalesce(accelerator_name, ''), coalesce(concurrency, 2147483647), imported_result_id)
            > (SELECT last.model, coalesce(last.accelerator_name, ''), coalesce(last.concurrency, 2147483647),
                   last.imported_result_id
               FROM imported_results AS last WHERE last.imported_result_id = $10))
ORDER BY model, coalesce(accelerator_name, ''), coalesce(concurrency, 2147483647), imported_result_id
LIMIT $9
