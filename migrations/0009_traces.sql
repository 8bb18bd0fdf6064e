-- Load points that replay a trace: the third kind of offered load, told by how much faster than it was.
ALTER TABLE results
    ADD COLUMN trace_speed double precision CHECK (trace_speed > 0 AND trace_speed < 'infinity'),
    DROP CONSTRAINT one_offered_load,
    ADD CONSTRAINT one_offered_load CHECK (num_nonnulls(concurrency, request_rate_per_s, trace_speed) = 1);
