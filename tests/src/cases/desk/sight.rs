//! Being on a topic is not seeing: whoever has lost sight of a conversation is told nothing of it any more, by no type of frame.

use std::{collections::BTreeSet, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};
use tests::{Company, Socket, Stack, Wanted, company::text, sandbox::fresh_number};

/// Types of events that are about no conversation.
const OF_SOMETHING_ELSE: &[&str] = &[
    "bot_config.updated",
    "bot_flow.updated",
    "botconversa.synced",
    "calendar.updated",
    "channel.code_shown",
    "channel.flagged",
    "channel.updated",
    "chat.channel_created",
    "chat.channel_joined",
    "chat.channel_left",
    "chat.channel_read",
    "chat.channel_updated",
    "chat.emoji_updated",
    "chat.member_added",
    "chat.member_removed",
    "chat.message_created",
    "chat.message_updated",
    "chat.preferences_saved",
    "chat.scheduled_updated",
    "chat.thread_followed",
    "client.blocked",
    "client.created",
    "client.deleted",
    "client.file_added",
    "client.merged",
    "client.unblocked",
    "client.unmerged",
    "client.updated",
    "client_fields.updated",
    "clients.imported",
    "mentee.created",
    "mentee.updated",
    "mentee_evolution.saved",
    "mentee_feedback.added",
    "task.completed",
    "task.created",
    "task.deleted",
    "task.overdue",
    "task.updated",
    "company.updated",
    "crm.conflict_resolved",
    "crm.synced",
    "department.created",
    "department.deleted",
    "department.updated",
    "file.checked",
    "followup_sequence.created",
    "followup_sequence.deleted",
    "followup_sequence.updated",
    "invite.updated",
    "job.progress",
    "lead.automated",
    "lead.created",
    "lead.deleted",
    "lead.interaction_added",
    "lead.scored",
    "lead.updated",
    "leads.imported",
    "leads.transferred",
    "lead_fields.updated",
    "lead_scoring.updated",
    "pipeline.created",
    "pipeline.deleted",
    "pipeline.updated",
    "stage.spread",
    "knowledge.imported",
    "knowledge.optimized",
    "knowledge.updated",
    "knowledge_proposal.updated",
    "knowledge_synonyms.updated",
    "membership.ended",
    "notification.created",
    "notification.preferences_saved",
    "notification.read",
    "presence.corrected",
    "prices.updated",
    "quick_reply.created",
    "quick_reply.deleted",
    "quick_reply.updated",
    "session.revoked",
    "setup.updated",
    "tag.created",
    "tag.deleted",
    "tag.updated",
    "template.updated",
    "templates.synced",
    "user.awaiting_approval",
    "user.presence",
    "user.updated",
    "view.created",
    "view.deleted",
    "view.updated",
    "views.ordered",
];

struct Scene {
    company: Company,
    client: String,
    id: String,
    /// A message of the client's.
    target: String,
    /// Of the agent from whose department the conversation has gone.
    blind: Socket,
    /// Of the supervisor.
    seeing: Socket,
}

/// An agent followed a conversation that has gone to another department since; a supervisor follows it still.
async fn scene(stack: &Stack) -> Scene {
    let departments = vec![("Atendimento", vec![1]), ("Financeiro", vec![2, 3])];
    let company = stack.company(Wanted { agents: 3, students: 0, departments, ..Wanted::default() }).await;
    let client = fresh_number();
    let target = company.phone.receive_text(&client, "Oi").await;
    let id = company.admin.conversation_id_of(&client).await;
    let (mut blind, mut seeing) = (company.agents[0].socket().await, company.supervisor.socket().await);
    blind.follow(&id).await;
    seeing.follow(&id).await;
    company.supervisor.transfer(&id, json!({"to_department_id": company.departments[1].1})).await;
    blind.of_type("conversation.transferred").await;
    blind.drain().await;
    Scene { company, client, id, target, blind, seeing }
}

fn typing(id: &str) -> Value {
    json!({"action": "typing", "topic": format!("conversation:{id}"), "state": true})
}

