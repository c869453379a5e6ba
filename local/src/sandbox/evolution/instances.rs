//! `/instance/…`: instances made, connected, asked after and removed.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{
    Answer, Asked, Outcome,
    answers::{Failed, failed_inside},
    notice,
    server::{Code, Instance, Server, State, random_text},
};

const KINDS: [&str; 3] = ["WHATSAPP-BAILEYS", "WHATSAPP-BUSINESS", "EVOLUTION"];

/// `POST /instance/create`: whether the name is taken is asked before the key.
pub(super) fn create(asked: &Asked) -> Outcome {
    let body = asked.body;
    let name = body["instanceName"].as_str().unwrap_or_default().to_owned();
    asked.sandbox.evolution.with(asked.server_name, |server| {
        if server.instances.contains_key(&name) {
            return Err(Failed::new(403, format!("This name \"{name}\" is already in use.")));
        }
        if asked.key != Some(server.settings.global_key.as_str()) {
            return Err(Failed::unauthorized());
        }
        if name.is_empty() {
            return Err(Failed::new(400, "instance requires property \"instanceName\""));
        }
        let integration = body["integration"].as_str().unwrap_or_default();
        if !KINDS.contains(&integration) {
            return Err(Failed::new(400, "Invalid integration"));
        }
        let token = body["token"].as_str().filter(|token| !token.is_empty()).map_or_else(|| random_text(32), str::to_owned);
        let number = body["number"].as_str().map(str::to_owned);
        let mut instance = Instance::new(name.clone(), token, integration.to_owned(), number.clone());
        instance.settings = settings_of(body);
        if body["webhook"].is_object() {
            // `enabled` is not looked at here.
            instance.webhook = Some(notice::read(&body["webhook"], true)?);
        }
        let wants_code = body["qrcode"] == true;
        let notices = if wants_code { instance.show_code(number.as_deref()) } else { Vec::new() };
        let answer = created(&instance);
        server.instances.insert(name.clone(), instance);
        let mut answer = Answer::json(StatusCode::CREATED, answer);
        if wants_code {
            answer.delay = Duration::from_millis(server.settings.qr_delay_ms);
            asked.sandbox.renew_codes(asked.server_name, &name, &server.settings);
        }
        Ok((answer, notices))
    })
}

fn settings_of(body: &Value) -> Value {
    let given = |name: &str, usual: Value| if body[name].is_null() { usual } else { body[name].clone() };
    json!({
        "rejectCall": given("rejectCall", json!(false)),
        "msgCall": given("msgCall", json!("")),
        "groupsIgnore": given("groupsIgnore", json!(false)),
        "alwaysOnline": given("alwaysOnline", json!(false)),
        "readMessages": given("readMessages", json!(false)),
        "readStatus": given("readStatus", json!(false)),
        "syncFullHistory": given("syncFullHistory", json!(false)),
        "wavoipToken": "",
    })
}

fn created(instance: &Instance) -> Value {
    let webhook = instance.webhook.as_ref().map_or_else(
        || json!({}),
        |webhook| {
            json!({
                "webhookUrl": webhook.url,
                "webhookHeaders": webhook.headers,
                "webhookByEvents": webhook.by_events,
                "webhookBase64": webhook.base64,
            })
        },
    );
    let mut answer = json!({
        "instance": {
            "instanceName": instance.name,
            "instanceId": instance.id,
            "integration": instance.integration,
            "webhookWaBusiness": null,
            "accessTokenWaBusiness": "",
            "status": instance.state,
        },
        "hash": instance.token,
        "webhook": webhook,
        "websocket": {},
        "rabbitmq": {},
        "nats": {},
        "sqs": {},
        "settings": instance.settings,
    });
    if let Some(code) = &instance.code {
        answer["qrcode"] = code.to_json();
    }
    answer
}

/// `GET /instance/fetchInstances`: all to the global key, itself to an instance's token.
pub(super) fn fetch(asked: &Asked) -> Outcome {
    let wanted = asked.query.get("instanceName").map(String::as_str).filter(|name| !name.is_empty());
    asked.sandbox.evolution.with(asked.server_name, |server| {
        let is_global = asked.key == Some(server.settings.global_key.as_str());
        let is_shown = |instance: &&Instance| {
            wanted.is_none_or(|name| name == instance.name) && (is_global || asked.key == Some(instance.token.as_str()))
        };
        let shown: Vec<&Instance> = server.instances.values().filter(is_shown).collect();
        match (is_global, wanted) {
            (false, _) if shown.is_empty() => return Err(Failed::unauthorized()),
            (true, Some(name)) if shown.is_empty() => return Err(Failed::new(404, format!("Instance \"{name}\" not found"))),
            _ => {}
        }
        let exposes = server.settings.exposes_tokens;
        let rows = shown.into_iter().map(|instance| {
            json!({
                "id": instance.id,
                "name": instance.name,
                "connectionStatus": instance.state,
                "ownerJid": instance.owner(),
                "profileName": instance.profile_name,
                "profilePicUrl": null,
                "integration": instance.integration,
                "number": instance.number,
                "token": exposes.then_some(&instance.token),
            })
        });
        Ok((Answer::ok(rows.collect()), Vec::new()))
    })
}

