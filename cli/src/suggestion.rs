//! The nearest known names, for whoever mistyped one.

/// A hint with the nearest of `names`, if any is near.
pub(crate) fn nearest<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let wanted = wanted.to_lowercase();
    let mut near: Vec<(f64, &str)> = names
        .into_iter()
        .map(|name| (strsim::jaro_winkler(&wanted, &name.to_lowercase()), name))
        .filter(|(similarity, _)| *similarity > 0.8)
        .collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0));
    near.truncate(3);
    let near: Vec<String> = near.into_iter().map(|(_, name)| format!("`{name}`")).collect();
    (!near.is_empty()).then(|| format!("did you mean {}?", near.join(" or ")))
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn near_names_come_first_and_far_ones_not_at_all() {
        let names = ["p5.48xlarge", "p5en.48xlarge", "g6e.xlarge"];
        assert_eq!(nearest("p5.48xl", names).unwrap(), "did you mean `p5.48xlarge` or `p5en.48xlarge`?");
        assert_eq!(nearest("zzz", names), None);
    }
}
