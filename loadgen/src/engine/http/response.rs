//! Reads one HTTP/1.1 response from whatever pieces the socket gives. Pure.

use httparse::{EMPTY_HEADER, Response, Status};

/// A longer head is no engine's.
const MOST_HEAD: usize = 64 * 1024;
/// A longer line about a chunk's size is no engine's.
const MOST_SIZE_LINE: usize = 1024;
const MOST_HEADERS: usize = 128;

/// A response that is being read.
#[derive(Debug, Default)]
pub(super) struct ResponseReader {
    head: Vec<u8>,
    status: u16,
    keep_alive: bool,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    Head,
    /// A body whose remaining length is known.
    Sized(u64),
    /// A body that ends with the connection.
    UntilClose,
    /// The line with a chunk's size: what it said so far.
    ChunkSize(SizeLine),
    ChunkData(u64),
    /// The line end behind a chunk's data.
    ChunkEnd,
    /// The lines behind the last chunk: whether the present one is empty so far.
    Trailer {
        empty: bool,
    },
    Complete,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct SizeLine {
    size: u64,
    digits: u8,
    /// Whether the digits are over and an extension is being skipped.
    extension: bool,
    length: usize,
}

/// What came over the connection is no HTTP/1.1 response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the answer is not HTTP/1.1: {0}")]
pub(in crate::engine) struct NotHttp(&'static str);

impl ResponseReader {
    /// Takes the bytes of one read; `body` gets the status and the parts of the body in them.
    pub(super) fn feed(&mut self, mut bytes: &[u8], mut body: impl FnMut(u16, &[u8])) -> Result<(), NotHttp> {
        while !bytes.is_empty() {
            bytes = match self.state {
                State::Head => self.feed_head(bytes)?,
                State::Sized(left) | State::ChunkData(left) => self.take_data(bytes, left, &mut body),
                State::UntilClose => {
                    body(self.status, bytes);
                    &[]
                }
                State::ChunkSize(line) => self.feed_size(bytes, line)?,
                State::ChunkEnd => self.feed_chunk_end(bytes)?,
                State::Trailer { empty } => self.feed_trailer(bytes, empty),
                State::Complete => return Err(NotHttp("bytes follow its end")),
            };
        }
        Ok(())
    }

    /// The status, once the head was read.
    pub(super) fn status(&self) -> Option<u16> {
        (self.state != State::Head).then_some(self.status)
    }

    /// Whether any byte of a response was read.
    pub(super) fn has_begun(&self) -> bool {
        self.state != State::Head || !self.head.is_empty()
    }

    /// Whether the whole response was read.
    pub(super) fn is_complete(&self) -> bool {
        self.state == State::Complete
    }

    /// Whether the whole response was read now that the connection has ended.
    pub(super) fn is_complete_at_close(&self) -> bool {
        matches!(self.state, State::Complete | State::UntilClose)
    }

    /// Whether another request may follow on the connection.
    pub(super) fn allows_another(&self) -> bool {
        self.is_complete() && self.keep_alive
    }

    fn feed_head<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8], NotHttp> {
        let before = self.head.len();
        self.head.extend_from_slice(bytes);
        let mut headers = [EMPTY_HEADER; MOST_HEADERS];
        let mut response = Response::new(&mut headers);
        let parsed = response.parse(&self.head).map_err(|_unparsable| NotHttp("its head cannot be read"))?;
        let Status::Complete(length) = parsed else {
            return if self.head.len() > MOST_HEAD { Err(NotHttp("its head is too long")) } else { Ok(&[]) };
        };
        let status = response.code.unwrap_or(0);
        let framing = Framing::of(&response)?;
        self.head.clear();
        // After an interim answer (100 Continue) the real one follows.
        if !(100..200).contains(&status) {
            self.status = status;
            self.state = match framing.body {
                _ if matches!(status, 204 | 304) => State::Complete,
                State::Sized(0) => State::Complete,
                body => body,
            };
            // What ends with the connection leaves none behind.
            self.keep_alive = framing.keep_alive && self.state != State::UntilClose;
        }
        Ok(bytes.get(length - before..).unwrap_or_default())
    }

    fn take_data<'a>(&mut self, bytes: &'a [u8], left: u64, body: &mut impl FnMut(u16, &[u8])) -> &'a [u8] {
        let (data, rest) =
            bytes.split_at(usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len())));
        body(self.status, data);
        let left = left - data.len() as u64;
        self.state = match (self.state, left) {
            (State::Sized(_), 0) => State::Complete,
            (State::Sized(_), left) => State::Sized(left),
            (_, 0) => State::ChunkEnd,
            (_, left) => State::ChunkData(left),
        };
        rest
    }

    fn feed_size<'a>(&mut self, bytes: &'a [u8], mut line: SizeLine) -> Result<&'a [u8], NotHttp> {
        for (index, &byte) in bytes.iter().enumerate() {
            line.length += 1;
            match (byte, char::from(byte).to_digit(16)) {
                (b'\n', _) if line.digits > 0 => {
                    self.state = match line.size {
                        0 => State::Trailer { empty: true },
                        size => State::ChunkData(size),
                    };
                    return Ok(&bytes[index + 1..]);
                }
                (_, Some(digit)) if !line.extension && line.digits < 15 => {
                    line.size = line.size * 16 + u64::from(digit);
                    line.digits += 1;
                }
                (b';' | b'\r' | b' ' | b'\t', _) if line.digits > 0 => line.extension = true,
                _ if line.extension && line.length < MOST_SIZE_LINE => {}
                _ => return Err(NotHttp("the size of a chunk cannot be read")),
            }
        }
        self.state = State::ChunkSize(line);
        Ok(&[])
    }

    fn feed_chunk_end<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8], NotHttp> {
        match bytes.split_first() {
            Some((b'\r', rest)) => Ok(rest),
            Some((b'\n', rest)) => {
                self.state = State::ChunkSize(SizeLine::default());
                Ok(rest)
            }
            _ => Err(NotHttp("a chunk is longer than its size")),
        }
    }

    fn feed_trailer<'a>(&mut self, bytes: &'a [u8], mut empty: bool) -> &'a [u8] {
        for (index, &byte) in bytes.iter().enumerate() {
            match byte {
                b'\n' if empty => {
                    self.state = State::Complete;
                    return &bytes[index + 1..];
                }
                b'\n' => empty = true,
                b'\r' => {}
                _ => empty = false,
            }
        }
        self.state = State::Trailer { empty };
        &[]
    }
}

