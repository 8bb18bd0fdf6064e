-- The compare-and-swap of every step. The deadline begins to count when the run leaves the queue; the token goes with
-- the run.
UPDATE runs SET
    phase = $4,
    verdict = $5,
    verdict_reason = $6,
    endpoint = coalesce($7::jsonb, endpoint),
    deadline_at = CASE WHEN $4 = 'deploying' THEN now() + make_interval(secs => timeout_s) ELSE deadline_at END,
    hf_token_sealed = CASE WHEN $4 = 'finished' THEN NULL ELSE hf_token_sealed END,
    progress = CASE WHEN $4 = 'finished' THEN NULL ELSE progress END,
    lease_owner = NULL,
    lease_until = NULL,
    attempts = 0,
    last_error = NULL,
    next_tick_at = now()
WHERE run_id = $1 AND epoch = $2 AND phase = $3 AND lease_owner IS NOT NULL
