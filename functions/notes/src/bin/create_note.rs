//! POST /notes — a note on a client, or on a conversation and its client.

use futures_util::future::join;
use notes::{NoteCreated, PlacedNote, WrittenNote, mentioned, note_columns, note_joins};
use shared::{
    error::{FieldProblem, INVALID},
    prelude::*,
};

const ROUTE: Route = Route::post("/notes");

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = one_or_both)]
struct NewNote {
    /// Not needed beside a conversation, whose client it must be.
    #[garde(custom(a_place(&self.conversation_id)))]
    client_id: Option<Uuid>,
    #[garde(skip)]
    conversation_id: Option<Uuid>,
    /// Markdown.
    #[garde(length(chars, min = 1, max = 10_000))]
    text: String,
    /// Active staff of this company; they are told where they see the note.
    #[garde(length(max = 20))]
    #[serde(default)]
    mention_ids: Vec<Uuid>,
    #[garde(skip)]
    #[serde(default)]
    is_pinned: bool,
}

/// The client of the note, and that of its conversation, which nobody moves out of the caller's sight until the note is there.
const PLACE: &str = "
    with conversation as materialized (select client_id from conversations where id = $2 for share)
    select (select id from clients where id = $1 and merged_into_id is null) as client_id,
           (select client_id from conversation) as conversation_client_id";

const CREATE: &str = concat!(
    "with notes as (
        insert into notes (id, client_id, conversation_id, text, mention_ids, is_pinned)
        values ($1, $2, $3, $4, $5, $6)
        returning *
    ) select ",
    note_columns!(),
    " from notes ",
    note_joins!()
);

#[derive(FromRow)]
struct Place {
    client_id: Option<Uuid>,
    conversation_client_id: Option<Uuid>,
}

pub fn main() {
    serve(&ROUTE, create_note);
}

async fn create_note(
    context: Context,
    agent: Staff,
    _: IdempotencyKey,
    Json(mut input): Json<NewNote>,
) -> Result<Created<WrittenNote>, Error> {
    input.mention_ids.sort_unstable();
    input.mention_ids.dedup();
    let NewNote { client_id, conversation_id, text, mention_ids, is_pinned } = &input;
    let transaction = context.begin(&agent).await?;
    let (place, mentioned) = join(
        transaction.one::<Place>(PLACE, &[client_id, conversation_id]),
        mentioned(&transaction, mention_ids, *conversation_id),
    )
    .await;
    let (place, mentioned) = (place?, mentioned?);
    let client_id = client_of(&input, &place)?;
    let id = context.new_id();
    let placed: PlacedNote = transaction.one(CREATE, &[&id, &client_id, conversation_id, text, mention_ids, is_pinned]).await?;
    placed.tell(&transaction, agent.company_id, &NoteCreated { note: placed.note.clone() });
    transaction.audit(id, &Value::Null, &placed.note);
    let written = placed.tell_mentioned(&transaction, &mentioned);
    transaction.commit(Created(written)).await
}

fn client_of(input: &NewNote, place: &Place) -> Result<Uuid, Error> {
    let problem = |field: &str, code, portuguese, english| {
        Err(INVALID.in_fields(vec![FieldProblem::new(field, code, portuguese, english)]))
    };
    match (input.conversation_id, place.conversation_client_id, input.client_id, place.client_id) {
        (Some(_), None, ..) => problem("conversation_id", "not_found", "Conversa não encontrada.", "No such conversation."),
        (_, _, Some(_), None) => problem("client_id", "not_found", "Cliente não encontrado.", "No such client."),
        (_, Some(theirs), Some(given), _) if theirs != given => {
            let (portuguese, english) = ("Não é o cliente desta conversa.", "Not the client of this conversation.");
            problem("client_id", "not_of_conversation", portuguese, english)
        }
        (_, Some(client), ..) | (_, None, _, Some(client)) => Ok(client),
        (None, None, None, None) => problem("client_id", "required", "Informe o cliente.", "Give the client."),
    }
}

fn a_place(conversation: &Option<Uuid>) -> impl FnOnce(&Option<Uuid>, &()) -> garde::Result {
    move |client, ()| {
        if client.is_some() || conversation.is_some() {
            return Ok(());
        }
        let (portuguese, english) = ("Informe um cliente, uma conversa ou os dois.", "Give a client, a conversation or both.");
        Err(shared::rule("required", portuguese, english))
    }
}

/// As `a_place` says it, for the description.
fn one_or_both(schema: &mut schemars::Schema) {
    let with =
        |given: &str| json!({"title": given, "type": "object", "required": [given], "properties": {given: {"type": "string"}}});
    schema.insert("anyOf".into(), json!([with("client_id"), with("conversation_id")]));
}
