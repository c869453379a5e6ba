//! `/chat/…`: edits, deletions, read marks, and what is asked of numbers and messages.

use axum::http::StatusCode;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{
    Answer, Asked, Outcome,
    answers::Failed,
    instances::of,
    sending::{is_connected, jid_of},
    server::{Instance, Server, ServerSettings},
};

/// What every picture, voice and document received here holds.
const FILE: &[u8] = b"%PDF-1.4 sandbox";

pub(super) fn is_known(method: &str, action: &str) -> bool {
    match action {
        "deleteMessageForEveryone" => method == "DELETE",
        "updateMessage"
        | "markMessageAsRead"
        | "sendPresence"
        | "findContacts"
        | "findMessages"
        | "fetchProfilePictureUrl"
        | "whatsappNumbers"
        | "getBase64FromMediaMessage" => method == "POST",
        _ => false,
    }
}

pub(super) fn answer(asked: &Asked, server: &mut Server, name: &str, action: &str) -> Outcome {
    let ServerSettings { without_whatsapp: without, hidden_ids, .. } = server.settings.clone();
    let body = asked.body;
    let instance = of(server, name)?;
    let read = |answer: Value| Ok((Answer::ok(answer), Vec::new()));
    match action {
        "findMessages" => return read(found_messages(instance, body)),
        "findContacts" => return read(found_contacts(instance, body)),
        _ => is_connected(instance)?,
    }
    match action {
        "updateMessage" => edit(instance, body),
        "deleteMessageForEveryone" => {
            let key = json!({"remoteJid": body["remoteJid"], "fromMe": body["fromMe"], "id": body["id"], "status": "DELETED"});
            let deleted = json!({"key": key, "messageType": "protocolMessage", "status": "PENDING"});
            Ok((Answer::json(StatusCode::CREATED, deleted), vec![instance.notice("messages.delete", key)]))
        }
        "markMessageAsRead" => {
            let is_list = body["readMessages"].as_array().is_some_and(|list| !list.is_empty());
            if !is_list {
                return Err(Failed::new(400, "instance requires property \"readMessages\""));
            }
            Ok((Answer::json(StatusCode::CREATED, json!({"message": "Read messages", "read": "success"})), Vec::new()))
        }
        "sendPresence" => Ok((Answer::json(StatusCode::CREATED, json!({"presence": body["presence"]})), Vec::new())),
        "fetchProfilePictureUrl" => {
            let jid = jid_of(body["number"].as_str().unwrap_or_default());
            read(json!({"wuid": jid, "profilePictureUrl": null}))
        }
        "whatsappNumbers" => {
            let numbers = body["numbers"].as_array().ok_or_else(|| Failed::new(400, "instance requires property \"numbers\""))?;
            let known = numbers.iter().filter_map(Value::as_str).map(|number| {
                let mut known =
                    json!({"jid": jid_of(number), "exists": !without.iter().any(|one| one == number), "number": number});
                if let Some(id) = hidden_ids.get(number) {
                    known["lid"] = json!(format!("{id}@lid"));
                }
                known
            });
            read(known.collect())
        }
        _ => file_of(instance, body),
    }
}

fn edit(instance: &mut Instance, body: &Value) -> Outcome {
    let key = &body["key"];
    let jid = jid_of(body["number"].as_str().unwrap_or_default());
    if key["remoteJid"] != jid.as_str() {
        return Err(Failed::new(400, "RemoteJid does not match"));
    }
    let Some(message) = instance.messages.iter_mut().find(|message| message["key"]["id"] == key["id"]) else {
        return Err(Failed::new(404, "Message not found"));
    };
    message["message"] = json!({"conversation": body["text"]});
    let edited = message.clone();
    let data = json!({"key": key, "type": "MESSAGE_EDIT", "editedMessage": {"conversation": body["text"]},
        "timestampMs": jiff::Timestamp::now().as_millisecond().to_string()});
    let notice = instance.notice("messages.edited", data);
    Ok((Answer::ok(edited), vec![notice]))
}

fn file_of(instance: &Instance, body: &Value) -> Outcome {
    let id = &body["message"]["key"]["id"];
    let message = instance.messages.iter().find(|message| message["key"]["id"] == *id);
    let message = message.ok_or_else(|| Failed::new(400, "Message not found"))?;
    let kind = message["messageType"].as_str().unwrap_or_default();
    let media = &message["message"][kind];
    if !["imageMessage", "videoMessage", "audioMessage", "documentMessage", "stickerMessage"].contains(&kind) {
        return Err(Failed::new(400, "The message is not of the media type"));
    }
    // A test says what a message holds; the server never shows it in webhooks.
    let base64 = message["file"].as_str().map_or_else(|| STANDARD.encode(FILE), str::to_owned);
    let answer = json!({
        "mediaType": kind,
        "fileName": media["fileName"],
        "caption": media["caption"],
        "size": {"fileLength": STANDARD.decode(&base64).map_or(0, |bytes| bytes.len()).to_string()},
        "mimetype": media["mimetype"],
        "base64": base64,
        "buffer": null,
    });
    Ok((Answer::json(StatusCode::CREATED, answer), Vec::new()))
}

fn found_messages(instance: &Instance, body: &Value) -> Value {
    let wanted = &body["where"]["key"];
    let fits = |message: &&Value| {
        ["remoteJid", "id"].iter().all(|field| wanted[field].is_null() || wanted[field] == message["key"][field])
    };
    let records: Vec<&Value> = instance.messages.iter().filter(fits).collect();
    json!({"messages": {"total": records.len(), "pages": 1, "currentPage": 1, "records": records}})
}

fn found_contacts(instance: &Instance, body: &Value) -> Value {
    let wanted = &body["where"]["remoteJid"];
    let mut jids: Vec<(&Value, &Value)> = instance
        .messages
        .iter()
        // Who has another name since is known by that.
        .rev()
        .filter(|message| message["key"]["fromMe"] == false)
        .map(|message| (&message["key"]["remoteJid"], &message["pushName"]))
        .filter(|(jid, _)| wanted.is_null() || *jid == wanted)
        .collect();
    jids.sort_by_key(|(jid, _)| jid.to_string());
    jids.dedup_by_key(|(jid, _)| *jid);
    let contacts = jids.into_iter().map(|(jid, name)| {
        json!({"id": format!("contact-{jid}"), "remoteJid": jid, "pushName": name, "profilePicUrl": null,
            "instanceId": instance.id, "isGroup": false, "isSaved": false, "type": "contact"})
    });
    contacts.collect()
}
