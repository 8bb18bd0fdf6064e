-- When the Hub was last asked for the newest commit of a model that the catalog keeps fresh. A commit that did not change
-- writes no revision; that it was asked for stands here, so that it is asked for once a day and a failure is tried again
-- within the hour.
CREATE TABLE model_lookups (
    model        text PRIMARY KEY REFERENCES models,
    looked_up_at timestamptz NOT NULL DEFAULT now(),
    -- Why there was no answer.
    error        text
);
