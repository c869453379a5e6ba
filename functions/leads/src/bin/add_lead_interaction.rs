//! POST /leads/{id}/interactions — writes down what was done with a lead; a sale closes it as won.

use futures_util::future::{try_join, try_join4};
use leads::{
    Closing, HOLD_LEADS, HOLD_STAGES_OF_PIPELINE, Interaction, InteractionResult, InteractionType, LEAD, Lead, LeadInteractionAdded,
    LeadStatus, MISSING_FIELDS, STAGES_AT_THE_END, Stage, enter, interaction_columns, missing_fields,
};
use scores::rescore;
use shared::{VISIBLE, error::NOT_FOUND, prelude::*, visible};

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
