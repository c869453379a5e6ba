//! A message on its way to a subscriber of BotConversa: who they are there, and what of it can be carried.

use std::time::Duration;

use serde_json::Value;
use shared::{
    botconversa::{self, Account, Content, Errand, Subscriber},
    prelude::*,
    provider::{Call, Failure},
};

use crate::{
    Delivery,
    delivery::{signed, with_options},
};

/// Longest text.
const TEXT: usize = 4096;

/// Until the one repetition of a message that the server says it has failed with.
const BEFORE_REPETITION: Duration = Duration::from_secs(1);

/// Who the message is for, as far as it is known here.
#[derive(Clone, Debug)]
pub struct Recipient {
    pub company_id: Uuid,
    pub client_id: Uuid,
    pub name: String,
    /// As an identity has it; absent for somebody of another network.
    pub number: Option<String>,
    /// BotConversa's id of them in this account.
    pub subscriber_id: Option<String>,
    /// Whether they have agreed to be written to, so that they may be subscribed.
    pub has_consent: bool,
}

/// An account as messages are carried by it.
pub struct Line {
    pub channel_account_id: Uuid,
    pub api_key: String,
    /// `None` before a message is at hand.
    pub recipient: Option<Recipient>,
}

/// BotConversa's id of a client in an account, by which they were last heard of there; null where there is none.
#[macro_export]
macro_rules! subscriber_id {
    ($company:literal, $client:literal, $channel:literal) => {
        concat!(
            "(select split_part(identity.value, ':', 2)
                from client_identities identity
               where identity.company_id = ",
            $company,
            " and identity.client_id = ",
            $client,
            "
                 and identity.kind = 'botconversa' and split_part(identity.value, ':', 1) = ",
            $channel,
            "::text
               order by identity.seen_at desc, identity.created_at desc
               limit 1)"
        )
    };
}

const KEEP_SUBSCRIBER: &str = "
    insert into client_identities (client_id, kind, value, address)
    values ($1, 'botconversa', $2, $2)
    on conflict (company_id, kind, value) do update set seen_at = clock_timestamp()
     where client_identities.client_id = excluded.client_id";

impl Line {
    fn account(&self) -> Account<'_> {
        Account { api_key: &self.api_key, errand: Errand::Message }
    }

    /// Sends to the subscriber, whom it looks up where that was not done before. `file` is a public address. What is answered names no
    /// message, so it is called by ours.
    pub async fn send(&self, context: &Context, delivery: &Delivery, file: Option<&str>) -> (Result<String, Failure>, Vec<Call>) {
        let mut calls = Vec::new();
        let sent = self.deliver(context, delivery, file, &mut calls).await;
        (sent.map(|()| format!("botconversa:{}", delivery.message_id)), calls)
    }

    async fn deliver(
        &self,
        context: &Context,
        delivery: &Delivery,
        file: Option<&str>,
        calls: &mut Vec<Call>,
    ) -> Result<(), Failure> {
        let parts = parts(delivery, file).ok_or_else(|| refused("not_carried", "Este canal não envia mensagens deste tipo."))?;
        let recipient =
            self.recipient.as_ref().ok_or_else(|| refused("not_deliverable", "O cliente não tem endereço neste canal."))?;
        let known = recipient.subscriber_id.clone();
        let mut id = match &known {
            Some(id) => id.clone(),
            None => self.look_up(context, recipient, calls).await?,
        };
        let mut is_sent = false;
        for part in &parts {
            let mut outcome = self.send_once_more(context, &id, part.content(), calls).await;
            // Somebody who was removed there may be there again, as somebody else.
            let is_gone = matches!(&outcome, Err(Failure::Refused { code, .. }) if code == "404") && known.as_ref() == Some(&id);
            if is_gone && recipient.number.is_some() {
                id = self.look_up(context, recipient, calls).await?;
                outcome = self.send_once_more(context, &id, part.content(), calls).await;
            }
            match outcome {
                Ok(()) => is_sent = true,
                // What has gone out is not sent twice for the rest of it.
                Err(Failure::Busy { .. } | Failure::Refused { .. } | Failure::Unknown { .. }) if is_sent => {
                    return Err(refused("partly_sent", "O arquivo foi enviado, a legenda não."));
                }
                Err(failure) => return Err(failure),
            }
        }
        Ok(())
    }

    /// A server that says it has failed has probably sent nothing: it is asked once more. One that is silent is not.
    async fn send_once_more(
        &self,
        context: &Context,
        id: &str,
        content: Content<'_>,
        calls: &mut Vec<Call>,
    ) -> Result<(), Failure> {
        let (sent, call) = botconversa::send(context, self.account(), id, content).await;
        let has_failed = sent.is_err() && call.status.is_some_and(|status| status >= 500);
        calls.push(call);
        if !has_failed {
            return sent;
        }
        tokio::time::sleep(BEFORE_REPETITION).await;
        let (sent, call) = botconversa::send(context, self.account(), id, content).await;
        calls.push(call);
        sent
    }

    /// Who they are there, which is kept. Whoever has not agreed to it is not subscribed.
    async fn look_up(&self, context: &Context, recipient: &Recipient, calls: &mut Vec<Call>) -> Result<String, Failure> {
        let Recipient { company_id, client_id, name, number, has_consent, .. } = recipient;
        let unknown = || refused("not_a_subscriber", "O cliente não está no BotConversa e não autorizou mensagens.");
        let number = number.as_deref().ok_or_else(unknown)?;
        let (found, made) = if *has_consent {
            let (found, made) = botconversa::find_or_create(context, self.account(), number, name).await;
            (found.map(Some), made)
        } else {
            botconversa::find(context, self.account(), number).await
        };
        calls.extend(made);
        let Subscriber { id, .. } = match found {
            Ok(found) => found.ok_or_else(unknown)?,
            // Nobody was written to yet: it may be asked again.
            Err(Failure::Unknown { .. }) => {
                return Err(Failure::Busy { after: Duration::from_secs(5), code: "look_up_unanswered".into() });
            }
            Err(failure) => return Err(failure),
        };
        let kept = async {
            let transaction = context.begin_system(*company_id).await?;
            transaction.execute(KEEP_SUBSCRIBER, &[client_id, &format!("{}:{id}", self.channel_account_id)]).await?;
            transaction.commit_quietly().await
        };
        let kept: Result<(), Error> = kept.await;
        if let Err(error) = kept {
            shared::log::warn("a subscriber that is looked up again next time", error.cause().unwrap_or_default());
        }
        Ok(id)
    }
}

