//! Offers the load of one load point with goose: it starts the users, runs each one's transaction and ends them. This is
//! the only file that names goose. Its own timing ends at the response headers and is not used; its transaction drives
//! our client, so that nothing of it stands between a send and a read.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use accelbench_core::load::OfferedLoad;
use anyhow::{Context as _, ensure};
use goose::client::GooseClientBuilder;
use goose::config::GooseConfiguration;
use goose::goose::{Scenario, Transaction, TransactionFunction};
use goose::{GooseAttack, goose::GooseUser};
use tokio::runtime;
use tokio::sync::Semaphore;
use tokio::task::{JoinSet, yield_now};
use tokio::time::{sleep, sleep_until};

use crate::arrivals::Schedule;
use crate::conversation::Conversation;
use crate::engine::{Connection, Engine};
use crate::loop_lag::LoopLag;
use crate::point::Point;
use crate::prompts::PreparedPrompts;
use crate::ramp_up::RampUp;

/// A user whose request failed waits this long: an engine that refuses at once must not be flooded.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_millis(20);

/// Most requests that an open loop has under way at once; at that many, the next one waits, and a check tells.
const MOST_IN_FLIGHT: usize = 8192;

/// How often a user that has not begun looks whether it still shall.
const LOOK_UP: Duration = Duration::from_millis(250);

/// How far the runtime's timer may be off.
const TIMER_GRAIN: Duration = Duration::from_micros(1500);

/// What the users of one load point share.
#[derive(Clone)]
pub(crate) struct Attack {
    pub(crate) engine: Engine,
    pub(crate) prompts: Arc<PreparedPrompts>,
    pub(crate) point: Arc<Mutex<Point>>,
    /// The moment from which the load point counts.
    pub(crate) base: Instant,
    /// Turns of each conversation; 1 for single questions.
    pub(crate) turns: u32,
    pub(crate) max_context_tokens: Option<u32>,
    pub(crate) ramp_up: RampUp,
}

