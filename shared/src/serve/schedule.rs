//! The shell around a scheduled function.

use std::{future::Future, sync::Arc};

use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::{Value, json};

use super::{Work, is_cold, report, run};
use crate::{
    context::{Context, Origin},
    describe,
    error::Error,
    log,
    needs::{Privilege, Uses},
};

/// Serves a function that runs by the clock, such as `rate(1 minute)`. A run that fails is simply done again at the next.
pub fn serve_schedule<H, F>(expression: &'static str, privilege: Privilege, handler: H)
where
    H: Fn(Context) -> F + Send + Sync + 'static,
    F: Future<Output = Result<(), Error>> + Send + 'static,
{
    serve_boxed(expression, privilege, Arc::new(move |context| Box::pin(handler(context))));
}

type Run = Arc<dyn Fn(Context) -> Work<Result<(), Error>> + Send + Sync>;

fn serve_boxed(expression: &'static str, privilege: Privilege, handler: Run) {
    let name = describe::binary_name();
    if describe::is_asked() {
        let privilege = describe::privilege(privilege);
        println!("{}", describe::other(json!({"trigger": "schedule", "expression": expression, "privilege": privilege})));
        return;
    }
    run(Uses::Database, |process| {
        lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| {
            let process = Arc::clone(&process);
            let handler = Arc::clone(&handler);
            let function = name.clone();
            async move {
                let cold = is_cold();
                let origin = Origin { request_id: event.context.request_id, function, ..Origin::default() };
                let context = Context::new(Arc::clone(&process), origin);
                let outcome = handler(context.clone()).await;
                context.settle().await;
                if let Some(why) = outcome.as_ref().err().and_then(|error| error.0.transient) {
                    log::done_again(&context.origin().function, why, outcome.as_ref().err().and_then(Error::cause));
                }
                let status = if outcome.is_ok() { "200" } else { "500" };
                let cause = outcome.as_ref().err().and_then(Error::cause).map(str::to_owned);
                report::finished(&context, "scheduled_run", status, cold, cause.as_deref());
                outcome.map_err(|error| lambda_runtime::Error::from(error.problem().code))
            }
        }))
    });
}
