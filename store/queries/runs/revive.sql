-- A run that is leased is being worked on; one whose tick is overdue has lost it. The next gift is due much later, so
-- that a queue that is merely slow is not filled with more ticks.
UPDATE runs SET next_tick_at = now() + interval '30 seconds'
WHERE run_id IN (
    SELECT run_id FROM runs
    WHERE phase <> 'finished' AND parked_reason IS NULL
        AND next_tick_at < now() - make_interval(secs => $1)
        AND (lease_until IS NULL OR lease_until < now())
    ORDER BY next_tick_at
    LIMIT 500
    FOR UPDATE SKIP LOCKED)
RETURNING run_id, priority
