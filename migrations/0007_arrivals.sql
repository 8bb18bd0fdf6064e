-- How requests arrive at a load point with a request rate; a closed loop has no arrivals of its own.
ALTER TABLE results
    ADD COLUMN arrivals            text CHECK (arrivals IN ('constant', 'poisson', 'gamma')),
    -- Shape of the gamma distribution of the gaps: 1 is Poisson, less is burstier, more is steadier.
    ADD COLUMN arrivals_burstiness double precision CHECK (arrivals_burstiness > 0 AND arrivals_burstiness < 'infinity'),
    ADD CONSTRAINT arrivals_of_a_rate CHECK ((request_rate_per_s IS NULL) = (arrivals IS NULL)),
    ADD CONSTRAINT burstiness_of_gamma CHECK ((arrivals IS NOT DISTINCT FROM 'gamma') = (arrivals_burstiness IS NOT NULL)),
    ADD CONSTRAINT request_rate_is_finite CHECK (request_rate_per_s < 'infinity');
