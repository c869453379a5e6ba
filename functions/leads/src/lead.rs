//! A lead as lists, answers and events show it.

use jiff::civil::Date;
use scores::{AuthorityLevel, NeedLevel, Temperature};
use shared::{closed_set, money::Money, prelude::*};

closed_set! {
    /// How it stands: in the open stages, or in one of those at the end.
    pub LeadStatus { Open = "open", Won = "won", Lost = "lost" }
}

/// The columns of `Lead`, from a relation named `leads` with the joins of `lead_joins`.
#[macro_export]
macro_rules! lead_columns {
    () => {
        "leads.id, leads.pipeline_id, leads.rank::text, leads.status, leads.name, leads.email, leads.phone, leads.organisation as company,
           leads.job_title, leads.origin, leads.campaign, leads.closer_id, leads.sdr_id, leads.potential_value::text, leads.expected_close,
           leads.tags, leads.custom_fields, leads.client_id, leads.crm_id, leads.score, 
           leads.status = 'open' and (leads.scored_at = '-infinity' or leads.scored_by is distinct from (
               select coalesce(max(lead_scoring.version), 0) from lead_scoring)) as is_score_stale,
           leads.temperature, leads.entered_at, leads.closed_at, leads.close_reason, leads.value::text, leads.created_at, leads.updated_at,
           leads.deleted_at, leads.version, greatest(leads.last_contact_at, leads.replied_at) as last_contact_at,
           leads.qualification as sources, leads.qualification_score, leads.budget_confirmed, leads.budget_amount::text,
           leads.authority_level, leads.need_level, leads.decides_by, pipelines.department_id,
           jsonb_build_object('id', stages.id, 'key', stages.key, 'name', stages.name, 'colour', stages.colour, 'kind', stages.kind) as stage,
           leads.status = 'open' and stages.rotting_days is not null
               and greatest(leads.last_contact_at, leads.replied_at, leads.entered_at) < now() - stages.rotting_days * interval '1 day' as is_rotting,
           case when leads.closer_id is not null then (
               select jsonb_build_object('id', users.id, 'name', users.name, 'closer_type', memberships.closer_type)
                 from users join memberships on memberships.company_id = leads.company_id and memberships.user_id = users.id
                where users.id = leads.closer_id) end as closer,
           case when leads.sdr_id is not null then (
               select jsonb_build_object('id', users.id, 'name', users.name) from users where users.id = leads.sdr_id) end as sdr,
           (select count(*) from lead_interactions
             where lead_interactions.company_id = leads.company_id and lead_interactions.lead_id = leads.id) as interactions_count,
           (select jsonb_build_object('at', app.rfc3339(last.at), 'type', last.type, 'result', last.result) from lead_interactions last
             where last.company_id = leads.company_id and last.lead_id = leads.id order by last.at desc, last.id desc limit 1) as last_interaction"
    };
}

/// The joins that go with `lead_columns`.
#[macro_export]
macro_rules! lead_joins {
    () => {
        " join stages on stages.company_id = leads.company_id and stages.id = leads.stage_id
      join pipelines on pipelines.company_id = leads.company_id and pipelines.id = leads.pipeline_id "
    };
}

/// A lead that the caller sees, deleted or not, which has not become part of another.
pub const LEAD: &str =
    concat!("select ", lead_columns!(), " from leads ", lead_joins!(), " where leads.id = $1 and leads.merged_into_id is null");

/// Several of them.
pub const LEADS: &str = concat!(
    "select ",
    lead_columns!(),
    " from leads ",
    lead_joins!(),
    " where leads.id = any ($1) and leads.merged_into_id is null order by leads.id"
);

/// Held until the transaction ends, in one order, before they are read; whose they become meanwhile, they stay in its sight.
pub const HOLD_LEADS: &str = "
    with held as (
        select id from leads where id = any ($1) and merged_into_id is null order by id for no key update
    )
    select set_config('app.held_leads', coalesce(string_agg(id::text, ','), ''), true) from held";

/// What comes in many at once: nobody is told of each, and no stage does anything by itself.
pub(crate) const IS_IMPORT: &str = "select set_config('app.is_import', 'on', true)";

