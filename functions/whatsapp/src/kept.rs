//! A webhook that is kept: what it tells is applied by who received it, or by a job where that could not.

use futures_util::future::join;
use shared::{
    error::{INTERNAL, UNAVAILABLE},
    log, parameters,
    prelude::*,
};

use crate::{
    adapters,
    channel::{Channel, Done},
    history,
    inbound::apply,
    item::{Item, Notification, kinds},
    named::Named,
    provider::Provider,
    routing::{self, Entered, Kept},
    statements::{FINISH_WEBHOOK, GIVE_UP_WEBHOOK, KEEP_WEBHOOK, LEAVE_WEBHOOK, RAW_WEBHOOK},
};

/// Items in one transaction: as long as it lasts, it holds the locks of all that they name.
const ITEMS_AT_ONCE: usize = 100;

/// Times that a webhook is applied anew at once, when its transaction failed for a passing reason.
const TRIES: usize = 3;

/// What came of a webhook's items.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Stored, now or before.
    pub stored: usize,
    /// Could not be stored; the error is kept with the raw webhook.
    pub failed: usize,
    /// Kept, to be stored by a job.
    pub left: usize,
}

/// What a webhook is answered.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Received {
    /// Items that were stored, now or before.
    pub stored: usize,
    /// Items that could not be stored; their error is kept with the raw webhook.
    pub failed: usize,
    /// Items that are kept, and stored as soon as that is possible.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left: Option<usize>,
}

impl Received {
    pub fn add(&mut self, counts: Counts) {
        let Counts { stored, failed, left } = counts;
        self.stored += stored;
        self.failed += failed;
        if left > 0 {
            *self.left.get_or_insert_default() += left;
        }
    }
}

/// Keeps what was told of one number and applies it. Once it is kept, nothing that fails is the provider's to repeat. `None` where nobody has the
/// number: what a provider signs is kept for whoever has it one day, what only a secret proves is not.
///
/// # Errors
/// When it is not kept.
pub async fn receive(context: &Context, raw: Vec<u8>, notification: &Notification) -> Result<Option<Counts>, Error> {
    let Notification { provider, address, items } = notification;
    let webhook = Kept { id: context.new_id(), received_at: context.now() };
    let transaction = context.begin_nobody().await?;
    let identities = identities_of(notification);
    let keep = parameters![
        webhook.id,
        webhook.received_at,
        address.external_key.clone(),
        address.account_key.clone(),
        address.display_number.clone(),
        raw,
        identities,
        kinds(items),
        provider.as_str()
    ];
    if notification.is_history() {
        let kept = transaction.commit_ahead(KEEP_WEBHOOK, &keep).await?;
        drop(transaction);
        let Some(company_id) = kept.first().and_then(|row| row.get::<_, Option<Uuid>>(0)) else {
            log::warn("history of a number nobody has configured", address.key());
            return Ok(None);
        };
        leave_it(context, company_id, webhook, true).await;
        return Ok(Some(Counts { left: items.len(), ..Counts::default() }));
    }
    // One flight for both: by itself and first what is kept, then the transaction.
    let (kept, entered) = join(
        transaction.commit_ahead(KEEP_WEBHOOK, &keep),
        routing::enter(&transaction, webhook, *provider, address, &Named::in_items(*provider, first(items))),
    )
    .await;
    let Some(company_id) = kept?.first().and_then(|row| row.get::<_, Option<Uuid>>(0)) else {
        log::warn("webhook for a number nobody has configured", address.key());
        return Ok(None);
    };
    let applied = match entered {
        Ok(entered) => apply_all(context, webhook, notification, transaction, entered, None).await,
        Err(error) => {
            drop(transaction);
            Err(error)
        }
    };
    match try_again(context, webhook, notification, applied).await {
        Ok(Some(counts)) => return Ok(Some(counts)),
        Ok(None) => {}
        Err(error) => log::warn("webhook left to a job", error.cause().unwrap_or(error.problem().code)),
    }
    leave_it(context, company_id, webhook, false).await;
    Ok(Some(Counts { left: items.len(), ..Counts::default() }))
}

/// What fails here is found by the dispatcher.
async fn leave_it(context: &Context, company_id: Uuid, webhook: Kept, is_history: bool) {
    if let Err(error) = leave(context, company_id, webhook, is_history).await {
        log::warn("webhook left to the dispatcher", error.cause().unwrap_or(error.problem().code));
    }
}

/// The identities that it names, as they are locked. Nobody waits for history.
fn identities_of(notification: &Notification) -> Vec<String> {
    if notification.is_history() { Vec::new() } else { Named::in_items(notification.provider, &notification.items).keys() }
}

