//! Steers and shows the servers: `/_local/sandbox/evolution/…`.

use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::{Query, State as Extracted},
    routing::{get, post},
};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    Notice, Sandbox,
    instances::log_out_now,
    sending::jid_of,
    server::{Instance, Renewal, ServerSettings, State, random_text},
    webhooks::Delivery,
};
use crate::sandbox::{
    kept::lock,
    refusal::{Refusal, changed, named},
    wait_for,
    whatsapp::webhooks::Attempt,
};

pub(in crate::sandbox) fn router() -> Router<Arc<Sandbox>> {
    Router::new()
        .route("/settings", get(settings).post(change_settings))
        .route("/instances", get(instances))
        .route("/scan", post(scan))
        .route("/disconnect", post(disconnect))
        .route("/renew-code", post(renew_code))
        .route("/inbound", post(receive))
        .route("/event", post(event))
        .route("/messages", get(messages))
        .route("/deliveries", get(deliveries))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Wanted {
    server: Option<String>,
    instance: Option<String>,
    event: Option<String>,
    /// Waits for this many, for `wait_ms` at most.
    count: Option<usize>,
    wait_ms: Option<u64>,
}

impl Wanted {
    fn server(&self) -> &str {
        self.server.as_deref().unwrap_or_default()
    }

    fn longest(&self) -> Duration {
        Duration::from_millis(self.wait_ms.unwrap_or(0).min(60_000))
    }
}

async fn settings(Extracted(sandbox): Extracted<Arc<Sandbox>>, Query(wanted): Query<Wanted>) -> Json<ServerSettings> {
    Json(sandbox.evolution.with(wanted.server(), |server| server.settings.clone()))
}

async fn change_settings(
    Extracted(sandbox): Extracted<Arc<Sandbox>>,
    Json(mut changes): Json<Map<String, Value>>,
) -> Result<Json<ServerSettings>, Refusal> {
    let name = named(&mut changes, "server")?;
    sandbox.evolution.with(&name, |server| {
        server.settings = changed(&server.settings, changes)?;
        Ok(Json(server.settings.clone()))
    })
}

async fn instances(Extracted(sandbox): Extracted<Arc<Sandbox>>, Query(wanted): Query<Wanted>) -> Json<Vec<Value>> {
    let mut shown = sandbox.evolution_instances();
    shown.retain(|instance| {
        let fits = |field: &str, wanted: &Option<String>| wanted.as_deref().is_none_or(|wanted| instance[field] == wanted);
        fits("server", &wanted.server) && fits("instance", &wanted.instance)
    });
    Json(shown)
}

impl Sandbox {
    /// All instances of all servers, for the console.
    pub fn evolution_instances(&self) -> Vec<Value> {
        let servers = lock(&self.evolution.servers);
        let all = servers.iter().flat_map(|(name, server)| server.instances.values().map(move |instance| (name, instance)));
        let described = all.map(|(server, instance)| {
            json!({
                "server": server,
                "instance": instance.name,
                "state": instance.state,
                "number": instance.number,
                "code": instance.code.as_ref().map(|code| &code.code),
                "pairing_code": instance.code.as_ref().and_then(|code| code.pairing_code.as_ref()),
                "webhook": instance.webhook,
            })
        });
        described.collect()
    }

    fn of_order<T>(
        &self,
        (server, instance): (&str, &str),
        work: impl FnOnce(&mut Instance) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        self.evolution.with(server, |known| {
            let found = known.instances.get_mut(instance);
            work(found.ok_or_else(|| Refusal(format!("{server} has no instance {instance}")))?)
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scan {
    server: String,
    instance: String,
    /// Whose phone it is; a made-up one otherwise.
    number: Option<String>,
    #[serde(default = "shop")]
    profile_name: String,
}

fn shop() -> String {
    "Loja".into()
}

/// Somebody scans the code with their phone.
async fn scan(Extracted(sandbox): Extracted<Arc<Sandbox>>, Json(order): Json<Scan>) -> Result<Json<Value>, Refusal> {
    let Scan { server, instance, number, profile_name } = order;
    let (number, notices) = sandbox.of_order((&server, &instance), |instance| {
        if instance.state != State::Connecting {
            return Err(Refusal(format!("{} shows no code", instance.name)));
        }
        let number = number.or_else(|| instance.number.clone()).unwrap_or_else(made_up_number);
        instance.state = State::Open;
        instance.code = None;
        instance.number = Some(number.clone());
        instance.profile_name = Some(profile_name);
        Ok((number, vec![instance.connection("open", 200)]))
    })?;
    sandbox.tell_all(&server, notices);
    Ok(Json(json!({"number": number})))
}

fn made_up_number() -> String {
    let digits = random_text(16).bytes().map(|byte| char::from(b'0' + byte % 10)).take(8).collect::<String>();
    format!("55119{digits}")
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Disconnect {
    server: String,
    instance: String,
    /// Whether it connects again by itself, as after all disconnects but a logout at the phone.
    #[serde(default)]
    reconnects: bool,
    /// Whether nothing is told of it.
    #[serde(default)]
    silently: bool,
}

async fn disconnect(Extracted(sandbox): Extracted<Arc<Sandbox>>, Json(order): Json<Disconnect>) -> Result<Json<Value>, Refusal> {
    let Disconnect { server, instance, reconnects, silently } = order;
    let notices = sandbox.of_order((&server, &instance), |instance| {
        if reconnects {
            return Ok(vec![instance.connection("connecting", 200), instance.connection("open", 200)]);
        }
        Ok(log_out_now(instance))
    })?;
    if !silently {
        sandbox.tell_all(&server, notices);
    }
    Ok(Json(json!({})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfInstance {
    server: String,
    instance: String,
}

/// The code's time is over, now.
async fn renew_code(Extracted(sandbox): Extracted<Arc<Sandbox>>, Json(order): Json<OfInstance>) -> Result<Json<Value>, Refusal> {
    let (outcome, notices) = match sandbox.renew_code(&order.server, &order.instance) {
        Renewal::Renewed(notices) => ("renewed", notices),
        Renewal::Ended(notices) => ("ended", notices),
        Renewal::NotWanted => return Err(Refusal("nobody waits for a code".into())),
    };
    sandbox.tell_all(&order.server, notices);
    Ok(Json(json!({"outcome": outcome})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Inbound {
    server: String,
    instance: String,
    from: String,
    #[serde(default = "maria")]
    name: String,
    #[serde(default)]
    text: String,
    /// Fields of `data` that are added or replaced.
    #[serde(default)]
    with: Map<String, Value>,
    /// What `getBase64FromMediaMessage` gives of it.
    file: Option<String>,
}

fn maria() -> String {
    "Maria Teste".into()
}

/// Somebody writes to the number.
async fn receive(Extracted(sandbox): Extracted<Arc<Sandbox>>, Json(order): Json<Inbound>) -> Result<Json<Value>, Refusal> {
    let Inbound { server, instance, from, name, text, with, file } = order;
    let (id, notice) = sandbox.of_order((&server, &instance), |instance| {
        let mut data = json!({
            "key": {"remoteJid": jid_of(&from), "fromMe": false, "id": format!("3EB0{}", random_text(18).to_ascii_uppercase()),
                "participant": "", "addressingMode": "pn"},
            "pushName": name,
            "status": "DELIVERY_ACK",
            "message": {"conversation": text},
            "contextInfo": null,
            "messageType": "conversation",
            "messageTimestamp": Timestamp::now().as_second(),
            "instanceId": instance.id,
            "source": "android",
        });
        if let Some(fields) = data.as_object_mut() {
            fields.extend(with);
        }
        let mut kept = data.clone();
        kept["file"] = json!(file);
        instance.messages.push(kept);
        if let (Some(file), true) = (file, instance.webhook.as_ref().is_some_and(|webhook| webhook.base64)) {
            data["message"]["base64"] = json!(file);
        }
        Ok((data["key"]["id"].clone(), instance.notice("messages.upsert", data)))
    })?;
    let attempt = sandbox.tell(&server, notice).await;
    Ok(Json(
        json!({"id": id, "status": attempt.as_ref().and_then(|attempt| attempt.status), "answer": attempt.map(|one| one.answer)}),
    ))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AnyEvent {
    server: String,
    instance: String,
    event: String,
    data: Value,
    /// Fields beside the data, such as `progress`.
    #[serde(default)]
    beside: Map<String, Value>,
}

/// Any webhook, as it is ordered.
async fn event(
    Extracted(sandbox): Extracted<Arc<Sandbox>>,
    Json(order): Json<AnyEvent>,
) -> Result<Json<Option<Attempt>>, Refusal> {
    let AnyEvent { server, instance, event, data, beside } = order;
    let mut notice: Notice = sandbox.of_order((&server, &instance), |instance| Ok(instance.notice(&event, data)))?;
    notice.beside = beside;
    Ok(Json(sandbox.tell(&server, notice).await))
}

/// What an instance has sent and received.
async fn messages(Extracted(sandbox): Extracted<Arc<Sandbox>>, Query(wanted): Query<Wanted>) -> Json<Vec<Value>> {
    let instance = wanted.instance.clone().unwrap_or_default();
    let found = || {
        let of = |server: &mut super::Server| server.instances.get(&instance).map(|instance| instance.messages.clone());
        sandbox.evolution.with(wanted.server(), of).unwrap_or_default()
    };
    Json(wait_for(wanted.count.unwrap_or(0), wanted.longest(), found).await)
}

async fn deliveries(Extracted(sandbox): Extracted<Arc<Sandbox>>, Query(wanted): Query<Wanted>) -> Json<Vec<Delivery>> {
    let fits = |delivery: &Delivery| {
        let same = |wanted: &Option<String>, actual: &str| wanted.as_deref().is_none_or(|wanted| wanted == actual);
        same(&wanted.server, &delivery.server)
            && same(&wanted.instance, &delivery.instance)
            && same(&wanted.event, &delivery.event)
    };
    let found = || sandbox.evolution.deliveries.list(fits);
    Json(wait_for(wanted.count.unwrap_or(0), wanted.longest(), found).await)
}
