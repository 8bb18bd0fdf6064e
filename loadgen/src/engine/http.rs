//! HTTP/1.1 as the measurement needs it: one connection a user, each read stamped before anything of it is parsed, no
//! task between the socket and the stamp, and connections that went stale told from engines that fail. A general client
//! hides all of this: it reads ahead in a task of its own and hands bodies over through a channel.

mod connection;
mod response;
mod target;

pub(crate) use connection::Connection;
pub(super) use connection::{Broken, Incoming};
pub(super) use target::Target;
