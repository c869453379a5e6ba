//! Turns an async function with typed arguments into one boxed endpoint.

use std::{future::Future, pin::Pin, sync::Arc};

#[cfg(debug_assertions)]
use super::describe::Description;
use super::{Answer, FromRequest, Reply, Request, Route, access::Proof, company, names::Plan};
use crate::{context::Context, error::Error};

type ReplyFuture = Pin<Box<dyn Future<Output = Result<Reply, Error>> + Send>>;

/// A handler without its types: the only generic code in a binary is what makes this.
pub struct Endpoint {
    pub(crate) call: Box<dyn Fn(Arc<Request>, &'static Route, Context) -> ReplyFuture + Send + Sync>,
    /// Where its answer has second names.
    pub(crate) names: fn() -> Plan,
    #[cfg(debug_assertions)]
    pub(crate) describe: fn(&mut Description),
}

/// An async function `(Context, proof, arguments…) -> Result<answer, Error>`.
#[diagnostic::on_unimplemented(
    message = "this is no handler of a route",
    label = "must be `async fn (Context, proof, arguments…) -> Result<answer, Error>`",
    note = "the second argument proves who calls: `Admin`, `Supervisor`, `Staff`, `Student`, `Member`, `SteppedUp<…>`, `SettingUp<…>`, `Either<…>` of two, `Anyone`, `SignedByMeta`, `SignedBySecret`, `SignedByHeader`, `SignedByAddress`",
    note = "then up to four of `Path`, `Query`, `List`, `Json`, `FileBody`, `RawBody`, `IdempotencyKey`, `IfMatch`",
    note = "inputs derive `Deserialize, Validate, JsonSchema`; answers derive `Serialize, JsonSchema` and are `Json`, `Created`, `Accepted`, `NoContent` or `Page`"
)]
pub trait Handler<Arguments>: Copy + Send + Sync + 'static {
    fn into_endpoint(self) -> Endpoint;
}

macro_rules! handlers {
    ($(($($argument:ident),*);)*) => {
        $(
            impl<Function, Output, Access, Reply_, $($argument),*> Handler<(Access, $($argument),*)> for Function
            where
                Function: Fn(Context, Access, $($argument),*) -> Output + Copy + Send + Sync + 'static,
                Output: Future<Output = Result<Reply_, Error>> + Send + 'static,
                Access: Proof,
                Reply_: Answer,
                $($argument: FromRequest,)*
            {
                #[allow(non_snake_case, unused_variables, reason = "a macro over argument types")]
                fn into_endpoint(self) -> Endpoint {
                    Endpoint {
                        call: Box::new(move |request, route, context| {
                            let prepare = || {
                                let proof = Access::prove(&request, &context)?;
                                context.hear_of_companies(company::named(&request, route, Access::IS_THIRD_PARTY));
                                context.identity().map_or(Ok(()), |caller| context.is_for(caller.company_id))?;
                                $(let $argument = $argument::from_request(&request, route, &context)?;)*
                                Ok::<_, Error>((proof, $($argument,)*))
                            };
                            match prepare() {
                                Ok((proof, $($argument,)*)) => {
                                    let work = self(context, proof, $($argument),*);
                                    Box::pin(async move { work.await.map(Answer::into_reply) })
                                }
                                Err(error) => Box::pin(async move { Err(error) }),
                            }
                        }),
                        names: Plan::of_answer::<Reply_>,
                        #[cfg(debug_assertions)]
                        describe: |description| {
                            description.access(&Access::names(), &Access::fails());
                            $($argument::describe(description);)*
                            description.answer::<Reply_>();
                        },
                    }
                }
            }
        )*
    };
}

handlers! {
    ();
    (A);
    (A, B);
    (A, B, C);
    (A, B, C, D);
}
