//! The CRM that a company has beside this one: where it is, what it calls our fields, and the key, which is kept sealed.

use std::collections::BTreeMap;

use shared::{
    environment::variable,
    error::{FieldProblem, refuse},
    links::{Link, Purpose},
    prelude::*,
};

use crate::{
    config::{ChannelSwitch, Crm},
    crm_kinds::{CRM_KEY, CrmKind, CrmStatus},
    hint,
    saving::server_address,
};

pub const OTHER_CRM: Problem = Problem::new(
    409,
    "other_crm",
    "A empresa já está conectada a um CRM de outro tipo.",
    "The company is connected to a CRM of another kind already.",
);

pub const JUST_CONNECTED: Problem = Problem::new(
    409,
    "crm_just_connected",
    "Outra pessoa acabou de conectar o CRM: veja a conexão e salve de novo.",
    "Somebody else has just connected the CRM: look at the connection and save again.",
);

/// The CRM as its admins see it: without its key.
#[derive(Clone, Debug, Serialize, JsonSchema, FromRow)]
pub struct CrmConnection {
    pub id: Uuid,
    pub kind: CrmKind,
    pub name: String,
    pub status: CrmStatus,
    /// Of a CRM that the company names itself.
    pub base_url: Option<String>,
    /// The end of the key, such as `••••1234`.
    pub api_key: String,
    #[schemars(with = "BTreeMap<String, Option<String>>")]
    pub fields: Value,
    /// When both sides were last found alike.
    pub synced_at: Option<Timestamp>,
    pub last_error: Option<String>,
    pub created_at: Timestamp,
    pub version: i32,
}

impl Versioned for CrmConnection {
    fn version(&self) -> i32 {
        self.version
    }
}

/// The connection, with the address at which it may tell that something has changed there.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct SavedCrm {
    #[serde(flatten)]
    pub crm: CrmConnection,
    /// A call to it is only a hint to look at once.
    pub webhook_url: String,
}

macro_rules! crm_columns {
    () => {
        "id, kind, name, status, base_url, key_hint as api_key, fields, synced_at, last_error, created_at, version"
    };
}

pub const CRM: &str = concat!("select ", crm_columns!(), " from crm_connections");

const LOCKED: &str = concat!("select ", crm_columns!(), " from crm_connections for update");

/// No row where somebody else has just connected one.
const CONNECT: &str = concat!(
    "insert into crm_connections (id, kind, name, base_url, key_hint, fields, status)
     values ($1, $2, $3, $4, $5, $6, $7)
     on conflict (company_id) do nothing
     returning ",
    crm_columns!()
);

const SAVE_AGAIN: &str = concat!(
    "update crm_connections
        set name = $1, base_url = $2, key_hint = $3, fields = $4, status = $5, failures = 0, paused_until = null, last_error = null,
            version = version + 1
      where $6 or (name, base_url, fields, status) is distinct from ($1, $2, $4::jsonb, $5)
     returning ",
    crm_columns!()
);

/// Connects the company's CRM, or changes how it is connected.
///
/// # Errors
/// 422 with the field, `OTHER_CRM`, and those of the database.
pub async fn save(
    context: &Context,
    caller: &SteppedUp<Admin>,
    if_match: IfMatch,
    mut crm: Crm,
) -> Result<Json<SavedCrm>, Error> {
    if let Some(base_url) = &crm.base_url {
        crm.base_url = Some(server_address(base_url, "base_url").await?);
    }
    let transaction = context.begin(caller).await?;
    let current: Option<CrmConnection> = transaction.first(LOCKED, &[]).await?;
    if_match.check(&current)?;
    if current.as_ref().is_some_and(|current| current.kind != crm.kind) {
        return Err(OTHER_CRM.into());
    }
    // A key never goes to another server than the one it was given for.
    let has_moved = current.as_ref().is_some_and(|current| current.base_url != crm.base_url);
    if crm.api_key.is_none() && (current.is_none() || has_moved) {
        refuse(vec![FieldProblem::new("api_key", "required", "Obrigatório na primeira vez.", "Required the first time.")])?;
    }
    let saved = store(context, &transaction, &crm, current.as_ref()).await?;
    let Some(saved) = saved else {
        let unchanged = current.ok_or(JUST_CONNECTED)?;
        return transaction.commit(Json(shown(context, unchanged))).await;
    };
    if let Some(key) = &crm.api_key {
        CRM_KEY.keep(context, &transaction, caller.company_id, key.as_bytes());
    }
    transaction.audit(saved.id, &current, &saved);
    transaction.commit(Json(shown(context, saved))).await
}

async fn store(
    context: &Context,
    transaction: &Transaction,
    crm: &Crm,
    current: Option<&CrmConnection>,
) -> Result<Option<CrmConnection>, Error> {
    let Crm { kind, name, base_url, api_key, fields, status } = crm;
    let fields = match (fields, current) {
        (Some(fields), _) => json!(fields),
        (None, Some(current)) => current.fields.clone(),
        (None, None) => json!({}),
    };
    let status = match (status, current.map(|current| current.status)) {
        (Some(ChannelSwitch::Disabled), _) | (None, Some(CrmStatus::Disabled)) => CrmStatus::Disabled,
        (Some(ChannelSwitch::Active), Some(CrmStatus::Broken)) if api_key.is_none() => CrmStatus::Broken,
        (None, Some(was)) if api_key.is_none() => was,
        _ => CrmStatus::Active,
    };
    let shown_key = api_key.as_deref().map(hint).or_else(|| current.map(|current| current.api_key.clone())).unwrap_or_default();
    let (kind, status) = (kind.as_str(), status.as_str());
    if current.is_some() {
        return transaction.first(SAVE_AGAIN, &[name, base_url, &shown_key, &fields, &status, &api_key.is_some()]).await;
    }
    let connected = transaction.first(CONNECT, &[&context.new_id(), &kind, name, base_url, &shown_key, &fields, &status]).await?;
    // Somebody else has just done it: theirs is there, and this one is to be looked at again.
    if connected.is_some() { Ok(connected) } else { Err(JUST_CONNECTED.into()) }
}

fn shown(context: &Context, crm: CrmConnection) -> SavedCrm {
    let token = Link { purpose: Purpose::CrmWebhook, id: crm.id }.token(&context.secrets().token_keys);
    let webhook_url = format!("{}/webhooks/crm/{token}", variable("PUBLIC_API_URL").trim_end_matches('/'));
    SavedCrm { crm, webhook_url }
}
