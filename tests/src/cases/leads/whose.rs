//! Whose a lead is: which client's, which colleague's, in which pipeline, and when it was won.

use std::sync::Arc;

use futures_util::future::{join, join_all};
use reqwest::Method;
use serde_json::{Value, json};
use tests::{Stack, Wanted, company::text, sandbox::fresh_number};

use super::{change, company, fresh, lead, lead_with, mov, path, pipeline, stage};

pub async fn a_lead_that_was_there_first_is_its_clients(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let agent = &company.agents[0];
    let (phone, other) = (fresh_number(), fresh_number());
    let waits = lead_with(agent, json!({"name": "Rita", "phone": phone})).await;
    let of_mail = lead_with(agent, json!({"name": "Davi", "email": "davi@exemplo.com.br"})).await;
    assert_eq!((&waits["client_id"], &of_mail["client_id"]), (&Value::Null, &Value::Null));
    company.phone.receive_text(&phone, "Quero saber mais").await;
    let conversation = company.admin.conversation_of(&phone).await;
    let lead = fresh(agent, &waits).await;
    assert_eq!((&lead["client_id"], &lead["open_conversation"]["id"]), (&conversation["client_id"], &conversation["id"]));
    let history = agent.api.get(&format!("{}/history?kind=interaction", path(&lead))).await.expect(200);
    assert_eq!(history["data"].as_array().map(Vec::len), Some(1), "{history}");
    let again = agent.api.post(&format!("/conversations/{}/lead", text(&conversation["id"])), json!({})).await.expect(409);
    assert_eq!((text(&again["code"]), &again["current"]["id"]), ("lead_exists", &waits["id"]));
    // By an e-mail that somebody writes down, and never by one that another company has.
    let elsewhere = stack.company(Wanted::default()).await;
    let foreign = lead_with(&elsewhere.admin, json!({"name": "Davi", "email": "davi@exemplo.com.br", "phone": other})).await;
    company.phone.receive_text(&other, "Oi").await;
    let client = company.admin.conversation_of(&other).await["client_id"].clone();
    let known = json!({"email": "davi@exemplo.com.br"});
    company.admin.api.call(Method::PUT, &format!("/clients/{}", text(&client)), Some(known)).await.expect(200);
    assert_eq!(fresh(agent, &of_mail).await["client_id"], client);
    assert_eq!(fresh(&elsewhere.admin, &foreign).await["client_id"], Value::Null);
}

pub async fn who_sees_their_own_gives_leads_away(stack: Arc<Stack>) {
    let departments = vec![("Vendas", vec![1, 2]), ("Financeiro", vec![3])];
    for visibility in ["own", "department"] {
        let wanted = Wanted { agents: 3, departments: departments.clone(), agent_visibility: visibility, ..Wanted::default() };
        let company = stack.company(wanted).await;
        let [giver, taker, stranger] = [&company.agents[0], &company.agents[1], &company.agents[2]];
        let of_finance = json!({"name": "Cobrança", "department_id": company.departments[1].1});
        let elsewhere = company.supervisor.api.post("/pipelines", of_finance).await.expect(201);
        let sees = async |person: &tests::company::Person, lead: &Value| person.api.get(&path(lead)).await.status;
        // One that is theirs by name alone, in a pipeline that they do not see otherwise.
        let fields = json!({"name": "Bia", "closer_id": giver.id, "pipeline_id": elsewhere["id"]});
        let given = lead_with(&company.supervisor, fields).await;
        let shown = change(giver, &given, json!({"closer_id": taker.id})).await.expect(200);
        assert_eq!(shown["closer"]["id"], json!(taker.id), "{visibility}");
        assert_eq!((sees(giver, &given).await, sees(taker, &given).await), (404, 200), "{visibility}");
        let own = lead_with(giver, json!({"name": "Caio", "closer_id": giver.id})).await;
        let bulk = json!({"lead_ids": [own["id"]], "closer_id": taker.id});
        giver.api.post("/leads/bulk", bulk).await.expect(200);
        assert_eq!(fresh(taker, &own).await["closer"]["id"], json!(taker.id));
        let made = giver.api.post("/leads", json!({"name": "Davi", "closer_id": stranger.id})).await.expect(201);
        assert_eq!(made["closer"]["id"], json!(stranger.id));
        assert_eq!(sees(stranger, &made).await, 200);
        assert_eq!(sees(giver, &made).await, if visibility == "own" { 404 } else { 200 });
        if visibility == "own" {
            assert_eq!(giver.api.get("/leads").await.expect(200)["totals"]["count"], 0);
        }
    }
}

pub async fn a_sale_is_of_the_day_on_which_it_was_made(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (agent, lead) = (&company.agents[0], lead(&company.agents[0], "Ana").await);
    let close = async |how: Value| agent.api.post(&format!("{}/close", path(&lead)), how).await.expect(200);
    close(json!({"outcome": "lost", "reason": "Preço"})).await;
    let aged = "update leads set closed_at = closed_at - interval '100 days' where company_id = $1";
    stack.database().await.execute(aged, &[&company.id]).await.expect("a hundred days");
    close(json!({"outcome": "won", "value": "900.00"})).await;
    let told = company.supervisor.api.get("/leads/performance?period=30").await.expect(200);
    assert_eq!((&told["metrics"]["won"], text(&told["metrics"]["value_won"])), (&json!(1), "900.00"));
}

