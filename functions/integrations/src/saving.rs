//! What saving a channel asks of its provider and writes.

use shared::{
    environment::variable,
    error::{FieldProblem, INTERNAL, INVALID, UNAVAILABLE},
    evolution::{self, Profile, Server, Webhook},
    log, outside,
    prelude::*,
    provider::{Call, Failure},
    whatsapp::{self, Account, Number, look_up_number},
};

use crate::{
    ACCOUNT_IN_USE, INSTANCE_IN_USE, Integration, NAME_TAKEN,
    config::{Channel, ChannelSwitch},
    hint, instance_key, integration_columns,
};

/// No row when there is such a channel already, of whatever company.
const CONNECT: &str = concat!(
    "with channel as (
        insert into channel_accounts (id, kind, external_key, name, department_id, bot_flow_id, settings, account_key, state, status)
        values ($7, $1, $2, $3, $4, $5, $6, $8, case when $1 = 'evolution' then 'close' end, coalesce($9, 'active'))
        on conflict (kind, external_key) do nothing
        returning *
    )
    select ",
    integration_columns!(),
    " from channel"
);

/// No row when the channel is another company's, or nothing in it changes. New credentials are a change, and set a broken or disabled one
/// going again.
const SAVE_AGAIN: &str = concat!(
    "with channel as (
        update channel_accounts
           set name = $3, department_id = $4, bot_flow_id = $5, settings = $6, version = version + 1,
               status = case when $10 = 'disabled' then $10 when $7 or ($10 = 'active' and status = 'disabled') then 'active' else status end
         where kind = $1 and (external_key = $2 or account_key = $8 or id = $9) and removed_at is null
           and ($7 or (name, department_id, bot_flow_id, settings) is distinct from ($3, $4::uuid, $5::uuid, $6::jsonb)
                or ($10 = 'disabled') <> (status = 'disabled'))
        returning *
    )
    select ",
    integration_columns!(),
    " from channel"
);

/// With what WhatsApp has said of the number to these credentials: webhooks may name only that.
const KEEP_CREDENTIALS: &str = "
    with proved as (
        update channel_accounts
           set account_key = coalesce($3, account_key), display_number = coalesce($4, display_number),
               instance_id = coalesce($5, instance_id)
         where id = $1
    )
    insert into channel_credentials (channel_account_id, sealed)
    values ($1, $2)
    on conflict (channel_account_id) do update set sealed = excluded.sealed";

/// The server has the instance, and is yet to be told where its webhooks go.
const KEEP_INSTANCE: &str = "
    insert into evolution_instances (channel_account_id, made_at, told_at)
    values ($1, $2, $2)
    on conflict (channel_account_id) do update set problem = null, webhook_at = null";

const KEEP_WEBHOOK_SECRET: &str = "
    with untold as (
        update evolution_instances set webhook_at = null where channel_account_id = $1
    )
    update channel_credentials set sealed = $2 where channel_account_id = $1";

const SEALED: &str = "select sealed from channel_credentials where channel_account_id = $1";

/// Unless its secret has become another one meanwhile.
const WEBHOOK_SET: &str = "
    update evolution_instances
       set webhook_at = now()
     where channel_account_id = $1 and $2 = (select external_key from channel_accounts where id = $1)";

/// What a provider has said to new credentials.
pub enum Proof {
    WhatsApp(whatsapp::Credentials, Number),
    /// The key to be used from now on: the instance's own where the server shows it.
    Evolution {
        api_key: String,
        profile: Profile,
    },
    BotConversa {
        api_key: String,
    },
}

