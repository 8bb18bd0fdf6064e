INSERT INTO instance_types (
    instance_type, family, accelerator_kind, accelerator_name, accelerator_count, accelerator_memory_gib,
    accelerator_bandwidth_gb_per_s, accelerator_bf16_tflops, interconnect, vcpu, memory_gib, source)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
ON CONFLICT (instance_type) DO UPDATE SET
    family = excluded.family,
    accelerator_kind = excluded.accelerator_kind,
    accelerator_name = excluded.accelerator_name,
    accelerator_count = excluded.accelerator_count,
    accelerator_memory_gib = excluded.accelerator_memory_gib,
    accelerator_bandwidth_gb_per_s = excluded.accelerator_bandwidth_gb_per_s,
    accelerator_bf16_tflops = excluded.accelerator_bf16_tflops,
    interconnect = excluded.interconnect,
    vcpu = excluded.vcpu,
    memory_gib = excluded.memory_gib,
    source = excluded.source
