//! GET, PUT, DELETE /departments/{id} and its members: what changes is seen at once, and nothing is left in a department that is gone.

use std::sync::Arc;

use futures_util::future::{join, join_all};
use reqwest::Method;
use serde_json::{Value, json};
use tests::{Answer, Company, Stack, Wanted, company::text, sandbox::fresh_number};

async fn put(company: &Company, path: &str, body: Value) -> Answer {
    company.supervisor.api.call(Method::PUT, path, Some(body)).await
}

async fn delete(company: &Company, path: &str) -> Answer {
    company.supervisor.api.call(Method::DELETE, path, None).await
}

/// Two departments with an agent each; conversations begin in the first.
async fn two(stack: &Stack, bot: bool) -> (Company, [String; 2]) {
    let departments = vec![("Atendimento", vec![1]), ("Financeiro", vec![2])];
    let company = stack.company(Wanted { students: 1, bot, departments, ..Wanted::default() }).await;
    let paths = [0, 1].map(|index| format!("/departments/{}", company.departments[index].1));
    (company, paths)
}

async fn write(company: &Company) -> String {
    let client = fresh_number();
    company.phone.receive_text(&client, "Oi").await;
    company.admin.conversation_id_of(&client).await
}

pub async fn what_is_given_changes_and_the_rest_stays(stack: Arc<Stack>) {
    let (company, [path, _]) = two(&stack, false).await;
    let before = company.agents[1].api.get(&path).await.expect(200);
    assert_eq!((&before["assignment"], &before["capacity"]), (&json!("manual"), &json!(5)));
    let mut socket = company.agents[1].socket().await;
    let changed = put(&company, &path, json!({"name": "Recepção", "description": "Quem chega"})).await.expect(200);
    assert_eq!((text(&changed["name"]), text(&changed["description"])), ("Recepção", "Quem chega"));
    assert_eq!(socket.of_type("department.updated").await["data"]["department"], changed);
    let changed = put(&company, &path, json!({"assignment": "least_busy", "capacity": 9})).await.expect(200);
    assert_eq!((text(&changed["name"]), text(&changed["description"])), ("Recepção", "Quem chega"));
    assert_eq!((&changed["assignment"], &changed["capacity"], &changed["version"]), (&json!("least_busy"), &json!(9), &json!(3)));
    let changed = put(&company, &path, json!({"description": ""})).await.expect(200);
    assert_eq!(changed["description"], Value::Null);
    assert_eq!(company.agents[0].api.get(&path).await.expect(200), changed);
    let same = put(&company, &path, json!({"name": "Recepção", "capacity": 9})).await.expect(200);
    assert_eq!(same, changed, "the same again is no change");
    for wrong in [json!({"capacity": 0}), json!({"capacity": 201}), json!({"assignment": "random"}), json!({"name": ""})] {
        put(&company, &path, wrong).await.expect(422);
    }
    let refused = company.agents[0].api.call(Method::PUT, &path, Some(json!({"name": "Meu"}))).await;
    assert_eq!(refused.problem(403), "forbidden");
}

pub async fn a_name_is_taken_whatever_its_case_and_accents(stack: Arc<Stack>) {
    let (company, [path, other]) = two(&stack, false).await;
    let current = put(&company, &other, json!({"name": "Matrícula"})).await.expect(200);
    for alike in ["matrícula", "MATRICULA", "Matri\u{301}cula", "MATRÍCULA"] {
        for refused in [
            put(&company, &path, json!({"name": alike})).await,
            company.supervisor.api.post("/departments", json!({"name": alike})).await,
        ] {
            let refused = refused.expect(409);
            assert_eq!((text(&refused["code"]), &refused["current"]), ("name_taken", &current), "{alike}");
        }
    }
    // Its own name, written otherwise.
    assert_eq!(text(&put(&company, &other, json!({"name": "MATRICULA"})).await.expect(200)["name"]), "MATRICULA");
    // Of two at the same time one is first.
    let (one, two) =
        join(put(&company, &path, json!({"name": "Bolsas"})), put(&company, &other, json!({"name": "bolsas"}))).await;
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
}

