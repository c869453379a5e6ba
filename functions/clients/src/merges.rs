//! Clients who were made one, by a proof or by hand, and for how long it can be undone.

use jiff::SignedDuration;
use shared::prelude::*;

/// For how long a merge can be undone; as the database has it, too.
pub const UNDONE_WITHIN: SignedDuration = SignedDuration::from_hours(30 * 24);

pub const MERGE_UNDONE: Problem =
    Problem::new(409, "merge_undone", "Esta união já foi desfeita.", "This merge has been undone already.")
        .showing::<ClientMerge>();
pub const MERGE_TOO_OLD: Problem = Problem::new(
    409,
    "merge_too_old",
    "Uma união só pode ser desfeita em até 30 dias.",
    "A merge can be undone for 30 days only.",
)
.showing::<ClientMerge>();
pub const MERGED_AGAIN: Problem = Problem::new(
    409,
    "merged_again",
    "Este cliente foi unido a outro depois. Desfaça primeiro a união mais nova.",
    "This client was merged into another one since. Undo the newer merge first.",
)
.showing::<ClientMerge>();

/// Two clients who were made one.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema, FromRow)]
pub struct ClientMerge {
    pub id: Uuid,
    /// Who stayed.
    pub client_id: Uuid,
    pub merged_client_id: Uuid,
    /// Null when a message proved it.
    pub by_user_id: Option<Uuid>,
    pub at: Timestamp,
    pub undone_at: Option<Timestamp>,
}

pub const MERGE: &str = "select id, client_id, merged_client_id, by_user_id, at, undone_at from client_merges where id = $1";
