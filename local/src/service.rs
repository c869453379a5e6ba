//! A server that can be taken down and brought back on the same port, as services of others sometimes are.

use std::{net::SocketAddr, time::Duration};

use anyhow::Context as _;
use axum::Router;
use tokio::{
    net::TcpListener,
    sync::{Mutex, oneshot},
    task::JoinHandle,
};

use crate::loopback;

/// How long a pause waits for requests that are under way.
const DRAIN: Duration = Duration::from_secs(2);

/// Whom a listener is for. Every service of the local cloud says so where it starts; the two gateways, which are for front ends, and
/// the Runtime API, which is for programs, accept their connections themselves and ask `loopback` for what only programs may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Callers {
    /// Programs of this machine, and no page in its user's browser.
    Programs,
    /// Pages of other origins too: what is served decides by the template's CORS.
    FrontEnds,
}

/// The running server. Dropping it stops the server.
pub struct Service {
    address: SocketAddr,
    router: Router,
    running: Mutex<Option<Running>>,
}

struct Running {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Service {
    /// Serves `router` until it is told to stop, on `listener` and after a pause on another for the same address.
    ///
    /// # Errors
    /// When the listener has no address.
    pub fn start(listener: TcpListener, callers: Callers, router: Router) -> anyhow::Result<Self> {
        let address = listener.local_addr()?;
        let router = match callers {
            Callers::Programs => loopback::only(router, address.port()),
            Callers::FrontEnds => router,
        };
        let mut service = Self { address, router, running: Mutex::default() };
        *service.running.get_mut() = Some(service.run(listener));
        Ok(service)
    }

    fn run(&self, listener: TcpListener) -> Running {
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = axum::serve(listener, self.router.clone()).with_graceful_shutdown(async {
            let _ = stopped.await;
        });
        // It ends only when it is stopped.
        let task = tokio::spawn(async {
            let _ = serving.await;
        });
        Running { stop, task }
    }

    /// Lets clients' connections be refused, until `resume`.
    pub async fn pause(&self) {
        let Some(mut running) = self.running.lock().await.take() else { return };
        let _ = running.stop.send(());
        if tokio::time::timeout(DRAIN, &mut running.task).await.is_err() {
            running.task.abort();
        }
    }

    /// Serves again on the same port.
    ///
    /// # Errors
    /// When another program took the port.
    pub async fn resume(&self) -> anyhow::Result<()> {
        let mut running = self.running.lock().await;
        if running.is_none() {
            let listener =
                TcpListener::bind(self.address).await.with_context(|| format!("cannot serve {} again", self.address))?;
            *running = Some(self.run(listener));
        }
        Ok(())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Some(running) = self.running.get_mut().take() {
            running.task.abort();
        }
    }
}
