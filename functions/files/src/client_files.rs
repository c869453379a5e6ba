//! The files of a client: documents that staff have put with them, and what was sent in their conversations.

use shared::prelude::*;

use crate::File;

/// A file of a client's.
#[derive(Clone, Debug, Serialize, JsonSchema, FromRow)]
pub struct ClientFile {
    /// The message's or the document's.
    #[serde(rename = "id")]
    pub entry_id: Uuid,
    #[from_row(flatten)]
    pub file: File,
    /// When it was added or sent.
    pub at: Timestamp,
    /// Who of the staff did it; null for what the client sent.
    pub added_by_id: Option<Uuid>,
    /// The message it was sent with; null for documents.
    pub message_id: Option<Uuid>,
}

/// A document was put with a client.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ClientFileAdded {
    pub client_id: Uuid,
    pub client_file: ClientFile,
}

event!(ClientFileAdded = "client.file_added");
