-- The catalog: the current, valid result of each configuration, kept beside the results that it is chosen from.
--
-- A configuration is one model, instance type, engine with its version, precision, tensor parallel degree, workload
-- and offered load. The revisions of a model are one line: the result of the newest known revision is the current one,
-- and of one revision the newest result. What failed a validity check or was superseded never is; so a wrong result
-- gives way only to a valid one, and the one before it returns where there is none. `results` stays the truth: whatever
-- is here can be made again from there.
--
-- The table is narrow, for it is what lists are filtered and sorted by. A latency statistic that too few requests were
-- completed for is NULL here (the counts are those of core's `Statistic::least_requests`): nothing is ranked by it.
ALTER TABLE results ADD COLUMN catalog_key uuid NOT NULL GENERATED ALWAYS AS (md5(
    origin || ' ' || model || ' ' || instance_type || ' ' || engine || ' ' || coalesce(engine_version, '')
    || ' ' || coalesce(quantization, '') || ' ' || tensor_parallel::text || ' ' || workload_sha256
    || ' ' || coalesce(concurrency::text, '') || ' ' || coalesce(request_rate_per_s::text, '')
    || ' ' || coalesce(arrivals, '') || ' ' || coalesce(arrivals_burstiness::text, '')
    || ' ' || coalesce(trace_speed::text, ''))::uuid) STORED;
CREATE INDEX results_history ON results (catalog_key, recorded_at DESC, result_id DESC);

CREATE TABLE catalog_results (
    catalog_key    uuid PRIMARY KEY,
    result_id      uuid NOT NULL UNIQUE REFERENCES results,
    recorded_at    timestamptz NOT NULL,
    -- Since when the revision is known; a result that names none is of the oldest.
    revision_since timestamptz NOT NULL,
    origin         text NOT NULL,
    model          text NOT NULL REFERENCES models,
    revision       text,
    instance_type  text NOT NULL REFERENCES instance_types,
    engine         text NOT NULL,
    engine_version text,
    quantization   text,
    workload_sha256 text NOT NULL,
    submitted_by   text,
    concurrency    integer,
    error_share    double precision NOT NULL,
    tokens_per_s   double precision NOT NULL,
    output_tokens_per_s double precision NOT NULL,
    input_tokens_per_s double precision NOT NULL,
    requests_per_s double precision NOT NULL,
    ttft_mean_ms double precision,
    ttft_p50_ms double precision,
    ttft_p90_ms double precision,
    ttft_p95_ms double precision,
    ttft_p99_ms double precision,
    itl_mean_ms double precision,
    itl_p50_ms double precision,
    itl_p90_ms double precision,
    itl_p95_ms double precision,
    itl_p99_ms double precision,
    tpot_mean_ms double precision,
    tpot_p50_ms double precision,
    tpot_p90_ms double precision,
    tpot_p95_ms double precision,
    tpot_p99_ms double precision,
    e2e_mean_ms double precision,
    e2e_p50_ms double precision,
    e2e_p90_ms double precision,
    e2e_p95_ms double precision,
    e2e_p99_ms double precision
);

-- Every result that may be the current one of its configuration.
CREATE VIEW catalog_candidates AS
SELECT
    result.catalog_key, result.result_id, result.recorded_at,
    coalesce(revision.resolved_at, '-infinity') AS revision_since,
    result.origin, result.model, result.revision, result.instance_type, result.engine, result.engine_version,
    result.quantization, result.workload_sha256, result.submitted_by, result.concurrency,
    result.requests_failed::double precision / (result.requests_completed + result.requests_failed)
        AS error_share,
    result.input_tokens_per_s + result.output_tokens_per_s AS tokens_per_s,
    result.output_tokens_per_s, result.input_tokens_per_s, result.requests_per_s,
    CASE WHEN result.requests_completed >= 20 THEN result.ttft_mean_ms END AS ttft_mean_ms,
    CASE WHEN result.requests_completed >= 20 THEN result.ttft_p50_ms END AS ttft_p50_ms,
    CASE WHEN result.requests_completed >= 100 THEN result.ttft_p90_ms END AS ttft_p90_ms,
    CASE WHEN result.requests_completed >= 200 THEN result.ttft_p95_ms END AS ttft_p95_ms,
    CASE WHEN result.requests_completed >= 1000 THEN result.ttft_p99_ms END AS ttft_p99_ms,
    CASE WHEN result.requests_completed >= 20 THEN result.itl_mean_ms END AS itl_mean_ms,
    CASE WHEN result.requests_completed >= 20 THEN result.itl_p50_ms END AS itl_p50_ms,
    CASE WHEN result.requests_completed >= 100 THEN result.itl_p90_ms END AS itl_p90_ms,
    CASE WHEN result.requests_completed >= 200 THEN result.itl_p95_ms END AS itl_p95_ms,
    CASE WHEN result.requests_completed >= 1000 THEN result.itl_p99_ms END AS itl_p99_ms,
    CASE WHEN result.requests_completed >= 20 THEN result.tpot_mean_ms END AS tpot_mean_ms,
    CASE WHEN result.requests_completed >= 20 THEN result.tpot_p50_ms END AS tpot_p50_ms,
    CASE WHEN result.requests_completed >= 100 THEN result.tpot_p90_ms END AS tpot_p90_ms,
    CASE WHEN result.requests_completed >= 200 THEN result.tpot_p95_ms END AS tpot_p95_ms,
    CASE WHEN result.requests_completed >= 1000 THEN result.tpot_p99_ms END AS tpot_p99_ms,
    CASE WHEN result.requests_completed >= 20 THEN result.e2e_mean_ms END AS e2e_mean_ms,
    CASE WHEN result.requests_completed >= 20 THEN result.e2e_p50_ms END AS e2e_p50_ms,
    CASE WHEN result.requests_completed >= 100 THEN result.e2e_p90_ms END AS e2e_p90_ms,
    CASE WHEN result.requests_completed >= 200 THEN result.e2e_p95_ms END AS e2e_p95_ms,
    CASE WHEN result.requests_completed >= 1000 THEN result.e2e_p99_ms END AS e2e_p99_ms
FROM results AS result
LEFT JOIN model_revisions AS revision USING (model, revision)
WHERE result.validity <> 'fail'
    AND NOT EXISTS (SELECT FROM result_supersessions WHERE result_supersessions.result_id = result.result_id);

-- Shows a result, unless one is shown already that comes before it. The row's lock makes two that arrive at once agree.
CREATE FUNCTION show_in_catalog(shown uuid) RETURNS void LANGUAGE sql AS $$
    INSERT INTO catalog_results SELECT * FROM catalog_candidates WHERE result_id = shown
    ON CONFLICT (catalog_key) DO UPDATE SET
        result_id = excluded.result_id, recorded_at = excluded.recorded_at, revision_since = excluded.revision_since,
        revision = excluded.revision, submitted_by = excluded.submitted_by, error_share = excluded.error_share,
        tokens_per_s = excluded.tokens_per_s,
        output_tokens_per_s = excluded.output_tokens_per_s, input_tokens_per_s = excluded.input_tokens_per_s,
        requests_per_s = excluded.requests_per_s,
        ttft_mean_ms = excluded.ttft_mean_ms, ttft_p50_ms = excluded.ttft_p50_ms, ttft_p90_ms = excluded.ttft_p90_ms,
        ttft_p95_ms = excluded.ttft_p95_ms, ttft_p99_ms = excluded.ttft_p99_ms, itl_mean_ms = excluded.itl_mean_ms,
        itl_p50_ms = excluded.itl_p50_ms, itl_p90_ms = excluded.itl_p90_ms, itl_p95_ms = excluded.itl_p95_ms,
        itl_p99_ms = excluded.itl_p99_ms, tpot_mean_ms = excluded.tpot_mean_ms, tpot_p50_ms = excluded.tpot_p50_ms,
        tpot_p90_ms = excluded.tpot_p90_ms, tpot_p95_ms = excluded.tpot_p95_ms, tpot_p99_ms = excluded.tpot_p99_ms,
        e2e_mean_ms = excluded.e2e_mean_ms, e2e_p50_ms = excluded.e2e_p50_ms, e2e_p90_ms = excluded.e2e_p90_ms,
        e2e_p95_ms = excluded.e2e_p95_ms, e2e_p99_ms = excluded.e2e_p99_ms
    WHERE (catalog_results.revision_since, catalog_results.recorded_at, catalog_results.result_id)
        < (excluded.revision_since, excluded.recorded_at, excluded.result_id)
$$;

CREATE FUNCTION show_new_result() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM show_in_catalog(NEW.result_id);
    RETURN NULL;
END $$;
CREATE TRIGGER results_shown AFTER INSERT ON results FOR EACH ROW EXECUTE FUNCTION show_new_result();

-- A superseded result leaves the catalog, and the newest valid one of its configuration takes its place.
CREATE FUNCTION show_what_remains() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    left_key uuid;
BEGIN
    DELETE FROM catalog_results WHERE result_id = NEW.result_id RETURNING catalog_key INTO left_key;
    PERFORM show_in_catalog(remaining.result_id) FROM (
        SELECT result_id FROM catalog_candidates WHERE catalog_key = left_key
        ORDER BY revision_since DESC, recorded_at DESC, result_id DESC LIMIT 1) AS remaining;
    RETURN NULL;
END $$;
CREATE TRIGGER result_supersessions_shown AFTER INSERT ON result_supersessions
    FOR EACH ROW EXECUTE FUNCTION show_what_remains();

-- In the order in which they came: the load points of a run stay together.
INSERT INTO catalog_results
SELECT * FROM (
    SELECT DISTINCT ON (catalog_key) * FROM catalog_candidates
    ORDER BY catalog_key, revision_since DESC, recorded_at DESC, result_id DESC) AS current
ORDER BY recorded_at;

-- The formulas of core::cost that lists are sorted by; a test holds the two against each other.
CREATE FUNCTION cost_per_unit(price_per_hour double precision, per_s double precision) RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN price_per_hour / per_s / 3600;
CREATE FUNCTION cost_per_million(price_per_hour double precision, per_s double precision) RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN price_per_hour / per_s / 3600 * 1e6;

-- Indexes that gather what a filter admits, then one for each order. Costs are ordered by the price of an instance type,
-- and within one by its throughput.
CREATE INDEX catalog_results_by_model ON catalog_results (origin, model, instance_type);
CREATE INDEX catalog_results_by_concurrency ON catalog_results (origin, concurrency);
CREATE INDEX catalog_results_by_instance_type ON catalog_results (origin, instance_type, result_id);
CREATE INDEX ON catalog_results (origin, instance_type, output_tokens_per_s, result_id);
CREATE INDEX ON catalog_results (origin, instance_type, input_tokens_per_s, result_id);
CREATE INDEX ON catalog_results (origin, instance_type, tokens_per_s, result_id);
CREATE INDEX ON catalog_results (origin, instance_type, requests_per_s, result_id);
CREATE INDEX ON catalog_results (origin, recorded_at, result_id);
CREATE INDEX ON catalog_results (origin, output_tokens_per_s, result_id);
CREATE INDEX ON catalog_results (origin, input_tokens_per_s, result_id);
CREATE INDEX ON catalog_results (origin, requests_per_s, result_id);
CREATE INDEX ON catalog_results (origin, ttft_mean_ms, result_id);
CREATE INDEX ON catalog_results (origin, ttft_p50_ms, result_id);
CREATE INDEX ON catalog_results (origin, ttft_p90_ms, result_id);
CREATE INDEX ON catalog_results (origin, ttft_p95_ms, result_id);
CREATE INDEX ON catalog_results (origin, ttft_p99_ms, result_id);
CREATE INDEX ON catalog_results (origin, itl_mean_ms, result_id);
CREATE INDEX ON catalog_results (origin, itl_p50_ms, result_id);
CREATE INDEX ON catalog_results (origin, itl_p90_ms, result_id);
CREATE INDEX ON catalog_results (origin, itl_p95_ms, result_id);
CREATE INDEX ON catalog_results (origin, itl_p99_ms, result_id);
CREATE INDEX ON catalog_results (origin, tpot_mean_ms, result_id);
CREATE INDEX ON catalog_results (origin, tpot_p50_ms, result_id);
CREATE INDEX ON catalog_results (origin, tpot_p90_ms, result_id);
CREATE INDEX ON catalog_results (origin, tpot_p95_ms, result_id);
CREATE INDEX ON catalog_results (origin, tpot_p99_ms, result_id);
CREATE INDEX ON catalog_results (origin, e2e_mean_ms, result_id);
CREATE INDEX ON catalog_results (origin, e2e_p50_ms, result_id);
CREATE INDEX ON catalog_results (origin, e2e_p90_ms, result_id);
CREATE INDEX ON catalog_results (origin, e2e_p95_ms, result_id);
CREATE INDEX ON catalog_results (origin, e2e_p99_ms, result_id);

-- The newest price of every instance type in one region and tier.
CREATE INDEX prices_by_tier ON prices (region, tier, payment, instance_type, as_of DESC, price_id DESC);
