//! GET /setup/status — what is missing before going live, found out now: WhatsApp, the language model, the front end and our own services are asked.

use std::time::Duration;

use setup::{
    checks,
    steps::{Step, StepState},
};
use shared::prelude::*;

/// Each asks others something.
const ROUTE: Route = Route::get("/setup/status").needs(Privilege::Files).limit(20, Duration::from_mins(1));

reads!(PUBLIC_API_URL, REACHABLE_INSIDE, WHATSAPP_GRAPH_URL, WHATSAPP_GRAPH_VERSION);

/// What was found, step by step.
#[derive(Serialize, JsonSchema)]
struct SetupStatus {
    /// Whether nothing is failing or missing that everybody needs: a channel that works, and our own services.
    ready: bool,
    steps: Vec<Step>,
    checked_at: Timestamp,
}

pub fn main() {
    serve(&ROUTE, get_setup_status);
}

async fn get_setup_status(context: Context, caller: Admin) -> Result<Json<SetupStatus>, Error> {
    let transaction = context.begin(&caller).await?;
    let known = checks::read(&transaction).await?;
    // Nothing is held open while others are asked.
    transaction.commit_unaudited().await?;
    let found = checks::check_all(&context, &known).await;
    let language = context.origin().language;
    let steps: Vec<Step> = found.into_iter().map(|finding| finding.told_in(language)).collect();
    let ready =
        steps.iter().all(|step| step.state != StepState::Failing && (step.state != StepState::Missing || !step.key.is_needed()));
    Ok(Json(SetupStatus { ready, steps, checked_at: context.now() }))
}
