//! A mail server that keeps what it is given and delivers nothing.

mod parts;
mod session;
mod tls;

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use anyhow::Context as _;
use jiff::Timestamp;
use serde::Serialize;
use tokio::{
    net::TcpListener,
    task::{JoinHandle, JoinSet},
};
use uuid::Uuid;

pub(super) use self::tls::Identity;
use super::{Sandbox, kept::lock};

/// A mail that a function sent.
#[derive(Clone, Debug, Serialize)]
pub struct Mail {
    pub id: Uuid,
    pub at: Timestamp,
    /// Of the envelope.
    pub from: String,
    /// Of the envelope; hidden recipients too.
    pub to: Vec<String>,
    /// Decoded.
    pub subject: String,
    /// The same for a mail that is handed over again.
    pub message_id: Option<String>,
    /// The plain text part, decoded.
    pub text: Option<String>,
    /// The HTML part, decoded.
    pub html: Option<String>,
    /// Whether nobody on the way could read it.
    pub encrypted: bool,
    /// The name that was given at login; any password is right.
    pub login: Option<String>,
    pub raw: String,
}

impl Sandbox {
    /// Takes mails on this listener until the task is dropped, which ends its sessions.
    pub async fn serve_smtp(self: Arc<Self>, listener: TcpListener) {
        let mut sessions = JoinSet::new();
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    let sandbox = Arc::clone(&self);
                    sessions.spawn(async move {
                        // A client that goes away in the middle of a session has sent no mail.
                        let _ = session::serve(stream, &sandbox).await;
                    });
                    while sessions.try_join_next().is_some() {}
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    /// The certificate that the mail server shows, in PEM; it has signed itself.
    pub fn mail_certificate(&self) -> &str {
        &self.mail_identity.certificate
    }
}

/// The mail server on its port, which can be taken down and brought back.
pub struct MailServer {
    address: SocketAddr,
    sandbox: Arc<Sandbox>,
    running: Mutex<Option<JoinHandle<()>>>,
}

impl MailServer {
    /// Takes mails on `listener`.
    ///
    /// # Errors
    /// When the listener has no address.
    pub fn start(listener: TcpListener, sandbox: Arc<Sandbox>) -> anyhow::Result<Self> {
        let address = listener.local_addr()?;
        let task = tokio::spawn(Arc::clone(&sandbox).serve_smtp(listener));
        Ok(Self { address, sandbox, running: Mutex::new(Some(task)) })
    }

    /// Ends its sessions, and lets connections be refused, until `resume`.
    pub async fn pause(&self) {
        let task = lock(&self.running).take();
        if let Some(task) = task {
            task.abort();
            let _ = task.await;
        }
    }

    /// Takes mails again on the same port.
    ///
    /// # Errors
    /// When another program took the port.
    pub async fn resume(&self) -> anyhow::Result<()> {
        if lock(&self.running).is_some() {
            return Ok(());
        }
        let listener = TcpListener::bind(self.address).await.with_context(|| format!("cannot serve {} again", self.address))?;
        *lock(&self.running) = Some(tokio::spawn(Arc::clone(&self.sandbox).serve_smtp(listener)));
        Ok(())
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        if let Some(task) = lock(&self.running).take() {
            task.abort();
        }
    }
}