/// Asks the provider with new credentials; `None` without any. Nobody connects a number that is not theirs.
///
/// # Errors
/// 422 when it does not accept them, 503 when it does not answer.
pub async fn prove_right(context: &Context, channel: &mut Channel) -> Result<Option<Proof>, Error> {
    if channel.kind == "evolution" {
        return prove_instance(context, channel).await;
    }
    let Some(access_token) = channel.secret.clone() else { return Ok(None) };
    let credentials = whatsapp::Credentials { access_token };
    let account = Account { phone_number_id: channel.external_key.clone(), credentials };
    let (outcome, _) = look_up_number(context, &account).await;
    match outcome {
        Ok(number) => Ok(Some(Proof::WhatsApp(account.credentials, number))),
        Err(Failure::Refused { .. } | Failure::Blocked { .. }) => {
            let portuguese = "O WhatsApp não aceita este token para este número.";
            let english = "WhatsApp does not accept this token for this number.";
            Err(INVALID.in_fields(vec![FieldProblem::new("access_token", "not_accepted", portuguese, english)]))
        }
        Err(Failure::Busy { code: reason, .. } | Failure::Unknown { reason }) => Err(UNAVAILABLE.caused_by(reason)),
    }
}

/// An instance is its server's word for whoever has a key there: it lists the instance.
async fn prove_instance(context: &Context, channel: &mut Channel) -> Result<Option<Proof>, Error> {
    let text = |name: &str| channel.settings[name].as_str().unwrap_or_default().to_owned();
    let name = text("instance");
    let base_url = server_address(&text("base_url"), "base_url").await?;
    channel.account_key = Some(instance_key(&base_url, &name));
    channel.settings["base_url"] = json!(base_url);
    let Some(api_key) = channel.secret.clone() else { return Ok(None) };
    let (found, _) = evolution::look_up(context, Server { base_url: &base_url, api_key: &api_key }, &name).await;
    let profile = found.map_err(refuse_server)?.ok_or_else(no_instance)?;
    let api_key = profile.token.clone().unwrap_or(api_key);
    channel.settings["api_key"] = json!(hint(&api_key));
    Ok(Some(Proof::Evolution { api_key, profile }))
}

/// The address of a server as it is kept: public, encrypted, and one way of writing it.
///
/// # Errors
/// 422 with the field named.
pub async fn server_address(text: &str, field: &str) -> Result<String, Error> {
    let url = outside::check_url(text).await.and_then(|url| match url.query() {
        None => Ok(url),
        Some(_) => Err(outside::Refusal::Malformed),
    });
    let url = url.map_err(|refusal| INVALID.in_fields(vec![refusal.in_field(field)]))?;
    Ok(written_once(url))
}

/// A name with a dot behind it is the same name, and a letter written as its number the same letter; schemes, cases and ports are one already.
fn written_once(mut url: url::Url) -> String {
    let host = url.host_str().map(|host| host.trim_end_matches('.').to_owned());
    if let Some(host) = host.filter(|host| !host.is_empty()) {
        // What is refused stays as it is.
        let _ = url.set_host(Some(&host));
    }
    let path = plainly(url.path());
    url.set_path(&path);
    url.as_str().trim_end_matches('/').to_owned()
}

/// A path without numbers for letters, digits and `-._~`, and without empty parts.
fn plainly(path: &str) -> String {
    let mut parts = path.split('%');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let letter = part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()).map(char::from);
        match letter.filter(|letter| letter.is_ascii_alphanumeric() || "-._~".contains(*letter)) {
            Some(letter) => {
                plain.push(letter);
                plain.push_str(&part[2..]);
            }
            None => plain.extend(["%", part]),
        }
    }
    plain.split('/').filter(|part| !part.is_empty()).fold(String::new(), |path, part| path + "/" + part)
}

/// Why a server that is being connected is not: its answer to a key, in the fields of the input.
fn refuse_server(failure: Failure) -> Error {
    match failure {
        Failure::Blocked { code, .. } if code == "401" => {
            let (portuguese, english) = ("O servidor não aceita esta chave.", "The server does not accept this key.");
            INVALID.in_fields(vec![FieldProblem::new("api_key", "not_accepted", portuguese, english)])
        }
        Failure::Refused { code, .. } if code == "404" => no_instance(),
        Failure::Refused { .. } | Failure::Blocked { .. } => {
            let portuguese = "Este endereço não é de um servidor da Evolution API.";
            let english = "This is not the address of an Evolution API server.";
            INVALID.in_fields(vec![FieldProblem::new("base_url", "not_accepted", portuguese, english)])
        }
        Failure::Busy { code: reason, .. } | Failure::Unknown { reason } => UNAVAILABLE.caused_by(reason),
    }
}

