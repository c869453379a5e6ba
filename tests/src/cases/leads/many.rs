//! Many leads at once, and what they come to

use std::sync::Arc;

use serde_json::{Value, json};
use tests::{Stack, company::text};

use super::{column, company, fresh, lead, lead_with, mov, path, pipeline, stage};

pub async fn one_thing_is_done_to_many_leads(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let agent = &company.agents[0];
    let pipeline = pipeline(agent).await;
    let (ana, beto, caio) = (lead(agent, "Ana").await, lead(agent, "Beto").await, lead(agent, "Caio").await);
    let ids = json!([ana["id"], caio["id"], beto["id"]]);
    let bulk = async |mut body: Value, ids: &Value| {
        body["lead_ids"] = ids.clone();
        agent.api.post("/leads/bulk", body).await
    };
    let outcomes = |answer: &Value| -> Vec<String> {
        answer["data"].as_array().into_iter().flatten().map(|one| text(&one["outcome"]).to_owned()).collect()
    };
    let assigned = bulk(json!({"closer_id": agent.id}), &ids).await.expect(200);
    assert_eq!(outcomes(&assigned), ["done", "done", "done"]);
    assert_eq!(outcomes(&bulk(json!({"closer_id": agent.id}), &ids).await.expect(200)), ["unchanged"; 3]);
    assert_eq!(fresh(agent, &beto).await["closer"]["id"], json!(agent.id));
    bulk(json!({"closer_id": null}), &json!([ana["id"]])).await.expect(200);
    assert_eq!(fresh(agent, &ana).await["closer"], Value::Null);
    bulk(json!({"add_tags": ["vip"]}), &ids).await.expect(200);
    bulk(json!({"remove_tags": ["vip"]}), &json!([ana["id"]])).await.expect(200);
    assert_eq!((&fresh(agent, &ana).await["tags"], &fresh(agent, &beto).await["tags"]), (&json!([]), &json!(["vip"])));
    // In the order given, on top of what is there.
    let next = stage(&pipeline, "contacted");
    lead_with(agent, json!({"name": "Duda", "stage_id": next})).await;
    bulk(json!({"stage": {"id": next}}), &ids).await.expect(200);
    assert_eq!(column(agent, &pipeline, &next).await, ["Ana", "Caio", "Beto", "Duda"]);
    let lost = bulk(json!({"stage": {"id": stage(&pipeline, "lost")}}), &ids).await.expect(200);
    assert_eq!((outcomes(&lost), text(&lost["data"][0]["code"])), (vec!["refused".to_owned(); 3], "missing_fields"));
    let elsewhere = uuid::Uuid::now_v7();
    let mixed = bulk(json!({"delete": true}), &json!([beto["id"], elsewhere])).await.expect(200);
    assert_eq!((outcomes(&mixed), text(&mixed["data"][1]["code"])), (vec!["done".to_owned(), "refused".to_owned()], "not_found"));
    agent.api.call(reqwest::Method::DELETE, &path(&beto), None).await.problem(404);
    for wrong in [json!({}), json!({"delete": true, "add_tags": ["a"]}), json!({"closer_id": elsewhere})] {
        assert_eq!(bulk(wrong, &ids).await.status, 422);
    }
    assert_eq!(bulk(json!({"delete": true}), &json!([ana["id"], ana["id"]])).await.status, 422);
}

/// The figures are made of the facts, and of nothing else.
pub async fn a_quarter_is_counted_as_it_was(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let boss = &company.supervisor;
    let pipeline = pipeline(boss).await;
    let asked = async |query: &str| boss.api.get(&format!("/leads/performance?{query}")).await.expect(200);
    let empty = asked("").await;
    assert_eq!(empty["metrics"]["conversion_rate"], Value::Null);
    assert_eq!((text(&empty["metrics"]["value_won"]), &empty["metrics"]["average_ticket"]), ("0.00", &Value::Null));
    // 12 won of 54000 together, 18 lost, and two that are open, one of them proposed to.
    for number in 0..32 {
        let closer = &company.agents[number % 2];
        let made =
            lead_with(boss, json!({"name": format!("Lead {number}"), "potential_value": "1000", "closer_id": closer.id})).await;
        let close = async |body: Value| boss.api.post(&format!("{}/close", path(&made)), body).await.expect(200);
        match number {
            0..12 => drop(close(json!({"outcome": "won", "value": "4500.00"})).await),
            12..30 => drop(close(json!({"outcome": "lost", "reason": "Preço"})).await),
            30 => drop(mov(boss, &made, json!({"stage_id": stage(&pipeline, "proposal")})).await.expect(200)),
            _ => {}
        }
    }
    let told = asked("period=30").await;
    let metrics = &told["metrics"];
    assert_eq!(
        (&metrics["won"], &metrics["lost"], &metrics["open"], &metrics["new_leads"]),
        (&json!(12), &json!(18), &json!(2), &json!(32))
    );
    assert_eq!((&metrics["conversion_rate"], text(&metrics["average_ticket"])), (&json!(40.0), "4500.00"));
    assert_eq!((text(&metrics["value_won"]), text(&metrics["value_open"])), ("54000.00", "2000.00"));
    let funnel: Vec<(&str, i64, &Value)> = told["funnel"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|row| (text(&row["stage"]), row["count"].as_i64().unwrap_or_default(), &row["conversion_from_previous"]))
        .collect();
    let (full, forty, ninety) = (json!(100.0), json!(40.6), json!(92.3));
    assert_eq!(
        funnel,
        [
            ("Novo", 32, &Value::Null),
            ("Contatado", 13, &forty),
            ("Qualificado", 13, &full),
            ("Proposta", 13, &full),
            ("Negociação", 12, &ninety),
            ("Ganho", 12, &full),
        ]
    );
    let closers = told["topClosers"].as_array().cloned().unwrap_or_default();
    let sold: Vec<(&Value, &Value, &str)> =
        closers.iter().map(|row| (&row["closer"]["id"], &row["won"], text(&row["value_won"]))).collect();
    let (first, second) = (json!(company.agents[0].id), json!(company.agents[1].id));
    assert_eq!(sold.len(), 2);
    assert!(sold.contains(&(&first, &json!(6), "27000.00")) && sold.contains(&(&second, &json!(6), "27000.00")));
    assert_eq!((&told["reasons"][0]["count"], text(&told["reasons"][0]["reason"])), (&json!(18), "Preço"));
    let one = asked(&format!("closer_id={}", company.agents[0].id)).await;
    assert_eq!((&one["metrics"]["won"], &one["metrics"]["lost"]), (&json!(6), &json!(9)));
    assert_eq!(asked("origin=site").await["metrics"]["won"], 0);
}
