-- Locked, so that two refreshes at once do not submit an entry twice.
SELECT catalog_entry_id, spec
FROM catalog_entries AS entry
WHERE enabled
    AND NOT EXISTS (
        SELECT FROM runs
        WHERE run_id = entry.last_run_id
            AND (phase <> 'finished' OR created_at > now() - entry.refresh_every))
ORDER BY added_at
LIMIT $1
FOR UPDATE SKIP LOCKED
