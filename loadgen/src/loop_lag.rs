//! How late the program itself runs: a timer that asks for a moment and looks how late it came. What is late here is
//! late in every latency too. It also looks how long its thread has been computing.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use nix::time::ClockId;
use tokio::task::JoinHandle;
use tokio::time::sleep_until;

const INTERVAL: Duration = Duration::from_millis(10);

/// The timer; it ends with the value.
pub(crate) struct LoopLag {
    looks: Arc<Mutex<Vec<Look>>>,
    task: JoinHandle<()>,
}

#[derive(Debug, Clone, Copy)]
struct Look {
    /// When the timer was due.
    due: Duration,
    /// How late it came.
    lag: Duration,
    /// Processor time of the thread until then, where the machine tells.
    computed: Option<Duration>,
}

impl LoopLag {
    /// Starts the timer; `base` is the moment from which it counts.
    pub(crate) fn start(base: Instant) -> Self {
        let looks = Arc::new(Mutex::new(Vec::new()));
        let task = tokio::spawn(watch(base, Arc::clone(&looks)));
        Self { looks, task }
    }

    /// The lateness that 99 % of all looks in the window did not exceed.
    pub(crate) fn p99(&self, (from, to): (Duration, Duration)) -> Duration {
        let looks = self.looks.lock().unwrap_or_else(PoisonError::into_inner);
        let inside = looks.iter().filter(|look| (from..to).contains(&look.due));
        nearest_rank_p99(inside.map(|look| look.lag).collect())
    }

    /// Share of the window in which the timer's thread was computing.
    pub(crate) fn busy_share(&self, (from, to): (Duration, Duration)) -> Option<f64> {
        let looks = self.looks.lock().unwrap_or_else(PoisonError::into_inner);
        let mut inside = looks.iter().filter(|look| (from..to).contains(&look.due));
        let first = inside.next()?;
        let last = inside.next_back()?;
        let elapsed = (last.due + last.lag).checked_sub(first.due + first.lag)?.as_secs_f64();
        let computed = last.computed?.checked_sub(first.computed?)?.as_secs_f64();
        (elapsed > 0.0).then(|| computed / elapsed)
    }
}

impl Drop for LoopLag {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The value that 99 % of all values do not exceed; zero if there is none.
pub(crate) fn nearest_rank_p99(mut values: Vec<Duration>) -> Duration {
    values.sort_unstable();
    let rank = (values.len() * 99).div_ceil(100).saturating_sub(1);
    values.get(rank).copied().unwrap_or_default()
}

async fn watch(base: Instant, looks: Arc<Mutex<Vec<Look>>>) {
    loop {
        let due = Instant::now() + INTERVAL;
        sleep_until(due.into()).await;
        let look = Look {
            due: due.saturating_duration_since(base),
            lag: due.elapsed(),
            computed: ClockId::CLOCK_THREAD_CPUTIME_ID.now().ok().map(Duration::from),
        };
        looks.lock().unwrap_or_else(PoisonError::into_inner).push(look);
    }
}

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::{Duration, Instant};

    use super::{LoopLag, nearest_rank_p99};

    #[test]
    fn one_late_look_in_a_hundred_is_forgiven() {
        let mut lags = vec![Duration::from_millis(1); 99];
        lags.push(Duration::from_millis(50));
        assert_eq!(nearest_rank_p99(lags.clone()), Duration::from_millis(1));
        lags.push(Duration::from_millis(50));
        assert_eq!(nearest_rank_p99(lags), Duration::from_millis(50));
        assert_eq!(nearest_rank_p99(Vec::new()), Duration::ZERO);
    }

    #[tokio::test]
    async fn a_program_that_blocks_is_seen_to_be_late_while_it_blocks() {
        let base = Instant::now();
        let lag = LoopLag::start(base);
        tokio::task::yield_now().await;
        thread::sleep(Duration::from_millis(60));
        tokio::time::sleep(Duration::from_millis(1)).await;
        let blocked = (Duration::ZERO, base.elapsed());
        assert!(lag.p99(blocked) >= Duration::from_millis(40), "{:?}", lag.p99(blocked));
        assert_eq!(lag.p99((base.elapsed() * 2, base.elapsed() * 3)), Duration::ZERO);
    }

    #[tokio::test]
    async fn the_share_of_computing_is_told() {
        let base = Instant::now();
        let lag = LoopLag::start(base);
        for _ in 0..20 {
            let until = Instant::now() + Duration::from_millis(15);
            while Instant::now() < until {}
            tokio::time::sleep(Duration::from_millis(15)).await;
        }
        let busy = lag.busy_share((Duration::ZERO, base.elapsed())).unwrap();
        assert!((0.02..=1.0).contains(&busy), "{busy}");
        assert_eq!(lag.busy_share((Duration::ZERO, Duration::ZERO)), None);
    }
}