/// A card of the board.
#[derive(Clone, Debug, Serialize, JsonSchema, FromRow)]
#[schemars(rename = "LeadRow")]
pub struct Lead {
    pub id: Uuid,
    pub pipeline_id: Uuid,
    #[schemars(with = "LeadStage")]
    pub stage: Value,
    /// Its place in the column, by which texts sort as they stand there: the smallest is on top.
    pub rank: String,
    pub status: LeadStatus,
    pub name: String,
    pub email: Option<String>,
    /// Digits with country code.
    pub phone: Option<String>,
    /// Where they work, or what school it is.
    pub company: Option<String>,
    pub job_title: Option<String>,
    /// Where they came from, in the company's own words.
    pub origin: Option<String>,
    pub campaign: Option<String>,
    #[serde(skip)]
    pub closer_id: Option<Uuid>,
    #[serde(skip)]
    pub sdr_id: Option<Uuid>,
    #[schemars(with = "Option<LeadCloser>")]
    pub closer: Option<Value>,
    #[schemars(with = "Option<LeadPerson>")]
    pub sdr: Option<Value>,
    pub potential_value: Option<Money>,
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub expected_close: Option<Date>,
    pub tags: Vec<String>,
    #[schemars(with = "Map<String, Value>")]
    pub custom_fields: Value,
    /// The client that they are, where one is known.
    pub client_id: Option<Uuid>,
    /// What the CRM beside this one calls it.
    pub crm_id: Option<String>,
    /// 0–100.
    pub score: i32,
    /// What it is made of has changed, or the rules have, or one of the company's own says nothing: it is made anew by itself.
    pub is_score_stale: bool,
    pub temperature: Temperature,
    #[from_row(flatten)]
    #[serde(serialize_with = "as_object")]
    pub qualification: Qualification,
    pub interactions_count: i64,
    #[schemars(with = "Option<LastInteraction>")]
    pub last_interaction: Option<Value>,
    /// When something was last done with them, or they wrote.
    pub last_contact_at: Option<Timestamp>,
    /// Nothing was done for longer than the stage allows.
    pub is_rotting: bool,
    /// Since when it is in its stage.
    pub entered_at: Timestamp,
    pub closed_at: Option<Timestamp>,
    pub close_reason: Option<String>,
    /// What it was won for.
    pub value: Option<Money>,
    /// The pipeline's.
    pub department_id: Option<Uuid>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub deleted_at: Option<Timestamp>,
    pub version: i32,
}

fn as_object<S: serde::Serializer>(qualification: &Qualification, serializer: S) -> Result<S::Ok, S::Error> {
    qualification.serialize(serializer)
}

/// What is known of budget, authority, need and time.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema, FromRow)]
#[schemars(rename = "LeadQualification")]
pub struct Qualification {
    /// 0–100.
    pub qualification_score: i32,
    pub budget_confirmed: Option<bool>,
    pub budget_amount: Option<Money>,
    pub authority_level: Option<AuthorityLevel>,
    pub need_level: Option<NeedLevel>,
    /// The day by which they decide.
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub decides_by: Option<Date>,
    /// Who or what says so, by the field's name.
    #[schemars(with = "Map<String, Value>")]
    pub sources: Value,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct LeadStage {
    id: Uuid,
    key: String,
    name: String,
    colour: String,
    kind: LeadStatus,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct LeadCloser {
    id: Uuid,
    name: String,
    closer_type: Option<String>,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct LeadPerson {
    id: Uuid,
    name: String,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct LastInteraction {
    at: Timestamp,
    r#type: crate::InteractionType,
    result: crate::InteractionResult,
}

impl Versioned for Lead {
    fn version(&self) -> i32 {
        self.version
    }
}

impl Lead {
    /// Who sees it: as of a conversation that is its closer's, or its SDR's.
    #[must_use]
    pub fn audience(&self) -> Audience {
        scores::seen_by(self.department_id, self.closer_id, self.sdr_id)
    }

    /// The stage that it is in.
    #[must_use]
    pub fn stage_id(&self) -> Uuid {
        self.stage["id"].as_str().and_then(|id| id.parse().ok()).unwrap_or_default()
    }

    /// Tells who sees it.
    pub fn tell<P: EventPayload>(&self, transaction: &Transaction, company_id: Uuid, payload: &P) {
        transaction.emit(Event::new(Topic::Company(company_id), self.audience(), payload));
    }

    /// Tells of a change who sees it now, or did before.
    pub fn tell_changed(&self, transaction: &Transaction, company_id: Uuid, before: &Self) {
        let audience = self.audience().or(before.audience());
        transaction.emit(Event::new(Topic::Company(company_id), audience, &LeadUpdated { lead: self }));
    }
}

/// There is a new lead, or one is back.
#[derive(Debug, Serialize, JsonSchema)]
pub struct LeadCreated<'lead> {
    pub lead: &'lead Lead,
}

event!(LeadCreated<'_> = "lead.created");

/// Something of a lead changed: a field, its stage, its place there, its score.
#[derive(Debug, Serialize, JsonSchema)]
pub struct LeadUpdated<'lead> {
    pub lead: &'lead Lead,
}

event!(LeadUpdated<'_> = "lead.updated");

/// A lead is gone from the board; `merged_into_id`: it is part of that one now.
#[derive(Debug, Serialize, JsonSchema)]
pub struct LeadDeleted {
    pub lead_id: Uuid,
    pub pipeline_id: Uuid,
    pub stage_id: Uuid,
    pub merged_into_id: Option<Uuid>,
}

event!(LeadDeleted = "lead.deleted");
