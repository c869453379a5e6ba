//! POST /knowledge/manage, PUT and DELETE /knowledge/manage/{id}, GET /knowledge, GET /knowledge/{id}

use std::sync::Arc;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;
use tests::{Stack, company::text};
use uuid::Uuid;

use super::{boleto, change, company, titles, write};

pub async fn an_article_is_written_changed_brought_back_and_removed(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let mut socket = company.agents[0].socket().await;
    let made = write(&company, boleto()).await;
    let id = &made["id"];
    assert_eq!((&made["version"], &made["audience"], &made["status"]), (&json!(1), &json!("both"), &json!("active")));
    assert_eq!(made["author_id"], json!(company.supervisor.id));
    let told = socket.of_type("knowledge.updated").await;
    assert_eq!((&told["data"]["article_id"], &told["data"]["change"]), (id, &json!("created")));
    let changed =
        change(&company.supervisor, id, Some("1"), json!({"answer": "Peça no WhatsApp.", "valid_until": "2199-01-01T00:00:00Z"}));
    let changed = changed.await.expect(200);
    assert_eq!((&changed["version"], text(&changed["answer"])), (&json!(2), "Peça no WhatsApp."));
    let same = change(&company.supervisor, id, Some("2"), json!({"answer": "Peça no WhatsApp."})).await.expect(200);
    assert_eq!(same["version"], json!(2), "what changes nothing makes no version");
    let stale = change(&company.supervisor, id, Some("1"), json!({"answer": "Velho"})).await.expect(409);
    assert_eq!((text(&stale["code"]), &stale["current"]["version"]), ("stale_version", &json!(2)));
    let by_id = json!({"id": id, "title": "Boleto de novo", "answer": "Peça no WhatsApp."});
    let seen = company.admin.api.with_header("if-match", "2");
    let renamed = seen.post("/knowledge/manage", by_id.clone()).await.expect(200);
    assert_eq!((&renamed["version"], &renamed["tags"]), (&json!(3), &json!(["financeiro"])), "what is not given stays");
    assert_eq!(seen.post("/knowledge/manage", by_id).await.problem(409), "stale_version");
    let back = change(&company.supervisor, id, None, json!({"revision": 1})).await.expect(200);
    assert_eq!((&back["version"], &back["restored_from"]), (&json!(4), &json!(1)));
    assert_eq!((&back["title"], &back["answer"], &back["valid_until"]), (&made["title"], &made["answer"], &json!(null)));
    assert_eq!(change(&company.supervisor, id, None, json!({"revision": 9})).await.expect(422)["errors"][0]["field"], "revision");
    let path = format!("/knowledge/{}", text(id));
    let detail = company.supervisor.api.get(&format!("{path}?revision=2")).await.expect(200);
    let versions: Vec<i64> =
        detail["revisions"].as_array().expect("rows").iter().filter_map(|row| row["version"].as_i64()).collect();
    assert_eq!(versions, [4, 3, 2, 1]);
    assert_eq!(text(&detail["revision"]["answer"]), "Peça no WhatsApp.");
    assert_eq!(company.agents[0].api.get(&path).await.expect(200)["revisions"], json!([]), "versions are for who leads");
    let manage = format!("/knowledge/manage/{}", text(id));
    company.supervisor.api.call(Method::DELETE, &manage, None).await.expect(204);
    company.supervisor.api.get(&path).await.expect(404);
    assert!(titles(&company.supervisor, "segunda via do boleto", "").await.is_empty());
    company.supervisor.api.call(Method::DELETE, &manage, None).await.expect(404);
    let kept = "select count(*) from knowledge_revisions where article_id = $1::text::uuid";
    let kept: i64 = stack.database().await.query_one(kept, &[&text(id)]).await.expect("a count").get(0);
    assert_eq!(kept, 5, "what it was stays, its removal included");
}

pub async fn of_many_who_change_one_version_one_does(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let made = write(&company, boleto()).await;
    let people = [&company.supervisor, &company.admin];
    let changes = (0..12).map(|number| {
        let person = people[number % 2];
        let id = &made["id"];
        async move { change(person, id, Some("1"), json!({"answer": format!("Resposta {number}")})).await }
    });
    let answers = join_all(changes).await;
    let mut done: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    done.sort_unstable();
    assert_eq!((done[0], &done[1..]), (200, [409; 11].as_slice()));
    let count = "select version, (select count(*) from knowledge_revisions where article_id = knowledge_articles.id) from knowledge_articles where id = $1::text::uuid";
    let row = stack.database().await.query_one(count, &[&text(&made["id"])]).await.expect("a row");
    assert_eq!((row.get::<_, i32>(0), row.get::<_, i64>(1)), (2, 2));
    // Terms are those of what it says, whoever came last.
    let orphans = "select count(*) from knowledge_terms terms join knowledge_articles article on article.id = terms.article_id
                    where article.id = $1::text::uuid and not terms.term = any (article.terms)";
    let orphans: i64 = stack.database().await.query_one(orphans, &[&text(&made["id"])]).await.expect("a count").get(0);
    assert_eq!(orphans, 0);
}

