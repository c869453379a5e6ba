//! What a function adds to the time of its own SQL.

use std::{
    net::SocketAddr,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use tests::{Company, Stack};
use uuid::Uuid;

use crate::{
    desk::Desk,
    function::{Function, expect_success, http_event, launches},
    ingest::{self, Meta},
    report::{Figure, Report, Times},
    wire::Wire,
};

const AIM: f64 = 1.5;
/// What follows the commit is part of it: listeners looked up, the delivery job sent.
const AIM_OF_MESSAGES: f64 = 2.0;

const REQUESTS: usize = 200;
const UNCOUNTED: usize = 20;

/// The measured routes, each with what makes a real event for it.
pub struct Events<'a> {
    pub meta: Meta,
    pub company: &'a Company,
    pub own: Uuid,
}

impl<'a> Events<'a> {
    pub async fn new(stack: &Stack, desk: &'a Desk) -> Self {
        Self { meta: Meta::new(stack, &desk.company).await, company: &desk.company, own: desk.own }
    }

    pub const ROUTES: [&'static str; 7] = [
        "receive_whatsapp_webhook",
        "send_message",
        "list_conversations",
        "get_conversation",
        "list_messages",
        "get_me",
        "list_users",
    ];

    /// `None` for a route that is not among them.
    pub fn of(&self, route: &str) -> Option<Value> {
        let token = self.company.agents[0].api.token.as_deref().unwrap_or_default();
        let headers = json!({"authorization": format!("Bearer {token}"), "content-type": "application/json"});
        let own = self.own;
        let get = |path: &str, query: &str| Some(http_event("GET", path, query, headers.clone(), None));
        match route {
            "receive_whatsapp_webhook" => Some(ingest::event(&self.meta)),
            "send_message" => {
                let id = Uuid::now_v7();
                let body = json!({"conversation_id": own, "client_message_id": id, "kind": "text", "body": "Tudo certo!"});
                Some(http_event("POST", "/messages", "", headers, Some(&body.to_string())))
            }
            "list_conversations" => get("/conversations", ""),
            "get_conversation" => get(&format!("/conversations/{own}"), ""),
            "list_messages" => get("/messages", &format!("conversation_id={own}")),
            "get_me" => get("/auth/me", ""),
            "list_users" => get("/users", ""),
            _ => None,
        }
    }
}

/// Nothing of one request reaches into the next. A message sent is delivered meanwhile, by another function on the same processors.
const PAUSE: Duration = Duration::from_millis(2);
const PAUSE_AFTER_MESSAGE: Duration = Duration::from_millis(40);

pub async fn run(stack: &Stack, desk: &Desk, report: &mut Report) -> Result<()> {
    let launches = launches(stack).await?;
    // The webhooks of earlier messages' statuses would lock the conversation of the later ones.
    let phone = &desk.company.phone;
    phone.post("/whatsapp/settings", json!({"phone_number_id": phone.number_id, "statuses": false})).await;
    let events = Events::new(stack, desk).await;
    let mut settings = stack.control("GET", "/settings", None).await;
    let mut url = url::Url::parse(settings["database_url"].as_str().context("a database")?)?;
    let postgres = SocketAddr::from(([127, 0, 0, 1], url.port().context("a port")?));
    let wire = Wire::open(postgres).await?;
    url.set_port(Some(wire.address.port())).ok().context("a port")?;
    settings["database_url"] = json!(url.as_str());
    for route in Events::ROUTES {
        let launch = launches.get(route).with_context(|| format!("{route} is not in the template"))?;
        let mut function = Function::start(&launch.binary, &launch.environment, Some(settings.clone())).await?;
        let (pause, aim) = if route == "send_message" { (PAUSE_AFTER_MESSAGE, AIM_OF_MESSAGES) } else { (PAUSE, AIM) };
        let (mut over, mut whole, mut bare) = (Times::default(), Times::default(), Times::default());
        for number in 0..UNCOUNTED + REQUESTS {
            let event = events.of(route).context("an event")?;
            let since = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
            wire.record();
            let start = Instant::now();
            let (answered, answer) = function.call(&event).await?;
            expect_success(route, &answer)?;
            tokio::time::sleep(pause).await;
            if number < UNCOUNTED {
                continue;
            }
            let took = answered - start;
            // The event was made up to a few milliseconds before.
            let alone = wire.replay(u64::try_from(since)?.saturating_sub(50)).await?;
            over.add(took.saturating_sub(alone));
            whole.add(took);
            bare.add(alone);
            tokio::time::sleep(PAUSE).await;
        }
        function.stop().await;
        let figure = Figure::new("overhead", format!("{route}: function − SQL"), &over).aim(aim);
        let figure = figure.with("function_p50", whole.at(0.5)).with("function_p95", whole.at(0.95));
        report.add(figure.with("sql_p50", bare.at(0.5)).with("sql_p95", bare.at(0.95)));
    }
    Ok(())
}
