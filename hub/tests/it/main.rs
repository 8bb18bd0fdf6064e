//! The client against a Hub double: real HTTP, real-shaped answers, and all that can go wrong with them.

// So marked, clippy knows that all functions are tests' own.
#[cfg(test)]
mod access;
#[cfg(test)]
mod double;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod redirects;
#[cfg(test)]
mod resolving;
