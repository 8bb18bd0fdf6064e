//! One user's connection to the engine, kept from request to request.

use std::io;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::response::{NotHttp, ResponseReader};
use super::target::{Stream, Target};

/// One read takes at most this much: more than any engine sends between two looks.
const READ_SIZE: usize = 16 * 1024;

/// A connection that is opened when it is needed.
#[derive(Default)]
pub(crate) struct Connection {
    open: Option<Open>,
    /// Where reads go; kept between requests.
    buffer: Vec<u8>,
}

struct Open {
    stream: Box<dyn Stream>,
    /// Whether a request went over it before.
    used: bool,
}

/// What a request on the wire came to, if not to an answer.
#[derive(Debug, thiserror::Error)]
pub(in crate::engine) enum Broken {
    /// The engine closed a connection that had served before, without a byte of an answer: it had given it up before the
    /// request came, and a new connection will do.
    #[error("the connection had gone stale")]
    Stale,
    /// It broke before an answer.
    #[error("the connection broke before an answer ({0})")]
    BeforeAnswer(io::Error),
    /// It broke in the middle of an answer.
    #[error("the connection broke in the middle of an answer")]
    InAnswer,
    #[error(transparent)]
    NotHttp(#[from] NotHttp),
}

/// A response that is being read.
pub(in crate::engine) struct Incoming<'a> {
    connection: &'a mut Connection,
    reader: ResponseReader,
}

impl Connection {
    /// Sees to it that the connection is open and not known to be stale.
    pub(in crate::engine) async fn ready(&mut self, target: &Target) -> io::Result<()> {
        if self.open.as_ref().is_none_or(|open| open.stream.is_stale()) {
            self.open = None;
            self.open = Some(Open { stream: target.connect().await?, used: false });
            self.buffer.resize(READ_SIZE, 0);
        }
        Ok(())
    }

    /// Writes a request. The connection is ready.
    pub(in crate::engine) async fn send(&mut self, request: &[u8]) -> Result<Incoming<'_>, Broken> {
        let written = match &mut self.open {
            Some(open) => open.stream.write_all(request).await,
            None => Err(io::ErrorKind::NotConnected.into()),
        };
        match written {
            Ok(()) => Ok(Incoming { connection: self, reader: ResponseReader::default() }),
            Err(error) => Err(self.broken_before_answer(error)),
        }
    }

    fn broken_before_answer(&mut self, error: io::Error) -> Broken {
        match self.open.take() {
            Some(Open { used: true, .. }) => Broken::Stale,
            _ => Broken::BeforeAnswer(error),
        }
    }
}

impl Incoming<'_> {
    /// Waits for bytes; `body` gets those of the body with the response's status and the moment at
    /// which their read returned, counted from `base`. `false`: the response is complete.
    pub(in crate::engine) async fn read(
        &mut self,
        base: Instant,
        mut body: impl FnMut(u16, &[u8], Duration),
    ) -> Result<bool, Broken> {
        if self.reader.is_complete() {
            return Ok(false);
        }
        let Some(open) = &mut self.connection.open else { return Err(Broken::InAnswer) };
        let read = open.stream.read(&mut self.connection.buffer).await;
        let read_at = base.elapsed();
        match read {
            Ok(length) if length > 0 => {
                self.reader
                    .feed(&self.connection.buffer[..length], |status, part| body(status, part, read_at))?;
                Ok(true)
            }
            _ if self.reader.is_complete_at_close() => Ok(false),
            _ if self.reader.has_begun() => Err(Broken::InAnswer),
            Ok(_) => Err(self.connection.broken_before_answer(io::ErrorKind::UnexpectedEof.into())),
            Err(error) => Err(self.connection.broken_before_answer(error)),
        }
    }

    /// The status, once the head was read.
    pub(in crate::engine) fn status(&self) -> Option<u16> {
        self.reader.status()
    }
}

impl Drop for Incoming<'_> {
    /// A connection whose response was not read to its end, or that the engine closes, serves no other request.
    fn drop(&mut self) {
        match &mut self.connection.open {
            Some(open) if self.reader.allows_another() => open.used = true,
            _ => self.connection.open = None,
        }
    }
}
