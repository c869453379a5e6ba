//! What a client thinks of how they were served: the question when their conversation is closed, and what counts as its answer.

use shared::prelude::*;

use crate::{
    Conversation, ConversationUpdated, MessageCreated, MessageKind, Variables, Written, conversation_columns, conversation_joins,
    emit_conversation, emit_message, enqueue_delivery, message_columns, message_joins, preview,
};

/// The text of a company that has set none.
const DEFAULT_TEXT: &str = "Como foi o seu atendimento? Responda com uma nota de 1 a 5, sendo 1 muito ruim e 5 excelente.";

/// Characters that WhatsApp takes above a list.
const LONGEST: usize = 1024;

/// What WhatsApp shows beside the figures.
const WORDS: [&str; 5] = ["Muito ruim", "Ruim", "Regular", "Bom", "Excelente"];

/// The company's words about it.
pub const RATING_SETTINGS: &str = "
    select asks_rating, rating_text, (select name from users where id = app.user_id()) as closed_by from companies where id = $1";

/// An answer to `RATING_SETTINGS`.
#[derive(Debug, FromRow)]
pub struct RatingSettings {
    pub asks_rating: bool,
    rating_text: Option<String>,
    closed_by: Option<String>,
}

/// The questions go out in the name of whoever closes, and not at all once somebody has opened the conversation again (the fence).
const ASK: &str = concat!(
    "with asked as (
        select *
          from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[]) asked (message_id, conversation_id, body, preview)
    ), new_message as (
        insert into messages (id, conversation_id, channel_account_id, sender_type, sender_id, kind, body, payload, status, sent_at, fence)
        select asked.message_id, conversations.id, conversations.channel_account_id, 'agent', app.user_id(), 'interactive', asked.body, $5,
               'queued', clock_timestamp(), conversations.version
          from asked
          join conversations on conversations.id = asked.conversation_id
        returning *
    ), updated as (
        update conversations
           set last_message_at = new_message.sent_at,
               last_message_id = new_message.id,
               last_message_preview = asked.preview,
               last_message_from = 'agent',
               rating_message_id = new_message.id
          from new_message
          join asked on asked.message_id = new_message.id
         where conversations.id = new_message.conversation_id
        returning conversations.*
    )
    select ",
    conversation_columns!(),
    ", (select to_jsonb(message) from (select ",
    message_columns!(),
    " from new_message as messages ",
    message_joins!(),
    " where messages.conversation_id = conversations.id) message) as message
      from updated as conversations ",
    conversation_joins!()
);

impl RatingSettings {
    /// Asks the clients of closed conversations, which are theirs to answer. Answers the conversations as they are then.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn ask(
        &self,
        context: &Context,
        transaction: &Transaction,
        by: &Identity,
        closed: &[&Conversation],
    ) -> Result<Vec<Conversation>, Error> {
        if closed.is_empty() {
            return Ok(Vec::new());
        }
        let bodies: Vec<String> = closed.iter().map(|conversation| self.text(conversation)).collect();
        let previews: Vec<String> = bodies.iter().map(|body| preview(MessageKind::Interactive.as_str(), body)).collect();
        let message_ids: Vec<Uuid> = closed.iter().map(|_| context.new_id()).collect();
        let ids: Vec<Uuid> = closed.iter().map(|conversation| conversation.id).collect();
        let asked: Vec<Written> = transaction.all(ASK, &[&message_ids, &ids, &bodies, &previews, &choices()]).await?;
        let told = asked.into_iter().map(|Written { conversation, message }| {
            enqueue_delivery(context, transaction, &conversation, message.id);
            emit_message(transaction, &conversation, &MessageCreated { message });
            emit_conversation::<ConversationUpdated>(transaction, by.company_id, &conversation, Some(by.user_id), None);
            conversation
        });
        Ok(told.collect())
    }

    fn text(&self, conversation: &Conversation) -> String {
        let text = self.rating_text.as_deref().map(str::trim).filter(|text| !text.is_empty()).unwrap_or(DEFAULT_TEXT);
        let variables = Variables {
            client_name: Some(conversation.client_name.clone()),
            agent_name: conversation.assignee_name.clone().or_else(|| self.closed_by.clone()),
            protocol: Some(conversation.protocol.clone()),
        };
        variables.render(text).chars().take(LONGEST).collect()
    }
}

/// A list to tap, the best first.
fn choices() -> Value {
    let options = WORDS.iter().enumerate().rev();
    let options = options.map(|(place, words)| {
        let figure = (place + 1).to_string();
        json!({"id": format!("rating:{figure}"), "title": figure, "description": words})
    });
    json!({"automatic": true, "button": "Dar nota", "options": options.collect::<Vec<_>>()})
}

/// What a client's message says, if it says a figure from 1 to 5 and nothing else: `5`, `Nota 5`, `5️⃣`, or a tap on one.
#[must_use]
pub fn rating_said(kind: &str, body: &str, payload: &Value) -> Option<i16> {
    let said = match kind {
        "text" => body,
        "interactive" => payload["reply"]["id"].as_str()?.strip_prefix("rating:")?,
        _ => return None,
    };
    let said = said.trim().to_lowercase();
    let said = said.strip_prefix("nota").map_or(said.as_str(), |rest| rest.trim_start_matches([' ', ':']));
    // The figure as an emoji has two more characters.
    let said = said.trim_end_matches(['.', '!', ' ', '\u{fe0f}', '\u{20e3}']);
    match said {
        "1" => Some(1),
        "2" => Some(2),
        "3" => Some(3),
        "4" => Some(4),
        "5" => Some(5),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use shared::prelude::{Value, json};

    use super::{choices, rating_said};

    #[test]
    fn a_figure_alone_is_a_rating() {
        let said = |body: &str| rating_said("text", body, &Value::Null);
        for body in ["5", " 5 ", "5\u{fe0f}\u{20e3}", "5\u{20e3}", "nota 5", "Nota: 5", "NOTA 5!", "5.", "nota5"] {
            assert_eq!(said(body), Some(5), "{body}");
        }
        for body in ["", "0", "6", "55", "5 5", "-5", "5 estrelas", "nota", "nota dez", "Obrigado, 5", "1/5", "4,5", "４"] {
            assert_eq!(said(body), None, "{body}");
        }
        assert_eq!(rating_said("document", "5", &Value::Null), None);
    }

    #[test]
    fn a_tap_is_the_figure_that_was_tapped() {
        let tapped =
            |id: &str| rating_said("interactive", "5", &json!({"type": "list_reply", "reply": {"id": id, "title": "5"}}));
        assert_eq!(tapped("rating:4"), Some(4));
        assert_eq!(tapped("courses"), None);
        assert_eq!(rating_said("interactive", "5", &json!({})), None);
        let offered: Vec<Option<i16>> =
            choices()["options"].as_array().unwrap().iter().map(|option| tapped(option["id"].as_str().unwrap())).collect();
        assert_eq!(offered, [Some(5), Some(4), Some(3), Some(2), Some(1)]);
    }
}
