//! POST /integrations/botconversa/sync — makes clients of an account's subscribers and tells it of clients, as a long job. While one goes on for this
//! account, it is that one.

use botconversa::sync::SyncBotConversa;
use shared::{
    error::{FieldProblem, NOT_FOUND, refuse},
    prelude::*,
    progress::{self, JobProgress},
};

const ROUTE: Route = Route::post("/integrations/botconversa/sync").fails(&[NOT_FOUND]);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AccountToSync {
    /// Needed only where the company has several accounts.
    #[garde(skip)]
    channel_account_id: Option<Uuid>,
}

const ACCOUNTS: &str = "
    select id, status = 'disabled' as is_disabled
      from channel_accounts
     where kind = 'botconversa' and removed_at is null and ($1::uuid is null or id = $1)
     order by created_at, id
     limit 2";

#[derive(FromRow)]
struct Account {
    id: Uuid,
    is_disabled: bool,
}

pub fn main() {
    serve(&ROUTE, sync_botconversa);
}

async fn sync_botconversa(
    context: Context,
    caller: Supervisor,
    _: IdempotencyKey,
    Json(AccountToSync { channel_account_id }): Json<AccountToSync>,
) -> Result<Accepted<JobProgress>, Error> {
    let transaction = context.begin(&caller).await?;
    let accounts: Vec<Account> = transaction.all(ACCOUNTS, &[&channel_account_id]).await?;
    let problem = |code, portuguese, english| refuse(vec![FieldProblem::new("channel_account_id", code, portuguese, english)]);
    let account = match accounts.as_slice() {
        [] => return Err(NOT_FOUND.into()),
        [account] => account,
        _ => {
            problem("channel_required", "Escolha qual conta sincronizar.", "Choose the account to be kept alike.")?;
            return Err(NOT_FOUND.into());
        }
    };
    if account.is_disabled {
        problem("channel_disabled", "Esta conta está desativada.", "This account is disabled.")?;
    }
    let id = account.id;
    let payload = json!(SyncBotConversa { channel_account_id: id });
    let job = Job::new(&context, Queue::Sync, "sync_botconversa", format!("sync:{id}"), payload);
    let progress = progress::start(&transaction, job, &id.to_string(), None).await?;
    transaction.audit(progress.id, &Value::Null, &json!({"channel_account_id": id}));
    transaction.commit(Accepted(progress)).await
}
