-- What decides when a run may start, and what starts by the clock. The queue itself is apalis's schema `apalis`, which
-- its own migrations make; nothing here refers to it.

-- How many runs of one capacity group may be under way at once, over all workers. A group is looked up by its full
-- name, then by the part before the first colon, then as `*`.
CREATE TABLE capacity_limits (
    capacity_group text PRIMARY KEY,
    max_runs       integer NOT NULL CHECK (max_runs > 0)
);
INSERT INTO capacity_limits (capacity_group, max_runs) VALUES
    -- Two runs on one machine or one endpoint would measure each other.
    ('local', 1),
    ('endpoint', 1),
    ('*', 4);

CREATE FUNCTION capacity_limit(wanted text) RETURNS integer LANGUAGE sql STABLE AS $$
    SELECT max_runs FROM capacity_limits
    WHERE capacity_group IN (wanted, split_part(wanted, ':', 1), '*')
    ORDER BY (capacity_group = wanted) DESC, (capacity_group <> '*') DESC
    LIMIT 1
$$;

-- Each tick of each schedule is claimed once: the worker that inserts the row enqueues the job.
CREATE TABLE schedule_ticks (
    schedule   text NOT NULL,
    due_at     timestamptz NOT NULL,
    claimed_at timestamptz NOT NULL DEFAULT now(),
    claimed_by text NOT NULL,
    PRIMARY KEY (schedule, due_at)
);

-- What the catalog keeps fresh: each entry is submitted again when its newest run is older than its cadence.
CREATE TABLE catalog_entries (
    catalog_entry_id uuid PRIMARY KEY,
    spec             jsonb NOT NULL CHECK (jsonb_typeof(spec) = 'object'),
    refresh_every    interval NOT NULL DEFAULT '7 days' CHECK (refresh_every > '0'),
    enabled          boolean NOT NULL DEFAULT true,
    last_run_id      uuid REFERENCES runs,
    added_at         timestamptz NOT NULL DEFAULT now(),
    UNIQUE (spec)
);
