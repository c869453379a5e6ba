//! The board, and cards on their way

use std::{collections::BTreeSet, sync::Arc};

use futures_util::future::join_all;
use serde_json::{Value, json};
use tests::{Stack, company::text};

use super::{column, company, fresh, lead, lead_with, mov, path, pipeline, stage};

pub async fn a_company_begins_with_a_board(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let agent = &company.agents[0];
    let pipeline = pipeline(agent).await;
    assert_eq!((text(&pipeline["name"]), &pipeline["is_default"]), ("Vendas", &json!(true)));
    let board = agent.api.get(&format!("/pipelines/{}/board", text(&pipeline["id"]))).await.expect(200);
    let columns = board["columns"].as_array().expect("columns");
    let kinds: Vec<&str> =
        board["pipeline"]["stages"].as_array().into_iter().flatten().map(|stage| text(&stage["kind"])).collect();
    assert_eq!(kinds, ["open", "open", "open", "open", "open", "won", "lost"]);
    for (column, stage) in columns.iter().zip(board["pipeline"]["stages"].as_array().into_iter().flatten()) {
        let empty = json!({"stage_id": stage["id"], "count": 0, "potential_value": "0.00", "leads": [], "next_rank": null});
        assert_eq!(*column, empty);
    }
    lead_with(agent, json!({"name": "Ana", "potential_value": "100.50"})).await;
    lead_with(agent, json!({"name": "Beto", "potential_value": "99.5"})).await;
    let board = agent.api.get(&format!("/pipelines/{}/board?limit=1", text(&pipeline["id"]))).await.expect(200);
    let first = &board["columns"][0];
    assert_eq!((&first["count"], text(&first["potential_value"])), (&json!(2), "200.00"));
    assert_eq!(first["leads"].as_array().map(Vec::len), Some(1));
    assert_eq!((text(&first["leads"][0]["name"]), &first["next_rank"]), ("Beto", &first["leads"][0]["rank"]));
    let deep = format!(
        "/pipelines/{}/stages/{}/leads?after={}",
        text(&pipeline["id"]),
        text(&first["stage_id"]),
        text(&first["next_rank"])
    );
    let page = agent.api.get(&deep).await.expect(200);
    assert_eq!((super::names(&page), &page["next_rank"]), (vec!["Ana".to_owned()], &Value::Null));
}

pub async fn a_card_goes_where_it_is_dropped(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let agent = &company.agents[0];
    let pipeline = pipeline(agent).await;
    let (new, next) = (stage(&pipeline, "new"), stage(&pipeline, "contacted"));
    let (ana, beto, caio) = (lead(agent, "Ana").await, lead(agent, "Beto").await, lead(agent, "Caio").await);
    assert_eq!(column(agent, &pipeline, &new).await, ["Caio", "Beto", "Ana"]);
    let mut socket = company.agents[1].socket().await;
    mov(agent, &caio, json!({"stage_id": new, "after_id": beto["id"], "before_id": ana["id"]})).await.expect(200);
    assert_eq!(column(agent, &pipeline, &new).await, ["Beto", "Caio", "Ana"]);
    let told = socket.of_type("lead.updated").await;
    assert_eq!(text(&told["data"]["lead"]["name"]), "Caio");
    mov(agent, &beto, json!({"stage_id": new, "after_id": ana["id"]})).await.expect(200);
    assert_eq!(column(agent, &pipeline, &new).await, ["Caio", "Ana", "Beto"]);
    let moved =
        mov(agent, &ana, json!({"stage_id": next, "expected_stage_id": new, "version": ana["version"]})).await.expect(200);
    assert_eq!(
        (text(&moved["stage"]["key"]), moved["version"].as_i64()),
        ("contacted", ana["version"].as_i64().map(|version| version + 1))
    );
    assert!(moved["entered_at"].as_str() > ana["entered_at"].as_str());
    // A neighbour that has left: the other one counts.
    mov(agent, &beto, json!({"stage_id": new, "after_id": ana["id"], "before_id": caio["id"]})).await.expect(200);
    assert_eq!(column(agent, &pipeline, &new).await, ["Beto", "Caio"]);
    // Neither is there any more.
    let lost = mov(agent, &caio, json!({"stage_id": next, "after_id": beto["id"]})).await;
    assert_eq!(text(&lost.body["current"]["name"]), "Caio");
    assert_eq!(lost.problem(409), "neighbours_moved");
    assert_eq!(column(agent, &pipeline, &new).await, ["Beto", "Caio"]);
}