/// Opens the tenant, with all locks that these of its items need.
async fn enter(
    transaction: &Transaction,
    webhook: Kept,
    notification: &Notification,
    items: &[Item],
) -> Result<Option<Entered>, Error> {
    let Notification { provider, address, .. } = notification;
    let named = Named::in_items(*provider, items);
    if !notification.is_history() {
        return routing::enter(transaction, webhook, *provider, address, &named).await;
    }
    let entered = routing::enter(transaction, webhook, *provider, address, &Named::default()).await?;
    if entered.is_some() {
        history::hold(transaction, &named).await?;
    }
    Ok(entered)
}

/// After a deadlock or a lost connection nothing has happened, or what has is found again.
async fn try_again(
    context: &Context,
    webhook: Kept,
    notification: &Notification,
    mut applied: Result<Option<Counts>, Error>,
) -> Result<Option<Counts>, Error> {
    for _ in 1..TRIES {
        let Err(error) = &applied else { break };
        let Some(why) = error.passing_reason() else { break };
        log::done_again(&context.origin().function, why, error.cause());
        applied = begin_and_apply(context, webhook, notification, None).await;
    }
    applied
}

async fn begin_and_apply(
    context: &Context,
    webhook: Kept,
    notification: &Notification,
    turn: Option<&Turn<'_>>,
) -> Result<Option<Counts>, Error> {
    let transaction = context.begin_nobody().await?;
    let entered = enter(&transaction, webhook, notification, first(&notification.items)).await?;
    apply_all(context, webhook, notification, transaction, entered, turn).await
}

/// The turn of a webhook that was left, or is to be applied again.
struct Turn<'job> {
    job: &'job Claimed,
    /// Whether it is applied even if it was before.
    is_replay: bool,
}

/// So many as are done in one transaction, one at least.
fn first(items: &[Item]) -> &[Item] {
    let mut weight = 0;
    let count = items.iter().take_while(|item| {
        let is_first = weight == 0;
        weight += match item {
            Item::Past(past) => (past.messages.len() + past.changes.len()).max(1),
            _ => 1,
        };
        is_first || weight <= ITEMS_AT_ONCE
    });
    &items[..count.count()]
}

/// A hundred items in one transaction, the first of which has begun. `None` while an earlier webhook of the same clients is left to a
/// job. A job's own turn has come; `None` of one is that its number is not its company's any more.
async fn apply_all(
    context: &Context,
    webhook: Kept,
    notification: &Notification,
    mut transaction: Transaction,
    mut entered: Option<Entered>,
    turn: Option<&Turn<'_>>,
) -> Result<Option<Counts>, Error> {
    let mut counts = Counts::default();
    let mut outcomes = Vec::new();
    let mut rest = notification.items.as_slice();
    loop {
        let (items, later) = rest.split_at(first(rest).len());
        let Some(Entered { channel, is_applied, is_behind }) = entered else {
            return if turn.is_some() { Ok(None) } else { Err(INTERNAL.caused_by("its channel was taken away")) };
        };
        if turn.map_or(is_behind, |turn| turn.job.company_id != channel.company_id) {
            return Ok(None);
        }
        let is_applied = is_applied && !turn.is_some_and(|turn| turn.is_replay);
        if !is_applied {
            for item in items {
                outcomes.push(store(context, &transaction, &channel, item, &mut counts).await?);
            }
        }
        if later.is_empty() || is_applied {
            let (account, shown) = routing::proved(&notification.address);
            let failed = i32::try_from(counts.failed).unwrap_or(i32::MAX);
            if !is_applied {
                transaction.defer(
                    FINISH_WEBHOOK,
                    parameters![webhook.id, webhook.received_at, channel.id, json!(outcomes), failed, account, shown],
                );
            }
            if let Some(turn) = turn {
                turn.job.finish(&transaction);
            }
            transaction.commit_quietly().await?;
            return Ok(Some(counts));
        }
        transaction.commit_quietly().await?;
        rest = later;
        transaction = context.begin_nobody().await?;
        entered = enter(&transaction, webhook, notification, first(rest)).await?;
    }
}

/// Characters of what is said of an item: some of it is the provider's words.
const LONGEST_OUTCOME: usize = 200;

