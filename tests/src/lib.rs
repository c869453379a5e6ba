//! What the end-to-end tests, the demo and the benchmark speak with: the running local cloud, its API, sockets and sandbox.

pub mod api;
pub mod authenticator;
pub mod company;
pub mod desk;
mod each;
pub mod evolution;
pub mod forge;
#[cfg(test)]
mod layers;
pub mod lock;
pub mod mailbox;
pub mod openapi;
pub mod processes;
pub mod sandbox;
pub mod socket;
pub mod stack;
pub mod wait;

pub use api::{Answer, Api};
pub use authenticator::Authenticator;
pub use company::{Company, Wanted};
pub use each::each;
pub use forge::Forge;
pub use lock::Lock;
pub use processes::processes_of;
pub use socket::Socket;
pub use stack::Stack;
pub use wait::{eventually, soon};

/// What the tests are to be about, when not everything: a domain, or part of the names of tests.
#[must_use]
pub fn only() -> Option<String> {
    std::env::var("ONLY").ok().filter(|only| !only.is_empty())
}

/// Whether there are functions of this name.
#[must_use]
pub fn is_domain(name: &str) -> bool {
    std::path::Path::new("functions").join(name).join("src/bin").is_dir()
}
