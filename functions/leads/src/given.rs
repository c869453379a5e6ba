//! What people say of a lead.

use clients::{fields::changed, once_each, phone::Phone};
use futures_util::future::{try_join, try_join4};
use jiff::civil::Date;
use scores::{
    fields::{self, LeadFields},
    rescored,
};
use shared::{
    error::{FieldProblem, refuse},
    money::Money,
    prelude::*,
};
use team::given::Given;

use crate::{HOLD_STAGES, Lead, NO_SUCH_STAGE};

pub const CRM_ID_TAKEN: Problem =
    Problem::new(409, "crm_id_taken", "Já existe um lead com este `crm_id`.", "There is a lead with this `crm_id` already.");

/// Of a lead what people write.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LeadData {
    pub name: String,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub company: Option<String>,
    pub job_title: Option<String>,
    pub origin: Option<String>,
    pub campaign: Option<String>,
    pub closer_id: Option<Uuid>,
    pub sdr_id: Option<Uuid>,
    pub potential_value: Option<Money>,
    pub expected_close: Option<Date>,
    pub tags: Vec<String>,
    pub custom_fields: Value,
    pub client_id: Option<Uuid>,
    pub crm_id: Option<String>,
}

impl From<Lead> for LeadData {
    fn from(lead: Lead) -> Self {
        let Lead { name, email, phone, company, job_title, origin, campaign, closer_id, sdr_id, .. } = lead;
        let Lead { potential_value, expected_close, tags, custom_fields, client_id, crm_id, .. } = lead;
        Self {
            name,
            email,
            phone,
            company,
            job_title,
            origin,
            campaign,
            closer_id,
            sdr_id,
            potential_value,
            expected_close,
            tags,
            custom_fields,
            client_id,
            crm_id,
        }
    }
}

