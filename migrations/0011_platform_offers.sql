-- Which platforms beside this machine the workers of the installation were given. A request for one that no worker has
-- is refused where it is submitted, instead of waiting in the queue for ever.
CREATE TABLE platform_offers (
    platform   text PRIMARY KEY CHECK (platform IN ('kubernetes')),
    offered_at timestamptz NOT NULL DEFAULT now()
);
