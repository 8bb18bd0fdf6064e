-- What decides whether a model fits beside its size, the commit that its facts were read at, and why the commit of a run
-- is not known. A model's facts are of a revision that it has: the two rows refer to each other
-- and come in one statement.

ALTER TABLE models
    ADD COLUMN attention_heads        integer CHECK (attention_heads > 0),
    -- 1 with latent attention, whose cache cannot be split.
    ADD COLUMN kv_heads               integer CHECK (kv_heads > 0),
    ADD COLUMN expert_count           integer CHECK (expert_count > 0),
    ADD COLUMN experts_per_token      integer CHECK (experts_per_token > 0),
    ADD COLUMN published_quantization text CHECK (published_quantization IN ('bf16', 'fp16', 'fp8', 'int8', 'int4')),
    ADD COLUMN revision               text,
    ADD CONSTRAINT experts_are_known_whole CHECK ((expert_count IS NULL) = (experts_per_token IS NULL)),
    ADD CONSTRAINT experts_work_on_tokens CHECK (experts_per_token <= expert_count),
    ADD CONSTRAINT facts_are_of_a_revision FOREIGN KEY (model, revision) REFERENCES model_revisions;

ALTER TABLE runs
    ADD COLUMN revision_absent_reason text CHECK (length(revision_absent_reason) BETWEEN 1 AND 2000),
    ADD CONSTRAINT revision_is_known_or_not CHECK (num_nonnulls(revision, revision_absent_reason) <= 1);
