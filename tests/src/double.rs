//! Services that cannot be had here, played on this machine: an address, and answers in an order that a test chooses.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use tokio::net::TcpListener;
use url::Url;

/// Serves until the test ends; returns the address.
///
/// # Errors
/// When no port can be had.
pub async fn serve(router: Router) -> anyhow::Result<Url> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = Url::parse(&format!("http://{}/", listener.local_addr()?))?;
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(url)
}

/// What a double answers, in order; the last answer again and again.
#[derive(Debug, Clone)]
pub struct Script<T> {
    answers: Arc<Mutex<VecDeque<T>>>,
}

impl<T: Clone> Script<T> {
    /// A script of these answers.
    #[must_use]
    pub fn of(answers: Vec<T>) -> Self {
        Self { answers: Arc::new(Mutex::new(answers.into())) }
    }

    /// The next answer; none of a script without any.
    #[must_use]
    pub fn next(&self) -> Option<T> {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() }
    }
}
