//! Months that are told of, and how they compare.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::{Value, json};
use tests::{Stack, Wanted, company::text, each};
use uuid::Uuid;

use super::{begun, month, months, problems, tell};

fn growth(months: &[Value]) -> Vec<[Value; 4]> {
    let of = |month: &Value| ["month", "three_months", "twelve_months", "since_entry"].map(|name| month["growth"][name].clone());
    months.iter().map(of).collect()
}

pub async fn months_grow_as_they_are_compared(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let mentor = &company.agents[0];
    let id = begun(mentor, &[(1, "10000"), (2, "12000"), (3, "9000"), (4, "13500")]).await;
    let told = months(mentor, &id).await;
    let none = Value::Null;
    let expected = [
        [none.clone(), none.clone(), none.clone(), json!(0.0)],
        [json!(20.0), none.clone(), none.clone(), json!(20.0)],
        [json!(-25.0), none.clone(), none.clone(), json!(-10.0)],
        [json!(50.0), json!(35.0), none.clone(), json!(35.0)],
    ];
    assert_eq!(growth(&told), expected);
    assert_eq!((&told[3]["revenue"], &told[3]["year"], &told[3]["month"]), (&json!("13500.00"), &json!(2026), &json!(4)));
    // Never the last row instead of the month that is meant.
    let other = begun(mentor, &[(1, "10000"), (2, "12000"), (4, "13500")]).await;
    assert_eq!(
        growth(&months(mentor, &other).await)[2],
        expected[3].clone().map(|value| if value == 50.0 { none.clone() } else { value })
    );
    // Of nothing there is no growth, and a year is twelve months of the calendar.
    let third = begun(mentor, &[(1, "0"), (2, "500.5")]).await;
    tell(mentor, &third, (2025, 2), "400.40").await.expect(200);
    let saved = tell(mentor, &third, (2026, 2), "500.50").await.expect(200);
    assert_eq!(growth(&[saved])[0], [none.clone(), none.clone(), json!(25.0), none]);
}

pub async fn a_month_told_again_is_one_row_and_what_was_said_before_is_kept(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let [mentor, admin] = [&company.agents[0], &company.admin];
    let id = begun(mentor, &[]).await;
    let path = format!("/mentees/{id}/evolution");
    let first = json!({"year": 2026, "month": 5, "revenue": "1000", "profit": "-250.5", "team": 2, "notes": "Férias"});
    let first = mentor.api.post(&path, first).await.expect(200);
    assert_eq!((&first["version"], &first["profit"], &first["team"]), (&json!(1), &json!("-250.50"), &json!(2)));
    // What is not given stays.
    let second = admin.api.post(&path, json!({"year": 2026, "month": 5, "revenue": 1200.25, "sales": 3})).await.expect(200);
    assert_eq!((&second["id"], &second["version"], &second["revenue"]), (&first["id"], &json!(2), &json!("1200.25")));
    assert_eq!((&second["profit"], &second["sales"], &second["notes"]), (&json!("-250.50"), &json!(3), &json!("Férias")));
    assert_eq!((&second["entered_by"], &second["updated_by"]), (&json!(mentor.id), &json!(admin.id)));
    let head = admin.head().await;
    let same = admin.api.post(&path, json!({"year": 2026, "month": 5, "revenue": "1200.25"})).await.expect(200);
    assert_eq!(same, second, "the same again is no change");
    assert_eq!(admin.events_after(&head).await, [Value::Null; 0]);
    assert_eq!(months(mentor, &id).await, [second]);
    let kept = "select version, figures, told_by from mentee_evolution_revisions where evolution_id = $1 order by version";
    let row: Uuid = text(&first["id"]).parse().expect("an id");
    let kept = stack.database().await.query(kept, &[&row]).await.expect("what was told before");
    let figures: Value = kept[0].get(1);
    assert_eq!((kept.len(), kept[0].get::<_, i32>(0), kept[0].get::<_, Uuid>(2)), (1, 1, mentor.id));
    assert_eq!(
        (&figures["revenue"], &figures["profit"], &figures["notes"]),
        (&json!(1000.00), &json!(-250.50), &json!("Férias"))
    );
}

