//! The simulator through a real socket, its shapes compared with recordings of vLLM.

mod faults;
// So marked, clippy knows that its functions are tests' own.
#[cfg(test)]
mod harness;
mod life;
mod load;
mod shapes;
mod streams;
