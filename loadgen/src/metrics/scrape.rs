//! Pages in the Prometheus text format. The parser that crates.io offers knows no colons in names, which all of vLLM's
//! have; of the format only samples are needed here.

/// The samples of a page.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Page {
    samples: Vec<Sample>,
}

#[derive(Debug, Clone, PartialEq)]
struct Sample {
    name: String,
    /// Between the braces, as it stands there.
    labels: String,
    value: f64,
}

impl Page {
    /// Reads a page; `None` when it holds no sample at all. Lines that are none are skipped.
    pub(super) fn parse(page: &[u8]) -> Option<Self> {
        let samples: Vec<Sample> = String::from_utf8_lossy(page).lines().filter_map(sample).collect();
        (!samples.is_empty()).then_some(Self { samples })
    }

    /// The sum of a metric over all its labels; `None` when it is not there.
    pub(super) fn sum(&self, name: &str) -> Option<f64> {
        self.sum_where(name, "")
    }

    /// The sum of a metric over those of its labels in which `label` stands, for instance `gpu="0"`.
    pub(super) fn sum_where(&self, name: &str, label: &str) -> Option<f64> {
        let values = self.values(name).filter(|sample| sample.labels.contains(label));
        values.map(|sample| sample.value).reduce(|sum, value| sum + value)
    }

    /// The mean of a metric over all its labels; `None` when it is not there.
    pub(super) fn mean(&self, name: &str) -> Option<f64> {
        Some(self.sum(name)? / self.values(name).count() as f64)
    }

    fn values(&self, name: &str) -> impl Iterator<Item = &Sample> {
        self.samples.iter().filter(move |sample| sample.name == name)
    }
}

/// Reads `name{labels} value` or `name value`, with a time behind it or none. A value that is not finite says nothing.
fn sample(line: &str) -> Option<Sample> {
    let line = line.trim_start();
    let name_ends = line.find(|letter: char| letter == '{' || letter.is_whitespace())?;
    let (name, rest) = line.split_at(name_ends);
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(rest) => rest.split_at_checked(end_of_labels(rest)?)?,
        None => ("", rest),
    };
    let value = rest.trim_start_matches('}').split_whitespace().next()?;
    let value: f64 = value.parse().ok()?;
    let is_sample = !name.is_empty() && !name.starts_with('#') && value.is_finite();
    is_sample.then(|| Sample { name: name.to_owned(), labels: labels.to_owned(), value })
}

/// Where the brace stands that ends the labels: one inside quotes does not.
fn end_of_labels(text: &str) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'}' if !quoted => return Some(at),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::Page;

    #[test]
    fn samples_are_found_among_the_rest() {
        let page = Page::parse(
            b"# HELP a:b one\n# TYPE a:b counter\na:b{x=\"}\\\"{\",y=\"2\"} 1.5e1 1700000000000\na:b{y=\"3\"} 5\n\
              plain 7\nnan NaN\ninf +Inf\nbroken{x=\"1\" 3\nnothing\n\n",
        )
        .unwrap();
        assert_eq!(page.sum("a:b"), Some(20.0));
        assert_eq!(page.sum_where("a:b", "y=\"3\""), Some(5.0));
        assert_eq!((page.mean("a:b"), page.sum("plain")), (Some(10.0), Some(7.0)));
        assert_eq!((page.sum("nan"), page.sum("inf"), page.sum("broken")), (None, None, None));
        assert_eq!(Page::parse(b"<html></html>"), None);
    }
}
