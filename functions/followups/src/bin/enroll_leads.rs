//! POST /followups/sequences/{id}/enroll — takes leads into a sequence that runs: those who are named, or whoever meets its criteria.

use followups::{
    enrol::{Audience, MANY_LEADS, MOST_AT_ONCE, ManyLeads, NEVER_OPEN, Said, enroll_later},
    sequence::{SEQUENCE, Sequence},
};
use futures_util::future::try_join3;
use shared::{error::NOT_FOUND, prelude::*};

const IS_PAUSED: Problem =
    Problem::new(409, "sequence_paused", "Esta sequência está pausada.", "This sequence is paused.").showing::<Sequence>();

const ROUTE: Route = Route::post("/followups/sequences/{id}/enroll").fails(&[NOT_FOUND, IS_PAUSED, MANY_LEADS, NEVER_OPEN]);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "FollowupEnrollment")]
struct Enrollment {
    /// Whoever these are, as far as the caller sees them; open leads who have not opted out.
    #[garde(length(min = 1, max = 500))]
    #[schemars(length(min = 1, max = 500))]
    lead_ids: Option<Vec<Uuid>>,
    /// Of the named ones also who went through it before.
    #[garde(skip)]
    #[serde(default)]
    again: bool,
    /// That more than 500 leads are taken in at once is meant.
    #[garde(skip)]
    #[serde(default)]
    confirm: bool,
}

/// What came of it.
#[derive(Debug, Serialize, JsonSchema)]
struct EnrolledLeads {
    /// How many were taken in now.
    enrolled: i64,
    /// They are more than 500: all are taken in within minutes.
    is_queued: bool,
}

pub fn main() {
    serve(&ROUTE, enroll_leads);
}

async fn enroll_leads(
    context: Context,
    caller: Staff,
    Path(id): Path<Uuid>,
    _: IdempotencyKey,
    Json(input): Json<Enrollment>,
) -> Result<Json<EnrolledLeads>, Error> {
    let transaction = context.begin(&caller).await?;
    let sequence: Sequence = transaction.one(SEQUENCE, &[&id]).await?;
    if !sequence.is_active {
        return Err(IS_PAUSED.with_current(&sequence));
    }
    let again = input.again && input.lead_ids.is_some();
    let audience = Audience { again, lead_ids: input.lead_ids, ..Audience::of(&sequence) };
    let (count, first, said) =
        try_join3(audience.count(&transaction), audience.first(&transaction, MOST_AT_ONCE), Said::read(&transaction)).await?;
    let is_queued = count > MOST_AT_ONCE;
    if is_queued && !input.confirm {
        return Err(MANY_LEADS.with_current(&ManyLeads { count }));
    }
    let enrolled = if is_queued {
        enroll_later(&context, &transaction, id);
        0
    } else {
        audience.enroll(&context, &transaction, &said, (&first, false)).await?
    };
    transaction.audit(id, &Value::Null, &json!({"enrolled": enrolled, "is_queued": is_queued}));
    transaction.commit(Json(EnrolledLeads { enrolled, is_queued })).await
}
