//! How much one client may ask: so many requests a second, and bodies of so many bytes. Load generators, probes and the
//! files of pages are not counted.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota};

use crate::error::ApiError;
use crate::options::ApiOptions;

/// Seconds whose requests may come at once: a page asks for several things, and a script begins with a burst.
const BURST_S: u32 = 10;

/// After this many requests the clients that have been quiet are forgotten.
const FORGET_AFTER: u64 = 10_000;

/// What is not counted.
const UNCOUNTED: [&str; 5] = ["/api/v1/intake/", "/static/", "/healthz", "/readyz", "/metrics"];

/// Counts the requests of each client.
#[derive(Clone)]
pub(crate) struct Limits {
    inner: Arc<Inner>,
}

struct Inner {
    limiter: Option<DefaultKeyedRateLimiter<IpAddr>>,
    trusted_proxies: usize,
    requests: AtomicU64,
}

impl Limits {
    pub(crate) fn of(options: &ApiOptions) -> Self {
        let limiter = NonZeroU32::new(options.max_requests_per_s).map(|per_s| {
            let burst = per_s.saturating_mul(NonZeroU32::new(BURST_S).unwrap_or(NonZeroU32::MIN));
            DefaultKeyedRateLimiter::keyed(Quota::per_second(per_s).allow_burst(burst))
        });
        let trusted_proxies = usize::from(options.trusted_proxies);
        Self { inner: Arc::new(Inner { limiter, trusted_proxies, requests: AtomicU64::new(0) }) }
    }

    /// Counts a request; the seconds to wait if it is one too many.
    fn count(&self, client: IpAddr) -> Result<(), u64> {
        let Some(limiter) = &self.inner.limiter else { return Ok(()) };
        if self.inner.requests.fetch_add(1, Ordering::Relaxed) % FORGET_AFTER == FORGET_AFTER - 1 {
            limiter.retain_recent();
        }
        let now = DefaultClock::default().now();
        limiter.check_key(&network(client)).map_err(|until| until.wait_time_from(now).as_secs() + 1)
    }
}

/// Lets a request through, or says when to come again.
pub(crate) async fn limit(State(limits): State<Limits>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let is_counted = !UNCOUNTED.iter().any(|uncounted| path.starts_with(uncounted));
    let client = client(&request, limits.inner.trusted_proxies).filter(|_| is_counted);
    let Some(Err(wait_s)) = client.map(|client| limits.count(client)) else { return next.run(request).await };
    let error = ApiError::new(StatusCode::TOO_MANY_REQUESTS, "too many requests came from this address")
        .with_hint(format!("wait {wait_s} s; the operator may allow more: `accelbench serve --help`"));
    let mut response = error.into_response();
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait_s));
    response
}

/// Who asks: the other end of the connection, or what the outermost trusted proxy saw there.
fn client(request: &Request, trusted_proxies: usize) -> Option<IpAddr> {
    let ConnectInfo(peer) = request.extensions().get::<ConnectInfo<SocketAddr>>()?;
    Some(forwarded(request.headers(), trusted_proxies).unwrap_or(peer.ip()))
}

/// The entry that the outermost trusted proxy wrote. Whatever stands before it was made up by whoever asked.
fn forwarded(headers: &HeaderMap, trusted_proxies: usize) -> Option<IpAddr> {
    let values = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
    let entries: Vec<&str> = values.flat_map(|value| value.split(',')).map(str::trim).collect();
    let at = entries.len().checked_sub(trusted_proxies).filter(|_| trusted_proxies > 0)?;
    let entry = entries.get(at)?;
    entry.parse().ok().or_else(|| Some(entry.parse::<SocketAddr>().ok()?.ip()))
}

/// One client has a whole network of IPv6 addresses.
fn network(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        IpAddr::V4(address) => IpAddr::V4(address),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderMap;

    use super::{forwarded, network};

    #[test]
    fn only_what_a_trusted_proxy_wrote_is_believed() {
        let mut headers = HeaderMap::new();
        headers.append("x-forwarded-for", "6.6.6.6, 203.0.113.7".parse().unwrap());
        headers.append("x-forwarded-for", "10.0.0.2".parse().unwrap());
        let seen = |proxies| forwarded(&headers, proxies).map(|address| address.to_string());
        assert_eq!(seen(0), None);
        assert_eq!(seen(1).as_deref(), Some("10.0.0.2"));
        assert_eq!(seen(2).as_deref(), Some("203.0.113.7"));
        assert_eq!(seen(4), None);
    }

    #[test]
    fn one_network_is_one_client() {
        let of = |text: &str| network(text.parse().unwrap()).to_string();
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(of("::ffff:192.0.2.1"), "192.0.2.1");
    }
}
