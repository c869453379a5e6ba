//! A mail server that keeps what it is given and delivers nothing.

mod parts;
mod session;

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use tokio::net::TcpListener;

use super::Sandbox;

/// A mail that a function sent.
#[derive(Clone, Debug, Serialize)]
pub struct Mail {
    pub at: Timestamp,
    /// Of the envelope.
    pub from: String,
    /// Of the envelope; hidden recipients too.
    pub to: Vec<String>,
    /// Decoded.
    pub subject: String,
    /// The plain text part, decoded.
    pub text: Option<String>,
    /// The HTML part, decoded.
    pub html: Option<String>,
    pub raw: String,
}

impl Sandbox {
    /// Takes mails on this listener until the task is dropped.
    pub async fn serve_smtp(self: Arc<Self>, listener: TcpListener) {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    let sandbox = Arc::clone(&self);
                    tokio::spawn(async move {
                        // A client that goes away in the middle of a session has sent no mail.
                        let _ = session::serve(stream, |mail| sandbox.mails.push(mail)).await;
                    });
                }
                Err(_) => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
            }
        }
    }
}
