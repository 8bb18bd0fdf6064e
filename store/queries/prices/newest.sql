SELECT DISTINCT ON (instance_type, region, tier, payment)
    instance_type, region, tier, payment, currency, price_per_hour::float8 AS price_per_hour, upfront::float8 AS upfront,
    absent_reason, as_of, source,
    (SELECT max(refreshed_at) FROM price_refreshes
     WHERE price_refreshes.region = prices.region AND price_refreshes.source = prices.source AND error IS NULL) AS looked_at
FROM prices
WHERE ($1::text IS NULL OR instance_type = $1) AND ($2::text IS NULL OR region = $2) AND ($3::text IS NULL OR tier = $3)
ORDER BY instance_type, region, tier, payment, as_of DESC, price_id DESC
