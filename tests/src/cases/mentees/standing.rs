//! How mentees stand: growth, engagement, satisfaction, risk.

use std::sync::Arc;

use serde_json::{Value, json};
use tests::{Company, Stack, Wanted, company::text};

use super::{begun, change, month, rows, say, tell, today, written};

async fn nps_of(stack: &Stack, scores: &[i64]) -> Value {
    let company = stack.company(Wanted { students: 0, ..Wanted::default() }).await;
    let id = begun(&company.admin, &[]).await;
    for score in scores {
        say(&company.admin, &id, json!({"nps": score})).await.expect(201);
    }
    company.admin.api.get("/mentees/nps?period=1").await.expect(200)
}

pub async fn nps_is_of_the_answers_of_its_months(stack: Arc<Stack>) {
    let nps = nps_of(&stack, &[10, 10, 9, 9, 8, 7, 7, 6, 3, 0]).await;
    assert_eq!(
        (&nps["nps"], &nps["promoters"], &nps["passives"], &nps["detractors"]),
        (&json!(10.0), &json!(4), &json!(3), &json!(3))
    );
    let nps = nps_of(&stack, &[9, 10, 9, 9, 9, 9, 9, 9, 9, 7, 6, 0, 5]).await;
    assert_eq!((&nps["nps"], &nps["answers"]), (&json!(46.2), &json!(13)));
    assert_eq!(nps_of(&stack, &[9, 10, 8, 0, 1, 2, 6, 4]).await["nps"], json!(-37.5));
    let none = nps_of(&stack, &[]).await;
    assert_eq!((&none["nps"], &none["answers"], &none["average_overall"]), (&Value::Null, &json!(0), &Value::Null));
    // What was said before, and what gave no figure, does not count.
    let company = stack.company(Wanted { students: 0, ..Wanted::default() }).await;
    let id = begun(&company.admin, &[]).await;
    let before = format!("{}-15", written(month(-1)));
    for feedback in [json!({"nps": 10, "overall": 8, "date": before}), json!({"nps": 3, "overall": 7}), json!({"text": "Oi"})] {
        say(&company.admin, &id, feedback).await.expect(201);
    }
    let (one, two) = (
        company.admin.api.get("/mentees/nps?period=1").await.expect(200),
        company.admin.api.get("/mentees/nps?period=2").await.expect(200),
    );
    assert_eq!((&one["nps"], &two["nps"], &two["average_overall"]), (&json!(-100.0), &json!(0.0), &json!(7.5)));
    let months: Vec<(&str, &Value)> =
        two["months"].as_array().expect("months").iter().map(|month| (text(&month["month"]), &month["nps"])).collect();
    assert_eq!(months, [(written(month(-1)).as_str(), &json!(100.0)), (written(month(0)).as_str(), &json!(-100.0))]);
    let others = format!("/mentees/nps?mentor_id={}", company.agents[0].id);
    assert_eq!(company.admin.api.get(&others).await.expect(200)["nps"], Value::Null);
    for period in ["0", "61", "x"] {
        company.admin.api.get(&format!("/mentees/nps?period={period}")).await.expect(422);
        company.admin.api.get(&format!("/mentees/dashboard?period={period}")).await.expect(422);
    }
}

pub async fn the_dashboard_adds_up_what_was_told(stack: Arc<Stack>) {
    let company = stack.company(Wanted { students: 0, ..Wanted::default() }).await;
    let admin = &company.admin;
    let empty = admin.api.get("/mentees/dashboard").await.expect(200);
    assert_eq!(empty["overview"], json!({"active": 0, "at_risk": 0, "revenue": "0.00", "average_growth": null}));
    assert_eq!(empty["engagement"], json!({"average": null, "high": 0, "medium": 0, "low": 0}));
    // 20 % and −50 %: the plain mean, not that of what they earn.
    for (before, now) in [("1000", "1200"), ("100000", "50000")] {
        let id = begun(admin, &[]).await;
        tell(admin, &id, month(-2), before).await.expect(200);
        tell(admin, &id, month(-1), now).await.expect(200);
        say(admin, &id, json!({"nps": 9, "overall": 9})).await.expect(201);
    }
    // Who began now is compared with nobody; who has ended is not active.
    let new = begun(admin, &[]).await;
    tell(admin, &new, month(0), "500.55").await.expect(200);
    let ended = begun(admin, &[]).await;
    change(admin, &ended, json!({"status": "ended"})).await.expect(200);
    let dashboard = admin.api.get("/mentees/dashboard?period=3").await.expect(200);
    assert_eq!((&dashboard["overview"]["active"], &dashboard["overview"]["revenue"]), (&json!(3), &json!("152700.55")));
    assert_eq!(dashboard["overview"]["average_growth"], json!(-15.0));
    let [two_ago, last, current] = [-2, -1, 0].map(|later| written(month(later)));
    let growth = json!([
        {"month": two_ago, "revenue": "101000.00", "growth": null},
        {"month": last, "revenue": "51200.00", "growth": -15.0},
        {"month": current, "revenue": "500.55", "growth": null},
    ]);
    assert_eq!(dashboard["growth"], growth);
    assert_eq!((&dashboard["satisfaction"]["nps"], &dashboard["satisfaction"]["average_overall"]), (&json!(100.0), &json!(9.0)));
    let names: Vec<&String> = dashboard.as_object().expect("an object").keys().collect();
    assert_eq!(names, ["engagement", "growth", "overview", "satisfaction"]);
}