/// `GET /instance/connect/{name}`
pub(super) fn connect(asked: &Asked, server: &mut Server, name: &str) -> Outcome {
    let settings = server.settings.clone();
    let instance = of(server, name)?;
    if instance.state == State::Open {
        return connection_state(asked, server, name);
    }
    let is_new = instance.state == State::Close;
    let notices = instance.show_code(asked.query.get("number").map(String::as_str));
    let code = instance.code.as_ref().map(Code::to_json).unwrap_or_default();
    if is_new {
        asked.sandbox.renew_codes(asked.server_name, name, &settings);
    }
    Ok((Answer::ok(code), notices))
}

/// `GET /instance/connectionState/{name}`
pub(super) fn connection_state(_: &Asked, server: &mut Server, name: &str) -> Outcome {
    let state = of(server, name)?.state;
    Ok((Answer::ok(json!({"instance": {"instanceName": name, "state": state}})), Vec::new()))
}

/// `POST /instance/restart/{name}`: of a closed one it fails with status 200.
pub(super) fn restart(_: &Asked, server: &mut Server, name: &str) -> Outcome {
    let instance = of(server, name)?;
    if instance.state == State::Close {
        return Ok((failed_inside(&format!("BadRequestException: The \"{name}\" instance is not connected")), Vec::new()));
    }
    let mut notices = vec![instance.connection("connecting", 200)];
    if instance.state == State::Open {
        notices.push(instance.connection("open", 200));
    }
    let state = instance.state;
    Ok((Answer::ok(json!({"instance": {"instanceName": name, "state": state}})), notices))
}

/// `POST /instance/setPresence/{name}`
pub(super) fn set_presence(asked: &Asked, _: &mut Server, _: &str) -> Outcome {
    if !["available", "unavailable"].contains(&asked.body["presence"].as_str().unwrap_or_default()) {
        return Err(Failed::new(400, "presence is not one of enum values: available,unavailable"));
    }
    Ok((Answer::json(StatusCode::CREATED, json!({"presence": asked.body["presence"]})), Vec::new()))
}

/// `DELETE /instance/logout/{name}`
pub(super) fn log_out(_: &Asked, server: &mut Server, name: &str) -> Outcome {
    let instance = of(server, name)?;
    if instance.state == State::Close {
        return Err(Failed::new(400, format!("The \"{name}\" instance is not connected")));
    }
    let notices = log_out_now(instance);
    Ok((done("Instance logged out"), notices))
}

/// What is told when the phone is no longer linked.
pub(super) fn log_out_now(instance: &mut Instance) -> Vec<super::Notice> {
    instance.state = State::Close;
    instance.code = None;
    instance.profile_name = None;
    let closed =
        json!({"instance": instance.name, "status": "closed", "disconnectionReasonCode": 401, "disconnectionObject": "{}"});
    vec![
        instance.notice("status.instance", closed),
        instance.notice("logout.instance", Value::Null),
        instance.connection("close", 401),
    ]
}

/// `DELETE /instance/delete/{name}`
pub(super) fn delete(asked: &Asked, name: &str) -> Outcome {
    asked.of_instance(name, |_, server, name| {
        let instance = of(server, name)?;
        let mut notices = if instance.state == State::Close { Vec::new() } else { log_out_now(instance) };
        notices.push(instance.notice("remove.instance", json!({"instanceName": name})));
        server.instances.remove(name);
        Ok((done("Instance deleted"), notices))
    })
}

fn done(message: &str) -> Answer {
    Answer::ok(json!({"status": "SUCCESS", "error": false, "response": {"message": message}}))
}

pub(super) fn of<'a>(server: &'a mut Server, name: &str) -> Result<&'a mut Instance, Failed> {
    server.instances.get_mut(name).ok_or_else(|| Failed::new(404, format!("The \"{name}\" instance does not exist")))
}
