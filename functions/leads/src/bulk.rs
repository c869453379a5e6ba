//! One thing done to many leads.

use shared::prelude::*;

use crate::{Closing, Lead, LeadDeleted, MISSING_FIELDS, Stage, StageSpread, missing_fields};

/// What is done to each of them.
pub enum BulkChange {
    /// Null takes the closer away.
    Closer(Option<Uuid>),
    /// Null takes the SDR away.
    Sdr(Option<Uuid>),
    AddTags(Vec<String>),
    RemoveTags(Vec<String>),
    /// On top of this stage, in the order they have.
    Stage(Box<Stage>, Closing),
    Delete,
}

const CLOSER: &str = "update leads set closer_id = $2, version = version + 1, updated_at = now() where id = any ($1)";

const SDR: &str = "update leads set sdr_id = $2, version = version + 1, updated_at = now() where id = any ($1)";

const ADD_TAGS: &str = "
    update leads
       set tags = array(select tag from unnest(tags || $2::text[]) with ordinality given (tag, place) group by tag order by min(place)),
           version = version + 1, updated_at = now()
     where id = any ($1)";

const REMOVE_TAGS: &str = "
    update leads
       set tags = array(select tag from unnest(tags) with ordinality given (tag, place) where tag <> all ($2::text[]) order by place),
           version = version + 1, updated_at = now()
     where id = any ($1)";

const MOVE: &str = "
    with placed as materialized (select * from app.places_in($2, $1, true))
    update leads
       set pipeline_id = $3, stage_id = $2, rank = placed.place, close_reason = coalesce($4, leads.close_reason), version = leads.version + 1,
           value = case when $5 then coalesce(leads.value, leads.potential_value) else leads.value end, updated_at = now()
      from placed
     where leads.id = placed.id";

const DELETE: &str = "update leads set deleted_at = now(), version = version + 1, updated_at = now() where id = any ($1)";

const MANY_TAGS: Problem =
    Problem::new(422, "too_many_tags", "Um lead tem no máximo 30 etiquetas.", "A lead has at most 30 tags.");

impl BulkChange {
    /// Whether it changes this lead; refused as the route for one would.
    ///
    /// # Errors
    /// The problem that the route for one answers.
    pub fn judge(&self, lead: &Lead) -> Result<bool, Problem> {
        match self {
            Self::Closer(to) => Ok(lead.closer_id != *to),
            Self::Sdr(to) => Ok(lead.sdr_id != *to),
            Self::AddTags(tags) => {
                let new = tags.iter().filter(|tag| !lead.tags.contains(tag)).count();
                if lead.tags.len() + new > 30 { Err(MANY_TAGS) } else { Ok(new > 0) }
            }
            Self::RemoveTags(tags) => Ok(lead.tags.iter().any(|tag| tags.contains(tag))),
            Self::Stage(stage, closing) => {
                let is_elsewhere = lead.stage_id() != stage.id;
                let lacks = is_elsewhere && !missing_fields(stage, lead, closing).is_empty();
                if lacks { Err(MISSING_FIELDS) } else { Ok(is_elsewhere) }
            }
            Self::Delete => Ok(true),
        }
    }

    /// Does it to leads that are held and judged.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn apply(&self, transaction: &Transaction, ids: &[Uuid]) -> Result<(), Error> {
        match self {
            Self::Closer(to) => transaction.execute(CLOSER, &[&ids, to]).await,
            Self::Sdr(to) => transaction.execute(SDR, &[&ids, to]).await,
            Self::AddTags(tags) => transaction.execute(ADD_TAGS, &[&ids, tags]).await,
            Self::RemoveTags(tags) => transaction.execute(REMOVE_TAGS, &[&ids, tags]).await,
            Self::Stage(stage, closing) => {
                let is_won = stage.kind == crate::LeadStatus::Won;
                let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 5] =
                    [&ids, &stage.id, &stage.pipeline_id, &closing.reason, &is_won];
                transaction.execute(MOVE, &parameters).await
            }
            Self::Delete => transaction.execute(DELETE, &[&ids]).await,
        }
        .map(drop)
    }

    /// Tells of what became of each.
    pub fn tell(&self, transaction: &Transaction, company_id: Uuid, before: &[&Lead], after: &[Lead]) {
        if let Self::Stage(stage, _) = self {
            // Many cards took places at once: whoever shows the column reads it again.
            let payload = StageSpread { pipeline_id: stage.pipeline_id, stage_id: stage.id };
            transaction.emit(Event::new(Topic::Company(company_id), Audience::staff(), &payload));
        }
        for was in before {
            if let Self::Delete = self {
                let (lead_id, pipeline_id, stage_id) = (was.id, was.pipeline_id, was.stage_id());
                was.tell(transaction, company_id, &LeadDeleted { lead_id, pipeline_id, stage_id, merged_into_id: None });
            } else if let Some(lead) = after.iter().find(|lead| lead.id == was.id) {
                lead.tell_changed(transaction, company_id, was);
            }
        }
    }
}
