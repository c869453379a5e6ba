//! HTTP routes: their declaration, what they take and what they answer.

mod answer;
pub(crate) mod company;
mod extract;
mod handler;
mod media_type;
pub(crate) mod names;
mod query;
pub(crate) mod request;
mod route;
mod shape;
pub mod validation;

pub use answer::{
    Accepted, Answer, Created, IntoStored, Json, NoContent, NumberedPage, Page, Pagination, Redirect, Reply, Report, Text,
};
pub use extract::{CommaSeparated, FromRequest, IdempotencyKey, IfMatch, Path, PathParameters, Query, RawBody};
pub use handler::{Endpoint, Handler};
pub use request::Request;
pub use route::{Limit, Privilege, Route};