fn no_instance() -> Error {
    let (portuguese, english) = ("O servidor não tem esta instância.", "The server has no such instance.");
    INVALID.in_fields(vec![FieldProblem::new("instance", "not_found", portuguese, english)])
}

/// Writes the channel with its flow and settings, as a new one when the company is not known to have it. Whoever saves it at the same
/// time may be faster: then it is saved again.
/// `None` when nothing changes, or it is another company's.
pub async fn store(
    context: &Context,
    transaction: &Transaction,
    channel: &Channel,
    (flow, settings): (Option<Uuid>, &Value),
    is_new: bool,
) -> Result<Option<Integration>, Error> {
    let Channel { kind, id: saved_again, external_key, account_key, name, department_id, secret, status, .. } = channel;
    let status = status.map(ChannelSwitch::as_str);
    let taken = |outcome: Result<Option<Integration>, Error>| {
        let outcome = outcome.on_constraint("channel_accounts_instance", INSTANCE_IN_USE);
        let outcome = outcome.on_constraint("channel_accounts_botconversa", ACCOUNT_IN_USE);
        outcome.on_constraint("channel_accounts_instance_name", NAME_TAKEN)
    };
    if is_new {
        let id = context.new_id();
        let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 9] =
            [kind, external_key, name, department_id, &flow, settings, &id, account_key, &status];
        let connected = taken(transaction.first(CONNECT, &parameters).await)?;
        if connected.is_some() {
            return Ok(connected);
        }
    }
    let renews = secret.is_some();
    let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 10] =
        [kind, external_key, name, department_id, &flow, settings, &renews, account_key, saved_again, &status];
    taken(transaction.first(SAVE_AGAIN, &parameters).await)
}

/// Seals what was proved of a channel.
///
/// # Errors
/// Those of the database, and a channel whose credentials do not open.
pub async fn keep_credentials(
    context: &Context,
    transaction: &Transaction,
    channel_id: Uuid,
    proof: &Proof,
    fresh: Option<evolution::Credentials>,
) -> Result<(), Error> {
    let keys = &context.secrets().encryption_keys;
    let nothing: Option<&str> = None;
    match proof {
        Proof::WhatsApp(credentials, Number { account_id, display_number, .. }) => {
            let sealed = credentials.seal(keys, channel_id);
            transaction.execute(KEEP_CREDENTIALS, &[&channel_id, &sealed, account_id, display_number, &nothing]).await.map(drop)
        }
        Proof::Evolution { api_key, profile } => {
            let kept = match fresh {
                Some(fresh) => fresh,
                None => instance_credentials(context, transaction, channel_id).await?,
            };
            let credentials = evolution::Credentials { api_key: api_key.clone(), ..kept };
            let sealed = credentials.seal(keys, channel_id);
            let kept =
                [&channel_id as &(dyn tokio_postgres::types::ToSql + Sync), &sealed, &nothing, &profile.number, &profile.id];
            transaction.execute(KEEP_CREDENTIALS, &kept).await.on_constraint("channel_accounts_instance_id", INSTANCE_IN_USE)?;
            transaction.execute(KEEP_INSTANCE, &[&channel_id, &context.now()]).await.map(drop)
        }
        Proof::BotConversa { api_key } => {
            let kept = match fresh {
                Some(fresh) => fresh,
                None => instance_credentials(context, transaction, channel_id).await?,
            };
            let account = shared::botconversa::account_key(api_key);
            let sealed = evolution::Credentials { api_key: api_key.clone(), ..kept }.seal(keys, channel_id);
            let kept = transaction.execute(KEEP_CREDENTIALS, &[&channel_id, &sealed, &account, &nothing, &nothing]).await;
            kept.on_constraint("channel_accounts_botconversa", ACCOUNT_IN_USE).map(drop)
        }
    }
}

