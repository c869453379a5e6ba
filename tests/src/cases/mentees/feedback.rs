//! What mentees think, and who learns of it.

use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    Company, Stack, Wanted,
    company::{Person, text},
    each,
};

use super::{begun, problems, rows, say};

async fn told(person: &Person) -> Vec<Value> {
    rows(person, "/notifications?type=low_satisfaction").await
}

async fn tasks(person: &Person, mentee: &str) -> Vec<Value> {
    rows(person, &format!("/tasks?mentee_id={mentee}")).await
}

async fn mentored_student(company: &Company) -> String {
    let mentee = json!({"client_id": company.students[0].id, "mentor_id": company.agents[0].id, "entry_month": "2026-01"});
    text(&company.admin.api.post("/mentees", mentee).await.expect(201)["id"]).to_owned()
}

pub async fn who_is_not_content_is_told_of_and_there_is_a_task(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let (mentor, student) = (&company.agents[0], &company.students[0]);
    let id = mentored_student(&company).await;
    for (number, overall) in (0..=5).enumerate() {
        let feedback = json!({"overall": overall, "text": "Esperava mais encontros"});
        let feedback = student.api.post("/me/mentoring/feedback", feedback).await.expect(201);
        let (told, tasks) = (told(mentor).await, tasks(mentor, &id).await);
        assert_eq!((told.len(), tasks.len()), (number + 1, number + 1), "of {overall}");
        assert_eq!(told[0]["source_id"], feedback["id"]);
        assert!(text(&told[0]["title"]).ends_with(&format!("deu nota {overall} à mentoria")), "{}", told[0]);
        let title = format!("Conversar sobre a nota {overall} da mentoria");
        let task = tasks.iter().find(|task| task["title"] == title.as_str()).expect("its task");
        assert_eq!((&task["kind"], &task["owner_id"], &task["created_by"]), (&json!("call"), &json!(mentor.id), &Value::Null));
        assert_eq!((&task["client_id"], &task["mentee_id"]), (&json!(student.id), &json!(id)));
        let due: jiff::Timestamp = text(&task["due_at"]).parse().expect("a time");
        let hours = due.duration_since(jiff::Timestamp::now()).as_hours();
        assert!((22..=24).contains(&hours), "{task}");
    }
    // Also what staff were told, whoever writes it down; 6 or nothing is no alarm.
    say(mentor, &id, json!({"overall": 5})).await.expect(201);
    for content in [json!({"overall": 6}), json!({"nps": 0}), json!({"text": "Tudo bem"}), json!({"overall": 10, "nps": 10})] {
        say(&company.admin, &id, content).await.expect(201);
    }
    assert_eq!((told(mentor).await.len(), tasks(mentor, &id).await.len()), (7, 7));
    for other in [&company.admin, &company.agents[1]] {
        assert_eq!(told(other).await, [Value::Null; 0]);
    }
}

pub async fn scores_are_whole_and_of_ten(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let (mentor, student) = (&company.agents[0], &company.students[0]);
    let id = mentored_student(&company).await;
    for field in ["overall", "nps"] {
        for (score, code) in
            [(json!(11), "too_large"), (json!(-1), "too_small"), (json!(7.5), "invalid_type"), (json!("dez"), "invalid_type")]
        {
            let mut feedback = json!({"text": "x"});
            feedback[field] = score.clone();
            for refused in [say(mentor, &id, feedback.clone()).await, student.api.post("/me/mentoring/feedback", feedback).await]
            {
                assert_eq!(problems(&refused.expect(422)), [(field, code)], "{score}");
            }
        }
    }
    for (feedback, field, code) in [
        (json!({}), "text", "required"),
        (json!({"text": "  "}), "text", "required"),
        (json!({"overall": 3, "date": "2999-01-01"}), "date", "in_the_future"),
        (json!({"overall": 3, "areas": [{"name": "Vendas", "score": 11}]}), "areas[0].score", "too_large"),
        (json!({"overall": 3, "surprise": 1}), "surprise", "unknown_field"),
    ] {
        let refused = say(mentor, &id, feedback.clone()).await.expect(422);
        assert_eq!(problems(&refused), [(field, code)], "{feedback}");
    }
    assert_eq!(rows(mentor, &format!("/mentees/{id}/feedback")).await, [Value::Null; 0]);
    assert_eq!((told(mentor).await.len(), tasks(mentor, &id).await.len()), (0, 0));
}

pub async fn a_feedback_sent_twice_is_one(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let (mentor, student) = (&company.agents[0], &company.students[0]);
    let id = mentored_student(&company).await;
    let api = student.api.with_header("idempotency-key", "um");
    let feedback = json!({"overall": 2, "nps": 3});
    let answers = each(0..8, async |_: i32| api.post("/me/mentoring/feedback", feedback.clone()).await).await;
    for answer in answers {
        // Whoever comes while the first one is at work is told to wait.
        assert!(answer.status == 201 || answer.status == 409, "{}", answer.body);
    }
    let first = api.post("/me/mentoring/feedback", feedback.clone()).await.expect(201);
    let listed = rows(mentor, &format!("/mentees/{id}/feedback")).await;
    assert_eq!(listed, [first]);
    assert_eq!((told(mentor).await.len(), tasks(mentor, &id).await.len()), (1, 1));
}

pub async fn where_the_mentor_has_left_whoever_leads_is_told(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let mentor = &company.agents[0];
    let id = begun(mentor, &[]).await;
    let leaves = Some(json!({"is_active": false}));
    company.admin.api.call(Method::PATCH, &format!("/users/{}", mentor.id), leaves).await.expect(200);
    say(&company.admin, &id, json!({"overall": 1})).await.expect(201);
    for leader in [&company.admin, &company.supervisor] {
        assert_eq!(told(leader).await.len(), 1);
    }
    let [task] = &tasks(&company.supervisor, &id).await[..] else { panic!("one task") };
    assert_eq!(task["owner_id"], json!(mentor.id));
}