pub async fn members_see_what_waits_from_the_moment_they_join_and_no_longer(stack: Arc<Stack>) {
    let (company, [path, _]) = two(&stack, false).await;
    let id = write(&company).await;
    let agent = &company.agents[1];
    let mut socket = agent.socket().await;
    agent.api.get(&format!("/conversations/{id}")).await.expect(404);
    let members = format!("{path}/members");
    let joined = company.supervisor.api.post(&members, json!({"user_id": agent.id, "capacity": 2})).await.expect(201);
    assert_eq!((&joined["member_count"], &joined["version"]), (&json!(2), &json!(2)));
    assert_eq!(joined["member_capacities"], json!([{"user_id": agent.id, "capacity": 2}]));
    socket.of_type("department.updated").await;
    // The very next frame of the department's is theirs, without a ping.
    let next = write(&company).await;
    let of_next = |frame: &Value| frame["data"]["conversation"]["id"] == next.as_str();
    socket.frame("the conversation that came", of_next).await;
    let inbox = agent.api.get("/conversations?category=pending").await.expect(200);
    assert_eq!(inbox["data"].as_array().map(Vec::len), Some(2));
    socket.follow(&id).await;
    // Once more with the same capacity: no change.
    let again = company.supervisor.api.post(&members, json!({"user_id": agent.id, "capacity": 2})).await.expect(201);
    assert_eq!((&again["version"], &again["member_capacities"]), (&joined["version"], &joined["member_capacities"]));
    assert_eq!(again["waiting_count"], 2);

    delete(&company, &format!("{members}/{}", agent.id)).await.expect(204);
    socket.of_type("department.updated").await;
    socket.drain().await;
    let unseen = write(&company).await;
    company.agents[0].take_over(&id).await;
    company.agents[0].say(&id, "segredo").await;
    let heard = socket.drain().await;
    let about = |frame: &&Value| [&id, &unseen].iter().any(|id| frame.to_string().contains(*id));
    assert_eq!(heard.iter().filter(about).collect::<Vec<_>>(), Vec::<&Value>::new());
    agent.api.get(&format!("/conversations/{id}")).await.expect(404);
    assert_eq!(agent.api.get("/conversations?category=pending").await.expect(200)["data"], json!([]));
    assert_eq!(delete(&company, &format!("{members}/{}", agent.id)).await.problem(404), "not_found");
}

/// Who leaves a department keeps what they hold.
pub async fn what_a_member_holds_stays_theirs(stack: Arc<Stack>) {
    let (company, [path, _]) = two(&stack, false).await;
    let id = write(&company).await;
    company.agents[0].take_over(&id).await;
    delete(&company, &format!("{path}/members/{}", company.agents[0].id)).await.expect(204);
    company.agents[0].say(&id, "Ainda aqui").await;
    company.agents[0].close(&id).await;
}

pub async fn only_active_staff_become_members(stack: Arc<Stack>) {
    let (company, [path, _]) = two(&stack, false).await;
    let other = stack.company(Wanted::default()).await;
    let leave = "update memberships set status = 'inactive' where company_id = $1 and user_id = $2";
    stack.database().await.execute(leave, &[&company.id, &company.agents[1].id]).await.expect("leaves");
    let members = format!("{path}/members");
    for id in [other.agents[0].id, company.students[0].id, company.agents[1].id] {
        let refused = company.supervisor.api.post(&members, json!({"user_id": id})).await.expect(422);
        assert_eq!((text(&refused["errors"][0]["field"]), text(&refused["errors"][0]["code"])), ("user_id", "not_active_staff"));
    }
    for capacity in [-1, 201] {
        let member = json!({"user_id": company.admin.id, "capacity": capacity});
        company.supervisor.api.post(&members, member).await.expect(422);
    }
    let refused = company.agents[0].api.post(&members, json!({"user_id": company.agents[0].id})).await;
    assert_eq!(refused.problem(403), "forbidden");
    assert_eq!(company.supervisor.api.get(&path).await.expect(200)["version"], 1);
}

