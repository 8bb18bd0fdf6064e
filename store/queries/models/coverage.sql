SELECT coalesce(measured.model, published.model) AS "model!",
    coalesce(measured.results, 0) AS "measured!", coalesce(measured.instance_types, 0) AS "measured_instance_types!",
    coalesce(published.results, 0) AS "published!", coalesce(published.instance_types, 0) AS "published_instance_types!"
FROM (
    SELECT model, count(*) AS results, count(DISTINCT instance_type) AS instance_types
    FROM results WHERE origin = 'measured' AND validity <> 'fail' GROUP BY model
) AS measured
FULL JOIN (
    SELECT model, count(*) AS results, count(DISTINCT coalesce(instance_type, comparable_instance_type)) AS instance_types
    FROM imported_results WHERE kind LIKE 'online\_serving%' GROUP BY model
) AS published USING (model)
ORDER BY 3 DESC, 5 DESC, 4 DESC, 1
