-- Each look at a price list. A price that did not change writes no row, so that the history in `prices` is one of
-- changes; that it was looked at, and when, stands here: the age of a price is that of the last look that succeeded.
CREATE TABLE price_refreshes (
    price_refresh_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source      text NOT NULL,
    region      text NOT NULL,
    refreshed_at timestamptz NOT NULL DEFAULT now(),
    -- Offers that were read, and those of them that differed from what was known.
    offers      integer NOT NULL CHECK (offers >= 0),
    changed     integer NOT NULL CHECK (changed BETWEEN 0 AND offers),
    error       text,
    CHECK (error IS NULL OR (offers = 0 AND changed = 0)),
    CHECK (error IS NOT NULL OR offers > 0)
);
CREATE INDEX price_refreshes_newest ON price_refreshes (region, refreshed_at DESC);

-- History: what was written stays.
CREATE TRIGGER prices_append_only BEFORE UPDATE OR DELETE ON prices
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER prices_stay BEFORE TRUNCATE ON prices
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