pub async fn a_department_in_use_is_deleted_only_with_somewhere_to_go(stack: Arc<Stack>) {
    let (company, [path, other]) = two(&stack, true).await;
    let waiting = write(&company).await;
    let held = write(&company).await;
    company.agents[0].take_over(&held).await;
    company.supervisor.transfer(&waiting, json!({"to_department_id": company.departments[0].1})).await;
    let closed = write(&company).await;
    company.agents[0].take_over(&closed).await;
    company.agents[0].close(&closed).await;
    let refused = delete(&company, &path).await.expect(409);
    let current = &refused["current"];
    assert_eq!(
        (text(&refused["code"]), &current["waiting_count"], &current["open_count"]),
        ("department_in_use", &json!(1), &json!(2))
    );
    assert_eq!((text(&current["name"]), current["channels"].as_array().map(Vec::len)), ("Atendimento", Some(1)));
    let stranger = stack.company(Wanted { departments: vec![("Vendas", vec![])], ..Wanted::default() }).await.departments[0].1;
    for wrong in [company.departments[0].1, stranger, uuid::Uuid::nil()] {
        let refused = delete(&company, &format!("{path}?move_to={wrong}")).await.expect(422);
        assert_eq!(text(&refused["errors"][0]["field"]), "move_to");
    }
    assert_eq!(company.agents[0].api.call(Method::DELETE, &path, None).await.problem(403), "forbidden");

    let (mut left, mut joined) = (company.agents[0].socket().await, company.agents[1].socket().await);
    let target = company.departments[1].1;
    delete(&company, &format!("{path}?move_to={target}")).await.expect(204);
    let moved =
        |frame: &Value| frame["type"] == "conversation.transferred" && frame["data"]["conversation"]["id"] == waiting.as_str();
    for socket in [&mut left, &mut joined] {
        let frame = socket.frame("the conversation moved", moved).await;
        assert_eq!(frame["data"]["conversation"]["department_id"], json!(target));
        let gone = socket.of_type("department.deleted").await;
        assert_eq!(gone["data"], json!({"department_id": company.departments[0].1, "moved_to_id": target}));
    }
    let rows = company.admin.api.get(&format!("/conversations/{waiting}/transfers")).await.expect(200);
    let row = &rows["data"][0];
    assert_eq!((&row["from_department_id"], &row["to_department_id"]), (&json!(company.departments[0].1), &json!(target)));
    assert_eq!(text(&company.agents[1].conversation(&waiting).await["status"]), "pending");
    // Who held one goes on; what has ended keeps its department, by name.
    company.agents[0].say(&held, "Continuo aqui").await;
    assert_eq!(text(&company.admin.conversation(&closed).await["department_name"]), "Atendimento");
    // Conversations begin in the one in its place.
    let client = fresh_number();
    company.phone.receive_text(&client, "Oi").await;
    assert_eq!(company.admin.conversation_of(&client).await["department_id"], json!(target));
    // It is gone everywhere, and its name is free.
    for answer in [
        company.admin.api.get(&path).await,
        put(&company, &path, json!({"name": "Volta"})).await,
        delete(&company, &path).await,
        company.supervisor.api.post(&format!("{path}/members"), json!({"user_id": company.admin.id})).await,
        delete(&company, &format!("{path}/members/{}", company.agents[0].id)).await,
    ] {
        assert_eq!(answer.problem(404), "not_found");
    }
    let listed = company.admin.api.get("/departments").await.expect(200);
    assert_eq!(listed["data"].as_array().map(Vec::len), Some(1), "{listed}");
    let transfer = format!("/conversations/{waiting}/transfer");
    let to_gone = json!({"to_department_id": company.departments[0].1});
    assert_eq!(company.supervisor.api.post(&transfer, to_gone).await.problem(422), "invalid_target");
    assert_eq!(company.agents[0].api.get("/auth/me").await.expect(200)["department_ids"], json!([]));
    company.supervisor.api.post("/departments", json!({"name": "Atendimento"})).await.expect(201);
    put(&company, &other, json!({"name": "Financeiro 2"})).await.expect(200);
}