/// Seals other secrets for an instance's webhooks; its server is yet to be told of them.
///
/// # Errors
/// Those of the database.
pub async fn keep_webhook_secret(
    context: &Context,
    transaction: &Transaction,
    channel_id: Uuid,
    credentials: &evolution::Credentials,
) -> Result<(), Error> {
    let sealed = credentials.seal(&context.secrets().encryption_keys, channel_id);
    transaction.execute(KEEP_WEBHOOK_SECRET, &[&channel_id, &sealed]).await.map(drop)
}

/// Those of an instance.
///
/// # Errors
/// Those of the database; 500 where they were sealed with a key that is no longer listed.
pub async fn instance_credentials(
    context: &Context,
    transaction: &Transaction,
    channel_id: Uuid,
) -> Result<evolution::Credentials, Error> {
    let rows = transaction.query(SEALED, &[&channel_id]).await?;
    let sealed: Option<Vec<u8>> = rows.first().map(|row| row.get("sealed"));
    let opened = sealed.and_then(|sealed| evolution::Credentials::open(&context.secrets().encryption_keys, channel_id, &sealed));
    opened.ok_or_else(|| INTERNAL.caused_by("the channel's credentials do not open"))
}

/// Where the webhooks of an instance go. Its function says `reads!(PUBLIC_API_URL)`.
#[must_use]
pub fn webhook_url(credentials: &evolution::Credentials) -> String {
    format!("{}/webhooks/evolution/{}", variable("PUBLIC_API_URL").trim_end_matches('/'), credentials.webhook_token)
}

/// Tells the server where the webhooks of an instance go. Answers what came of it.
pub async fn register_webhook(
    context: &Context,
    (base_url, instance_name): (&str, &str),
    credentials: &evolution::Credentials,
) -> (Result<(), Failure>, Call) {
    let url = webhook_url(credentials);
    let webhook = Webhook { url: &url, secret: &credentials.webhook_secret };
    let server = Server { base_url, api_key: &credentials.api_key };
    evolution::set_webhook(context, server, instance_name, webhook).await
}

/// Notes that the server knows where its webhooks go, with the transaction's commit.
pub fn note_webhook(transaction: &Transaction, channel_id: Uuid, credentials: &evolution::Credentials) {
    transaction.defer(WEBHOOK_SET, shared::parameters![channel_id, credentials.external_key()]);
}

/// Tells the server at once where the webhooks go. Where that fails, the next check of the channel tells it.
pub async fn announce(context: &Context, company_id: Uuid, integration: &Integration) {
    let told = async {
        let transaction = context.begin_system(company_id).await?;
        let credentials = instance_credentials(context, &transaction, integration.id).await?;
        transaction.commit_quietly().await?;
        let text = |name: &str| integration.settings[name].as_str().unwrap_or_default();
        let (outcome, _) = register_webhook(context, (text("base_url"), text("instance")), &credentials).await;
        if outcome.is_err() {
            return Ok(());
        }
        let transaction = context.begin_system(company_id).await?;
        note_webhook(&transaction, integration.id, &credentials);
        transaction.commit_quietly().await
    };
    let told: Result<(), Error> = told.await;
    if let Err(error) = told {
        log::warn("webhooks not registered", error.cause().unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_kept_in_one_writing() {
        for written in [
            "https://evo.exemplo.test",
            "https://EVO.exemplo.test/",
            "https://evo.exemplo.test.",
            "https://evo.exemplo.test.:443/",
            "https://evo.exemplo.test:443",
            "https://evo.exemplo.test/a/..//",
            "https://e%76o.exemplo.test",
        ] {
            assert_eq!(written_once(written.parse().unwrap()), "https://evo.exemplo.test", "{written}");
        }
        for written in ["http://evo.exemplo.test:8080/api/", "http://evo.exemplo.test:8080//%61pi"] {
            assert_eq!(written_once(written.parse().unwrap()), "http://evo.exemplo.test:8080/api", "{written}");
        }
        assert_eq!(written_once("https://evo.exemplo.test/a%2Fb%".parse().unwrap()), "https://evo.exemplo.test/a%2Fb%");
    }
}
