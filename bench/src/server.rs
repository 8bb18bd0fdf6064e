//! A server whose only virtue is punctuality: one thread on a core of its own that never sleeps, writes each token at its
//! moment and notes when it did. It is the measuring instrument for the load generator.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::{self, Read as _, Write as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use chrono::Utc;
use clap::Args;
use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Token};

use crate::truth::{self, Request};

mod connection;
mod pace;

use connection::Connection;
pub(crate) use pace::Pace;

const LISTENER: Token = Token(usize::MAX);

#[derive(Debug, Clone, Args)]
pub(crate) struct ServerOptions {
    #[command(flatten)]
    pub(crate) pace: Pace,
    /// Where the truth is written at the end
    #[arg(long)]
    pub(crate) truth: PathBuf,
}

/// Serves until stdin ends.
pub(crate) fn run(options: &ServerOptions) -> anyhow::Result<()> {
    let stop = Arc::new(AtomicBool::new(false));
    let stopping = Arc::clone(&stop);
    thread::spawn(move || {
        // Whether it ends or breaks: nobody needs the server any more.
        let _ = io::stdin().read_to_end(&mut Vec::new());
        stopping.store(true, Ordering::Relaxed);
    });
    let mut server = Server::new(options.pace.clone())?;
    writeln!(io::stdout(), "{}", server.listener.local_addr()?)?;
    server.serve(&stop)?;
    truth::save(&server.requests, &options.truth).context("the truth cannot be written")
}

struct Server {
    pace: Pace,
    poll: Poll,
    listener: TcpListener,
    connections: Vec<Connection>,
    /// When each connection's next chunk is due, in nanoseconds.
    due: BinaryHeap<Reverse<(u64, usize)>>,
    requests: Vec<Request>,
    clock: Clock,
}

/// Nanoseconds since 1970 by the monotonic clock.
#[derive(Debug, Clone, Copy)]
struct Clock {
    started: Instant,
    started_ns: u64,
}

impl Clock {
    fn now(self) -> u64 {
        self.started_ns + self.started.elapsed().as_nanos() as u64
    }
}

impl Server {
    fn new(pace: Pace) -> anyhow::Result<Self> {
        let poll = Poll::new()?;
        let mut listener = TcpListener::bind("127.0.0.1:0".parse()?)?;
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        let started_ns = Utc::now().timestamp_nanos_opt().unwrap_or_default().cast_unsigned();
        let clock = Clock { started: Instant::now(), started_ns };
        Ok(Self {
            pace,
            poll,
            listener,
            connections: Vec::new(),
            due: BinaryHeap::new(),
            requests: Vec::new(),
            clock,
        })
    }

    fn serve(&mut self, stop: &AtomicBool) -> io::Result<()> {
        let mut events = Events::with_capacity(1024);
        while !stop.load(Ordering::Relaxed) {
            self.write_what_is_due();
            match self.poll.poll(&mut events, Some(Duration::ZERO)) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
            for event in &events {
                match event.token() {
                    LISTENER => self.accept()?,
                    Token(index) => self.read(index),
                }
            }
        }
        Ok(())
    }

    fn accept(&mut self) -> io::Result<()> {
        loop {
            match self.listener.accept() {
                Ok((mut stream, _)) => {
                    stream.set_nodelay(true)?;
                    let token = Token(self.connections.len());
                    self.poll.registry().register(&mut stream, token, Interest::READABLE)?;
                    self.connections.push(Connection::new(stream));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    fn read(&mut self, index: usize) {
        let connection = &mut self.connections[index];
        if let Some(asked) = connection.read() {
            let arrived = self.clock.now();
            let (first_due, answer) = self.pace.answer(asked, arrived, self.requests.len() as u64);
            self.requests.push(Request { arrived, ..Request::default() });
            connection.begin(answer, self.requests.len() - 1);
            self.due.push(Reverse((first_due, index)));
        }
    }

    fn write_what_is_due(&mut self) {
        while let Some(&Reverse((due, index))) = self.due.peek() {
            let now = self.clock.now();
            if due > now {
                return;
            }
            self.due.pop();
            let connection = &mut self.connections[index];
            let Some(chunk) = connection.write_next() else { continue };
            let request = &mut self.requests[chunk.request];
            if chunk.tokens > 0 {
                request.writes.push((now, chunk.tokens));
                request.lateness_sum += now - due;
            }
            match chunk.next_due {
                Some(next_due) => self.due.push(Reverse((next_due, index))),
                None => request.complete = true,
            }
        }
    }
}
