SELECT run.run_id, run.phase_since
FROM runs AS run
WHERE run.phase = 'finished' AND run.verdict = 'succeeded'
    AND run.model = $1 AND run.instance_type = $2 AND run.workload_sha256 = $3
    AND run.phase_since >= now() - make_interval(secs => $5)
    AND (run.spec - '{load_points,measurement,timeout_s,max_cost_usd}'::text[])
        = ($4::jsonb - '{load_points,measurement,timeout_s,max_cost_usd}'::text[])
    AND (run.spec -> 'load_points') @> ($4::jsonb -> 'load_points')
    AND (run.spec #>> '{measurement,min_duration_s}')::float8 >= ($4::jsonb #>> '{measurement,min_duration_s}')::float8
    AND (run.spec #>> '{measurement,min_requests}')::float8 >= ($4::jsonb #>> '{measurement,min_requests}')::float8
    AND NOT EXISTS (
        SELECT FROM results AS result LEFT JOIN result_supersessions AS supersession USING (result_id)
        WHERE result.run_id = run.run_id AND (result.validity = 'fail' OR supersession.result_id IS NOT NULL))
ORDER BY run.phase_since DESC
LIMIT 1
