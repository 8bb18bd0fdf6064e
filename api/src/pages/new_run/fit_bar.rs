//! What lies where in the memory of one accelerator, as a bar and in numbers.

use accelbench_core::fit::Room;

/// Length of the bar, in its own units.
pub(super) const LENGTH: u32 = 1000;

/// A part of an accelerator's memory.
#[derive(Debug, PartialEq)]
pub(super) struct Part {
    pub(super) name: &'static str,
    /// The colour, as the style sheet calls it.
    pub(super) tone: &'static str,
    pub(super) gib: f64,
    /// Where it begins and how long it is, in the bar's units.
    pub(super) start: u32,
    pub(super) length: u32,
}

/// The parts in the order in which they lie: they fill the bar.
pub(super) fn parts(room: &Room) -> Vec<Part> {
    let at =
        |gib: f64| (gib / room.memory_gib * f64::from(LENGTH)).round().clamp(0.0, f64::from(LENGTH)) as u32;
    let sizes = [
        ("weights", "weights", room.weights_gib),
        ("engine", "engine", room.overhead_gib),
        ("KV cache", "cache", room.kv_cache_gib),
        ("left free", "free", room.memory_gib - room.usable_gib),
    ];
    let mut before_gib = 0.0;
    let part = |(name, tone, gib): (&'static str, &'static str, f64)| {
        let start = at(before_gib);
        before_gib += gib;
        Part { name, tone, gib, start, length: at(before_gib) - start }
    };
    sizes.map(part).into()
}

#[cfg(test)]
mod tests {
    use accelbench_core::fit::{Room, Split};

    use super::parts;

    #[test]
    fn the_parts_fill_the_bar() {
        let room = Room {
            split: Split::tensor_parallel(1),
            parts_per_accelerator: 1,
            replicas_per_instance: 1,
            memory_gib: 45.0,
            usable_gib: 40.5,
            weights_gib: 15.0,
            overhead_gib: 1.0,
            kv_cache_gib: 24.5,
            kv_cache_bytes_per_token: 131_072.0,
            kv_cache_tokens: 200_000,
            full_length_sequences: 90,
            waiting_sequences: 0,
        };
        let parts = parts(&room);
        let places: Vec<(u32, u32)> = parts.iter().map(|part| (part.start, part.length)).collect();
        assert_eq!(places, [(0, 333), (333, 23), (356, 544), (900, 100)]);
    }
}
