//! One client's connection: reads a request, writes the chunks of its answer.

use std::io::{self, Read as _, Write as _};

use httparse::{EMPTY_HEADER, Status};
use mio::net::TcpStream;

use super::pace::{Answer, Asked};

pub(super) struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
    answer: Option<(Answer, usize)>,
    /// What the socket did not take.
    unsent: Vec<u8>,
}

/// A chunk that was written.
pub(super) struct Written {
    pub(super) request: usize,
    pub(super) tokens: u32,
    pub(super) next_due: Option<u64>,
}

impl Connection {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self { stream, received: Vec::with_capacity(4096), answer: None, unsent: Vec::new() }
    }

    /// Reads what is there; a complete request comes back.
    pub(super) fn read(&mut self) -> Option<Asked> {
        let mut buffer = [0; 16 * 1024];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => return None,
                Ok(length) => self.received.extend_from_slice(&buffer[..length]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        let mut headers = [EMPTY_HEADER; 32];
        let mut request = httparse::Request::new(&mut headers);
        let Ok(Status::Complete(head)) = request.parse(&self.received) else { return None };
        let length = request.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"));
        let length: usize =
            length.and_then(|header| std::str::from_utf8(header.value).ok()?.parse().ok()).unwrap_or(0);
        let body = self.received.get(head..head + length)?;
        // A look at metrics, which are not offered, is no request of the load.
        let asked =
            (request.method == Some("POST")).then(|| Asked::read(request.path.unwrap_or_default(), body));
        if asked.is_none() {
            // A client that does not take it closes the connection, and nothing is lost by that.
            let _ = self.stream.write(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n");
        }
        self.received.drain(..head + length);
        asked
    }

    pub(super) fn begin(&mut self, answer: Answer, request: usize) {
        self.answer = Some((answer, request));
    }

    /// Writes the next chunk of the answer.
    pub(super) fn write_next(&mut self) -> Option<Written> {
        let (answer, request) = self.answer.as_mut()?;
        let request = *request;
        let chunk = answer.next();
        if self.unsent.is_empty() {
            let sent = self.stream.write(&chunk.bytes).unwrap_or(0);
            self.unsent.extend_from_slice(&chunk.bytes[sent..]);
        } else {
            self.unsent.extend_from_slice(&chunk.bytes);
            let sent = self.stream.write(&self.unsent).unwrap_or(0);
            self.unsent.drain(..sent);
        }
        if chunk.next_due.is_none() {
            self.answer = None;
        }
        Some(Written { request, tokens: chunk.tokens, next_due: chunk.next_due })
    }
}
