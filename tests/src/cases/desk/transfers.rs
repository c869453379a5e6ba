//! Who has had a conversation: every change of hands leaves a row, whoever makes it.

use std::sync::Arc;

use serde_json::{Value, json};
use tests::{Company, Stack, Wanted, company::Person, company::text, eventually, sandbox::fresh_number};

async fn company(stack: &Stack) -> Company {
    let departments = vec![("Atendimento", vec![1, 2]), ("Financeiro", vec![2])];
    stack.company(Wanted { students: 0, departments, ..Wanted::default() }).await
}

async fn rows(person: &Person, id: &str, query: &str) -> Vec<Value> {
    let page = person.api.get(&format!("/conversations/{id}/transfers?{query}")).await.expect(200);
    page["data"].as_array().cloned().unwrap_or_default()
}

pub async fn history_has_every_change_of_hands(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (first, second) = (&company.agents[0], &company.agents[1]);
    let (here, there) = (company.departments[0].1, company.departments[1].1);
    let (client, id) = company.served().await;
    first.transfer(&id, json!({"to_user_id": second.id, "reason": "fala inglês"})).await;
    second.transfer(&id, json!({"to_department_id": there, "reason": "boleto"})).await;
    second.take_over(&id).await;
    second.close(&id).await;
    // Reopened, it is its holder's again: no change of hands.
    company.phone.receive_text(&client, "Mais uma coisa").await;
    let expected = [
        (Value::Null, json!(first.id), here, here, Value::Null, first.id),
        (json!(first.id), json!(second.id), here, here, json!("fala inglês"), first.id),
        (json!(second.id), Value::Null, here, there, json!("boleto"), second.id),
        (Value::Null, json!(second.id), there, there, Value::Null, second.id),
    ];
    let rows = rows(second, &id, "order=asc").await;
    assert_eq!(rows.len(), expected.len(), "{rows:?}");
    for (row, (from_user, to_user, from_department, to_department, reason, by)) in rows.iter().zip(expected) {
        assert_eq!(
            (&row["from_user_id"], &row["to_user_id"], &row["reason"], &row["by_user_id"]),
            (&from_user, &to_user, &reason, &json!(by))
        );
        let departments = (&row["from_department_id"], &row["to_department_id"]);
        assert_eq!(departments, (&json!(from_department), &json!(to_department)));
        assert!(text(&row["transferred_at"]).parse::<jiff::Timestamp>().is_ok(), "{row}");
    }
    assert_eq!((text(&rows[1]["from_user_name"]), text(&rows[1]["to_user_name"])), ("Bruna Lima", "Caio Matos"));
    assert_eq!(rows[2]["to_department_name"], "Financeiro");
}

pub async fn handover_of_the_bot_to_a_department_leaves_a_row(stack: Arc<Stack>) {
    let departments = vec![("Atendimento", vec![1]), ("Financeiro", vec![2])];
    let company = stack.company(Wanted { students: 0, bot: true, departments, ..Wanted::default() }).await;
    let (here, there) = (company.departments[0].1, company.departments[1].1);
    let sql = "update bot_flows set definition = jsonb_set(definition, '{nodes,human,department_id}', to_jsonb($2::text)) where id = $1";
    stack.database().await.execute(sql, &[&company.flow_id, &there.to_string()]).await.expect("a flow");
    let client = fresh_number();
    company.phone.receive_text(&client, "atendente").await;
    let conversation = eventually("the handover", || async {
        let conversation = company.admin.conversation_of(&client).await;
        (conversation["status"] == "pending").then_some(conversation)
    })
    .await;
    let id = text(&conversation["id"]);
    let rows = rows(&company.admin, id, "").await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!((&rows[0]["from_department_id"], &rows[0]["to_department_id"]), (&json!(here), &json!(there)));
    assert_eq!(
        (&rows[0]["from_user_id"], &rows[0]["to_user_id"], &rows[0]["by_user_id"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
}

pub async fn history_is_paged_in_either_order(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (_, id) = company.served().await;
    for index in 0..6 {
        let target = company.agents[(index + 1) % 2].id;
        company.supervisor.transfer(&id, json!({"to_user_id": target})).await;
    }
    let newest_first = rows(&company.supervisor, &id, "").await;
    assert_eq!(newest_first.len(), 7);
    for order in ["desc", "asc"] {
        let (mut paged, mut query) = (Vec::new(), format!("order={order}&limit=3"));
        loop {
            let path = format!("/conversations/{id}/transfers?{query}");
            let page = company.supervisor.api.get(&path).await.expect(200);
            paged.extend(page["data"].as_array().expect("rows").iter().cloned());
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            query = format!("order={order}&limit=3&cursor={cursor}");
        }
        if order == "asc" {
            paged.reverse();
        }
        assert_eq!(paged, newest_first, "{order}");
    }
}

pub async fn history_is_out_of_sight_with_its_conversation(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let other = stack.company(Wanted { agents: 1, students: 0, ..Wanted::default() }).await;
    let (_, id) = company.served().await;
    let path = format!("/conversations/{id}/transfers");
    company.agents[0].transfer(&id, json!({"to_department_id": company.departments[1].1})).await;
    for person in [&company.agents[0], &other.admin] {
        person.api.get(&path).await.expect(404);
    }
    company.admin.api.get(&format!("/conversations/{}/transfers", company.id)).await.expect(404);
    assert_eq!(rows(&company.agents[1], &id, "").await.len(), 2);
}
