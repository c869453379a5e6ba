//! What was said in a conversation, as a model reads it: data, with names instead of personal data.

use conversations::Author;
use shared::{
    ai::Mask,
    error::{INTERNAL, NOT_FOUND},
    prelude::*,
};

/// Messages that are read, the newest ones.
pub const MOST_LINES: i64 = 40;

/// Characters of one of them.
const LONGEST_LINE: usize = 1_500;

/// A conversation that the caller sees, as far as a model is told of it.
#[derive(Clone, Debug)]
pub struct Thread {
    pub id: Uuid,
    pub company_name: String,
    pub lines: Vec<Line>,
    /// When it was read, by the database's clock.
    pub read_at: Timestamp,
}

#[derive(FromRow)]
struct ThreadRow {
    company_name: String,
    lines: Value,
    read_at: Timestamp,
}

/// Something that was said.
#[derive(Clone, Debug, Deserialize)]
pub struct Line {
    pub id: Uuid,
    pub by: Author,
    /// Who wrote it, of staff.
    pub by_id: Option<Uuid>,
    /// The words, or what kind of message it is.
    pub text: String,
    /// Whether they are the words.
    pub has_words: bool,
}

/// What clients write has the provider's second, so that within one only the order in which it came tells question from answer.
const THREAD: &str = "
    select (select companies.name from companies where companies.id = conversations.company_id) as company_name,
           clock_timestamp() as read_at,
           (select coalesce(jsonb_agg(jsonb_build_object(
                        'id', line.id, 'by', line.sender_type, 'by_id', line.sender_id,
                        'has_words', line.body <> '',
                        'text', case when line.body <> '' then line.body else '(' || line.kind || ')' end)
                    order by case when conversations.imported_at is null then line.created_at else line.sent_at end, line.sent_at, line.id), '[]')
              from (select id, sender_type, sender_id, body, kind, sent_at, created_at
                      from messages
                     where messages.conversation_id = conversations.id and messages.kind <> 'reaction' and messages.deleted_at is null
                     order by messages.sent_at desc, messages.id desc
                     limit $2) line) as lines
      from conversations
     where conversations.id = $1";

impl Thread {
    /// The last messages of a conversation that the caller sees.
    ///
    /// # Errors
    /// 404 when they see none; as the database fails.
    pub async fn read(transaction: &Transaction, conversation_id: Uuid) -> Result<Self, Error> {
        let row: Option<ThreadRow> = transaction.first(THREAD, &[&conversation_id, &MOST_LINES]).await?;
        let ThreadRow { company_name, lines, read_at } = row.ok_or(NOT_FOUND)?;
        let lines = serde_json::from_value(lines).map_err(|error| INTERNAL.caused_by(error))?;
        Ok(Self { id: conversation_id, company_name, lines, read_at })
    }

    /// The last message, where there is one.
    #[must_use]
    pub fn last_id(&self) -> Option<Uuid> {
        self.lines.last().map(|line| line.id)
    }

    /// Whether anybody has written anything.
    #[must_use]
    pub fn has_words(&self) -> bool {
        self.lines.iter().any(|line| line.has_words)
    }

    /// What the client has written since anybody answered them, in order: their question.
    #[must_use]
    pub fn question(&self) -> Option<String> {
        together(self.lines.iter().rev().take_while(|line| line.by == Author::Client))
    }

    /// What the client has written last, answered or not.
    #[must_use]
    pub fn last_words(&self) -> Option<String> {
        let is_written = |line: &&Line| line.by == Author::Client && line.has_words;
        together(self.lines.iter().rev().skip_while(|line| !is_written(line)).take_while(is_written))
    }

    /// All that the client has said.
    #[must_use]
    pub fn said_by_client(&self) -> Vec<String> {
        self.lines.iter().filter(|line| line.by == Author::Client).map(|line| line.text.clone()).collect()
    }

    /// The words of one of staff, for how they write.
    #[must_use]
    pub fn voice(&self, user_id: Uuid, mask: &mut Mask) -> Vec<String> {
        let own = self.lines.iter().filter(|line| line.by_id == Some(user_id) && line.has_words);
        own.map(|line| mask.hide(&line.text)).collect()
    }

    /// For a model.
    pub fn told(&self, mask: &mut Mask) -> Value {
        let line = |line: &Line| {
            let text: String = line.text.chars().take(LONGEST_LINE).collect();
            json!({"from": line.by.as_str(), "text": mask.hide(&text)})
        };
        self.lines.iter().map(line).collect()
    }
}

/// The words of lines that come the newest first, in order; `None` where there are none.
fn together<'a>(lines: impl Iterator<Item = &'a Line>) -> Option<String> {
    let mut words: Vec<&str> = lines.filter(|line| line.has_words).map(|line| line.text.as_str()).collect();
    words.reverse();
    (!words.is_empty()).then(|| words.join("\n"))
}
