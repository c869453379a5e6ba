//! POST /mentees — a client begins to be mentored.

use mentees::{
    mentee::{ALREADY_MENTORED, MENTEE_OF_CLIENT, Mentee, MenteeCreated, MenteeStatus, NOT_MENTOR, named, tell},
    mentee_columns, mentee_joins,
    month::Month,
};
use shared::{money::Money, prelude::*};

const ROUTE: Route = Route::post("/mentees").or(&["/mentorados"]).fails(&[ALREADY_MENTORED, NOT_MENTOR]);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewMentee {
    #[garde(skip)]
    client_id: Uuid,
    /// Active staff; the caller without it. Only supervisors name somebody else.
    #[garde(skip)]
    mentor_id: Option<Uuid>,
    /// The present month without it.
    #[garde(skip)]
    entry_month: Option<Month>,
    /// `active` without it.
    #[garde(skip)]
    status: Option<MenteeStatus>,
    #[garde(length(chars, max = 5000))]
    goals: Option<String>,
    /// Of a month.
    #[garde(skip)]
    target_revenue: Option<Money>,
    /// Of a month.
    #[garde(range(min = 0, max = 1_000_000_000))]
    target_sales: Option<i32>,
}

/// No row when the client is being mentored.
const CREATE: &str = concat!(
    "with mentees as (
        insert into mentees (id, client_id, mentor_id, entry_month, status, goals, target_revenue, target_sales)
        values ($1, $2, $3, $4, $5, coalesce($6, ''), $7::text::numeric, $8)
        on conflict (company_id, client_id) where status <> 'ended' do nothing
        returning *
    ) select ",
    mentee_columns!(),
    " from mentees ",
    mentee_joins!()
);

pub fn main() {
    serve(&ROUTE, create_mentee);
}

async fn create_mentee(
    context: Context,
    agent: Staff,
    _: IdempotencyKey,
    Json(input): Json<NewMentee>,
) -> Result<Created<Mentee>, Error> {
    let NewMentee { client_id, goals, target_sales, .. } = &input;
    let target_revenue = input.target_revenue.map(|amount| amount.to_string());
    let mentor = input.mentor_id.unwrap_or(agent.user_id);
    if mentor != agent.user_id && !agent.role.is_leader() {
        return Err(NOT_MENTOR.into());
    }
    let transaction = context.begin(&agent).await?;
    let named = named(&transaction, Some(*client_id), mentor).await?;
    named.check(true, true)?;
    let entry = input.entry_month.unwrap_or_else(|| Month::at(context.now(), &named.time_zone));
    let status = input.status.unwrap_or(MenteeStatus::Active).as_str();
    let id = context.new_id();
    let created: Option<Mentee> =
        transaction.first(CREATE, &[&id, client_id, &mentor, &entry, &status, goals, &target_revenue, target_sales]).await?;
    let Some(mentee) = created else {
        let current: Option<Mentee> = transaction.first(MENTEE_OF_CLIENT, &[client_id]).await?;
        return Err(current.map_or_else(|| ALREADY_MENTORED.into(), |current| ALREADY_MENTORED.with_current(&current)));
    };
    tell(&transaction, agent.company_id, mentor, &MenteeCreated { mentee: mentee.clone() });
    transaction.audit(id, &Value::Null, &mentee);
    transaction.commit(Created(mentee)).await
}