fn refused(code: &str, detail: &str) -> Failure {
    Failure::Refused { code: code.to_owned(), detail: detail.to_owned() }
}

/// What is sent by itself.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    File(String),
}

impl Part {
    fn content(&self) -> Content<'_> {
        match self {
            Self::Text(text) => Content::Text(text),
            Self::File(address) => Content::File(address),
        }
    }
}

/// What a message is made of there, where there are texts and files only; `None` for kinds that nobody can send so.
fn parts(delivery: &Delivery, file: Option<&str>) -> Option<Vec<Part>> {
    let payload = &delivery.payload;
    let words = match (delivery.kind.as_str(), file) {
        ("image" | "video" | "document" | "audio" | "sticker", Some(file)) => {
            let caption = (!delivery.body.is_empty()).then(|| Part::Text(signed(delivery, TEXT)));
            return Some(std::iter::once(Part::File(file.to_owned())).chain(caption).collect());
        }
        ("text", _) => signed(delivery, TEXT),
        ("interactive", _) => with_options(&signed(delivery, TEXT), payload),
        ("location", _) => place(payload),
        ("contacts", _) => contacts(payload),
        _ => return None,
    };
    Some(vec![Part::Text(words.chars().take(TEXT).collect())]).filter(|_| !words.trim().is_empty())
}

/// Words and an address that a map opens.
fn place(payload: &Value) -> String {
    let text = |field: &str| payload[field].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let map = format!("https://maps.google.com/?q={},{}", payload["latitude"], payload["longitude"]);
    [text("name"), text("address"), Some(map)].into_iter().flatten().collect::<Vec<_>>().join("\n")
}

fn contacts(payload: &Value) -> String {
    let contacts = payload["contacts"].as_array().into_iter().flatten();
    let lines = contacts.map(|contact| {
        let name = contact["name"]["formatted_name"].as_str().unwrap_or_default();
        format!("{name}: {}", contact["phones"][0]["phone"].as_str().unwrap_or_default())
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn delivery(kind: &str, body: &str, payload: Value) -> Delivery {
        Delivery { signed_by: Some("Ana".into()), ..Delivery::sample(kind, body, payload) }
    }

    #[test]
    fn there_are_texts_and_files() {
        let text = |text: &str| Part::Text(text.into());
        assert_eq!(parts(&delivery("text", "Olá", json!({})), None), Some(vec![text("*Ana:*\nOlá")]));
        let file = Part::File("https://x/a.pdf".into());
        let captioned = parts(&delivery("document", "Segue", json!({})), Some("https://x/a.pdf"));
        assert_eq!(captioned, Some(vec![file, text("*Ana:*\nSegue")]));
        let bare = parts(&delivery("audio", "", json!({})), Some("https://x/a.ogg"));
        assert_eq!(bare.map(|parts| parts.len()), Some(1));
        for kind in ["template", "reaction", "image"] {
            assert_eq!(parts(&delivery(kind, "x", json!({})), None), None, "{kind}");
        }
    }

    #[test]
    fn places_people_and_options_are_words() {
        let place = json!({"latitude": -23.5, "longitude": -46.6, "name": "Escola"});
        let place = parts(&delivery("location", "", place), None);
        assert_eq!(place, Some(vec![Part::Text("Escola\nhttps://maps.google.com/?q=-23.5,-46.6".into())]));
        let people = json!({"contacts": [{"name": {"formatted_name": "Bia"}, "phones": [{"phone": "+5511987654321"}]}]});
        assert_eq!(parts(&delivery("contacts", "", people), None), Some(vec![Part::Text("Bia: +5511987654321".into())]));
        let options = json!({"options": [{"id": "a", "title": "Manhã"}]});
        let options = parts(&delivery("interactive", "Quando?", options), None);
        assert_eq!(options, Some(vec![Part::Text("*Ana:*\nQuando?\n\n1. Manhã".into())]));
    }
}
