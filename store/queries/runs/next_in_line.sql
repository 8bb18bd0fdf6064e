SELECT run_id, priority
FROM runs
WHERE capacity_group = $1 AND phase = 'queued' AND cancel_requested_at IS NULL
ORDER BY (priority = 'person') DESC, run_id
LIMIT greatest(0, capacity_limit($1) - (
    SELECT count(*) FROM runs
    WHERE capacity_group = $1 AND phase IN ('deploying', 'awaiting_ready', 'loading', 'recording', 'tearing_down')))
