//! The open connections: who they are, and how to reach them.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE};
use jiff::Timestamp;
use tokio::sync::mpsc;

use crate::journal::SocketSnapshot;

/// Frames that may wait for a slow client before it is told to slow down.
const WAITING_FRAMES: usize = 256;

/// What the task of a connection is told.
pub(super) enum Command {
    Send(String),
    /// Close with this code and reason.
    Close(u16, &'static str),
}

/// One WebSocket.
pub(super) struct Connection {
    pub id: String,
    pub source_ip: String,
    pub user_agent: String,
    pub domain_name: String,
    pub api_id: String,
    pub stage: String,
    pub connected_at: Timestamp,
    last_active_at: AtomicI64,
    pub sent: AtomicU64,
    pub received: AtomicU64,
    commands: mpsc::Sender<Command>,
}

/// Why a frame could not be handed over.
pub(super) enum Refused {
    Gone,
    /// The client does not read fast enough.
    Full,
}

impl Connection {
    pub fn new(
        id: String,
        source_ip: String,
        user_agent: String,
        domain_name: String,
        (api_id, stage): (String, String),
    ) -> (Arc<Self>, mpsc::Receiver<Command>) {
        let (commands, receiver) = mpsc::channel(WAITING_FRAMES);
        let connected_at = Timestamp::now();
        let connection = Self {
            id,
            source_ip,
            user_agent,
            domain_name,
            api_id,
            stage,
            connected_at,
            last_active_at: AtomicI64::new(connected_at.as_millisecond()),
            sent: AtomicU64::new(0),
            received: AtomicU64::new(0),
            commands,
        };
        (Arc::new(connection), receiver)
    }

    pub fn touch(&self) {
        self.last_active_at.store(Timestamp::now().as_millisecond(), Ordering::Relaxed);
    }

    pub fn last_active_at(&self) -> Timestamp {
        Timestamp::from_millisecond(self.last_active_at.load(Ordering::Relaxed)).unwrap_or(self.connected_at)
    }

    pub fn tell(&self, command: Command) -> Result<(), Refused> {
        self.commands.try_send(command).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Refused::Full,
            mpsc::error::TrySendError::Closed(_) => Refused::Gone,
        })
    }

    /// Waits until the client has read enough.
    pub async fn tell_patiently(&self, command: Command) {
        let _ = self.commands.send(command).await;
    }
}

/// Connections that can be addressed.
#[derive(Default)]
pub(super) struct Connections {
    open: Mutex<HashMap<String, Arc<Connection>>>,
}

impl Connections {
    pub fn add(&self, connection: Arc<Connection>) {
        self.open().insert(connection.id.clone(), connection);
    }

    pub fn get(&self, id: &str) -> Option<Arc<Connection>> {
        self.open().get(id).cloned()
    }

    pub fn remove(&self, id: &str) -> Option<Arc<Connection>> {
        self.open().remove(id)
    }

    pub fn all(&self) -> Vec<Arc<Connection>> {
        self.open().values().cloned().collect()
    }

    pub fn snapshot(&self) -> Vec<SocketSnapshot> {
        let snapshot = |connection: Arc<Connection>| SocketSnapshot {
            connection_id: connection.id.clone(),
            connected_at: connection.connected_at,
            last_active_at: connection.last_active_at(),
            frames_sent: connection.sent.load(Ordering::Relaxed),
            frames_received: connection.received.load(Ordering::Relaxed),
        };
        let mut sockets: Vec<SocketSnapshot> = self.all().into_iter().map(snapshot).collect();
        sockets.sort_by_key(|socket| socket.connected_at);
        sockets
    }

    fn open(&self) -> MutexGuard<'_, HashMap<String, Arc<Connection>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the text could be a connection id at all.
pub(super) fn is_well_formed(id: &str) -> bool {
    id.len() == 16 && id.ends_with('=') && URL_SAFE.decode(id).is_ok()
}
