//! What the end-to-end tests, the demo and the benchmark speak with: the running local cloud, its API, sockets and sandbox.

pub mod api;
pub mod company;
pub mod desk;
pub mod forge;
pub mod lock;
pub mod openapi;
pub mod processes;
pub mod sandbox;
pub mod socket;
pub mod stack;
pub mod wait;

pub use api::{Answer, Api};
pub use company::{Company, Wanted};
pub use forge::Forge;
pub use lock::Lock;
pub use processes::processes_of;
pub use socket::Socket;
pub use stack::Stack;
pub use wait::{eventually, soon};
