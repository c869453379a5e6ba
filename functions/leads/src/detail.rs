//! A lead with what only who looks at it is shown.

use shared::prelude::*;

use crate::{Lead, lead_columns, lead_joins};

/// A lead, with its client's open conversation and other leads that may be the same person, as far as the caller sees them.
pub const DETAIL: &str = concat!(
    "select ",
    lead_columns!(),
    ", (select jsonb_build_object('id', conversations.id, 'status', conversations.status, 'assignee_id', conversations.assignee_id)
          from conversations
         where conversations.client_id = leads.client_id and conversations.ended_at is null
         order by conversations.last_message_at desc, conversations.id
         limit 1) as open_conversation,
       (select coalesce(jsonb_agg(jsonb_build_object('id', twin.id, 'name', twin.name, 'status', twin.status, 'created_at', app.rfc3339(twin.created_at),
                                                     'same', case when twin.phone = leads.phone then 'phone' else 'email' end)
                                  order by twin.created_at, twin.id), '[]')
          from (select id, name, status, phone, created_at from leads twin
                 where twin.phone = leads.phone and twin.deleted_at is null and twin.id <> leads.id
                union
                select id, name, status, phone, created_at from leads twin
                 where twin.email = leads.email and twin.deleted_at is null and twin.id <> leads.id
                 order by created_at, id
                 limit 10) twin) as duplicates
      from leads ",
    lead_joins!(),
    " where leads.id = $1 and leads.merged_into_id is null"
);

/// A lead as who looks at it sees it.
#[derive(Clone, Debug, Serialize, JsonSchema, FromRow)]
pub struct LeadDetail {
    #[from_row(flatten)]
    #[serde(flatten)]
    pub lead: Lead,
    /// Their client's, with whom somebody talks now.
    #[schemars(with = "Option<LeadConversation>")]
    pub open_conversation: Option<Value>,
    /// Other leads with the same phone or e-mail, at most ten, the oldest first.
    #[schemars(with = "Vec<LeadDuplicate>")]
    pub duplicates: Value,
}

impl Versioned for LeadDetail {
    fn version(&self) -> i32 {
        self.lead.version
    }
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct LeadConversation {
    id: Uuid,
    status: String,
    assignee_id: Option<Uuid>,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct LeadDuplicate {
    id: Uuid,
    name: String,
    status: crate::LeadStatus,
    created_at: Timestamp,
    /// What is the same: `phone` or `email`.
    same: String,
}
