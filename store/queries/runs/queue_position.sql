SELECT (
    SELECT count(*) FROM runs AS other
    WHERE other.capacity_group = run.capacity_group AND other.phase = 'queued'
        AND ((other.priority = 'person') > (run.priority = 'person')
            OR (other.priority = run.priority AND other.run_id < run.run_id)))
FROM runs AS run
WHERE run.run_id = $1 AND run.phase = 'queued'
