-- What runs are about: models and their revisions, instance types, datasets, engines and prices.
--
-- Facts that nobody knows are NULL here, never 0 and never a guess. Names are the field's own: a model is its Hugging
-- Face id, a revision is a commit hash, an instance type is its AWS name. Two rows stand in for machines that are not
-- AWS's: `local`, the worker's own machine, and `external`, whatever serves a foreign endpoint.

CREATE TABLE models (
    model                    text PRIMARY KEY CHECK (model ~ '^[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)?$'),
    family                   text,
    params_total_b           double precision CHECK (params_total_b > 0),
    params_active_b          double precision CHECK (params_active_b > 0),
    layers                   integer CHECK (layers > 0),
    kv_cache_bytes_per_token double precision CHECK (kv_cache_bytes_per_token > 0),
    max_context_tokens       integer CHECK (max_context_tokens > 0),
    gated                    boolean,
    licence                  text,
    source                   text NOT NULL,
    added_at                 timestamptz NOT NULL DEFAULT now()
);

-- A revision is only ever a commit: `main` means something else tomorrow.
CREATE TABLE model_revisions (
    model       text NOT NULL REFERENCES models,
    revision    text NOT NULL CHECK (revision ~ '^[0-9a-f]{40}$'),
    resolved_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (model, revision)
);

CREATE TABLE instance_types (
    instance_type                  text PRIMARY KEY,
    family                         text NOT NULL,
    accelerator_kind               text NOT NULL CHECK (accelerator_kind IN ('gpu', 'neuron', 'unknown')),
    accelerator_name               text,
    accelerator_count              integer CHECK (accelerator_count > 0),
    accelerator_memory_gib         double precision CHECK (accelerator_memory_gib > 0),
    accelerator_bandwidth_gb_per_s double precision CHECK (accelerator_bandwidth_gb_per_s > 0),
    accelerator_bf16_tflops        double precision CHECK (accelerator_bf16_tflops > 0),
    interconnect                   text,
    vcpu                           integer CHECK (vcpu > 0),
    memory_gib                     double precision CHECK (memory_gib > 0),
    source                         text NOT NULL,
    -- An accelerator of known kind has a name and a count.
    CHECK (accelerator_kind = 'unknown' OR (accelerator_name IS NOT NULL AND accelerator_count IS NOT NULL))
);

INSERT INTO instance_types (instance_type, family, accelerator_kind, source) VALUES
    ('local', 'local', 'unknown', 'stands for the worker''s own machine'),
    ('external', 'external', 'unknown', 'stands for whatever serves a foreign endpoint');

-- A dataset is its bytes: the hash is the version, the name only helps to find it. Content is zstd-compressed.
CREATE TABLE datasets (
    sha256       text PRIMARY KEY CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    name         text NOT NULL CHECK (name ~ '^[a-z0-9._-]{1,64}$'),
    content      bytea NOT NULL,
    size_bytes   bigint NOT NULL CHECK (size_bytes > 0),
    prompt_count integer NOT NULL CHECK (prompt_count > 0),
    submitted_by text,
    added_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX datasets_by_name ON datasets (name, added_at DESC);

-- Engines that the workers of this installation can start on their own machine. A request names one; only the
-- operator says what command stands behind the name, so that no request can run a command of its own.
CREATE TABLE engines (
    engine     text PRIMARY KEY CHECK (engine ~ '^[a-z0-9._-]{1,40}$'),
    command    text[] NOT NULL CHECK (cardinality(command) > 0),
    offered_at timestamptz NOT NULL DEFAULT now()
);

-- Prices are never overwritten: a result can be priced as of then or as of now. An offer that AWS does not make is a
-- row without a price and with the reason, never a price of 0.
CREATE TABLE prices (
    price_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    instance_type text NOT NULL REFERENCES instance_types,
    region        text NOT NULL,
    tier          text NOT NULL CHECK (tier IN ('on_demand', 'reserved_1_year', 'reserved_3_year', 'spot', 'capacity_block')),
    payment       text CHECK (payment IN ('no_upfront', 'partial_upfront', 'all_upfront')),
    currency      text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    -- Effective price: an upfront fee is spread over the term.
    price_per_hour numeric(14, 6) CHECK (price_per_hour > 0),
    upfront       numeric(14, 2) CHECK (upfront >= 0),
    absent_reason text,
    as_of         timestamptz NOT NULL,
    fetched_at    timestamptz NOT NULL DEFAULT now(),
    source        text NOT NULL,
    CHECK (num_nonnulls(price_per_hour, absent_reason) = 1),
    CHECK ((tier IN ('reserved_1_year', 'reserved_3_year')) = (payment IS NOT NULL)),
    UNIQUE NULLS NOT DISTINCT (instance_type, region, tier, payment, as_of, source)
);
CREATE INDEX prices_newest ON prices (instance_type, region, tier, payment, as_of DESC);
