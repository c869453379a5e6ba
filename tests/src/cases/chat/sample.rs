//! What sample events of the team's channels are about.

use serde_json::json;
use tests::{Company, Stack, authenticator::newcomer, company::text};
use uuid::Uuid;

use super::{channel, said};
use crate::cases::{contract::sample, upload};

/// The value of a placeholder in a function's sample.
pub async fn value(stack: &Stack, company: &Company, function: &str, placeholder: &str) -> String {
    let (admin, colleague) = (&company.admin, &company.agents[0]);
    match placeholder {
        // One to enter is a colleague's.
        "channel_id" if function == "join_channel" => channel(colleague, &name(), "public", &[]).await,
        "channel_id" if function == "add_channel_member" => channel(admin, &name(), "public", &[]).await,
        "channel_id" => {
            let id = channel(admin, &name(), "public", &[colleague]).await;
            pinned(company, &id).await;
            id
        }
        "chat_message_id" => pinned(company, &channel(admin, &name(), "public", &[colleague]).await).await,
        "scheduled_chat_message_id" => planned(company).await,
        "emoji_id" => {
            let emoji = json!({"name": format!("viva_{}", Uuid::now_v7().simple()).split_at(30).0, "file_id": upload::ready_file(stack, admin).await});
            text(&admin.api.post("/chat/emoji", emoji).await.expect(201)["id"]).to_owned()
        }
        "new_colleague_id" => newcomer(stack, company, "agent").await.id.to_string(),
        _ => job(stack, company).await,
    }
}

fn name() -> String {
    format!("vendas {}", Uuid::now_v7().simple())
}

/// A message that is pinned, has an answer and a reaction, and was edited; answers its id.
pub async fn pinned(company: &Company, channel: &str) -> String {
    let (admin, colleague) = (&company.admin, &company.agents[0]);
    let message = said(admin, channel, "Bom dia! Quem cobre sábado?").await;
    let path = super::path_of(&message);
    let words = json!({"body": "Bom dia! Quem cobre o sábado?"});
    admin.api.call(reqwest::Method::PUT, &path, Some(words)).await.expect(200);
    admin.api.post(&format!("{path}/pin"), json!({})).await.expect(200);
    admin.api.post(&format!("{path}/reactions"), json!({"emoji": "👍"})).await.expect(200);
    let answer = json!({"body": "Eu cubro.", "root_id": message["id"]});
    if colleague.api.get(&format!("/channels/{channel}")).await.expect(200)["membership"].is_object() {
        super::say(colleague, channel, answer).await;
    }
    text(&message["id"]).to_owned()
}

/// A message for later of the admin's; answers its id.
pub async fn planned(company: &Company) -> String {
    let channel = channel(&company.admin, &name(), "public", &[]).await;
    let plan = json!({"channel_id": channel, "message": {"body": "Bom dia, equipe!"}, "due_at": sample::in_an_hour()});
    text(&company.admin.api.post("/chat/scheduled", plan).await.expect(201)["id"]).to_owned()
}

/// A job of the chat queue, in a lane of its own: nobody but the run works on it.
async fn job(stack: &Stack, company: &Company) -> String {
    let (id, planned): (Uuid, Uuid) = (Uuid::now_v7(), planned(company).await.parse().expect("an id"));
    let add = "
        with due as (update scheduled_chat_messages set due_at = now() where id = $3 returning id)
        insert into jobs (id, company_id, kind, queue, lane, payload, dispatched_at, dispatches)
        select $1, $2, 'post_chat_message', 'chat', $1::uuid::text, jsonb_build_object('scheduled_chat_message_id', id), now(), 1 from due";
    stack.database().await.execute(add, &[&id, &company.id, &planned]).await.expect("a job");
    id.to_string()
}
