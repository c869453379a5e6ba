//! What a step does, or what stands in for one: a message as any other goes out, a mail, a task for somebody.

use conversations::{
    Author, CONVERSATION, Conversation, ConversationCreated, MessageToSend, NewMessage, SystemMessage, Variables, add_outgoing,
    add_system_message, content_now, emit_conversation, reason,
};
use shared::{
    error::INTERNAL,
    links::{Link, Purpose},
    mail::{Mail, Template},
    prelude::*,
};

use crate::{
    execution::LogOutcome,
    step::{StepKind, Words, paragraphs},
};

/// Whether a lead may be written to by WhatsApp, from relations named `leads` and `clients`, the latter joined from the left.
#[macro_export]
macro_rules! reach_columns {
    () => {
        "app.has_opted_out(leads) as has_opted_out,
           coalesce(clients.blocked_at is not null, false) as is_blocked,
           coalesce(not (select consent.granted from client_consents consent
                          where consent.company_id = leads.company_id and consent.client_id = leads.client_id
                            and consent.purpose = 'marketing' and consent.channel = 'whatsapp'
                          order by consent.at desc, consent.granted
                          limit 1), false) as has_refused"
    };
}

/// The number that the client of `leads` was last talked to on.
#[macro_export]
macro_rules! last_channel {
    () => {
        "(
               select conversations.channel_account_id
                 from conversations
                 join channel_accounts on channel_accounts.company_id = conversations.company_id
                                      and channel_accounts.id = conversations.channel_account_id
                where conversations.company_id = leads.company_id and conversations.client_id = leads.client_id
                  and channel_accounts.status = 'active' and channel_accounts.kind <> 'widget' and conversations.merged_into_id is null
                order by conversations.last_message_at desc, conversations.id
                limit 1)"
    };
}

/// Whom something is done for, and in whose name.
#[derive(Clone, Debug, PartialEq, FromRow)]
pub struct Recipient {
    pub lead_id: Uuid,
    pub name: String,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub client_id: Option<Uuid>,
    /// The number that it is written from.
    pub channel_account_id: Option<Uuid>,
    /// Whose conversation or task it becomes.
    pub holder_id: Uuid,
}

/// What was done.
pub struct Done {
    pub outcome: LogOutcome,
    pub reason: Option<String>,
    pub variant: Option<i32>,
    pub message_id: Option<Uuid>,
    pub mail_id: Option<Uuid>,
    pub task_id: Option<Uuid>,
    /// The execution ends with it, for this reason.
    pub ends: Option<&'static str>,
}

impl Done {
    #[must_use]
    pub fn new(outcome: LogOutcome) -> Self {
        Self { outcome, reason: None, variant: None, message_id: None, mail_id: None, task_id: None, ends: None }
    }
}

/// Holds the key of the phone, the client and the conversation, as whoever writes to them does.
const START: &str = "select * from app.start_conversation($1, $2, $3, $4, $5, true, $6, $7)";

const IS_OPEN: &str = "select coalesce(window_expires_at > now(), false) as is_open from conversations where id = $1";

const BE_CLIENT: &str = "update leads set client_id = $2 where id = $1 and client_id is null";

const AGENT: &str = "select name from users where id = $1";

const ADD_TASK: &str = "
    insert into tasks (id, kind, title, notes, owner_id, due_at, series_id, cause, lead_id, client_id)
    values ($1, $2, left($3, 200), left($4, 5000), $5, $9, $1, $6, $7, $8)
        on conflict on constraint tasks_cause do nothing";

/// The conversation that a message goes into, or why there is none.
#[derive(FromRow)]
pub struct Begun {
    conversation_id: Option<Uuid>,
    client_id: Option<Uuid>,
    is_new: bool,
    refusal: Option<String>,
}

/// Whether a lead is still of whom it was before it was held, or of the client that it has just been made.
#[must_use]
pub fn is_whose_it_was(begun: Option<&Begun>, before: Option<Uuid>, now: Option<Uuid>) -> bool {
    now == before || before.is_none() && now == begun.and_then(|begun| begun.client_id)
}

/// Finds or begins the conversation with the lead, and holds it.
///
/// # Errors
/// Those of the database.
pub async fn begin(context: &Context, transaction: &Transaction, to: &Recipient) -> Result<Begun, Error> {
    let (new_id, new_client) = (context.new_id(), context.new_id());
    let Recipient { client_id, phone, name, channel_account_id, holder_id, .. } = to;
    transaction.one(START, &[&new_id, &new_client, client_id, phone, name, channel_account_id, holder_id]).await
}

/// Something to be done.
pub struct Asked<'asked> {
    pub company_id: Uuid,
    /// What it is done for: once.
    pub cause: String,
    pub to: &'asked Recipient,
    pub kind: StepKind,
    pub words: &'asked Words,
    /// What a conversation says that is begun with it.
    pub begins: &'static str,
    /// When a task of it is due.
    pub due_at: Timestamp,
}

