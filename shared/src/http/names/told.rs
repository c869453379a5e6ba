//! Answers that carry second names besides ours.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::Plan;

/// The same body with the second names of the plan. Values are copied as they are written, so that a long list costs little.
/// `None` when it is no JSON.
pub(crate) fn tell(plan: &Plan, body: &[u8]) -> Option<Vec<u8>> {
    let mut told = Vec::with_capacity(body.len() * 2);
    write(plan, str::from_utf8(body).ok()?, &mut told).ok()?;
    Some(told)
}

fn write(plan: &Plan, text: &str, told: &mut Vec<u8>) -> serde_json::Result<()> {
    match (text.as_bytes().first(), &plan.items) {
        (Some(b'['), Some(plan)) => {
            told.push(b'[');
            for (index, item) in serde_json::from_str::<Vec<&RawValue>>(text)?.into_iter().enumerate() {
                if index > 0 {
                    told.push(b',');
                }
                write(plan, item.get(), told)?;
            }
            told.push(b']');
            Ok(())
        }
        (Some(b'{'), _) => write_object(plan, text, told),
        _ => {
            told.extend_from_slice(text.as_bytes());
            Ok(())
        }
    }
}

/// Its names are those of fields of ours, and so nothing in them is escaped.
fn write_object(plan: &Plan, text: &str, told: &mut Vec<u8>) -> serde_json::Result<()> {
    let fields: BTreeMap<&str, &RawValue> = serde_json::from_str(text)?;
    let mut separator = b'{';
    let mut begin = |name: &str, told: &mut Vec<u8>| {
        told.extend_from_slice(&[separator, b'"']);
        told.extend_from_slice(name.as_bytes());
        told.extend_from_slice(b"\":");
        separator = b',';
    };
    for (name, value) in &fields {
        begin(name, told);
        match plan.fields.iter().find(|(known, _)| known == name) {
            Some((_, plan)) => write(plan, value.get(), told)?,
            None => told.extend_from_slice(value.get().as_bytes()),
        }
    }
    for (second, name) in &plan.names {
        let Some(value) = fields.get(name.ours) else { continue };
        begin(second, told);
        match name.value {
            Some(value_of) => serde_json::to_writer(&mut *told, &value_of(&serde_json::from_str(value.get())?))?,
            None => told.extend_from_slice(value.get().as_bytes()),
        }
    }
    if separator == b'{' {
        told.push(b'{');
    }
    told.push(b'}');
    Ok(())
}

#[cfg(test)]
mod tests {
    use schemars::JsonSchema;
    use serde::Serialize;
    use serde_json::{Value, json};

    use super::*;
    use crate::http::{Answer, Json, NoContent, Page, Text};

    #[derive(Serialize, JsonSchema)]
    struct Conversation {
        client_id: u32,
        channel_kind: &'static str,
        mode: &'static str,
        status: &'static str,
        bot_node: Option<&'static str>,
        metadata: Value,
    }

    #[derive(Serialize, JsonSchema)]
    struct Detail {
        #[serde(flatten)]
        conversation: Conversation,
        last: Option<Message>,
    }

    #[derive(Serialize, JsonSchema)]
    struct Message {
        conversation_id: u32,
        body: &'static str,
        #[schemars(with = "Option<File>")]
        file: Option<Value>,
    }

    #[derive(Serialize, JsonSchema)]
    struct File {
        id: &'static str,
        mime_type: &'static str,
    }

    #[derive(Serialize, JsonSchema)]
    struct Company {
        name: &'static str,
        role: &'static str,
    }

    fn conversation() -> Conversation {
        let metadata = json!({"client_id": 7, "channel_kind": "x", "mode": "bot"});
        Conversation { client_id: 1, channel_kind: "evolution", mode: "bot", status: "pending", bot_node: None, metadata }
    }

    fn told<A: Answer>(answer: A) -> Value {
        let body = answer.into_reply().body;
        serde_json::from_slice(&tell(&Plan::of_answer::<A>(), &body).unwrap()).unwrap()
    }

    /// What a conversation is told with besides its own fields.
    fn widened() -> Value {
        let mut value = json!(conversation());
        for (name, second) in [
            ("customer_id", json!(1)),
            ("clientId", json!(1)),
            ("channel", json!("whatsapp")),
            ("is_bot_active", json!(true)),
            ("needs_human_attention", json!(true)),
            ("current_menu_level", json!("main")),
        ] {
            value[name] = second;
        }
        value
    }

    #[test]
    fn rows_of_lists_and_nested_rows_carry_second_names_and_stored_json_does_not() {
        let page = told(Page { data: vec![conversation(), conversation()], next_cursor: None });
        assert_eq!(page, json!({"data": [widened(), widened()], "next_cursor": null}));
        let last = Message { conversation_id: 1, body: "Oi", file: Some(json!({"id": "f", "mime_type": "image/png"})) };
        let mut detail = widened();
        detail["last"] = json!({"conversation_id": 1, "body": "Oi", "file": {"id": "f", "mime_type": "image/png"},
                                "content": "Oi", "media_url": "/storage/download/f", "mediaType": "image/png"});
        assert_eq!(told(Json(Detail { conversation: conversation(), last: Some(last) })), detail);
    }

    #[test]
    fn a_name_that_two_rows_of_the_table_give_is_told_once() {
        #[derive(Serialize, JsonSchema)]
        struct Person {
            name: &'static str,
            email: &'static str,
            position: &'static str,
            role: &'static str,
        }
        let person = Person { name: "Ana", email: "a@b.example", position: "Professora", role: "agent" };
        let body = tell(&Plan::of_answer::<Json<Person>>(), &Json(person).into_reply().body).unwrap();
        assert_eq!(String::from_utf8(body).unwrap().matches("full_name").count(), 1);
    }

    #[test]
    fn what_is_null_stays_null() {
        let message = told(Json(Message { conversation_id: 1, body: "", file: None }));
        assert_eq!((&message["media_url"], &message["mediaType"]), (&Value::Null, &Value::Null));
        let detail = told(Json(Detail { conversation: conversation(), last: None }));
        assert_eq!(detail["last"], Value::Null);
    }

    #[test]
    fn types_without_second_names_have_an_empty_plan() {
        assert!(Plan::of_answer::<Page<Company>>().is_empty());
        assert!(Plan::of_answer::<Json<Value>>().is_empty());
        assert!(Plan::of_answer::<NoContent>().is_empty());
        assert!(Plan::of_answer::<Text>().is_empty());
    }
}
