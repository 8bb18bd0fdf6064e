//! Real time for the engine: one thread that owns it, waits for the next token's moment and hands tokens out. A thread
//! of its own, because tokio's timer has a granularity of 1 ms and the simulator must be truer than what measures it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, TryRecvError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};
use std::{hint, io};

use tokio::sync::mpsc::UnboundedSender;

use crate::engine::{Emission, Engine, Sequence};
use crate::metrics::{Finish, Metrics, Record};

/// A sleeping thread wakes up late by the kernel's timer slack (50 us) and some; that part of a wait is spun.
const SPIN: Duration = Duration::from_micros(80);

/// A token, for the request that waits for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) last: bool,
}

/// The engine's thread, as the server sees it.
#[derive(Debug, Clone)]
pub(crate) struct EngineHandle {
    commands: Sender<Command>,
    metrics: Arc<Mutex<Metrics>>,
    alive: Arc<AtomicBool>,
}

#[derive(Debug)]
enum Command {
    Submit(Sequence, Finish, UnboundedSender<Token>),
    End(u64, Finish),
    Stop,
}

struct Waiter {
    tokens: UnboundedSender<Token>,
    record: Record,
}

struct Worker {
    engine: Engine,
    origin: Instant,
    waiters: HashMap<u64, Waiter>,
    metrics: Arc<Mutex<Metrics>>,
}

impl EngineHandle {
    /// Starts the thread.
    pub(crate) fn start(engine: Engine) -> io::Result<Self> {
        let (commands, received) = mpsc::channel();
        let metrics = Arc::new(Mutex::new(Metrics::default()));
        let alive = Arc::new(AtomicBool::new(true));
        let worker =
            Worker { engine, origin: Instant::now(), waiters: HashMap::new(), metrics: Arc::clone(&metrics) };
        let still_alive = Arc::clone(&alive);
        thread::Builder::new().name("simulated-engine".to_owned()).spawn(move || {
            worker.run(&received);
            still_alive.store(false, Ordering::Release);
        })?;
        Ok(Self { commands, metrics, alive })
    }

    /// Hands a sequence in; its tokens come through `tokens`, which closes early when the engine stops.
    pub(crate) fn submit(&self, sequence: Sequence, finish: Finish, tokens: UnboundedSender<Token>) {
        // A stopped engine drops the sender with the command, which is how the request learns of it.
        let _ = self.commands.send(Command::Submit(sequence, finish, tokens));
    }

    /// Takes a sequence out before its end.
    pub(crate) fn end(&self, id: u64, finish: Finish) {
        let _ = self.commands.send(Command::End(id, finish));
    }

    /// Stops the engine, which closes the channel of every request.
    pub(crate) fn stop(&self) {
        self.alive.store(false, Ordering::Release);
        let _ = self.commands.send(Command::Stop);
    }

    pub(crate) fn is_alive(&self) -> bool {
        self.alive.load(Ordering::Acquire)
    }

    pub(crate) fn metrics(&self) -> MutexGuard<'_, Metrics> {
        lock(&self.metrics)
    }
}

impl Worker {
    fn run(mut self, commands: &Receiver<Command>) {
        loop {
            let mut received = match self.engine.next_event() {
                None => commands.recv().map_err(RecvTimeoutError::from),
                Some(at) => receive_until(commands, self.origin + at),
            };
            while let Ok(command) = received {
                if !self.obey(command) {
                    return;
                }
                received = commands.try_recv().map_err(no_command);
            }
            if matches!(received, Err(RecvTimeoutError::Disconnected)) {
                return;
            }
            let emissions = self.engine.advance(self.origin.elapsed());
            self.hand_out(&emissions);
        }
    }

    /// Says whether the engine goes on.
    fn obey(&mut self, command: Command) -> bool {
        let now = self.origin.elapsed();
        match command {
            Command::Submit(sequence, finish, tokens) => {
                let record = Record::new(now, sequence.prompt_tokens, finish);
                self.waiters.insert(sequence.id, Waiter { tokens, record });
                self.engine.submit(now, sequence);
            }
            Command::End(id, finish) => {
                // Kept until it is counted: who sees the channel close can rely on the counters.
                if let Some(_waiter) = self.waiters.remove(&id) {
                    self.engine.abort(id);
                    lock(&self.metrics).count(finish);
                }
            }
            Command::Stop => return false,
        }
        true
    }