impl Attack {
    /// Offers the load until the load point is over, on a thread of its own with a scheduler of its own:
    /// one that works in the order of arrival, so that streams that come together are read in the same order each time,
    /// and on which nothing else runs. Says how late that thread was.
    pub(crate) async fn run_apart(&self, load: OfferedLoad, seed: u64) -> anyhow::Result<LoopLag> {
        let attack = self.clone();
        let _abandon = Abandon(self);
        let load = tokio::task::spawn_blocking(move || {
            let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let lag = LoopLag::start(attack.base);
                attack.run(load, seed).await?;
                anyhow::Ok(lag)
            })
        });
        let lag = load.await.context("the load broke off")??;
        ensure!(self.point().is_over(), "the load ended before its time");
        Ok(lag)
    }

    /// Offers the load until the load point is over.
    async fn run(&self, load: OfferedLoad, seed: u64) -> anyhow::Result<()> {
        // An open loop has one user of goose's, who sends each request when it is due.
        let users = load.concurrency().map_or(1, |concurrency| concurrency as usize);
        let next_user = Arc::new(AtomicUsize::new(0));
        let attack = self.clone();
        let function: TransactionFunction = Arc::new(move |_goose: &mut GooseUser| {
            let (attack, next_user) = (attack.clone(), Arc::clone(&next_user));
            Box::pin(async move {
                let user = next_user.fetch_add(1, Ordering::Relaxed);
                // A task of its own: a token then wakes our code and nothing of goose's around it. A user that panicked
                // has been told by its panic, and leaves a request that never ends.
                let work = async move {
                    match attack.schedule(load, seed) {
                        None => attack.user(user, users).await,
                        Some(schedule) => attack.arrivals(schedule).await,
                    }
                };
                let _ = tokio::spawn(work).await;
                Ok(())
            })
        });
        let scenario = Scenario::new("load point").register_transaction(Transaction::new(function));
        let attack =
            GooseAttack::initialize_with_config(configuration(users)).context("goose refused the load")?;
        // goose's client is never used: one for all, since making one for each user takes seconds at 1,000 users.
        let attack =
            attack.set_client_builder_without_cookies(GooseClientBuilder::new().without_cookies())?;
        let execution = Box::pin(attack.register_scenario(scenario).execute());
        execution.await.context("goose ended the load before its time")?;
        Ok(())
    }

    /// When the requests of an open loop are due.
    pub(crate) fn schedule(&self, load: OfferedLoad, seed: u64) -> Option<Schedule> {
        match load {
            OfferedLoad::Concurrency(_) => None,
            OfferedLoad::RequestRate(rate) => Some(Schedule::random(rate, seed).after(self.ramp_up)),
            OfferedLoad::Trace(_) => Some(self.prompts.replay(load)?.after(self.ramp_up)),
        }
    }

    /// One user: the next request follows at once when the last has ended.
    async fn user(&self, user: usize, users: usize) {
        self.wait_for_turn(self.base + self.ramp_up.start_of(user, users)).await;
        let (mut free_since, mut connection) = (self.base.elapsed(), Connection::default());
        let mut conversation = Conversation::new(self.turns, self.max_context_tokens);
        loop {
            let now = self.base.elapsed();
            let Some(ticket) = self.point().begin(now, free_since) else { return };
            let prompt = conversation.ask(self.prompts.get(ticket.request));
            let mut sample = self.engine.request(&mut connection, &prompt, self.base).await;
            conversation.hear(prompt, &mut sample);
            let failed = sample.outcome.is_err();
            free_since = self.base.elapsed();
            self.point().end(user, ticket, sample, free_since);
            if failed {
                sleep(PAUSE_AFTER_FAILURE).await;
                free_since = self.base.elapsed();
            }
        }
    }

    /// Waits for the moment at which a user begins, or for the end of the load point.
    async fn wait_for_turn(&self, begin: Instant) {
        while let Some(left) = begin.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
            if self.point().is_over() {
                return;
            }
            sleep(left.min(LOOK_UP)).await;
        }
    }

    /// Sends each request when it is due, whatever became of the others.
    async fn arrivals(&self, mut schedule: Schedule) {
        let idle = Arc::new(Mutex::new(Vec::new()));
        let slots = Arc::new(Semaphore::new(MOST_IN_FLIGHT));
        // Dropped with what is still under way when the load point is over.
        let mut requests = JoinSet::new();
        loop {
            let due = schedule.next();
            wait_until(self.base + due).await;
            let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
            let Some(ticket) = self.point().begin(self.base.elapsed(), due) else { return };
            while requests.try_join_next().is_some() {}
            let (attack, idle) = (self.clone(), Arc::clone(&idle));
            requests.spawn(async move {
                let mut connection: Connection = lock(&idle).pop().unwrap_or_default();
                let prompt = attack.prompts.get(ticket.request);
                let sample = attack.engine.request(&mut connection, &prompt, attack.base).await;
                let now = attack.base.elapsed();
                attack.point().end(0, ticket, sample, now);
                lock(&idle).push(connection);
                drop(slot);
            });
        }
    }

    /// A user that panicked while it held the lock leaves counts that are still right.
    pub(crate) fn point(&self) -> MutexGuard<'_, Point> {
        lock(&self.point)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits more punctually than the runtime's timer, which counts in milliseconds and rounds up: the last of them is
/// spent in looking at the clock and letting everybody else work.
async fn wait_until(moment: Instant) {
    let timer = moment.checked_sub(TIMER_GRAIN).unwrap_or(moment);
    if timer > Instant::now() {
        sleep_until(timer.into()).await;
    }
    while Instant::now() < moment {
        yield_now().await;
    }
}

/// Ends a load that nobody waits for any more.
struct Abandon<'a>(&'a Attack);

impl Drop for Abandon<'_> {
    fn drop(&mut self) {
        self.0.point().abandon();
    }
}

fn configuration(users: usize) -> GooseConfiguration {
    let mut configuration = GooseConfiguration::default();
    configuration.host = Some("http://127.0.0.1:1".to_owned());
    configuration.users = Some(users);
    configuration.increase_rate = Some("100000".to_owned());
    configuration.iterations = Some(1);
    configuration.quiet = 2;
    configuration.no_print_metrics = true;
    configuration.no_metrics = true;
    configuration.no_reset_metrics = false;
    configuration.no_telnet = true;
    configuration
}