pub async fn no_type_of_frame_reaches_who_lost_sight(stack: Arc<Stack>) {
    let Scene { company, client, id, target, mut blind, mut seeing } = scene(&stack).await;
    let [blind_person, holder, colleague] = &company.agents[..] else { panic!("three agents") };
    holder.take_over(&id).await;
    let mut typist = holder.socket().await;
    typist.follow(&id).await;
    typist.send(typing(&id)).await;
    seeing.of_type("conversation.typing").await;
    let message = holder.say(&id, "Bom dia!").await;
    holder.message_with_status(&message, "read").await;
    company.phone.receive(&client, json!({"reaction": {"message_id": target, "emoji": "✅"}})).await;
    company.phone.receive(&client, json!({"message": {"type": "revoke", "revoke": {"original_message_id": target}}})).await;
    company.phone.receive_text(&client, "Tudo bem?").await;
    holder.api.post(&format!("/conversations/{id}/read"), json!({})).await.expect(200);
    let planned = json!({"conversation_id": id, "body": "Até logo", "due_at": Timestamp::now() + SignedDuration::from_hours(1)});
    holder.api.post("/scheduled-messages", planned).await.expect(201);
    for change in [json!({}), json!({"is_over": true})] {
        holder.api.post(&format!("/conversations/{id}/snooze"), change).await.expect(200);
    }
    let ai = json!({"base_url": format!("{}/llm/v1", stack.addresses.sandbox), "api_key": "obedient-model"});
    company.admin.api.post("/setup/config", json!({"ai": ai})).await.expect(200);
    holder.api.post(&format!("/whatsapp/conversations/{id}/summary"), json!({})).await.expect(201);
    let path = format!("/conversations/{id}/preferences");
    company.supervisor.api.call(Method::PUT, &path, Some(json!({"muted": true}))).await.expect(200);
    let note = json!({"conversation_id": id, "text": "Veja", "mention_ids": [blind_person.id, company.supervisor.id]});
    let note = holder.api.post("/notes", note).await.expect(201);
    let path = format!("/notes/{}", text(&note["id"]));
    holder.api.call(Method::PUT, &path, Some(json!({"text": "Vejam"}))).await.expect(200);
    holder.api.call(Method::DELETE, &path, None).await.expect(204);
    holder.transfer(&id, json!({"to_user_id": colleague.id})).await;
    colleague.close(&id).await;
    company.phone.receive_text(&client, "Mais uma coisa").await;
    // A conversation that was out of sight from its beginning.
    let other = fresh_number();
    let database = stack.database().await;
    let department = company.departments[1].1;
    database
        .execute("update channel_accounts set department_id = $1 where company_id = $2", &[&department, &company.id])
        .await
        .expect("the channel moves");
    company.phone.receive_text(&other, "Olá").await;
    let another = company.admin.conversation_id_of(&other).await;

    let told: BTreeSet<String> = seeing
        .drain()
        .await
        .iter()
        .chain([&json!({"type": "conversation.typing"})])
        .map(|frame| text(&frame["type"]).to_owned())
        .collect();
    let is_about_conversations = |kind: &&str| !OF_SOMETHING_ELSE.contains(kind);
    let types: BTreeSet<String> =
        stack.openapi.event_types().into_iter().filter(is_about_conversations).map(str::to_owned).collect();
    assert_eq!(
        types.difference(&told).collect::<Vec<_>>(),
        Vec::<&String>::new(),
        "not played here: play them, or say they are of something else"
    );
    let heard = blind.drain().await;
    let about = |frame: &&Value| [&id, &another].iter().any(|id| frame.to_string().contains(*id));
    assert_eq!(heard.iter().filter(about).collect::<Vec<_>>(), Vec::<&Value>::new());
}

pub async fn typing_is_not_taken_from_who_lost_sight(stack: Arc<Stack>) {
    let Scene { id, mut blind, mut seeing, .. } = scene(&stack).await;
    blind.send(typing(&id)).await;
    assert_eq!(blind.of_type("error").await["code"], "topic_refused");
    assert!(!seeing.drain().await.iter().any(|frame| frame["type"] == "conversation.typing"));
}
