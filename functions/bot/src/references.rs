//! What a flow names that is not there, which only the database knows.

use shared::prelude::*;

use crate::flow::{Flow, Handover, Node, problems::Problem};

/// Of each list of ids or names, those that are there.
const KNOWN: &str = "
    select array(select id from departments where id = any ($1) and deleted_at is null) as departments,
           array(select id from files where id = any ($2) and status = 'ready') as files,
           array(select id from channel_accounts where id = any ($3) and removed_at is null) as channels";

#[derive(Default, FromRow)]
struct Known {
    departments: Vec<Uuid>,
    files: Vec<Uuid>,
    channels: Vec<Uuid>,
}

/// An id that is named: by which node, in which field.
type Place<'a> = (Option<&'a str>, String, Uuid);

#[derive(Default)]
struct Named<'a> {
    departments: Vec<Place<'a>>,
    files: Vec<Place<'a>>,
    channels: Vec<Place<'a>>,
}

/// What is not there of what a definition names.
///
/// # Errors
/// Those of the database.
pub async fn unknown(transaction: &Transaction, definition: &Value) -> Result<Vec<Problem>, Error> {
    let Ok(flow) = Flow::read(definition) else { return Ok(Vec::new()) };
    let named = named(&flow);
    let ids = |places: &[Place]| -> Vec<Uuid> { places.iter().map(|(.., id)| *id).collect() };
    let asked = [ids(&named.departments), ids(&named.files), ids(&named.channels)];
    if asked.iter().all(Vec::is_empty) {
        return Ok(Vec::new());
    }
    let known: Known = transaction.one(KNOWN, &[&asked[0], &asked[1], &asked[2]]).await?;
    let missing = |places: &[Place], known: &[Uuid], words: (&str, &str)| -> Vec<Problem> {
        let missing = places.iter().filter(|(.., id)| !known.contains(id));
        missing.map(|(node, field, _)| Problem::new(*node, field.clone(), "not_found", words)).collect()
    };
    let mut problems =
        missing(&named.departments, &known.departments, ("Este setor não existe mais.", "There is no such department."));
    problems.extend(missing(&named.files, &known.files, ("Este arquivo não existe mais.", "There is no such file.")));
    problems.extend(missing(&named.channels, &known.channels, ("Este canal não existe mais.", "There is no such channel.")));
    Ok(problems)
}

fn named(flow: &Flow) -> Named<'_> {
    let mut named = Named::default();
    for (place, trigger) in flow.triggers.iter().enumerate() {
        let at = |field: &str| format!("triggers[{place}].{field}");
        named.channels.extend(trigger.channel_account_id.map(|id| (None, at("channel_account_id"), id)));
        named.departments.extend(trigger.department_id.map(|id| (None, at("department_id"), id)));
    }
    for (key, step) in &flow.nodes {
        let node = Some(key.as_str());
        match &step.node {
            Ok(Node::Handover(Handover { department_id, .. })) => {
                named.departments.extend(department_id.map(|id| (node, "department_id".to_owned(), id)));
            }
            Ok(Node::Message { media: Some(media), .. }) => named.files.push((node, "media.file_id".to_owned(), media.file_id)),
            _ => {}
        }
    }
    named
}
