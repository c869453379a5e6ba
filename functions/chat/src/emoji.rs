//! What people react with: an emoji of Unicode, whatever its tone of skin, or one of the company's own.

use shared::{error::FieldProblem, prelude::*};

pub const EMOJI_TAKEN: Problem =
    Problem::new(409, "name_taken", "Já existe um emoji com este nome.", "An emoji with this name exists already.");
pub const TOO_MANY_EMOJI: Problem =
    Problem::new(409, "too_many", "A empresa já tem 500 emojis.", "The company has 500 emoji already.");

/// A name of one of the company's, between colons.
pub const OWN_EMOJI: &str = "^[a-z0-9_]{2,32}$";

/// An emoji of the company's.
#[derive(Clone, Debug, Serialize, JsonSchema, FromRow)]
pub struct CompanyEmoji {
    pub id: Uuid,
    /// It is written between colons: `:parabens:`.
    pub name: String,
    pub file_id: Uuid,
    pub created_by_id: Uuid,
    pub created_at: Timestamp,
}

/// The company's emoji are others than they were: read them anew.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ChatEmojiUpdated {
    pub name: String,
}
event!(ChatEmojiUpdated = "chat.emoji_updated");

/// The name between the colons.
#[must_use]
pub fn own_name(emoji: &str) -> Option<&str> {
    let name = emoji.strip_prefix(':')?.strip_suffix(':')?;
    let is_name = (2..=32).contains(&name.len()) && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'));
    is_name.then_some(name)
}

/// The rule of reactions.
#[expect(clippy::missing_errors_doc, reason = "a rule of garde")]
pub fn one_emoji(emoji: &str, (): &()) -> garde::Result {
    if own_name(emoji).is_some() { Ok(()) } else { shared::one_emoji(emoji, &()) }
}

/// An emoji that the company does not have.
#[must_use]
pub fn unknown_emoji() -> FieldProblem {
    FieldProblem::new("emoji", "unknown_emoji", "A empresa não tem este emoji.", "The company does not have this emoji.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_emoji_is_one_sign_or_one_of_the_companys() {
        for emoji in ["👍", "👍🏽", "👩‍👩‍👧‍👦", "🇧🇷", "❤️", ":parabens:", ":ok_2:"] {
            assert!(one_emoji(emoji, &()).is_ok(), "{emoji}");
        }
        for text in ["", "a", "👍👍", "👍 ", ":a:", "::", ":Parabéns:", "parabens", ":p:b:"] {
            assert!(one_emoji(text, &()).is_err(), "{text}");
        }
    }
}
