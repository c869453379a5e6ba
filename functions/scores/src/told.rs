//! What is told of scores.

use shared::prelude::*;

use crate::{Temperature, rules::Scoring};

/// Who sees a lead: as of a conversation that is its closer's, or its SDR's.
#[must_use]
pub fn seen_by(department_id: Option<Uuid>, closer_id: Option<Uuid>, sdr_id: Option<Uuid>) -> Audience {
    let people: Vec<Uuid> = sdr_id.into_iter().collect();
    Audience::conversation(department_id, closer_id.or(sdr_id)).and_participants(&people)
}

/// The scores of leads, with who sees them.
pub const SCORES: &str = "
    select leads.id as lead_id, leads.score, leads.qualification_score, leads.temperature, leads.version, leads.closer_id, leads.sdr_id,
           pipelines.department_id
      from leads
      join pipelines on pipelines.company_id = leads.company_id and pipelines.id = leads.pipeline_id
     where leads.id = any ($1)";

/// The score of a lead was made anew, by what time took away, or by what its client wrote.
#[derive(Clone, Debug, Serialize, JsonSchema, FromRow)]
pub struct LeadScored {
    pub lead_id: Uuid,
    pub score: i32,
    pub qualification_score: i32,
    pub temperature: Temperature,
    /// The lead's from now on.
    pub version: i32,
    #[serde(skip)]
    pub closer_id: Option<Uuid>,
    #[serde(skip)]
    pub sdr_id: Option<Uuid>,
    #[serde(skip)]
    pub department_id: Option<Uuid>,
}

event!(LeadScored = "lead.scored");

impl LeadScored {
    /// Tells who sees the lead.
    pub fn tell(&self, transaction: &Transaction, company_id: Uuid) {
        let audience = seen_by(self.department_id, self.closer_id, self.sdr_id);
        transaction.emit(Event::new(Topic::Company(company_id), audience, self));
    }
}

/// Leads are scored by other rules from now on.
#[derive(Debug, Serialize, JsonSchema)]
pub struct LeadScoringUpdated<'rules> {
    pub rules: &'rules Scoring,
    pub version: i32,
    /// All open leads are scored by them.
    pub is_applied: bool,
}

event!(LeadScoringUpdated<'_> = "lead_scoring.updated");
