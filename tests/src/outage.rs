//! A way to a server that can be cut and mended, for tests of what happens meanwhile.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::sleep;
use url::Url;

/// Forwards connections to a server while it is not cut. Cutting ends the open ones; new ones are closed at once.
#[derive(Debug, Clone)]
pub struct Cable {
    address: SocketAddr,
    state: Arc<watch::Sender<State>>,
    target: Arc<watch::Sender<String>>,
}

#[derive(Debug, Clone, Copy, Default)]
struct State {
    cut: bool,
    /// How much later the server receives what it is sent.
    delay: Duration,
}

impl Cable {
    /// Lays a cable to the server of `url`; the URL that goes through it comes back too.
    ///
    /// # Errors
    /// When the URL names no host and port, or no port is free.
    pub async fn to(url: &str) -> anyhow::Result<(Self, String)> {
        let mut url: Url = url.parse()?;
        let target = Arc::new(watch::Sender::new(target(&url)?));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let state = Arc::new(watch::Sender::new(State::default()));
        let cable = Self { address: listener.local_addr()?, state, target };
        tokio::spawn(forward(listener, cable.target.subscribe(), cable.state.subscribe()));
        url.set_ip_host(cable.address.ip())
            .and(url.set_port(Some(cable.address.port())))
            .ok()
            .context("a port")?;
        Ok((cable, url.into()))
    }

    /// Leads new connections to the server of another URL, as a name does after a failover.
    ///
    /// # Errors
    /// When the URL names no host and port.
    pub fn redirect(&self, url: &str) -> anyhow::Result<()> {
        self.target.send_replace(target(&url.parse()?)?);
        Ok(())
    }

    /// Ends every connection and lets none through.
    pub fn cut(&self) {
        self.state.send_modify(|state| state.cut = true);
    }

    /// Lets what is sent to the server arrive later by this much.
    pub fn delay(&self, delay: Duration) {
        self.state.send_modify(|state| state.delay = delay);
    }

    /// Lets connections through again, and at once.
    pub fn mend(&self) {
        self.state.send_replace(State::default());
    }
}

fn target(url: &Url) -> anyhow::Result<String> {
    let host = url.host_str().context("the URL has no host")?;
    Ok(format!("{host}:{}", url.port().context("the URL has no port")?))
}

async fn forward(listener: TcpListener, target: watch::Receiver<String>, state: watch::Receiver<State>) {
    while let Ok((client, _)) = listener.accept().await {
        let (target, mut state) = (target.borrow().clone(), state.clone());
        tokio::spawn(async move {
            if state.borrow().cut {
                return;
            }
            let Ok(server) = TcpStream::connect(target).await else { return };
            let ((from_client, mut to_client), (mut from_server, to_server)) =
                (client.into_split(), server.into_split());
            // Either side that ends, or the cut, ends both.
            tokio::select! {
                _ = carry(from_client, to_server, state.clone()) => {}
                _ = copy(&mut from_server, &mut to_client) => {}
                _ = state.wait_for(|state| state.cut) => {}
            }
        });
    }
}

/// Carries what a client sends, late by the delay that the cable has meanwhile.
async fn carry(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    state: watch::Receiver<State>,
) -> std::io::Result<()> {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let length = from.read(&mut buffer).await?;
        if length == 0 {
            return Ok(());
        }
        let delay = state.borrow().delay;
        if !delay.is_zero() {
            sleep(delay).await;
        }
        to.write_all(&buffer[..length]).await?;
    }
}
