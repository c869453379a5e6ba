//! DELETE /integrations/config/{id}

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use tests::{Stack, company::text, sandbox::fresh_number};

use super::{company, connect_number, listed, remove};
use crate::cases::{
    canary, evolution,
    ingest::{
        Dice,
        adapters::{ADAPTERS, Content, Line, Told, Who},
    },
};

pub async fn a_number_goes_and_what_was_said_by_it_stays(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (client, id) = (fresh_number(), company.channel_account_id.to_string());
    company.phone.receive_text(&client, "Oi").await;
    let conversation = company.admin.conversation_id_of(&client).await;
    company.admin.take_over(&conversation).await;
    let mut socket = company.agents[0].socket().await;
    remove(&company, &id, "?conversations=keep").await.expect(204);
    assert_eq!(remove(&company, &id, "?conversations=keep").await.problem(404), "not_found");
    let told = socket.of_type("channel.updated").await;
    assert_eq!((text(&told["data"]["id"]), text(&told["data"]["status"])), (id.as_str(), "disabled"));
    assert_eq!(listed(&company).await, [Value::Null; 0]);
    let kept = company.admin.conversation(&conversation).await;
    assert_eq!((text(&kept["status"]), text(&kept["channel_account_id"])), ("active", id.as_str()));
    assert!(company.admin.thread(&conversation).await.iter().any(|message| message["body"] == "Oi"));
    // Nothing goes out by it, and nothing of it is waited for.
    let message = tests::desk::text_message(&conversation, "Ainda aí?");
    assert_eq!(company.admin.api.post("/messages", message).await.problem(409), "channel_removed");
    assert_eq!(company.phone.sent().await.len(), 0);
    let begun = json!({"phone": fresh_number(), "channel_account_id": id});
    let refused = company.admin.api.post("/conversations", begun).await.expect(422);
    assert_eq!(super::fields(&refused), [("channel_account_id", "channel_disabled")]);
    let templates = company.admin.api.get("/whatsapp/templates").await.expect(200);
    assert_eq!(templates["data"], json!([]));
    for what in ["config", "logs", "usage", "costs"] {
        company.admin.api.get(&format!("/integrations/{what}")).await.expect(200);
    }
    canary::assert_nowhere(&stack, &[&format!("EAAG-local-{}", company.id.simple())], &[]).await;
    let kept = "select count(*) from channel_credentials where channel_account_id = $1";
    let row = stack.database().await.query_one(kept, &[&company.channel_account_id]).await.expect("a count");
    assert_eq!(row.get::<_, i64>(0), 0);
}

pub async fn what_becomes_of_open_conversations_has_to_be_said(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let id = company.channel_account_id.to_string();
    let clients = [fresh_number(), fresh_number(), fresh_number()];
    for client in &clients {
        company.phone.receive_text(client, "Oi").await;
    }
    let closed = company.admin.conversation_id_of(&clients[0]).await;
    company.admin.close(&closed).await;
    let refused = remove(&company, &id, "").await.expect(409);
    assert_eq!((text(&refused["code"]), &refused["current"]), ("conversations_open", &json!({"open": 2})));
    remove(&company, &id, "?conversations=sell").await.expect(422);
    assert_eq!(listed(&company).await.len(), 1);
    let other = connect_number(&company, "Outro").await;
    remove(&company, text(&other["id"]), "").await.expect(204);
    remove(&company, &id, "?conversations=close").await.expect(204);
    for client in &clients {
        assert_eq!(text(&company.admin.conversation_of(client).await["status"]), "closed");
    }
    let audited = "select after from audit_log where company_id = $1 and action = 'delete_integration' and target = $2";
    let row = stack.database().await.query_one(audited, &[&company.id, &id]).await.expect("an audit row");
    assert_eq!(row.get::<_, Value>(0)["conversations_closed"], 2);
}

pub async fn nobody_opens_a_conversation_on_a_channel_that_is_being_removed(stack: Arc<Stack>) {
    let company = company(&stack).await;
    company.phone.receive_text(&fresh_number(), "Oi").await;
    let (company_id, channel) = (company.id, company.channel_account_id);
    let (mut one, other) = (stack.database().await, stack.database().await);
    let removal = one.transaction().await.expect("a transaction");
    removal.query("select from channel_accounts where id = $1 for update", &[&channel]).await.expect("the row");
    let begun = tokio::spawn(async move {
        let open = "
            insert into conversations (id, company_id, client_id, channel_account_id, mode, last_message_from)
            select gen_random_uuid(), company_id, id, $2, 'human', 'client' from clients where company_id = $1
               and not exists (select from conversations where conversations.client_id = clients.id and ended_at is null)";
        let made = "insert into clients (id, company_id, name, name_source) values (gen_random_uuid(), $1, 'Ana', 'staff')";
        other.execute(made, &[&company_id]).await.expect("a client");
        other.execute(open, &[&company_id, &channel]).await
    });
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(!begun.is_finished(), "it waits for the removal");
    removal.execute("update channel_accounts set removed_at = now() where id = $1", &[&channel]).await.expect("removed");
    removal.commit().await.expect("committed");
    let refused = begun.await.expect("a task").expect_err("the channel is gone");
    assert_eq!(refused.code().map(tokio_postgres::error::SqlState::code), Some("40001"), "{refused}");
}