/// The client of a conversation that an agent holds is mentored.
async fn mentored_client(company: &Company) -> (String, String, String) {
    let (number, conversation) = company.served().await;
    let client = company.admin.conversation(&conversation).await["client_id"].clone();
    let mentee = json!({"client_id": client, "entry_month": "2025-01", "mentor_id": company.agents[0].id});
    let id = text(&company.admin.api.post("/mentees", mentee).await.expect(201)["id"]).to_owned();
    (id, number, conversation)
}

pub async fn engagement_is_of_the_parts_that_there_is_data_for(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let mentor = &company.agents[0];
    // Nobody has written to them, and they have no login: of a mentoring that begins now nothing is known.
    let client = mentor.api.post("/clients", json!({"name": "Ana"})).await.expect(201);
    let unknown = mentor.api.post("/mentees", json!({"client_id": client["id"]})).await.expect(201);
    let unknown = mentor.api.get(&format!("/mentees/{}", text(&unknown["id"]))).await.expect(200);
    assert_eq!(unknown["standing"]["engagement"], json!({"score": null, "level": null, "evidence": []}));
    let (id, number, conversation) = mentored_client(&company).await;
    let engagement = async || mentor.api.get(&format!("/mentees/{id}")).await.expect(200)["standing"]["engagement"].clone();
    let part = |part: &str, weight: i64, done: i64, of: i64| json!({"part": part, "weight": weight, "done": done, "of": of});
    // They wrote by themselves, on one day: 20 ÷ 8 of 50.
    assert_eq!(
        engagement().await,
        json!({"score": 5, "level": "low", "evidence": [part("update", 30, 0, 2), part("activity", 20, 1, 8)]})
    );
    // Asked and answered; what is asked just now is waited for.
    mentor.say(&conversation, "Como foi o mês?").await;
    // WhatsApp tells times in whole seconds.
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    drop(company.phone.receive_text(&number, "Foi bom").await);
    mentor.say(&conversation, "Quanto?").await;
    let asked = [part("update", 30, 0, 2), part("activity", 20, 1, 8), part("answers", 20, 1, 1)];
    assert_eq!(engagement().await, json!({"score": 32, "level": "low", "evidence": asked}));
    // Told of the last month, in time until the tenth.
    tell(mentor, &id, month(-1), "1000").await.expect(200);
    let (done, score) = if today().day() <= 10 { (2, 75) } else { (1, 54) };
    let level = if score >= 70 { "high" } else { "medium" };
    let told = [part("update", 30, done, 2), part("activity", 20, 1, 8), part("answers", 20, 1, 1)];
    assert_eq!(engagement().await, json!({"score": score, "level": level, "evidence": told}));
    let dashboard = company.admin.api.get("/mentees/dashboard").await.expect(200);
    let mut counted = json!({"average": score, "high": 0, "medium": 0, "low": 0});
    counted[level] = json!(1);
    assert_eq!(dashboard["engagement"], counted, "whom nothing is known of counts nowhere");
}

