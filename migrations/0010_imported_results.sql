-- What others measured. It stands in a table of its own: `results` demands every metric of a run of ours, and what was
-- published rarely has them all; nothing can then mix the two without saying so.
--
-- A record is kept as it was imported; its identity is the hash of what it says, so that importing twice changes
-- nothing. The generated columns are what lists filter by.

CREATE TABLE imported_results (
    imported_result_id text PRIMARY KEY CHECK (imported_result_id ~ '^[0-9a-f]{64}$'),
    imported_at        timestamptz NOT NULL DEFAULT now(),
    -- Who imported it; nothing for what comes with a release, which a later release may take back.
    imported_by        text CHECK (length(imported_by) BETWEEN 1 AND 200),
    record             jsonb NOT NULL,
    model              text NOT NULL GENERATED ALWAYS AS (record ->> 'model') STORED,
    source             text NOT NULL GENERATED ALWAYS AS (record -> 'source' ->> 'name') STORED,
    kind               text NOT NULL GENERATED ALWAYS AS (record ->> 'kind') STORED CHECK (kind IN
        ('online_serving', 'online_serving_saturated', 'online_serving_burst', 'online_serving_replicas',
        'static_batch', 'offline_batch', 'offline_max_throughput', 'mlperf_offline', 'mlperf_server',
        'mlperf_interactive')),
    instance_type      text GENERATED ALWAYS AS (record -> 'hardware' ->> 'instance_type') STORED,
    comparable_instance_type text GENERATED ALWAYS AS (record -> 'hardware' ->> 'comparable_instance_type') STORED,
    accelerator_name   text GENERATED ALWAYS AS (record -> 'hardware' ->> 'accelerator_name') STORED,
    engine             text GENERATED ALWAYS AS (record -> 'engine' ->> 'name') STORED,
    precision          text GENERATED ALWAYS AS (record -> 'engine' ->> 'precision') STORED,
    concurrency        integer GENERATED ALWAYS AS ((record -> 'offered_load' ->> 'concurrency')::integer) STORED
        CHECK (concurrency > 0),
    CONSTRAINT imported_metrics_exist CHECK (
        jsonb_typeof(record -> 'metrics') = 'object' AND record -> 'metrics' <> '{}'
        AND NOT jsonb_path_exists(record -> 'metrics', '$.* ? (@.type() <> "number" || @ <= 0)'))
);
CREATE INDEX imported_results_by_model ON imported_results (model, accelerator_name, concurrency);

CREATE TRIGGER imported_results_unchangeable BEFORE UPDATE ON imported_results
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER imported_results_stay BEFORE DELETE ON imported_results
    FOR EACH ROW WHEN (OLD.imported_by IS NOT NULL) EXECUTE FUNCTION refuse_change();
