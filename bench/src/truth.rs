//! What really happened, as the server saw it at its sockets.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, ensure};

/// One request; moments in nanoseconds since 1970.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Request {
    /// When the read that completed the request returned.
    pub(crate) arrived: u64,
    /// When each chunk with tokens was about to be written, and how many tokens it held.
    pub(crate) writes: Vec<(u64, u32)>,
    /// How late the writes were against their moment, all together.
    pub(crate) lateness_sum: u64,
    /// Whether the answer was written to its end.
    pub(crate) complete: bool,
}

/// Writes the requests to a file.
pub(crate) fn save(requests: &[Request], path: &Path) -> std::io::Result<()> {
    let mut words = Vec::new();
    for request in requests {
        words.extend([
            request.arrived,
            u64::from(request.complete),
            request.lateness_sum,
            request.writes.len() as u64,
        ]);
        words.extend(request.writes.iter().flat_map(|&(at, tokens)| [at, u64::from(tokens)]));
    }
    fs::write(path, words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>())
}

/// Reads what [`save`] wrote.
pub(crate) fn load(path: &Path) -> anyhow::Result<Vec<Request>> {
    let bytes = fs::read(path).context("the server wrote no truth")?;
    let (words, rest) = bytes.as_chunks::<8>();
    ensure!(rest.is_empty(), "the truth is cut off");
    let mut words = words.iter().map(|word| u64::from_le_bytes(*word));
    let mut requests = Vec::new();
    while let Some(arrived) = words.next() {
        let mut word = || words.next().context("the truth is cut off");
        let (complete, lateness_sum, count) = (word()? == 1, word()?, word()?);
        let writes = (0..count).map(|_| Ok((word()?, word()? as u32))).collect::<anyhow::Result<_>>()?;
        requests.push(Request { arrived, writes, lateness_sum, complete });
    }
    Ok(requests)
}

#[cfg(test)]
mod tests {
    use super::{Request, load, save};

    #[test]
    fn the_truth_is_read_as_it_was_written() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let requests = [
            Request { arrived: 7, writes: vec![(9, 1), (11, 4)], lateness_sum: 3, complete: true },
            Request::default(),
        ];
        save(&requests, file.path()).unwrap();
        assert_eq!(load(file.path()).unwrap(), requests);
    }
}
