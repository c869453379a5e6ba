//! What was done with leads.

use shared::{closed_set, prelude::*};

closed_set! {
    /// By what way.
    pub InteractionType { Whatsapp = "whatsapp", Email = "email", Call = "call" | "ligacao", Meeting = "meeting", Note = "note", Other = "other" }
}

closed_set! {
    /// What came of it.
    pub InteractionResult {
        Contacted = "contacted" | "contato_realizado",
        ClosedWon = "closed_won" | "fechamento_positivo",
        NoAnswer = "no_answer",
        Scheduled = "scheduled",
        ProposalSent = "proposal_sent",
        ClosedLost = "closed_lost",
        Other = "other",
    }
}

closed_set! {
    /// What wrote it down.
    pub InteractionSource { Person = "person", Message = "message", Followup = "followup", Import = "import" }
}

/// The columns of `Interaction`, from a relation named `lead_interactions`.
#[macro_export]
macro_rules! interaction_columns {
    () => {
        "lead_interactions.id, lead_interactions.lead_id, lead_interactions.author_id, lead_interactions.source, lead_interactions.type as kind,
           lead_interactions.summary, lead_interactions.details, lead_interactions.result, lead_interactions.next_step, lead_interactions.at,
           lead_interactions.created_at,
           (select users.name from users where users.id = lead_interactions.author_id) as author_name"
    };
}

/// Something that was done with a lead.
#[derive(Clone, Debug, Serialize, JsonSchema, FromRow)]
#[schemars(rename = "LeadInteraction")]
pub struct Interaction {
    pub id: Uuid,
    pub lead_id: Uuid,
    /// Null of what came by itself.
    pub author_id: Option<Uuid>,
    pub author_name: Option<String>,
    pub source: InteractionSource,
    #[serde(rename = "type")]
    pub kind: InteractionType,
    pub summary: String,
    pub details: Option<String>,
    pub result: InteractionResult,
    pub next_step: Option<String>,
    pub at: Timestamp,
    pub created_at: Timestamp,
}

/// Something was done with a lead.
#[derive(Debug, Serialize, JsonSchema)]
pub struct LeadInteractionAdded<'interaction> {
    pub interaction: &'interaction Interaction,
}

event!(LeadInteractionAdded<'_> = "lead.interaction_added");