pub async fn of_many_who_move_many_cards_each_card_is_once_and_all_see_the_same(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let agent = &company.agents[0];
    let pipeline = pipeline(agent).await;
    let stages = ["new", "contacted", "qualified"].map(|key| stage(&pipeline, key));
    let mut cards = Vec::new();
    for number in 0..20 {
        cards.push(lead(agent, &format!("Lead {number}")).await);
    }
    let mut socket = company.agents[1].socket().await;
    // Fifty at once, in any order, beside cards that move meanwhile.
    let moves = (0..50_usize).map(|mover| {
        let people = [&company.admin, &company.supervisor, &company.agents[0], &company.agents[2]];
        let (card, neighbour) = (cards[mover * 7 % 20].clone(), cards[mover * 3 % 20].clone());
        let (to, person) = (stages[mover % 3].clone(), people[mover % 4].clone());
        async move {
            let place = match mover % 3 {
                0 => json!({"stage_id": to}),
                1 => json!({"stage_id": to, "after_id": neighbour["id"]}),
                _ => json!({"stage_id": to, "before_id": neighbour["id"]}),
            };
            let answer = mov(&person, &card, place).await;
            if answer.status == 409 {
                assert_eq!(answer.problem(409), "neighbours_moved");
                return 0;
            }
            answer.expect(200);
            1
        }
    });
    let done: usize = join_all(moves).await.into_iter().sum();
    assert!(done >= 17, "those on top always go: {done}");
    let mut seen = Vec::new();
    for person in [&company.admin, &company.agents[1]] {
        let mut all = Vec::new();
        for stage in &stages {
            all.push(column(person, &pipeline, stage).await);
        }
        seen.push(all);
    }
    assert_eq!(seen[0], seen[1]);
    let each: BTreeSet<&String> = seen[0].iter().flatten().collect();
    assert_eq!((each.len(), seen[0].iter().flatten().count()), (20, 20));
    for _ in 0..done {
        socket.of_type("lead.updated").await;
    }
    // Each stage that a card was in is in its history, and the last one is where it is.
    let database = stack.database().await;
    let wrong: i64 = database
        .query_one(
            "select count(*) from leads
              where company_id = $1
                and not (select count(*) filter (where left_at is null) = 1 and bool_or(left_at is null and stage_id = leads.stage_id)
                           from lead_stages where lead_id = leads.id)",
            &[&company.id],
        )
        .await
        .expect("counted")
        .get(0);
    assert_eq!(wrong, 0);
}

pub async fn a_column_without_room_is_spread_in_its_order(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let agent = &company.agents[0];
    let pipeline = pipeline(agent).await;
    let new = stage(&pipeline, "new");
    let (below, between, above) = (lead(agent, "Baixo").await, lead(agent, "Meio").await, lead(agent, "Alto").await);
    let database = stack.database().await;
    // Two with nothing between them.
    let figures = "12345678.0000000000000000000000000000000000000000";
    let set = "update leads set rank = $2::text::numeric where id = $1::text::uuid";
    database.execute(set, &[&text(&above["id"]), &figures]).await.expect("set");
    let next = format!("{}1", &figures[..figures.len() - 1]);
    database.execute(set, &[&text(&below["id"]), &next]).await.expect("set");
    let mut socket = company.agents[1].socket().await;
    mov(agent, &between, json!({"stage_id": new, "after_id": above["id"], "before_id": below["id"]})).await.expect(200);
    assert_eq!(column(agent, &pipeline, &new).await, ["Alto", "Meio", "Baixo"]);
    assert_eq!(socket.of_type("stage.spread").await["data"]["stage_id"], json!(new));
    // Halved again and again, the order is what it was dropped in.
    let mut last = fresh(agent, &between).await;
    for number in 0..150 {
        let card = lead(agent, &format!("Lead {number:03}")).await;
        mov(agent, &card, json!({"stage_id": new, "after_id": above["id"], "before_id": last["id"]})).await.expect(200);
        last = card;
    }
    let names = column(agent, &pipeline, &new).await;
    let wanted: Vec<String> =
        std::iter::once("Alto".to_owned()).chain((101..150).rev().map(|number| format!("Lead {number:03}"))).collect();
    assert_eq!(names, wanted);
}

