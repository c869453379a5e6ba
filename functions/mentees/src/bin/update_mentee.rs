//! PUT /mentees/{id} — another mentor, status, entry month or goal; what is not given stays.

use futures_util::future::try_join;
use mentees::{
    mentee::{ALREADY_MENTORED, LOCKED_MENTEE, Mentee, MenteeStatus, MenteeUpdated, NOT_MENTOR, audience, named, why_not_locked},
    mentee_columns, mentee_joins,
    month::Month,
};
use shared::{
    error::{NOT_FOUND, STALE},
    money::Money,
    prelude::*,
};

const ROUTE: Route = Route::put("/mentees/{id}")
    .or(&["PATCH /mentees/{id}", "PUT /mentorados/{id}", "PATCH /mentorados/{id}"])
    .fails(&[ALREADY_MENTORED, NOT_FOUND, NOT_MENTOR, STALE.showing::<Mentee>()]);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MenteeChanges {
    /// Active staff; only supervisors name another.
    #[garde(skip)]
    mentor_id: Option<Uuid>,
    #[garde(skip)]
    entry_month: Option<Month>,
    #[garde(skip)]
    status: Option<MenteeStatus>,
    #[garde(length(chars, max = 5000))]
    goals: Option<String>,
    #[garde(skip)]
    target_revenue: Option<Money>,
    #[garde(range(min = 0, max = 1_000_000_000))]
    target_sales: Option<i32>,
}

/// No row when it stays as it is. One that goes on again has ended with nobody else's.
const UPDATE: &str = concat!(
    "with mentees as (
        update mentees
           set mentor_id = coalesce($2, mentor_id), entry_month = coalesce($3, entry_month), status = coalesce($4, status),
               goals = coalesce($5, goals), target_revenue = coalesce($6::text::numeric, target_revenue),
               target_sales = coalesce($7, target_sales), version = version + 1, updated_at = now(),
               merged_into_id = case when $4 <> 'ended' then null else merged_into_id end,
               status_before = case when $4 <> 'ended' then null else status_before end,
               ended_with = case when $4 <> 'ended' then null else ended_with end
         where id = $1
           and (mentor_id, entry_month, status, goals, target_revenue, target_sales) is distinct from
               (coalesce($2, mentor_id), coalesce($3, entry_month), coalesce($4, status), coalesce($5, goals),
                coalesce($6::text::numeric, target_revenue), coalesce($7, target_sales))
        returning *
    ) select ",
    mentee_columns!(),
    " from mentees ",
    mentee_joins!()
);

pub fn main() {
    serve(&ROUTE, update_mentee);
}

async fn update_mentee(
    context: Context,
    agent: Staff,
    Path(id): Path<Uuid>,
    if_match: IfMatch,
    Json(input): Json<MenteeChanges>,
) -> Result<Json<Mentee>, Error> {
    let MenteeChanges { mentor_id, entry_month, status, goals, target_sales, .. } = &input;
    let target_revenue = input.target_revenue.map(|amount| amount.to_string());
    let transaction = context.begin(&agent).await?;
    let (current, named) = try_join(
        transaction.first::<Mentee>(LOCKED_MENTEE, &[&id]),
        named(&transaction, None, mentor_id.unwrap_or(agent.user_id)),
    )
    .await?;
    let Some(current) = current else { return Err(why_not_locked(&transaction, id).await) };
    if_match.check(&current)?;
    let is_given_away = mentor_id.is_some_and(|mentor| mentor != current.mentor_id);
    if is_given_away && !agent.role.is_leader() {
        return Err(NOT_MENTOR.into());
    }
    named.check(false, is_given_away)?;
    let status = status.map(MenteeStatus::as_str);
    let updated = transaction.first(UPDATE, &[&id, mentor_id, entry_month, &status, goals, &target_revenue, target_sales]).await;
    let updated: Option<Mentee> = updated.on_constraint("mentees_client_key", ALREADY_MENTORED)?;
    let Some(mentee) = updated else { return transaction.commit(Json(current)).await };
    let payload = MenteeUpdated { mentee: mentee.clone() };
    let told = audience(current.mentor_id).or(audience(mentee.mentor_id));
    transaction.emit(Event::new(Topic::Company(agent.company_id), told, &payload));
    transaction.audit(id, &current, &mentee);
    transaction.commit(Json(mentee)).await
}
