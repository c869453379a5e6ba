//! Who an event is for. The same keys decide in the feed (a policy in Postgres) and on sockets (the connection's own keys).

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Who is in channels of the team.
pub type ChannelPeople = HashMap<Uuid, Vec<Uuid>>;

/// Who may see an event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Audience(Option<Vec<String>>);

/// As rows have it.
impl From<Option<Vec<String>>> for Audience {
    fn from(keys: Option<Vec<String>>) -> Self {
        Self(keys)
    }
}

impl Audience {
    /// All staff of the company.
    #[must_use]
    pub fn staff() -> Self {
        Self(None)
    }

    /// One user and nobody else, not even supervisors.
    #[must_use]
    pub fn user(user_id: Uuid) -> Self {
        Self(Some(vec![format!("self:{user_id}")]))
    }

    /// The company's admins and nobody else, not even supervisors.
    #[must_use]
    pub fn admins() -> Self {
        Self(Some(vec!["self:admins".to_owned()]))
    }

    /// Who is in a channel of the team, and nobody else: when it is told on sockets, and when it is read in the feed.
    #[must_use]
    pub fn channel(channel_id: Uuid) -> Self {
        Self(Some(vec![format!("channel:{channel_id}")]))
    }

    /// The channel that it is for.
    #[must_use]
    pub fn channel_id(&self) -> Option<Uuid> {
        self.0.as_ref()?.first()?.strip_prefix("channel:")?.parse().ok()
    }

    /// For a channel, each of its people; else as it is.
    #[must_use]
    pub fn with_people(self, people: &ChannelPeople) -> Self {
        let Some(channel_id) = self.channel_id() else { return self };
        let people = people.get(&channel_id).into_iter().flatten();
        // Nobody is nobody: no keys at all would be anybody who sees all.
        Self(Some(["self:nobody".to_owned()].into_iter().chain(people.map(|id| format!("self:{id}"))).collect()))
    }

    /// Those who see a conversation in this department with this assignee; supervisors always do.
    #[must_use]
    pub fn conversation(department_id: Option<Uuid>, assignee_id: Option<Uuid>) -> Self {
        let department = department_id.map_or_else(|| "none".to_owned(), |id| id.to_string());
        let mut keys = vec![format!("department:{department}")];
        match assignee_id {
            Some(user_id) => keys.push(format!("user:{user_id}")),
            None => keys.push(format!("waiting:{department}")),
        }
        Self(Some(keys))
    }

    /// Also those who follow it.
    #[must_use]
    pub fn and_participants(mut self, participant_ids: &[Uuid]) -> Self {
        if let Some(keys) = &mut self.0 {
            keys.extend(participant_ids.iter().map(|id| format!("user:{id}")));
        }
        self
    }

    /// Also the conversation's own client, when they have a login: for what is not only for staff.
    #[must_use]
    pub fn and_client(mut self, client_id: Uuid) -> Self {
        if let Some(keys) = &mut self.0 {
            keys.push(format!("client:{client_id}"));
        }
        self
    }

    /// Those of either: for a change that takes a conversation out of somebody's sight.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let (Some(mut keys), Some(others)) = (self.0, other.0) else { return Self::staff() };
        keys.extend(others);
        keys.sort_unstable();
        keys.dedup();
        Self(Some(keys))
    }

    /// Whether a reader with these rights may see it.
    #[must_use]
    pub fn includes(&self, reader: &Reader) -> bool {
        match &self.0 {
            None => reader.is_staff,
            Some(keys) => {
                let is_private = keys.first().is_some_and(|key| key.starts_with("self:") || key.starts_with("channel:"));
                (reader.sees_all && !is_private) || keys.iter().any(|key| reader.audiences.contains(key))
            }
        }
    }
}

/// What a live connection may see: what `app.enter` found for its user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reader {
    pub is_staff: bool,
    pub sees_all: bool,
    pub audiences: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(audiences: &[&str]) -> Reader {
        Reader { is_staff: true, sees_all: false, audiences: audiences.iter().map(|key| (*key).to_owned()).collect() }
    }

    #[test]
    fn a_waiting_conversation_is_seen_by_its_department_only() {
        let department = Uuid::from_u128(1);
        let audience = Audience::conversation(Some(department), None);
        assert!(audience.includes(&reader(&[&format!("department:{department}")])));
        assert!(audience.includes(&reader(&[&format!("waiting:{department}")])));
        assert!(!audience.includes(&reader(&["department:none", "user:x"])));
        assert!(audience.includes(&Reader { sees_all: true, ..reader(&[]) }));
    }

    #[test]
    fn one_taken_by_a_colleague_leaves_the_sight_of_those_who_see_only_their_own() {
        let audience = Audience::conversation(None, Some(Uuid::from_u128(2)));
        assert!(!audience.includes(&reader(&["waiting:none", "user:me"])));
        assert!(audience.includes(&reader(&["department:none"])));
    }

    #[test]
    fn supervisors_do_not_see_what_is_for_one_user() {
        let supervisor = Reader { sees_all: true, ..reader(&["self:supervisor"]) };
        assert!(!Audience::user(Uuid::from_u128(4)).includes(&supervisor));
    }

    #[test]
    fn supervisors_do_not_see_what_is_for_admins() {
        let supervisor = Reader { sees_all: true, ..reader(&["self:supervisor"]) };
        assert!(!Audience::admins().includes(&supervisor));
        let admin = Reader { sees_all: true, ..reader(&["self:admin", "self:admins"]) };
        assert!(Audience::admins().includes(&admin));
        assert!(!Audience::user(Uuid::from_u128(4)).includes(&admin));
    }

    #[test]
    fn what_is_for_a_channel_is_for_its_people_alone() {
        let (channel, member) = (Uuid::from_u128(5), Uuid::from_u128(6));
        let audience = Audience::channel(channel);
        let supervisor = Reader { sees_all: true, ..reader(&["self:supervisor"]) };
        let people = ChannelPeople::from([(channel, vec![member])]);
        for told in [audience.clone(), audience.clone().with_people(&people), audience.clone().with_people(&ChannelPeople::new())]
        {
            assert!(!told.includes(&supervisor), "{told:?}");
        }
        assert!(audience.with_people(&people).includes(&reader(&[&format!("self:{member}")])));
        assert_eq!(Audience::staff().with_people(&people), Audience::staff());
    }

    #[test]
    fn students_see_only_what_names_them() {
        let client = Uuid::from_u128(3);
        let student = Reader { is_staff: false, ..reader(&[&format!("client:{client}")]) };
        assert!(!Audience::staff().includes(&student));
        assert!(!Audience::conversation(None, None).includes(&student));
        assert!(Audience::conversation(None, None).and_client(client).includes(&student));
    }
}
