//! The load generator against a scripted engine and a scripted API, over real sockets. Times are not asserted beyond
//! what holds on any machine; counts are.

// So marked, clippy knows that all functions are tests' own.
#[cfg(test)]
mod broken_engines;
#[cfg(test)]
mod delivery;
#[cfg(test)]
mod measuring;
#[cfg(test)]
mod mock_api;
#[cfg(test)]
mod mock_engine;
#[cfg(test)]
mod scene;
#[cfg(test)]
mod stale_connections;
