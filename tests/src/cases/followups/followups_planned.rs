//! When steps run, as it is previewed and as it is.

use std::sync::Arc;

use jiff::{Timestamp, tz::TimeZone};
use reqwest::Method;
use serde_json::{Value, json};
use tests::{Answer, Company, Stack, Wanted, company::text};

use super::{enroll, execution, lead, make};

fn at(local: &str) -> Timestamp {
    let zone = TimeZone::get("America/Sao_Paulo").expect("a zone");
    zone.to_timestamp(local.parse().expect("a time")).expect("an instant")
}

async fn preview(company: &Company, sequence: &Value, asked: Value) -> Answer {
    company.agents[0].api.post(&format!("/followups/sequences/{}/preview", text(&sequence["id"])), asked).await
}

fn times(runs: &Value) -> Vec<Timestamp> {
    runs.as_array().into_iter().flatten().map(|run| text(&run["at"]).parse().expect("a time")).collect()
}

fn steps(delays: &[i32]) -> Value {
    delays.iter().map(|delay| json!({"kind": "task", "delay_minutes": delay})).collect()
}

/// `vectors.md` §8, to the minute.
pub async fn the_table_of_dates_holds_for_a_sequence(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let at_once = make(&company.supervisor, json!({"name": "Na hora", "steps": steps(&[0])})).await;
    for (due, runs) in [
        ("2026-11-23T09:00:00", "2026-11-23T09:00:00"),
        ("2026-11-23T18:00:59", "2026-11-23T18:00:59"),
        ("2026-11-23T08:59:00", "2026-11-23T09:00:00"),
        ("2026-11-23T18:01:00", "2026-11-24T09:00:00"),
        ("2026-11-19T18:00:00", "2026-11-19T18:00:00"),
        ("2026-11-19T18:01:00", "2026-11-23T09:00:00"),
        ("2026-04-02T18:01:00", "2026-04-06T09:00:00"),
        ("2026-12-31T18:01:00", "2027-01-04T09:00:00"),
        ("2027-02-05T18:30:00", "2027-02-10T14:00:00"),
    ] {
        let told = preview(&company, &at_once, json!({"at": at(due).to_string()})).await.expect(200);
        assert_eq!(times(&told["runs"]), [at(runs)], "{due}");
    }
    let two_days = make(&company.supervisor, json!({"name": "Dois dias", "steps": steps(&[2880, 1440])})).await;
    let told = preview(&company, &two_days, json!({"at": at("2026-11-18T10:00:00").to_string()})).await.expect(200);
    assert_eq!(times(&told["runs"]), ["2026-11-23T09:00:00", "2026-11-24T09:00:00"].map(at));
    let short = json!({"name": "Dez minutos", "steps": steps(&[0, 30]), "window_end": "09:09"});
    let short = make(&company.supervisor, short).await;
    let told = preview(&company, &short, json!({"at": at("2026-11-23T09:05:00").to_string()})).await.expect(200);
    assert_eq!(times(&told["runs"]), ["2026-11-23T09:05:00", "2026-11-24T09:00:00"].map(at));
}

pub async fn a_companys_holidays_and_a_leads_zone_count(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let admin = &company.admin.api;
    let sequence = make(&company.supervisor, json!({"name": "Na hora", "steps": steps(&[0])})).await;
    let runs = async |due: &str| {
        let told = preview(&company, &sequence, json!({"at": at(due).to_string()})).await.expect(200);
        times(&told["runs"])[0]
    };
    admin.post("/calendar/holidays", json!({"date": "2026-07-09", "name": "Revolução", "yearly": true})).await.expect(201);
    assert_eq!(runs("2027-07-09T10:00:00").await, at("2027-07-12T09:00:00"));
    let week = json!({"monday": [{"from": "08:00", "to": "12:00"}]});
    let calendar = json!({"week": week, "keeps_optional_holidays": false});
    admin.call(Method::PUT, "/calendar", Some(calendar)).await.expect(200);
    assert_eq!(runs("2027-02-05T18:30:00").await, at("2027-02-08T09:00:00"), "Carnaval is worked, whatever the week of people");

    let fields = json!({"fields": [{"key": "time_zone", "label": "Fuso", "kind": "text"}]});
    let database = stack.database().await;
    let leads = [
        lead(&company.supervisor, json!({"name": "Acre"})).await,
        lead(&company.supervisor, json!({"name": "Marte"})).await,
        lead(&company.supervisor, json!({"name": "Nenhum"})).await,
    ];
    drop(fields);
    for (lead, zone) in leads.iter().zip(["America/Rio_Branco", "Marte/Olympus"]) {
        let say = "update leads set custom_fields = jsonb_build_object('time_zone', $2::text) where id = $1::text::uuid";
        database.execute(say, &[&text(&lead["id"]), &zone]).await.expect("a zone");
    }
    let ids: Vec<&Value> = leads.iter().map(|lead| &lead["id"]).collect();
    let asked = json!({"lead_ids": ids, "at": at("2026-11-23T10:30:00").to_string()});
    let told = preview(&company, &sequence, asked).await.expect(200);
    let rows: Vec<_> = told["leads"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|row| (text(&row["name"]), text(&row["time_zone"]), row["is_own_zone"] == true, times(&row["runs"])[0]))
        .collect();
    assert_eq!(
        rows,
        [
            ("Acre", "America/Rio_Branco", true, at("2026-11-23T11:00:00")),
            ("Marte", "America/Sao_Paulo", false, at("2026-11-23T10:30:00")),
            ("Nenhum", "America/Sao_Paulo", false, at("2026-11-23T10:30:00")),
        ]
    );
}

pub async fn what_was_previewed_is_what_runs(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    // Whenever this runs, the step is days away.
    let sequence = json!({"name": "Depois", "steps": steps(&[2880]), "is_active": true, "criteria": {"tags": ["nunca"]}});
    let sequence = make(&company.supervisor, sequence).await;
    let lead = lead(&company.supervisor, json!({})).await;
    let told = preview(&company, &sequence, json!({"lead_ids": [lead["id"]]})).await.expect(200);
    assert_eq!((&told["count"], &told["needs_confirmation"]), (&json!(1), &json!(false)));
    let planned = times(&told["leads"][0]["runs"])[0];
    assert_eq!(enroll(&company.agents[0], &sequence, &[&lead]).await, 1);
    let execution = execution(&company.agents[0], &sequence, &lead).await;
    let runs: Timestamp = text(&execution["next_run_at"]).parse().expect("a time");
    assert!(runs.duration_since(planned).as_secs().abs() < 60, "{runs} {planned}");
    let again = preview(&company, &sequence, json!({"lead_ids": [lead["id"]]})).await.expect(200);
    assert_eq!((&again["count"], &again["leads"]), (&json!(0), &json!([])), "they are in it");
    preview(&company, &sequence, json!({"lead_ids": []})).await.expect(422);
    preview(&company, &sequence, json!({"at": "amanhã"})).await.expect(422);
}
