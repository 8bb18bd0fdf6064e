//! A way to a server that can be cut and mended, for tests of what happens meanwhile.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use url::Url;

/// Forwards connections to a server while it is not cut. Cutting ends the open ones; new ones are closed at once.
#[derive(Debug, Clone)]
pub struct Cable {
    address: SocketAddr,
    cut: Arc<watch::Sender<bool>>,
}

impl Cable {
    /// Lays a cable to the server of `url`; the URL that goes through it comes back too.
    ///
    /// # Errors
    /// When the URL names no host and port, or no port is free.
    pub async fn to(url: &str) -> anyhow::Result<(Self, String)> {
        let mut url: Url = url.parse()?;
        let host = url.host_str().context("the URL has no host")?.to_owned();
        let target = format!("{host}:{}", url.port().context("the URL has no port")?);
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let cable = Self { address: listener.local_addr()?, cut: Arc::new(watch::Sender::new(false)) };
        tokio::spawn(forward(listener, target, cable.cut.subscribe()));
        url.set_ip_host(cable.address.ip())
            .and(url.set_port(Some(cable.address.port())))
            .ok()
            .context("a port")?;
        Ok((cable, url.into()))
    }

    /// Ends every connection and lets none through.
    pub fn cut(&self) {
        self.cut.send_replace(true);
    }

    /// Lets connections through again.
    pub fn mend(&self) {
        self.cut.send_replace(false);
    }
}

async fn forward(listener: TcpListener, target: String, cut: watch::Receiver<bool>) {
    while let Ok((mut client, _)) = listener.accept().await {
        let (target, mut cut) = (target.clone(), cut.clone());
        tokio::spawn(async move {
            if *cut.borrow() {
                return;
            }
            let Ok(mut server) = TcpStream::connect(target).await else { return };
            // Either side that ends, or the cut, ends both.
            tokio::select! {
                _ = copy_bidirectional(&mut client, &mut server) => {}
                _ = cut.wait_for(|&cut| cut) => {}
            }
        });
    }
}