/// A conversation is in a department that stands, whoever sends it where at the same moment.
pub async fn nothing_is_left_in_a_department_that_is_gone(stack: Arc<Stack>) {
    let in_gone = "
        select count(*)
          from conversations
          join departments on departments.id = department_id
         where conversations.company_id = $1 and ended_at is null and deleted_at is not null";
    let database = stack.database().await;
    for _ in 0..4 {
        let (company, [first, second]) = two(&stack, false).await;
        let ids = join_all((0..4).map(|_| write(&company))).await;
        let extra = company.supervisor.api.post("/departments", json!({"name": "Extra"})).await.expect(201);
        let transfers = join_all(ids.iter().enumerate().map(async |(number, id)| {
            let target = company.departments[number % 2].1;
            let path = format!("/conversations/{id}/transfer");
            company.supervisor.api.post(&path, json!({"to_department_id": target})).await
        }));
        let first_goes = format!("{first}?move_to={}", company.departments[1].1);
        let second_goes = format!("{second}?move_to={}", text(&extra["id"]));
        let deletes = join(delete(&company, &first_goes), delete(&company, &second_goes));
        let arrivals = join_all((0..3).map(|_| write(&company)));
        let (transfers, (one, two), _) = futures_util::future::join3(transfers, deletes, arrivals).await;
        assert!(transfers.iter().all(|answer| [200, 422].contains(&answer.status)));
        // The first may have lost the place it was to go to.
        assert!([204, 422].contains(&one.status) && two.status == 204, "{} {}", one.body, two.body);
        assert_eq!(database.query_one(in_gone, &[&company.id]).await.expect("a count").get::<_, i64>(0), 0);
    }
}

/// Each to the other's place: one of them stands.
pub async fn two_departments_do_not_both_go_to_the_other(stack: Arc<Stack>) {
    for _ in 0..5 {
        let (company, [first, second]) = two(&stack, false).await;
        let ids = [company.departments[0].1, company.departments[1].1];
        let (one, two) = join(
            delete(&company, &format!("{first}?move_to={}", ids[1])),
            delete(&company, &format!("{second}?move_to={}", ids[0])),
        )
        .await;
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [204, 422], "{} {}", one.body, two.body);
        let listed = company.admin.api.get("/departments").await.expect(200);
        assert_eq!(listed["data"].as_array().map(Vec::len), Some(1));
    }
}

/// A flow that hands over to it names it too.
pub async fn a_flow_that_hands_over_to_it_goes_with_it(stack: Arc<Stack>) {
    let departments = vec![("Atendimento", vec![1]), ("Financeiro", vec![2])];
    let company = stack.company(Wanted { students: 0, bot: true, departments, ..Wanted::default() }).await;
    let [first, second] = [0, 1].map(|index| company.departments[index].1);
    let database = stack.database().await;
    let names_second = "
        update bot_flows
           set definition = jsonb_set(definition, '{nodes,human,department_id}', to_jsonb($2::uuid))
         where company_id = $1";
    database.execute(names_second, &[&company.id, &second]).await.expect("the flow hands over to the second");
    let path = format!("/departments/{second}");
    let refused = delete(&company, &path).await.expect(409);
    assert_eq!(refused["current"]["bot_flows"].as_array().map(Vec::len), Some(1), "{refused}");
    delete(&company, &format!("{path}?move_to={first}")).await.expect(204);
    let client = fresh_number();
    company.phone.receive_text(&client, "Oi").await;
    company.phone.sent_at_least(1).await;
    company.phone.receive(&client, json!({"button_reply": {"id": "human", "title": "Falar com atendente"}})).await;
    let pending = tests::eventually("the client handed over", || async {
        let conversation = company.admin.conversation_of(&client).await;
        (conversation["status"] == "pending").then_some(conversation)
    })
    .await;
    assert_eq!(pending["department_id"], json!(first));
}