impl Asked<'_> {
    /// Writes to the lead in the conversation that is held: its words where WhatsApp's window is open, else its template. What cannot be sent
    /// becomes a task.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn write(&self, context: &Context, transaction: &Transaction, begun: Begun) -> Result<Done, Error> {
        let Begun { conversation_id, client_id, is_new, refusal } = begun;
        let (Some(id), None) = (conversation_id, refusal.as_deref()) else {
            let refusal = refusal.unwrap_or_default();
            return match refusal.as_str() {
                "client_blocked" => {
                    Ok(Done { reason: Some(refusal), ends: Some("client_blocked"), ..Done::new(LogOutcome::Skipped) })
                }
                "no_phone" | "unknown_client" => Ok(Done { reason: Some(refusal), ..Done::new(LogOutcome::Skipped) }),
                _ => self.task(context, transaction, Some(refusal)).await,
            };
        };
        let words = self.filled_in(transaction).await?;
        let rows = transaction.query(IS_OPEN, &[&id]).await?;
        let is_open: bool = rows.first().is_some_and(|row| row.get("is_open"));
        let message = match (&words.body, &words.template) {
            (Some(body), _) if is_open => json!({"body": body}),
            (_, Some(template)) => json!({"kind": "template", "template": template}),
            _ => {
                transaction.rollback_to_savepoint(transaction.mark());
                return self.task(context, transaction, Some("window_closed".to_owned())).await;
            }
        };
        let message: MessageToSend = serde_json::from_value(message).map_err(|error| INTERNAL.caused_by(error))?;
        let content = match content_now(transaction, id, &message).await {
            Ok(content) => content,
            Err(error) if (400..500).contains(&error.problem().status) => {
                let why = reason(&error);
                transaction.rollback_to_savepoint(transaction.mark());
                return self.task(context, transaction, Some(why)).await;
            }
            Err(error) => return Err(error),
        };
        if is_new {
            self.tell_begun(context, transaction, id).await?;
        }
        if let Some(client) = client_id {
            transaction.execute(BE_CLIENT, &[&self.to.lead_id, &client]).await?;
        }
        let message_id = context.new_id();
        let new = NewMessage {
            id: message_id,
            conversation_id: id,
            sender_type: Author::Bot,
            sender_id: None,
            content,
            reply_to_id: None,
            client_message_id: Some(self.cause.clone()),
            is_reply: false,
        };
        // It was sent before: never twice.
        match add_outgoing(context, transaction, self.company_id, new).await? {
            Some(_) => Ok(Done { message_id: Some(message_id), ..Done::new(LogOutcome::Sent) }),
            None => Ok(Done { reason: Some("sent_before".to_owned()), ..Done::new(LogOutcome::Skipped) }),
        }
    }

    async fn tell_begun(&self, context: &Context, transaction: &Transaction, id: Uuid) -> Result<(), Error> {
        let conversation: Conversation = transaction.one(CONVERSATION, &[&id]).await?;
        emit_conversation::<ConversationCreated>(transaction, self.company_id, &conversation, None, None);
        let line = SystemMessage { text: self.begins.to_owned(), payload: json!({"act": "started", "by_user_id": null}) };
        add_system_message(context, transaction, &conversation, line);
        Ok(())
    }

    /// # Errors
    /// Those of the database.
    pub async fn mail_or_task(&self, context: &Context, transaction: &Transaction) -> Result<Done, Error> {
        if self.kind != StepKind::Email {
            return self.task(context, transaction, None).await;
        }
        let words = self.filled_in(transaction).await?;
        let data = json!({"subject": words.subject, "paragraphs": paragraphs(words.body.as_deref().unwrap_or_default())});
        let mail_id = transaction.mail(Mail {
            template: Template::Followup,
            to: self.to.email.as_deref().unwrap_or_default(),
            name: &self.to.name,
            locale: "pt-BR",
            link: Some(Link { purpose: Purpose::Unsubscribe, id: self.to.lead_id }),
            data,
        });
        Ok(Done { mail_id: Some(mail_id), ..Done::new(LogOutcome::Sent) })
    }

    async fn filled_in(&self, transaction: &Transaction) -> Result<Words, Error> {
        let rows = transaction.query(AGENT, &[&self.to.holder_id]).await?;
        let agent_name = rows.first().map(|row| row.get("name"));
        Ok(self.words.filled_in(&Variables { client_name: Some(self.to.name.clone()), agent_name, protocol: None }))
    }

    /// Somebody is to do it, or to know why it was not sent.
    async fn task(&self, context: &Context, transaction: &Transaction, why: Option<String>) -> Result<Done, Error> {
        let words = self.filled_in(transaction).await?;
        let name = &self.to.name;
        let (kind, usual) = match self.kind {
            StepKind::CallTask => ("call", format!("Ligar para {name}")),
            StepKind::Task => ("generic", format!("Falar com {name}")),
            StepKind::Whatsapp => ("message", format!("Escrever para {name} no WhatsApp")),
            StepKind::Email => ("message", format!("Escrever para {name}")),
        };
        let id = context.new_id();
        let title = words.subject.unwrap_or(usual);
        let notes = words.body.unwrap_or_default();
        let Recipient { holder_id, lead_id, client_id, .. } = self.to;
        let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 9] =
            [&id, &kind, &title, &notes, holder_id, &self.cause, lead_id, client_id, &self.due_at];
        transaction.execute(ADD_TASK, &parameters).await?;
        Ok(Done { reason: why, task_id: Some(id), ..Done::new(LogOutcome::Task) })
    }
}
