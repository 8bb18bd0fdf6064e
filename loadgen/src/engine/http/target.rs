//! Where requests go: address, security and the fixed part of each request.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use rustls::ClientConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::ServerName;
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use url::{Host, Url};

use crate::access::ApiKey;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// An address that takes requests for one path.
#[derive(Clone)]
pub(in crate::engine) struct Target {
    host: String,
    port: u16,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    /// The request's head up to its length.
    head: Arc<str>,
}

/// A byte stream to the engine.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {
    /// Whether the other side has closed it, or sent something that nobody asked for.
    fn is_stale(&self) -> bool;
}

impl Stream for TcpStream {
    fn is_stale(&self) -> bool {
        // Asked of the kernel: the runtime may not have looked since the other side hung up.
        let peeked = socket2::SockRef::from(self).peek(&mut [std::mem::MaybeUninit::uninit()]);
        !peeked.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
    }
}

impl Stream for tokio_rustls::client::TlsStream<TcpStream> {
    fn is_stale(&self) -> bool {
        self.get_ref().0.is_stale()
    }
}

impl Target {
    /// The target of `POST url` with JSON, and with a key where the engine asks for one.
    ///
    /// # Errors
    /// When the URL is neither http nor https, or names no host.
    pub(in crate::engine) fn post(url: &Url, api_key: Option<&ApiKey>) -> anyhow::Result<Self> {
        let host = match url.host().with_context(|| format!("{url} names no host"))? {
            Host::Domain(name) => name.to_owned(),
            Host::Ipv4(address) => address.to_string(),
            Host::Ipv6(address) => address.to_string(),
        };
        let port = url.port_or_known_default().with_context(|| format!("{url} names no port"))?;
        let tls = match url.scheme() {
            "http" => None,
            "https" => Some((connector()?, ServerName::try_from(host.clone())?)),
            other => anyhow::bail!("{url} is {other}; the engine must be reached by http or https"),
        };
        let authority = url.host_str().unwrap_or_default();
        let authority = url.port().map_or(authority.to_owned(), |port| format!("{authority}:{port}"));
        let authorization =
            api_key.map_or_else(String::new, |key| format!("authorization: {}\r\n", key.bearer()));
        let head = format!(
            "POST {} HTTP/1.1\r\nhost: {authority}\r\nuser-agent: accelbench/{}\r\naccept: */*\r\n{authorization}content-type: application/json\r\ncontent-length: ",
            url.path(),
            env!("CARGO_PKG_VERSION")
        );
        Ok(Self { host, port, tls, head: head.into() })
    }

    /// The bytes of a request with this body.
    pub(in crate::engine) fn request(&self, body: &[u8]) -> Vec<u8> {
        let mut request = Vec::with_capacity(self.head.len() + body.len() + 32);
        request.extend_from_slice(self.head.as_bytes());
        request.extend_from_slice(body.len().to_string().as_bytes());
        request.extend_from_slice(b"\r\n\r\n");
        request.extend_from_slice(body);
        request
    }

    /// A new connection, ready for a request.
    pub(super) async fn connect(&self) -> std::io::Result<Box<dyn Stream>> {
        let connecting = async {
            let stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
            stream.set_nodelay(true)?;
            Ok(match &self.tls {
                None => Box::new(stream) as Box<dyn Stream>,
                Some((connector, name)) => Box::new(connector.connect(name.clone(), stream).await?),
            })
        };
        timeout(CONNECT_TIMEOUT, connecting).await?
    }
}

fn connector() -> anyhow::Result<TlsConnector> {
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let mut config =
        builder.with_safe_default_protocol_versions()?.with_platform_verifier()?.with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}