pub async fn who_is_at_risk_is_listed_with_the_reasons(stack: Arc<Stack>) {
    let company = stack.company(Wanted { students: 0, ..Wanted::default() }).await;
    let admin = &company.admin;
    let fine = begun(admin, &[]).await;
    for later in [-2, -1] {
        tell(admin, &fine, month(later), "1000").await.expect(200);
    }
    let falling = begun(admin, &[]).await;
    for (later, revenue) in [(-3, "1000"), (-2, "800"), (-1, "640")] {
        tell(admin, &falling, month(later), revenue).await.expect(200);
    }
    let unhappy = begun(admin, &[]).await;
    for later in [-2, -1] {
        tell(admin, &unhappy, month(later), "1000").await.expect(200);
    }
    say(admin, &unhappy, json!({"overall": 9})).await.expect(201);
    say(admin, &unhappy, json!({"overall": 5})).await.expect(201);
    let silent = begun(admin, &[]).await;
    change(admin, &silent, json!({"entry_month": written(month(-2))})).await.expect(200);
    let paused = begun(admin, &[]).await;
    change(admin, &paused, json!({"entry_month": written(month(-2)), "status": "paused"})).await.expect(200);
    let listed = async |query: &str| -> Vec<(String, Value)> {
        let rows = rows(admin, &format!("/mentees?order=asc&{query}")).await;
        rows.iter().map(|row| (text(&row["id"]).to_owned(), row["standing"]["risks"].clone())).collect()
    };
    assert_eq!(listed("at_risk=false").await, [(fine.clone(), json!([])), (paused.clone(), json!([]))]);
    let at_risk = listed("at_risk=true").await;
    let of = |id: &str| at_risk.iter().find(|(one, _)| one == id).map(|(_, risks)| risks.clone()).unwrap_or_default();
    assert_eq!(at_risk.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(), [&falling, &unhappy, &silent]);
    assert_eq!(of(&falling), json!(["falling_revenue"]));
    assert_eq!(of(&unhappy), json!(["low_satisfaction"]));
    // An update that is missing is all that is known of their engagement.
    assert_eq!(of(&silent), json!(["low_engagement", "missing_updates"]));
    // Page by page, as without the filter.
    let first = admin.api.get("/mentees?at_risk=true&limit=2&order=asc").await.expect(200);
    assert_eq!((&first["data"][0]["id"], &first["data"][1]["id"]), (&json!(falling), &json!(unhappy)));
    let next = format!("/mentees?at_risk=true&limit=2&order=asc&cursor={}", text(&first["next_cursor"]));
    let second = admin.api.get(&next).await.expect(200);
    assert_eq!((second["data"].as_array().map(Vec::len), &second["data"][0]["id"]), (Some(1), &json!(silent)));
    assert_eq!((&second["next_cursor"], listed("").await.len()), (&Value::Null, 5));
    let dashboard = admin.api.get("/mentees/dashboard").await.expect(200);
    assert_eq!((&dashboard["overview"]["active"], &dashboard["overview"]["at_risk"]), (&json!(4), &json!(3)));
    // A last word that is better ends it.
    say(admin, &unhappy, json!({"overall": 6})).await.expect(201);
    assert_eq!(listed("at_risk=true").await.len(), 2);
}

pub async fn charts_have_every_month(stack: Arc<Stack>) {
    let company = stack.company(Wanted { students: 0, ..Wanted::default() }).await;
    let admin = &company.admin;
    let id = begun(admin, &[]).await;
    tell(admin, &id, month(-2), "1000").await.expect(200);
    let told = json!({"year": month(-1).0, "month": month(-1).1, "revenue": "1500", "profit": "-5", "team": 3});
    admin.api.post(&format!("/mentees/{id}/evolution"), told).await.expect(200);
    let series = admin.api.get(&format!("/mentees/{id}")).await.expect(200)["series"].clone();
    let of_last = |name: &str| series[name].as_array().expect("values")[9..].to_vec();
    for name in ["months", "revenue", "profit", "team", "leads", "sales", "growth"] {
        assert_eq!(series[name].as_array().map(Vec::len), Some(12), "{name}");
    }
    assert_eq!(of_last("months"), [-2, -1, 0].map(|later| json!(written(month(later)))));
    assert_eq!(of_last("revenue"), [json!("1000.00"), json!("1500.00"), Value::Null]);
    assert_eq!(of_last("profit"), [Value::Null, json!("-5.00"), Value::Null]);
    assert_eq!(of_last("growth"), [Value::Null, json!(50.0), Value::Null]);
    assert_eq!(series["months"][0], json!(written(month(-11))));
}
