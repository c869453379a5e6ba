//! The local cloud behaves as the AWS services it stands for: real processes, real sockets.

mod console;
mod ending;
mod http_api;
mod lambda;
mod program;
mod services;
mod support;
mod template;
mod websocket_api;
mod websocket_limits;
