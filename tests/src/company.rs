//! A company of one's own for each test, with its people signed in.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{Api, Socket, Stack, sandbox::Phone};

/// What a company has; see `seed` in `local`.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub agents: usize,
    pub students: usize,
    pub agent_visibility: &'static str,
    /// Names with the numbers of their agents, from 1.
    pub departments: Vec<(&'static str, Vec<usize>)>,
    pub bot: bool,
    pub flow: Option<Value>,
    /// Its words at a takeover; `None` is the text of the product. Nothing is said by default, so that tests count their own messages.
    pub takeover_text: Option<&'static str>,
}

impl Default for Wanted {
    fn default() -> Self {
        Self {
            agents: 2,
            students: 1,
            agent_visibility: "department",
            departments: Vec::new(),
            bot: false,
            flow: None,
            takeover_text: Some(""),
        }
    }
}

/// Somebody signed in.
#[derive(Clone)]
pub struct Person {
    pub id: Uuid,
    pub email: String,
    pub api: Api,
    pub refresh_token: String,
}

/// A company with its people and its WhatsApp number.
pub struct Company {
    pub id: Uuid,
    pub slug: String,
    pub password: String,
    pub admin: Person,
    pub supervisor: Person,
    pub agents: Vec<Person>,
    pub students: Vec<Person>,
    pub departments: Vec<(String, Uuid)>,
    pub channel_account_id: Uuid,
    pub flow_id: Option<Uuid>,
    /// The sandbox of its number.
    pub phone: Phone,
}

impl Company {
    pub(crate) async fn make(stack: &Stack, wanted: Wanted) -> Result<Self> {
        let departments: Vec<Value> =
            wanted.departments.iter().map(|(name, agents)| json!({"name": name, "agents": agents})).collect();
        let mut body = json!({
            "agents": wanted.agents,
            "students": wanted.students,
            "agent_visibility": wanted.agent_visibility,
            "departments": departments,
            "bot": wanted.bot,
            "takeover_text": wanted.takeover_text,
        });
        if let Some(flow) = wanted.flow {
            body["flow"] = flow;
        }
        let made = stack.control("POST", "/companies", Some(body)).await;
        let password = made["password"].as_str().context("a password")?.to_owned();
        let mut people: Vec<(String, Person)> = Vec::new();
        for person in made["people"].as_array().context("people")? {
            let email = person["email"].as_str().context("an e-mail")?.to_owned();
            let role = person["role"].as_str().context("a role")?.to_owned();
            people.push((role, Person::sign_in(stack, &email, &password).await?));
        }
        let of =
            |wanted: &str| people.iter().filter(|(role, _)| role == wanted).map(|(_, person)| person.clone()).collect::<Vec<_>>();
        let departments = made["departments"].as_array().context("departments")?;
        let departments = departments.iter().map(|pair| Ok((pair[0].as_str().context("a name")?.to_owned(), id(&pair[1])?)));
        Ok(Self {
            id: id(&made["id"])?,
            slug: made["slug"].as_str().context("a slug")?.to_owned(),
            password,
            admin: of("admin").remove(0),
            supervisor: of("supervisor").remove(0),
            agents: of("agent"),
            students: of("student"),
            departments: departments.collect::<Result<_>>()?,
            channel_account_id: id(&made["channel_account_id"])?,
            flow_id: id(&made["flow_id"]).ok(),
            phone: Phone::new(stack, made["phone_number_id"].as_str().context("a number")?),
        })
    }
}

impl Person {
    /// Somebody who has a login.
    ///
    /// # Errors
    /// When the answer is not a login's.
    ///
    /// # Panics
    /// When the login is refused.
    pub async fn sign_in(stack: &Stack, email: &str, password: &str) -> Result<Self> {
        let api = stack.api();
        let login = api.post("/auth/login", json!({"email": email, "password": password})).await.expect(200);
        let token = login["access_token"].as_str().context("a token")?;
        let refresh_token = login["refresh_token"].as_str().context("a token")?.to_owned();
        Ok(Self { id: id(&login["user"]["id"])?, email: email.to_owned(), api: api.with_token(token), refresh_token })
    }

    /// A socket of this person's.
    ///
    /// # Panics
    /// When it does not open.
    pub async fn socket(&self) -> Socket {
        let ticket = self.api.post("/realtime/tickets", json!({})).await.expect(201);
        Socket::open(text(&ticket["url"])).await.expect("a socket opens")
    }
}

fn id(value: &Value) -> Result<Uuid> {
    Ok(value.as_str().context("an id")?.parse()?)
}

/// A JSON string's text.
#[must_use]
pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
