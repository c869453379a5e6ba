//! What somebody is told of, on one device where no page is open.

use std::time::Duration;

use shared::prelude::*;

use crate::{
    notification_words,
    web_push::{Notice, Outcome as Pushed, Push, SUBSCRIPTIONS, Subscription, Urgency, deliver},
};

pub const PUSH_NOTIFICATION: &str = "push_notification";

/// What was news yesterday is in the list, and rings nobody.
const KEPT: Duration = Duration::from_hours(12);

/// Nothing of what its person has read, sees no more or is looking at, and of what has happened again since: that tells of it.
const NEWS: &str = concat!(
    "select notifications.user_id, notifications.type as kind, notifications.rung_at = notifications.at as is_heard,
           notifications.conversation_id, notifications.channel_id, notifications.client_id, notifications.lead_id,
           companies.push_shows_text as shows_text,
           coalesce(types.words -> users.locale, types.words -> 'pt-BR') ->> 'name' as name, words.title, words.body,
           (select count(*) from app.unread_of(array[notifications.user_id], 'screen')) as unread
      from notifications
      join notification_types types on types.type = notifications.type
      join companies on companies.id = notifications.company_id
      join users on users.id = notifications.user_id",
    notification_words!(),
    "
     where notifications.id = $1 and notifications.count = $2
       and exists (select from app.unread_of(array[notifications.user_id], 'push', notifications.id))
       and not exists (select from presence_leases
                        where presence_leases.user_id = notifications.user_id and status in ('online', 'busy') and lease_until > now())"
);

#[derive(Deserialize)]
struct PushNotification {
    subscription_id: Uuid,
    notification_id: Uuid,
    count: i32,
}

#[derive(FromRow)]
struct News {
    user_id: Uuid,
    kind: String,
    is_heard: Option<bool>,
    conversation_id: Option<Uuid>,
    channel_id: Option<Uuid>,
    client_id: Option<Uuid>,
    lead_id: Option<Uuid>,
    shows_text: bool,
    name: String,
    title: String,
    body: String,
    unread: i64,
}

impl News {
    /// Where it leads in the front end.
    fn url(&self) -> String {
        match (self.conversation_id, self.channel_id, self.lead_id, self.client_id) {
            (Some(id), ..) => format!("/inbox/{id}"),
            (_, Some(id), ..) => format!("/team/{id}"),
            (.., Some(id), _) => format!("/leads/{id}"),
            (.., Some(id)) => format!("/clients/{id}"),
            _ => "/notifications".to_owned(),
        }
    }

    fn payload(&self, id: Uuid) -> Vec<u8> {
        let (title, body) = if self.shows_text { (&self.title, Some(&*self.body)) } else { (&self.name, None) };
        let body = body.filter(|body| !body.is_empty());
        let is_heard = self.is_heard.unwrap_or_default();
        let notice = Notice { id, r#type: &self.kind, title, body, url: &self.url(), badge: self.unread, sound: is_heard };
        serde_json::to_vec(&notice).expect("a notice serialises")
    }
}

/// Tells one device of one notification, while that is news.
///
/// # Errors
/// Those of the database.
pub async fn push_notification(context: &Context, job: &Claimed) -> Result<Outcome, Error> {
    let PushNotification { subscription_id, notification_id, count } = job.read()?;
    let transaction = context.begin_system(job.company_id).await?;
    let news: Option<News> = transaction.first(NEWS, &[&notification_id, &count]).await?;
    let subscriptions: Vec<Subscription> = match &news {
        Some(news) => transaction.all(SUBSCRIPTIONS, &[&news.user_id]).await?,
        None => Vec::new(),
    };
    transaction.commit_unaudited().await?;
    let subscription = subscriptions.into_iter().find(|subscription| subscription.id == subscription_id);
    if let (Some(news), Some(subscription)) = (news, subscription) {
        let payload = news.payload(notification_id);
        let topic = notification_id.to_string();
        let push = Push { payload: &payload, ttl: KEPT, urgency: Urgency::High, topic: Some(&topic) };
        match deliver(context, &subscription, push).await {
            Pushed::Delivered | Pushed::Gone => {}
            Pushed::RetryAfter(after) => return Ok(Outcome::Again { after, reason: "the push service is busy".to_owned() }),
            Pushed::Refused(reason) => return Ok(Outcome::Failed { reason }),
            Pushed::TooLarge => return Ok(Outcome::Failed { reason: "too large".to_owned() }),
        }
    }
    let transaction = context.begin_system(job.company_id).await?;
    job.finish(&transaction);
    transaction.commit_quietly().await?;
    Ok(Outcome::Done)
}
