//! A server that can be taken down and brought back on the same port, as services of others sometimes are.

use std::{future::Future, net::SocketAddr, pin::Pin, time::Duration};

use anyhow::Context as _;
use tokio::{
    net::TcpListener,
    sync::{Mutex, oneshot},
    task::JoinHandle,
};

/// How long a pause waits for requests that are under way.
const DRAIN: Duration = Duration::from_secs(2);

/// Ends when the server is to stop.
pub type Stopped = Pin<Box<dyn Future<Output = ()> + Send>>;

type Serving = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The running server. Dropping it stops the server.
pub struct Service {
    address: SocketAddr,
    serve: Box<dyn Fn(TcpListener, Stopped) -> Serving + Send + Sync>,
    running: Mutex<Option<Running>>,
}

struct Running {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Service {
    /// Runs `serve` until it is told to stop, on `listener` and after a pause on another for the same address.
    ///
    /// # Errors
    /// When the listener has no address.
    pub fn start<S>(
        listener: TcpListener,
        serve: impl Fn(TcpListener, Stopped) -> S + Send + Sync + 'static,
    ) -> anyhow::Result<Self>
    where
        S: Future<Output = ()> + Send + 'static,
    {
        let address = listener.local_addr()?;
        let mut service = Self {
            address,
            serve: Box::new(move |listener, stopped| Box::pin(serve(listener, stopped))),
            running: Mutex::default(),
        };
        *service.running.get_mut() = Some(service.run(listener));
        Ok(service)
    }

    fn run(&self, listener: TcpListener) -> Running {
        let (stop, stopped) = oneshot::channel();
        let stopped = Box::pin(async move {
            let _ = stopped.await;
        });
        Running { stop, task: tokio::spawn((self.serve)(listener, stopped)) }
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
