SELECT candidate.result_id AS "result_id!"
FROM results AS asked
JOIN catalog_candidates AS candidate USING (catalog_key)
WHERE asked.result_id = $1
ORDER BY candidate.revision_since DESC, candidate.recorded_at DESC, candidate.result_id DESC
LIMIT $2