pub async fn of_many_who_tell_one_month_at_once_nobody_is_lost(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 2, ..Wanted::default() }).await;
    let student = &company.students[0];
    let mentee = json!({"client_id": student.id, "mentor_id": company.agents[0].id, "entry_month": "2026-01"});
    let id = text(&company.admin.api.post("/mentees", mentee).await.expect(201)["id"]).to_owned();
    let people = [&company.admin, &company.supervisor, &company.agents[0], &company.agents[1], student];
    let calls = (0..10).map(|number| (number, people[number % people.len()]));
    let save = async |(number, person): (usize, &tests::company::Person)| {
        let own = "/me/mentoring/evolution".to_owned();
        let path = if person.id == student.id { own } else { format!("/mentees/{id}/evolution") };
        let told = json!({"year": 2026, "month": 7, "revenue": format!("{}.00", 1000 + number)});
        person.api.post(&path, told).await.expect(200)
    };
    let saved = each(calls, save).await;
    let versions: BTreeSet<i64> = saved.iter().filter_map(|row| row["version"].as_i64()).collect();
    assert_eq!(versions, (1..=10).collect());
    let [last] = &months(&company.admin, &id).await[..] else { panic!("one row") };
    assert_eq!(last["version"], 10);
    let row: Uuid = text(&last["id"]).parse().expect("an id");
    let kept = "select (figures ->> 'revenue')::numeric::bigint from mentee_evolution_revisions where evolution_id = $1";
    let kept = stack.database().await.query(kept, &[&row]).await.expect("what was told before");
    let mut all: Vec<i64> = kept.iter().map(|row| row.get(0)).collect();
    all.push(text(&last["revenue"]).trim_end_matches(".00").parse().expect("a figure"));
    all.sort_unstable();
    assert_eq!(all, (1000..1010).collect::<Vec<i64>>());
}

pub async fn what_is_no_month_or_amount_changes_nothing(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let mentor = &company.agents[0];
    let id = begun(mentor, &[]).await;
    let (next_year, next) = month(1);
    for (told, field, code) in [
        (json!({"year": next_year, "month": next, "revenue": "1"}), "month", "in_the_future"),
        (json!({"year": 2026, "month": 13, "revenue": "1"}), "month", "too_large"),
        (json!({"year": 2026, "month": 0, "revenue": "1"}), "month", "too_small"),
        (json!({"year": 1999, "month": 1, "revenue": "1"}), "year", "too_small"),
        (json!({"year": 2026, "month": 1}), "revenue", "required"),
        (json!({"year": 2026, "month": 1, "revenue": "-1"}), "revenue", "invalid_type"),
        (json!({"year": 2026, "month": 1, "revenue": "1.234"}), "revenue", "invalid_type"),
        (json!({"year": 2026, "month": 1, "revenue": "1234567890123"}), "revenue", "invalid_type"),
        (json!({"year": 2026, "month": 1, "revenue": "1", "team": -1}), "team", "too_small"),
        (json!({"year": 2026, "month": 1, "revenue": "1", "ano": 2025}), "year", "two_values"),
    ] {
        let refused = mentor.api.post(&format!("/mentees/{id}/evolution"), told.clone()).await.expect(422);
        assert_eq!(problems(&refused), [(field, code)], "{told}");
    }
    assert_eq!(months(mentor, &id).await, [Value::Null; 0]);
    // The month that has begun may be told of.
    tell(mentor, &id, month(0), "999999999999.99").await.expect(200);
    tell(mentor, &Uuid::now_v7().to_string(), month(0), "1").await.expect(404);
}

pub async fn other_front_ends_call_it_by_other_names(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let mentor = &company.agents[0];
    let id = begun(mentor, &[]).await;
    let told = json!({"ano": 2026, "mes": 3, "revenue": "9000"});
    let saved = mentor.api.post(&format!("/api/v1/mentorados/{id}/evolution"), told).await.expect(200);
    assert_eq!(
        (&saved["ano"], &saved["mes"], &saved["year"], &saved["month"]),
        (&json!(2026), &json!(3), &json!(2026), &json!(3))
    );
    let said = json!({"nota_geral": 8, "nota_nps": 10, "data_feedback": "2026-03-05"});
    let said = mentor.api.post(&format!("/api/v1/mentorados/{id}/feedback"), said).await.expect(201);
    assert_eq!((&said["overall"], &said["nps"], &said["date"]), (&json!(8), &json!(10), &json!("2026-03-05")));
    assert_eq!((&said["nota_geral"], &said["nota_nps"], &said["data_feedback"]), (&json!(8), &json!(10), &json!("2026-03-05")));
    let listed = mentor.api.get(&format!("/api/v1/mentorados/{id}/evolution")).await.expect(200);
    assert_eq!(listed["data"][0]["mes"], 3);
    for path in ["/mentorados", "/mentorados/dashboard", "/mentorados/nps"] {
        mentor.api.get(path).await.expect(200);
    }
    let dashboard = mentor.api.get("/api/v1/mentorados/dashboard?period=12").await.expect(200);
    assert!(dashboard["growth"].as_array().is_some_and(|months| months.len() == 12), "{dashboard}");
}
