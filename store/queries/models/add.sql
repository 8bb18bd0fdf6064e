-- The model's facts and the commit that they are of refer to each other: both or none are written.
WITH added AS (
    INSERT INTO models (
        model, family, params_total_b, params_active_b, layers, kv_cache_bytes_per_token, max_context_tokens,
        attention_heads, kv_heads, expert_count, experts_per_token, published_quantization, revision, gated, licence, source)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
    ON CONFLICT (model) DO UPDATE SET
        family = excluded.family,
        params_total_b = excluded.params_total_b,
        params_active_b = excluded.params_active_b,
        layers = excluded.layers,
        kv_cache_bytes_per_token = excluded.kv_cache_bytes_per_token,
        max_context_tokens = excluded.max_context_tokens,
        attention_heads = excluded.attention_heads,
        kv_heads = excluded.kv_heads,
        expert_count = excluded.expert_count,
        experts_per_token = excluded.experts_per_token,
        published_quantization = excluded.published_quantization,
        revision = excluded.revision,
        gated = excluded.gated,
        licence = excluded.licence,
        source = excluded.source
    RETURNING model, revision
)
INSERT INTO model_revisions (model, revision)
SELECT model, revision FROM added WHERE revision IS NOT NULL
ON CONFLICT DO NOTHING
