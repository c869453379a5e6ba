//! POST /leads/{id}/interactions — writes down what was done with a lead; a sale closes it as won.

use futures_util::future::{try_join4, try_join5};
use leads::{
    CloseOutcome, Closing, HOLD_END_OF_PIPELINE, HOLD_LEADS, Interaction, InteractionResult, InteractionType, LEAD, Lead,
    LeadInteractionAdded, LeadStatus, MISSING_FIELDS, STAGE_AT_THE_END, Stage, enter, interaction_columns, missing_fields,
};
use scores::rescored;
use shared::{VISIBLE, error::NOT_FOUND, prelude::*, visible};
use tasks::{NewTask, insert, is_in_this_millennium};

const ROUTE: Route = Route::post("/leads/{id}/interactions").or(&["/leads/{id}/activities"]).fails(&[NOT_FOUND, MISSING_FIELDS]);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewInteraction {
    #[garde(skip)]
    r#type: InteractionType,
    #[garde(length(chars, min = 1, max = 500), custom(visible))]
    #[schemars(regex(pattern = VISIBLE))]
    summary: String,
    #[garde(length(chars, min = 1, max = 10_000))]
    details: Option<String>,
    #[garde(skip)]
    result: InteractionResult,
    /// What is to be done next.
    #[garde(length(chars, min = 1, max = 500))]
    next_step: Option<String>,
    /// By when: then the next step, or the summary where none is given, is a task of the caller's about the lead.
    #[garde(inner(custom(is_in_this_millennium)))]
    #[schemars(regex(pattern = "^2[0-9]{3}-"))]
    next_step_at: Option<Timestamp>,
    /// When it was done; now where nothing is said. What is to come is no interaction.
    #[garde(skip)]
    at: Option<Timestamp>,
}

const ADD: &str = concat!(
    "with lead_interactions as (
         insert into lead_interactions (id, lead_id, type, summary, details, result, next_step, at)
         values ($1, $2, $3, $4, $5, $6, $7, least($8, now()))
         returning *)
     select ",
    interaction_columns!(),
    " from lead_interactions"
);

/// A note to oneself is no contact.
const CONTACT: &str = "
    update leads set last_contact_at = greatest(last_contact_at, least($2, now())), version = version + 1, updated_at = now()
     where id = $1 and $3";

pub fn main() {
    serve(&ROUTE, add_lead_interaction);
}

async fn add_lead_interaction(
    context: Context,
    caller: Staff,
    Path(id): Path<Uuid>,
    _: IdempotencyKey,
    Json(input): Json<NewInteraction>,
) -> Result<Created<Interaction>, Error> {
    let NewInteraction { r#type: kind, summary, details, result, next_step, next_step_at, at } = input;
    let end = match result {
        InteractionResult::ClosedWon => Some(CloseOutcome::Won),
        InteractionResult::ClosedLost => Some(CloseOutcome::Lost),
        _ => None,
    };
    let of_kind = end.map(CloseOutcome::as_str);
    let transaction = context.begin(&caller).await?;
    let ids = [id];
    let (_, _, current, stage): (_, _, Lead, Option<Stage>) = try_join4(
        transaction.query(HOLD_END_OF_PIPELINE, &[&id, &of_kind]),
        transaction.query(HOLD_LEADS, &[&ids.as_slice()]),
        transaction.one(LEAD, &[&id]),
        transaction.first(STAGE_AT_THE_END, &[&id, &of_kind]),
    )
    .await?;
    if current.deleted_at.is_some() {
        return Err(NOT_FOUND.into());
    }
    // What has ended ends once.
    let mut ending = None;
    if let Some(stage) = stage.filter(|_| current.status == LeadStatus::Open) {
        let value = current.potential_value.filter(|_| end == Some(CloseOutcome::Won));
        let closing = Closing { reason: Some(summary.clone()), value };
        let missing = missing_fields(&stage, &current, &closing);
        if !missing.is_empty() {
            return Err(MISSING_FIELDS.in_fields(missing));
        }
        ending = Some((stage, closing));
    }
    let (now, new_id) = (context.now(), context.new_id());
    let at = at.unwrap_or(now);
    let is_contact = kind != InteractionType::Note;
    let end = async {
        match &ending {
            Some((stage, closing)) => enter(&transaction, caller.company_id, &current, stage, (None, None), closing).await,
            None => Ok(true),
        }
    };
    let task = next_step_at.map(|due_at| {
        let title: String = next_step.as_ref().unwrap_or(&summary).chars().take(200).collect();
        NewTask::about_lead(context.new_id(), title, caller.user_id, due_at, id)
    });
    let add_task = async {
        match task {
            Some(task) => insert(&transaction, caller.company_id, task).await.map(Some),
            None => Ok(None),
        }
    };
    let (_, rows, _, task, lead): (_, Vec<Interaction>, _, _, Lead) = try_join5(
        end,
        transaction.all(ADD, &[&new_id, &id, &kind.as_str(), &summary, &details, &result.as_str(), &next_step, &at]),
        transaction.execute(CONTACT, &[&id, &at, &is_contact]),
        add_task,
        rescored(&transaction, &ids, now, transaction.one(LEAD, &[&id])),
    )
    .await?;
    let interaction = rows.into_iter().next().ok_or(NOT_FOUND)?;
    lead.tell_changed(&transaction, caller.company_id, &current);
    lead.tell(&transaction, caller.company_id, &LeadInteractionAdded { interaction: &interaction });
    transaction.audit(interaction.id, &Value::Null, &interaction);
    if let Some(made) = task {
        transaction.audit(made.task.id, &Value::Null, &made.task);
    }
    transaction.commit(Created(interaction)).await
}