pub async fn a_number_that_was_removed_is_free(stack: Arc<Stack>) {
    let (company, other) = (company(&stack).await, company(&stack).await);
    let (number, client) = (company.phone.number_id.clone(), fresh_number());
    remove(&company, &company.channel_account_id.to_string(), "").await.expect(204);
    // What comes while nobody has it is whose it was last.
    company.phone.receive_text(&client, "Alguém aí?").await;
    let body = json!({"kind": "whatsapp_cloud", "name": "Comprado", "phone_number_id": number, "waba_id": "104200000000001",
        "access_token": format!("EAAG-local-{}", company.id.simple())});
    other.admin.api.post("/integrations/config", body).await.expect(200);
    let unrouted = other.admin.api.get("/inbound-webhooks?unrouted=true").await;
    assert!(!unrouted.body.to_string().contains("Alguém"), "{}", unrouted.body);
    assert_eq!(other.admin.api.get("/conversations").await.expect(200)["data"], json!([]));
    company.phone.receive_text(&client, "Bom dia").await;
    assert_eq!(other.admin.thread(&other.admin.conversation_id_of(&client).await).await.len(), 1);
    assert_eq!(company.admin.api.get("/conversations").await.expect(200)["data"], json!([]));
    let held = "select holder_id from unrouted_webhooks where external_key = $1";
    let row = stack.database().await.query_one(held, &[&number]).await.expect("one that was unrouted");
    assert_eq!(row.get::<_, Option<uuid::Uuid>>(0), Some(company.id));
}

pub async fn an_instance_goes_at_its_server_too(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let server = evolution::Server::start(&stack).await;
    let instance = evolution::open(&stack, &company, &server, ("Vendas", &fresh_number())).await;
    let id = text(&instance["id"]);
    server.fault(&stack, "evolution.instances", "instance/delete", json!({"kind": "error", "status": 500, "times": 1})).await;
    assert_eq!(remove(&company, id, "").await.problem(503), "server_silent");
    assert_eq!(listed(&company).await.len(), 2);
    // Interrupted after the server had done it: asked again, it is not there, which is what was wanted.
    server.fault(&stack, "evolution.instances", "instance/delete", json!({"kind": "accept_then_timeout", "times": 1})).await;
    assert_eq!(remove(&company, id, "").await.problem(503), "server_silent");
    remove(&company, id, "").await.expect(204);
    assert_eq!((server.instances(&stack).await.len(), listed(&company).await.len()), (0, 1));
    let second = evolution::open(&stack, &company, &server, ("Suporte", &fresh_number())).await;
    server.fault(&stack, "evolution.instances", "instance/delete", json!({"kind": "refuse"})).await;
    remove(&company, text(&second["id"]), "?force=true").await.expect(204);
    assert_eq!((server.instances(&stack).await.len(), listed(&company).await.len()), (1, 1));
}

pub async fn what_comes_while_a_channel_goes_leaves_nothing_open(stack: Arc<Stack>) {
    for adapter in ADAPTERS {
        let company = company(&stack).await;
        let line = Line::open(&stack, &company, adapter).await;
        let id = line.channel_account_id.to_string();
        let writes = async || loop {
            let (who, at) = (Who::of(&fresh_number()), jiff::Timestamp::now().as_second());
            let said = Told::Said { who, id: line.fresh_id(), content: Content::Words("Oi".into()), at };
            for body in line.webhooks(&[said], &mut Dice(1)) {
                let status = line.post(&stack, &body).await;
                assert!([200, 401].contains(&status), "{adapter:?}: {status}");
            }
        };
        let removal = async {
            tokio::time::sleep(Duration::from_millis(1_500)).await;
            remove(&company, &id, "?conversations=close").await.expect(204);
            tokio::time::sleep(Duration::from_millis(500)).await;
        };
        tokio::select! {
            ((), (), ()) = async { tokio::join!(writes(), writes(), writes()) } => unreachable!("they write on and on"),
            () = removal => {}
        }
        let count = "select count(*), count(*) filter (where ended_at is null) from conversations where channel_account_id = $1::text::uuid";
        let row = stack.database().await.query_one(count, &[&id]).await.expect("counts");
        let (all, open): (i64, i64) = (row.get(0), row.get(1));
        assert!(all > 2 && open == 0, "{adapter:?}: {open} of {all} are open");
    }
}