/// How the body is delimited and whether the connection stays.
struct Framing {
    body: State,
    keep_alive: bool,
}

impl Framing {
    fn of(response: &Response<'_, '_>) -> Result<Self, NotHttp> {
        let named = |name: &'static str| {
            let named = response.headers.iter().filter(move |header| header.name.eq_ignore_ascii_case(name));
            named.map(|header| String::from_utf8_lossy(header.value).trim().to_ascii_lowercase())
        };
        let has =
            |name, token: &str| named(name).any(|value| value.split(',').any(|part| part.trim() == token));
        let asks_to_close = has("connection", "close");
        let is_1_1 = response.version == Some(1);
        let keep_alive = !asks_to_close && (is_1_1 || has("connection", "keep-alive"));
        let body = if has("transfer-encoding", "chunked") {
            State::ChunkSize(SizeLine::default())
        } else if let Some(length) = named("content-length").next() {
            State::Sized(length.parse().map_err(|_not_a_number| NotHttp("its length is no number"))?)
        } else {
            State::UntilClose
        };
        Ok(Self { body, keep_alive })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::ResponseReader;

    /// Reads the pieces; the body and whether the response was complete and lets another follow.
    fn read<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Option<(Vec<u8>, bool, bool)> {
        let (mut reader, mut body) = (ResponseReader::default(), Vec::new());
        for piece in pieces {
            reader.feed(piece, |_, part| body.extend_from_slice(part)).ok()?;
        }
        Some((body, reader.is_complete(), reader.allows_another()))
    }

    fn whole(text: &str) -> Option<(String, bool, bool)> {
        let (body, complete, another) = read([text.as_bytes()])?;
        Some((String::from_utf8(body).unwrap(), complete, another))
    }

    #[test]
    fn bodies_end_where_their_framing_says() {
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nT: v\r\n\r\n";
        assert_eq!(whole(chunked), Some(("hello world".to_owned(), true, true)));
        let sized = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nConnection: Close\r\n\r\nok";
        assert_eq!(whole(sized), Some(("ok".to_owned(), true, false)));
        assert_eq!(whole("HTTP/1.1 200 OK\r\n\r\nrest"), Some(("rest".to_owned(), false, false)));
        assert_eq!(whole("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"), Some((String::new(), true, false)));
        let interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n";
        assert_eq!(whole(interim), Some((String::new(), true, true)));
    }

    #[test]
    fn what_is_no_response_is_refused() {
        for text in [
            "SSH-2.0-OpenSSH\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
        ] {
            assert_eq!(whole(text), None, "{text:?}");
        }
    }

    fn pieces(bytes: &[u8], cuts: &[usize]) -> Vec<Vec<u8>> {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        cuts.windows(2).map(|pair| bytes[pair[0]..pair[1]].to_vec()).collect()
    }

    proptest! {
        #[test]
        fn a_body_is_the_same_however_it_is_cut(
            parts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..40), 0..8),
            cuts in proptest::collection::vec(any::<usize>(), 0..12),
            chunked: bool,
        ) {
            let body = parts.concat();
            let mut bytes = b"HTTP/1.1 200 OK\r\nserver: x\r\n".to_vec();
            if chunked {
                bytes.extend(b"transfer-encoding: chunked\r\n\r\n");
                for part in &parts {
                    bytes.extend(format!("{:X}\r\n", part.len()).bytes());
                    bytes.extend(part);
                    bytes.extend(b"\r\n");
                }
                bytes.extend(b"0\r\n\r\n");
            } else {
                bytes.extend(format!("content-length: {}\r\n\r\n", body.len()).bytes());
                bytes.extend(&body);
            }
            let pieces = pieces(&bytes, &cuts);
            prop_assert_eq!(read(pieces.iter().map(Vec::as_slice)), Some((body, true, true)));
        }

        #[test]
        fn arbitrary_bytes_never_panic(
            tail in proptest::collection::vec(any::<u8>(), 0..200),
            cuts in proptest::collection::vec(any::<usize>(), 0..4),
            head in proptest::option::of(Just("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")),
        ) {
            let mut bytes = head.unwrap_or_default().as_bytes().to_vec();
            bytes.extend(tail);
            read(pieces(&bytes, &cuts).iter().map(Vec::as_slice));
        }
    }
}