pub async fn an_open_lead_has_no_end(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (agent, board) = (&company.agents[0], pipeline(&company.admin).await);
    let lead = lead(agent, "Ana").await;
    lead_with(agent, json!({"name": "Bia"})).await;
    for key in ["new", "contacted"] {
        mov(agent, &lead, json!({"stage_id": stage(&board, key), "reason": "Preço", "value": "10.00"})).await.expect(200);
        let now = fresh(agent, &lead).await;
        assert_eq!((&now["close_reason"], &now["value"]), (&Value::Null, &Value::Null), "{key}");
    }
    assert_eq!(mov(agent, &lead, json!({"stage_id": stage(&board, "lost")})).await.problem(422), "missing_fields");
}

pub async fn no_lead_is_in_a_pipeline_that_is_no_more(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let boss = &company.supervisor;
    let adrift = "
        select count(*) from leads join pipelines on pipelines.id = leads.pipeline_id
         where leads.company_id = $1 and leads.deleted_at is null and pipelines.archived_at is not null";
    let mut deleted = 0;
    for number in 0..12 {
        let made = boss.api.post("/pipelines", json!({"name": format!("Funil {number}")})).await.expect(201);
        let moved = lead(boss, "Que vai para lá").await;
        let at = format!("/pipelines/{}", text(&made["id"]));
        let adding = join_all((0..4).map(|_| boss.api.post("/leads", json!({"name": "Novo", "pipeline_id": made["id"]}))));
        let moving = mov(boss, &moved, json!({"stage_id": stage(&made, "new")}));
        let (gone, (added, moving)) = join(boss.api.call(Method::DELETE, &at, None), join(adding, moving)).await;
        assert!([204, 409].contains(&gone.status), "{}", gone.body);
        assert!(added.iter().all(|answer| [201, 422].contains(&answer.status)), "{added:?}");
        assert!([200, 404, 409, 422].contains(&moving.status), "{}", moving.body);
        deleted += usize::from(gone.status == 204);
    }
    assert!(deleted > 0, "some came first");
    let left: i64 = stack.database().await.query_one(adrift, &[&company.id]).await.expect("a count").get(0);
    assert_eq!(left, 0);
    // Who comes back comes to where new leads do.
    let made = boss.api.post("/pipelines", json!({"name": "De passagem"})).await.expect(201);
    let (stays, goes) = (lead(boss, "Ana").await, lead_with(boss, json!({"name": "Ana C.", "pipeline_id": made["id"]})).await);
    let merge = boss.api.post(&format!("{}/merge", path(&stays)), json!({"lead_id": goes["id"]})).await.expect(201);
    boss.api.call(Method::DELETE, &format!("/pipelines/{}", text(&made["id"])), None).await.expect(204);
    boss.api.post(&format!("/lead-merges/{}/undo", text(&merge["id"])), json!({})).await.expect(200);
    assert_eq!(fresh(boss, &goes).await["pipeline_id"], pipeline(boss).await["id"]);
}

pub async fn a_lead_of_a_client_who_becomes_another_is_the_others(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let boss = &company.supervisor;
    let make = async |name: &str| text(&boss.api.post("/clients", json!({"name": name})).await.expect(201)["id"]).to_owned();
    for _ in 0..8 {
        let (stays, goes) = join(make("Ana"), make("Ana C.")).await;
        let adding = join_all((0..4).map(|_| boss.api.post("/leads", json!({"name": "Ana", "client_id": goes}))));
        let at = format!("/clients/{stays}/merge");
        let merging = boss.api.post(&at, json!({"client_id": goes}));
        let (added, merged) = join(adding, merging).await;
        merged.expect(201);
        for answer in added.into_iter().filter(|answer| answer.status != 422) {
            let made = answer.expect(201);
            assert_eq!(fresh(boss, &made).await["client_id"], json!(stays));
        }
    }
}

pub async fn what_a_merge_joins_was_done_by_one_person(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (agent, boss) = (&company.agents[0], &company.supervisor);
    let phone = fresh_number();
    let stays = lead(agent, "Ana").await;
    let goes = lead_with(agent, json!({"name": "Ana C.", "phone": phone, "crm_id": "7"})).await;
    company.phone.receive_text(&phone, "Oi").await;
    company.admin.conversation_of(&phone).await;
    let confirmed = json!({"need_level": "high", "budget_confirmed": true});
    let qualified = agent.api.call(Method::PUT, &format!("{}/qualification", path(&goes)), Some(confirmed)).await;
    assert!(qualified.status < 300, "{}", qualified.body);
    let merge = boss.api.post(&format!("{}/merge", path(&stays)), json!({"lead_id": goes["id"]})).await.expect(201);
    let joined = fresh(agent, &stays).await;
    assert_eq!((&joined["qualification"]["need_level"], &joined["crm_id"]), (&json!("high"), &json!("7")));
    let replied = "select replied_at is not null from leads where id = $1";
    let id: uuid::Uuid = text(&stays["id"]).parse().expect("an id");
    assert!(stack.database().await.query_one(replied, &[&id]).await.expect("a lead").get::<_, bool>(0));
    // An id that is another lead's by the time that they are parted is refused, and nothing changes.
    change(agent, &joined, json!({"crm_id": null})).await.expect(200);
    lead_with(agent, json!({"name": "Outra", "crm_id": "7"})).await;
    let undo = boss.api.post(&format!("/lead-merges/{}/undo", text(&merge["id"])), json!({})).await;
    assert_eq!(undo.problem(409), "crm_id_taken");
    assert_eq!(agent.api.get(&path(&goes)).await.status, 404);
}
