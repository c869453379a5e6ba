//! POST /conversations/{id}/participants — lets somebody of the staff follow the conversation.

use conversations::{INVALID_TARGET, PARTICIPANTS, Participant, TOO_MANY_PARTICIPANTS, follow, lock};
use shared::prelude::*;

const ROUTE: Route = Route::post("/conversations/{id}/participants").fails(&[INVALID_TARGET, TOO_MANY_PARTICIPANTS]);

/// Of those who are added; what became part of another may bring more.
const MOST: usize = 20;

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewParticipant {
    #[garde(skip)]
    user_id: Uuid,
}

pub fn main() {
    serve(&ROUTE, add_participant);
}

async fn add_participant(
    context: Context,
    agent: Staff,
    Path(id): Path<Uuid>,
    Json(input): Json<NewParticipant>,
) -> Result<Made<Participant>, Error> {
    let NewParticipant { user_id } = input;
    let transaction = context.begin(&agent).await?;
    let held = lock(&transaction, id).await?;
    let is_there = held.participant_ids.contains(&user_id);
    if !is_there {
        if held.participant_ids.len() >= MOST {
            return Err(TOO_MANY_PARTICIPANTS.into());
        }
        follow(&transaction, &agent, &held, user_id, true).await?.ok_or(INVALID_TARGET)?;
    }
    let participant = transaction.one(PARTICIPANTS, &[&id, &Some(user_id)]).await?;
    transaction.commit(if is_there { Made::Before(participant) } else { Made::Now(participant) }).await
}
