-- Catalog runs follow others of the same instance type, and of the same model if there are such, while the node of those
-- may still be there: nodes cost money while they are made, too. Persons wait for nobody's node. Each part reads as many
-- rows of an index as there are places, however long the queue is.
WITH free AS (
    SELECT greatest(0, capacity_limit($1) - count(*)) AS places FROM runs
    WHERE capacity_group = $1 AND phase IN ('deploying', 'awaiting_ready', 'loading', 'recording', 'tearing_down')),
warm AS (
    SELECT DISTINCT instance_type, model FROM runs
    WHERE capacity_group = $1
        AND (phase IN ('deploying', 'awaiting_ready', 'loading', 'recording', 'tearing_down')
            OR (phase = 'finished' AND phase_since > now() - make_interval(secs => $2)))),
candidates AS (
    (SELECT run_id, 0 AS rank FROM runs
        WHERE capacity_group = $1 AND phase = 'queued' AND cancel_requested_at IS NULL AND priority = 'person'
        ORDER BY run_id LIMIT (SELECT places FROM free))
    UNION ALL
    SELECT waiting.run_id, 1 FROM warm CROSS JOIN LATERAL (
        SELECT run_id FROM runs
        WHERE capacity_group = $1 AND phase = 'queued' AND cancel_requested_at IS NULL AND priority = 'catalog'
            AND instance_type = warm.instance_type AND model = warm.model
        ORDER BY run_id LIMIT (SELECT places FROM free)) AS waiting
    UNION ALL
    SELECT waiting.run_id, 2 FROM (SELECT DISTINCT instance_type FROM warm) AS types CROSS JOIN LATERAL (
        SELECT run_id FROM runs
        WHERE capacity_group = $1 AND phase = 'queued' AND cancel_requested_at IS NULL AND priority = 'catalog'
            AND instance_type = types.instance_type
        ORDER BY model, run_id LIMIT (SELECT places FROM free)) AS waiting
    UNION ALL
    (SELECT run_id, 3 FROM runs
        WHERE capacity_group = $1 AND phase = 'queued' AND cancel_requested_at IS NULL AND priority = 'catalog'
        ORDER BY run_id LIMIT (SELECT places FROM free))),
ranked AS (SELECT run_id, min(rank) AS rank FROM candidates GROUP BY run_id)
SELECT run_id AS "run_id!", CASE rank WHEN 0 THEN 'person' ELSE 'catalog' END AS "priority!"
FROM ranked
ORDER BY rank, run_id
LIMIT (SELECT places FROM free)
