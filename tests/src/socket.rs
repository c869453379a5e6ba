//! A socket as a front end holds it.

use std::time::Duration;

use anyhow::{Context as _, Result};
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, tungstenite::Message};

/// Longest wait for a frame.
const PATIENCE: Duration = Duration::from_secs(20);

/// An open socket with the frames that came and were not asked for yet.
pub struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    kept: Vec<Value>,
}

impl Socket {
    /// # Errors
    /// When the handshake is refused.
    pub async fn open(url: &str) -> Result<Self> {
        // As browsers do it: an address without a path has the path `/`.
        let url = url::Url::parse(url).context("the address")?;
        let (stream, _) = tokio_tungstenite::connect_async(url.as_str()).await.context("the handshake")?;
        Ok(Self { stream, kept: Vec::new() })
    }

    /// # Panics
    /// When the socket is closed.
    pub async fn send(&mut self, message: Value) {
        self.send_text(message.to_string()).await;
    }

    /// # Panics
    /// When the socket is closed.
    pub async fn send_text(&mut self, text: impl Into<String>) {
        self.stream.send(Message::text(text.into())).await.expect("the socket takes a message");
    }

    /// The first frame, kept or to come, that `is_wanted`; others are kept.
    ///
    /// # Panics
    /// When none comes in time; says what came instead.
    pub async fn frame(&mut self, what: &str, is_wanted: impl Fn(&Value) -> bool) -> Value {
        if let Some(index) = self.kept.iter().position(&is_wanted) {
            return self.kept.remove(index);
        }
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            match tokio::time::timeout_at(deadline, self.stream.next()).await {
                Ok(Some(Ok(Message::Text(text)))) => {
                    let frame: Value = serde_json::from_str(&text).expect("frames are JSON");
                    if is_wanted(&frame) {
                        return frame;
                    }
                    self.kept.push(frame);
                }
                Ok(Some(Ok(_))) => {}
                Ok(other) => panic!("the socket ended with {other:?} while waiting for {what}; came: {:?}", self.kept),
                Err(tokio::time::error::Elapsed { .. }) => panic!("no frame came for {what}; came: {:?}", self.kept),
            }
        }
    }

    /// The first frame of this type.
    pub async fn of_type(&mut self, kind: &str) -> Value {
        self.frame(kind, |frame| frame["type"] == kind).await
    }

    /// Subscribes to a conversation and waits for the answer.
    pub async fn follow(&mut self, conversation_id: &str) {
        let topic = format!("conversation:{conversation_id}");
        self.send(serde_json::json!({"action": "subscribe", "topic": topic})).await;
        self.frame("subscribed", |frame| frame["type"] == "subscribed" && frame["topic"] == topic.as_str()).await;
    }

    /// All frames that came until nothing comes for a moment.
    pub async fn drain(&mut self) -> Vec<Value> {
        while let Ok(Some(Ok(message))) = tokio::time::timeout(Duration::from_millis(700), self.stream.next()).await {
            if let Message::Text(text) = message {
                self.kept.push(serde_json::from_str(&text).expect("frames are JSON"));
            }
        }
        std::mem::take(&mut self.kept)
    }

    /// Waits until the other side closes; answers the close code.
    ///
    /// # Panics
    /// When it does not close in time.
    pub async fn closed(mut self) -> Option<u16> {
        let end = async {
            loop {
                match self.stream.next().await {
                    Some(Ok(Message::Close(frame))) => return frame.map(|frame| frame.code.into()),
                    Some(Ok(_)) => {}
                    _ => return None,
                }
            }
        };
        tokio::time::timeout(PATIENCE, end).await.expect("the socket closes")
    }

    /// The raw stream, for frames a front end would not send.
    pub fn stream(&mut self) -> &mut WebSocketStream<MaybeTlsStream<TcpStream>> {
        &mut self.stream
    }

    pub async fn close(mut self) {
        let _ = self.stream.close(None).await;
    }
}
