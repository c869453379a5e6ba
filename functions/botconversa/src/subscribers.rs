//! Subscribers as clients: who each is here, and what is filled in.

use conversations::LOCK_KEYS;
use shared::{
    botconversa::Subscriber,
    error::UNAVAILABLE,
    phone,
    prelude::*,
    text::{has_control_characters, has_hidden_characters, unaccented},
};
use whatsapp::{
    channel::{Channel, TRIES},
    item::Sender,
    provider::Provider,
    sender::{client_of, create_client},
    statements::{FILL_IN, LINK_IDENTITY},
};

/// Characters of a tag, and tags of a client.
const LONGEST_TAG: usize = 40;
const MOST_TAGS: usize = 30;

/// In the order of all who lock several.
const LOCK_CLIENTS: &str = "
    select from clients
     where id in (select client_id from client_identities
                   where (kind, value) in (select split_part(key, ':', 1), substr(key, strpos(key, ':') + 1) from unnest($1::text[]) key))
     order by id
       for no key update";

const ADD_TAGS: &str = "update clients set tags = tags || $2::text[], version = version + 1 where id = $1";

const HAS: &str = "
    select clients.tags, coalesce(known.tags, '{}') as known
      from clients
      left join botconversa_subscribers known on known.channel_account_id = $2 and known.subscriber_id = $3
     where clients.id = $1";

#[derive(FromRow)]
struct Has {
    tags: Vec<String>,
    known: Vec<String>,
}

const KEEP: &str = "
    insert into botconversa_subscribers (channel_account_id, subscriber_id, tags)
    values ($1, $2, $3)
    on conflict (company_id, channel_account_id, subscriber_id) do update set tags = excluded.tags, synced_at = now()";

/// What came of some subscribers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Taken {
    pub made: usize,
    pub updated: usize,
    pub failed: usize,
}

/// An account, as clients are found and made by it.
pub fn channel(company_id: Uuid, id: Uuid) -> Channel {
    Channel { id, company_id, provider: Provider::BotConversa, department_id: None, bot_flow_id: None, reopen_window: 0 }
}

/// Makes clients of subscribers, or fills in what is not known of those there are.
pub async fn take(
    context: &Context,
    transaction: &Transaction,
    channel: &Channel,
    subscribers: &[Subscriber],
) -> Result<Taken, Error> {
    let people: Vec<(Sender, &Subscriber)> = subscribers.iter().map(|one| (sender(channel, one), one)).collect();
    let keys = |(sender, _): &(Sender, &Subscriber)| {
        let number = sender.wa_id.as_deref().map(|number| format!("phone:{}", phone::canonical(number)));
        number.into_iter().chain(sender.user_id.as_deref().map(|id| format!("botconversa:{id}"))).collect::<Vec<_>>()
    };
    let mut keys: Vec<String> = people.iter().flat_map(keys).collect();
    keys.sort_unstable();
    // Its own statement, so that the next one sees what was committed while it waited.
    transaction.query(LOCK_KEYS, &[&keys]).await?;
    transaction.query(LOCK_CLIENTS, &[&keys]).await?;
    let mut taken = Taken::default();
    for (sender, subscriber) in people {
        match take_one(context, transaction, channel, &sender, subscriber).await? {
            Some((true, _)) => taken.made += 1,
            Some((false, true)) => taken.updated += 1,
            Some((false, false)) => {}
            None => taken.failed += 1,
        }
    }
    Ok(taken)
}

fn sender(channel: &Channel, subscriber: &Subscriber) -> Sender {
    let name = subscriber.name.as_deref().map(|name| name.split_whitespace().collect::<Vec<_>>().join(" "));
    let is_shown = |name: &String| !name.is_empty() && !has_hidden_characters(name) && name.chars().any(char::is_alphabetic);
    Sender {
        wa_id: subscriber.phone.as_deref().map(phone::canonical),
        user_id: Some(format!("{}:{}", channel.id, subscriber.id)),
        name: name.filter(is_shown).map(|name| name.chars().take(120).collect()),
    }
}

/// Whether a client was made of one, and whether something was filled in. `None` of one who would be two clients: a list of numbers proves nothing.
async fn take_one(
    context: &Context,
    transaction: &Transaction,
    channel: &Channel,
    sender: &Sender,
    subscriber: &Subscriber,
) -> Result<Option<(bool, bool)>, Error> {
    let Sender { wa_id, user_id, name } = sender;
    let user_kind = channel.provider.user_id_kind();
    let (mut client_id, mut is_new) = (None, false);
    for _ in 0..TRIES {
        let by_number = match wa_id {
            Some(number) => client_of(transaction, "phone", number).await?,
            None => None,
        };
        let by_id = client_of(transaction, user_kind, user_id.as_deref().unwrap_or_default()).await?;
        if by_number.is_some() && by_id.is_some() && by_number != by_id {
            return Ok(None);
        }
        client_id = by_number.or(by_id);
        if client_id.is_some() {
            break;
        }
        transaction.savepoint();
        client_id = create_client(context, transaction, channel, sender).await?;
        is_new = client_id.is_some();
        if is_new {
            break;
        }
    }
    let client_id = client_id.ok_or_else(|| UNAVAILABLE.caused_by("lost every race for the client"))?;
    if !is_new {
        transaction.execute(LINK_IDENTITY, &[&client_id, wa_id, wa_id, user_id, &false, &user_kind]).await?;
    }
    let named = transaction.execute(FILL_IN, &[&client_id, name, &json!({})]).await?;
    let tagged = match &subscriber.tags {
        Some(tags) => take_tags(transaction, channel.id, client_id, &subscriber.id, tags).await?,
        None => false,
    };
    Ok(Some((is_new, named > 0 || tagged)))
}

/// Adds the tags that are news. Those that staff have taken away since they were told stay away.
async fn take_tags(
    transaction: &Transaction,
    channel_id: Uuid,
    client_id: Uuid,
    subscriber_id: &str,
    tags: &[String],
) -> Result<bool, Error> {
    let is_one = |tag: &&String| {
        let length = tag.trim().chars().count();
        (1..=LONGEST_TAG).contains(&length) && !has_hidden_characters(tag) && !has_control_characters(tag)
    };
    let told = clients::once_each(tags.iter().filter(is_one).map(|tag| tag.trim().to_owned()));
    let Has { tags: has, known } = transaction.one(HAS, &[&client_id, &channel_id, &subscriber_id]).await?;
    let news: Vec<&String> = told.iter().filter(|tag| !is_among(tag, &known) && !is_among(tag, &has)).collect();
    if has.len() + news.len() > MOST_TAGS {
        return Ok(false);
    }
    if !news.is_empty() {
        transaction.execute(ADD_TAGS, &[&client_id, &news]).await?;
    }
    let agreed = clients::once_each(known.iter().chain(&told).cloned());
    transaction.execute(KEEP, &[&channel_id, &subscriber_id, &agreed]).await?;
    Ok(!news.is_empty())
}

/// Whether a tag is one of these, whatever the case and the accents.
pub fn is_among(tag: &str, tags: &[String]) -> bool {
    let plain = unaccented(tag.trim());
    tags.iter().any(|other| unaccented(other.trim()) == plain)
}
