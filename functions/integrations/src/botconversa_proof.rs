//! What saving an account of BotConversa asks of it.

use shared::{
    botconversa::{self, Account, Credentials, Errand, Named},
    error::{FieldProblem, INVALID, NOT_FOUND, UNAVAILABLE, refuse},
    prelude::*,
    provider::Failure,
};

use crate::{
    botconversa::{ShownStatus, Thing},
    config::{Channel, StatusNames, Wanted},
    mapping::Mapping,
    saving::{Proof, instance_credentials},
};

/// Tries the mapping, asks BotConversa with the key and for what it calls tags and fields; `None` where the key stays as it is.
///
/// # Errors
/// 404 for a channel of nobody's, 422 with the fields named, 503 when BotConversa does not answer.
pub async fn prove(context: &Context, company_id: Uuid, channel: &mut Channel) -> Result<Option<Proof>, Error> {
    let Some(Wanted { mapping, sample, shows }) = channel.botconversa.take() else { return Ok(None) };
    refuse(problems(mapping.as_ref(), sample.as_ref()))?;
    let is_new_key = channel.secret.is_some();
    let api_key = match (&channel.secret, channel.id) {
        (Some(api_key), _) => api_key.clone(),
        (None, Some(id)) if shows != StatusNames::default() => kept_key(context, company_id, id).await?,
        (None, _) => return Ok(None),
    };
    let account = Account { api_key: &api_key, errand: Errand::Message };
    if is_new_key {
        let (answer, _) = botconversa::list(context, account, 1).await;
        answer.map_err(refuse_key)?;
    }
    channel.settings["shows"] = json!(resolve(context, account, &shows).await?);
    Ok(is_new_key.then_some(Proof::BotConversa { api_key }))
}

fn problems(mapping: Option<&Mapping>, sample: Option<&Value>) -> Vec<FieldProblem> {
    match (mapping, sample) {
        (Some(_), None) => {
            let (portuguese, english) =
                ("Envie um exemplo do corpo para testar o mapeamento.", "Give a sample of the body to try the mapping on.");
            vec![FieldProblem::new("sample", "required", portuguese, english)]
        }
        (mapping, Some(sample)) => mapping.cloned().unwrap_or_default().problems(sample),
        (None, None) => Vec::new(),
    }
}

/// The key that is there, of a channel of this company.
async fn kept_key(context: &Context, company_id: Uuid, id: Uuid) -> Result<String, Error> {
    let transaction = context.begin_system(company_id).await?;
    let is_there = "select from channel_accounts where id = $1 and kind = 'botconversa' and removed_at is null";
    if transaction.query(is_there, &[&id]).await?.is_empty() {
        return Err(NOT_FOUND.into());
    }
    let Credentials { api_key, .. } = instance_credentials(context, &transaction, id).await?;
    transaction.commit_quietly().await?;
    Ok(api_key)
}

fn refuse_key(failure: Failure) -> Error {
    match failure {
        Failure::Refused { .. } | Failure::Blocked { .. } => {
            let (portuguese, english) = ("O BotConversa não aceita esta chave.", "BotConversa does not accept this key.");
            INVALID.in_fields(vec![FieldProblem::new("api_key", "not_accepted", portuguese, english)])
        }
        Failure::Busy { code: reason, .. } | Failure::Unknown { reason } => UNAVAILABLE.caused_by(reason),
    }
}

/// What the names of tags and fields stand for in this account.
async fn resolve(context: &Context, account: Account<'_>, names: &StatusNames) -> Result<ShownStatus, Error> {
    let StatusNames { bot, pending, active, closed, field, agent_field } = names;
    let has_tags = [bot, pending, active, closed].into_iter().any(Option::is_some);
    let (mut tags, mut fields) = (Vec::new(), Vec::new());
    if has_tags {
        tags = botconversa::tags(context, account).await.0.map_err(refuse_key)?;
    }
    if field.is_some() || agent_field.is_some() {
        fields = botconversa::fields(context, account).await.0.map_err(refuse_key)?;
    }
    let mut unknown = Vec::new();
    let mut find = |there: &[Named], name: &str, wanted: &Option<String>| {
        let wanted = wanted.as_deref()?;
        let found = there.iter().find(|one| one.name.eq_ignore_ascii_case(wanted.trim()));
        if found.is_none() {
            let (portuguese, english) =
                ("Esta conta do BotConversa não tem isto.", "This account of BotConversa has no such thing.");
            unknown.push(FieldProblem::new(format!("shows.{name}"), "not_found", portuguese, english));
        }
        found.map(|Named { id, name }| Thing { id: id.clone(), name: name.clone() })
    };
    let shown = ShownStatus {
        bot: find(&tags, "bot", bot),
        pending: find(&tags, "pending", pending),
        active: find(&tags, "active", active),
        closed: find(&tags, "closed", closed),
        field: find(&fields, "field", field),
        agent_field: find(&fields, "agent_field", agent_field),
    };
    refuse(unknown)?;
    Ok(shown)
}