pub async fn what_a_stage_asks_for_is_asked(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let agent = &company.agents[0];
    let pipeline = pipeline(agent).await;
    let card = lead(agent, "Ana").await;
    let lost = mov(agent, &card, json!({"stage_id": stage(&pipeline, "lost")})).await;
    assert_eq!(text(&lost.body["errors"][0]["field"]), "reason");
    assert_eq!(lost.problem(422), "missing_fields");
    let lost = mov(agent, &card, json!({"stage_id": stage(&pipeline, "lost"), "reason": "Sem verba"})).await.expect(200);
    assert_eq!((text(&lost["status"]), text(&lost["close_reason"])), ("lost", "Sem verba"));
    assert!(lost["closed_at"].is_string());
    // Back again, it is open and was not lost.
    let back = mov(agent, &card, json!({"stage_id": stage(&pipeline, "proposal")})).await.expect(200);
    assert_eq!((text(&back["status"]), &back["close_reason"], &back["closed_at"]), ("open", &Value::Null, &Value::Null));
    let close = async |body: Value| agent.api.post(&format!("{}/close", path(&card)), body).await;
    assert_eq!(close(json!({"outcome": "lost"})).await.problem(422), "missing_fields");
    let won = close(json!({"outcome": "won", "value": "4500.00", "reason": "Gostou"})).await.expect(200);
    assert_eq!((text(&won["status"]), text(&won["value"])), ("won", "4500.00"));
    let again = close(json!({"outcome": "won", "value": "1.00"})).await.expect(200);
    assert_eq!((&again["version"], text(&again["value"])), (&won["version"], "4500.00"));
}

pub async fn a_card_that_moved_meanwhile_is_shown(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let agent = &company.agents[0];
    let pipeline = pipeline(agent).await;
    let (new, next) = (stage(&pipeline, "new"), stage(&pipeline, "contacted"));
    let card = lead(agent, "Ana").await;
    // Of ten who drag it with what they saw, one does.
    let drags =
        (0..10).map(|_| mov(agent, &card, json!({"stage_id": next, "expected_stage_id": new, "version": card["version"]})));
    let answers = join_all(drags).await;
    let done = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(done, 1);
    for answer in answers.into_iter().filter(|answer| answer.status != 200) {
        assert_eq!(text(&answer.body["current"]["stage"]["key"]), "contacted");
        assert_eq!(answer.problem(409), "stale_version");
    }
    let elsewhere = stack.company(tests::Wanted::default()).await;
    let foreign = stage(&super::pipeline(&elsewhere.admin).await, "won");
    assert_eq!(mov(agent, &card, json!({"stage_id": foreign})).await.problem(422), "unknown_stage");
    mov(&elsewhere.admin, &card, json!({"stage_id": foreign})).await.problem(404);
}

pub async fn columns_are_read_to_their_foot(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let agent = &company.agents[0];
    let pipeline = pipeline(agent).await;
    let new = stage(&pipeline, "new");
    for number in 0..7 {
        lead(agent, &format!("Lead {number}")).await;
    }
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let path = format!("/pipelines/{}/stages/{new}/leads?limit=3{after}", text(&pipeline["id"]));
        let page = agent.api.get(&path).await.expect(200);
        seen.extend(super::names(&page));
        let Some(next) = page["next_rank"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert_eq!(seen, (0..7).rev().map(|number| format!("Lead {number}")).collect::<Vec<_>>());
    let other = stack.company(tests::Wanted::default()).await;
    let path = format!("/pipelines/{}/stages/{new}/leads", text(&pipeline["id"]));
    other.admin.api.get(&path).await.problem(404);
}
