//! What a task is about, and whose it is: of the company, and seen by whoever says so.

use shared::{
    error::{FieldProblem, refuse},
    prelude::*,
};

/// What a task is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Links {
    pub lead_id: Option<Uuid>,
    pub client_id: Option<Uuid>,
    pub mentee_id: Option<Uuid>,
    pub conversation_id: Option<Uuid>,
}

/// What is named and the caller sees. Nobody moves the conversation out of their sight until the task is there.
const PLACES: &str = "
    with conversation as materialized (select client_id from conversations where id = $1 for share)
    select (select client_id from conversation) as conversation_client_id,
           (select client_id from mentees where id = $2) as mentee_client_id,
           exists (select from clients where id = $3 and merged_into_id is null) as has_client,
           exists (select from leads where id = $4 and deleted_at is null) as has_lead,
           exists (select from memberships
                    where user_id = $5 and status = 'active' and role <> 'student') as has_owner";

#[derive(Debug, FromRow)]
pub struct Places {
    conversation_client_id: Option<Uuid>,
    mentee_client_id: Option<Uuid>,
    has_client: bool,
    has_lead: bool,
    has_owner: bool,
}

/// What of the links, and whether the owner, is there.
///
/// # Errors
/// As `Transaction::query`.
pub async fn places(transaction: &Transaction, links: &Links, owner: Uuid) -> Result<Places, Error> {
    let Links { lead_id, client_id, mentee_id, conversation_id } = links;
    transaction.one(PLACES, &[conversation_id, mentee_id, client_id, lead_id, &owner]).await
}

impl Places {
    /// The links as they are kept, with the client of a conversation or a mentee; only what was not so before is judged.
    ///
    /// # Errors
    /// 422 for each link to nothing that the caller sees, for clients that do not go together, and for an owner who is no active staff.
    pub fn judge(&self, wanted: &Links, before: &Links, is_owner_new: bool) -> Result<Links, Error> {
        let is_new = |of: fn(&Links) -> Option<Uuid>| of(wanted).is_some() && of(wanted) != of(before);
        let lacks = |of: fn(&Links) -> Option<Uuid>, is_there: bool| is_new(of) && !is_there;
        let missing = [
            (lacks(|links| links.lead_id, self.has_lead), "lead_id", "Lead não encontrado.", "No such lead."),
            (lacks(|links| links.client_id, self.has_client), "client_id", "Cliente não encontrado.", "No such client."),
            (
                lacks(|links| links.mentee_id, self.mentee_client_id.is_some()),
                "mentee_id",
                "Mentorado não encontrado.",
                "No such mentee.",
            ),
            (
                lacks(|links| links.conversation_id, self.conversation_client_id.is_some()),
                "conversation_id",
                "Conversa não encontrada.",
                "No such conversation.",
            ),
        ];
        let missing = missing.into_iter().filter(|(is_missing, ..)| *is_missing);
        let missing = missing.map(|(_, field, portuguese, english)| FieldProblem::new(field, "not_found", portuguese, english));
        let owner = (is_owner_new && !self.has_owner).then(|| FieldProblem::not_active_staff("owner_id"));
        let of_conversation = wanted.conversation_id.and(self.conversation_client_id);
        let of_mentee = wanted.mentee_id.and(self.mentee_client_id);
        let differs = |one: Option<Uuid>, other: Option<Uuid>| one.zip(other).is_some_and(|(one, other)| one != other);
        let client = wanted.client_id.filter(|_| is_new(|links| links.client_id));
        let is_other = differs(client, of_conversation.or(of_mentee)).then(|| {
            let (portuguese, english) =
                ("Não é o cliente da conversa ou do mentorado.", "Not the client of the conversation or the mentee.");
            FieldProblem::new("client_id", "another_client", portuguese, english)
        });
        let goes_apart = differs(of_mentee, of_conversation).then(|| {
            let (portuguese, english) = ("Não é o cliente desta conversa.", "Not the client of this conversation.");
            FieldProblem::new("mentee_id", "another_client", portuguese, english)
        });
        refuse(missing.chain(owner).chain(is_other).chain(goes_apart))?;
        Ok(Links { client_id: of_conversation.or(of_mentee).or(wanted.client_id), ..*wanted })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: Places =
        Places { conversation_client_id: None, mentee_client_id: None, has_client: false, has_lead: false, has_owner: true };

    const fn id(number: u128) -> Uuid {
        Uuid::from_u128(number)
    }

    #[test]
    fn only_what_is_new_is_judged() {
        let links = Links { lead_id: Some(id(1)), client_id: Some(id(2)), mentee_id: Some(id(3)), conversation_id: Some(id(4)) };
        assert!(NOTHING.judge(&links, &Links::default(), false).is_err());
        assert_eq!(NOTHING.judge(&links, &links, false).unwrap(), links);
        assert_eq!(NOTHING.judge(&Links::default(), &links, false).unwrap(), Links::default());
        assert!(Places { has_owner: false, ..NOTHING }.judge(&links, &links, true).is_err());
    }

    #[test]
    fn the_client_is_that_of_the_conversation_or_the_mentee() {
        let places = Places { conversation_client_id: Some(id(7)), mentee_client_id: Some(id(7)), has_client: true, ..NOTHING };
        let of_conversation = Links { conversation_id: Some(id(4)), ..Links::default() };
        assert_eq!(places.judge(&of_conversation, &Links::default(), false).unwrap().client_id, Some(id(7)));
        let of_mentee = Links { mentee_id: Some(id(3)), ..Links::default() };
        assert_eq!(places.judge(&of_mentee, &Links::default(), false).unwrap().client_id, Some(id(7)));
        let another = Links { client_id: Some(id(2)), ..of_conversation };
        assert!(places.judge(&another, &Links::default(), false).is_err());
        // What was there of another one gives way to the conversation that comes.
        let had = Links { client_id: Some(id(2)), ..Links::default() };
        assert_eq!(places.judge(&another, &had, false).unwrap().client_id, Some(id(7)));
        let apart = Places { mentee_client_id: Some(id(8)), ..places };
        assert!(apart.judge(&Links { mentee_id: Some(id(3)), ..of_conversation }, &Links::default(), false).is_err());
    }
}
