-- Adds the prices that differ from the newest known ones of the same instance type, region and tier, or come from another source; instance types
-- that are not ours are left out.
INSERT INTO prices (instance_type, region, tier, payment, currency, price_per_hour, upfront, absent_reason, as_of, source)
SELECT new.instance_type, new.region, new.tier, new.payment, new.currency, new.price_per_hour::numeric(14, 6),
    new.upfront::numeric(14, 2), new.absent_reason, new.as_of, new.source
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::float8[], $7::float8[], $8::text[],
        $9::timestamptz[], $10::text[])
    AS new (instance_type, region, tier, payment, currency, price_per_hour, upfront, absent_reason, as_of, source)
JOIN instance_types USING (instance_type)
LEFT JOIN LATERAL (
    SELECT currency, price_per_hour, upfront, absent_reason, source
    FROM prices
    WHERE prices.instance_type = new.instance_type AND prices.region = new.region AND prices.tier = new.tier
        AND prices.payment IS NOT DISTINCT FROM new.payment
    ORDER BY as_of DESC, price_id DESC
    LIMIT 1
) known ON true
WHERE known IS NULL
    OR (known.currency, known.price_per_hour, known.upfront, known.absent_reason, known.source) IS DISTINCT FROM
        (new.currency, new.price_per_hour::numeric(14, 6), new.upfront::numeric(14, 2), new.absent_reason, new.source)
ON CONFLICT DO NOTHING
