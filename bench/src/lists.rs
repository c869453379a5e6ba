//! The inbox, one conversation and its messages, over HTTP, on a company with years of them.

use std::time::Instant;

use anyhow::{Result, ensure};
use serde_json::Value;
use tests::{Stack, company::Person};

use crate::{
    desk::Desk,
    report::{Figure, Report, Times},
};

const AIM: f64 = 10.0;

/// What a tenth of all messages contain, and a seventh of all names, alone and among what is closed.
const COMMON: [&str; 3] = ["search=boleto", "search=Gomes", "category=closed&search=boleto"];
const COMMON_AIM: f64 = 50.0;

/// Requests of each kind, after a few that are not counted.
const REQUESTS: usize = 60;
const UNCOUNTED: usize = 6;

/// Pages walked before a deep one is measured.
const DEEP: usize = 40;

pub async fn run(stack: &Stack, desk: &Desk, report: &mut Report) -> Result<()> {
    let (company, own, long) = (&desk.company, desk.own, desk.long);
    let mut inboxes = vec![("all", String::new())];
    let asked = [
        "category=pending",
        "category=active",
        "category=closed",
        "category=active,pending",
        "assignee=me",
        "category=active&unread=true",
        "tag=matrícula",
        "priority=urgent",
        "handled_by=me",
        "category=closed&handled_by=me",
        "channel=whatsapp",
        "channel=evolution",
        "participating=true",
        "participating=false",
        "snoozed=true",
        "snoozed=false",
        "unread=false&category=active",
        "assignee=none&category=pending",
        "category=closed&tag=matrícula&priority=urgent",
        "search=Gabriela Gomes 4",
        "search=30000123",
        "search=mensalidade 333",
    ];
    inboxes.extend(asked.iter().chain(&COMMON).map(|query| (*query, (*query).to_owned())));
    inboxes.push(("department", format!("department_id={}", company.departments[0].1)));
    for (role, person) in [("agent", &company.agents[0]), ("supervisor", &company.supervisor)] {
        let caller = Caller::of(stack, person);
        for (name, query) in &inboxes {
            let what = format!("{role}: conversations {name}");
            let figure = caller.measure("lists", what, &format!("/conversations?{query}")).await?;
            report.add(if COMMON.contains(name) { figure.aim(COMMON_AIM) } else { figure });
        }
        for category in ["", "category=closed&"] {
            let mut path = format!("/conversations?{category}limit=100");
            for _ in 0..DEEP {
                let page = caller.get(&path).await?;
                let Some(cursor) = page["next_cursor"].as_str() else { break };
                path = format!("/conversations?{category}limit=100&cursor={cursor}");
            }
            report.add(caller.measure("lists", format!("{role}: conversations {category}page {DEEP}, of 100"), &path).await?);
        }
        report.add(caller.measure("lists", format!("{role}: conversation"), &format!("/conversations/{own}")).await?);
        report.add(caller.measure("lists", format!("{role}: messages"), &format!("/messages?conversation_id={own}")).await?);
        if role == "supervisor" {
            let mut path = format!("/messages?conversation_id={long}");
            for _ in 0..10 {
                let page = caller.get(&path).await?;
                path = format!("/messages?conversation_id={long}&cursor={}", page["next_cursor"].as_str().unwrap_or_default());
            }
            report.add(caller.measure("lists", "supervisor: messages, page 10 of a long one".to_owned(), &path).await?);
        }
    }
    Ok(())
}

/// Somebody who asks again and again.
pub struct Caller<'a> {
    stack: &'a Stack,
    token: &'a str,
}

impl<'a> Caller<'a> {
    pub fn of(stack: &'a Stack, person: &'a Person) -> Self {
        Self { stack, token: person.api.token.as_deref().unwrap_or_default() }
    }

    pub async fn get(&self, path: &str) -> Result<Value> {
        let answer = self.stack.http.get(format!("{}{path}", self.stack.addresses.api)).bearer_auth(self.token).send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        ensure!(status == 200, "{path}: {status} {text}");
        Ok(serde_json::from_str(&text)?)
    }

    pub async fn measure(&self, group: &'static str, what: String, path: &str) -> Result<Figure> {
        let mut times = Times::default();
        let mut rows = 0;
        for number in 0..UNCOUNTED + REQUESTS {
            let start = Instant::now();
            let answer = self.get(path).await?;
            if number >= UNCOUNTED {
                times.add(start.elapsed());
            }
            rows = answer["data"].as_array().map_or(1, Vec::len);
        }
        Ok(Figure::new(group, what, &times).aim(AIM).with("rows", rows))
    }
}
