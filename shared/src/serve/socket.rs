//! The shells around socket functions: `$connect`, `$disconnect`, actions and `$default`.

use std::{collections::HashMap, future::Future, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::{FutureExt, future::join};
use garde::Validate;
use lambda_runtime::{LambdaEvent, service_fn};
use schemars::JsonSchema;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{Work, is_cold, panic_text, report, run};
use crate::{
    context::{Context, Origin, Process},
    describe,
    error::{Error, INTERNAL, MALFORMED, RATE_LIMITED, SESSION_REVOKED},
    http::validation,
    limits,
    needs::Uses,
    realtime::{self, Connection},
};

/// Messages a second on one connection; three times as many close it.
const MESSAGES_PER_SECOND: u64 = 20;

/// A handshake.
#[derive(Clone, Debug)]
pub struct ConnectRequest {
    pub connection_id: String,
    /// The query parameter `ticket`. Front ends that add it to a URL that has it already send it twice: `a?ticket=a`.
    pub ticket: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    request_context: EventContext,
    #[serde(default)]
    query_string_parameters: Option<HashMap<String, String>>,
    #[serde(default)]
    body: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EventContext {
    connection_id: String,
    request_id: String,
    event_type: String,
    #[serde(default)]
    identity: EventIdentity,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct EventIdentity {
    source_ip: Option<String>,
    user_agent: Option<String>,
}

type Handle = Arc<dyn Fn(Context, Event) -> Work<Result<(), Error>> + Send + Sync>;

/// Serves `$connect`: an error refuses the handshake with its status.
pub fn serve_connect<H, F>(handler: H)
where
    H: Fn(Context, ConnectRequest) -> F + Send + Sync + 'static,
    F: Future<Output = Result<(), Error>> + Send + 'static,
{
    serve_boxed(Uses::Database, "$connect", Value::Null, move |context, event| {
        let given = event.query_string_parameters.unwrap_or_default().remove("ticket");
        let ticket = given.map(|given| given.split('?').next().unwrap_or_default().to_owned());
        Box::pin(handler(context, ConnectRequest { connection_id: event.request_context.connection_id, ticket }))
    });
}

/// Serves `$disconnect`, which comes at most once and sometimes not at all.
pub fn serve_disconnect<H, F>(handler: H)
where
    H: Fn(Context, String) -> F + Send + Sync + 'static,
    F: Future<Output = Result<(), Error>> + Send + 'static,
{
    serve_boxed(Uses::Database, "$disconnect", Value::Null, move |context, event| {
        Box::pin(handler(context, event.request_context.connection_id))
    });
}

/// Serves one action: the message without its `action` is read as `T`, and an error is told to the connection as a frame.
/// `$default` gets what no other action takes.
pub fn serve_action<T, H, F>(action: &'static str, handler: H)
where
    T: DeserializeOwned + JsonSchema + Validate<Context = ()> + Send + 'static,
    H: Fn(Context, Connection, T) -> F + Send + Sync + 'static,
    F: Future<Output = Result<(), Error>> + Send + 'static,
{
    serve_action_using(Uses::Database, action, handler);
}

/// `serve_action` for one that does not use all that most do.
pub fn serve_action_using<T, H, F>(uses: Uses, action: &'static str, handler: H)
where
    T: DeserializeOwned + JsonSchema + Validate<Context = ()> + Send + 'static,
    H: Fn(Context, Connection, T) -> F + Send + Sync + 'static,
    F: Future<Output = Result<(), Error>> + Send + 'static,
{
    let take: Take = Arc::new(move |context, connection, body| {
        let input = read::<T>(body)?;
        Ok(Box::pin(handler(context, connection, input)))
    });
    let input = if describe::is_asked() { json!(schemars::schema_for!(T)) } else { Value::Null };
    serve_boxed(uses, action, input, move |context, event| Box::pin(on_message(context, event, Arc::clone(&take))));
}

type Take = Arc<dyn Fn(Context, Connection, &str) -> Result<Work<Result<(), Error>>, Error> + Send + Sync>;

/// Reads a message; `action` is the route's and not the input's.
fn read<T: DeserializeOwned + JsonSchema + Validate<Context = ()>>(body: &str) -> Result<T, Error> {
    let mut value: Value = serde_json::from_str(body).map_err(|error| MALFORMED.caused_by(error))?;
    if let Some(fields) = value.as_object_mut() {
        fields.remove("action");
    }
    validation::read(value)
}

async fn on_message(context: Context, event: Event, take: Take) -> Result<(), Error> {
    let id = event.request_context.connection_id;
    let counter = format!("socket:{id}");
    let (connection, count) =
        join(realtime::find(&context, &id), limits::count(&context, &counter, 1, Duration::from_secs(1))).await;
    // Unknown here but open there: it was forgotten, and has to connect again.
    let Some(connection) = connection? else { return close(&context, &id).await };
    context.signed_in(&connection.identity);
    let count = count.map_or(0, |(count, _)| count);
    if count > 3 * MESSAGES_PER_SECOND {
        return close(&context, &id).await;
    }
    let outcome = if count > MESSAGES_PER_SECOND {
        Err(RATE_LIMITED.into())
    } else {
        match take(context.clone(), connection, event.body.as_deref().unwrap_or_default()) {
            Ok(work) => work.await,
            Err(error) => Err(error),
        }
    };
    if let Err(error) = &outcome {
        let origin = context.origin();
        let mut frame = error.to_json(origin.language, &origin.request_id);
        frame["type"] = json!("error");
        realtime::post(&context, &id, &frame.to_string()).await;
        if error.problem() == SESSION_REVOKED {
            close(&context, &id).await?;
        }
    }
    outcome
}

async fn close(context: &Context, id: &str) -> Result<(), Error> {
    let _ = context.aws().connections().delete_connection().connection_id(id).send().await;
    realtime::forget(context, id).await
}

fn serve_boxed(
    uses: Uses,
    route_key: &'static str,
    input: Value,
    handle: impl Fn(Context, Event) -> Work<Result<(), Error>> + Send + Sync + 'static,
) {
    let name = describe::binary_name();
    if describe::is_asked() {
        let uses = describe::uses(uses);
        println!("{}", describe::other(json!({"trigger": "websocket", "route_key": route_key, "uses": uses, "input": input})));
        return;
    }
    let handle: Handle = Arc::new(handle);
    run(uses, |process| {
        lambda_runtime::run(service_fn(move |event: LambdaEvent<Event>| {
            let (process, handle, name) = (Arc::clone(&process), Arc::clone(&handle), name.clone());
            async move { Ok::<_, lambda_runtime::Error>(answer(process, handle, name, event.payload).await) }
        }))
    });
}

/// Runs one event and answers with a status. A message's client was told by a frame, so its status is always 200.
async fn answer(process: Arc<Process>, handle: Handle, function: String, event: Event) -> Value {
    let cold = is_cold();
    let request = &event.request_context;
    let is_handshake = request.event_type == "CONNECT";
    let origin = Origin {
        request_id: request.request_id.clone(),
        function,
        ip: request.identity.source_ip.clone(),
        user_agent: request.identity.user_agent.clone(),
        ..Origin::default()
    };
    let context = Context::new(Arc::clone(&process), origin);
    let handled = AssertUnwindSafe(handle(context.clone(), event)).catch_unwind().await;
    let outcome = handled.unwrap_or_else(|payload| Err(INTERNAL.caused_by(panic_text(&*payload))));
    context.settle().await;
    let status = outcome.as_ref().map_or_else(|error| error.problem().status, |()| 200);
    let cause = outcome.as_ref().err().and_then(Error::cause);
    report::finished(&context, "socket_message", &status.to_string(), cold, cause);
    json!({"statusCode": if is_handshake { status } else { 200 }})
}