    fn hand_out(&mut self, emissions: &[Emission]) {
        let mut metrics = lock(&self.metrics);
        for emission in emissions {
            let Some(waiter) = self.waiters.get_mut(&emission.id) else {
                continue;
            };
            waiter.record.token(emission.at, emission.last, &mut metrics);
            let sent = waiter.tokens.send(Token { last: emission.last });
            if sent.is_err() && !emission.last {
                self.engine.abort(emission.id);
                metrics.count(Finish::Abort);
            }
            if sent.is_err() || emission.last {
                self.waiters.remove(&emission.id);
            }
        }
        metrics.gauges = self.engine.gauges();
    }
}

/// Waits for a command until `due`: sleeps, then spins the last moment. Where tokens follow each other within a moment,
/// it only sleeps: they come some ten microseconds late, but many streams do not keep a core spinning.
fn receive_until(commands: &Receiver<Command>, due: Instant) -> Result<Command, RecvTimeoutError> {
    let wait = due.saturating_duration_since(Instant::now());
    let Some(sleep) = wait.checked_sub(SPIN) else {
        return commands.recv_timeout(wait);
    };
    match commands.recv_timeout(sleep) {
        Err(RecvTimeoutError::Timeout) => (),
        received => return received,
    }
    loop {
        match commands.try_recv() {
            Err(TryRecvError::Empty) if Instant::now() < due => hint::spin_loop(),
            received => return received.map_err(no_command),
        }
    }
}

fn no_command(error: TryRecvError) -> RecvTimeoutError {
    match error {
        TryRecvError::Empty => RecvTimeoutError::Timeout,
        TryRecvError::Disconnected => RecvTimeoutError::Disconnected,
    }
}

/// Counters stay usable whatever happened to a thread that held them.
fn lock(metrics: &Mutex<Metrics>) -> MutexGuard<'_, Metrics> {
    metrics.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use tokio::sync::mpsc;

    use super::EngineHandle;
    use crate::engine::{Engine, Paced, Sequence, Spread};
    use crate::metrics::Finish;

    fn sequence(output_tokens: u32) -> Sequence {
        Sequence { id: 1, prompt_tokens: 3, output_tokens }
    }

    fn handle(itl: Duration) -> EngineHandle {
        let paced = Paced::new(Duration::from_millis(20), itl, Spread::Fixed);
        EngineHandle::start(Engine::Paced(paced)).unwrap()
    }

    #[test]
    fn tokens_come_at_their_time() {
        let (sender, mut tokens) = mpsc::unbounded_channel();
        let engine = handle(Duration::from_millis(3));
        engine.submit(sequence(101), Finish::Length, sender);
        let at: Vec<Instant> = (0..=100)
            .map(|index| {
                assert_eq!(tokens.blocking_recv().unwrap().last, index == 100);
                Instant::now()
            })
            .collect();
        let error_us =
            |pair: &[Instant]| (pair[1].duration_since(pair[0]).as_secs_f64() * 1e6 - 3000.0).abs();
        let mut errors: Vec<f64> = at.windows(2).map(error_us).collect();
        errors.sort_by(f64::total_cmp);
        println!("error of a gap: median {:.0} us, p90 {:.0} us", errors[50], errors[90]);
        // A busy machine delays single wake-ups; the median shows the clock.
        assert!(errors[50] < 500.0, "{errors:?}");
    }

    #[test]
    fn a_stopped_engine_closes_every_channel() {
        let (sender, mut tokens) = mpsc::unbounded_channel();
        let engine = handle(Duration::from_millis(3));
        engine.submit(sequence(1_000_000), Finish::Length, sender);
        assert!(tokens.blocking_recv().is_some() && engine.is_alive());
        engine.stop();
        while tokens.blocking_recv().is_some() {}
        assert!(!engine.is_alive());
        let (sender, mut tokens) = mpsc::unbounded_channel();
        engine.submit(sequence(1), Finish::Length, sender);
        assert!(tokens.blocking_recv().is_none());
    }

    #[test]
    fn ended_sequences_are_counted_once() {
        let (sender, mut tokens) = mpsc::unbounded_channel();
        let engine = handle(Duration::from_millis(1));
        engine.submit(sequence(1_000_000), Finish::Length, sender);
        tokens.blocking_recv();
        engine.end(1, Finish::Abort);
        engine.end(1, Finish::Abort);
        while tokens.blocking_recv().is_some() {}
        engine.stop();
        let text = engine.metrics().to_text("m");
        assert!(text.contains("finished_reason=\"abort\",model_name=\"m\"} 1"), "{text}");
    }
}
