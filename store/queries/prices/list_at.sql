SELECT DISTINCT ON (instance_type)
    instance_type, region, tier, payment, currency, price_per_hour::float8 AS price_per_hour, upfront::float8 AS upfront,
    absent_reason, as_of, source,
    (SELECT max(refreshed_at) FROM price_refreshes
     WHERE price_refreshes.region = prices.region AND price_refreshes.source = prices.source AND error IS NULL) AS looked_at
FROM prices
WHERE region = $1 AND tier = $2 AND (payment = $3 OR (payment IS NULL AND $3::text IS NULL)) AND as_of <= $4
ORDER BY instance_type, as_of DESC, price_id DESC
