//! Leads of whoever a conversation is with.

use clients::fields::changed;
use futures_util::future::{try_join, try_join3};
use shared::{money::Money, prelude::*};

use crate::{
    Closing, HOLD_LEADS, HOLD_STAGES, LEAD, Lead, LeadCreated, LeadData, PLACE_FOR_NEW, STAGE, Stage, enter, missing_fields,
};

/// Whom a conversation is with, held so that of two who make a lead of them the second finds the first's.
pub const LEAD_CLIENT: &str = "
    select clients.id, clients.name,
           (select value from client_identities identity
             where identity.company_id = clients.company_id and identity.client_id = clients.id and identity.kind = 'phone'
             order by identity.created_at, identity.value limit 1) as phone,
           (select value from client_identities identity
             where identity.company_id = clients.company_id and identity.client_id = clients.id and identity.kind = 'email'
             order by identity.created_at, identity.value limit 1) as email
      from conversations
      join clients on clients.company_id = conversations.company_id and clients.id = conversations.client_id
     where conversations.id = $1
       for no key update of clients";

#[derive(FromRow)]
pub struct LeadClient {
    pub id: Uuid,
    pub name: String,
    pub phone: Option<String>,
    pub email: Option<String>,
}

/// Their open lead, the first one of several, whoever sees it.
pub const OPEN_LEAD: &str =
    "select id from app.open_lead((select client_id from conversations where id = $1)) id where id is not null";

#[derive(FromRow)]
pub struct OpenLead {
    pub id: Uuid,
}

impl LeadClient {
    /// A lead of theirs.
    #[must_use]
    pub fn lead(self, origin: Option<String>, closer_id: Option<Uuid>, potential_value: Option<Money>) -> LeadData {
        LeadData {
            name: self.name,
            phone: self.phone,
            email: self.email,
            origin: Some(origin.unwrap_or_else(|| "whatsapp".to_owned())),
            closer_id,
            potential_value,
            custom_fields: changed(&Value::Null, Map::new()),
            client_id: Some(self.id),
            ..LeadData::default()
        }
    }
}

/// Makes a lead of a conversation's client who has none open, by a company's own rules: in this open stage, or where new leads come in. The client is
/// held.
///
/// # Errors
/// Those of the database.
pub async fn begin_lead(
    context: &Context,
    transaction: &Transaction,
    company_id: Uuid,
    conversation_id: Uuid,
    (stage_id, origin): (Option<Uuid>, Option<String>),
) -> Result<(), Error> {
    let none: Option<Uuid> = None;
    let (client, stage, open): (LeadClient, Option<Stage>, Option<OpenLead>) = try_join3(
        transaction.one(LEAD_CLIENT, &[&conversation_id]),
        transaction.first(PLACE_FOR_NEW, &[&none, &stage_id]),
        transaction.first(OPEN_LEAD, &[&conversation_id]),
    )
    .await?;
    let (Some(stage), None) = (stage, open) else { return Ok(()) };
    let (data, id) = (client.lead(origin, None, None), context.new_id());
    let lead: Lead = data.begin(context, transaction, (id, stage.id), transaction.one(LEAD, &[&id])).await?;
    lead.tell(transaction, company_id, &LeadCreated { lead: &lead });
    Ok(())
}

/// Moves the open lead of a conversation's client to a stage, by a company's own rules. Where there is none, or it lacks what the stage asks for,
/// nothing happens.
///
/// # Errors
/// Those of the database.
pub async fn advance_lead(
    transaction: &Transaction,
    company_id: Uuid,
    conversation_id: Uuid,
    stage_id: Uuid,
) -> Result<(), Error> {
    let stages = [stage_id];
    let (_, stage, open): (_, Option<Stage>, Option<OpenLead>) = try_join3(
        transaction.query(HOLD_STAGES, &[&stages.as_slice()]),
        transaction.first(STAGE, &[&stage_id]),
        transaction.first(OPEN_LEAD, &[&conversation_id]),
    )
    .await?;
    let (Some(stage), Some(OpenLead { id })) = (stage, open) else { return Ok(()) };
    let ids = [id];
    let (_, current): (_, Lead) =
        try_join(transaction.query(HOLD_LEADS, &[&ids.as_slice()]), transaction.one(LEAD, &[&id])).await?;
    let closing = Closing::default();
    if current.stage_id() == stage.id || current.deleted_at.is_some() || !missing_fields(&stage, &current, &closing).is_empty() {
        return Ok(());
    }
    let (_, lead): (_, Lead) =
        try_join(enter(transaction, company_id, &current, &stage, (None, None), &closing), transaction.one(LEAD, &[&id])).await?;
    lead.tell_changed(transaction, company_id, &current);
    Ok(())
}