/// One item, under a savepoint: what of it cannot be stored is its outcome, an error is not its fault.
async fn store(
    context: &Context,
    transaction: &Transaction,
    channel: &Channel,
    item: &Item,
    counts: &mut Counts,
) -> Result<Value, Error> {
    transaction.savepoint();
    let mark = transaction.mark();
    let shortened = item.shortened();
    match apply(context, transaction, channel, shortened.as_ref().unwrap_or(item)).await {
        Ok(done) => {
            counts.stored += 1;
            Ok(json!({"id": item.id(), "outcome": outcome(&done).chars().take(LONGEST_OUTCOME).collect::<String>()}))
        }
        Err(error) if error.problem() == UNAVAILABLE => Err(error),
        Err(error) => {
            transaction.rollback_to_savepoint(mark);
            counts.failed += 1;
            let reason = error.cause().unwrap_or(error.problem().code);
            Ok(json!({"id": item.id(), "outcome": "failed", "error": reason}))
        }
    }
}

fn outcome(done: &Done) -> String {
    match done {
        Done::Stored => "stored".into(),
        Done::Past { stored, known } => format!("history: {stored} stored, {known} known"),
        Done::Held => "held".into(),
        Done::Duplicate => "duplicate".into(),
        Done::Told(code) => format!("told: {code}"),
        Done::Group => "ignored_group".into(),
        Done::Ignored(reason) => format!("ignored: {reason}"),
    }
}

/// What the job of a kept webhook is told.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Left {
    #[serde(flatten)]
    webhook: Kept,
    /// Whether it is applied again.
    #[serde(default)]
    is_replay: bool,
}

fn job_of(context: &Context, left: Left, lane: &str, channel_account_id: Uuid) -> Job {
    Job::new(context, Queue::Media, "apply_webhook", format!("{lane}:{channel_account_id}"), json!(left))
}

/// The job that applies a kept webhook, whether it was applied or not: what is there already is not added again. Not more than one waits.
#[must_use]
pub fn replay(context: &Context, webhook: Kept, channel_account_id: Uuid) -> Job {
    job_of(context, Left { webhook, is_replay: true }, "webhooks", channel_account_id).unless_waiting(webhook.id)
}

/// The identities that a webhook names, as they are locked; none of one that nobody can read.
#[must_use]
pub fn identities(provider: Provider, raw: &[u8], received_at: Timestamp) -> Vec<String> {
    let notifications = adapters::read(provider, raw, received_at).unwrap_or_default();
    notifications.iter().flat_map(identities_of).collect()
}

/// One lane for a channel, so that what is left of a client keeps its order; history has one of its own.
async fn leave(context: &Context, company_id: Uuid, webhook: Kept, is_history: bool) -> Result<(), Error> {
    let transaction = context.begin_system(company_id).await?;
    if let Some(row) = transaction.query(LEAVE_WEBHOOK, &[&webhook.id, &webhook.received_at]).await?.first() {
        let lane = if is_history { "history" } else { "webhooks" };
        transaction.enqueue(job_of(context, Left { webhook, is_replay: false }, lane, row.get("channel_account_id")));
    }
    transaction.commit_quietly().await
}

#[derive(FromRow)]
struct Raw {
    body: Vec<u8>,
    source: Provider,
    external_key: Option<String>,
}

/// Applies a webhook that was left, at its turn.
///
/// # Errors
/// As the database fails; it is tried again then.
pub async fn apply_left(context: &Context, job: &Claimed) -> Result<Outcome, Error> {
    let Left { webhook, is_replay } = job.read()?;
    let transaction = context.begin_system(job.company_id).await?;
    let raw: Option<Raw> = transaction.first(RAW_WEBHOOK, &[&webhook.id, &webhook.received_at]).await?;
    transaction.commit_quietly().await?;
    let Some(raw) = raw else { return Ok(Outcome::Failed { reason: "the webhook is past its age".to_owned() }) };
    let notifications =
        adapters::read(raw.source, &raw.body, webhook.received_at).map_err(|reason| INTERNAL.caused_by(reason))?;
    // What is kept is one number's.
    let mut notification = notifications.into_iter().next().ok_or_else(|| INTERNAL.caused_by("it tells nothing"))?;
    // Of a body that names nobody, the row does.
    let address = &mut notification.address;
    address.external_key = address.external_key.take().or_else(|| raw.external_key.filter(|_| address.account_key.is_none()));
    // Given up before, its outcome says so, and is no outcome.
    let turn = Turn { job, is_replay: is_replay || job.is_retried() };
    Ok(match begin_and_apply(context, webhook, &notification, Some(&turn)).await? {
        Some(_) => Outcome::Done,
        None => Outcome::Failed { reason: "its number is not this company's any more".to_owned() },
    })
}

/// The raw webhook says that it came to nothing.
///
/// # Errors
/// As the database fails.
pub async fn give_up(job: &Claimed, transaction: &Transaction) -> Result<(), Error> {
    let Left { webhook, .. } = job.read()?;
    transaction.execute(GIVE_UP_WEBHOOK, &[&webhook.id, &webhook.received_at]).await.map(drop)
}
