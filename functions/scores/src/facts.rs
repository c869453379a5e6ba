//! What of a lead counts for its score.

use shared::{money::Money, prelude::*};

use crate::levels::{AuthorityLevel, NeedLevel};

/// What is known of a lead at a time.
#[derive(Clone, Debug, FromRow)]
pub struct Facts {
    pub id: Uuid,
    /// What rules may ask: `email`, `phone`, `company`, `job_title`, `origin`, `campaign`, `potential_value` and `custom_fields`.
    pub fields: Value,
    pub potential_value: Option<Money>,
    pub budget_confirmed: Option<bool>,
    pub budget_amount: Option<Money>,
    pub authority_level: Option<AuthorityLevel>,
    pub need_level: Option<NeedLevel>,
    /// From today to the day by which they decide.
    pub timeline_days: Option<i32>,
    /// When something was last done with them, or they wrote; since when there is the lead where nothing was.
    pub contacted_at: Timestamp,
    pub replied_at: Option<Timestamp>,
    pub has_replied_quickly: bool,
    pub meetings_scheduled: i64,
    pub meetings_held: i64,
    pub proposals: i64,
    /// Of the last 30 days.
    pub recent_interactions: i64,
}

/// The columns of `Facts`, of a row of `leads` with the zone of `companies`, at the time `$2`.
pub(crate) const FACTS: &str = "
    select leads.id, leads.potential_value::text, leads.budget_confirmed, leads.budget_amount::text, leads.authority_level, leads.need_level,
           leads.decides_by - ($2::timestamptz at time zone companies.time_zone)::date as timeline_days,
           coalesce(greatest(leads.last_contact_at, leads.replied_at), leads.created_at) as contacted_at,
           leads.replied_at, leads.quick_reply_at is not null as has_replied_quickly,
           done.meetings_scheduled, done.meetings_held, done.proposals, done.recent_interactions,
           jsonb_build_object('email', leads.email, 'phone', leads.phone, 'company', leads.organisation, 'job_title', leads.job_title,
                              'origin', leads.origin, 'campaign', leads.campaign, 'potential_value', leads.potential_value,
                              'custom_fields', leads.custom_fields) as fields
      from leads
      join companies on companies.id = leads.company_id
     cross join lateral (
          select count(*) filter (where result = 'scheduled') as meetings_scheduled,
                 count(*) filter (where type = 'meeting' and result not in ('scheduled', 'no_answer')) as meetings_held,
                 count(*) filter (where result = 'proposal_sent') as proposals,
                 count(*) filter (where at > $2::timestamptz - interval '30 days') as recent_interactions
            from lead_interactions
           where lead_interactions.company_id = leads.company_id and lead_interactions.lead_id = leads.id) done
     where leads.id = any ($1)";