/// Declares a form of a lead's fields, each of which may be left out; null takes one away.
#[macro_export]
macro_rules! lead_form {
    ($(#[$doc:meta])* $name:ident { $($own:tt)* }) => {
        #[derive(serde::Deserialize, garde::Validate, schemars::JsonSchema)]
        #[serde(deny_unknown_fields)]
        $(#[$doc])*
        struct $name {
            $($own)*
            #[garde(dive)]
            #[serde(default)]
            #[schemars(with = "Option<shared::email::Email>")]
            email: team::given::Given<shared::email::Email>,
            /// In any writing.
            #[garde(dive)]
            #[serde(default)]
            #[schemars(with = "Option<clients::phone::Phone>")]
            phone: team::given::Given<clients::phone::Phone>,
            /// Where they work, or what school it is.
            #[garde(custom(team::given::at_most(120)))]
            #[serde(default)]
            #[schemars(with = "Option<String>", length(max = 120))]
            company: team::given::Given<String>,
            #[garde(custom(team::given::at_most(80)))]
            #[serde(default)]
            #[schemars(with = "Option<String>", length(max = 80))]
            job_title: team::given::Given<String>,
            /// Where they came from, in the company's own words.
            #[garde(custom(team::given::at_most(80)))]
            #[serde(default)]
            #[schemars(with = "Option<String>", length(max = 80))]
            origin: team::given::Given<String>,
            #[garde(custom(team::given::at_most(80)))]
            #[serde(default)]
            #[schemars(with = "Option<String>", length(max = 80))]
            campaign: team::given::Given<String>,
            /// Active staff.
            #[garde(skip)]
            #[serde(default)]
            #[schemars(with = "Option<uuid::Uuid>")]
            closer_id: team::given::Given<uuid::Uuid>,
            /// Active staff.
            #[garde(skip)]
            #[serde(default)]
            #[schemars(with = "Option<uuid::Uuid>")]
            sdr_id: team::given::Given<uuid::Uuid>,
            #[garde(skip)]
            #[serde(default)]
            #[schemars(with = "Option<shared::money::Money>")]
            potential_value: team::given::Given<shared::money::Money>,
            #[garde(skip)]
            #[serde(default)]
            #[schemars(with = "Option<String>", extend("format" = "date"))]
            expected_close: team::given::Given<jiff::civil::Date>,
            #[garde(length(max = 30), inner(inner(length(chars, min = 1, max = 40), custom(shared::visible))))]
            #[schemars(inner(length(min = 1, max = 40), regex(pattern = shared::VISIBLE)))]
            tags: Option<Vec<String>>,
            /// Of the fields that `GET /lead-fields` answers; null takes a value away.
            #[garde(skip)]
            custom_fields: Option<serde_json::Map<String, serde_json::Value>>,
            /// A client of the company; whoever has this phone or e-mail where none is given.
            #[garde(skip)]
            #[serde(default)]
            #[schemars(with = "Option<uuid::Uuid>")]
            client_id: team::given::Given<uuid::Uuid>,
            /// What the CRM beside this one calls it.
            #[garde(custom(team::given::at_most(120)))]
            #[serde(default)]
            #[schemars(with = "Option<String>", length(max = 120))]
            crm_id: team::given::Given<String>,
        }

        impl $name {
            fn fields(self) -> $crate::LeadFieldsGiven {
                let Self { email, phone, company, job_title, origin, campaign, closer_id, sdr_id, .. } = self;
                let Self { potential_value, expected_close, tags, custom_fields, client_id, crm_id, .. } = self;
                $crate::LeadFieldsGiven {
                    email,
                    phone,
                    company,
                    job_title,
                    origin,
                    campaign,
                    closer_id,
                    sdr_id,
                    potential_value,
                    expected_close,
                    tags,
                    custom_fields,
                    client_id,
                    crm_id,
                }
            }
        }
    };
}

/// What a form says of a lead's fields.
#[derive(Default)]
pub struct LeadFieldsGiven {
    pub email: Given<Email>,
    pub phone: Given<Phone>,
    pub company: Given<String>,
    pub job_title: Given<String>,
    pub origin: Given<String>,
    pub campaign: Given<String>,
    pub closer_id: Given<Uuid>,
    pub sdr_id: Given<Uuid>,
    pub potential_value: Given<Money>,
    pub expected_close: Given<Date>,
    pub tags: Option<Vec<String>>,
    pub custom_fields: Option<Map<String, Value>>,
    pub client_id: Given<Uuid>,
    pub crm_id: Given<String>,
}

impl LeadFieldsGiven {
    /// The fields from now on.
    #[must_use]
    pub fn applied_to(self, data: LeadData) -> LeadData {
        // A text without anything in it is none.
        let text = |given: Given<String>, current| given.after(current).filter(|text| !text.is_empty());
        LeadData {
            name: data.name,
            email: self.email.after_as(data.email, |email| email.to_string()),
            phone: self.phone.after_as(data.phone, |phone| phone.to_string()),
            company: text(self.company, data.company),
            job_title: text(self.job_title, data.job_title),
            origin: text(self.origin, data.origin),
            campaign: text(self.campaign, data.campaign),
            closer_id: self.closer_id.after(data.closer_id),
            sdr_id: self.sdr_id.after(data.sdr_id),
            potential_value: self.potential_value.after(data.potential_value),
            expected_close: self.expected_close.after(data.expected_close),
            tags: self.tags.map_or(data.tags, once_each),
            custom_fields: match self.custom_fields {
                Some(given) => changed(&data.custom_fields, given),
                None => data.custom_fields,
            },
            client_id: self.client_id.after(data.client_id),
            crm_id: text(self.crm_id, data.crm_id),
        }
    }
}

/// A row where somebody is active staff.
pub const IS_STAFF: &str = "select from memberships where user_id = $1 and status = 'active' and role <> 'student'";

/// Who of the people is no active member of staff, whether the client is none of the company's that the caller sees, and who is known by the
/// phone or the e-mail.
pub const PLACES: &str = "
    select array(select person from unnest($1::uuid[]) person
                  where not exists (select from memberships where user_id = person and status = 'active' and role <> 'student')) as not_staff,
           $2::uuid is not null and not exists (select from clients where id = $2 and merged_into_id is null) as lacks_client,
           app.find_namesake(array_remove(array[$3::text], null), $4, null, null) as namesake_id";

/// The answer to `PLACES`.
#[derive(Clone, Debug, FromRow)]
pub struct Places {
    pub not_staff: Vec<Uuid>,
    pub lacks_client: bool,
    pub namesake_id: Option<Uuid>,
}

/// What a lead is said to name, looked after.
#[derive(Debug)]
pub struct Named {
    closer: Option<Uuid>,
    sdr: Option<Uuid>,
    client: Option<Uuid>,
    places: Places,
    own: LeadFields,
}

impl LeadFieldsGiven {
    /// Looks after whom and what it names.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn named(&self, transaction: &Transaction) -> Result<Named, Error> {
        let (closer, sdr, client) = (self.closer_id.set().copied(), self.sdr_id.set().copied(), self.client_id.set().copied());
        let people: Vec<Uuid> = closer.into_iter().chain(sdr).collect();
        let phone = self.phone.set().map(|phone| phone.to_string());
        let email = self.email.set().map(|email| email.to_string());
        let (places, own) =
            try_join(transaction.one(PLACES, &[&people, &client, &phone, &email]), fields::read(transaction)).await?;
        Ok(Named { closer, sdr, client, places, own })
    }
}

impl Named {
    /// Refuses who and what is not there, and takes the client who has the phone or e-mail where none is known. Who was there before may
    /// stay, whatever became of them.
    ///
    /// # Errors
    /// 422 with the fields.
    pub fn settle(
        &self,
        data: &mut LeadData,
        before: &LeadData,
        pipeline_id: Uuid,
        custom_fields: Option<&Map<String, Value>>,
    ) -> Result<(), Error> {
        let mut problems = Vec::new();
        for (field, person, was) in [("closer_id", self.closer, before.closer_id), ("sdr_id", self.sdr, before.sdr_id)] {
            if person != was && person.is_some_and(|person| self.places.not_staff.contains(&person)) {
                problems.push(FieldProblem::not_active_staff(field));
            }
        }
        if self.places.lacks_client && self.client != before.client_id {
            problems.push(FieldProblem::new(
                "client_id",
                "unknown_client",
                "Cliente não encontrado.",
                "There is no such client.",
            ));
        }
        problems.extend(custom_fields.map(|given| self.own.problems(pipeline_id, given)).unwrap_or_default());
        refuse(problems)?;
        data.client_id = data.client_id.or(self.places.namesake_id.filter(|_| before.client_id.is_none()));
        Ok(())
    }
}

const SAVE: &str = "
    update leads
       set name = $2, email = $3, phone = $4, organisation = $5, job_title = $6, origin = $7, campaign = $8, closer_id = $9, sdr_id = $10,
           potential_value = $11::text::numeric, expected_close = $12, tags = $13, custom_fields = $14, client_id = $15, crm_id = $16,
           version = version + 1, updated_at = now()
     where id = $1";

const ADD: &str = "
    insert into leads (id, pipeline_id, stage_id, rank, name, email, phone, organisation, job_title, origin, campaign, closer_id, sdr_id,
                       potential_value, expected_close, tags, custom_fields, client_id, crm_id, created_by_id)
    select $1, stages.pipeline_id, stages.id, place.place, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11::text::numeric, $12, $13, $14, $15, $16,
           app.user_id()
      from stages
      join pipelines on pipelines.company_id = stages.company_id and pipelines.id = stages.pipeline_id
     cross join app.rank_in($17, $1, null, null) place
     where stages.id = $17 and pipelines.archived_at is null";

/// A new lead is seen by whoever makes it until the transaction ends, whose it may be.
const HOLD_NEW: &str = "select set_config('app.held_leads', $1::uuid::text, true)";

impl LeadData {
    /// As a lead that has them is shown.
    #[must_use]
    pub fn shown(&self) -> Value {
        let mut row = json!(self);
        row["closer"] = row["closer_id"].take();
        row["sdr"] = row["sdr_id"].take();
        row
    }

    /// Writes them over those of a lead that is held.
    ///
    /// # Errors
    /// `CRM_ID_TAKEN`, and those of the database.
    pub async fn save(&self, transaction: &Transaction, id: Uuid) -> Result<(), Error> {
        self.write(transaction, SAVE, id, None).await.map(drop)
    }

    async fn add(&self, transaction: &Transaction, id: Uuid, stage_id: Uuid) -> Result<(), Error> {
        if self.write(transaction, ADD, id, Some(stage_id)).await? == 0 { Err(NO_SUCH_STAGE.into()) } else { Ok(()) }
    }

    /// A new lead with its scores, on top of a stage that is held from now on; answers what is read of it then, in one flight.
    ///
    /// # Errors
    /// `CRM_ID_TAKEN`, `NO_SUCH_STAGE` where it went meanwhile, and those of the database.
    pub async fn begin<T>(
        &self,
        context: &Context,
        transaction: &Transaction,
        (id, stage_id): (Uuid, Uuid),
        read: impl Future<Output = Result<T, Error>> + Send,
    ) -> Result<T, Error> {
        let stages = [stage_id];
        let (_, _, (), begun) = try_join4(
            transaction.query(HOLD_STAGES, &[&stages.as_slice()]),
            transaction.query(HOLD_NEW, &[&id]),
            self.add(transaction, id, stage_id),
            rescored(transaction, &[id], context.now(), read),
        )
        .await?;
        Ok(begun)
    }

    async fn write(&self, transaction: &Transaction, sql: &'static str, id: Uuid, stage_id: Option<Uuid>) -> Result<u64, Error> {
        let Self { name, email, phone, company, job_title, origin, campaign, closer_id, sdr_id, .. } = self;
        let Self { potential_value, expected_close, tags, custom_fields, client_id, crm_id, .. } = self;
        let value = potential_value.map(|value| value.to_string());
        let mut parameters: Vec<&(dyn tokio_postgres::types::ToSql + Sync)> = vec![
            &id,
            name,
            email,
            phone,
            company,
            job_title,
            origin,
            campaign,
            closer_id,
            sdr_id,
            &value,
            expected_close,
            tags,
            custom_fields,
            client_id,
            crm_id,
        ];
        if let Some(stage_id) = &stage_id {
            parameters.push(stage_id);
        }
        transaction.execute(sql, &parameters).await.on_constraint("leads_crm", CRM_ID_TAKEN)
    }
}
