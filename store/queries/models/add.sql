INSERT INTO models (
    model, family, params_total_b, params_active_b, layers, kv_cache_bytes_per_token, max_context_tokens, gated,
    licence, source)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (model) DO UPDATE SET
    family = excluded.family,
    params_total_b = excluded.params_total_b,
    params_active_b = excluded.params_active_b,
    layers = excluded.layers,
    kv_cache_bytes_per_token = excluded.kv_cache_bytes_per_token,
    max_context_tokens = excluded.max_context_tokens,
    gated = excluded.gated,
    licence = excluded.licence,
    source = excluded.source
