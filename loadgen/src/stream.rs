//! Server-sent events: bytes in, the data of events out. Reads may end anywhere; nothing is lost or seen twice.

use memchr::memchr;

mod chunk;
mod scan;

pub use chunk::{Chunk, Delta, Usage};

/// Longest event that is taken; a longer one is no token chunk of any engine.
const EVENT_LIMIT: usize = 16 * 1024 * 1024;

/// Takes a stream of server-sent events apart.
#[derive(Debug, Default)]
pub struct EventParser {
    /// The beginning of a line whose end has not arrived.
    line: Vec<u8>,
    /// The data lines of the event so far, joined by line feeds.
    data: Vec<u8>,
    has_data: bool,
}

/// The stream holds an event of more than 16 MiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the stream holds an event of more than 16 MiB")]
pub struct EventTooLong;

impl EventParser {
    /// Takes the bytes of one read and gives the data of each event that they complete.
    ///
    /// # Errors
    /// [`EventTooLong`].
    pub fn feed(&mut self, mut bytes: &[u8], mut event: impl FnMut(&[u8])) -> Result<(), EventTooLong> {
        while let Some(end) = memchr(b'\n', bytes) {
            let (part, rest) = bytes.split_at(end);
            bytes = &rest[1..];
            if self.line.is_empty() {
                self.take_line(part, &mut event)?;
            } else {
                let mut line = std::mem::take(&mut self.line);
                line.extend_from_slice(part);
                self.take_line(&line, &mut event)?;
                line.clear();
                self.line = line;
            }
        }
        self.line.extend_from_slice(bytes);
        if self.line.len() > EVENT_LIMIT { Err(EventTooLong) } else { Ok(()) }
    }

    fn take_line(&mut self, line: &[u8], event: &mut impl FnMut(&[u8])) -> Result<(), EventTooLong> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            if self.has_data {
                event(&self.data);
            }
            self.data.clear();
            self.has_data = false;
        } else if let Some(value) = line.strip_prefix(b"data:") {
            if self.has_data {
                self.data.push(b'\n');
            }
            self.data.extend_from_slice(value.strip_prefix(b" ").unwrap_or(value));
            self.has_data = true;
        }
        // Comments and other fields (event, id, retry) carry no tokens.
        if self.data.len() > EVENT_LIMIT { Err(EventTooLong) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::EventParser;

    fn events(reads: &[&[u8]]) -> Vec<Vec<u8>> {
        let mut parser = EventParser::default();
        let mut events = Vec::new();
        for read in reads {
            parser.feed(read, |data| events.push(data.to_vec())).unwrap();
        }
        events
    }

    #[test]
    fn events_are_found_whatever_ends_the_lines() {
        assert_eq!(events(&[b"data: a\n\ndata: b\r\n\r\n"]), [b"a", b"b"]);
        assert_eq!(events(&[b": comment\nid: 1\ndata:a\ndata: b\n\n"]), [b"a\nb"]);
        assert_eq!(events(&[b"data: unfinished\n"]), Vec::<Vec<u8>>::new());
        assert_eq!(events(&[b"\n\n\n"]), Vec::<Vec<u8>>::new());
    }

    proptest! {
        #[test]
        fn split_points_change_nothing(
            texts in proptest::collection::vec("[ -~äöü]{0,40}", 0..20),
            cuts in proptest::collection::vec(0usize..2000, 0..30),
            crlf: bool,
        ) {
            let end = if crlf { "\r\n" } else { "\n" };
            let stream = texts.iter().fold(String::new(), |stream, text| stream + "data: " + text + end + end);
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut % (stream.len() + 1)).collect();
            cuts.extend([0, stream.len()]);
            cuts.sort_unstable();
            let reads: Vec<&[u8]> = cuts.windows(2).map(|pair| &stream.as_bytes()[pair[0]..pair[1]]).collect();
            let expected: Vec<Vec<u8>> = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
            prop_assert_eq!(events(&reads), expected);
        }

        #[test]
        fn arbitrary_bytes_never_panic(reads in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..200), 0..20)) {
            let reads: Vec<&[u8]> = reads.iter().map(Vec::as_slice).collect();
            events(&reads);
        }
    }
}
