//! POST /followups/sequences/{id}/preview — who would be taken in, and when each step would run for them. Changes nothing.

use followups::{
    enrol::{Audience, Candidate, MOST_AT_ONCE, NEVER_OPEN, Said},
    sequence::{SEQUENCE, Sequence},
    step::StepKind,
    window::zone_of,
};
use futures_util::future::try_join3;
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::post("/followups/sequences/{id}/preview").fails(&[NOT_FOUND, NEVER_OPEN]);

/// Leads that are shown.
const MOST: i64 = 20;

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "FollowupAsked")]
struct Asked {
    /// Whoever these are, in place of those who meet the criteria.
    #[garde(length(min = 1, max = 500))]
    #[schemars(length(min = 1, max = 500))]
    lead_ids: Option<Vec<Uuid>>,
    /// As if they were taken in then; now without it.
    #[garde(skip)]
    at: Option<Timestamp>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct SequencePreview {
    /// How many would be taken in.
    count: i64,
    /// So many that it has to be confirmed.
    needs_confirmation: bool,
    /// When the steps would run for somebody where the company is.
    runs: Vec<PlannedRun>,
    /// The first twenty of them, the oldest first.
    leads: Vec<PlannedLead>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct PlannedLead {
    lead_id: Uuid,
    name: String,
    time_zone: String,
    /// Whether the lead says so; else it is the company's.
    is_own_zone: bool,
    runs: Vec<PlannedRun>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct PlannedRun {
    step: usize,
    kind: StepKind,
    at: Timestamp,
}

pub fn main() {
    serve(&ROUTE, preview_sequence);
}

async fn preview_sequence(
    context: Context,
    caller: Staff,
    Path(id): Path<Uuid>,
    Json(Asked { lead_ids, at }): Json<Asked>,
) -> Result<Json<SequencePreview>, Error> {
    let transaction = context.begin(&caller).await?;
    let sequence: Sequence = transaction.one(SEQUENCE, &[&id]).await?;
    let audience = Audience { lead_ids, ..Audience::of(&sequence) };
    let from = at.unwrap_or_else(|| context.now());
    let (count, first, said) =
        try_join3(audience.count(&transaction), audience.first(&transaction, MOST), Said::read(&transaction)).await?;
    let plan = |lead: Candidate| planned(&audience, &said, lead, from);
    let leads = first.into_iter().map(plan).collect::<Result<_, Error>>()?;
    let runs = runs(&audience, &said, None, from)?;
    let needs_confirmation = count > MOST_AT_ONCE;
    Ok(Json(SequencePreview { count, needs_confirmation, runs, leads }))
}

fn planned(audience: &Audience, said: &Said, lead: Candidate, from: Timestamp) -> Result<PlannedLead, Error> {
    let (zone, is_own_zone) = zone_of(lead.zone.as_deref(), &said.time_zone);
    let time_zone = zone.iana_name().unwrap_or(&said.time_zone).to_owned();
    let runs = runs(audience, said, lead.zone.as_deref(), from)?;
    Ok(PlannedLead { lead_id: lead.id, name: lead.name, time_zone, is_own_zone, runs })
}

fn runs(audience: &Audience, said: &Said, zone: Option<&str>, from: Timestamp) -> Result<Vec<PlannedRun>, Error> {
    let (zone, _) = zone_of(zone, &said.time_zone);
    let times = audience.plan(said, &zone, from).map_err(|_| NEVER_OPEN)?;
    let steps = audience.steps.0.iter().zip(times).enumerate();
    Ok(steps.map(|(step, (of, at))| PlannedRun { step, kind: of.kind, at }).collect())
}
