//! A screen that is never loaded again: it hears of the day by a socket, and what the socket did not bring it asks for, as
//! `docs/realtime.md` tells front ends to.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::StreamExt;
use serde_json::{Value, json};
use tests::{
    company::{Person, text},
    socket::Socket,
};
use tokio::{task::JoinHandle, time::Instant};
use tokio_tungstenite::tungstenite::Message;

use super::id_of;

/// Between two pings.
const PAUSE: Duration = Duration::from_secs(1);

#[derive(Default)]
pub struct Screen {
    /// Conversations by id.
    rows: BTreeMap<String, Value>,
    known: BTreeSet<String>,
    head: String,
    /// Of those known, what came by a socket.
    pushed: usize,
}

pub type Shared = Arc<Mutex<Screen>>;

impl Screen {
    pub fn beginning(head: String) -> Self {
        Self { head, ..Self::default() }
    }

    pub fn rows(&self) -> BTreeMap<String, Value> {
        self.rows.clone()
    }

    pub fn pushed(&self) -> usize {
        self.pushed
    }

    /// Whether all that a pong tells of is known: then its head is the screen's.
    fn goes_on(&mut self, pong: &Value) -> bool {
        let mut cursors = pong["cursors"].as_array().into_iter().flatten();
        let is_known = pong["more"].is_null() && cursors.all(|cursor| self.known.contains(text(cursor)));
        if is_known {
            text(&pong["head"]).clone_into(&mut self.head);
        }
        is_known
    }

    /// An event, by whichever way, once.
    fn apply(&mut self, event: &Value) -> bool {
        let is_new = self.known.insert(text(&event["cursor"]).to_owned());
        for earlier in event["also"].as_array().into_iter().flatten() {
            self.known.insert(text(earlier).to_owned());
        }
        show(&mut self.rows, event);
        is_new
    }
}

/// Keeps the newest of each conversation; null are those that an event names for being read anew.
pub fn show(rows: &mut BTreeMap<String, Value>, event: &Value) {
    if event["type"] == "client.unblocked" {
        let freed = event["data"]["conversation_ids"].as_array().into_iter().flatten();
        rows.extend(freed.map(|id| (text(id).to_owned(), Value::Null)));
    }
    let row = &event["data"]["conversation"];
    let is_newer = |known: &Value| known["revision"].as_i64() < row["revision"].as_i64();
    if row.is_object() && rows.get(&id_of(row)).is_none_or(is_newer) {
        rows.insert(id_of(row), row.clone());
    }
}

/// Keeps the screen until the socket ends.
pub fn watch(person: &Person, screen: &Shared) -> JoinHandle<()> {
    let (person, screen) = (person.clone(), Arc::clone(screen));
    tokio::spawn(async move {
        let mut socket = person.socket().await;
        let head = screen.lock().expect("the screen").head.clone();
        socket.send(json!({"action": "resume", "after": head})).await;
        let mut next = Instant::now() + PAUSE;
        loop {
            match tokio::time::timeout_at(next, socket.stream().next()).await {
                Ok(Some(Ok(Message::Text(frame)))) => {
                    let frame = serde_json::from_str(&frame).expect("frames are JSON");
                    if take(&person, &screen, &frame).await.is_none() {
                        return;
                    }
                }
                Ok(Some(Ok(_))) => {}
                Err(_) if ping(&mut socket, &screen).await.is_some() => next = Instant::now() + PAUSE,
                Ok(_) | Err(_) => return,
            }
        }
    })
}

async fn ping(socket: &mut Socket, screen: &Shared) -> Option<()> {
    let ping = json!({"action": "ping", "after": screen.lock().expect("the screen").head}).to_string();
    futures_util::SinkExt::send(socket.stream(), Message::text(ping)).await.ok()
}

/// `None` when the cloud is gone.
async fn take(person: &Person, screen: &Shared, frame: &Value) -> Option<()> {
    match text(&frame["type"]) {
        "pong" | "resumed" => {
            assert!(frame["resync"].is_null(), "{frame}");
            if screen.lock().expect("the screen").goes_on(frame) { Some(()) } else { read_on(person, screen).await }
        }
        "resync" => panic!("the day was too long for {}", person.email),
        // Too large for a frame: it is found at the next ping.
        _ if frame["cursor"].is_null() || frame["data"].is_null() => Some(()),
        _ => {
            let mut seen = screen.lock().expect("the screen");
            if seen.apply(frame) {
                seen.pushed += 1;
            }
            Some(())
        }
    }
}

/// What happened since the head.
async fn read_on(person: &Person, screen: &Shared) -> Option<()> {
    loop {
        let head = screen.lock().expect("the screen").head.clone();
        let page = person.api.attempt(reqwest::Method::GET, &format!("/events?after={head}"), Value::Null).await.ok()?;
        if page.status >= 500 {
            return None;
        }
        let page = page.expect(200);
        let mut seen = screen.lock().expect("the screen");
        for event in page["data"].as_array().into_iter().flatten() {
            seen.apply(event);
        }
        let next = page["next_cursor"].as_str();
        next.unwrap_or(text(&page["head"])).clone_into(&mut seen.head);
        if next.is_none() {
            return Some(());
        }
    }
}
