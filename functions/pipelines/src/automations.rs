//! What is named by what stages do by themselves, and has to be there.

use std::collections::BTreeSet;

use leads::{Automation, Stage};
use shared::{error::FieldProblem, prelude::*};

use crate::{NewStage, stages::all_automations};

/// Of what is named, what is there: people who work here, sequences, numbers, and templates by name and language.
const THERE: &str = "
    select array(select user_id from memberships where user_id = any ($1) and status = 'active' and role <> 'student') as people,
           array(select id from followup_sequences where id = any ($2) and deleted_at is null) as sequences,
           array(select id from channel_accounts where id = any ($3)) as channels,
           array(select name || ' ' || language from message_templates
                  where (name, language) in (select * from unnest($4::text[], $5::text[])) and status <> 'deleted') as templates";

#[derive(FromRow)]
struct There {
    people: Vec<Uuid>,
    sequences: Vec<Uuid>,
    channels: Vec<Uuid>,
    templates: Vec<String>,
}

/// Something that an automation names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Named {
    Person(Uuid),
    Sequence(Uuid),
    Channel(Uuid),
    /// Its name and its language.
    Template(String, String),
}

/// What an automation names, each by its field.
fn named(automation: &Automation) -> Vec<(String, Named)> {
    let one = |field: &str, named: Option<Named>| named.map(|named| (field.to_owned(), named));
    let person = |id: &Option<Uuid>| id.map(Named::Person);
    match automation {
        Automation::Assign { closer_id, sdr_id } => {
            one("closer_id", person(closer_id)).into_iter().chain(one("sdr_id", person(sdr_id))).collect()
        }
        Automation::Task { owner_id, .. } => one("owner_id", person(owner_id)).into_iter().collect(),
        Automation::Notify { user_ids, .. } => {
            user_ids.iter().enumerate().map(|(place, id)| (format!("user_ids[{place}]"), Named::Person(*id))).collect()
        }
        Automation::Message { template, channel_account_id, .. } => {
            let template = template.as_ref().map(|template| {
                let language = template.language.clone().unwrap_or_else(|| "pt_BR".to_owned());
                Named::Template(template.name.clone(), language)
            });
            let channel = channel_account_id.map(Named::Channel);
            one("template", template).into_iter().chain(one("channel_account_id", channel)).collect()
        }
        Automation::Sequence { sequence_id, .. } => vec![("sequence_id".to_owned(), Named::Sequence(*sequence_id))],
    }
}

impl Named {
    fn is_in(&self, there: &There) -> bool {
        match self {
            Self::Person(id) => there.people.contains(id),
            Self::Sequence(id) => there.sequences.contains(id),
            Self::Channel(id) => there.channels.contains(id),
            Self::Template(name, language) => there.templates.contains(&format!("{name} {language}")),
        }
    }

    fn problem(&self, field: String) -> FieldProblem {
        let (code, portuguese, english) = match self {
            Self::Person(_) => {
                ("unknown_user", "Não há ninguém ativo na equipe com este id.", "Nobody active of the staff has this id.")
            }
            Self::Sequence(_) => ("unknown_sequence", "Sequência não encontrada.", "There is no such sequence."),
            Self::Channel(_) => ("unknown_channel", "Número não encontrado.", "Number not found."),
            Self::Template(..) => ("unknown_template", "Modelo não encontrado.", "There is no such template."),
        };
        FieldProblem::new(field, code, portuguese, english)
    }
}

/// What stages name and is not there. What a stage did before already is not asked again: what it named may be gone since, and nothing of it is done.
///
/// # Errors
/// Those of the database.
pub async fn unknown_to_automations(
    transaction: &Transaction,
    before: &[Stage],
    stages: &[NewStage],
) -> Result<Vec<FieldProblem>, Error> {
    let was_there = |stage: &NewStage, automation: &Automation| {
        let known = before.iter().find(|known| Some(known.id) == stage.id);
        known.and_then(|known| known.automations.as_array()).is_some_and(|known| known.contains(&json!(automation)))
    };
    let new: Vec<(String, Named)> = all_automations(stages)
        .filter(|(_, stage, automation)| !was_there(stage, automation))
        .flat_map(|(at, _, automation)| named(automation).into_iter().map(move |(field, named)| (format!("{at}.{field}"), named)))
        .collect();
    if new.is_empty() {
        return Ok(Vec::new());
    }
    let wanted: BTreeSet<&Named> = new.iter().map(|(_, named)| named).collect();
    let ids = |of: fn(&Named) -> Option<Uuid>| wanted.iter().filter_map(|named| of(named)).collect::<Vec<Uuid>>();
    let people = ids(|named| if let Named::Person(id) = named { Some(*id) } else { None });
    let sequences = ids(|named| if let Named::Sequence(id) = named { Some(*id) } else { None });
    let channels = ids(|named| if let Named::Channel(id) = named { Some(*id) } else { None });
    let templates =
        wanted.iter().filter_map(|named| if let Named::Template(name, language) = named { Some((name, language)) } else { None });
    let (names, languages): (Vec<&String>, Vec<&String>) = templates.unzip();
    let there: There = transaction.one(THERE, &[&people, &sequences, &channels, &names, &languages]).await?;
    Ok(new.into_iter().filter(|(_, named)| !named.is_in(&there)).map(|(field, named)| named.problem(field)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_is_named_has_its_field() {
        let fields = |said: Value| {
            let automation: Automation = serde_json::from_value(said).unwrap();
            named(&automation).into_iter().map(|(field, _)| field).collect::<Vec<_>>()
        };
        let id = Uuid::nil();
        assert_eq!(fields(json!({"kind": "assign", "sdr_id": id})), ["sdr_id"]);
        assert_eq!(fields(json!({"kind": "notify", "user_ids": [id, id]})), ["user_ids[0]", "user_ids[1]"]);
        assert_eq!(fields(json!({"kind": "task", "title": "x"})), [""; 0]);
        let message = json!({"kind": "message", "template": {"name": "oi"}, "channel_account_id": id});
        assert_eq!(fields(message), ["template", "channel_account_id"]);
    }
}