pub async fn what_is_wrong_with_an_article_is_named_and_changes_nothing(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let long = |length: usize| "a".repeat(length);
    for (article, field) in [
        (json!({"answer": "Sem título"}), "title"),
        (json!({"title": "Sem resposta"}), "answer"),
        (json!({"title": long(201), "answer": "x"}), "title"),
        (json!({"title": "x", "answer": long(20_001)}), "answer"),
        (json!({"title": "x\u{200b}", "answer": "x"}), "title"),
        (json!({"title": "x", "answer": "x", "questions": vec!["x"; 51]}), "questions"),
        (json!({"title": "x", "answer": "x", "questions": [long(301)]}), "questions[0]"),
        (json!({"title": "x", "answer": "x", "tags": [""]}), "tags[0]"),
        (json!({"title": "x", "answer": "x", "audience": "todos"}), "audience"),
        (
            json!({"title": "x", "answer": "x", "valid_from": "2026-02-01T00:00:00Z", "valid_until": "2026-01-01T00:00:00Z"}),
            "valid_until",
        ),
        (json!({"title": "x", "answer": "x", "outro": 1}), "outro"),
    ] {
        let refused = company.supervisor.api.post("/knowledge/manage", article.clone()).await;
        assert!([400, 422].contains(&refused.status), "{article}");
        let refused = refused.body;
        assert_eq!(text(&refused["errors"][0]["field"]), field, "{refused}");
    }
    let huge = json!({"title": "x", "answer": long(10_000_000 - 200)});
    company.supervisor.api.post("/knowledge/manage", huge).await.expect(413);
    company
        .supervisor
        .api
        .post("/knowledge/manage", json!({"id": Uuid::now_v7(), "title": "x", "answer": "x"}))
        .await
        .expect(404);
    for query in ["q=", "", "q=x&limit=0", "q=x&audience=todos"] {
        company.supervisor.api.get(&format!("/knowledge/search?{query}")).await.expect(422);
    }
    assert_eq!(company.supervisor.api.get("/knowledge").await.expect(200)["data"], json!([]));
}

pub async fn knowledge_is_for_staff_of_its_company(stack: Arc<Stack>) {
    let [company, other] = [super::company(&stack).await, super::company(&stack).await];
    let made = write(&company, boleto()).await;
    let path = format!("/knowledge/{}", text(&made["id"]));
    assert!(titles(&other.supervisor, "segunda via do boleto", "").await.is_empty());
    other.supervisor.api.get(&path).await.expect(404);
    change(&other.admin, &made["id"], None, json!({"answer": "Outra"})).await.expect(404);
    other.agents[0].api.post(&format!("{path}/use"), json!({"helped": true})).await.expect(404);
    for student_path in ["/knowledge", "/knowledge/search?q=boleto", &path, "/knowledge/synonyms", "/knowledge/proposals"] {
        company.students[0].api.get(student_path).await.expect(403);
    }
    company.agents[0].api.post("/knowledge/manage", boleto()).await.expect(403);
    change(&company.agents[0], &made["id"], None, json!({"answer": "Minha"})).await.expect(403);
    company.agents[0].api.get("/knowledge/proposals").await.expect(403);
}

pub async fn what_is_not_for_others_yet_is_for_who_leads(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let mut draft = boleto();
    draft["status"] = json!("draft");
    let draft = write(&company, draft).await;
    let path = format!("/knowledge/{}", text(&draft["id"]));
    company.agents[0].api.get(&path).await.expect(404);
    company.supervisor.api.get(&path).await.expect(200);
    assert_eq!(company.agents[0].api.get("/knowledge").await.expect(200)["data"], json!([]));
    assert_eq!(company.supervisor.api.get("/knowledge?status=draft").await.expect(200)["data"][0]["id"], draft["id"]);
    assert!(titles(&company.supervisor, "segunda via do boleto", "").await.is_empty(), "a draft is found by nobody");
    change(&company.supervisor, &draft["id"], None, json!({"status": "active"})).await.expect(200);
    assert_eq!(titles(&company.agents[0], "segunda via do boleto", "").await.len(), 1);
    change(&company.supervisor, &draft["id"], None, json!({"status": "archived"})).await.expect(200);
    assert!(titles(&company.supervisor, "segunda via do boleto", "").await.is_empty());
}
