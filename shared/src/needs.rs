//! What a function says that it needs.

/// What a function makes ready before its first event. Everything else is made when it is first used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Uses {
    Nothing,
    /// The secrets of the settings parameter.
    Settings,
    /// Those, and with them a connection to Postgres.
    Database,
}

/// What a function may reach beyond Postgres, connections, counters and queues. Decides its role in the template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Privilege {
    /// Nothing more.
    Standard,
    /// Signs forms for uploads: may write incoming objects only, so that no form can write anything else.
    Uploads,
    /// Reads the bucket of files, and writes what is kept in it.
    Files,
}
